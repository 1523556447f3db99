"""Win probability over a match: one series per round up to its outcome, what each event changed, what each player added.

Belongs here: from probabilities of window rows to series, swings and totals; pure. Who is credited with what is the law of
``esports_assets.models.swing``.
Does not belong here: reading the lake or asking a model (``match_reader.py``), HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any

from esports_assets.canonical.decision import DECISIVE

SWING_EVENTS = DECISIVE | {"BOMB_PLANTED"}
"""Events that are told one by one; every event counts in the totals of players."""


@dataclass(frozen=True, slots=True)
class Row:
    """One instant of a round with the probability of the positive class; rows come in the order of the match.

    ``kind`` is second, event (right after it) or outcome (the round is decided, by the event if there is one).
    """

    segment: int
    t_s: float
    kind: str
    probability: float
    lower: float | None = None
    upper: float | None = None
    event_id: str | None = None
    event_type: str | None = None
    actor: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a round ended: who won, why, and the event that decided it (none where time ran out)."""

    winner: str
    reason: str | None
    t_s: float
    event: tuple[str, str, str | None, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Player:
    """A player of the match; ``sides`` holds his side in every round."""

    name: str | None
    team: str | None
    sides: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Swing:
    """What one event changed: probability of the positive class after it, and how much of that is its doing."""

    row: Row
    delta: float

    @property
    def before(self) -> float:
        """The probability without the event."""
        return self.row.probability - self.delta


def with_outcomes(rows: Sequence[Row], ends: Mapping[int, End], positive: str) -> list[Row]:
    """The rows, those of every decided round followed by its outcome: probability 1 or 0."""
    found: list[Row] = []
    for segment, own in groupby(rows, key=lambda row: row.segment):
        found += own
        end = ends.get(segment)
        if end is not None:
            outcome = Row(segment, end.t_s, "outcome", 1.0 if end.winner == positive else 0.0)
            if end.event is not None:
                event_id, event_type, actor, target = end.event
                outcome = replace(outcome, event_id=event_id, event_type=event_type, actor=actor, target=target)
            found.append(outcome)
    return found


def rounds(
    rows: Sequence[Row], ends: Mapping[int, End], players: Mapping[str, Player], kind: str, key: str
) -> list[dict[str, Any]]:
    """The series of each round, of the rows of one kind and the outcome; ``key`` names the probability."""
    found = []
    for segment, group in groupby(rows, key=lambda row: row.segment):
        own = list(group)
        end = ends.get(segment)
        total = own[-1].probability - own[0].probability
        by_players = sum(b.probability - a.probability for a, b in pairwise(own) if _credited(b, players))
        found.append(
            {
                "segment": segment,
                "winner": None if end is None else end.winner,
                "end_reason": None if end is None else end.reason,
                "points": [
                    {"t_s": row.t_s, key: row.probability, "lo": row.lower, "hi": row.upper}
                    for row in own
                    if row.kind in (kind, "outcome")
                ],
                "change": {"total": total, "by_players": by_players, "by_time": total - by_players},
            }
        )
    return found


def swings(rows: Sequence[Row]) -> list[Swing]:
    """What every swing event changed; an event without an earlier row in its round has nothing to compare with.

    A kill includes the damage that killed: the damage of that instant by the same player to the same player.
    """
    found = []
    lethal: dict[tuple[int, float, str | None, str | None], float] = {}
    for before, row in pairwise(rows):
        if row.segment != before.segment or row.event_type is None:
            continue
        delta = row.probability - before.probability
        blow = (row.segment, row.t_s, row.actor, row.target)
        if row.event_type == "DAMAGE":
            lethal[blow] = lethal.get(blow, 0.0) + delta
        elif row.event_type in SWING_EVENTS:
            if row.event_type in ("KILL", "DEATH"):
                delta += lethal.pop(blow, 0.0)
            found.append(Swing(row, delta))
    return found


def swing_json(swing: Swing) -> dict[str, Any]:
    """A swing as the API tells it."""
    row = swing.row
    return {
        "segment": row.segment,
        "t_s": row.t_s,
        "event_id": row.event_id,
        "event_type": row.event_type,
        "actor": row.actor,
        "target": row.target,
        "before": swing.before,
        "after": row.probability,
        "delta": swing.delta,
    }


def totals(rows: Sequence[Row], players: Mapping[str, Player], positive: str) -> list[dict[str, Any]]:
    """Win probability that each player added to his own side, best first.

    ``added`` is what his own events changed, ``lost`` what was done to him; those of one side minus those of the other add
    up to the rounds' ``by_players``. Nobody is credited for an explosion: the plant was.
    """
    import pyarrow as pa

    from esports_assets.models.swing import player_swings

    table = pa.table(
        {
            "match_id": pa.array([""] * len(rows), pa.string()),
            "segment": pa.array([row.segment for row in rows], pa.int64()),
            "row_kind": pa.array(["second" if row.kind == "second" else "event" for row in rows], pa.string()),
            "event_type": pa.array([row.event_type for row in rows], pa.string()),
            "actor": pa.array([row.actor if _credited(row, players) else None for row in rows], pa.string()),
            "target": pa.array([row.target if _sided(row.target, row, players) else None for row in rows], pa.string()),
            "p": pa.array([row.probability for row in rows], pa.float64()),
        }
    )
    sides = {("", segment, name): side for name, player in players.items() for segment, side in player.sides.items()}
    return [
        {
            "player": total.player,
            "name": players[total.player].name,
            "team": players[total.player].team,
            "added": total.added,
            "lost": -total.conceded,
            "net": total.net,
            "events": total.acted + total.suffered,
        }
        for total in player_swings(table, sides, "p", positive)
    ]


def _credited(row: Row, players: Mapping[str, Player]) -> bool:
    return row.event_type not in (None, "BOMB_EXPLODED") and _sided(row.actor, row, players)


def _sided(name: str | None, row: Row, players: Mapping[str, Player]) -> bool:
    return name is not None and name in players and row.segment in players[name].sides
