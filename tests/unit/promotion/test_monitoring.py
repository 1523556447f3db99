"""Drift, calibration, disagreement and lift against values computed by hand."""

import math

import numpy as np
import pytest

from esports_assets.promotion.monitoring import (
    Rounds,
    brier_score,
    calibration_error,
    disagreement,
    drift,
    lift,
    stability_index,
)
from esports_assets.promotion.sequential import Evidence, Terms

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
CAME = np.array([0, 2, 0, 2])


def test_brier_score_by_hand() -> None:
    """(.09 + .04 + .01) + (.01 + .36 + .49) + (.25 + .0625 + .0625) + (.04 + .04 + .16), over four."""
    assert brier_score(P, CAME) == pytest.approx((0.14 + 0.86 + 0.375 + 0.24) / 4)
    assert brier_score(np.array([[0.0, 1.0, 0.0]]), np.array([0])) == 2.0


def test_calibration_error_by_hand() -> None:
    """Largest .5, .6, .6, .7: two bins of two, {.5 right, .6 wrong} and {.6 right, .7 right}."""
    assert calibration_error(P, CAME, bins=2) == pytest.approx((abs(1 - 1.1) + abs(2 - 1.3)) / 4)
    assert calibration_error(P, CAME, bins=1) == pytest.approx(abs(3 - 2.4) / 4)
    certain = np.eye(3)[[0, 1, 2, 0]]
    assert calibration_error(certain, np.array([0, 1, 2, 0])) == 0.0


def test_fifteen_bins_of_equal_count_are_the_default() -> None:
    """Thirty rounds of thirty probabilities, two to a bin; one of the two comes."""
    top = np.linspace(0.5, 0.79, 30)
    p = np.column_stack([top, 1 - top])
    came = np.tile([0, 1], 15)
    by_hand = sum(abs(1 - top[2 * k] - top[2 * k + 1]) for k in range(15)) / 30
    assert calibration_error(p, came) == pytest.approx(by_hand)


def test_stability_index_by_hand() -> None:
    """Reference halves at 2: 4 of 4 becomes shares 1/2 and 1/2; current has one row of four above."""
    reference, current = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.5, 2.0, 9.0])
    p, q = np.array([2.5, 2.5]) / 5, np.array([3.5, 1.5]) / 5
    index, by_chance = stability_index(reference, current, bins=2)
    assert index == pytest.approx(float(((q - p) * np.log(q / p)).sum()))
    assert by_chance == pytest.approx(1 / 4 + 1 / 4)


def test_a_flag_has_two_bins_and_an_empty_one_stays_finite() -> None:
    flag = np.r_[np.zeros(50), np.ones(50)]
    assert stability_index(flag, flag)[0] == 0.0
    assert stability_index(flag, flag)[1] == pytest.approx(0.02)
    index, _ = stability_index(np.zeros(100), np.ones(100))
    p, q = np.array([100.5, 0.5]) / 101, np.array([0.5, 100.5]) / 101
    assert index == pytest.approx(float(((q - p) * np.log(q / p)).sum()))
    assert stability_index(np.zeros(9), np.zeros(5)) == (0.0, 0.0)


def test_what_is_told_of_chance_is_what_chance_does() -> None:
    rng = np.random.default_rng(0)
    found = [stability_index(rng.normal(size=500), rng.normal(size=300)) for _ in range(200)]
    mean, told = np.mean([index for index, _ in found]), found[0][1]
    assert told == pytest.approx(9 * (1 / 500 + 1 / 300))
    assert mean == pytest.approx(told, rel=0.15)


def test_drift_names_the_feature_that_moved_first() -> None:
    rng = np.random.default_rng(1)
    reference, current = rng.normal(size=(800, 3)), rng.normal(size=(800, 3))
    current[:, 1] += 1
    found = drift(reference, current, ("a", "b", "c"))
    assert found[0].feature == "b"
    assert found[0].index > 0.5 > 0.1 > found[1].index >= found[2].index
    with pytest.raises(ValueError, match="2 features, and columns 3 and 3"):
        drift(reference, current, ("a", "b"))


def test_disagreement_is_the_share_of_other_names() -> None:
    other = P[:, ::-1]
    assert disagreement(P, P) == 0.0
    assert disagreement(P, other) == pytest.approx(3 / 4)
    with pytest.raises(ValueError, match="not predict the same rounds"):
        disagreement(P, P[:2])


def test_health_tells_nothing_that_was_not_measured() -> None:
    rounds = Rounds(P, CAME, np.array([1.0, 2.0, 3.0, 21.0]), unanswered=1)
    found = rounds.health
    assert (found.rounds, found.error_rate) == (5, 0.2)
    assert found.brier == pytest.approx(brier_score(P, CAME))
    assert found.latency_p95_ms == pytest.approx(3 + 0.85 * 18)
    nothing = Rounds(np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0)).health
    assert (nothing.rounds, nothing.ece, nothing.brier, nothing.latency_p95_ms, nothing.error_rate) == (
        *(0, None, None),
        *(None, None),
    )


def test_lift_counts_every_game_and_bounds_it() -> None:
    rng = np.random.default_rng(2)
    second = rng.random(3000) < 0.5
    results = (rng.random(3000) < np.where(second, 0.7, 0.4)).astype(float)
    games = Evidence("rps.next_move.xgboost", 1, 2, second, results, np.full(3000, 0.5))
    found = lift(games, Terms(alpha=0.025))
    assert found.value == pytest.approx(results[second].mean() - results[~second].mean())
    assert found.low < 0.3 < found.high
    assert found.high - found.low < 0.2
    assert (found.games, found.confidence) == (3000, 0.95)
    none = lift(Evidence("rps.next_move.xgboost", 1, 2, second[:0], results[:0], results[:0]))
    assert (none.value, none.low, none.high, none.games) == (None, -1.0, 1.0, 0)


def test_no_round_is_no_measurement() -> None:
    nothing = np.zeros((0, 3))
    for measure in (calibration_error, brier_score):
        with pytest.raises(ValueError, match="no row to measure"):
            measure(nothing, np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="no row to measure"):
        disagreement(nothing, nothing)
    with pytest.raises(ValueError, match="no row to measure"):
        stability_index(np.zeros(0), np.zeros(1))
    assert math.isfinite(stability_index(np.zeros(1), np.zeros(1))[0])
