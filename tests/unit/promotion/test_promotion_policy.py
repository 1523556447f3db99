"""The rule of promotion: its cases one by one, and its properties over everything."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.promotion.judged import LOGISTIC, WINDOW, XGBOOST, candidate, comparison, estimate, incumbent

from esports_assets.promotion import mirror
from esports_assets.promotion.policy import choose_family, decide
from esports_assets.promotion.terms import (
    Alias,
    Candidate,
    Comparison,
    Decision,
    Estimate,
    Incumbent,
    Kind,
    PolicyConfig,
)

RANK = {Kind.INSUFFICIENT_DATA: 0, Kind.REFUSE: 1, Kind.RETAIN: 2, Kind.PROMOTE: 3}


def judged(one: Candidate, other: Incumbent | None = None, paired: Comparison | None = None, **config: Any) -> Decision:
    return decide(one, other, paired, serving_fingerprint=WINDOW, config=PolicyConfig(**config))


def test_first_model_needs_only_the_absolute_gates() -> None:
    decision = judged(candidate())
    assert decision.kind is Kind.PROMOTE
    assert decision.alias is Alias.PRODUCTION
    assert "first model" in decision.reasons[0]
    assert "0.4700" in decision.reasons[1]


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"gain_over_prior": estimate(0.005)}, Kind.REFUSE, "prior-only baseline"),
        ({"gain_over_logistic": estimate(-0.02)}, Kind.REFUSE, "plain logistic baseline"),
        ({"ece": estimate(0.2)}, Kind.REFUSE, "ECE 0.2000"),
        ({"calibrated": False}, Kind.REFUSE, "not calibrated"),
        ({"window_fingerprint": "b" * 64}, Kind.REFUSE, "reads the window bbbb"),
        ({"checks": {"leakage": False, "rows": True}}, Kind.REFUSE, "failed the check leakage"),
        ({"n_matches": 3}, Kind.INSUFFICIENT_DATA, "3 matches; 5 are needed"),
    ],
)
def test_each_absolute_gate(changes: dict[str, Any], kind: Kind, words: str) -> None:
    for other, paired in ((None, None), (incumbent(), comparison())):
        decision = judged(candidate(**changes), other, paired)
        assert decision.kind is kind
        assert any(words in reason for reason in decision.reasons)


def test_all_objections_are_listed() -> None:
    decision = judged(candidate(calibrated=False, ece=estimate(0.2), n_matches=1))
    assert decision.kind is Kind.INSUFFICIENT_DATA
    assert len(decision.reasons) == 3


@pytest.mark.parametrize(
    ("paired", "fed", "kind"),
    [
        (comparison(-0.02), 46, Kind.PROMOTE),
        (comparison(-0.02), 40, Kind.PROMOTE),
        (comparison(0.0, 0.004), 46, Kind.PROMOTE),
        (comparison(0.0, 0.004), 40, Kind.RETAIN),
        (comparison(0.0, 0.006), 46, Kind.RETAIN),
        (comparison(0.03), 46, Kind.RETAIN),
        (None, 46, Kind.REFUSE),
        (comparison(-0.02, n_matches=4), 46, Kind.INSUFFICIENT_DATA),
        (comparison(-0.02, confidence=0.8), 46, Kind.REFUSE),
    ],
)
def test_against_an_incumbent(paired: Comparison | None, fed: int, kind: Kind) -> None:
    assert judged(candidate(n_training_matches=fed), incumbent(), paired).kind is kind


def test_better_fed_does_not_excuse_worse_calibration() -> None:
    one = candidate(ece=estimate(0.03))
    assert judged(one, incumbent(), comparison(0.0, 0.004)).kind is Kind.RETAIN
    assert judged(one, incumbent(), comparison(0.0, 0.004), ece_tolerance=0.02).kind is Kind.PROMOTE


def test_an_effect_below_the_smallest_one_that_matters_is_not_enough() -> None:
    one = candidate(n_training_matches=40)
    assert judged(one, incumbent(), comparison(-0.02), min_effect=0.03).kind is Kind.RETAIN


def test_simulated_and_real_are_never_mixed() -> None:
    never = judged(candidate(simulated=True), incumbent(), comparison(-0.2))
    assert never.kind is Kind.REFUSE
    assert "simulated" in never.reasons[0]
    real = judged(candidate(), incumbent(simulated=True), None)
    assert real.kind is Kind.PROMOTE
    assert "cannot be compared" in real.reasons[0]
    assert judged(candidate(calibrated=False), incumbent(simulated=True)).kind is Kind.REFUSE
    among = judged(candidate(simulated=True), incumbent(simulated=True), comparison(0.03))
    assert among.kind is Kind.RETAIN


def test_an_incumbent_that_serving_cannot_serve_yields() -> None:
    assert judged(candidate(), incumbent(window_fingerprint="b" * 64), None).kind is Kind.PROMOTE
    assert judged(candidate(simulated=True), incumbent(window_fingerprint="b" * 64), None).kind is Kind.REFUSE


def test_the_version_in_production_is_not_promoted_again() -> None:
    assert judged(candidate(version=1), incumbent(), comparison(-0.02)).kind is Kind.RETAIN


def test_unmeasured_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        Estimate(float("nan"), 0.0, 1.0)
    with pytest.raises(ValueError, match="upside down"):
        Estimate(0.5, 0.6, 0.4)
    with pytest.raises(ValueError, match="without a reason"):
        Decision(Kind.PROMOTE, Alias.PRODUCTION, (), {})


def test_the_aliases_are_those_of_the_markers() -> None:
    assert tuple(Alias) == mirror.ALIASES


def simple(**changes: Any) -> Candidate:
    return candidate(registered_name=LOGISTIC, **changes)


@pytest.mark.parametrize(
    ("paired", "winner"),
    [
        ({(XGBOOST, LOGISTIC): comparison(-0.02)}, XGBOOST),
        ({(LOGISTIC, XGBOOST): comparison(0.02)}, XGBOOST),
        ({(XGBOOST, LOGISTIC): comparison(-0.005)}, LOGISTIC),
        ({(XGBOOST, LOGISTIC): comparison(0.02)}, LOGISTIC),
        ({}, LOGISTIC),
    ],
)
def test_ties_go_to_the_simpler_family(paired: dict[tuple[str, str], Comparison], winner: str) -> None:
    for order in ([candidate(), simple()], [simple(), candidate()]):
        choice = choose_family(order, paired, serving_fingerprint=WINDOW)
        assert choice.candidate is not None
        assert choice.candidate.registered_name == winner
        assert choice.reasons


def test_a_family_that_fails_a_gate_does_not_take_part() -> None:
    choice = choose_family([simple(calibrated=False), candidate()], {}, serving_fingerprint=WINDOW)
    assert choice.candidate == candidate()
    assert any("not calibrated" in reason for reason in choice.reasons)
    nobody = choose_family([simple(calibrated=False)], {}, serving_fingerprint=WINDOW)
    assert nobody.candidate is None
    assert nobody.reasons
    assert choose_family([], {}, serving_fingerprint=WINDOW).reasons == ("There is no candidate.",)


# Properties -----------------------------------------------------------------------------------------------------------

small = st.floats(0, 0.1)
signed = st.floats(-0.1, 0.1)


@st.composite
def estimates(draw: st.DrawFn, values: st.SearchStrategy[float] = signed) -> Estimate:
    value = draw(values)
    return Estimate(value, value - draw(small), value + draw(small))


candidates = st.builds(
    candidate,
    ece=estimates(small),
    gain_over_prior=estimates(),
    gain_over_logistic=estimates(),
    n_matches=st.integers(3, 8),
    n_training_matches=st.integers(3, 60),
    simulated=st.booleans(),
    calibrated=st.booleans(),
    window_fingerprint=st.sampled_from([WINDOW, WINDOW, "b" * 64]),
    checks=st.fixed_dictionaries({"rows": st.booleans(), "leakage": st.just(True)}),
)
incumbents = st.none() | st.builds(
    incumbent,
    ece=estimates(small),
    n_training_matches=st.integers(3, 60),
    simulated=st.booleans(),
    window_fingerprint=st.sampled_from([WINDOW, WINDOW, "b" * 64]),
)
comparisons = st.none() | st.builds(Comparison, estimates(), st.integers(3, 8), st.sampled_from([0.9, 0.95, 0.99]))


def shifted(estimate_: Estimate, by: float) -> Estimate:
    return Estimate(estimate_.value + by, estimate_.lo + by, estimate_.hi + by)


@given(candidates, incumbents, comparisons)
def test_always_a_reason_and_the_same_twice(one: Candidate, other: Incumbent | None, paired: Comparison | None) -> None:
    decision = judged(one, other, paired)
    assert decision.reasons
    assert all(reason.endswith(".") for reason in decision.reasons)
    assert decision == judged(one, other, paired)
    assert json.loads(json.dumps(decision.evidence))["candidate"]["registered_name"] == XGBOOST


@given(candidates, incumbents, comparisons)
def test_no_promotion_if_any_gate_fails(one: Candidate, other: Incumbent | None, paired: Comparison | None) -> None:
    decision = judged(one, other, paired)
    gates_hold = (
        one.n_matches >= 5
        and one.gain_over_prior.lo > 0
        and one.gain_over_logistic.hi >= 0
        and one.ece.value <= 0.08
        and one.calibrated
        and all(one.checks.values())
        and one.window_fingerprint == WINDOW
        and not (one.simulated and other is not None and not other.simulated)
    )
    if decision.kind in (Kind.PROMOTE, Kind.RETAIN):
        assert gates_hold
    if gates_hold and other is None:
        assert decision.kind is Kind.PROMOTE


@given(candidates, incumbents, comparisons, small, small, small, st.integers(0, 9), st.booleans())
def test_better_is_never_treated_worse(
    one: Candidate,
    other: Incumbent | None,
    paired: Comparison | None,
    gain: float,
    truth: float,
    lead: float,
    matches: int,
    repaired: bool,
) -> None:
    better = replace(
        one,
        gain_over_prior=shifted(one.gain_over_prior, gain),
        gain_over_logistic=shifted(one.gain_over_logistic, gain),
        ece=shifted(one.ece, -truth),
        n_matches=one.n_matches + matches,
        n_training_matches=one.n_training_matches + matches,
        calibrated=one.calibrated or repaired,
        checks={name: ok or repaired for name, ok in one.checks.items()},
    )
    closer = paired and Comparison(
        shifted(paired.log_loss_difference, -lead), paired.n_matches + matches, paired.confidence
    )
    assert RANK[judged(better, other, closer).kind] >= RANK[judged(one, other, paired).kind]
