"""From influences to standard errors and intervals, with clusters as the independent units.

Belongs here: cluster-robust standard errors of an influence, intervals, one answer from several splits.
Does not belong here: estimates themselves (``estimators.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from esports_assets.analytics.estimators import Estimate
from esports_assets.analytics.study import Floats, Ints

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Answer:
    """A value with its standard error and interval, all in the outcome's unit."""

    value: float
    se: float
    lo: float
    hi: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.lo > 0 or self.hi < 0

    def shown(self) -> dict[str, object]:
        """As it is printed."""
        return {"estimate": self.value, "se": self.se, "interval": [self.lo, self.hi]}


def clustered_se(influence: Floats, cluster: Ints) -> float:
    """sqrt(G / (G - 1) sum over clusters of (sum of influences)^2) / n: what statsmodels gives for a mean with
    ``cov_type="cluster"``, and with every row its own cluster the usual standard error of a mean.
    """
    sums = np.bincount(cluster, weights=influence)
    groups = len(sums)
    return float(np.sqrt(groups / (groups - 1) * np.square(sums).sum()) / len(influence))


def answer_of(value: float, se: float, clusters: int) -> Answer:
    """The interval of Student's t with one degree of freedom less than there are clusters."""
    from scipy.stats import t

    reach = float(t.ppf(0.5 + LEVEL / 2, clusters - 1)) * se
    return Answer(value, se, value - reach, value + reach)


def answer(estimate: Estimate, cluster: Ints) -> Answer:
    """Standard error and interval of one estimate."""
    return answer_of(estimate.value, clustered_se(estimate.influence, cluster), int(cluster.max()) + 1)


def over_splits(answers: Sequence[Answer], clusters: int) -> Answer:
    """The median over random splits; the squared standard error is the median of each one's own plus its squared distance
    from the median (Chernozhukov et al. 2018, definition 3.3).
    """
    values = np.array([one.value for one in answers])
    value = float(np.median(values))
    squares = np.array([one.se for one in answers]) ** 2 + (values - value) ** 2
    return answer_of(value, float(np.sqrt(np.median(squares))), clusters)
