"""The worth of moves by hand, the equilibrium, and the mixture that is played."""

import math
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rps_games import states

from esports_assets.games.rps.decision import FLOOR, decide
from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.round_game import expected, guaranteed, maximin, payoffs
from esports_assets.games.rps.rules import GameOver, GameState
from esports_assets.games.rps.values import FLAT, RoundValues

ROCK, PAPER, SCISSORS = MOVES
WORTH = RoundValues(1.0, 1.5, 2.0)
UNIFORM = (1 / 3, 1 / 3, 1 / 3)
scores = st.integers(0, 99).map(lambda tenths: tenths / 10)
standings = st.builds(GameState, st.just(5), scores, scores)


@st.composite
def predictions(draw: st.DrawFn) -> tuple[float, ...]:
    weights = [draw(st.floats(0.001, 1.0)) for _ in MOVES]
    return tuple(weight / math.fsum(weights) for weight in weights)


def test_payoffs_in_mid_game() -> None:
    """Rows: the bot's rock, paper, scissors; columns: the user's. The bot leads by 3: a draw is worth .15."""
    matrix = payoffs(WORTH, GameState(5, 2.0, 5.0))
    assert matrix == ((0.15, -1.5, 1.0), (1.5, 0.15, -2.0), (-1.0, 2.0, 0.15))


@pytest.mark.parametrize(
    ("user", "bot", "expected_rows"),
    [
        # the bot wins the game with paper or scissors, and by a draw; the user is far away
        (2.0, 9.5, ((10.0, -1.5, 11.0), (11.5, 10.0, -2.0), (-1.0, 12.0, 10.0))),
        # the user wins the game with scissors alone; no draw ends it
        (8.0, 3.0, ((-0.25, -1.5, 1.0), (1.5, -0.25, -12.0), (-1.0, 2.0, -0.25))),
        # any decision ends it, a draw is a tie
        (9.5, 9.5, ((0.0, -11.5, 11.0), (11.5, 0.0, -12.0), (-11.0, 12.0, 0.0))),
        # both reach ten by a draw, and the user is ahead
        (9.9, 9.5, ((-10.0, -11.5, 11.0), (11.5, -10.0, -12.0), (-11.0, 12.0, -10.0))),
    ],
)
def test_payoffs_near_the_end(user: float, bot: float, expected_rows: tuple[tuple[float, ...], ...]) -> None:
    for row, due in zip(payoffs(WORTH, GameState(9, user, bot)), expected_rows, strict=True):
        assert row == pytest.approx(due)


def test_a_draw_that_ends_the_game_counts() -> None:
    """At 9.5 to 2 a draw wins: against a sure rock, rock is worth ten points and not a thirtieth of one."""
    decision = decide((1.0, 0.0, 0.0), WORTH, GameState(9, 2.0, 9.5), math.inf)
    assert decision.payoffs == pytest.approx((10.0, 11.5, -1.0))
    assert decision.probabilities == (0.0, 1.0, 0.0)


def test_expected_payoffs_by_hand() -> None:
    matrix = payoffs(WORTH, GameState())
    assert expected(matrix, (0.5, 0.25, 0.25)) == pytest.approx((-0.125, 0.25, 0.0))
    assert guaranteed(matrix, (0.5, 0.5, 0.0)) == -0.75


def test_the_equilibrium_of_a_round_by_hand() -> None:
    """Level scores: nobody is ahead in value, and each move is played as often as the other two win against each other.

    Rock loses 1.5 to paper, scissors 1 to rock, paper 2 to scissors: rock, paper and scissors are mixed 2 : 1 : 1.5.
    """
    matrix = payoffs(WORTH, GameState())
    mixture = maximin(matrix)
    assert mixture == pytest.approx((2 / 4.5, 1 / 4.5, 1.5 / 4.5))
    assert guaranteed(matrix, mixture) == pytest.approx(0.0)
    assert maximin(payoffs(FLAT, GameState())) == pytest.approx(UNIFORM)


def test_a_saddle_is_found() -> None:
    matrix = ((3.0, 2.0, 4.0), (1.0, 0.0, 9.0), (2.0, 1.0, 0.0))
    assert maximin(matrix) == (1.0, 0.0, 0.0)
    two_by_two = ((2.0, -1.0, 5.0), (-1.0, 1.0, 5.0), (-9.0, -9.0, -9.0))
    assert maximin(two_by_two) == pytest.approx((0.4, 0.6, 0.0))


