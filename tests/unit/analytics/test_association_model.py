"""The common logistic model: its odds ratios, and what makes one impossible is told by name."""

import numpy as np
import pytest
import statsmodels.api as sm

from esports_assets.analytics.association_logistic import Found, logistic
from esports_assets.analytics.association_matches import Flips, Matches
from esports_assets.analytics.association_measure import Caution, Measure, NotMeasured

NAMES = ("a", "b", "c")


def world(seed: int | list[int], matches: int = 60, rounds: int = 20) -> tuple[np.ndarray, np.ndarray, Matches]:
    random = np.random.default_rng(seed)
    match = np.repeat(np.arange(matches), rounds)
    shared = random.standard_normal((4, matches))[:, match] * 0.5
    x = random.standard_normal((len(match), 3)) + shared[:3].T
    x[:, 1] = 3.0 * x[:, 1] + 0.5 * x[:, 0]
    latent = 0.8 * x[:, 0] - 0.1 * x[:, 1] + shared[3]
    y = (random.random(len(match)) < 1.0 / (1.0 + np.exp(-latent))).astype(float)
    return x, y, Matches.of(match)


def fitted(x: np.ndarray, y: np.ndarray, matches: Matches, names: tuple[str, ...] = NAMES) -> Found:
    return logistic(x, names, y, matches, np.arange(len(matches)))


def measure(found: Found, name: str) -> Measure:
    one = found[name]
    assert isinstance(one, Measure), one
    return one


def test_coefficients_are_those_of_statsmodels_per_standard_deviation() -> None:
    x, y, matches = world(1)
    found = fitted(x, y, matches)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    other = sm.Logit(y, sm.add_constant(z)).fit(disp=0, cov_type="cluster", cov_kwds={"groups": matches.of_row})
    for j, name in enumerate(NAMES, start=1):
        one = measure(found, name)
        assert one.estimate == pytest.approx(other.params[j], abs=1e-5)
        assert one.effect_size == pytest.approx(np.exp(other.params[j]), abs=1e-4)
        # Leaving matches out gives errors a little above the plain cluster-robust ones.
        assert 0.99 < (one.hi - one.lo) / (2 * 2.001 * other.bse[j]) < 1.15
        assert one.lo < one.estimate < one.hi


def test_odds_ratios_hold_the_others_fixed() -> None:
    x, y, matches = world(2, matches=400)
    found = fitted(x, y, matches)
    assert measure(found, "a").direction == "positive"
    assert measure(found, "b").direction == "negative"  # though b rises with a, and with it the outcome
    assert np.corrcoef(x[:, 1], y)[0, 1] == pytest.approx(0.0, abs=0.1)
    p = dict(zip(NAMES, Flips(400, 2_000, 1).p_values([measure(found, n).parts for n in NAMES]), strict=True))
    assert p["a"] < 0.001
    assert p["c"] > 0.05


def test_tests_and_intervals_hold_where_rows_of_a_match_go_together() -> None:
    """Under no effect of c, whose values and the outcome's chance belong to matches: 5 % of tests and intervals miss."""
    beyond, outside = [], []
    for seed in range(200):
        x, y, matches = world([9, seed], matches=30, rounds=16)
        one = measure(fitted(x, y, matches), "c")
        beyond.append(Flips(30, 999, 1).p_values([one.parts])[0] <= 0.05)
        outside.append(not one.lo <= 0.0 <= one.hi)
    assert np.mean(beyond) <= 0.09
    assert np.mean(outside) <= 0.09


def test_a_feature_that_tells_all_outcomes_apart_is_named_and_the_others_are_still_told() -> None:
    x, y, matches = world(3)
    x[:, 2] = y + 0.01 * np.random.default_rng(0).random(len(y))
    found = fitted(x, y, matches)
    assert [remark.code for remark in found["c"].remarks] == [Caution.SEPARATED]
    assert isinstance(found["c"], NotMeasured)
    assert measure(found, "a").direction == "positive"


def test_a_cell_without_cases_is_separation_too() -> None:
    x, y, matches = world(4)
    x[:, 2] = (np.random.default_rng(0).random(len(y)) < 0.1) & (y == 1.0)
    found = fitted(x, y, matches)
    assert isinstance(found["c"], NotMeasured)
    assert "together these features tell the outcome" in found["c"].remarks[0].message
    assert isinstance(found["a"], Measure)


def test_features_that_only_together_tell_the_outcomes_apart_are_named() -> None:
    x, y, matches = world(5)
    random = np.random.default_rng(0)
    x[:, 0] = random.standard_normal(len(y))
    x[:, 1] = np.where(y == 1.0, 1.0, -1.0) * (0.2 + random.random(len(y))) - x[:, 0]
    found = fitted(x, y, matches)
    assert {n for n in NAMES if isinstance(found[n], NotMeasured)} >= {"a", "b"}
    assert [remark.code for remark in found["a"].remarks] == [Caution.SEPARATED]


def test_combinations_of_others_are_left_out_and_near_ones_marked() -> None:
    x, y, matches = world(6)
    names = ("a", "b", "c", "sum", "near")
    near = x[:, 2] + 0.05 * np.random.default_rng(1).standard_normal(len(y))
    found = fitted(np.column_stack([x, x[:, 0] + 2.0 * x[:, 1], near]), y, matches, names)
    assert isinstance(found["sum"], NotMeasured)
    assert found["sum"].remarks[0].message == "sum is a linear combination of a, b"
    assert [remark.code for remark in found["near"].remarks] == [Caution.COLLINEAR]
    assert [remark.code for remark in found["c"].remarks] == [Caution.COLLINEAR]
    assert found["a"].remarks == ()


def test_too_few_cases_give_no_model() -> None:
    x, y, matches = world(7)
    y[:] = 0.0
    y[:14] = 1.0
    found = fitted(x, y, matches)
    assert {remark.code for one in found.values() for remark in one.remarks} == {Caution.TOO_FEW}
    assert found["a"].remarks[0].message == "14 cases of the rarer outcome are too few for a model of 3 features"


def test_a_coefficient_that_rests_on_one_match_is_marked() -> None:
    x, y, matches = world(8)
    x[:, 2] = 0.0
    x[:20, 2] = np.arange(20.0) % 4
    found = fitted(x, y, matches)
    assert Caution.ONE_MATCH_DECIDES in {remark.code for remark in measure(found, "c").remarks}
