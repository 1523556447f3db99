"""Frames as arrays, before anybody asks which window they are for.

Belongs here: the rows of many frames field by field, made believable; words numbered among themselves.
Does not belong here: seats, and the numbers of words that a window and match keep (``frame_log.py``).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from esports_assets.canonical.frames import FrameRow
from esports_assets.windows.asof import Ints
from esports_assets.windows.streamed.frames import ALIVE, HAS_BOMB, HAS_KIT, In, Singles, believed


class Told(NamedTuple):
    """What frames tell of their players, frame after frame: believed fields (rows, fields of ``In``).

    ``WEAPON`` and ``PLACE`` are positions in ``words``.
    """

    data: Singles
    counts: Ints
    """Rows of each frame."""
    words: Sequence[str | None]


def told_of(frames: Sequence[Mapping[str, FrameRow]]) -> Told:
    """What frames tell, field by field over all players of all of them."""
    rows = [row for frame in frames for row in frame.values()]
    fields = np.empty((len(In), len(rows)), dtype=np.float32)
    with np.errstate(over="ignore"):
        fields[In.X] = [row.x for row in rows]
        fields[In.Y] = [row.y for row in rows]
        fields[In.Z] = [row.z for row in rows]
    fields[In.YAW] = np.array([row.yaw for row in rows], dtype=np.float32)  # None becomes NaN, here and in armour
    fields[In.HEALTH] = [row.health for row in rows]
    fields[In.ARMOR] = np.array([row.armor for row in rows], dtype=np.float32)
    fields[In.FLAGS] = [ALIVE * row.alive + HAS_BOMB * row.has_bomb + HAS_KIT * row.has_kit for row in rows]
    numbers: dict[str | None, int] = {}
    fields[In.WEAPON] = _numbered([row.weapon for row in rows], numbers)
    fields[In.PLACE] = _numbered([row.place for row in rows], numbers)
    return Told(believed(fields.T), np.array([len(frame) for frame in frames], dtype=np.int64), tuple(numbers))


def _numbered(words: Sequence[str | None], numbers: dict[str | None, int]) -> list[int]:
    """The number of each word, in order of their coming; ``numbers`` learns new ones."""
    for word in dict.fromkeys(words):
        numbers.setdefault(word, len(numbers))
    return [numbers[word] for word in words]
