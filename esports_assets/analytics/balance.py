"""How different treated and untreated rows are in each covariate, before and after weighting.

Belongs here: standardised mean differences, and how large chance alone makes them.
Does not belong here: what follows from them (``verdict.py``).

The unit is the standard deviation of the treated (ATT), or the root of the mean of both arms' variances (ATE), before
weighting both times (Stuart 2010), so that a difference cannot shrink because its unit grew.
"""

from dataclasses import dataclass

import numpy as np

from esports_assets.analytics.estimators import Estimand, weights_of
from esports_assets.analytics.overlap import effective_sizes
from esports_assets.analytics.study import Floats, Study

ACCEPTED = 0.1
"""The usual bound of a standardised difference that still counts as balanced (Austin 2009)."""
NEVER = 0.25
"""Beyond this a covariate is not balanced, however few rows there are (Rubin 2001)."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Standardised mean differences by covariate, and the bound for the weighted ones: 0.1, or what chance alone exceeds in
    about one of a hundred covariates with this effective sample size if that is more, and never more than 0.25.
    """

    before: dict[str, float]
    after: dict[str, float]
    limit: float

    @property
    def worst(self) -> tuple[str, float]:
        """The covariate that is least balanced after weighting."""
        name = max(self.after, key=lambda key: abs(self.after[key]))
        return name, self.after[name]

    def shown(self) -> dict[str, object]:
        """As it is printed: one row per covariate."""
        table = {name: {"before": self.before[name], "after": self.after[name]} for name in self.before}
        return {"limit": self.limit, "covariates": table}


def balance_of(study: Study, propensity: Floats, estimand: Estimand) -> Balance:
    """Balance with the weights that bounded propensities give."""
    x, t = study.covariates, study.treated
    w = weights_of(t, propensity, estimand)
    one, zero = x[t == 1], x[t == 0]
    variance = one.var(axis=0) if estimand is Estimand.ATT else (one.var(axis=0) + zero.var(axis=0)) / 2
    unit = np.sqrt(np.where(variance > 0, variance, x.var(axis=0)))
    before = (one.mean(axis=0) - zero.mean(axis=0)) / unit
    after = (w.treated @ x / w.treated.sum() - w.untreated @ x / w.untreated.sum()) / unit
    chance = 2.6 * float(np.sqrt(sum(1 / size for size in effective_sizes(w))))
    limit = min(NEVER, max(ACCEPTED, chance))
    named = zip(study.names, before, after, strict=True)
    both = [(name, float(b), float(a)) for name, b, a in named]
    return Balance({n: b for n, b, _ in both}, {n: a for n, _, a in both}, limit)
