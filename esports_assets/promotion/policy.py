"""When a model may serve a task: pure decisions, each with its reasons in sentences with numbers.

Belongs here: the gates, the comparison with the incumbent, the choice between families of one task.
Does not belong here: metrics and intervals (``models/evaluate.py``), MLflow, the ledger, anything that does something.

The rule, in the order in which it is applied; the first stage that objects names the decision, all objections are
listed:

1. **insufficient_data**: the evaluation, or its comparison with the incumbent, saw fewer than ``min_matches`` matches.
2. **refuse**: an absolute gate fails (a check failed; another window fingerprint than the one that serving computes;
   the paired gain over the prior-only baseline is not above zero with its whole interval; worse than the plain logistic
   baseline with its whole interval; of several classes instead of these two: the paired gain in macro-F1 over the best of
   the task's baselines is not above zero with its whole interval; ECE above ``max_ece``; not calibrated); or the
   candidate was trained on simulated matches and the incumbent on real ones; or a comparison that is needed is missing
   or weaker than ``alpha``.
3. **promote** on the absolute gates alone: there is no incumbent; or the incumbent was trained on simulated matches and
   the candidate on real ones (they share no matches on which to compare them); or the incumbent reads another window
   than the one that serving computes, so that it could not be served any more.
4. **promote** by comparison (candidate minus incumbent in log loss, same rows, interval clustered by match):
   *superior*, the whole interval lies below zero and the difference is at least ``min_effect``; or *non-inferior and
   better fed*, the whole interval lies below ``margin``, the candidate was trained on strictly more matches, and its
   ECE is no more than ``ece_tolerance`` above the incumbent's.
5. **retain** otherwise.

Every condition is monotone: a candidate that is better or equal in everything is never treated worse.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from esports_assets.promotion.terms import (
    DEFAULT_POLICY,
    Alias,
    AnyCandidate,
    ClassCandidate,
    Comparison,
    Decision,
    Estimate,
    FamilyChoice,
    Incumbent,
    Kind,
    PolicyConfig,
)

SIMPLE_FIRST = ("heuristics", "multinomial_logistic", "random_forest", "xgboost", "feed_forward")
"""Families from simple to complex; ties of a comparison go to the simpler one, and unknown families come last."""


def decide(
    candidate: AnyCandidate,
    incumbent: Incumbent | None,
    comparison: Comparison | None,
    *,
    serving_fingerprint: str,
    config: PolicyConfig = DEFAULT_POLICY,
) -> Decision:
    """Whether the candidate takes Production; the rule is this module's docstring."""

    def decided(kind: Kind, reasons: Sequence[str]) -> Decision:
        evidence = {
            "candidate": asdict(candidate),
            "incumbent": asdict(incumbent) if incumbent else None,
            "comparison": asdict(comparison) if comparison else None,
            "serving_fingerprint": serving_fingerprint,
            "policy": asdict(config),
        }
        return Decision(kind, Alias.PRODUCTION, tuple(reasons), evidence)

    if incumbent and (incumbent.registered_name, incumbent.version) == (candidate.registered_name, candidate.version):
        return decided(Kind.RETAIN, [f"{candidate.label} already serves this task."])
    contest, sentence = _contest(candidate, incumbent, comparison, serving_fingerprint, config)
    lack = too_little_data(candidate, config)
    failed = failed_gates(candidate, serving_fingerprint, config)
    against = [sentence] if contest in (Kind.INSUFFICIENT_DATA, Kind.REFUSE) else []
    if lack or contest is Kind.INSUFFICIENT_DATA:
        return decided(Kind.INSUFFICIENT_DATA, [*lack, *failed, *against])
    if failed or contest is Kind.REFUSE:
        return decided(Kind.REFUSE, [*failed, *against])
    return decided(contest, [sentence, _passed(candidate, config)])


def too_little_data(candidate: AnyCandidate, config: PolicyConfig) -> tuple[str, ...]:
    """Why there is too little to judge this candidate at all."""
    if candidate.n_matches >= config.min_matches:
        return ()
    return (f"{candidate.label} was evaluated on {candidate.n_matches} matches; {config.min_matches} are needed.",)


