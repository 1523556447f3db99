"""The few operations that contrasts are made of, over columns and over single numbers.

Belongs here: one meaning, twice: numpy for tables, plain floats for one row, where numpy's price per operation is what counts.
Does not belong here: what is computed (``contrasts.py``).
"""

import math
from typing import Any, Protocol

import numpy as np

_LARGEST = float(np.finfo(np.float64).max)


class Arithmetic(Protocol):
    """Operations beside ``+ - * /`` and comparisons; NaN means unknown and stays unknown, except in ``known``."""

    def log(self, x: Any, /) -> Any:
        """Natural logarithm."""

    def where(self, condition: Any, then: Any, otherwise: Any, /) -> Any:
        """``then`` where the condition holds."""

    def at_least(self, x: Any, bound: float, /) -> Any:
        """The larger of the two."""

    def at_most(self, x: Any, bound: float, /) -> Any:
        """The smaller of the two."""

    def clip(self, x: Any, low: float, high: float, /) -> Any:
        """Kept within the bounds."""

    def known(self, x: Any, otherwise: float, /) -> Any:
        """``otherwise`` where unknown; infinities become the largest finite number."""


class Columns(Arithmetic):
    """Over arrays."""

    def log(self, x: Any, /) -> Any:
        """Natural logarithm."""
        return np.log(x)

    def where(self, condition: Any, then: Any, otherwise: Any, /) -> Any:
        """``then`` where the condition holds."""
        return np.where(condition, then, otherwise)

    def at_least(self, x: Any, bound: float, /) -> Any:
        """The larger of the two."""
        return np.maximum(x, bound)

    def at_most(self, x: Any, bound: float, /) -> Any:
        """The smaller of the two."""
        return np.minimum(x, bound)

    def clip(self, x: Any, low: float, high: float, /) -> Any:
        """Kept within the bounds."""
        return np.clip(x, low, high)

    def known(self, x: Any, otherwise: float, /) -> Any:
        """``otherwise`` where unknown."""
        return np.nan_to_num(x, nan=otherwise)


class Numbers(Arithmetic):
    """Over single floats; where numpy would answer with infinity or NaN, ``log`` and ``/`` raise."""

    def log(self, x: float, /) -> float:
        """Natural logarithm; ValueError unless x is positive."""
        return math.log(x)

    def where(self, condition: bool, then: float, otherwise: float, /) -> float:
        """``then`` if the condition holds."""
        return then if condition else otherwise

    def at_least(self, x: float, bound: float, /) -> float:
        """The larger of the two."""
        return bound if x < bound else x

    def at_most(self, x: float, bound: float, /) -> float:
        """The smaller of the two."""
        return bound if x > bound else x

    def clip(self, x: float, low: float, high: float, /) -> float:
        """Kept within the bounds."""
        return low if x < low else high if x > high else x

    def known(self, x: float, otherwise: float, /) -> float:
        """``otherwise`` if unknown."""
        return otherwise if x != x else self.clip(x, -_LARGEST, _LARGEST)


COLUMNS: Arithmetic = Columns()
NUMBERS: Arithmetic = Numbers()
