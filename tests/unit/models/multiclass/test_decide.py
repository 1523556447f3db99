"""Naming a class: the weights are the best that one class at a time allows, and silence begins where the curve bends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.models.multiclass.decide import (
    DecisionRule,
    RiskPoint,
    _best_weight,
    fit_rule,
    fit_weights,
    knee,
    risk_coverage,
)
from esports_assets.models.multiclass.metrics import confusion, macro_f1


def _f1(p: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    return float(macro_f1(confusion(y, (p * weights).argmax(axis=1), p.shape[1])))


def _made(seed: int, rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities of a frequent, a less frequent and a rare class."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet((6.0, 3.0, 0.5), rows)
    return p, np.array([rng.choice(3, p=line) for line in p])


def test_the_largest_weighted_probability_names() -> None:
    rule = DecisionRule((1.0, 3.0), abstain_below=0.7)
    p = np.array([[0.8, 0.2], [0.7, 0.3], [0.4, 0.6]])
    assert rule.name(p).tolist() == [0, 1, 1]
    assert rule.speaks(p).tolist() == [True, True, False]


@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_no_other_weight_of_one_class_is_better(seed: int, k: int) -> None:
    p, y = _made(seed, 60)
    weights = np.ones(3)
    weights[k] = _best_weight(p, p[:, k], y, k)
    best = _f1(p, y, weights)
    for other in np.geomspace(1e-3, 49.0, 60):
        weights[k] = other
        assert _f1(p, y, weights) <= best + 1e-12


def test_weights_raise_macro_f1_and_favour_the_rare() -> None:
    p, y = _made(0, 4000)
    fresh, truth = _made(1, 4000)
    weights = fit_weights(p, y)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[2] > weights[0]
    assert _f1(p, y, weights) > _f1(p, y, np.ones(3)) + 0.02
    assert _f1(fresh, truth, weights) > _f1(fresh, truth, np.ones(3)) + 0.02


def test_a_class_that_never_occurs_is_never_named() -> None:
    p, y = _made(2)
    y = np.where(y == 2, 0, y)
    rule = fit_rule(p, y)
    assert 2 not in rule.name(p)


def test_risk_falls_with_coverage_where_probabilities_mean_something() -> None:
    p, y = _made(3, 4000)
    curve = risk_coverage(p, y, p.argmax(axis=1))
    assert (curve[0].coverage, curve[0].threshold) == (1.0, 0.0)
    assert curve[0].risk == pytest.approx(float((p.argmax(axis=1) != y).mean()))
    assert curve[0].risk > curve[10].risk > curve[-1].risk
    below = p.max(axis=1) >= curve[10].threshold
    assert float(below.mean()) == pytest.approx(curve[10].coverage, abs=1e-3)


def test_the_knee_lies_farthest_below_the_chord() -> None:
    curve = [RiskPoint(0.0, 1.0, 0.5), RiskPoint(0.3, 0.9, 0.3), RiskPoint(0.5, 0.7, 0.25), RiskPoint(0.9, 0.5, 0.2)]
    assert knee(curve).threshold == 0.3
    assert knee([RiskPoint(0.0, 1.0, 0.4), RiskPoint(0.5, 0.75, 0.3), RiskPoint(0.7, 0.5, 0.2)]).coverage == 1.0
