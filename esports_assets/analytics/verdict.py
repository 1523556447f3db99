"""What the diagnostics of an effect add up to, with reasons that a person can read.

Belongs here: the rule and its thresholds. Pure.
Does not belong here: measuring anything; whether the effect is significant, which says nothing about whether it is right.

The rule, in this order; all reasons are listed:

1. **not_identifiable**: the arms cannot be compared. An arm has an effective sample of fewer than ``min_effective`` rows or, for
   the rows that the effect is about, more than ``max_cut`` have propensities at the bound.
2. **refuted**: a placebo outcome shows an effect at least as large, in standard deviations, as the one on the outcome.
3. **fragile**: any single diagnostic objects: placebo outcome, placebo treatment, random common cause, overlap, balance,
   residuals that neighbours share, disagreement between random splits, few clusters.
4. **supported** otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from esports_assets.analytics.balance import Balance
from esports_assets.analytics.inference import Answer
from esports_assets.analytics.overlap import Overlap
from esports_assets.analytics.placebo import PlaceboTreatment


class Verdict(StrEnum):
    """What to think of an effect."""

    SUPPORTED = "supported"
    FRAGILE = "fragile"
    REFUTED = "refuted"
    NOT_IDENTIFIABLE = "not_identifiable"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """See the module; shares 0 ... 1, ``max_spread`` and ``max_shift`` in standard errors (one split's own
    noise is part of a shift)."""

    min_effective: float = 15.0
    max_cut: float = 0.1
    max_edge: float = 0.05
    min_effective_share: float = 0.3
    max_heaviest: float = 0.1
    max_spread: float = 0.5
    max_shift: float = 1.0
    max_alike: float = 0.02
    min_clusters: int = 30


@dataclass(frozen=True, slots=True)
class PlaceboOutcome:
    """The answer to the question about the placebo outcome, and both effects in standard deviations of their outcome."""

    name: str
    found: Answer
    size: float
    effect_size: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the verdict rests on. ``split_spread`` and ``common_cause_shift`` in standard errors; ``alike`` the
    correlation of neighbours' residuals and ``alike_limit`` what is accepted.
    """

    overlap: Overlap
    balance: Balance
    placebo_treatment: PlaceboTreatment
    placebo_outcome: PlaceboOutcome | None
    common_cause_shift: float
    split_spread: float
    alike: float
    alike_limit: float
    clusters: int


DEFAULT = Thresholds()


def judge(evidence: Evidence, limits: Thresholds = DEFAULT) -> tuple[Verdict, list[str]]:
    """The verdict and its reasons; of a supported effect what it rests on."""
    hopeless = list(_hopeless(evidence.overlap, limits))
    refuting = list(_refuting(evidence.placebo_outcome))
    doubts = [
        *_placebo_doubts(evidence),
        *_overlap_doubts(evidence.overlap, limits),
        *_fit_doubts(evidence, limits),
    ]
    reasons = [*hopeless, *refuting, *doubts]
    if hopeless:
        return Verdict.NOT_IDENTIFIABLE, reasons
    if refuting:
        return Verdict.REFUTED, reasons
    if doubts:
        return Verdict.FRAGILE, reasons
    return Verdict.SUPPORTED, [_praise(evidence)]


def _hopeless(overlap: Overlap, limits: Thresholds) -> Iterator[str]:
    smaller = min(overlap.effective_treated, overlap.effective_untreated)
    if smaller < limits.min_effective:
        yield (
            f"The arms cannot be compared: weighted to look alike, one of them counts like {smaller:.0f} rows, "
            f"fewer than {limits.min_effective:.0f}."
        )
    if overlap.cut > limits.max_cut:
        yield (
            f"The arms cannot be compared: {overlap.cut:.0%} of the rows that the effect is about had hardly any chance of the "
            f"other treatment (propensity within {overlap.bound:.3f} of its end)."
        )


def _refuting(placebo: PlaceboOutcome | None) -> Iterator[str]:
    if placebo is not None and placebo.found.excludes_zero and abs(placebo.size) >= abs(placebo.effect_size):
        yield (
            f"The placebo outcome {placebo.name}, which the treatment cannot have changed, shows an effect of "
            f"{placebo.found.value:.4g} [{placebo.found.lo:.4g}, {placebo.found.hi:.4g}]: in standard deviations as large as the "
            f"effect itself ({placebo.size:.2f} against {placebo.effect_size:.2f})."
        )


def _placebo_doubts(evidence: Evidence) -> Iterator[str]:
    outcome, treatment = evidence.placebo_outcome, evidence.placebo_treatment
    if outcome is not None and outcome.found.excludes_zero and abs(outcome.size) < abs(outcome.effect_size):
        yield (
            f"The placebo outcome {outcome.name}, which the treatment cannot have changed, shows an effect of "
            f"{outcome.found.value:.4g} [{outcome.found.lo:.4g}, {outcome.found.hi:.4g}]: the covariates leave out something."
        )
    if treatment.missed > treatment.limit:
        yield (
            f"Intervals are too narrow: of {treatment.draws} treatments that do nothing (permuted {treatment.permuted}) they "
            f"miss zero for {treatment.missed:.0%} instead of 5%."
        )


def _overlap_doubts(overlap: Overlap, limits: Thresholds) -> Iterator[str]:
    if overlap.edge > limits.max_edge:
        yield f"Overlap is poor: {overlap.edge:.0%} of the rows that the effect is about have propensities within 0.05 of the end."
    if overlap.effective_share < limits.min_effective_share:
        yield (
            f"Overlap is poor: weighting leaves an effective sample of {overlap.effective_share:.0%} of its rows, less than "
            f"{limits.min_effective_share:.0%}."
        )
    if overlap.heaviest > limits.max_heaviest:
        yield f"A single row has {overlap.heaviest:.0%} of the weight of its arm."


def _fit_doubts(evidence: Evidence, limits: Thresholds) -> Iterator[str]:
    name, difference = evidence.balance.worst
    if abs(difference) > evidence.balance.limit:
        yield (
            f"{name} still differs by {abs(difference):.2f} standard deviations between the arms after weighting (at most "
            f"{evidence.balance.limit:.2f})."
        )
    if evidence.alike > evidence.alike_limit:
        yield (
            f"The learners have missed something that the covariates say: residuals of rows that are alike have a "
            f"correlation of {evidence.alike:.2f} (at most {evidence.alike_limit:.2f})."
        )
    if evidence.common_cause_shift > limits.max_shift:
        yield f"A covariate of pure noise moves the estimate by {evidence.common_cause_shift:.1f} standard errors."
    if evidence.split_spread > limits.max_spread:
        yield f"Random splits of the rows disagree by {evidence.split_spread:.1f} standard errors."
    if evidence.clusters < limits.min_clusters:
        yield f"{evidence.clusters} clusters are few for a standard error (at least {limits.min_clusters})."


def _praise(evidence: Evidence) -> str:
    name, difference = evidence.balance.worst
    passed = "balance, overlap, placebo treatments, a random common cause and random splits do not object"
    placebo = evidence.placebo_outcome
    passed += (
        "; no placebo outcome was named"
        if placebo is None
        else f", and the placebo outcome {placebo.name} shows nothing"
    )
    return (
        f"All checks are passed: {passed} (worst balance {name} {abs(difference):.2f}, effective sample "
        f"{evidence.overlap.effective_share:.0%}). It rests on nothing unseen moving both treatment and outcome."
    )
