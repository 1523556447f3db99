"""Drift, calibration, disagreement and lift as measured values.

Belongs here: what is measured of rounds, features and games of versions in play, with numpy alone. Pure.
Does not belong here: what follows from it (``guardrails.py``, ``sequential.py``), reading rounds (``evidence.py``), metrics of
candidates offline (``models/metrics.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from esports_assets.models.metrics import BINS, equal_count_bins
from esports_assets.promotion.betting import Arms, Floats, Stakes, interval
from esports_assets.promotion.guardrails import Health
from esports_assets.promotion.sequential import DEFAULT_TERMS, Evidence, Terms

Ints = npt.NDArray[np.int64]

DRIFT_BINS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Rounds:
    """Rounds that one version predicted: probabilities [N, K], places of what came [N], latencies of answers in ms.

    ``unanswered`` rounds gave no probabilities.
    """

    probabilities: Floats
    outcomes: Ints
    latencies_ms: Floats
    unanswered: int = 0

    @property
    def health(self) -> Health:
        """What guardrails look at; None for what these rounds do not tell."""
        answered = len(self.outcomes)
        rounds = answered + self.unanswered
        return Health(
            rounds=rounds,
            ece=calibration_error(self.probabilities, self.outcomes) if answered else None,
            brier=brier_score(self.probabilities, self.outcomes) if answered else None,
            latency_p95_ms=float(np.quantile(self.latencies_ms, 0.95)) if len(self.latencies_ms) else None,
            error_rate=self.unanswered / rounds if rounds else None,
        )


def calibration_error(probabilities: Floats, outcomes: Ints, bins: int = BINS) -> float:
    """Expected calibration error of the largest probability over bins of equal count, 0 to 1.

    Mean over bins of |share of rounds where the most probable class came - mean of its probability|, weighted by rounds (Guo
    et al. 2017, with bins of equal count). ValueError without a round.
    """
    _some(outcomes)
    gap = (probabilities.argmax(axis=1) == outcomes) - probabilities.max(axis=1)
    parts = equal_count_bins(probabilities.max(axis=1), bins)
    return float(sum(abs(gap[part].sum()) for part in parts) / len(outcomes))


def brier_score(probabilities: Floats, outcomes: Ints) -> float:
    """Mean over rounds of the sum of squared errors over classes, 0 to 2 (Brier 1950). ValueError without a round."""
    _some(outcomes)
    came = np.eye(probabilities.shape[1])[outcomes]
    return float(((probabilities - came) ** 2).sum(axis=1).mean())


def disagreement(one: Floats, other: Floats) -> float:
    """Share of the same rounds [N, K] for which two versions name another class. ValueError without a round."""
    if one.shape != other.shape:
        raise ValueError(f"the two did not predict the same rounds: {one.shape} and {other.shape}")
    _some(one)
    return float((one.argmax(axis=1) != other.argmax(axis=1)).mean())


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one feature has moved. ``by_chance`` is what the index is on average where nothing has moved."""

    feature: str
    index: float
    by_chance: float


def drift(reference: Floats, current: Floats, features: Sequence[str]) -> list[Drift]:
    """The population stability index of every feature (columns of [N, F] and [M, F]), largest first.

    ValueError where the columns do not fit or a side has no row.
    """
    if not reference.shape[1] == current.shape[1] == len(features):
        raise ValueError(f"{len(features)} features, and columns {reference.shape[1]} and {current.shape[1]}")
    found = [Drift(name, *stability_index(reference[:, k], current[:, k])) for k, name in enumerate(features)]
    return sorted(found, key=lambda one: (-one.index, one.feature))


def stability_index(reference: Floats, current: Floats, bins: int = DRIFT_BINS) -> tuple[float, float]:
    """Population stability index between two samples, and its mean where both are drawn alike.

    Sum over bins of (q - p) ln(q / p), with p and q the shares of reference and current in bins that hold the reference
    equally (Siddiqi, Credit Risk Scorecards, 2006); values that many rows share keep a bin of their own. Half a row is
    added to every bin, so that an empty one stays finite. Drawn alike, its mean is about (bins - 1)(1/N + 1/M) (Yurdakul and
    Naranjo, Journal of Risk Model Validation 14, 2020). ValueError where a side has no row.
    """
    _some(reference)
    _some(current)
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))
    counts = [np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1) for x in (reference, current)]
    used = (counts[0] + counts[1]) > 0
    p, q = ((count[used] + 0.5) / (count.sum() + 0.5 * used.sum()) for count in counts)
    by_chance = (int(used.sum()) - 1) * (1 / len(reference) + 1 / len(current))
    return float(((q - p) * np.log(q / p)).sum()), by_chance


@dataclass(frozen=True, slots=True)
class Lift:
    """Mean result of the challenger minus Production's, and bounds that hold it with ``confidence`` at every time at once."""

    value: float | None
    low: float
    high: float
    confidence: float
    games: int


def lift(evidence: Evidence, terms: Terms = DEFAULT_TERMS) -> Lift:
    """What all games of a pair of versions say, whatever was decided; no value before both have played."""
    arms = Arms()
    columns = (evidence.challenger, evidence.results, evidence.shares)
    signals = [arms.observe(*map(np.asarray, game)) for game in zip(*columns, strict=True)]
    value = float(arms.lift)
    low, high = interval(signals, Stakes.around(terms.minimum_effect), terms.alpha)
    return Lift(None if np.isnan(value) else value, low, high, 1 - 2 * terms.alpha, len(signals))


def _some(rows: npt.NDArray[np.generic]) -> None:
    if not len(rows):
        raise ValueError("there is no row to measure")
