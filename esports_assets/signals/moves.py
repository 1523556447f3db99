"""What every event did to the chance of the CT side, and who is credited with it: the law of ``models/swing.py``, row by row.

Belongs here: moves of one round, the move of its decision, credits, and a move in words.
Does not belong here: predicting the probability, and what is said about moves (``shift.py``, ``star.py``).

A row's move is its probability minus that of the row before it in the round; that of a row of a second belongs to the clock and
to movement. The decision moves the rest of the way to 1 or 0 and belongs to the event that decided. The actor of an event gets
the part in favour of his side, the target of a kill or of damage the same with the opposite sign. Nobody is credited for an
explosion: the plant was.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.canonical.decision import DECIDED_BY, DECISIVE
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.models.swing import TAKEN_FROM_TARGET
from esports_assets.windows.fill import RoundFacts
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.state_event import StateEvent

NOBODY = -1
_DEADLY = (EventType.KILL, EventType.DEATH)


class Move(msgspec.Struct, frozen=True, array_like=True):
    """What one row changed of the chance of CT; players by position in the lineup, ``NOBODY`` for none."""

    t: float
    delta: float
    event_id: str | None = None
    kind: EventType | None = None
    actor: int = NOBODY
    target: int = NOBODY


def moves_of(rows: StateRows, p_ct: npt.NDArray[np.float64], before: float | None) -> list[Move]:
    """A move for every row; ``before`` is the probability of the round's row before the first, None where there is none."""
    first = p_ct[0] if before is None else before
    deltas = np.diff(p_ct, prepend=first).tolist()
    return [_move(t, delta, event) for t, delta, event in zip(rows.t.tolist(), deltas, rows.events, strict=True)]


def decision_of(over: RoundOver, before: float) -> Move:
    """The move of a round's decision; ValueError for a round that nobody has decided."""
    if over.winner is None or over.facts.duration_s is None:
        raise ValueError(f"round {over.segment} is not decided")
    outcome = 1.0 if over.winner is Side.CT else 0.0
    kinds = DECIDED_BY.get(over.reason or "", DECISIVE)
    deciding = [event for event in over.last if event.type.value in kinds]
    return _move(over.facts.duration_s, outcome - before, deciding[-1] if deciding else None)


def credits_of(move: Move, facts: RoundFacts) -> Iterator[tuple[int, float, bool]]:
    """Player, change in favour of his side, and whether he acted (or it was done to him)."""
    if move.kind is None or move.kind is EventType.BOMB_EXPLODED or move.actor == NOBODY:
        return
    gain = move.delta if facts.ct[move.actor] else -move.delta
    yield move.actor, gain, True
    if move.target not in (NOBODY, move.actor) and move.kind.value in TAKEN_FROM_TARGET:
        yield move.target, -gain, False


def merged(moves: Sequence[Move]) -> list[Move]:
    """The moves of events, a kill with the damage that killed: that of the same instant by the same player to the same player."""
    lethal: dict[tuple[float, int, int], float] = {}
    found = []
    deadly = {_blow(move) for move in moves if move.kind in _DEADLY}
    for move in moves:
        blow = _blow(move)
        if move.kind is EventType.DAMAGE and blow in deadly:
            lethal[blow] = lethal.get(blow, 0.0) + move.delta
        elif move.kind in _DEADLY:
            found.append(msgspec.structs.replace(move, delta=move.delta + lethal.pop(blow, 0.0)))
        elif move.kind is not None:
            found.append(move)
    return found


def _blow(move: Move) -> tuple[float, int, int]:
    return move.t, move.actor, move.target


def told(move: Move, players: Sequence[str]) -> str:
    """A move in words."""
    words = "the clock and movement" if move.kind is None else _WORDS[move.kind]
    actor, target = (players[seat] if seat != NOBODY else "nobody" for seat in (move.actor, move.target))
    return f"{words.format(actor=actor, target=target)} at {move.t:.1f} s"


_WORDS = {
    EventType.KILL: "{actor} killed {target}",
    EventType.DEATH: "{target} died",
    EventType.DAMAGE: "{actor} hurt {target}",
    EventType.BLIND: "{actor} blinded {target}",
    EventType.UTILITY: "{actor} threw a grenade",
    EventType.UTILITY_EFFECT: "a grenade took effect",
    EventType.BOMB_PICKED_UP: "{actor} took the bomb",
    EventType.BOMB_DROPPED: "{actor} dropped the bomb",
    EventType.BOMB_PLANT_BEGIN: "{actor} began to plant",
    EventType.BOMB_PLANTED: "{actor} planted the bomb",
    EventType.BOMB_DEFUSE_BEGIN: "{actor} began to defuse",
    EventType.BOMB_DEFUSED: "{actor} defused the bomb",
    EventType.BOMB_EXPLODED: "the bomb exploded",
}


def _move(t: float, delta: float, event: StateEvent | None) -> Move:
    if event is None:
        return Move(t, delta)
    return Move(t, delta, event.event_id, event.type, event.actor, event.target)
