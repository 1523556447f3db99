"""Product-moment correlation of a feature with an outcome; the point-biserial one where the outcome has two values.

Belongs here: the coefficient, its influence by match, its effect size.
Does not belong here: tests (``association_matches.py``), ranks (``association_ranks.py``).
"""

import numpy as np

from esports_assets.analytics.association_matches import Floats, Ints, Matches, Parts, correlation_interval
from esports_assets.analytics.association_measure import Measure, sign_of


def product_moment(x: Floats, y: Floats, matches: Matches, number: Ints) -> Measure:
    """Pearson's r of finite x and y [rows], both of which vary; ``number`` [G] are the matches' numbers among all.

    Influence of a row with standardised values u, v: u v - r (u^2 + v^2) / 2 (Devlin, Gnanadesikan and Kettenring 1975).
    """
    u, v = _standardised(x), _standardised(y)
    product = u * v
    r = float(np.clip(product.mean(), -1.0, 1.0))
    influence = matches.sums(product - 0.5 * r * (u * u + v * v)) / len(x)
    two_valued = is_two_valued(y)
    low, high = correlation_interval(r, influence)
    return Measure(
        metric="point_biserial" if two_valued else "pearson",
        estimate=r,
        lo=low,
        hi=high,
        effect_name="cohen_d" if two_valued else "r",
        effect_size=_cohen_d(r, y) if two_valued else r,
        direction=sign_of(r),
        parts=Parts(matches.sums(product)[:, None], number, influence),
    )


def is_two_valued(y: Floats) -> bool:
    """Whether an outcome holds nothing but 0 and 1."""
    return bool(((y == 0.0) | (y == 1.0)).all())


def _cohen_d(r: float, y: Floats) -> float | None:
    """Difference of the two means over the standard deviation within: d = r / sqrt(p (1 - p) (1 - r^2))."""
    share = float(y.mean())
    rest = share * (1.0 - share) * (1.0 - r * r)
    return r / float(np.sqrt(rest)) if rest > 0.0 else None


def _standardised(values: Floats) -> Floats:
    centred = values - values.mean()
    return np.asarray(centred / np.sqrt((centred * centred).mean()))
