"""Win probability added: what each event did to the chance of the side that acted, and what each player did in total.

Belongs here: arithmetic on rows that carry a probability. Does not belong here: predicting it; anything heavy (the slim
service imports this).

A row's swing is its probability minus that of the row before it in the same round. The swing of an event row belongs to the
event; that of a 1 Hz row to the clock and to movement. Swings of a round add up to its last probability minus its first.
Of an event's swing its actor gets the part in favour of his side (a loss counts against him); the target of a kill or of
damage gets the same with the opposite sign.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

TAKEN_FROM_TARGET = ("KILL", "DAMAGE")
"""Events whose target is charged with what the actor gained."""


@dataclass(frozen=True, slots=True)
class PlayerSwing:
    """A player's total over the rows: gained by acting, lost as a target, and how many events of each."""

    player: str
    added: float
    conceded: float
    acted: int
    suffered: int

    @property
    def net(self) -> float:
        """Added minus conceded."""
        return self.added - self.conceded


def swings(table: pa.Table, probability: str = "p_ct") -> np.ndarray:
    """Change of the positive side's probability at every row; 0 at the first row of each round.

    ``table`` holds match_id, segment and the probability, in the order of the rows of a match.
    """
    p: np.ndarray = table[probability].to_numpy().astype(np.float64)
    if len(p) == 0:
        return p
    match = _codes(table["match_id"])
    segment = table["segment"].to_numpy()
    same = np.r_[False, (match[1:] == match[:-1]) & (segment[1:] == segment[:-1])]
    return np.where(same, p - np.r_[p[0], p[:-1]], 0.0)


def player_swings(
    table: pa.Table, sides: Mapping[tuple[str, int, str], str], probability: str = "p_ct", positive: str = "ct"
) -> list[PlayerSwing]:
    """Totals per player, best net first; ``sides`` tells the side of (match id, segment, player).

    An actor whose side is unknown is a KeyError: a swing without a side has no sign.
    """
    change = swings(table, probability)
    totals: dict[str, list[float]] = {}
    names = ("match_id", "segment", "row_kind", "event_type", "actor", "target")
    columns = [table[name].to_pylist() for name in names]
    for i, (match, segment, kind, event, actor, target) in enumerate(zip(*columns, strict=True)):
        if kind != "event" or actor is None:
            continue
        gain = float(change[i]) if sides[match, segment, actor] == positive else -float(change[i])
        own = totals.setdefault(actor, [0.0, 0.0, 0, 0])
        own[0] += gain
        own[2] += 1
        if target is not None and target != actor and event in TAKEN_FROM_TARGET:
            other = totals.setdefault(target, [0.0, 0.0, 0, 0])
            other[1] += gain
            other[3] += 1
    found = [PlayerSwing(name, t[0], t[1], int(t[2]), int(t[3])) for name, t in totals.items()]
    return sorted(found, key=lambda s: (-s.net, s.player))


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    plain = column.cast(pa.string()).combine_chunks()
    codes: np.ndarray = plain.dictionary_encode().indices.to_numpy()
    return codes
