"""From probabilities of several classes to one name, or to silence.

Belongs here: the rule, choosing its weights for macro-F1 and its abstain band from the risk-coverage curve.
Does not belong here: the probabilities themselves, which no weight ever touches.

The name is that of the class with the largest ``p_k * w_k``. Weights above 1 name rare classes more often than the largest
probability would: that costs accuracy and gains macro-F1. They are found one class at a time: with the others fixed, the rows
that would turn to class k as its weight grows have an order, and one pass over it finds the best place to stop.

The abstain band: rows whose largest calibrated probability lies below ``abstain_below`` get no name in a signal. The threshold
is where the risk-coverage curve (share of wrong names among the rows above a threshold, against the share of rows above
it) bends: the coverage that lies farthest below the line between risk at least coverage and risk at full coverage, searched
between ``LEAST_COVERAGE`` and 1.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SWEEPS = 3
LARGEST_WEIGHT = 50.0
LEAST_COVERAGE = 0.5
_GRID = 20


class RiskPoint(msgspec.Struct, frozen=True):
    """A point of the risk-coverage curve."""

    threshold: float
    coverage: float
    risk: float


class DecisionRule(msgspec.Struct, frozen=True):
    """Weights in the order of the classes, and the largest probability below which there is no name."""

    weights: tuple[float, ...]
    abstain_below: float = 0.0
    coverage: float = 1.0
    risk: float = 0.0
    full_risk: float = 0.0

    def name(self, p: Floats) -> Ints:
        """The class of every row, whether it would be told or not."""
        return np.asarray((p * np.asarray(self.weights)).argmax(axis=1), dtype=np.int64)

    def speaks(self, p: Floats) -> npt.NDArray[np.bool_]:
        """Whether the name of a row is told."""
        return np.asarray(p.max(axis=1) >= self.abstain_below)


def fit_rule(p: Floats, y: Ints) -> DecisionRule:
    """Weights for macro-F1 and the abstain band; ``p`` must be calibrated out of fold."""
    weights = fit_weights(p, y)
    rule = DecisionRule(tuple(float(w) for w in weights))
    curve = risk_coverage(p, y, rule.name(p))
    chosen = knee(curve)
    return DecisionRule(rule.weights, chosen.threshold, chosen.coverage, chosen.risk, curve[0].risk)


def fit_weights(p: Floats, y: Ints) -> Floats:
    """Coordinate ascent on macro-F1; the mean weight of the classes is 1. One that never occurs has none: naming it would
    only spare the others doubtful rows.
    """
    weights = (np.bincount(y, minlength=p.shape[1]) > 0) * 1.0
    for _ in range(SWEEPS):
        before = weights.copy()
        for k in np.flatnonzero(np.bincount(y, minlength=p.shape[1])):
            weights[k] = _best_weight(p * weights, p[:, k], y, int(k))
        if np.allclose(before, weights):
            break
    return np.asarray(weights / weights.mean())


def _best_weight(scores: Floats, own: Floats, y: Ints, k: int) -> float:
    """The weight of class k that is best while the others keep theirs; 0 where it is best never named."""
    classes = scores.shape[1]
    others = scores.copy()
    others[:, k] = -1.0
    other = others.argmax(axis=1)
    ratio = others[np.arange(len(y)), other] / np.maximum(own, 1e-12)
    order = np.argsort(ratio, kind="stable")
    ratio, moving, truth = ratio[order], other[order], y[order]
    total = np.bincount(y, minlength=classes).astype(np.float64)
    f1 = np.zeros(len(y) + 1)
    taken = np.arange(len(y) + 1, dtype=np.float64)
    for c in range(classes):
        if c == k:
            said, hits = taken, np.concatenate([[0.0], np.cumsum(truth == k)])
        else:
            named = moving == c
            right = named & (truth == c)
            said = named.sum() - np.concatenate([[0.0], np.cumsum(named)])
            hits = right.sum() - np.concatenate([[0.0], np.cumsum(right)])
        f1 += 2 * hits / np.maximum(said + total[c], 1e-12)
    allowed = np.searchsorted(ratio, LARGEST_WEIGHT)
    stop = int(np.argmax(f1[: allowed + 1]))
    if stop == 0:
        return 0.0
    following = ratio[stop] if stop < len(ratio) else ratio[stop - 1] * 1.01
    return float(min(0.5 * (ratio[stop - 1] + following), LARGEST_WEIGHT))


def risk_coverage(p: Floats, y: Ints, named: Ints) -> list[RiskPoint]:
    """Share of wrong names among the rows whose largest probability reaches a threshold, from all rows to few."""
    top = p.max(axis=1)
    order = np.argsort(-top, kind="stable")
    wrong = np.cumsum(named[order] != y[order])
    found = []
    for step in range(_GRID, 0, -1):
        count = max(int(len(y) * step / _GRID), 1)
        threshold = float(top[order[count - 1]]) if step < _GRID else 0.0
        found.append(RiskPoint(threshold, count / len(y), float(wrong[count - 1] / count)))
    return found


def knee(curve: Sequence[RiskPoint]) -> RiskPoint:
    """The point of the curve that lies farthest below the chord between full and least coverage."""
    searched = [point for point in curve if point.coverage >= LEAST_COVERAGE]
    full, least = searched[0], searched[-1]
    span = max(full.coverage - least.coverage, 1e-12)

    def below(point: RiskPoint) -> float:
        return least.risk + (full.risk - least.risk) * (point.coverage - least.coverage) / span - point.risk

    return max(searched, key=lambda point: (round(below(point), 9), point.coverage))