@given(st.lists(st.integers(-5, 5), min_size=9, max_size=9))
def test_nothing_guarantees_more(entries: list[int]) -> None:
    """Against a grid of mixtures, and by duality: the user can hold the bot to what it guarantees itself."""
    matrix = tuple(tuple(float(entry) for entry in entries[i : i + 3]) for i in (0, 3, 6))
    mixture = maximin(matrix)
    assert math.fsum(mixture) == pytest.approx(1.0)
    assert min(mixture) >= 0.0
    value = guaranteed(matrix, mixture)
    for i in range(11):
        for j in range(11 - i):
            assert guaranteed(matrix, (i / 10, j / 10, (10 - i - j) / 10)) <= value + 1e-9
    users = tuple(tuple(-matrix[row][column] for row in range(3)) for column in range(3))
    assert guaranteed(users, maximin(users)) == pytest.approx(-value, abs=1e-9)


@given(states, standings, predictions())
def test_the_mixture_lies_between_equilibrium_and_best_answer(
    values: RoundValues, standing: GameState, told: tuple[float, ...]
) -> None:
    gains = decide(told, values, standing).payoffs
    worth = []
    for sharpness in (0.0, 1.0, 8.0, 50.0, math.inf):
        decision = decide(told, values, standing, sharpness)
        assert math.fsum(decision.probabilities) == pytest.approx(1.0)
        assert min(decision.probabilities) >= 0.0
        worth.append(math.fsum(p * gain for p, gain in zip(decision.probabilities, gains, strict=True)))
    careful = decide(told, values, standing, 0.0)
    assert careful.probabilities == pytest.approx(careful.equilibrium)
    assert worth[-1] == pytest.approx(max(gains))
    for less, more in pairwise(worth[1:]):
        assert more >= less - 1e-9


def test_the_formula_by_hand() -> None:
    """Sure of rock in plain rock-paper-scissors: paper gains 1, rock 0, scissors -1; the anchor is uniform, the scale 1."""
    decision = decide((1.0, 0.0, 0.0), FLAT, GameState(), sharpness=2.0)
    weights = [math.exp(0.0), math.exp(2.0), math.exp(-2.0)]
    assert decision.probabilities == pytest.approx([weight / sum(weights) for weight in weights])
    anchors = [(1 - FLOOR) * share + FLOOR / 3 for share in (2 / 4.5, 1 / 4.5, 1.5 / 4.5)]
    weights = [a * math.exp(2.0 * g / 2.0) for a, g in zip(anchors, (0.0, 1.5, -1.0), strict=True)]
    decision = decide((1.0, 0.0, 0.0), WORTH, GameState(), sharpness=2.0)
    assert decision.probabilities == pytest.approx([weight / sum(weights) for weight in weights])


def test_a_prediction_of_nothing_leaves_the_equilibrium() -> None:
    """Against its own equilibrium every move of the bot is worth the same."""
    mixture = maximin(payoffs(WORTH, GameState()))
    decision = decide(mixture, WORTH, GameState())
    assert decision.payoffs == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)
    assert decision.probabilities == pytest.approx(mixture, abs=FLOOR)


def test_draws_have_the_probabilities() -> None:
    decision, random = decide((0.6, 0.3, 0.1), WORTH, GameState(3, 2.0, 1.0)), Random(5)
    drawn = Counter(decision.draw(random) for _ in range(20_000))
    for move, probability in zip(MOVES, decision.probabilities, strict=True):
        assert drawn[move] / 20_000 == pytest.approx(probability, abs=0.012)
    assert decision.draw(Random(7)) is decision.draw(Random(7))


@pytest.mark.parametrize(
    ("told", "sharpness", "sentence"),
    [
        ((0.5, 0.5), 8.0, "are no probabilities of rock, paper, scissors"),
        ((0.5, 0.6, -0.1), 8.0, "are no probabilities"),
        ((math.nan, 0.5, 0.5), 8.0, "are no probabilities"),
        ((0.5, 0.5, 0.5), 8.0, "add up to 1.5 and not to 1"),
        (UNIFORM, -1.0, "sharpness -1.0 is no weight: give 0 or more"),
        (UNIFORM, math.nan, "sharpness nan is no weight"),
    ],
)
def test_no_decision_from_these(told: tuple[float, ...], sharpness: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        decide(told, WORTH, GameState(), sharpness)


def test_single_precision_is_forgiven() -> None:
    assert sum(decide((0.3333333, 0.3333333, 0.3333333), FLAT, GameState()).probabilities) == pytest.approx(1.0)


def test_nothing_is_decided_after_the_end() -> None:
    with pytest.raises(GameOver, match="the game ended after round 9: there is nothing left to decide"):
        decide(UNIFORM, WORTH, GameState(9, 10.0, 3.0))


def test_moves_keep_their_order() -> None:
    """The index of a probability is the move's: a model's classes stand in this order."""
    assert decide((0.0, 0.0, 1.0), FLAT, GameState(), math.inf).probabilities == (1.0, 0.0, 0.0)
    assert [Move(move).ordinal for move in ("rock", "paper", "scissors")] == [0, 1, 2]
