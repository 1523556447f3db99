"""Metrics against values computed by hand, and what a bootstrap over matches must do."""

import math
import time

import numpy as np
import pytest

from esports_assets.models.metrics import Sample, draws, measure, paired_gain, reliability

Y = np.array([1, 0, 1, 0])
P = np.array([0.8, 0.4, 0.4, 0.1])
MATCH = np.array([0, 0, 1, 1])


def test_values_by_hand() -> None:
    values = Sample(Y, P, MATCH).values()
    assert values["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.6) + math.log(0.4) + math.log(0.9)) / 4)
    assert values["brier"] == pytest.approx((0.04 + 0.16 + 0.36 + 0.01) / 4)
    assert values["accuracy"] == 0.75
    assert values["auc"] == pytest.approx((1 + 1 + 0.5 + 1) / 4)  # one tie of the four pairs counts half


def test_ece_by_hand() -> None:
    y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.3, 0.6, 0.8])
    assert Sample(y, p, MATCH).ece(np.ones(2), bins=2) == pytest.approx((0.2 + 0.3) / 2)
    bins = reliability(y, p, bins=2)
    assert [(b.mean, b.observed, b.rows) for b in bins] == [(pytest.approx(0.2), 0.0, 2), (pytest.approx(0.7), 1.0, 2)]


def test_weighted_metrics_equal_repeated_rows() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(600)
    y = (rng.random(600) < p).astype(int)
    match = np.repeat(np.arange(6), 100)
    weights = np.array([2.0, 0, 1, 3, 0, 1])
    repeated = np.repeat(np.arange(600), weights[match].astype(int))
    whole = Sample(y[repeated], p[repeated], np.zeros(len(repeated), dtype=int)).values()
    sample = Sample(y, p, match)
    assert sample.auc(weights) == pytest.approx(whole["auc"])
    assert sample.means(weights[None])[0] == pytest.approx([whole["log_loss"], whole["brier"], whole["accuracy"]])
    assert sample.ece(weights) == pytest.approx(whole["ece"], abs=0.01)


def test_draws_keep_the_number_of_matches() -> None:
    drawn = draws(7, 50, seed=2)
    assert drawn.shape == (50, 7)
    assert (drawn.sum(axis=1) == 7).all()
    assert (draws(7, 50, seed=2) == drawn).all()


def test_intervals_are_wider_when_rows_of_a_match_agree() -> None:
    rng = np.random.default_rng(0)
    match = np.repeat(np.arange(30), 100)
    p = np.full(3000, 0.5)
    shared = np.repeat(rng.integers(0, 2, 30), 100)
    alone = rng.integers(0, 2, 3000)
    q = np.where(np.arange(3000) % 2, 0.7, p)
    wide, narrow = measure(shared, q, match)["log_loss"], measure(alone, q, match)["log_loss"]
    assert wide.lo is not None
    assert wide.hi is not None
    assert narrow.lo is not None
    assert narrow.hi is not None
    assert wide.lo < wide.value < wide.hi
    assert wide.hi - wide.lo > 3 * (narrow.hi - narrow.lo)


def test_one_match_has_no_interval_and_one_class_no_auc() -> None:
    found = measure(np.array([1, 1]), np.array([0.6, 0.7]), np.array([4, 4]))
    assert "auc" not in found
    assert found["accuracy"].value == 1.0
    assert found["accuracy"].lo is None


def test_paired_gain_of_a_model_over_itself_is_zero() -> None:
    same = paired_gain(Y, P, P, MATCH)["log_loss"]
    assert (same.value, same.lo, same.hi) == (0.0, 0.0, 0.0)
    better = paired_gain(Y, P, np.full(4, 0.5), MATCH)["log_loss"]
    assert better.value == pytest.approx(math.log(2) - Sample(Y, P, MATCH).values()["log_loss"])


def test_a_hundred_thousand_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(100_000)
    start = time.process_time()
    measure((rng.random(100_000) < p).astype(int), p, rng.integers(0, 60, 100_000))
    assert time.process_time() - start < 15