def failed_gates(candidate: AnyCandidate, serving_fingerprint: str, config: PolicyConfig) -> tuple[str, ...]:
    """The absolute gates that the candidate fails, one sentence each."""
    who = candidate.label
    failed = [f"{who} failed the check {name}." for name, ok in sorted(candidate.checks.items()) if not ok]
    if candidate.window_fingerprint != serving_fingerprint:
        failed.append(
            f"{who} reads the window {candidate.window_fingerprint[:12]}, "
            f"but serving computes {serving_fingerprint[:12]}."
        )
    failed.extend(_against_baselines(candidate, config))
    if candidate.ece.value > config.max_ece:
        failed.append(
            f"{who} is off in its probabilities: ECE {candidate.ece}, at most {config.max_ece:.4f} is allowed."
        )
    if not candidate.calibrated:
        failed.append(f"{who} is not calibrated.")
    return tuple(failed)


def _against_baselines(candidate: AnyCandidate, config: PolicyConfig) -> Iterator[str]:
    """What stands against a candidate beside its baselines."""
    who = candidate.label
    if isinstance(candidate, ClassCandidate):
        if candidate.gain_over_best.lo <= 0:
            yield (
                f"{who} does not beat the best baseline, {candidate.best_baseline}: gain in macro-F1 "
                f"{candidate.gain_over_best}, and the whole interval must lie above zero."
            )
        return
    if config.require_gain_over_prior and candidate.gain_over_prior.lo <= 0:
        yield (
            f"{who} does not beat the prior-only baseline: gain in log loss {candidate.gain_over_prior}, "
            "and the whole interval must lie above zero."
        )
    if config.require_not_worse_than_logistic and candidate.gain_over_logistic.hi < 0:
        yield f"{who} is worse than the plain logistic baseline: gain in log loss {candidate.gain_over_logistic}."


def choose_family(
    candidates: Sequence[AnyCandidate],
    comparisons: Mapping[tuple[str, str], Comparison],
    *,
    serving_fingerprint: str,
    config: PolicyConfig = DEFAULT_POLICY,
) -> FamilyChoice:
    """Which family's candidate stands for the task, by paired out-of-fold comparison; ties go to the simpler family.

    ``comparisons[(a, b)]`` is a minus b, by registered name; either direction of a pair will do. Candidates that fail a
    gate or have too little data do not take part. Starting at the simplest, the leader gives way only to a more complex
    family whose whole interval lies below zero.
    """
    reasons: list[str] = []
    eligible: list[AnyCandidate] = []
    for candidate in sorted(candidates, key=_complexity):
        objections = too_little_data(candidate, config) + failed_gates(candidate, serving_fingerprint, config)
        reasons.extend(objections)
        if not objections:
            eligible.append(candidate)
    if not eligible:
        return FamilyChoice(None, tuple(reasons) or ("There is no candidate.",))
    leader = eligible[0]
    if len(eligible) == 1:
        reasons.append(f"{leader.label} is the only family that passes its gates.")
    for challenger in eligible[1:]:
        found = _paired(comparisons, challenger.registered_name, leader.registered_name)
        if found is None:
            reasons.append(
                f"{challenger.label} was not compared with {leader.label}, so the simpler {leader.label} stays."
            )
        elif found.log_loss_difference.hi < 0:
            reasons.append(f"{challenger.label} beats {leader.label} by {found.log_loss_difference} in log loss.")
            leader = challenger
        else:
            reasons.append(
                f"{challenger.label} does not beat the simpler {leader.label}: difference in log loss "
                f"{found.log_loss_difference}."
            )
    return FamilyChoice(leader, tuple(reasons))


