"""How good probabilities of several classes are, with intervals from a bootstrap over matches.

Belongs here: macro-F1, log loss, accuracy, top-label calibration error, precision and recall per class, and the paired gain in
macro-F1 between two ways of naming a class.
Does not belong here: two-class metrics (``models/metrics.py``), how a class is decided from probabilities (``decide.py``).

Macro-F1 is the mean over all classes of 2 TP / (2 TP + FP + FN); a class that neither occurs nor is named counts as 0. The
calibration error is over 15 bins of equal count of the largest probability: mean of |share of rows whose largest
probability names the true class - mean of that probability|, weighted by rows (Guo et al. 2017, with adaptive bins).
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.models.metrics import BINS, CLIP, Metric, draws

STEPS = 6000
"""A bin of the calibration error is made of whole steps: of a million rows its edges are right to 0.02 % of them."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class ClassResult(msgspec.Struct, frozen=True):
    """How one class is named: share of right among named, share of named among those that are, and how many rows it has."""

    precision: float
    recall: float
    f1: float
    rows: int


def confusion(y: Ints, named: Ints, classes: int) -> Ints:
    """How often each true class (row) was given each name (column)."""
    return np.bincount(y * classes + named, minlength=classes * classes).reshape(classes, classes)


def macro_f1(table: npt.NDArray[np.number]) -> Floats:
    """Macro-F1 of confusion tables [..., K, K]."""
    hits = np.einsum("...ii->...i", table).astype(np.float64)
    total = table.sum(axis=-1) + table.sum(axis=-2)
    return np.asarray(np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0).mean(axis=-1))


def per_class(y: Ints, named: Ints, names: Sequence[str]) -> dict[str, ClassResult]:
    """Precision, recall and F1 of every class; 0 where there is nothing to divide by."""
    table = confusion(y, named, len(names))
    found = {}
    for k, name in enumerate(names):
        hits, said, true = float(table[k, k]), float(table[:, k].sum()), float(table[k].sum())
        precision, recall = hits / said if said else 0.0, hits / true if true else 0.0
        f1 = 2 * hits / (said + true) if said + true else 0.0
        found[name] = ClassResult(precision, recall, f1, int(true))
    return found


def measure_classes(
    y: Ints, p: Floats, named: Ints, match: Ints, *, replicates: int = 200, seed: int = 0
) -> dict[str, Metric]:
    """macro_f1 and accuracy of the names, log_loss and ece of the probabilities [N, K]; bounds are null for one match."""
    if len(y) == 0:
        raise ValueError("there is no row to measure")
    group = np.unique(match, return_inverse=True)[1]
    n, classes = int(group.max()) + 1, p.shape[1]
    tables = _tables(y, named, group, n, classes)
    rows = np.bincount(group, minlength=n).astype(np.float64)
    loss = -np.log(np.clip(p[np.arange(len(y)), y], CLIP, 1.0))
    sums = np.bincount(group, weights=loss, minlength=n)
    calibration = _TopLabel(y, p, group)
    ones = np.ones((1, n))

    def at(weights: Floats) -> dict[str, Floats]:
        summed = np.tensordot(weights, tables, axes=1)
        total = weights @ rows
        return {
            "macro_f1": macro_f1(summed),
            "accuracy": np.einsum("...ii->...", summed) / total,
            "log_loss": (weights @ sums) / total,
            "ece": np.array([calibration.ece(w) for w in weights]),
        }

    values = {name: float(value[0]) for name, value in at(ones).items()}
    if n < 2 or replicates < 2:
        return {name: Metric(value) for name, value in values.items()}
    spread = at(draws(n, replicates, seed))
    return {name: Metric(value, *_bounds(spread[name])) for name, value in values.items()}


def measure_names(
    y: Ints, named: Ints, match: Ints, classes: int, *, replicates: int = 200, seed: int = 0
) -> dict[str, Metric]:
    """macro_f1 and accuracy of names that come without probabilities; bounds are null for one match."""
    group = np.unique(match, return_inverse=True)[1]
    n = int(group.max()) + 1
    tables = _tables(y, named, group, n, classes)

    def at(weights: Floats) -> dict[str, Floats]:
        summed = np.tensordot(weights, tables, axes=1)
        accuracy = np.einsum("...ii->...", summed) / np.maximum(summed.sum(axis=(-2, -1)), 1)
        return {"macro_f1": macro_f1(summed), "accuracy": accuracy}

    values = {name: float(value[0]) for name, value in at(np.ones((1, n))).items()}
    if n < 2:
        return {name: Metric(value) for name, value in values.items()}
    spread = at(draws(n, replicates, seed))
    return {name: Metric(value, *_bounds(spread[name])) for name, value in values.items()}


def macro_f1_gain(
    y: Ints, named: Ints, reference: Ints, match: Ints, classes: int, *, replicates: int = 500, seed: int = 0
) -> Metric:
    """How much higher the macro-F1 of ``named`` is than that of ``reference`` on the same rows, matches resampled together."""
    group = np.unique(match, return_inverse=True)[1]
    n = int(group.max()) + 1
    ours, theirs = (_tables(y, said, group, n, classes) for said in (named, reference))
    value = float(macro_f1(ours.sum(0)) - macro_f1(theirs.sum(0)))
    if n < 2:
        return Metric(value)
    weights = draws(n, replicates, seed)
    spread = macro_f1(np.tensordot(weights, ours, axes=1)) - macro_f1(np.tensordot(weights, theirs, axes=1))
    return Metric(value, *_bounds(spread))


def _tables(y: Ints, named: Ints, group: Ints, n: int, classes: int) -> Ints:
    """Confusion of every match, [matches, K, K]."""
    cells = (group * classes + y) * classes + named
    return np.bincount(cells, minlength=n * classes * classes).reshape(n, classes, classes)


class _TopLabel:
    """Rows by rising largest probability, counted by match in steps of equal count, so that any weighting of matches is measured
    in one pass over the steps; with up to ``STEPS`` rows each is a step of its own.
    """

    def __init__(self, y: Ints, p: Floats, group: Ints) -> None:
        top = p.max(axis=1)
        order = np.argsort(top, kind="stable")
        steps, matches = min(len(y), STEPS), int(group.max()) + 1
        cells = group[order] * steps + np.arange(len(y)) * steps // len(y)
        gap = ((p.argmax(axis=1) == y) - top)[order]
        self._rows = np.bincount(cells, minlength=matches * steps).reshape(matches, steps)
        self._gaps = np.bincount(cells, weights=gap, minlength=matches * steps).reshape(matches, steps)

    def ece(self, weights: Floats, bins: int = BINS) -> float:
        """Calibration error over bins of equal weight."""
        w, gaps = weights @ self._rows, weights @ self._gaps
        cumulated = np.cumsum(w)
        place = np.minimum(((cumulated - 0.5 * w) / cumulated[-1] * bins).astype(np.int64), bins - 1)
        return float(np.abs(np.bincount(place, weights=gaps, minlength=bins)).sum() / cumulated[-1])


def _bounds(values: Floats) -> tuple[float, float]:
    lo, hi = np.nanquantile(values, (0.025, 0.975))
    return float(lo), float(hi)
