"""How strong something unseen would have to be to explain an effect away.

Belongs here: robustness values and E-values.
Does not belong here: a verdict: an effect of nothing is explained away by anything, and is none the worse for it.

* Robustness value (Cinelli and Hazlett 2020; for doubly robust effects Chernozhukov, Cinelli, Newey, Sharma and Syrgkanis 2022):
  an unseen confounder that explains the share r of what is left of the outcome and r of what is left of the treatment's
  weights moves the estimate by at most S r / sqrt(1 - r), with S = sqrt(E residual^2 E weight^2). The value is the r at which
  that reaches zero.
* E-value (VanderWeele and Ding 2017): the risk ratio that an unseen confounder must have with both treatment and outcome. For
  outcomes that are no probabilities the ratio is exp(0.91 d), with d the effect in standard deviations of the outcome.
"""

from dataclasses import asdict, dataclass

import numpy as np

from esports_assets.analytics.estimators import Estimand, weights_of
from esports_assets.analytics.inference import Answer
from esports_assets.analytics.study import Floats


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Robustness values (0 ... 1) and E-values (1 and more), of the estimate and of the end of the interval nearer to zero."""

    robustness_value: float
    robustness_value_interval: float
    e_value: float
    e_value_interval: float

    def shown(self) -> dict[str, object]:
        """As it is printed."""
        return asdict(self)


def sensitivity_of(
    found: Answer, treated: Floats, outcome: Floats, residual: Floats, propensity: Floats, estimand: Estimand
) -> Sensitivity:
    """``residual``: outcome less its prediction in the row's own arm [n]; ``propensity`` bounded."""
    w = weights_of(treated, propensity, estimand)
    representer = (w.treated - w.untreated) / w.treated.mean()
    strength = float(np.sqrt(np.square(residual).mean() * np.square(representer).mean()))
    near = 0.0 if not found.excludes_zero else min(abs(found.lo), abs(found.hi))
    return Sensitivity(
        robustness_value(found.value, strength),
        robustness_value(near, strength),
        e_value(_ratio(found.value, treated, outcome)),
        e_value(_ratio(float(np.copysign(near, found.value)), treated, outcome)),
    )


def robustness_value(effect: float, strength: float) -> float:
    """The r in [0, 1] that solves ``|effect| = strength r / sqrt(1 - r)``."""
    if strength == 0:
        return 0.0 if effect == 0 else 1.0
    f = (effect / strength) ** 2
    return float((-f + np.sqrt(f * f + 4 * f)) / 2)


def e_value(ratio: float) -> float:
    """RR + sqrt(RR (RR - 1)) of a risk ratio, turned round below 1."""
    turned = ratio if ratio >= 1 else 1 / ratio
    return float(turned + np.sqrt(turned * (turned - 1)))


def _ratio(effect: float, treated: Floats, outcome: Floats) -> float:
    """The risk ratio of an effect: for a 0/1 outcome against the untreated rows' share, otherwise by standard deviations."""
    if np.isin(outcome, (0.0, 1.0)).all():
        risk = float(np.clip(outcome[treated == 0].mean(), 1e-6, 1.0))
        return float(np.clip((risk + effect) / risk, 1e-6, None))
    return float(np.exp(np.clip(0.91 * effect / outcome.std(), -50, 50)))
