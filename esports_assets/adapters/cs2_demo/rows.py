"""What every row of a demo goes through: its round, its players, its weapon, and the remarks about it.

Belongs here: looking things up with a refusal that names the row, and findings that are counted instead of repeated.
Does not belong here: what a kind of row becomes (``happenings.py``).
"""

from typing import Any

from esports_assets.adapters.base import MalformedRecord
from esports_assets.adapters.cs2_demo import mapping
from esports_assets.adapters.cs2_demo.roster import Roster, RoundInfo
from esports_assets.canonical.match import Finding

LAST_ROUND_TAIL_S = 120.0
"""How long after the last round's end its rows may still come, in seconds."""


class RowReader:
    """Checks rows against the roster and keeps the remarks."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._remarks: dict[tuple[str, str], int] = {}
        self._places: dict[tuple[str, str], str] = {}
        starts = [info.raw.startTick for info in roster.rounds.values()]
        after_all = roster.rounds[len(starts)].raw.endTick + int(LAST_ROUND_TAIL_S * roster.ticks_per_s)
        self.next_start = dict(zip(roster.rounds, [*starts[1:], after_all], strict=True))

    def findings(self) -> list[Finding]:
        """One finding per rule and subject, with how often."""
        return [
            Finding(rule, self._places[rule, message], f"{message} ({count} times)" if count > 1 else message)
            for (rule, message), count in self._remarks.items()
        ]

    def remark(self, rule: str, place: str, message: str) -> None:
        """Count something that a person should know; the first place is kept."""
        key = (rule, message)
        self._remarks[key] = self._remarks.get(key, 0) + 1
        self._places.setdefault(key, f"{self.roster.file} {place}")

    def weapon(self, name: str, place: str) -> str:
        """Our name of a weapon; an unknown one is kept as written, with a remark."""
        known = mapping.weapon(name)
        if known not in mapping.WEAPONS:
            self.remark("unknown_weapon", place, f"weapon {name!r} is not in the CS2 vocabulary; kept as written")
        return known

    def info(self, round_number: int, tick: int, place: str) -> RoundInfo:
        """The round of a row, after checking that the row's clock lies in it."""
        info = self.roster.rounds.get(round_number)
        if info is None:
            raise MalformedRecord(self.roster.file, place, f"round {round_number} is not in the match")
        following = self.next_start[round_number]
        if not info.raw.startTick <= tick < following:
            bounds = f"from {info.raw.startTick} to {following}"
            raise MalformedRecord(
                self.roster.file,
                place,
                f"tick {tick} lies outside round {round_number} ({bounds}): the clock is wrong",
            )
        return info

    def player(self, steam_id: str | None, index: int | None, place: str) -> int:
        """Our index of a player whom the row must name."""
        player = self.roster.who(steam_id, index, place)
        if player is None:
            raise MalformedRecord(self.roster.file, place, "a player is missing")
        return player

    def target(self, player: int, round_number: int) -> dict[str, Any]:
        """The payload keys that tell a target's team and side."""
        side = self.roster.side(player, round_number)
        return {"target_team": self.roster.team(player), "target_side": side.value}

    def dictionary_word(self, words: list[str], index: int, place: str) -> str:
        """The weapon at an index of a dictionary; an index outside is refused."""
        if not 0 <= index < len(words):
            raise MalformedRecord(self.roster.file, place, f"index {index} is not one of {len(words)} weapons")
        return words[index]
