"""Questions whose answer is known to be nothing, asked with the same machinery.

Belongs here: treatments that do nothing, drawn by permutation, and what the intervals say about them.
Does not belong here: the placebo outcome and the random common cause, which are whole fits (``causal.py``).

A placebo treatment is the true one permuted: among rows of one cluster, or among clusters where the treatment is the same
in nearly all rows of each; without clusters among rows of one tenth of propensities. Its effect is zero and its propensity is the
share of treated rows where it was permuted. What it tests is the interval: with residuals as heavy or as dependent as these,
does it miss zero as seldom as it says?
"""

from dataclasses import dataclass

import numpy as np

from esports_assets.analytics.inference import LEVEL, clustered_se
from esports_assets.analytics.study import Floats, Ints, Study

MOST_VALUES = 5_000_000
"""Draws times rows."""


@dataclass(frozen=True, slots=True)
class PlaceboTreatment:
    """Share of the draws whose interval misses zero, what may be expected (``limit``: exceeded by chance once in a thousand
    times), the spread of estimate over standard error (1 where standard errors are right), and how it was permuted.
    """

    draws: int
    missed: float
    limit: float
    spread: float
    permuted: str

    def shown(self) -> dict[str, object]:
        """As it is printed."""
        return {
            "draws": self.draws,
            "share_of_intervals_that_miss_zero": self.missed,
            "limit": self.limit,
            "spread_of_estimate_over_se": self.spread,
            "permuted": self.permuted,
        }


def placebo_treatment(study: Study, residual: Floats, propensity: Floats, rng: np.random.Generator) -> PlaceboTreatment:
    """Permute the treatment up to 200 times; ``residual`` is what covariates do not explain of the outcome."""
    from scipy.stats import binom, t

    draws = int(np.clip(MOST_VALUES // len(study), 20, 200))
    units, permuted = _units(study, propensity)
    critical = float(t.ppf(0.5 + LEVEL / 2, study.clusters - 1))
    z = np.array([_statistic(study.cluster, residual, *_draw(units, rng)) for _ in range(draws)])
    limit = float(binom.ppf(0.999, draws, 1 - LEVEL)) / draws
    return PlaceboTreatment(draws, float((np.abs(z) > critical).mean()), limit, float(z.std()), permuted)


@dataclass(frozen=True, slots=True)
class _Units:
    """What is permuted: ``of_row`` the unit of a row [n]; of a unit its ``stratum``, within which it is exchanged, its share of
    treated rows (``treated``) and that of its stratum (``share``); ``order`` sorts units by stratum.
    """

    of_row: Ints
    stratum: Ints
    treated: Floats
    share: Floats
    order: Ints

    @classmethod
    def of(cls, treated: Floats, of_row: Ints, stratum: Ints) -> "_Units":
        """The units of rows with these treatments."""
        count = len(stratum)
        of_unit = np.bincount(of_row, weights=treated, minlength=count) / np.bincount(of_row, minlength=count)
        share = np.bincount(stratum, weights=of_unit) / np.maximum(np.bincount(stratum), 1)
        return cls(of_row, stratum, of_unit, share[stratum], np.argsort(stratum, kind="stable"))


def _units(study: Study, propensity: Floats) -> tuple[_Units, str]:
    rows = np.arange(len(study), dtype=np.int64)
    if not study.clustered:
        tenth = np.searchsorted(np.quantile(propensity, np.linspace(0.1, 0.9, 9)), propensity).astype(np.int64)
        return _Units.of(study.treated, rows, tenth), "rows within tenths of propensity"
    share = np.bincount(study.cluster, weights=study.treated) / np.bincount(study.cluster)
    if np.mean((share == 0) | (share == 1)) > 0.5:
        one_stratum = np.zeros(study.clusters, dtype=np.int64)
        return _Units.of(study.treated, study.cluster, one_stratum), "clusters"
    return _Units.of(study.treated, rows, study.cluster), "rows within clusters"


def _draw(units: _Units, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A permuted treatment and its propensity, by row."""
    drawn = np.empty(len(units.stratum))
    drawn[units.order] = units.treated[np.lexsort((rng.random(len(units.stratum)), units.stratum))]
    return drawn[units.of_row], units.share[units.of_row]


def _statistic(cluster: Ints, residual: Floats, drawn: Floats, share: Floats) -> float:
    """Estimate over clustered standard error of the placebo's doubly robust score."""
    mixed = (share > 0) & (share < 1)
    variance = np.where(mixed, share * (1 - share), 1.0)
    score = np.where(mixed, (drawn - share) / variance * residual, 0.0)
    value = float(score.mean())
    se = clustered_se(score - value, cluster)
    return value / se if se > 0 else 0.0
