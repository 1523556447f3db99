"""How good probabilities are, with intervals from a bootstrap over matches.

Belongs here: log loss, Brier score, calibration error, AUC and accuracy of two-class probabilities, their clustered
intervals, and paired differences. Rows of one match are resampled together, because they share what made them.
Does not belong here: which models are compared on which rows (``evaluate.py``).

Calibration error is the expected calibration error over 15 bins of equal count (rows sorted by probability): mean over
bins of |observed frequency - mean probability|, weighted by rows. Bootstrap values of it lie above the value itself
(noise adds to an absolute value), so its interval is pessimistic.
"""

from collections.abc import Iterator

import msgspec
import numpy as np

BINS = 15
CLIP = 1e-7
METRICS = ("log_loss", "brier", "ece", "auc", "accuracy")


class Metric(msgspec.Struct, frozen=True):
    """A measured value with its interval (2.5 to 97.5 % of a bootstrap over matches); null bounds: not measurable."""

    value: float
    lo: float | None = None
    hi: float | None = None


def losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Per row: log loss, squared error and correctness (probability on the right side of 0.5), as [n, 3]."""
    q = np.clip(p, CLIP, 1 - CLIP)
    log_loss = -np.where(y == 1, np.log(q), np.log1p(-q))
    return np.column_stack([log_loss, (p - y) ** 2, (p >= 0.5) == (y == 1)])


class Sample:
    """Rows sorted by probability once, so that any weighting of matches is measured in one pass."""

    def __init__(self, y: np.ndarray, p: np.ndarray, match: np.ndarray) -> None:
        if len(y) == 0:
            raise ValueError("there is no row to measure")
        order = np.argsort(p, kind="stable")
        self.y = y[order].astype(np.float64)
        self.p = p[order].astype(np.float64)
        self.match = np.unique(match[order], return_inverse=True)[1]
        self.n_matches = int(self.match.max()) + 1
        self._ties = np.flatnonzero(np.r_[True, np.diff(self.p) > 0])
        self._sums = _per_match(losses(self.y, self.p), self.match, self.n_matches)
        self._rows = np.bincount(self.match, minlength=self.n_matches).astype(np.float64)

    def means(self, weights: np.ndarray) -> np.ndarray:
        """Log loss, Brier and accuracy for weights of matches [B, matches], as [B, 3]."""
        means: np.ndarray = (weights @ self._sums) / (weights @ self._rows)[:, None]
        return means

    def auc(self, weights: np.ndarray) -> float:
        """Area under the ROC curve for weights of matches: share of (win, loss) pairs in the right order, ties half."""
        w = weights[self.match]
        wins = np.add.reduceat(w * self.y, self._ties)
        defeats = np.add.reduceat(w * (1 - self.y), self._ties)
        pairs = wins.sum() * defeats.sum()
        if pairs == 0:
            return float("nan")
        return float((wins * (np.cumsum(defeats) - 0.5 * defeats)).sum() / pairs)

    def ece(self, weights: np.ndarray, bins: int = BINS) -> float:
        """Expected calibration error over bins of equal weight."""
        w = weights[self.match]
        cumulated = np.cumsum(w)
        total = cumulated[-1]
        place = np.minimum(((cumulated - 0.5 * w) / total * bins).astype(np.int64), bins - 1)
        gaps = np.bincount(place, weights=w * (self.y - self.p), minlength=bins)
        return float(np.abs(gaps).sum() / total)

    def values(self) -> dict[str, float]:
        """All metrics with every match counted once."""
        ones = np.ones(self.n_matches)
        log_loss, brier, accuracy = self.means(ones[None])[0]
        return {
            "log_loss": float(log_loss),
            "brier": float(brier),
            "ece": self.ece(ones),
            "auc": self.auc(ones),
            "accuracy": float(accuracy),
        }


def _per_match(values: np.ndarray, match: np.ndarray, n: int) -> np.ndarray:
    return np.column_stack([np.bincount(match, weights=column, minlength=n) for column in values.T])


def draws(n_matches: int, replicates: int, seed: int) -> np.ndarray:
    """How often each match is drawn in each bootstrap replicate, as [replicates, matches]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_matches, np.full(n_matches, 1 / n_matches), size=replicates).astype(np.float64)


def measure(
    y: np.ndarray, p: np.ndarray, match: np.ndarray, *, replicates: int = 200, seed: int = 0
) -> dict[str, Metric]:
    """Every metric with its interval; with fewer than two matches or no replicates the bounds are null."""
    sample = Sample(y, p, match)
    values = {name: value for name, value in sample.values().items() if np.isfinite(value)}
    if sample.n_matches < 2 or replicates < 2:
        return {name: Metric(value) for name, value in values.items()}
    weights = draws(sample.n_matches, replicates, seed)
    log_loss, brier, accuracy = sample.means(weights).T
    spread = {"log_loss": log_loss, "brier": brier, "accuracy": accuracy}
    spread["auc"] = np.array([sample.auc(w) for w in weights])
    spread["ece"] = np.array([sample.ece(w) for w in weights])
    return {name: Metric(value, *_bounds(spread[name])) for name, value in values.items()}


def paired_gain(
    y: np.ndarray, p: np.ndarray, reference: np.ndarray, match: np.ndarray, *, replicates: int = 1000, seed: int = 0
) -> dict[str, Metric]:
    """How much lower log loss and Brier score of ``p`` are than those of ``reference`` on the same rows, per row."""
    codes = np.unique(match, return_inverse=True)[1]
    n = int(codes.max()) + 1
    difference = (losses(y, reference) - losses(y, p))[:, :2]
    sums = _per_match(difference, codes, n)
    rows = np.bincount(codes, minlength=n).astype(np.float64)
    value = sums.sum(0) / rows.sum()
    if n < 2:
        return {"log_loss": Metric(float(value[0])), "brier": Metric(float(value[1]))}
    weights = draws(n, replicates, seed)
    spread = (weights @ sums) / (weights @ rows)[:, None]
    return {name: Metric(float(value[i]), *_bounds(spread[:, i])) for i, name in enumerate(("log_loss", "brier"))}


def _bounds(values: np.ndarray) -> tuple[float, float]:
    lo, hi = np.nanquantile(values, (0.025, 0.975))
    return float(lo), float(hi)


class Bin(msgspec.Struct, frozen=True):
    """One bin of a reliability diagram: mean probability, observed frequency, rows."""

    mean: float
    observed: float
    rows: int


def equal_count_bins(p: np.ndarray, bins: int = BINS) -> Iterator[np.ndarray]:
    """Positions of the rows of each bin, by rising probability; empty bins are left out."""
    for part in np.array_split(np.argsort(p, kind="stable"), bins):
        if len(part):
            yield part


def reliability(y: np.ndarray, p: np.ndarray, bins: int = BINS) -> tuple[Bin, ...]:
    """The reliability diagram over bins of equal count."""
    return tuple(Bin(float(p[part].mean()), float(y[part].mean()), len(part)) for part in equal_count_bins(p, bins))
