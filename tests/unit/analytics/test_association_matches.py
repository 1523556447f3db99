"""Tests whose unit is the match, and many of them at once."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from esports_assets.analytics.association_family import benjamini_hochberg, benjamini_yekutieli
from esports_assets.analytics.association_matches import FLIPPED_UP_TO, Flips, Halves, Matches, Parts


def scalar(score: np.ndarray, influence: np.ndarray | None = None) -> Parts:
    return Parts(score[:, None], np.arange(len(score)), influence)


def test_flips_count_the_signs_that_do_as_well() -> None:
    score = np.array([3.0, 1.0, -0.5, 2.0, 1.5, 0.2, 0.9, -1.1])
    signs = np.array(list(product((-1.0, 1.0), repeat=8)))
    exact = (np.abs(signs @ score) >= abs(score.sum()) - 1e-9).mean()
    assert Flips(8, 50_000, 3).p_values([scalar(score)])[0] == pytest.approx(exact, abs=0.006)


def test_flips_of_several_directions_measure_the_squared_length() -> None:
    random = np.random.default_rng(0)
    score = random.standard_normal((9, 2)) + np.array([0.6, -0.3])
    inverse = np.linalg.inv(score.T @ score)
    signs = np.array(list(product((-1.0, 1.0), repeat=9)))
    sizes = np.einsum("si,ij,sj->s", signs @ score, inverse, signs @ score)
    observed = score.sum(axis=0) @ inverse @ score.sum(axis=0)
    exact = (sizes >= observed - 1e-9).mean()
    parts = [scalar(random.standard_normal(9)), Parts(score, np.arange(9))]
    assert Flips(9, 50_000, 3).p_values(parts)[1] == pytest.approx(exact, abs=0.006)


def test_many_matches_have_the_limit_of_their_flips_and_p_may_be_zero() -> None:
    count = FLIPPED_UP_TO + 1
    weak, strong = np.random.default_rng(4).standard_normal((2, count))
    p = Flips(count, 100, 1).p_values([scalar(weak), scalar(strong + 1e3)])
    drawn = Flips(count, 20_000, 1)._drawn(
        scalar(weak).whitened, np.array([0]), np.array([scalar(weak).whitened.sum() ** 2])
    )
    assert p[0] == pytest.approx(drawn[0], abs=0.015)
    assert p[1] < 1e-200
    extreme = Flips(100 * count, 100, 1).p_values([scalar(np.ones(100 * count))])
    assert extreme == [0.0]


def test_no_draw_makes_a_p_value_zero() -> None:
    assert Flips(40, 999, 1).p_values([scalar(np.ones(40))]) == [pytest.approx(1 / 1000)]
    assert Flips(40, 999, 1).p_values([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_are_those_of_statsmodels(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert benjamini_yekutieli(p) == pytest.approx(multipletests(p, method="fdr_by")[1])


def test_an_exact_zero_stays_the_strongest_finding() -> None:
    adjusted = benjamini_hochberg([0.0, 0.04, 0.9])
    assert adjusted[0] == 0.0
    assert adjusted.tolist() == pytest.approx([0.0, 0.06, 0.9])
    assert benjamini_yekutieli([0.0, 0.5])[0] == 0.0


def test_tests_that_could_not_be_made_count_in_the_family() -> None:
    assert benjamini_hochberg([0.01, 0.02], 10).tolist() == pytest.approx([0.1, 0.1])
    assert benjamini_hochberg([], 10).tolist() == []
    with pytest.raises(ValueError, match="a family of 1 cannot hold 2 tests"):
        benjamini_hochberg([0.1, 0.2], 1)
    with pytest.raises(ValueError, match="not between 0 and 1"):
        benjamini_hochberg([float("nan")])


def test_rows_of_a_match_must_stand_together() -> None:
    matches = Matches.of(np.array([7, 7, 2, 2, 2, 9]))
    assert matches.sums(np.arange(6.0)).tolist() == [1.0, 9.0, 5.0]
    kept = np.array([False, False, True, False, True, True])
    assert matches.some(kept).starts.tolist() == [0, 2]
    assert matches.numbers(kept).tolist() == [1, 2]
    with pytest.raises(ValueError, match="do not stand together"):
        Matches.of(np.array([1, 2, 1]))


def test_halves_repeat_what_all_matches_show_and_not_what_one_shows() -> None:
    random = np.random.default_rng(3)
    halves = Halves.draw(60, 200, 1)
    assert halves.first.sum(axis=1).tolist() == [30.0] * 200
    shown_by_all = random.normal(0.0, 0.004, 60)
    shown_by_one = np.zeros(60)
    shown_by_one[5] = 0.3
    shown_by_one -= shown_by_one.mean()
    parts = [scalar(one + 0.3 / 60, one - one.mean()) for one in (shown_by_all, shown_by_one)]
    steady, single = halves.agreement(parts, [0.3, 0.3])
    assert steady == 1.0
    assert single is not None
    assert single < 0.2
    assert Halves.draw(3, 10, 1).agreement([scalar(np.ones(3), np.ones(3))], [1.0]) == [None]


def test_halves_of_a_quantity_without_sign_must_point_the_same_way() -> None:
    random = np.random.default_rng(3)
    steady = random.standard_normal((80, 2)) + np.array([1.0, -1.0])
    noise = random.standard_normal((80, 2))
    parts = [Parts(score, np.arange(80)) for score in (steady, noise)]
    agreed = Halves.draw(80, 100, 1).agreement(parts, [0.5, 0.5])
    assert agreed[0] == 1.0
    assert agreed[1] is not None
    assert agreed[1] < 0.1
