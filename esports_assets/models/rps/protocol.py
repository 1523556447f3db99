"""What a family of the next move owes beside a ``ClassFamily``: it stops early on whole games, continues, and is kept as bytes.

Belongs here: the protocol, the split that early stopping looks at, and the cross-entropy of margins.
Does not belong here: any one family.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from esports_assets.models.multiclass.families import ClassFamily, ClassFitted
from esports_assets.models.rows import Rows, TooLittleData

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ASIDE = 5
"""Every fifth part of the games, whole, is what early stopping looks at and calibration is fitted on."""


class MoveFamily(ClassFamily, Protocol):
    """A way of learning the next move that can go on from what it learned before."""

    def fit(self, rows: Rows, seed: int, start: Any = None) -> ClassFitted:
        """Learn, from ``start`` on where it is given: a model of this family that another set of games taught."""

    def dumped(self, model: Any) -> bytes:
        """All that ``loaded`` needs."""

    def loaded(self, data: bytes, rows: Rows) -> Any:
        """The inverse of ``dumped``."""


def aside(rows: Rows, seed: int) -> Mask:
    """The rows of the games that are left to early stopping and calibration; TooLittleData for fewer than two games."""
    if rows.n_matches < 2:
        raise TooLittleData(f"early stopping needs two or more games, there are {rows.n_matches}")
    return rows.folds(min(ASIDE, rows.n_matches), seed)[0]


def cross_entropy(margins: Floats, y: npt.NDArray[np.int64]) -> float:
    """Mean log loss of the softmax of margins."""
    shifted = margins - margins.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]).mean())
