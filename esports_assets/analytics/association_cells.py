"""Chi-square of a binned feature with an outcome of two values, and Cramer's V.

Belongs here: bins, merging those in which too little is expected, V without its bias, its interval.
Does not belong here: the p-value: it comes from flipping matches (``association_matches.py``), not from the chi-square table, which
holds for independent rows alone.
"""

import numpy as np

from esports_assets.analytics.association_matches import Floats, Ints, Matches, Parts
from esports_assets.analytics.association_measure import Caution, Measure, NotMeasured, Remark, sign_of
from esports_assets.analytics.association_ranks import Ranked

BINS = 5
"""Quantile bins of a feature with more distinct values."""
LEAST_EXPECTED = 5.0
"""Rows that every cell must expect (Cochran 1954)."""
TREND_FROM = 0.25
"""Share of a chi-square that its linear trend (Armitage 1955) explains at least where the association has a direction."""
METRIC = "chi2"


def chi_square(x: Ranked, y: Floats, matches: Matches, number: Ints) -> Measure | NotMeasured:
    """Cramer's V of a vector with an outcome of 0 and 1, both of which vary.

    V is without its bias (Bergsma 2013), which grows with the correlation within matches: the expectation of the
    match-robust statistic W under the null is taken off, where the plain statistic would take off its degrees of freedom. The
    interval inverts the non-central chi-square of W.
    """
    share = float(y.mean())
    bins, merged = binned(x, min(share, 1.0 - share))
    count = int(bins.max()) + 1
    if count < 2:
        told = "no two bins can expect five rows in every cell"
        return NotMeasured(METRIC, (Remark(Caution.SMALL_CELLS, told),))
    remarks = (Remark(Caution.BINS_MERGED, f"{merged} bins were merged into neighbours"),) if merged else ()
    parts = Parts(_scores(bins, count, y - share, matches), number)
    if not parts.has_score:
        told = "a bin varies in too few matches for its counts to be told from chance"
        return NotMeasured(METRIC, (*remarks, Remark(Caution.SMALL_CELLS, told)))
    size = np.bincount(bins, minlength=count)
    won = np.bincount(bins, y, minlength=count)
    plain = float(((won - size * share) ** 2 / (size * share * (1.0 - share))).sum())
    estimate, low, high = _cramers_v(plain, parts, len(y), count)
    direction = _direction(size.astype(np.float64), won.astype(np.float64), plain)
    return Measure(METRIC, estimate, low, high, "cramers_v", estimate, direction, parts, remarks)


def binned(x: Ranked, rarer: float) -> tuple[Ints, int]:
    """The bin of each row, dense from 0 in rising order, and how many bins were merged into a neighbour.

    A vector of few values has a bin for each; any other one bin per quantile. ``rarer`` is the share of the rarer outcome.
    """
    of_code = np.arange(len(x.counts))
    if len(x.counts) > BINS:
        middle = np.cumsum(x.share) - 0.5 * x.share
        of_code = np.unique((middle * BINS).astype(np.int64), return_inverse=True)[1]
    size = list(np.bincount(of_code, x.counts))
    begun, merged = list(range(len(size))), 0
    while len(size) > 1 and min(size) * rarer < LEAST_EXPECTED:
        small = int(np.argmin(size))
        near = [k for k in (small - 1, small + 1) if 0 <= k < len(size)]
        other = min(near, key=lambda k: size[k])
        first, second = sorted((small, other))
        size[first] += size.pop(second)
        begun.pop(second)
        merged += 1
    return np.asarray(np.searchsorted(begun, of_code[x.codes], side="right") - 1), merged


def _scores(bins: Ints, count: int, y: Floats, matches: Matches) -> Floats:
    """By match (G) and bin but the last: observed less expected rows of outcome 1."""
    inside = np.bincount(matches.of_row * count + bins, y, minlength=len(matches) * count)
    size = np.bincount(bins, minlength=count) / len(bins)
    by_match = inside.reshape(len(matches), count) - size * matches.sums(y)[:, None]
    return np.asarray(by_match[:, :-1])


def _cramers_v(plain: float, parts: Parts, rows: int, count: int) -> tuple[float, float, float]:
    total, groups, free = parts.score.sum(axis=0), len(parts.score), count - 1
    centred = parts.score - total / groups
    spread = centred.T @ centred * groups / (groups - 1)
    robust = float(total @ np.linalg.pinv(spread, hermitian=True) @ total) * (groups - free) / max(groups - 1, 1)
    if robust <= 0.0:
        return 0.0, 0.0, 0.0
    widest = min(count - (count - 1) ** 2 / (rows - 1), 2.0 - 1.0 / (rows - 1)) - 1.0
    scale = plain / robust / rows / widest

    def as_v(noncentral: float) -> float:
        return float(min(np.sqrt(max(noncentral, 0.0) * scale), 1.0))

    low, high = (_noncentrality(robust, free, level) for level in (0.975, 0.025))
    return as_v(robust - free), as_v(low), as_v(high)


def _noncentrality(statistic: float, free: int, level: float) -> float:
    """The non-centrality at which a chi-square stays below the statistic with this probability; 0 where none does."""
    from scipy.special import chdtr, chndtrinc

    return float(chndtrinc(statistic, free, level)) if chdtr(free, statistic) > level else 0.0


def _direction(size: Floats, won: Floats, plain: float) -> str:
    """The sign of the outcome's trend over the bins, or ``mixed`` where a trend explains little of the chi-square."""
    place = np.arange(len(size)) - np.average(np.arange(len(size)), weights=size)
    share = won.sum() / size.sum()
    slope = float(place @ (won - size * share))
    trend = slope**2 / float((place**2 @ size) * share * (1.0 - share))
    return "mixed" if trend < TREND_FROM * plain else sign_of(slope)
