"""Vector scaling undoes a known distortion."""

import numpy as np
import pytest

from esports_assets.models.families.base import probabilities
from esports_assets.models.multiclass.scaling import VectorScaling, fit_scaling


def _drawn(rows: int, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1.2, (rows, 3)) + bias
    p = probabilities(z)
    return z, (p.cumsum(axis=1) < rng.random(rows)[:, None]).sum(axis=1)


def test_overconfident_and_shifted_margins_are_set_right() -> None:
    z, y = _drawn(40_000, np.array([1.0, 0.0, -1.0]))
    wrong = 2.5 * z + np.array([0.0, 1.0, 2.0])
    found = fit_scaling(wrong, y)
    assert found.scale == pytest.approx(0.4, abs=0.02)
    np.testing.assert_allclose(found(wrong), probabilities(z), atol=0.03)
    assert sum(found.bias) == pytest.approx(0.0, abs=1e-9)


def test_true_margins_stay() -> None:
    z, y = _drawn(40_000, np.zeros(3))
    found = fit_scaling(z, y)
    assert found.scale == pytest.approx(1.0, abs=0.03)
    np.testing.assert_allclose(found(z), probabilities(z), atol=0.02)


def test_a_class_that_never_occurs_gets_almost_nothing_and_stays_finite() -> None:
    z, y = _drawn(2_000, np.zeros(3))
    found = fit_scaling(z[y < 2], y[y < 2])
    assert np.isfinite(found.bias).all()
    assert found(z)[:, 2].max() < 0.01


def test_worthless_margins_become_the_frequencies() -> None:
    rng = np.random.default_rng(1)
    y = rng.choice(3, 30_000, p=[0.6, 0.3, 0.1])
    p = fit_scaling(rng.normal(size=(30_000, 3)), y)(rng.normal(size=(10, 3)))
    np.testing.assert_allclose(p, np.tile([0.6, 0.3, 0.1], (10, 1)), atol=0.03)


def test_probabilities_sum_to_one() -> None:
    p = VectorScaling(50.0, (0.0, 1.0))(np.array([[900.0, -900.0], [0.0, 0.0]]))
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
