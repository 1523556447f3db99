"""A round in two steps: what is fixed before the user's move, and what is counted after it."""

from datetime import UTC, datetime
from random import Random

import pytest

from esports_assets.games.rps.commitments import nonce_of, verify
from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.rules import GameOver, GameState
from esports_assets.games.rps.turns import open_round
from esports_assets.games.rps.values import RoundValues, round_values

SECRET = bytes(range(32))
NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)


def anything(_: RoundValues, chance: Random) -> Move:
    return chance.choice(MOVES)


def test_the_move_is_fixed_before_the_users() -> None:
    state = GameState(3, 2.0, 1.5)
    opened = open_round(SECRET, state, anything)
    assert (opened.step_no, opened.values, opened.nonce) == (4, round_values(SECRET, 4), nonce_of(SECRET, 4))
    assert verify(opened.commitment, opened.bot, opened.nonce)
    assert open_round(SECRET, state, anything) == opened  # another process fixes the same move
    after, told, recorded = opened.close(state, opened.bot.beaten_by, NOON)
    assert (told.result.value, told.bot, after.played) == ("win", opened.bot, 4)
    assert after.user_score == 2.0 + opened.values.of(opened.bot.beaten_by)
    assert (recorded.commitment, recorded.nonce, recorded.played_at) == (opened.commitment, opened.nonce, NOON)


def test_chance_differs_from_round_to_round() -> None:
    drawn = {n: open_round(SECRET, GameState(n), anything).bot for n in range(60)}
    assert set(drawn.values()) == set(MOVES)


def test_a_round_is_closed_where_it_was_opened() -> None:
    opened = open_round(SECRET, GameState(), anything)
    after, _, _ = opened.close(GameState(), MOVES[0], NOON)
    with pytest.raises(ValueError, match="round 1 is open, but 1 rounds were played"):
        opened.close(after, MOVES[0], NOON)


def test_no_round_after_the_end() -> None:
    over = GameState(8, 10.0, 2.0)
    with pytest.raises(GameOver, match="the game ended after round 8: no further round is opened"):
        open_round(SECRET, over, anything)
    opened = open_round(SECRET, GameState(8, 9.0, 2.0), anything)
    with pytest.raises(GameOver, match="no further move counts"):
        opened.close(over, MOVES[0], NOON)
