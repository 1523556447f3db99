"""One effect from beginning to end: learned, estimated, tested against itself, judged.

Belongs here: the order of the steps and the document that comes out.
Does not belong here: any one step (the siblings), tables and files (``study.py``, ``commands/causal.py``), the graph.

Every number is a function of the study and the plan: all randomness comes from ``Plan.seed``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from esports_assets.analytics.balance import balance_of
from esports_assets.analytics.estimators import Estimand, doubly_robust, naive, regressed, weighted
from esports_assets.analytics.folds import deal
from esports_assets.analytics.inference import Answer, answer, over_splits
from esports_assets.analytics.learners import Design, design_of
from esports_assets.analytics.nuisance import Nuisances, cross_fit
from esports_assets.analytics.overlap import bounded, overlap_of, trimmed
from esports_assets.analytics.placebo import placebo_treatment
from esports_assets.analytics.sensitivity import sensitivity_of
from esports_assets.analytics.study import MIN_PER_ARM, Floats, Study, checked
from esports_assets.analytics.unlearned import neighbours_alike
from esports_assets.analytics.verdict import DEFAULT, Evidence, PlaceboOutcome, judge

ESTIMATOR = "cross-fitted AIPW"
LARGE = 50_000
"""Above so many rows one split into two folds is enough: splits agree, and half of the rows teach as much as four fifths."""
NOISE_ROWS = 5_000
"""The random common cause is asked of about so many rows at most, clusters whole."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to answer: ``repetitions`` of the split into ``folds``, at most 50,000 rows; one split into two folds above."""

    estimand: Estimand = Estimand.ATE
    folds: int = 5
    repetitions: int = 3
    seed: int = 0

    def splits(self, rows: int) -> tuple[int, int]:
        """Repetitions and folds for this many rows."""
        return (self.repetitions, self.folds) if rows <= LARGE else (1, 2)


class Effect(msgspec.Struct, frozen=True):
    """The document: estimate, standard error and interval in the outcome's unit, and all that they rest on."""

    estimate: float
    interval: tuple[float, float]
    se: float
    estimator: str
    estimand: str
    n: int
    diagnostics: dict[str, Any]
    verdict: str
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class _Split:
    answer: Answer
    nuisances: Nuisances


@dataclass(frozen=True, slots=True)
class _Fit:
    """All splits of one study; ``mean`` holds the predictions averaged over them."""

    study: Study
    design: Design
    splits: tuple[_Split, ...]
    answer: Answer
    mean: Nuisances

    @property
    def spread(self) -> float:
        """Standard deviation of the estimates over splits, in standard errors."""
        values = [split.answer.value for split in self.splits]
        return float(np.std(values) / self.answer.se) if self.answer.se > 0 else 0.0


def causal_effect(study: Study, plan: Plan = Plan()) -> Effect:
    """The effect of the treatment on the outcome, with its diagnostics and verdict. BadStudy if it cannot be asked."""
    fit = _fit(checked(study), plan)
    e = bounded(fit.mean.propensity, plan.estimand)
    placebo = _placebo_outcome(study, plan, fit)
    own = _own_arm(study, fit.mean)
    rng = np.random.default_rng([plan.seed, 1])
    arms = (0.0, 1.0) if plan.estimand is Estimand.ATE else (0.0,)
    evidence = Evidence(
        overlap=overlap_of(study.treated, fit.mean.propensity, plan.estimand),
        balance=balance_of(study, e, plan.estimand),
        placebo_treatment=placebo_treatment(study, _residual(study, fit), fit.mean.propensity, rng),
        placebo_outcome=placebo,
        common_cause_shift=_common_cause_shift(fit, plan),
        split_spread=fit.spread,
        alike=neighbours_alike(fit.design.linear, own, study.treated, study.cluster, arms, rng),
        alike_limit=DEFAULT.max_alike + 1 / math.sqrt(study.clusters),
        clusters=study.clusters,
    )
    verdict, reasons = judge(evidence)
    diagnostics = _diagnostics(study, plan, fit, evidence)
    diagnostics["sensitivity"] = sensitivity_of(fit.answer, study.treated, study.outcome, own, e, plan.estimand).shown()
    return Effect(
        estimate=fit.answer.value,
        interval=(fit.answer.lo, fit.answer.hi),
        se=fit.answer.se,
        estimator=ESTIMATOR,
        estimand=plan.estimand.value,
        n=len(study),
        diagnostics=diagnostics,
        verdict=verdict.value,
        reasons=reasons,
    )


def _fit(study: Study, plan: Plan) -> _Fit:
    design = design_of(study.covariates)
    splits = tuple(_split(study, design, plan, number) for number in range(plan.splits(len(study))[0]))
    found = over_splits([split.answer for split in splits], study.clusters)
    return _Fit(study, design, splits, found, _averaged([split.nuisances for split in splits]))


