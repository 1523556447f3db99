"""Plain candidates, incumbents and comparisons for the tests of promotion."""

from typing import Any

from esports_assets.promotion.terms import Candidate, Comparison, Estimate, Incumbent

WINDOW = "a" * 64
LOGISTIC = "cs2.round_win.multinomial_logistic"
XGBOOST = "cs2.round_win.xgboost"


def estimate(value: float, half: float = 0.01) -> Estimate:
    return Estimate(value, value - half, value + half)


def candidate(**changes: Any) -> Candidate:
    plain: dict[str, Any] = {
        "registered_name": XGBOOST,
        "version": 2,
        "log_loss": estimate(0.47),
        "brier": estimate(0.16),
        "ece": estimate(0.02),
        "auc": estimate(0.84),
        "accuracy": estimate(0.76),
        "gain_over_prior": estimate(0.22),
        "gain_over_logistic": estimate(0.02),
        "n_matches": 46,
        "n_training_matches": 46,
        "simulated": False,
        "calibrated": True,
        "window_fingerprint": WINDOW,
        "checks": {"blocking": True},
    }
    return Candidate(**(plain | changes))


def incumbent(**changes: Any) -> Incumbent:
    plain: dict[str, Any] = {
        "registered_name": XGBOOST,
        "version": 1,
        "ece": estimate(0.02),
        "n_training_matches": 40,
        "simulated": False,
        "window_fingerprint": WINDOW,
    }
    return Incumbent(**(plain | changes))


def comparison(value: float = -0.02, half: float = 0.01, **changes: Any) -> Comparison:
    return Comparison(**({"log_loss_difference": estimate(value, half), "n_matches": 46} | changes))
