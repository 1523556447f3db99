"""A model of the next move with one more per fold, each going on from its own predecessor.

Belongs here: learning the model and those of the folds, their margins out of fold, and their bytes.
Does not belong here: families, which games there are, registering.

Going on from a model that saw all earlier games would spoil every later cross-validation. So each fold has a model of its own that
never saw a game of that fold, in no earlier training either: folds are a hash of the game (``training_rows.folds_of``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.models.multiclass.families import ClassFitted
from esports_assets.models.multiclass.learning import ClassOutOfFold
from esports_assets.models.rows import Rows, TooLittleData
from esports_assets.models.rps.protocol import MoveFamily

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The model of all games, and by fold the one that never saw it."""

    main: ClassFitted
    folds: tuple[ClassFitted, ...]

    def out_of_fold(self, rows: Rows, fold: Ints) -> ClassOutOfFold:
        """Every row's margins by the model that never saw its fold."""
        z = np.empty((len(rows), len(rows.classes)), dtype=np.float32)
        for number, model in enumerate(self.folds):
            here = fold == number
            if here.any():
                z[here] = model.margins(rows.x[here])
        return ClassOutOfFold(z, fold)


class _Stored(msgspec.Struct, frozen=True):
    main: bytes
    folds: list[bytes]


def learn_lineage(family: MoveFamily, rows: Rows, fold: Ints, folds: int, seed: int, start: Lineage | None) -> Lineage:
    """Learn all of them, from ``start`` on where it is given; TooLittleData where a fold has no game."""
    empty = [number for number in range(folds) if not (fold == number).any()]
    if empty:
        raise TooLittleData(f"each of {folds} folds needs a game; there is none in fold {empty[0]}: play more games")
    if start is not None and len(start.folds) != folds:
        raise ValueError(f"the earlier model has {len(start.folds)} folds instead of {folds}")
    before: Sequence[Any] = (None,) * folds if start is None else start.folds
    return Lineage(
        family.fit(rows, seed, None if start is None else start.main),
        tuple(family.fit(rows.take(fold != k), seed + 1 + k, model) for k, model in enumerate(before)),
    )


def lineage_to_bytes(family: MoveFamily, lineage: Lineage) -> bytes:
    """All that is needed to go on."""
    parts = _Stored(family.dumped(lineage.main), [family.dumped(model) for model in lineage.folds])
    return msgspec.msgpack.encode(parts)


def lineage_from_bytes(family: MoveFamily, data: bytes, rows: Rows) -> Lineage:
    """The inverse of ``lineage_to_bytes``; ``rows`` tell the inputs."""
    told = msgspec.msgpack.decode(data, type=_Stored)
    return Lineage(family.loaded(told.main, rows), tuple(family.loaded(part, rows) for part in told.folds))
