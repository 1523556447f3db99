"""What an effect is called for which evidence, and the measures behind it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.analytics.balance import Balance, balance_of
from esports_assets.analytics.estimators import Estimand
from esports_assets.analytics.inference import Answer
from esports_assets.analytics.overlap import Overlap, bound_of, bounded, overlap_of
from esports_assets.analytics.placebo import PlaceboTreatment, placebo_treatment
from esports_assets.analytics.sensitivity import e_value, robustness_value, sensitivity_of
from esports_assets.analytics.study import Study
from esports_assets.analytics.unlearned import neighbours_alike
from esports_assets.analytics.verdict import Evidence, PlaceboOutcome, Verdict, judge

OVERLAP = Overlap(0.02, {}, 0.0, 0.0, 200.0, 180.0, 0.8, 0.02)
GOOD = Evidence(
    overlap=OVERLAP,
    balance=Balance({"age": 0.4}, {"age": -0.03}, 0.1),
    placebo_treatment=PlaceboTreatment(200, 0.05, 0.1, 1.0, "rows within clusters"),
    placebo_outcome=None,
    common_cause_shift=0.1,
    split_spread=0.1,
    alike=0.0,
    alike_limit=0.15,
    clusters=200,
)
CLEAR, NOTHING = Answer(-1.0, 0.2, -1.4, -0.6), Answer(0.1, 0.2, -0.3, 0.5)


def test_good_evidence_supports_and_says_what_was_not_asked() -> None:
    verdict, reasons = judge(GOOD)
    assert verdict is Verdict.SUPPORTED
    assert len(reasons) == 1
    assert "no placebo outcome was named" in reasons[0]
    assert "age 0.03" in reasons[0]
    asked = replace(GOOD, placebo_outcome=PlaceboOutcome("before", NOTHING, 0.02, 0.3))
    assert judge(asked)[0] is Verdict.SUPPORTED
    assert "the placebo outcome before shows nothing" in judge(asked)[1][0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"overlap": replace(OVERLAP, edge=0.06)}, "6% of the rows"),
        ({"overlap": replace(OVERLAP, effective_share=0.29)}, "effective sample of 29%"),
        ({"overlap": replace(OVERLAP, heaviest=0.2)}, "A single row has 20%"),
        ({"balance": Balance({"age": 0.4}, {"age": -0.12}, 0.1)}, "age still differs by 0.12"),
        ({"placebo_treatment": PlaceboTreatment(200, 0.2, 0.1, 1.6, "clusters")}, "for 20% instead of 5%"),
        ({"placebo_outcome": PlaceboOutcome("before", CLEAR, -0.1, 0.3)}, "placebo outcome before"),
        ({"common_cause_shift": 1.1}, "noise moves the estimate by 1.1"),
        ({"split_spread": 0.6}, "splits of the rows disagree by 0.6"),
        ({"alike": 0.2}, "correlation of 0.20"),
        ({"clusters": 20}, "20 clusters are few"),
    ],
)
def test_any_single_objection_makes_an_effect_fragile(changes: dict[str, object], said: str) -> None:
    verdict, reasons = judge(replace(GOOD, **changes))  # type: ignore[arg-type]
    assert verdict is Verdict.FRAGILE
    assert len(reasons) == 1
    assert said in reasons[0]


def test_a_placebo_as_large_as_the_effect_refutes_and_other_doubts_are_listed_too() -> None:
    verdict, reasons = judge(
        replace(GOOD, placebo_outcome=PlaceboOutcome("before", CLEAR, -0.3, 0.3), split_spread=0.9)
    )
    assert verdict is Verdict.REFUTED
    assert [reason.split(" ")[0] for reason in reasons] == ["The", "Random"]
    unclear = replace(GOOD, placebo_outcome=PlaceboOutcome("before", NOTHING, 0.9, 0.3))
    assert judge(unclear)[0] is Verdict.SUPPORTED


@pytest.mark.parametrize(
    "overlap", [replace(OVERLAP, cut=0.11), replace(OVERLAP, effective_untreated=14.0, effective_share=0.9)]
)
def test_arms_that_cannot_be_compared_identify_nothing(overlap: Overlap) -> None:
    refuted_as_well = PlaceboOutcome("before", CLEAR, -0.3, 0.3)
    verdict, reasons = judge(replace(GOOD, overlap=overlap, placebo_outcome=refuted_as_well))
    assert verdict is Verdict.NOT_IDENTIFIABLE
    assert len(reasons) == 2


def test_overlap_by_hand() -> None:
    treated = np.r_[np.ones(50), np.zeros(50)]
    even = overlap_of(treated, np.full(100, 0.5), Estimand.ATE)
    assert (even.effective_treated, even.effective_untreated) == pytest.approx((50, 50))
    assert (even.effective_share, even.heaviest, even.cut, even.edge) == pytest.approx((1, 0.02, 0, 0))
    propensity = np.full(100, 0.5)
    propensity[:10] = 0.97
    assert overlap_of(treated, propensity, Estimand.ATE).edge == pytest.approx(0.1)
    assert overlap_of(treated, propensity, Estimand.ATT).edge == pytest.approx(0.2)
    propensity[50:90] = 0.01
    assert overlap_of(treated, propensity, Estimand.ATT).edge == pytest.approx(0.2)


def test_bounds_of_propensities() -> None:
    assert bound_of(1000) == pytest.approx(5 / (np.sqrt(1000) * np.log(1000)))
    assert bound_of(50) == 0.1
    e = np.array([0.0, 0.5, 1.0] * 20)
    assert bounded(e, Estimand.ATE).min() == bound_of(60)
    assert bounded(e, Estimand.ATT).min() == 0.0
    assert bounded(e, Estimand.ATT).max() == 1 - bound_of(60)


def test_balance_by_hand() -> None:
    """Treated 2, 4 and untreated 0, 2, both with variance 1; with odds 1 and 3 the untreated mean is 1.5."""
    t, x = np.array([1.0, 1.0, 0.0, 0.0]), np.array([[2.0], [4.0], [0.0], [2.0]])
    study = Study(t, x[:, 0], x, ("x",), np.arange(4), False)
    found = balance_of(study, np.array([0.5, 0.5, 0.5, 0.75]), Estimand.ATT)
    assert found.before == pytest.approx({"x": 2.0})
    assert found.after == pytest.approx({"x": 1.5})
    assert found.worst == ("x", pytest.approx(1.5))
    assert found.limit == 0.25


def test_placebo_treatments_find_intervals_too_narrow_for_clusters() -> None:
    """The treatment is the same in a cluster and so is the residual: counted as clusters intervals hold, as rows they do not."""
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(80), 10)
    treated = (rng.random(80) < 0.5).astype(float)[cluster]
    residual = rng.normal(size=80)[cluster] + rng.normal(size=800)
    study = Study(treated, residual, rng.normal(size=(800, 1)), ("x",), cluster, True)
    honest = placebo_treatment(study, residual, np.full(800, 0.5), np.random.default_rng(1))
    assert honest.permuted == "clusters"
    assert honest.missed <= honest.limit
    assert 0.8 < honest.spread < 1.2
    rows = Study(treated, residual, study.covariates, ("x",), np.arange(800), False)
    assert placebo_treatment(rows, residual, np.full(800, 0.5), rng).permuted == "rows within tenths of propensity"
    mixed = Study(np.tile([0.0, 1.0], 400), residual, study.covariates, ("x",), cluster, True)
    within = placebo_treatment(mixed, residual, np.full(800, 0.5), rng)
    assert within.permuted == "rows within clusters"
    assert within.missed <= within.limit


def test_neighbours_of_a_missed_curve_are_alike_and_those_of_noise_are_not() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 2)).astype(np.float32)
    t, noise = np.tile([0.0, 1.0], 400), rng.normal(size=800)
    rows = np.arange(800)
    assert abs(neighbours_alike(x, noise, t, rows, (0.0,), rng)) < 0.12
    assert neighbours_alike(x, np.sin(2 * x[:, 0]) + 0.3 * noise, t, rows, (0.0, 1.0), rng) > 0.5
    shared = rng.normal(size=200)[rows // 4] + 0.1 * noise
    place = (rng.normal(size=(200, 2))[rows // 4] + 1e-3 * x).astype(np.float32)
    assert neighbours_alike(place, shared, t, rows, (0.0,), rng) > 0.25
    assert abs(neighbours_alike(place, shared, t, rows // 4, (0.0,), rng)) < 0.25


def test_residuals_of_a_rare_outcome_are_not_alike_when_its_chance_is_known() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 2)).astype(np.float32)
    chance = 0.02 + 0.1 / (1 + np.exp(-2 * x[:, 0]))
    residual = (rng.random(2000) < chance) - chance
    assert abs(neighbours_alike(x, residual, np.zeros(2000), np.arange(2000), (0.0,), rng)) < 0.04


def test_known_values_of_sensitivity() -> None:
    """E-value of RR 3.9 is 7.26 (VanderWeele and Ding 2017, table 2); f = 1 gives (sqrt(5) - 1) / 2."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.01)
    assert e_value(1 / 3.9) == pytest.approx(e_value(3.9))
    assert e_value(1.0) == 1.0
    assert robustness_value(2.0, 2.0) == pytest.approx((np.sqrt(5) - 1) / 2)
    assert robustness_value(0.0, 2.0) == 0.0
    assert robustness_value(1.0, 0.0) == 1.0


@given(st.floats(0.001, 100), st.floats(0.001, 100))
def test_a_robustness_value_solves_its_equation(effect: float, strength: float) -> None:
    r = robustness_value(effect, strength)
    assert 0 <= r <= 1
    if r < 0.999:
        assert strength * r / np.sqrt(1 - r) == pytest.approx(effect, rel=1e-4)


def test_sensitivity_of_an_interval_over_zero_is_none() -> None:
    t, y = np.tile([0.0, 1.0], 50), np.tile([0.0, 1.0, 1.0, 1.0], 25)
    unsure = sensitivity_of(Answer(0.2, 0.2, -0.2, 0.6), t, y, y - y.mean(), np.full(100, 0.5), Estimand.ATE)
    assert (unsure.robustness_value_interval, unsure.e_value_interval) == (0.0, 1.0)
    assert unsure.e_value == pytest.approx(e_value((0.5 + 0.2) / 0.5))
