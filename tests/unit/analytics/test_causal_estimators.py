"""Formulas of effects and of their standard errors: by hand on tiny tables, and against statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.analytics.estimators import Estimand, doubly_robust, naive, regressed, weighted, weights_of
from esports_assets.analytics.inference import Answer, answer, clustered_se, over_splits

T = np.array([1.0, 1.0, 0.0, 0.0])
Y = np.array([10.0, 6.0, 4.0, 2.0])
E = np.array([0.5, 0.25, 0.5, 0.25])


def test_weights_by_hand() -> None:
    """Treated 1/e = 2, 4 (sum 6), untreated 1/(1-e) = 2, 4/3 (sum 10/3); both are scaled to 4 rows. Odds 1, 1/3 to 2 rows."""
    everybody = weights_of(T, E, Estimand.ATE)
    assert everybody.treated == pytest.approx([4 / 3, 8 / 3, 0, 0])
    assert everybody.untreated == pytest.approx([0, 0, 2.4, 1.6])
    assert weights_of(T, E, Estimand.ATT).untreated == pytest.approx([0, 0, 1.5, 0.5])


def test_weighted_means_by_hand() -> None:
    """ATE: (2*10 + 4*6)/6 - (2*4 + 4/3*2)/(10/3) = 22/3 - 3.2. ATT: 8 - (1*4 + 1/3*2)/(4/3) = 8 - 3.5."""
    assert weighted(T, Y, E, Estimand.ATE).value == pytest.approx(22 / 3 - 3.2)
    assert weighted(T, Y, E, Estimand.ATT).value == pytest.approx(4.5)
    assert naive(T, Y).value == pytest.approx(5.0)


def test_doubly_robust_effect_on_everybody_by_hand() -> None:
    """g0 = 3, g1 = 7: 4 + mean(4/3 * 3 + 8/3 * -1, - 2.4 * 1 - 1.6 * -1) = 4 + (4/3 - 0.8) / 4."""
    g0, g1 = np.full(4, 3.0), np.full(4, 7.0)
    found = doubly_robust(T, Y, E, g0, g1, Estimand.ATE)
    assert found.value == pytest.approx(4 + (4 / 3 - 0.8) / 4)
    assert found.influence.mean() == pytest.approx(0.0, abs=1e-12)
    assert regressed(T, Y, g0, g1, Estimand.ATE) == pytest.approx(4.0)


def test_doubly_robust_effect_on_the_treated_by_hand() -> None:
    """g0 = 3: mean over the treated of 7 and 3 is 5; over the untreated (1.5 * 1 + 0.5 * -1) / 2 is 0.5."""
    g0 = np.full(4, 3.0)
    found = doubly_robust(T, Y, E, g0, None, Estimand.ATT)
    assert found.value == pytest.approx(4.5)
    assert found.influence == pytest.approx(np.array([7.0, 3.0, -1.5, 0.5]) * 2 - T * 4.5 * 2)
    assert regressed(T, Y, g0, None, Estimand.ATT) == pytest.approx(5.0)


def test_everybody_needs_both_predictions() -> None:
    with pytest.raises(ValueError, match="predicted for the treated"):
        doubly_robust(T, Y, E, np.zeros(4), None, Estimand.ATE)
    with pytest.raises(ValueError, match="predicted for the treated"):
        regressed(T, Y, np.zeros(4), None, Estimand.ATE)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.sampled_from(list(Estimand)), st.floats(-50, 50), st.floats(0.1, 20))
def test_effects_follow_shifts_and_units_of_the_outcome(
    seed: int, estimand: Estimand, shift: float, unit: float
) -> None:
    rng = np.random.default_rng(seed)
    t = np.r_[1.0, 0.0, rng.integers(0, 2, 28).astype(float)]
    y, e, g0, g1 = rng.normal(size=30), rng.uniform(0.1, 0.9, 30), rng.normal(size=30), rng.normal(size=30)
    found = doubly_robust(t, y, e, g0, g1, estimand)
    moved = doubly_robust(t, y * unit + shift, e, g0 * unit + shift, g1 * unit + shift, estimand)
    assert moved.value == pytest.approx(found.value * unit, abs=1e-8)
    assert found.influence.mean() == pytest.approx(0.0, abs=1e-10)


def test_right_predictions_make_wrong_propensities_harmless_and_the_other_way_round() -> None:
    rng = np.random.default_rng(3)
    n = 200_000
    x = rng.normal(size=n)
    e = 1 / (1 + np.exp(-x))
    t = (rng.random(n) < e).astype(float)
    y = 2 * t + x + rng.normal(size=n)
    assert abs(naive(t, y).value - 2) > 0.5
    wrong_e, wrong_g = np.full(n, 0.5), np.zeros(n)
    assert doubly_robust(t, y, wrong_e, x, x + 2, Estimand.ATE).value == pytest.approx(2, abs=0.02)
    assert doubly_robust(t, y, e, wrong_g, wrong_g, Estimand.ATE).value == pytest.approx(2, abs=0.04)
    assert doubly_robust(t, y, wrong_e, x, None, Estimand.ATT).value == pytest.approx(2, abs=0.02)
    assert doubly_robust(t, y, e, wrong_g, None, Estimand.ATT).value == pytest.approx(2, abs=0.04)


def test_clustered_standard_error_of_a_mean_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(30), rng.integers(1, 9, 30)).astype(np.int64)
    y = rng.normal(size=30)[cluster] + rng.normal(size=len(cluster))
    theirs = sm.OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    assert clustered_se(y - y.mean(), cluster) == pytest.approx(float(theirs.bse[0]), rel=1e-9)
    alone = sm.OLS(y, np.ones(len(y))).fit()
    assert clustered_se(y - y.mean(), np.arange(len(y))) == pytest.approx(float(alone.bse[0]), rel=1e-9)


def test_clustered_standard_error_of_a_difference_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(40), 5).astype(np.int64)
    t = np.tile([1.0, 0.0, 1.0, 0.0, 0.0], 40)
    y = t + rng.normal(size=40)[cluster] * (1 + t) + rng.normal(size=200)
    keywords = {"groups": cluster, "use_correction": False}
    theirs = sm.OLS(y, sm.add_constant(t)).fit(cov_type="cluster", cov_kwds=keywords)
    found = answer(naive(t, y), cluster)
    assert found.value == pytest.approx(float(theirs.params[1]))
    assert found.se == pytest.approx(float(theirs.bse[1]) * np.sqrt(40 / 39), rel=1e-9)


def test_the_interval_is_students_with_clusters_less_one() -> None:
    found = answer(naive(T, Y), np.array([0, 1, 2, 3]))
    assert (found.hi - found.value) / found.se == pytest.approx(3.182446, abs=1e-5)
    assert not found.excludes_zero


def test_splits_are_united_by_medians() -> None:
    answers = [Answer(v, se, 0, 0) for v, se in ((1.0, 0.3), (2.0, 0.4), (5.0, 0.1))]
    united = over_splits(answers, 1000)
    assert united.value == 2.0
    assert united.se == pytest.approx(np.sqrt(np.median([0.09 + 1, 0.16, 0.01 + 9])))
