"""Where the players of a round are, frame by frame: one array, the same from the tracking table and from the stream.

Belongs here: the layout, and reading the tracking table into it. A player whom a frame does not tell is NaN in it.
Does not belong here: what is made of the frames (``motion.py``), and the stream's message (``message.py``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.canonical.schema import TRACKING
from esports_assets.canonical.space import WORLD_LIMIT_U

Singles = npt.NDArray[np.float32]


class In(IntEnum):
    """Fields of a player in a frame; ``FLAGS`` is NaN where the frame does not tell the player, negative where wrongly."""

    X = 0
    Y = 1
    Z = 2
    YAW = 3
    HEALTH = 4
    ARMOR = 5
    FLAGS = 6
    WEAPON = 7
    PLACE = 8


ALIVE, HAS_BOMB, HAS_KIT = 1, 2, 4
"""Bits of ``FLAGS``."""

MOST_HEALTH, MOST_ARMOR = TRACKING.column("health").maximum or 0.0, TRACKING.column("armor").maximum or 0.0
_NOT_BELIEVED = -1.0
_TURNS = 1e5
"""A view of more degrees is no angle."""
_NUMBERS = {In.X: "x_u", In.Y: "y_u", In.Z: "z_u", In.YAW: "yaw_deg", In.HEALTH: "health", In.ARMOR: "armor"}


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of a round in order of time: ``t`` (frames), ``data`` (frames, players, fields).

    ``WEAPON`` and ``PLACE`` are positions in ``words``, NaN where unknown.
    """

    t: npt.NDArray[np.float64]
    data: Singles
    words: Sequence[str]

    @classmethod
    def none(cls, players: int) -> "Frames":
        """No frame at all."""
        return cls(np.empty(0), np.empty((0, players, len(In)), dtype=np.float32), ())


def believed(data: Singles) -> Singles:
    """The same frames, in place: who is told outside the world counts as not told, a number that cannot be as unknown."""
    outside = ~(np.abs(data[..., : In.Z + 1]) <= WORLD_LIMIT_U).all(axis=-1)
    data[..., In.FLAGS][outside & ~np.isnan(data[..., In.FLAGS])] = _NOT_BELIEVED
    for field, low, high in ((In.YAW, -_TURNS, _TURNS), (In.HEALTH, 0.0, MOST_HEALTH), (In.ARMOR, 0.0, MOST_ARMOR)):
        column = data[..., field]
        column[~((column >= low) & (column <= high))] = np.nan
    return data


def split_tracking(table: pa.Table, players: Sequence[str]) -> dict[int, Frames]:
    """The tracking table of a match by round; rows of players that are not asked for are left out."""
    words: list[str] = []
    rows = np.empty((table.num_rows, len(In)), dtype=np.float32)
    for field, name in _NUMBERS.items():
        rows[:, field] = _numbers(table[name])
    rows[:, In.FLAGS] = sum(
        bit * table[name].to_numpy().astype(np.float32)
        for bit, name in ((ALIVE, "alive"), (HAS_BOMB, "has_bomb"), (HAS_KIT, "has_kit"))
    )
    for field, name in ((In.WEAPON, "weapon"), (In.PLACE, "place")):
        codes, values = _coded(table[name])
        rows[:, field] = np.where(codes >= 0, codes + len(words), np.nan)
        words += values
    who = _seats(table["player"], {player: i for i, player in enumerate(players)})
    return {
        segment: _laid_out(moments, rows[at], who[at], len(players), words)
        for segment, moments, at in _rounds(table, who)
    }


def _rounds(table: pa.Table, who: npt.NDArray[np.int64]) -> Iterator[tuple[int, Any, npt.NDArray[np.int64]]]:
    """Each round with its rows and their times."""
    segment = table["segment"].to_numpy()
    moments = table["t_s"].to_numpy().astype(np.float64)
    known = np.flatnonzero(who >= 0)
    known = known[np.argsort(segment[known], kind="stable")]
    numbers, starts = np.unique(segment[known], return_index=True)
    for number, begin, end in zip(numbers, starts, np.append(starts, len(known))[1:], strict=True):
        at = known[begin:end]
        yield int(number), moments[at], at


def _laid_out(moments: Any, rows: Singles, who: npt.NDArray[np.int64], players: int, words: Sequence[str]) -> Frames:
    t, frame = np.unique(moments, return_inverse=True)
    data = np.full((len(t), players, len(In)), np.nan, dtype=np.float32)
    data[frame, who] = rows
    return Frames(t, believed(data), words)


def _numbers(column: pa.ChunkedArray) -> Any:
    """Values as floats, null as NaN."""
    return column.cast(pa.float64()).to_numpy()


def _coded(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[str]]:
    array = column.combine_chunks()
    array = array if isinstance(array, pa.DictionaryArray) else pa.concat_arrays(array.chunks)
    return array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), array.dictionary.to_pylist()


def _seats(column: pa.ChunkedArray, index: Mapping[str, int]) -> npt.NDArray[np.int64]:
    codes, values = _coded(column)
    mapping = np.array([*(index.get(value, -1) for value in values), -1], dtype=np.int64)
    return mapping[codes]
