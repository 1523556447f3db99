"""What every row of a demo goes through: its round, its players, its weapon, and the remarks about it.

Belongs here: looking things up with a refusal that names the row, refusing a row without losing the others, and findings that
are counted instead of repeated.
Does not belong here: what a kind of row becomes (``frame.py``, ``deeds.py``).
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeVar

from esports_assets.adapters.base import MalformedRecord, RefusalLog
from esports_assets.adapters.cs2_demo import mapping
from esports_assets.adapters.cs2_demo.opening import Opened
from esports_assets.adapters.cs2_demo.roster import Roster, RoundInfo
from esports_assets.canonical.match import Finding
from esports_assets.canonical.vocabulary import EventType, Side

LAST_ROUND_TAIL_S = 120.0
"""How long after the last round's end its rows may still come, in seconds."""


class Happening(NamedTuple):
    """One event on its way to a row; ``actor`` and ``target`` are player indexes, ``section`` and ``row`` its place."""

    tick: int
    type: EventType
    segment: int
    section: str
    row: int
    payload: dict[str, Any]
    actor: int | None = None
    target: int | None = None
    team: str | None = None
    side: Side | None = None


class OfRound(Protocol):
    """A row that says which round it belongs to."""

    @property
    def roundNumber(self) -> int: ...


Row = TypeVar("Row", bound=OfRound)


class RowReader:
    """Checks rows against the roster, refuses those that cannot be true, and keeps the remarks."""

    def __init__(self, roster: Roster, opened: Opened, log: RefusalLog) -> None:
        self.roster = roster
        self.opened = opened
        self.log = log
        self._remarks: dict[tuple[str, str], int] = {}
        self._places: dict[tuple[str, str], str] = {}
        starts = [info.raw.startTick for info in roster.rounds.values()]
        last = list(roster.rounds.values())[-1].raw
        after_all = last.endTick + int(LAST_ROUND_TAIL_S * roster.ticks_per_s)
        self.next_start = dict(zip(roster.rounds, [*starts[1:], after_all], strict=True))

    def each(
        self, section: str, rows: Iterable[tuple[int, Row]], build: Callable[[int, Row], Iterable[Happening]]
    ) -> list[Happening]:
        """What the numbered rows of a section become; a row that cannot be true is refused alone."""
        made: list[Happening] = []
        left_out = self.roster.left_out
        for number, row in rows:
            if left_out and row.roundNumber in left_out:
                self.remark_left_out(row.roundNumber, f"{section}[{number}]")
                continue
            try:
                made += build(number, row)
            except MalformedRecord as error:
                self.log.add(error)
        return made

    def remark_left_out(self, round_number: int, place: str) -> None:
        """A row that would be sound belongs to a round that was refused."""
        message = f"round {round_number} was refused, so its rows are left out with it"
        self.remark("round_left_out", place, message)

    def findings(self) -> tuple[Finding, ...]:
        """One finding per rule and subject, with how often."""
        return tuple(
            Finding(rule, self._places[rule, message], f"{message} ({count} times)" if count > 1 else message)
            for (rule, message), count in self._remarks.items()
        )

    def remark(self, rule: str, place: str, message: str) -> None:
        """Count something that a person should know; the first place is kept."""
        key = (rule, message)
        self._remarks[key] = self._remarks.get(key, 0) + 1
        self._places.setdefault(key, f"{self.roster.file} {place}")

    def remark_ignored(self) -> None:
        """Name what the file holds and the language has no place for."""
        parts = list(self.opened.ignored)
        if any(bytes(entry.projectiles) for entry in self.opened.demo.replay.rounds):
            parts.append("replay.rounds[].projectiles")
        for part in parts:
            message = f"{part} has no place in the language and is not read; it stays in the raw file"
            self.remark("ignored_section", part, message)

    def weapon(self, name: str, place: str) -> str:
        """Our name of a weapon; an unknown one is kept as written, with a remark."""
        known = mapping.weapon(name)
        if known not in mapping.WEAPONS:
            self.remark("unknown_weapon", place, f"weapon {name!r} is not in the CS2 vocabulary; kept as written")
        return known

    def round_of(self, round_number: int, place: str) -> RoundInfo:
        """The round of a row."""
        info = self.roster.rounds.get(round_number)
        if info is None:
            raise MalformedRecord(self.roster.file, place, f"round {round_number} is not in the match")
        return info

    def check_tick(self, round_number: int, tick: int, place: str) -> None:
        """Refuse a row whose clock does not lie in its round."""
        info = self.round_of(round_number, place)
        following = self.next_start[round_number]
        if not info.raw.startTick <= tick < following:
            bounds = f"from {info.raw.startTick} to {following}"
            raise MalformedRecord(
                self.roster.file,
                place,
                f"tick {tick} lies outside round {round_number} ({bounds}): the clock is wrong",
            )

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
