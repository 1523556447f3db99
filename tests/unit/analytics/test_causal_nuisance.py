"""Folds, stacking and cross-fitted predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.analytics.folds import deal
from esports_assets.analytics.learners import design_of, left_over
from esports_assets.analytics.nuisance import cross_fit, stack
from esports_assets.analytics.study import Study


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1000), st.integers(2, 6), st.integers(12, 60))
def test_folds_keep_clusters_whole_and_are_even(seed: int, folds: int, clusters: int) -> None:
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(1, 5, clusters)).astype(np.int64)
    fold = deal(rng.integers(0, 2, len(cluster)).astype(float), cluster, folds, rng)
    numbers = [set(fold[cluster == c].tolist()) for c in range(clusters)]
    assert all(len(held) == 1 for held in numbers)
    sizes = np.bincount([held.pop() for held in numbers], minlength=folds)
    assert sizes.max() - sizes.min() <= 1


def test_a_rare_treatment_is_spread_over_all_folds() -> None:
    treated = np.zeros(500)
    treated[:20] = 1
    fold = deal(treated, np.arange(500), 5, np.random.default_rng(0))
    assert np.bincount(fold, weights=treated).tolist() == [4.0] * 5


def test_stacking_finds_the_candidate_that_is_right() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 4000)
    y = (rng.random(4000) < p).astype(float)
    rows = np.ones(4000, dtype=bool)
    mixed, weights = stack({"right": p, "flat": np.full(4000, 0.5), "turned": 1 - p}, y, rows, binary=True)
    assert weights["right"] > 0.9
    assert np.abs(mixed - p).max() < 0.06
    mean = 3 * p + rng.normal(size=4000)
    _, weights = stack({"half": p, "right": 3 * p, "wrong": -p}, mean, rows, binary=False)
    assert weights["right"] > 0.9
    assert sum(weights.values()) == pytest.approx(1, abs=2e-3)


def test_stacking_mixes_where_the_truth_lies_between() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=5000), rng.normal(size=5000)
    _, weights = stack({"a": a, "b": b}, 0.3 * a + 0.7 * b, np.ones(5000, dtype=bool), binary=False)
    assert weights == {"a": pytest.approx(0.3, abs=0.002), "b": pytest.approx(0.7, abs=0.002)}


def test_designs_survive_far_values_and_large_offsets() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([1.7e9 + rng.normal(size=400), rng.integers(0, 2, 400), np.exp(3 * rng.normal(size=400))])
    design = design_of(x)
    assert design.raw[:, 0].std() == pytest.approx(1, abs=1e-3)
    assert np.corrcoef(design.raw[:, 0], x[:, 0])[0, 1] > 0.9999
    assert np.abs(design.linear).max() <= 6.0
    assert np.isfinite(design.wide).all()
    assert np.abs(design.wide.mean(axis=0)).max() < 1e-3


def test_the_step_finds_what_a_line_leaves() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2000, 2))
    residual = np.abs(x[:, 0]) * x[:, 1]
    train, test = np.arange(1000), np.arange(1000, 2000)
    found = left_over(design_of(x), residual, train, test)
    assert np.mean((residual[test] - found) ** 2) < 0.1 * residual[test].var()


def test_predictions_come_from_the_other_folds_only() -> None:
    """A row whose outcome changes changes the predictions of other folds, and no candidate of its own."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 2))
    t = np.tile([0.0, 1.0], 100)
    y = x[:, 0] + rng.normal(size=200)
    cluster = np.arange(200)
    fold = deal(t, cluster, 4, np.random.default_rng(0))
    from esports_assets.analytics.nuisance import _held_out

    design, everybody = design_of(x), np.ones(200, dtype=bool)
    changed = y.copy()
    changed[0] += 100
    before = _held_out(design, y, everybody, fold, 0, binary=False)
    after = _held_out(design, changed, everybody, fold, 0, binary=False)
    same = fold == fold[0]
    for name in before:
        assert np.array_equal(before[name][same], after[name][same])
        assert not np.array_equal(before[name][~same], after[name][~same])


def test_predictions_are_good_and_repeat() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(1500, 3))
    e = 1 / (1 + np.exp(-(x[:, 0] - 0.5 * x[:, 1])))
    t = (rng.random(1500) < e).astype(float)
    y = t + x[:, 0] ** 2 + x[:, 1] + 0.5 * rng.normal(size=1500)
    study = Study(t, y, x, ("a", "b", "c"), np.arange(1500), False)
    design = design_of(x)
    fold = deal(t, study.cluster, 5, np.random.default_rng(0))
    found = cross_fit(study, design, fold, 7, both=True)
    assert np.sqrt(np.mean((found.propensity - e) ** 2)) < 0.05
    assert found.treated is not None
    assert np.corrcoef(found.untreated, x[:, 0] ** 2 + x[:, 1])[0, 1] > 0.98
    again = cross_fit(study, design, fold, 7, both=False)
    assert again.treated is None
    assert np.array_equal(again.propensity, found.propensity)
