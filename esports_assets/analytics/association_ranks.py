"""Rank correlations: Spearman's rho, and Kendall's tau-b where the outcome has two values.

Belongs here: the coefficients with ties, and their influence by match.
Does not belong here: tests (``association_matches.py``).

A vector is told once by the codes of its distinct values; ranks, tie corrections and influences follow from counts by code,
so that both cost one sort. Tau-b is told against outcomes of two values alone: there it needs no count of pairs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from esports_assets.analytics.association_matches import Flags, Floats, Ints, Matches, Parts, correlation_interval
from esports_assets.analytics.association_measure import Measure, sign_of


@dataclass(frozen=True)
class Ranked:
    """A vector by codes of its distinct values in rising order, and how many rows have each."""

    codes: Ints
    counts: Floats

    @classmethod
    def of(cls, values: Floats) -> "Ranked":
        """Rank finite values [rows]."""
        distinct, codes = np.unique(values, return_inverse=True)
        return cls(codes, np.bincount(codes, minlength=len(distinct)).astype(np.float64))

    def some(self, kept: Flags) -> "Ranked":
        """The same of some of the rows, without sorting again."""
        codes = self.codes[kept]
        counts = np.bincount(codes, minlength=len(self.counts))
        there = counts > 0
        return Ranked((np.cumsum(there) - 1)[codes], counts[there].astype(np.float64))

    @cached_property
    def share(self) -> Floats:
        """Share of the rows with each value."""
        return np.asarray(self.counts / self.counts.sum())

    @cached_property
    def midranks(self) -> Floats:
        """Share of rows below plus half of those level, by row [rows]; the mean is one half."""
        return np.asarray((np.cumsum(self.share) - 0.5 * self.share)[self.codes])

    def mean_above(self, values: Floats) -> Floats:
        """For each row the mean over all rows of ``values`` where they are above it, half where they are level [rows]."""
        own = np.bincount(self.codes, values, minlength=len(self.counts)) / len(values)
        return np.asarray((own.sum() - np.cumsum(own) + 0.5 * own)[self.codes])


def spearman(x: Ranked, y: Ranked, matches: Matches, number: Ints) -> Measure:
    """Spearman's rho with midranks of two vectors that vary.

    Influence: that of a covariance of midranks over the root of their variances, with what a row changes in the ranks of all
    others (Borkowf 2002, "Computing the nonnull asymptotic variance and the asymptotic relative efficiency of Spearman's
    rank correlation"); ties count half.
    """
    u, v = x.midranks, y.midranks
    covariance = _centred(u * v + x.mean_above(v) + y.mean_above(u))
    spread_u, spread_v = (float(((w - 0.5) ** 2).mean()) for w in (u, v))
    rho = float(((u - 0.5) * (v - 0.5)).mean() / np.sqrt(spread_u * spread_v))
    change_u = _centred(u * u + 2.0 * x.mean_above(u)) / spread_u
    change_v = _centred(v * v + 2.0 * y.mean_above(v)) / spread_v
    influence = covariance / np.sqrt(spread_u * spread_v) - 0.5 * rho * (change_u + change_v)
    return _measure("spearman", rho, "rho", rho, influence, (u - 0.5) * (v - 0.5), matches, number)


def kendall(x: Ranked, y: Floats, matches: Matches, number: Ints) -> Measure:
    """Kendall's tau-b of a vector with an outcome of 0 and 1, both of which vary.

    The effect size is the probability that a row of outcome 1 has the larger value, ties counting half (Mann and Whitney).
    """
    share = float(y.mean())
    # With ties at one half, rows level with each other cancel in (below - above), as they must in tau.
    below_less_above = np.where(y == 1.0, (1.0 - share) - 2.0 * x.mean_above(1.0 - y), 2.0 * x.mean_above(y) - share)
    concord = float(below_less_above.mean())
    apart_x, apart_y = 1.0 - float((x.share**2).sum()), 2.0 * share * (1.0 - share)
    tau = concord / float(np.sqrt(apart_x * apart_y))
    change_x = 2.0 * ((1.0 - x.share)[x.codes] - apart_x) / apart_x
    change_y = 2.0 * (np.where(y == 1.0, 1.0 - share, share) - apart_y) / apart_y
    influence = 2.0 * (below_less_above - concord) / np.sqrt(apart_x * apart_y) - 0.5 * tau * (change_x + change_y)
    superior = 0.5 * (1.0 + concord / apart_y)
    score = (x.midranks - 0.5) * (y - share)
    return _measure("kendall", tau, "probability_of_superiority", superior, influence, score, matches, number)


def _measure(
    metric: str,
    estimate: float,
    effect_name: str,
    effect_size: float,
    influence: Floats,
    score: Floats,
    matches: Matches,
    number: Ints,
) -> Measure:
    by_match = matches.sums(influence) / len(influence)
    low, high = correlation_interval(estimate, by_match)
    parts = Parts(matches.sums(score)[:, None], number, by_match)
    return Measure(metric, estimate, low, high, effect_name, effect_size, sign_of(estimate), parts)


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean())
