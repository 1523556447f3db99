"""Metrics of several classes against numbers worked out by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from esports_assets.models.multiclass.metrics import macro_f1_gain, measure_classes, per_class

P = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
Y = np.array([0, 1, 1, 2])
MATCH = np.array([0, 0, 1, 1])


def test_by_hand() -> None:
    named = P.argmax(axis=1)  # 0, 0, 1, 2
    found = measure_classes(Y, P, named, MATCH)
    assert found["accuracy"].value == 0.75
    assert found["macro_f1"].value == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert found["log_loss"].value == pytest.approx(-np.log([0.7, 0.3, 0.8, 0.6]).mean())
    # a bin a row: |1 - 0.7|, |0 - 0.5|, |1 - 0.8|, |1 - 0.6|
    assert found["ece"].value == pytest.approx((0.3 + 0.5 + 0.2 + 0.4) / 4)
    assert found["accuracy"].lo == 0.5  # the bootstrap draws one match twice
    assert found["accuracy"].hi == 1.0


def test_per_class() -> None:
    found = per_class(Y, np.array([0, 0, 1, 0]), ("a", "b", "c"))
    assert (found["a"].precision, found["a"].recall, found["a"].rows) == (1 / 3, 1.0, 1)
    assert (found["b"].precision, found["b"].recall) == (1.0, 0.5)
    assert (found["c"].precision, found["c"].recall, found["c"].f1) == (0.0, 0.0, 0.0)


@given(st.integers(0, 2**32 - 1))
def test_macro_f1_is_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, named = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    found = measure_classes(y, np.full((60, 4), 0.25), named, np.zeros(60, dtype=np.int64))["macro_f1"]
    assert found.value == pytest.approx(f1_score(y, named, average="macro", labels=range(4), zero_division=0))
    assert found.lo is None


def test_calibration_error_is_of_the_top_label() -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet((1.0, 2.0, 3.0), 40_000)
    y = (rng.random(40_000)[:, None] > p.cumsum(axis=1)).sum(axis=1)
    match = rng.integers(0, 20, 40_000)
    assert measure_classes(y, p, p.argmax(axis=1), match, replicates=0)["ece"].value < 0.012
    sharper = p**2 / (p**2).sum(axis=1, keepdims=True)
    assert measure_classes(y, sharper, p.argmax(axis=1), match, replicates=0)["ece"].value > 0.1


def test_a_gain_is_paired() -> None:
    rng = np.random.default_rng(2)
    y, match = rng.integers(0, 3, 3000), np.repeat(np.arange(10), 300)
    worse = np.where(rng.random(3000) < 0.5, y, rng.integers(0, 3, 3000))
    better = np.where(rng.random(3000) < 0.3, y, worse)
    gain = macro_f1_gain(y, better, worse, match, 3)
    assert gain.lo is not None
    assert 0.05 < gain.lo < gain.value < 0.15
    assert macro_f1_gain(y, worse, worse, match, 3).value == 0.0


def test_the_calibration_error_of_many_rows_is_that_of_their_sorted_rows() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet((2.0, 1.0, 0.5), 45_000)
    y = np.array([0, 1, 2])[(p.cumsum(axis=1) < rng.random(45_000)[:, None]).sum(axis=1).clip(0, 2)]
    p = 0.8 * p + 0.2 * np.array([1.0, 0.0, 0.0])  # no longer calibrated
    top, right = p.max(axis=1), p.argmax(axis=1) == y
    parts = np.array_split(np.argsort(top), 15)
    expected = np.mean([abs(right[part].mean() - top[part].mean()) for part in parts])
    found = measure_classes(y, p, p.argmax(axis=1), rng.integers(0, 9, 45_000))["ece"]
    assert found.value == pytest.approx(expected, abs=1e-4)
    assert expected > 0.02
