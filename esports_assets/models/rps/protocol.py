"""What a family of the next move owes beside a ``ClassFamily``: it stops early on whole games, continues, and is kept as bytes.

Belongs here: the protocol, the split that early stopping looks at, and the cross-entropy of margins.
Does not belong here: any one family.
"""

import hashlib
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from esports_assets.models.multiclass.families import ClassFamily, ClassFitted
from esports_assets.models.rows import Rows, TooLittleData

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ASIDE = 5
"""One game of so many, whole, is what early stopping looks at and calibration is fitted on."""


class MoveFamily(ClassFamily, Protocol):
    """A way of learning the next move that can go on from what it learned before."""

    def fit(self, rows: Rows, seed: int, start: Any = None) -> ClassFitted:
        """Learn, from ``start`` on where it is given: a model of this family that another set of games taught."""

    def dumped(self, model: Any) -> bytes:
        """All that ``loaded`` needs."""

    def loaded(self, data: bytes, rows: Rows) -> Any:
        """The inverse of ``dumped``."""


def aside(rows: Rows, seed: int) -> Mask:
    """The rows of the games that are left to early stopping and calibration; TooLittleData for fewer than two games.

    Which games these are is a hash of theirs: whoever goes on from an earlier model is stopped by games that it did not see either.
    Where the hash sets none aside, or all, it is the first one by hash.
    """
    present = np.unique(rows.match)
    if len(present) < 2:
        raise TooLittleData(f"early stopping needs two or more games, there are {len(present)}")
    drawn = np.array([_drawn(rows.match_ids[place], seed) for place in present])
    chosen = present[drawn % ASIDE == 0]
    if len(chosen) in (0, len(present)):
        chosen = present[[drawn.argmin()]]
    return np.asarray(np.isin(rows.match, chosen))


def _drawn(match_id: str, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"rps/aside/1|{seed}|{match_id}".encode(), digest_size=6).digest(), "big")


def cross_entropy(margins: Floats, y: npt.NDArray[np.int64]) -> float:
    """Mean log loss of the softmax of margins."""
    shifted = margins - margins.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]).mean())
