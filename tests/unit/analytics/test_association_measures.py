"""Measures against the libraries that compute the same for independent rows, and their errors against leaving rows out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from esports_assets.analytics.association_cells import binned, chi_square
from esports_assets.analytics.association_linear import product_moment
from esports_assets.analytics.association_matches import Matches, standard_error
from esports_assets.analytics.association_measure import Caution, Measure, NotMeasured
from esports_assets.analytics.association_ranks import Ranked, kendall, spearman

Floats = np.ndarray


def by_row(n: int) -> tuple[Matches, Floats]:
    return Matches.of(np.arange(n)), np.arange(n)


def rank_of(x: Floats, y: Floats) -> Measure:
    return spearman(Ranked.of(x), Ranked.of(y), *by_row(len(x)))


def tau_of(x: Floats, y: Floats) -> Measure:
    return kendall(Ranked.of(x), y, *by_row(len(x)))


def moment_of(x: Floats, y: Floats) -> Measure:
    return product_moment(x, y, *by_row(len(x)))


def sample(seed: int, n: int = 300, *, real: bool = False) -> tuple[Floats, Floats]:
    """A count with many ties and an outcome that it shifts."""
    random = np.random.default_rng(seed)
    latent = random.standard_normal(n)
    x = np.floor(2.0 * latent + 5.0)
    y = latent + random.standard_normal(n)
    return x, np.round(y * 4.0) if real else (y > 0.3).astype(float)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_coefficients_are_those_of_scipy(seed: int) -> None:
    x, y = sample(seed, 120)
    assert moment_of(x, y).estimate == pytest.approx(stats.pointbiserialr(y, x).statistic)
    assert rank_of(x, y).estimate == pytest.approx(stats.spearmanr(x, y).statistic)
    assert tau_of(x, y).estimate == pytest.approx(stats.kendalltau(x, y).statistic)
    x, y = sample(seed, 120, real=True)
    assert moment_of(x, y).estimate == pytest.approx(stats.pearsonr(x, y).statistic)
    assert rank_of(x, y).estimate == pytest.approx(stats.spearmanr(x, y).statistic)


def test_effect_sizes_say_how_large_it_is() -> None:
    x, y = sample(1)
    one, other = x[y == 1], x[y == 0]
    within = np.sqrt((one.var() * len(one) + other.var() * len(other)) / len(x))
    found = moment_of(x, y)
    assert (found.metric, found.effect_name) == ("point_biserial", "cohen_d")
    assert found.effect_size == pytest.approx((one.mean() - other.mean()) / within)
    superior = stats.mannwhitneyu(one, other).statistic / len(one) / len(other)
    assert tau_of(x, y).effect_size == pytest.approx(superior)
    assert moment_of(*sample(1, real=True)).metric == "pearson"


@pytest.mark.parametrize(
    ("measure", "real"), [(moment_of, False), (moment_of, True), (rank_of, False), (rank_of, True), (tau_of, False)]
)
def test_the_standard_error_is_that_of_leaving_each_row_out(
    measure: Callable[[Floats, Floats], Measure], real: bool
) -> None:
    x, y = sample(3, real=real)
    n = len(x)
    left_out = np.array([measure(np.delete(x, i), np.delete(y, i)).estimate for i in range(n)])
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    influence = measure(x, y).parts.influence
    assert influence is not None
    assert abs(influence.sum()) < 1e-9
    assert standard_error(influence) == pytest.approx(jackknife, rel=0.02)
    # Row by row, not in sum alone.
    assert np.corrcoef(influence, measure(x, y).estimate - left_out)[0, 1] > 0.999


@pytest.mark.parametrize("name", ["moment", "spearman", "kendall"])
def test_intervals_cover_where_rows_of_a_match_go_together(name: str) -> None:
    """Feature and outcome share a value within matches; the truth is the coefficient of a very large sample."""

    def measure(seed: int, matches: int) -> Measure:
        random = np.random.default_rng([5, seed])
        match = np.repeat(np.arange(matches), 20)
        shared = random.standard_normal((2, matches))[:, match] * 0.7
        x = np.floor(shared[0] + random.standard_normal(len(match)) * 2.0)
        y = (0.4 * x + shared[0] + shared[1] + random.standard_normal(len(match)) > 0.0).astype(float)
        grouped = Matches.of(match), np.arange(matches)
        if name == "moment":
            return product_moment(x, y, *grouped)
        return (
            spearman(Ranked.of(x), Ranked.of(y), *grouped) if name == "spearman" else kendall(Ranked.of(x), y, *grouped)
        )

    truth = measure(10**6, 20_000).estimate
    inside = [one.lo <= truth <= one.hi for one in (measure(seed, 40) for seed in range(400))]
    assert 0.92 <= np.mean(inside) <= 0.98


def test_the_error_counts_matches_and_not_rows() -> None:
    x, y = sample(4, 200)
    once = moment_of(x, y)
    matches = Matches.of(np.repeat(np.arange(200), 5))
    five = product_moment(np.repeat(x, 5), np.repeat(y, 5), matches, np.arange(200))
    assert (five.lo, five.hi) == pytest.approx((once.lo, once.hi))


def test_a_perfect_coefficient_has_itself_as_interval() -> None:
    y = np.array([0.0, 1.0] * 20)
    assert (moment_of(y, y).estimate, moment_of(y, y).lo, moment_of(1 - y, y).hi) == pytest.approx((1.0, 1.0, -1.0))
    assert moment_of(y, y).effect_size is None or moment_of(y, y).effect_size > 1e6


def plain_v(x: Floats, y: Floats) -> float:
    """Bergsma's estimate for independent rows."""
    cells = np.array([[((x == a) & (y == b)).sum() for b in (0, 1)] for a in np.unique(x)])
    n, (r, c) = cells.sum(), cells.shape
    phi = max(0.0, stats.chi2_contingency(cells, correction=False).statistic / n - (r - 1) * (c - 1) / (n - 1))
    return float(np.sqrt(phi / (min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1)))


