"""Moves, the values of a round, and the promises about them."""

import hashlib
import hmac
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.games.rps.commitments import (
    broken_promise,
    commitment,
    nonce_of,
    round_random,
    secret_commitment,
    verify,
)
from esports_assets.games.rps.moves import MOVES, Move, Result, move_named, result_of
from esports_assets.games.rps.values import FLAT, STATES, RoundValues, round_values

SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))
ROCK, PAPER, SCISSORS = MOVES


def test_what_beats_what() -> None:
    assert [move.beats for move in MOVES] == [SCISSORS, ROCK, PAPER]
    assert [move.beaten_by for move in MOVES] == [PAPER, SCISSORS, ROCK]
    assert [[result_of(own, other).value for other in MOVES] for own in MOVES] == [
        ["draw", "lose", "win"],
        ["win", "draw", "lose"],
        ["lose", "win", "draw"],
    ]
    assert [result.for_the_other for result in Result] == [Result.LOSE, Result.WIN, Result.DRAW]


def test_an_unknown_move_is_named() -> None:
    with pytest.raises(ValueError, match="'well' is no move; there are rock, paper, scissors"):
        move_named("well")


def test_there_are_fifteen_states() -> None:
    assert len(set(STATES)) == 15
    for values in STATES:
        base = values.of(values.lowest.beaten_by)
        assert values.of(values.lowest) == 1.0
        assert base in (1.1, 1.2, 1.3, 1.4, 1.5)
        assert values.of(values.lowest.beats) == round(base + 0.5, 1)
    assert Counter(values.lowest for values in STATES) == dict.fromkeys(MOVES, 5)


def test_values_are_those_of_the_hmac() -> None:
    for step_no in (1, 2, 19):
        digest = hmac.new(SECRET, f"rps/values/1|{step_no}".encode(), hashlib.sha256).digest()
        assert round_values(SECRET, step_no) == STATES[int.from_bytes(digest[:16], "big") % 15]


def test_every_state_is_equally_likely() -> None:
    found = Counter(round_values(SECRET, step_no) for step_no in range(1, 15_001))
    expected = 1_000
    assert len(found) == 15
    assert sum((count - expected) ** 2 / expected for count in found.values()) < 36.1  # chi2(14), 0.1 %


def test_games_and_rounds_have_values_of_their_own() -> None:
    own, other = ([round_values(secret, n) for n in range(1, 200)] for secret in (SECRET, OTHER))
    assert sum(a == b for a, b in zip(own, other, strict=True)) < 35  # 13 by chance
    assert sum(a == b for a, b in itertools.pairwise(own)) < 35


@pytest.mark.parametrize(
    ("secret", "step_no", "sentence"),
    [
        (b"short", 1, "a game's secret has 32 bytes, not 5"),
        (SECRET, 0, "there is no round 0: rounds are counted from 1"),
    ],
)
def test_no_values_without_a_secret_and_a_round(secret: bytes, step_no: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        round_values(secret, step_no)


def test_order_of_values() -> None:
    assert RoundValues(1.0, 1.5, 2.0).ranked == (SCISSORS, PAPER, ROCK)
    assert FLAT.ranked == MOVES
    values = RoundValues(1.2, 1.7, 1.0)
    assert (values.highest, values.middle, values.lowest) == (PAPER, ROCK, SCISSORS)
    assert RoundValues.told(values.by_move) == values


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"rock": 1.0, "paper": 1.0}, "values of a round name rock, paper, scissors, not paper, rock"),
        (
            {"rock": 1.0, "paper": -1.0, "scissors": 1.0},
            "paper is worth -1.0: a move's value is a finite number above 0",
        ),
        ({"rock": float("nan"), "paper": 1.0, "scissors": 1.0}, "rock is worth nan"),
    ],
)
def test_impossible_values(told: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RoundValues.told(told)


@given(st.sampled_from(MOVES), st.binary(min_size=32, max_size=32), st.integers(1, 60))
def test_a_promise_fits_its_move_alone(move: Move, secret: bytes, step_no: int) -> None:
    nonce = nonce_of(secret, step_no)
    announced = commitment(move, nonce)
    assert announced == hashlib.sha256(f"{move.value}:{nonce}".encode()).hexdigest()
    assert [other for other in MOVES if verify(announced, other, nonce)] == [move]
    assert not verify(announced, move, nonce_of(secret, step_no + 1))
    assert verify(announced.upper(), move, nonce)


def test_a_short_nonce_hides_nothing() -> None:
    with pytest.raises(ValueError, match="a nonce has 32 or more characters, not 4"):
        commitment(ROCK, "abcd")
    assert not verify(hashlib.sha256(b"rock:abcd").hexdigest(), ROCK, "abcd")


def test_a_revealed_secret_is_checked() -> None:
    announced = secret_commitment(SECRET)
    assert announced == hashlib.sha256(SECRET).hexdigest()
    rounds = [(n, round_values(SECRET, n)) for n in range(1, 10)]
    assert broken_promise(announced, SECRET, rounds) is None
    assert broken_promise(announced, OTHER, rounds) == "the revealed secret is not the one that was announced"
    rounds[3] = (4, next(values for values in STATES if values != rounds[3][1]))
    assert str(broken_promise(announced, SECRET, rounds)).startswith("round 4 was played for {'rock'")


def test_draws_follow_from_the_secret_and_the_round() -> None:
    numbers = [round_random(SECRET, n).random() for n in (1, 1, 2)]
    assert numbers[0] == numbers[1] != numbers[2]
    assert round_random(OTHER, 1).random() != numbers[0]
