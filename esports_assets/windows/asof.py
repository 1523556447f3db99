"""Step functions over a round: what was the latest value before an instant.

Belongs here: the one rule of time that all windows share. Events of a round stand in order; an instant is told by how many of
them have happened (``applied``) and its time. A second's instant has seen every event with ``t`` up to it; the row of an event
has seen that event and all before it.
Does not belong here: what the values mean.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]


class Steps:
    """Changes of one value per player, by order of events: ``values[applied, player]`` as of each instant."""

    def __init__(self, initial: Sequence[float] | Floats, players: int) -> None:
        self._initial = np.broadcast_to(np.asarray(initial, dtype=np.float64), (players,)).copy()
        self._order: list[int] = []
        self._player: list[int] = []
        self._value: list[float] = []

    def set(self, order: int, player: int, value: float) -> None:
        """From the event at this position on, the player's value is this. Call in order."""
        self._order.append(order)
        self._player.append(player)
        self._value.append(value)

    def add(self, order: int, player: int, change: float) -> None:
        """From the event at this position on, the player's value differs by this from what it was."""
        latest = self._initial[player]
        for k in range(len(self._order) - 1, -1, -1):
            if self._player[k] == player:
                latest = self._value[k]
                break
        self.set(order, player, latest + change)

    def as_of(self, applied: Ints) -> Floats:
        """Values per instant and player, shape (instants, players)."""
        out = np.broadcast_to(self._initial, (len(applied), len(self._initial))).copy()
        order = np.asarray(self._order, dtype=np.int64)
        players = np.asarray(self._player, dtype=np.int64)
        values = np.asarray(self._value, dtype=np.float64)
        for player in np.unique(players):
            mine = players == player
            last = np.searchsorted(order[mine], applied, side="left") - 1
            known = last >= 0
            out[known, player] = values[mine][last[known]]
        return out


class Timeline:
    """Changes of one thing of the round (the bomb's place, who holds it), as of each instant."""

    def __init__(self, initial: tuple[float, ...]) -> None:
        self._rows: list[tuple[float, ...]] = [initial]
        self._order: list[int] = [-1]

    def set(self, order: int, *values: float) -> None:
        """From the event at this position on, the values are these. Call in order."""
        self._order.append(order)
        self._rows.append(values)

    def as_of(self, applied: Ints) -> Floats:
        """Values per instant, shape (instants, values)."""
        last = np.searchsorted(np.asarray(self._order), applied, side="left") - 1
        return np.asarray(self._rows, dtype=np.float64)[np.maximum(last, 0)]


def recent(
    times: Sequence[float], amounts: Sequence[float], orders: Sequence[int], t: Floats, applied: Ints, within_s: float
) -> Floats:
    """Sum of the amounts of what happened in the last ``within_s`` seconds, per instant."""
    if not len(times):
        return np.zeros(len(t))
    moment = np.asarray(times)
    happened = np.asarray(orders)[None, :] < applied[:, None]
    fresh = happened & (moment[None, :] > t[:, None] - within_s)
    return np.asarray((fresh * np.asarray(amounts)[None, :]).sum(axis=1), dtype=np.float64)


def latest_frame(frame_t: Floats, t: Floats) -> Ints:
    """Index of the latest frame at or before each instant; -1 where there is none yet."""
    return np.asarray(np.searchsorted(frame_t, t, side="right") - 1, dtype=np.int64)


def forward_fill(codes: Any) -> Ints:
    """Carry the last non-negative code of each column forward; -1 before the first."""
    codes = np.asarray(codes, dtype=np.int64)
    row = np.where(codes >= 0, np.arange(len(codes))[:, None], -1)
    last = np.maximum.accumulate(row, axis=0)
    filled = np.take_along_axis(codes, np.maximum(last, 0), axis=0)
    return np.where(last >= 0, filled, -1)