def cells_of(x: Floats, y: Floats) -> Any:
    return chi_square(Ranked.of(x), y, *by_row(len(x)))


def test_cramers_v_is_bergsmas_where_rows_are_independent() -> None:
    random = np.random.default_rng(2)
    x = random.integers(0, 4, 5000).astype(float)
    y = (random.random(5000) < 0.3 + 0.1 * x).astype(float)
    found = cells_of(x, y)
    assert found.estimate == pytest.approx(plain_v(x, y), rel=0.02)
    assert found.lo < found.estimate < found.hi
    assert found.direction == "positive"
    assert cells_of(-x, y).direction == "negative"
    bent = (random.random(5000) < 0.2 + 0.2 * np.abs(x - 1.5)).astype(float)
    assert cells_of(x, bent).direction == "mixed"
    assert cells_of((x - 1.5) ** 2, (random.random(5000) < 0.5).astype(float)).estimate < 0.05


def test_v_of_clustered_rows_is_not_inflated_by_them() -> None:
    """The same rows five times: the plain statistic grows fivefold, V must not."""
    random = np.random.default_rng(8)
    x, y = random.integers(0, 4, 300).astype(float), random.integers(0, 2, 300).astype(float)
    once = cells_of(x, y)
    five = chi_square(
        Ranked.of(np.repeat(x, 5)), np.repeat(y, 5), Matches.of(np.repeat(np.arange(300), 5)), np.arange(300)
    )
    assert isinstance(five, Measure)
    assert (five.lo, five.estimate, five.hi) == pytest.approx((once.lo, once.estimate, once.hi), abs=0.01)


def test_bins_in_which_too_little_is_expected_are_merged() -> None:
    x = np.array([0.0] * 60 + [1.0] * 30 + [2.0] * 4 + [3.0] * 6)
    bins, merged = binned(Ranked.of(x), 0.5)
    assert merged == 1
    assert [int(b) for b in np.bincount(bins)] == [60, 30, 10]
    y = np.tile([0.0, 1.0], 50)
    assert [remark.code for remark in cells_of(x, y).remarks] == [Caution.BINS_MERGED]
    continuous, none = binned(Ranked.of(np.random.default_rng(0).standard_normal(500)), 0.5)
    assert (none, list(np.bincount(continuous))) == (0, [100] * 5)


def test_cells_that_stay_small_give_no_chi_square() -> None:
    x = np.array([0.0] * 95 + [1.0] * 5)
    found = cells_of(x, np.tile([0.0, 1.0], 50))
    assert isinstance(found, NotMeasured)
    assert [remark.code for remark in found.remarks] == [Caution.SMALL_CELLS]


def test_ranks_of_some_rows_are_those_of_sorting_them_again() -> None:
    x, _ = sample(6)
    kept = np.random.default_rng(1).random(len(x)) < 0.4
    some, again = Ranked.of(x).some(kept), Ranked.of(x[kept])
    assert (some.codes == again.codes).all()
    assert some.counts.tolist() == again.counts.tolist()
    assert some.midranks == pytest.approx((stats.rankdata(x[kept]) - 0.5) / kept.sum())
