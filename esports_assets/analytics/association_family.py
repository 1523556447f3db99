"""Many tests at once: false discovery rates over one declared family.

Belongs here: adjusted p-values by Benjamini-Hochberg and Benjamini-Yekutieli.
Does not belong here: p-values themselves, and what counts as significant (``association.py``).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def benjamini_hochberg(p: Sequence[float], family: int | None = None) -> Floats:
    """Adjusted p-values (Benjamini and Hochberg 1995): the least level at which each test is a discovery.

    ``family`` is the number of declared tests, by default those given; tests that could not be made count as p = 1. A p-value
    of exactly 0 stays 0. ValueError for a p-value outside 0 ... 1 and for a family smaller than its tests.
    """
    return _step_up(p, family, 1.0)


def benjamini_yekutieli(p: Sequence[float], family: int | None = None) -> Floats:
    """The same for tests that depend on each other in any way (Benjamini and Yekutieli 2001): times 1 + 1/2 + ... + 1/m."""
    count = len(p) if family is None else family
    return _step_up(p, family, float((1.0 / np.arange(1, count + 1)).sum()))


def _step_up(p: Sequence[float], family: int | None, penalty: float) -> Floats:
    values = np.asarray(p, dtype=np.float64)
    count = len(values) if family is None else family
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise ValueError("a p-value is not between 0 and 1")
    if count < len(values):
        raise ValueError(f"a family of {count} cannot hold {len(values)} tests")
    order = np.argsort(values, kind="stable")
    scaled = values[order] * count * penalty / np.arange(1, len(values) + 1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
