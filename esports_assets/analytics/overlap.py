"""Whether treated and untreated rows are alike enough to be compared, and what is left when only those are kept.

Belongs here: bounds of propensities, effective sample sizes, shares outside the common support, trimmed answers.
Does not belong here: what follows from that (``verdict.py``).

Bound: propensities nearer to 0 or 1 than 5 / (sqrt(n) ln n) are cut to it (Gruber, Phillips, Lee and van der Laan 2022).
Trimming: rows with propensities in [0.1, 0.9] are kept for the ATE (Crump, Hotz, Imbens and Mitnik 2009), rows below 0.9 for the
ATT, where only untreated rows must be found for treated ones.
"""

from dataclasses import asdict, dataclass

import numpy as np

from esports_assets.analytics.estimators import Estimand, Weights, doubly_robust, weights_of
from esports_assets.analytics.inference import Answer, answer
from esports_assets.analytics.nuisance import Nuisances
from esports_assets.analytics.study import Floats, Study

EDGE = 0.05
KEPT = 0.9


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far the arms overlap, over the rows that the effect is about (all for the ATE, the treated for the ATT).

    ``cut`` share whose propensity reached the bound; ``edge`` share nearer than 0.05 to it being impossible to compare them (both
    ends for the ATE, 1 for the ATT); ``effective_treated`` and ``effective_untreated`` Kish's effective sample sizes of the
    weights in rows; ``effective_share`` the smaller one over the rows of its arm (for the ATT over the treated rows);
    ``heaviest`` the largest share that one row has of an arm's weight.
    """

    bound: float
    propensity_quantiles: dict[str, list[float]]
    cut: float
    edge: float
    effective_treated: float
    effective_untreated: float
    effective_share: float
    heaviest: float

    def shown(self) -> dict[str, object]:
        """As it is printed."""
        return asdict(self)


def bound_of(rows: int) -> float:
    """How near propensities may come to 0 and 1."""
    return float(min(0.1, 5 / (np.sqrt(rows) * np.log(rows))))


def bounded(propensity: Floats, estimand: Estimand) -> Floats:
    """Propensities inside the bound; for the ATT small ones do no harm and stay."""
    bound = bound_of(len(propensity))
    return np.clip(propensity, bound if estimand is Estimand.ATE else 0.0, 1 - bound)


def overlap_of(treated: Floats, propensity: Floats, estimand: Estimand) -> Overlap:
    """Overlap from cross-fitted propensities before they are bounded."""
    bound = bound_of(len(treated))
    about = np.ones(len(treated), dtype=bool) if estimand is Estimand.ATE else treated == 1
    far = propensity if estimand is Estimand.ATT else np.maximum(propensity, 1 - propensity)
    w = weights_of(treated, bounded(propensity, estimand), estimand)
    one, zero = effective_sizes(w)
    n1, n0 = float(treated.sum()), float((1 - treated).sum())
    share = min(one / n1, zero / n0) if estimand is Estimand.ATE else min(1.0, zero / n1)
    levels = (0.0, 0.05, 0.5, 0.95, 1.0)
    quantiles = {
        name: np.quantile(propensity[treated == arm], levels).round(4).tolist()
        for arm, name in ((1, "treated"), (0, "untreated"))
    }
    return Overlap(
        bound=bound,
        propensity_quantiles=quantiles,
        cut=float((far[about] > 1 - bound).mean()),
        edge=float((far[about] > 1 - EDGE).mean()),
        effective_treated=one,
        effective_untreated=zero,
        effective_share=float(share),
        heaviest=float(max(w.treated.max() / w.treated.sum(), w.untreated.max() / w.untreated.sum())),
    )


def effective_sizes(w: Weights) -> tuple[float, float]:
    """Kish's (sum w)^2 / sum w^2 of the treated and of the untreated weights."""
    one, zero = (float(v.sum() ** 2 / np.square(v).sum()) for v in (w.treated, w.untreated))
    return one, zero


def trimmed(study: Study, nuisances: Nuisances, estimand: Estimand) -> tuple[Answer, int] | None:
    """The answer for the rows that can be compared, with the same predictions, and how many these are; None where an arm
    has fewer than ten of them.
    """
    e = nuisances.propensity
    kept = (e < KEPT) & ((e > 1 - KEPT) | (estimand is Estimand.ATT))
    part = study.rows(kept)
    if min(part.treated.sum(), (1 - part.treated).sum()) < 10:
        return None
    treated_outcome = None if nuisances.treated is None else nuisances.treated[kept]
    estimate = doubly_robust(
        part.treated, part.outcome, bounded(e[kept], estimand), nuisances.untreated[kept], treated_outcome, estimand
    )
    return answer(estimate, part.cluster), int(kept.sum())
