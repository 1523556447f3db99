"""The rules to ten points, and the gambits of the first rounds."""

import itertools
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rps_games import game, hand, hands, moves, states

from esports_assets.games.rps.gambits import GAMBITS, choose_gambit, gambit_named
from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.rules import MOST_ROUNDS, GameOver, GameState, RoundPlayed, Winner
from esports_assets.games.rps.values import FLAT, RoundValues

ROCK, PAPER, SCISSORS = MOVES
WORTH = RoundValues(1.0, 1.5, 2.0)


def test_the_winner_scores_his_own_moves_value() -> None:
    state, won = GameState().play(PAPER, ROCK, WORTH)
    assert (won.step_no, won.result.value, won.user_points, won.bot_points) == (1, "win", 1.5, 0.0)
    state, lost = state.play(PAPER, SCISSORS, WORTH)
    assert (lost.result.value, lost.user_points, lost.bot_points) == ("lose", 0.0, 2.0)
    state, drawn = state.play(ROCK, ROCK, WORTH)
    assert (drawn.result.value, drawn.user_score, drawn.bot_score) == ("draw", 2.0, 2.5)
    assert (state.played, state.finished, state.winner) == (3, False, None)


def test_ten_points_end_a_game() -> None:
    rounds = game(hand("SSSSS"), hand("PPPPP"), [WORTH] * 5)
    state = GameState(5, rounds[-1].user_score, rounds[-1].bot_score)
    assert (state.user_score, state.winner) == (10.0, Winner.USER)
    with pytest.raises(GameOver, match="the game ended after round 5 with 10 to 0: no further move counts"):
        state.play(ROCK, ROCK, WORTH)


@pytest.mark.parametrize(
    ("user", "bot", "winner"),
    [
        (9.5, 9.5, Winner.TIE),
        (9.6, 9.5, Winner.USER),
        (9.5, 9.9, Winner.BOT),
        (9.5, 3.0, Winner.USER),
        (2.0, 9.7, Winner.BOT),
        (9.4, 9.4, None),
    ],
)
def test_a_draw_may_end_it_for_both(user: float, bot: float, winner: Winner | None) -> None:
    state, _ = GameState(10, user, bot).play(ROCK, ROCK, WORTH)
    assert state.winner is winner


def test_ten_tenths_are_ten() -> None:
    """Three times 1.1 is not 3.3 in floating point, and is here."""
    worth = RoundValues(1.1, 1.1, 1.1)
    state = GameState()
    for _ in range(3):
        state, told = state.play(PAPER, ROCK, worth)
    assert told.user_score == 3.3
    assert GameState(9, 9.9999995, 0.0).finished
    assert not GameState(9, 9.99999, 0.0).finished


@given(st.lists(st.tuples(moves, moves, states), min_size=MOST_ROUNDS, max_size=MOST_ROUNDS))
def test_a_game_ends_within_twenty_rounds(dealt: list[tuple[Move, Move, RoundValues]]) -> None:
    rounds = game(*map(list, zip(*dealt, strict=True)))
    last = rounds[-1]
    assert GameState(last.step_no, last.user_score, last.bot_score).finished
    assert [told.step_no for told in rounds] == list(range(1, len(rounds) + 1))
    for before, after in itertools.pairwise(rounds):
        assert not GameState(before.step_no, before.user_score, before.bot_score).finished
        assert after.user_score == pytest.approx(before.user_score + after.user_points, abs=1e-9)
        assert after.bot_score == pytest.approx(before.bot_score + after.bot_points, abs=1e-9)


def test_nineteen_draws_do_not_end_it() -> None:
    assert len(game(hand("R" * 30), hand("R" * 30), [FLAT] * 30)) == MOST_ROUNDS


@given(hands)
def test_the_sides_are_treated_alike(dealt: list[tuple[Move, Move, RoundValues]]) -> None:
    users, bots, values = [d[0] for d in dealt], [d[1] for d in dealt], [d[2] for d in dealt]

    def sides(rounds: list[RoundPlayed]) -> list[tuple[float, float, str]]:
        return [(told.user_score, told.bot_score, told.result.value) for told in rounds]

    turned = [(b, a, {"win": "lose", "lose": "win"}.get(r, r)) for a, b, r in sides(game(bots, users, values))]
    assert sides(game(users, bots, values)) == turned


def test_gambits_are_places_in_the_order_of_values() -> None:
    high, second, low = WORTH.ranked
    assert (high, second, low) == (SCISSORS, PAPER, ROCK)
    played = {name: [gambit.move(n, WORTH) for n in (1, 2, 3)] for name, gambit in GAMBITS.items()}
    assert played == {
        "crescendo": [low, second, high],
        "denouement": [high, second, low],
        "paper-dolls": [low, second, second],
        "fistful-of-dollars": [high, low, low],
        "scissor-sandwich": [low, second, low],
        "bureaucrat": [low, low, low],
        "avalanche": [high, high, high],
        "toolbox": [second, second, second],
        "razor": [second, low, high],
        "switchblade": [second, high, low],
    }
    assert GAMBITS["razor"].move(3, RoundValues(1.6, 1.0, 1.1)) is ROCK  # every round has an order of its own


def test_gambits_are_drawn_by_weight() -> None:
    assert sum(gambit.weight for gambit in GAMBITS.values()) == 100
    random = Random(1)
    drawn = Counter(choose_gambit(random).name for _ in range(20_000))
    for name, gambit in GAMBITS.items():
        assert drawn[name] / 20_000 == pytest.approx(gambit.weight / 100, abs=0.012), name


def test_a_gambit_ends_after_three_rounds() -> None:
    with pytest.raises(ValueError, match="a gambit covers the rounds 1 to 3, not 4"):
        GAMBITS["razor"].move(4, WORTH)
    with pytest.raises(LookupError, match="no gambit 'blade'; there are crescendo, "):
        gambit_named("blade")
