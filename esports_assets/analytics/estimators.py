"""Effects from propensities and predicted outcomes: weighting, outcome regression, and both together.

Belongs here: the formulas, each with the influence of every row where one is known.
Does not belong here: where the predictions come from (``nuisance.py``), standard errors (``inference.py``).

Notation: t treatment, y outcome, e propensity, g0 and g1 predicted outcomes without and with treatment. Weights are
normalised (Hajek): those of an arm sum to the size of the population that they stand for.

* ATE, doubly robust: mean of ``g1 - g0 + t / e (y - g1) - (1 - t) / (1 - e) (y - g0)`` (Robins, Rotnitzky and Zhao 1994;
  cross-fitted: Chernozhukov et al. 2018).
* ATT, doubly robust: mean over the treated of ``y - g0`` less the mean over the untreated, weighted by the odds e / (1 - e), of
  ``y - g0``.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from esports_assets.analytics.study import Floats


class Estimand(StrEnum):
    """Whose effect: of everybody, or of those who were treated."""

    ATE = "ATE"
    ATT = "ATT"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value in the outcome's unit, and the influence of every row [n] (mean 0 up to rounding)."""

    value: float
    influence: Floats


@dataclass(frozen=True, slots=True)
class Weights:
    """What rows count for as treated and as untreated, [n] each; either sums to the rows of the population."""

    treated: Floats
    untreated: Floats


def weights_of(treated: Floats, propensity: Floats, estimand: Estimand) -> Weights:
    """Inverse-probability weights of everybody, or odds weights of the untreated that make them look like the treated."""
    if estimand is Estimand.ATE:
        one, zero = treated / propensity, (1 - treated) / (1 - propensity)
        return Weights(one / one.mean(), zero / zero.mean())
    odds = (1 - treated) * propensity / (1 - propensity)
    return Weights(treated, odds * (treated.mean() / odds.mean()))


def doubly_robust(
    treated: Floats,
    outcome: Floats,
    propensity: Floats,
    untreated_outcome: Floats,
    treated_outcome: Floats | None,
    estimand: Estimand,
) -> Estimate:
    """AIPW as at the top of the module; ``treated_outcome`` is needed for the ATE only."""
    w = weights_of(treated, propensity, estimand)
    rest0 = outcome - untreated_outcome
    if estimand is Estimand.ATT:
        share = treated.mean()
        score = (w.treated - w.untreated) * rest0 / share
        value = float(score.mean())
        return Estimate(value, score - treated * value / share)
    if treated_outcome is None:
        raise ValueError("the effect on everybody needs the outcome predicted for the treated")
    rest1 = outcome - treated_outcome
    score = treated_outcome - untreated_outcome + w.treated * rest1 - w.untreated * rest0
    value = float(score.mean())
    return Estimate(value, score - value)


def weighted(treated: Floats, outcome: Floats, propensity: Floats, estimand: Estimand) -> Estimate:
    """Difference of weighted means (Hajek IPW); its influence takes the propensities as known, which is conservative."""
    w = weights_of(treated, propensity, estimand)
    share = w.treated.mean()
    mean1 = float((w.treated * outcome).mean() / share)
    mean0 = float((w.untreated * outcome).mean() / w.untreated.mean())
    influence = (w.treated * (outcome - mean1) - w.untreated * (outcome - mean0)) / share
    return Estimate(mean1 - mean0, influence)


def regressed(
    treated: Floats, outcome: Floats, untreated_outcome: Floats, treated_outcome: Floats | None, estimand: Estimand
) -> float:
    """Outcome regression alone; learned without targeting the effect it has no standard error of its own."""
    if estimand is Estimand.ATT:
        return float((treated * (outcome - untreated_outcome)).sum() / treated.sum())
    if treated_outcome is None:
        raise ValueError("the effect on everybody needs the outcome predicted for the treated")
    return float((treated_outcome - untreated_outcome).mean())


def naive(treated: Floats, outcome: Floats) -> Estimate:
    """Difference of means without adjustment."""
    share = treated.mean()
    mean1, mean0 = outcome[treated == 1].mean(), outcome[treated == 0].mean()
    influence = treated * (outcome - mean1) / share - (1 - treated) * (outcome - mean0) / (1 - share)
    return Estimate(float(mean1 - mean0), np.asarray(influence))
