"""The policy about models of several classes: macro-F1 against the best baseline, calibration, and the same contest."""

from typing import Any

import pytest
from judged import WINDOW, comparison, estimate, incumbent
from judged import candidate as two_class

from esports_assets.promotion.policy import choose_family, decide, failed_gates
from esports_assets.promotion.terms import DEFAULT_POLICY, ClassCandidate, Kind

XGBOOST, RULES = "cs2.intent.xgboost", "cs2.intent.heuristics"


def candidate(**changes: Any) -> ClassCandidate:
    plain: dict[str, Any] = {
        "registered_name": XGBOOST,
        "version": 2,
        "log_loss": estimate(0.98),
        "ece": estimate(0.01, 0.005),
        "accuracy": estimate(0.6),
        "macro_f1": estimate(0.55),
        "best_baseline": "persistence",
        "gain_over_best": estimate(0.3),
        "n_matches": 46,
        "n_training_matches": 46,
        "simulated": False,
        "calibrated": True,
        "window_fingerprint": WINDOW,
    }
    return ClassCandidate(**(plain | changes))


def test_the_first_that_beats_the_best_baseline_is_promoted_with_its_numbers() -> None:
    decision = decide(candidate(), None, None, serving_fingerprint=WINDOW)
    assert decision.kind is Kind.PROMOTE
    assert "macro-F1 0.5500 [0.5400, 0.5600], gain over persistence 0.3000 [0.2900, 0.3100]" in decision.reasons[1]
    assert decision.evidence["candidate"]["best_baseline"] == "persistence"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"gain_over_best": estimate(0.005)}, "does not beat the best baseline, persistence: gain in macro-F1 0.0050"),
        ({"gain_over_best": estimate(-0.2)}, "does not beat the best baseline, persistence: gain in macro-F1 -0.2000"),
        ({"ece": estimate(0.09)}, "is off in its probabilities: ECE 0.0900"),
        ({"calibrated": False}, "is not calibrated"),
        ({"window_fingerprint": "b" * 64}, "reads the window"),
        ({"checks": {"windows/cs2/player_micro declared_schema": False}}, "failed the check windows/cs2/player_micro"),
    ],
)
def test_one_that_fails_a_gate_is_refused_with_the_reason(changes: dict[str, Any], sentence: str) -> None:
    decision = decide(candidate(**changes), None, None, serving_fingerprint=WINDOW)
    assert decision.kind is Kind.REFUSE
    assert any(sentence in reason for reason in decision.reasons)


def test_gates_of_two_classes_do_not_ask_for_macro_f1() -> None:
    assert failed_gates(two_class(), WINDOW, DEFAULT_POLICY) == ()
    assert failed_gates(candidate(), WINDOW, DEFAULT_POLICY) == ()


def test_rules_that_fail_leave_the_field_to_the_learned() -> None:
    rules = candidate(registered_name=RULES, gain_over_best=estimate(-0.1))
    choice = choose_family([rules, candidate()], {}, serving_fingerprint=WINDOW)
    assert choice.candidate is not None
    assert choice.candidate.registered_name == XGBOOST
    assert "cs2.intent.heuristics v2 does not beat the best baseline" in choice.reasons[0]


def test_rules_stand_first_among_equals() -> None:
    rules = candidate(registered_name=RULES)
    pair = {(XGBOOST, RULES): comparison(0.0)}
    assert choose_family([candidate(), rules], pair, serving_fingerprint=WINDOW).candidate is rules
    better = {(XGBOOST, RULES): comparison(-0.02)}
    chosen = choose_family([candidate(), rules], better, serving_fingerprint=WINDOW).candidate
    assert chosen is not None
    assert chosen.registered_name == XGBOOST


def test_the_contest_with_the_incumbent_is_in_log_loss() -> None:
    other = incumbent(registered_name=XGBOOST)
    won = decide(candidate(), other, comparison(-0.02), serving_fingerprint=WINDOW)
    kept = decide(candidate(), other, comparison(0.02), serving_fingerprint=WINDOW)
    assert (won.kind, kept.kind) == (Kind.PROMOTE, Kind.RETAIN)