def _split(study: Study, design: Design, plan: Plan, number: int) -> _Split:
    folds = plan.splits(len(study))[1]
    fold = deal(study.treated, study.cluster, folds, np.random.default_rng([plan.seed, 0, number]))
    seed = plan.seed + 1000 * number
    nuisances = cross_fit(study, design, fold, seed, both=plan.estimand is Estimand.ATE)
    estimate = doubly_robust(
        study.treated,
        study.outcome,
        bounded(nuisances.propensity, plan.estimand),
        nuisances.untreated,
        nuisances.treated,
        plan.estimand,
    )
    return _Split(answer(estimate, study.cluster), nuisances)


def _averaged(parts: Sequence[Nuisances]) -> Nuisances:
    treated = [part.treated for part in parts if part.treated is not None]
    return replace(
        parts[0],
        propensity=np.mean([part.propensity for part in parts], axis=0),
        untreated=np.mean([part.untreated for part in parts], axis=0),
        treated=np.mean(treated, axis=0) if treated else None,
    )


def _own_arm(study: Study, mean: Nuisances) -> Floats:
    """Outcome less its prediction in the row's own arm; where only the untreated arm is learned, less that one's."""
    predicted = mean.untreated if mean.treated is None else np.where(study.treated == 1, mean.treated, mean.untreated)
    return np.asarray(study.outcome - predicted)


def _residual(study: Study, fit: _Fit) -> Floats:
    """Outcome less what the covariates alone say of it, whatever the treatment."""
    gain = fit.answer.value if fit.mean.treated is None else fit.mean.treated - fit.mean.untreated
    return np.asarray(study.outcome - fit.mean.untreated - fit.mean.propensity * gain)


def _placebo_outcome(study: Study, plan: Plan, fit: _Fit) -> PlaceboOutcome | None:
    if study.placebo is None or study.placebo_name is None:
        return None
    found = _fit(study.of_placebo(), plan).answer
    return PlaceboOutcome(
        study.placebo_name,
        found,
        found.value / float(study.placebo.std()),
        fit.answer.value / float(study.outcome.std()),
    )


def _common_cause_shift(fit: _Fit, plan: Plan) -> float:
    """How far a covariate of noise moves the first split's estimate, in standard errors."""
    rng = np.random.default_rng([plan.seed, 2])
    study, before = fit.study, fit.splits[0].answer
    of_cluster = rng.random(study.clusters) < NOISE_ROWS / len(study)
    part = study.rows(of_cluster[study.cluster])
    if len(part) < len(study) and min(part.treated.sum(), (1 - part.treated).sum()) >= MIN_PER_ARM * plan.folds:
        study = part
        before = _split(study, design_of(study.covariates), plan, 0).answer
    noisy = study.with_covariate("noise", rng.standard_normal(len(study)))
    after = _split(noisy, design_of(noisy.covariates), plan, 0).answer
    return abs(after.value - before.value) / before.se if before.se > 0 else 0.0


def _diagnostics(study: Study, plan: Plan, fit: _Fit, evidence: Evidence) -> dict[str, Any]:
    t, y, mean = study.treated, study.outcome, fit.mean
    e = bounded(mean.propensity, plan.estimand)
    cut = trimmed(study, mean, plan.estimand)
    placebo = evidence.placebo_outcome
    return {
        "rows": {"treated": int(t.sum()), "untreated": int((1 - t).sum()), "clusters": study.clusters},
        "covariates": {"used": list(study.names), "dropped_as_constant": list(study.dropped)},
        "other_estimators": {
            "naive": answer(naive(t, y), study.cluster).shown(),
            "ipw": answer(weighted(t, y, e, plan.estimand), study.cluster).shown(),
            "outcome_regression": {"estimate": regressed(t, y, mean.untreated, mean.treated, plan.estimand)},
        },
        "overlap": evidence.overlap.shown(),
        "trimmed": None if cut is None else {**cut[0].shown(), "rows": cut[1]},
        "balance": evidence.balance.shown(),
        "placebo_treatment": evidence.placebo_treatment.shown(),
        "placebo_outcome": None
        if placebo is None
        else {
            "name": placebo.name,
            **placebo.found.shown(),
            "in_standard_deviations": placebo.size,
            "effect_in_standard_deviations": placebo.effect_size,
        },
        "random_common_cause": {"shift_in_standard_errors": evidence.common_cause_shift},
        "neighbours_residuals": {"correlation": evidence.alike, "limit": evidence.alike_limit},
        "splits": {
            "folds": plan.splits(len(study))[1],
            "repetitions": len(fit.splits),
            "estimates": [split.answer.value for split in fit.splits],
            "spread_in_standard_errors": evidence.split_spread,
            "seed": plan.seed,
        },
        "learners": {"weights": fit.splits[0].nuisances.weights, "propensity_calibration": mean.calibration},
    }
