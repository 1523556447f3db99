"""Intervals of a probability from match-bootstrap replicates, and whether they keep what they promise.

Belongs here: the arithmetic that turns a model's log-odds and its replicates' into a band, the measured widening,
coverage.
Does not belong here: learning replicates (``train.py``), the ONNX form (``export.py``, which repeats ``spread``).

Replicates are learned cheaply, so only their spread is used: replicate r says ``z + widen * (z_r - mean of z_r)``
around the model's own log-odds z, then the same calibration. The band is the 5 and 95 % quantile over replicates. A
bootstrap over 40 matches knows nothing of the noise of 40 other matches, so ``widen`` is measured: the smallest
factor (1 or more) with which, out of fold, the mean band of a reliability bin covers the observed frequency of the bin
as often as stated. Whether that holds for matches that did not choose it is measured by choosing it fold by fold.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from esports_assets.models.calibrate import Calibration
from esports_assets.models.families.base import sigmoid
from esports_assets.models.metrics import equal_count_bins

LEVEL = 0.9
BIN_COUNTS = (10, 15, 20, 25, 30)
"""Coverage is averaged over these numbers of bins: one alone moves in steps of 1 / bins."""

_GRID = np.arange(1.0, 6.01, 0.1)


class Coverage(msgspec.Struct, frozen=True):
    """How often bands of reliability bins cover the observed frequency.

    ``raw`` as they came, ``widened`` with the factor ``widen`` that was chosen on the same matches, ``unseen`` with a factor that
    for every fold was chosen on the other folds: what to expect of new matches.
    """

    level: float
    raw: float
    widened: float
    unseen: float
    widen: float
    mean_width: float

    @property
    def reached(self) -> bool:
        """Whether some factor of the grid reached the level."""
        return self.widened >= self.level


def spread(z: np.ndarray, replicates: np.ndarray, widen: float) -> np.ndarray:
    """Log-odds of the replicates around the model's own, [N, R]."""
    return np.asarray(z[:, None] + widen * (replicates - replicates.mean(axis=1, keepdims=True)))


def band(
    z: np.ndarray, replicates: np.ndarray, widen: float, calibration: Calibration
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of the calibrated probability."""
    tail = (1 - LEVEL) / 2
    said = sigmoid(calibration(spread(z, replicates, widen)))
    lo, hi = np.quantile(said, (tail, 1 - tail), axis=1)
    return lo, hi


def covered(y: np.ndarray, p: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> float:
    """Share of reliability bins whose mean band covers the observed frequency, averaged over ``BIN_COUNTS``."""
    shares = []
    for bins in BIN_COUNTS:
        hits = [lo[part].mean() <= y[part].mean() <= hi[part].mean() for part in equal_count_bins(p, bins)]
        shares.append(float(np.mean(hits)))
    return float(np.mean(shares))


def measure_widening(
    y: np.ndarray,
    z: np.ndarray,
    replicates: np.ndarray,
    calibration: Calibration,
    folds: Sequence[np.ndarray],
) -> Coverage:
    """The smallest factor of the grid 1.0, 1.1 ... 6.0 with which out-of-fold bands cover as often as stated, and how often
    they do: on the same rows, and on rows of folds (masks) that did not choose it.
    """
    tail = (1 - LEVEL) / 2
    deviation = replicates - replicates.mean(axis=1, keepdims=True)
    below, above = np.quantile(deviation, (tail, 1 - tail), axis=1)
    p = sigmoid(calibration(z))

    def bounds(factor: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return sigmoid(calibration(z + factor * below)), sigmoid(calibration(z + factor * above))

    def share(factor: float, part: np.ndarray) -> float:
        lo, hi = bounds(factor)
        return covered(y[part], p[part], lo[part], hi[part])

    def smallest(part: np.ndarray) -> float:
        return next((float(f) for f in _GRID if share(float(f), part) >= LEVEL), float(_GRID[-1]))

    everything = np.ones(len(y), dtype=bool)
    widen = smallest(everything)
    lo, hi = bounds(widen)
    others = np.empty(len(y))
    for mask in folds:
        others[mask] = smallest(~mask)
    return Coverage(
        level=LEVEL,
        raw=share(1.0, everything),
        widened=share(widen, everything),
        unseen=covered(y, p, *bounds(others)),
        widen=round(widen, 1),
        mean_width=float((hi - lo).mean()),
    )
