"""What stands around an event: the game and the round it falls into, as GRID's state and our own events tell them.

Belongs here: reading teams, sides and players out of the running state; the facts of a round, folded from its canonical
events (so that taking an event back and folding again restores them).
Does not belong here: building events (``translate.py``) and deciding which events stand (``decoder.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from esports_assets.adapters.grid import mapping, raw
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import MatchHeader, identifier
from esports_assets.canonical.vocabulary import EventType, Side

SOURCE = "grid"


@lru_cache(maxsize=4096)
def our_id(theirs: str | None) -> str | None:
    """A player's or team's id with the source as prefix; None where there is none.

    Raises ValueError for an empty id.
    """
    return None if theirs is None else identifier(SOURCE, theirs)


class Sample(NamedTuple):
    """Where one player is at the instant of an event; ``t`` is None until the round's freeze time has ended."""

    match_id: str
    segment: int
    timestamp: datetime
    t: float | None
    player: str
    team: str
    side: Side
    pos: tuple[float, float, float]
    health: int
    armor: int | None
    money: int | None
    equipment_value: int | None
    alive: bool


class Member(NamedTuple):
    """A player of a match, for the table of players."""

    name: str
    team: str
    team_name: str


@dataclass(slots=True)
class Round:
    """Facts of one round, folded from its events."""

    number: int
    begun: bool = False
    freeze_end: datetime | None = None
    decided: bool = False
    score: dict[str, int] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    last_hit: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def fold(self, events: Iterable[CanonicalEvent]) -> None:
        """Take in events, in order."""
        for event in events:
            if event.event_type is EventType.ROUND_START:
                self.begun = True
                payload = event.payload
                self.score = {payload[f"{s}_team"]: payload[f"{s}_score"] for s in Side if payload.get(f"{s}_team")}
            elif event.event_type is EventType.FREEZE_END:
                self.begun = True
                self.freeze_end = event.timestamp
            elif event.event_type is EventType.ROUND_END:
                self.decided = True
            elif event.event_type in (EventType.KILL, EventType.DEATH) and event.target:
                self.dead.add(event.target)
            elif event.event_type is EventType.SPAWN and event.actor:
                self.dead.discard(event.actor)
            elif event.event_type is EventType.DAMAGE and event.target:
                self.last_hit[event.target] = (event.actor, event.payload.get("hitgroup"))


@dataclass(slots=True)
class Game:
    """One game that stands: GRID's id of it, our header, the rounds seen, who played, and how far it got."""

    key: str
    header: MatchHeader
    rounds: dict[int, Round] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    current: int = 0
    ended: bool = False
    won: dict[int, str] = field(default_factory=dict)
    """Round number to the team that won it."""

    def score(self, team: str, before: int) -> int:
        """Rounds that a team won before a round."""
        return sum(winner == team for number, winner in self.won.items() if number < before)


class Scene:
    """The running state as of just after an event, seen from one game and round."""

    def __init__(self, state: raw.State, game: Game, segment: int) -> None:
        self.state = state
        self.match = game
        self.segment = segment
        self.game = raw.by_id(state.get("games"), game.key)
        self.round_state = raw.round_state(self.game, segment)
        self.round = game.rounds.get(segment)
        self._players = {p["id"]: (t, p) for t, p in raw.players(self.game) if raw.text(p.get("id"))}

    def sides(self) -> dict[Side, str]:
        """Side to (our) team id in this round: the round's own word first, else the game's."""
        found: dict[Side, str] = {}
        for teams in (self.game.get("teams"), self.round_state.get("teams")):
            for team in raw.dicts(teams):
                side = mapping.SIDES.get(raw.text(team.get("side")) or "")
                who = our_id(raw.text(team.get("id")))
                if side and who:
                    found[side] = who
        return found if len(set(found.values())) == len(found) else {}

    def side_of(self, team: str | None) -> Side | None:
        """Side of one of our team ids in this round."""
        return next((side for side, who in self.sides().items() if who == team), None)

    def player(self, theirs: str | None) -> raw.State:
        """A player's game state."""
        return self._players.get(theirs or "", ({}, {}))[1]

    def team_of(self, theirs: str | None) -> str | None:
        """(Our) team id of a player."""
        return our_id(raw.text(self._players.get(theirs or "", ({}, {}))[0].get("id")))

    def team_name(self, team: raw.State) -> str:
        """A team's name; its id where no state has told the name."""
        theirs = raw.text(team.get("id")) or ""
        of_series = raw.by_id(self.state.get("teams"), theirs)
        return raw.text(team.get("name")) or raw.text(of_series.get("name")) or theirs

    def members(self) -> dict[str, Member]:
        """Everyone on a team of the game."""
        found = {}
        for theirs, (team, player) in self._players.items():
            who, team_id = our_id(theirs), our_id(raw.text(team.get("id")))
            if who and team_id:
                found[who] = Member(raw.text(player.get("name")) or theirs, team_id, self.team_name(team))
        return found

    def strangers(self, event: raw.Event, known: dict[str, Member]) -> dict[str, Member]:
        """Actor and target of an event where the state lists no such player but the event says whom they play for."""
        found = {}
        for node in (event.actor, event.target):
            who, team = our_id(node.id or None), raw.text(raw.tree(node.state).get("teamId"))
            team_id = our_id(team)
            if node.type == "player" and who and team_id and who not in known:
                name = raw.text(raw.tree(node.state).get("name")) or raw.text(raw.tree(node.state, "game").get("name"))
                found[who] = Member(name or node.id, team_id, self.team_name({"id": team}))
        return found

    def scores(self) -> dict[str, int]:
        """(Our) team id to rounds won before this round: as at its start, else what was seen won or the state counts."""
        if self.round is not None and self.round.score:
            return self.round.score
        return {
            team: max(self.match.score(team, self.segment), raw.whole(raw_team.get("score"), 0, 100) or 0)
            for raw_team in raw.dicts(self.game.get("teams"))
            if (team := our_id(raw.text(raw_team.get("id"))))
        }

    def samples(self, timestamp: datetime) -> list[Sample]:
        """Positions of all players, where the round is on and the state holds position, side and health."""
        if self.round is None or self.round.decided:
            return []
        side_of = {team: side for side, team in self.sides().items()}
        zero = self.round.freeze_end
        t = None if zero is None else (timestamp - zero).total_seconds()
        found = []
        for theirs, (team, player) in self._players.items():
            who, team_id, pos = our_id(theirs), our_id(raw.text(team.get("id"))), raw.position(player)
            alive = who not in self.round.dead
            health = raw.whole(player.get("currentHealth"), 0, 150) if alive else 0
            if who is None or team_id not in side_of or pos is None or health is None or (alive and health == 0):
                continue
            worth: dict[str, Any] = {
                "armor": raw.whole(player.get("currentArmor"), 0, 100),
                "money": raw.whole(player.get("money"), 0),
                "equipment_value": raw.equipment_value(player),
            }
            place = (pos[0], pos[1], pos[2])
            found.append(
                Sample(
                    self.match.header.match_id, self.segment, timestamp, t, who, team_id, side_of[team_id], place,
                    health=health, alive=alive, **worth,
                )
            )  # fmt: skip
        return found
