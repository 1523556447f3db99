"""Capital: fair under the hypothesis exactly, finite for ever, and the interval that follows from it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.promotion.betting import Arms, Pairs, Signal, Stakes, Wealth, interval

STAKES = Stakes.around(0.05)
RATES = st.floats(0.02, 0.98)
Game = tuple[bool, float]


def played(games: list[Game], share: float) -> list[Signal]:
    arms = Arms()
    return [arms.observe(np.asarray(b), np.asarray(x), np.asarray(share)) for b, x in games]


def capital(signals: list[Signal], least: float = 0.0, sign: float = 1.0) -> float:
    """Of the bets that the difference is above ``least`` (below it, with the other sign)."""
    wealth = Wealth(STAKES)
    for one in signals:
        bound = one.below if sign > 0 else one.above
        wealth.observe(np.asarray(sign * (one.value - least)), one.variance, bound)
    return math.exp(float(wealth.log_e))


def expected(rates: list[tuple[float, float]], share: float, least: float = 0.0, sign: float = 1.0) -> float:
    """The exact mean capital over every course of games in which (Production, challenger) win with these rates."""
    total = 0.0
    for course in itertools.product(itertools.product((False, True), (0.0, 1.0)), repeat=len(rates)):
        chance = 1.0
        for (second, result), pair in zip(course, rates, strict=True):
            rate = pair[second]
            chance *= (share if second else 1 - share) * (rate if result else 1 - rate)
        total += chance * capital(played(list(course), share), least, sign)
    return total


def test_the_capital_of_one_bet_is_the_product_of_its_returns() -> None:
    wealth = Wealth(Stakes((0.1,), (1.0,)))
    for x in (0.5, -0.2, 1.0):
        wealth.observe(np.asarray(x), np.asarray(0.24), np.asarray(1.0))
    stake = 0.1 / (0.24 + 0.01)
    assert math.exp(float(wealth.log_e)) == pytest.approx((1 + 0.5 * stake) * (1 - 0.2 * stake) * (1 + stake))


def test_the_first_game_signals_against_an_even_result() -> None:
    won, lost = played([(True, 1.0)], 0.5)[0], played([(False, 0.0)], 0.25)[0]
    assert (float(won.value), float(won.variance), float(won.below), float(won.above)) == (1.0, 1.0, 1.0, 1.0)
    assert float(lost.value) == pytest.approx(0.5 / 0.75)
    assert (float(lost.below), float(lost.above)) == (2.0, 2.0)
    assert float(played([(True, 0.5)], 0.5)[0].value) == 0.0


@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize("rates", [[0.5] * 4, [0.1] * 4, [0.9, 0.1, 0.6, 0.3]])
def test_equal_versions_leave_the_capital_where_it_was_on_average(rates: list[float], share: float) -> None:
    """Whatever the rates are, and though they change from game to game."""
    assert expected([(rate, rate) for rate in rates], share) == pytest.approx(1.0, abs=1e-12)


def test_a_worse_challenger_loses_capital_and_a_better_one_gains_it() -> None:
    assert expected([(0.6, 0.4)] * 4, 0.5) < 0.999
    assert expected([(0.4, 0.6)] * 4, 0.5) > 1.001


def test_the_bet_that_the_effect_is_not_there_is_fair_at_the_effect() -> None:
    assert expected([(0.45, 0.5)] * 4, 0.5, 0.05, -1.0) == pytest.approx(1.0, abs=1e-12)
    assert expected([(0.45, 0.55)] * 4, 0.5, 0.05, -1.0) < 1.0
    assert expected([(0.5, 0.5)] * 4, 0.5, 0.05, -1.0) > 1.0


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=60),
    st.floats(0.05, 0.95),
)
def test_signals_keep_their_bounds_and_capital_stays_positive(games: list[Game], share: float) -> None:
    signals = played(games, share)
    for one in signals:
        assert -one.below - 1e-12 <= one.value <= one.above + 1e-12
    assert math.isfinite(math.log(capital(signals)))
    assert math.isfinite(math.log(capital(signals, sign=-1.0)))


def test_a_hundred_thousand_games_of_one_kind_stay_finite() -> None:
    wealth, one = Wealth(STAKES), np.asarray(1.0)
    for _ in range(100_000):
        wealth.observe(one, one, one)
    assert float(wealth.log_e) == pytest.approx(100_000 * math.log1p(0.2 / 1.04) + math.log(0.1))


def test_trials_side_by_side_are_trials_alone() -> None:
    rng = np.random.default_rng(3)
    second, result = rng.random((40, 5)) < 0.4, rng.choice([0.0, 0.5, 1.0], (40, 5))
    arms, wealth = Arms((5,)), Wealth(STAKES, (5,))
    for b, x in zip(second, result, strict=True):
        one = arms.observe(b, x, np.asarray(0.4))
        wealth.observe(one.value, one.variance, one.below)
    for k in range(5):
        alone = capital(played(list(zip(second[:, k].tolist(), result[:, k].tolist(), strict=True)), 0.4))
        assert math.exp(float(wealth.log_e[k])) == pytest.approx(alone, rel=1e-12)
        means = [result[second[:, k] == arm, k].mean() for arm in (False, True)]
        assert float(arms.lift[k]) == pytest.approx(means[1] - means[0])


def test_pairs_bet_on_the_mean_difference() -> None:
    pairs = Pairs(Stakes((0.1,), (1.0,)))
    pairs.observe(np.asarray(0.2))
    stake = 0.1 / (0.005 + 0.01)
    assert math.exp(float(pairs.log_e)) == pytest.approx(1 + 0.2 * min(stake, 0.5))
    steady = Pairs(STAKES)
    for _ in range(200):
        steady.observe(np.asarray(0.05))
    assert float(steady.log_e) > 4
    nothing = Pairs(STAKES)
    for k in range(200):
        nothing.observe(np.asarray(0.05 if k % 2 else -0.05))
    assert float(nothing.log_e) < 0


def test_an_interval_needs_games_and_narrows_with_them() -> None:
    assert interval([], STAKES, 0.03) == (-1.0, 1.0)
    rng = np.random.default_rng(5)
    games = [(bool(rng.random() < 0.5), 0.0) for _ in range(4000)]
    games = [(b, float(rng.random() < (0.6 if b else 0.4))) for b, _ in games]
    widths = []
    for n in (50, 500, 4000):
        low, high = interval(played(games[:n], 0.5), STAKES, 0.03)
        assert -1 <= low < 0.2 < high <= 1
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.2


def test_an_interval_ends_where_the_capital_reaches_its_threshold() -> None:
    """With bets small enough to be cut nowhere, the lower end is where the bets above it have won 1/alpha."""
    rng = np.random.default_rng(6)
    games = [(bool(rng.random() < 0.5), float(rng.random() < 0.5)) for _ in range(800)]
    signals = played([(b, 1.0 if b else x) for b, x in games], 0.5)
    low, _ = interval(signals, Stakes((0.02,), (1.0,)), 0.05)
    wealth = Wealth(Stakes((0.02,), (1.0,)))
    for one in signals:
        wealth.observe(np.asarray(one.value - low), one.variance, one.below + 1)
    assert float(wealth.log_e) == pytest.approx(math.log(20), abs=0.01)


def test_an_interval_holds_at_every_time() -> None:
    """Fifty runs of 500 games, looked at ten times each: at a level of 0.1 a side, 0.2 of runs may leave them."""
    left = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        second = rng.random(500) < 0.5
        results = (rng.random(500) < np.where(second, 0.55, 0.5)).astype(float)
        signals = played(list(zip(second.tolist(), results.tolist(), strict=True)), 0.5)
        ends = [interval(signals[:n], STAKES, 0.1) for n in range(50, 501, 50)]
        left += any(not low <= 0.05 <= high for low, high in ends)
    assert left / 50 <= 0.2


def test_stakes_that_are_none_are_refused() -> None:
    for effects, weights in (((), ()), ((0.1,), (0.5,)), ((0.0,), (1.0,)), ((0.1, 0.2), (1.0,))):
        with pytest.raises(ValueError, match="weight"):
            Stakes(effects, weights)