def _contest(
    candidate: AnyCandidate,
    incumbent: Incumbent | None,
    comparison: Comparison | None,
    serving_fingerprint: str,
    config: PolicyConfig,
) -> tuple[Kind, str]:
    """How the candidate stands to the incumbent alone, the absolute gates apart, and the sentence that says so."""
    who = candidate.label
    if incumbent is None:
        return Kind.PROMOTE, f"{who} is the first model of its task, so the absolute gates alone decide."
    other = incumbent.label
    if candidate.simulated and not incumbent.simulated:
        return Kind.REFUSE, (
            f"{who} was trained on simulated matches and never replaces {other}, which was trained on real ones."
        )
    if incumbent.simulated and not candidate.simulated:
        return Kind.PROMOTE, (
            f"{other} was trained on simulated matches and {who} on real ones: they cannot be compared on the same "
            "matches, so the absolute gates alone decide."
        )
    if incumbent.window_fingerprint != serving_fingerprint:
        return Kind.PROMOTE, (
            f"{other} reads the window {incumbent.window_fingerprint[:12]}, which serving does not compute any more, "
            "so the absolute gates alone decide."
        )
    if comparison is None:
        return Kind.REFUSE, f"{who} was not compared with {other} on the same matches."
    if comparison.n_matches < config.min_matches:
        return Kind.INSUFFICIENT_DATA, (
            f"{who} was compared with {other} on {comparison.n_matches} matches; {config.min_matches} are needed."
        )
    if comparison.confidence < 1 - config.alpha - 1e-9:
        return Kind.REFUSE, (
            f"{who} was compared with {other} at {comparison.confidence:.0%} confidence; "
            f"{1 - config.alpha:.0%} is needed."
        )
    return _compared(candidate, incumbent, comparison, config)


def _compared(
    candidate: AnyCandidate, incumbent: Incumbent, comparison: Comparison, config: PolicyConfig
) -> tuple[Kind, str]:
    """Superior, or non-inferior and better fed, or neither."""
    who, other = candidate.label, incumbent.label
    difference = comparison.log_loss_difference
    measured = f"difference in log loss {difference} on {comparison.n_matches} matches"
    if difference.hi < 0 and difference.value <= -config.min_effect:
        return Kind.PROMOTE, f"{who} beats {other}: {measured}, the whole interval below zero."
    fed = f"trained on {candidate.n_training_matches} matches against {incumbent.n_training_matches}"
    probabilities = f"ECE {candidate.ece.value:.4f} against {incumbent.ece.value:.4f}"
    if (
        difference.hi < config.margin
        and candidate.n_training_matches > incumbent.n_training_matches
        and candidate.ece.value <= incumbent.ece.value + config.ece_tolerance
    ):
        return Kind.PROMOTE, (
            f"{who} is not worse than {other} ({measured}, margin {config.margin:.4f}) and better fed: "
            f"{fed}, {probabilities}."
        )
    return Kind.RETAIN, (
        f"{who} is neither better than {other} ({measured}) nor, within the margin of {config.margin:.4f}, "
        f"better fed and as well calibrated ({fed}, {probabilities})."
    )


def _passed(candidate: AnyCandidate, config: PolicyConfig) -> str:
    gain = (
        f"macro-F1 {candidate.macro_f1}, gain over {candidate.best_baseline} {candidate.gain_over_best}"
        if isinstance(candidate, ClassCandidate)
        else f"gain over the prior {candidate.gain_over_prior}"
    )
    return (
        f"{candidate.label} passes the absolute gates on {candidate.n_matches} matches: log loss {candidate.log_loss}, "
        f"{gain}, ECE {candidate.ece.value:.4f} of at most {config.max_ece:.4f}."
    )


def _complexity(candidate: AnyCandidate) -> tuple[int, str]:
    known = candidate.family in SIMPLE_FIRST
    return (SIMPLE_FIRST.index(candidate.family) if known else len(SIMPLE_FIRST), candidate.registered_name)


def _paired(comparisons: Mapping[tuple[str, str], Comparison], one: str, other: str) -> Comparison | None:
    """The comparison of one minus other, turned round if it was made the other way."""
    if (one, other) in comparisons:
        return comparisons[one, other]
    turned = comparisons.get((other, one))
    if turned is None:
        return None
    d = turned.log_loss_difference
    return Comparison(Estimate(-d.value, -d.hi, -d.lo), turned.n_matches, turned.confidence)
