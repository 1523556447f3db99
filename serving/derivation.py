"""Features that follow from others: a client tells the state, the window's own definition computes the rest.

Belongs here: looking up what a window derives, and what a window's fingerprint is in this program.
Does not belong here: how anything is computed (``esports_assets.windows``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Derivation:
    """``compute`` takes a column for every name in ``base`` (NaN = unknown) and adds those in ``derived``.

    ``compute_row`` does the same with plain floats.
    """

    base: tuple[str, ...]
    derived: frozenset[str]
    compute: Callable[[Mapping[str, Column]], Mapping[str, Column]]
    compute_row: Callable[[Mapping[str, float]], Mapping[str, float]]


def derivation_of(window: str) -> Derivation:
    """What a window derives; LookupError for a window that this program does not know."""
    from esports_assets.windows.contrasts import add_contrasts, add_contrasts_to_row
    from esports_assets.windows.registry import DERIVED, window_spec

    derived = DERIVED.get(window, frozenset())
    base = tuple(name for name in window_spec(window).feature_names if name not in derived)
    return Derivation(base, derived, add_contrasts, add_contrasts_to_row)


def window_fingerprint(window: str) -> str:
    """The fingerprint that this program computes for a window; LookupError for a window that it does not know."""
    from esports_assets.windows.registry import window_spec

    return window_spec(window).fingerprint
