"""The eight scripted players, case by case, from either side."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rps_games import LETTERS, game, hands, seat

from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.opponents import OPPONENTS, opponent_named
from esports_assets.games.rps.seat import Seat, SeatName
from esports_assets.games.rps.values import FLAT, RoundValues

NOW = RoundValues(2.0, 1.5, 1.0)
"""Rock is worth most, scissors least."""
SMALL = RoundValues(1.6, 1.1, 1.0)
"""The smallest spread there is: exactly 0.6."""


def plays(name: str, own: str, other: str, now: RoundValues = NOW, seed: int = 0) -> str:
    """The letter that a player answers with after these hands."""
    chosen = OPPONENTS[name].choose(seat(own, other), now, Random(seed))
    return next(letter for letter, move in LETTERS.items() if move is chosen)


CASES = [
    # ace: two of three won, else beats the last move of the other side
    ("ace", "", "", "R"),
    ("ace", "PPS", "RRS", "R"),
    ("ace", "PSR", "RSP", "S"),
    ("ace", "PPSR", "RRRP", "S"),
    # bob: rotates highest, lowest, middle; winning, he beats his most used place (equal values: highest = rock)
    ("bob", "", "", "R"),
    ("bob", "R", "R", "S"),
    ("bob", "RS", "RS", "P"),
    ("bob", "RSP", "RSP", "R"),
    ("bob", "RR", "SS", "P"),
    ("bob", "PP", "RR", "S"),
    ("bob", "SSR", "PPS", "R"),
    # cal: beats the highest value, after three losses plays it
    ("cal", "", "", "P"),
    ("cal", "RRR", "PPS", "P"),
    ("cal", "RRR", "PPP", "R"),
    ("cal", "RRRR", "RPPP", "R"),
    # edd: highest after a loss, else beats the most common
    ("edd", "", "", "R"),
    ("edd", "R", "P", "R"),
    ("edd", "PRS", "PPP", "S"),
    ("edd", "RP", "SR", "P"),
    # fox: ahead lowest, behind beats the least common, level middle
    ("fox", "", "", "P"),
    ("fox", "R", "S", "S"),
    ("fox", "R", "P", "P"),
    ("fox", "RSS", "PRR", "R"),
    ("fox", "RP", "PR", "P"),
    # gus: large spread, highest
    ("gus", "", "", "R"),
    ("gus", "R", "P", "R"),
    # hal: middle; after three losses the move that won most
    ("hal", "", "", "P"),
    ("hal", "RRR", "PPP", "P"),
    ("hal", "SSRRRR", "PPSPPP", "S"),
    ("hal", "SPRRR", "PRPPP", "P"),
    ("hal", "SRRS", "PPPS", "P"),
]


@pytest.mark.parametrize(("name", "own", "other", "expected"), CASES)
def test_by_hand(name: str, own: str, other: str, expected: str) -> None:
    assert plays(name, own, other) == expected


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ("", "", "R"),
        ("RP", "SS", "R"),  # a repeated move
        ("SSS", "PPS", "S"),  # paper is half or more of all
        ("PPP", "PRS", "R"),  # neither: the last move, scissors
    ],
)
def test_gus_counters_habits_at_the_smallest_spread(own: str, other: str, expected: str) -> None:
    """The branches that a comparison of floats had cut off."""
    assert plays("gus", own, other, SMALL) == expected


def test_gus_draws_after_two_losses() -> None:
    drawn = {plays("gus", "RR", "PP", seed=seed) for seed in range(40)}
    assert drawn == {"R", "P", "S"}


def test_dans_weights() -> None:
    """Rock 2.0: best .60, beater .30, third .10; the shares of many draws are those weights over their sum."""
    expected = {
        ("", ""): (0.60, 0.30, 0.10),
        ("R", "P"): (0.75, 0.40, 0.20),  # lost: +.15 best; behind: +.10 beater; paper is usual: +.10 scissors
        ("P", "R"): (0.60, 0.40, 0.20),  # won and ahead: +.05 each on the third; rock is usual: +.10 paper
        ("RP", "PR"): (0.60, 0.40, 0.25),  # won, level; both moves are half of all: +.10 paper and +.10 scissors
    }
    for (own, other), weights in expected.items():
        view, random = seat(own, other), Random(3)
        drawn = Counter(OPPONENTS["dan"].choose(view, NOW, random) for _ in range(20_000))
        for move, weight in zip(MOVES, weights, strict=True):
            assert drawn[move] / 20_000 == pytest.approx(weight / sum(weights), abs=0.012), (own, other, move)


@pytest.mark.parametrize("name", sorted(OPPONENTS))
@given(dealt=hands, seed=st.integers(0, 5))
def test_a_player_reads_its_own_side(name: str, dealt: list[tuple[Move, Move, RoundValues]], seed: int) -> None:
    """On either side of the same game turned round, the same view and the same move; only chance may differ it."""
    users, bots, values = [d[0] for d in dealt], [d[1] for d in dealt], [d[2] for d in dealt]
    user, bot = Seat(SeatName.USER), Seat(SeatName.BOT)
    for told in game(users, bots, values):
        user.see(told)
    for told in game(bots, users, values):
        bot.see(told)
    player = OPPONENTS[name]
    chosen = player.choose(user, NOW, Random(seed))
    assert chosen is player.choose(bot, NOW, Random(seed))
    if player.deterministic:
        assert chosen is player.choose(user, NOW, Random(seed + 1))


def test_who_is_random() -> None:
    assert [name for name, player in OPPONENTS.items() if not player.deterministic] == ["dan", "gus"]
    assert sorted(OPPONENTS) == ["ace", "bob", "cal", "dan", "edd", "fox", "gus", "hal"]


def test_an_unknown_player_is_named() -> None:
    with pytest.raises(LookupError, match="no scripted player 'zoe'; there are ace, bob"):
        opponent_named("zoe")


def test_bob_remembers_places_and_not_moves() -> None:
    """Rock then paper, each worth least in its round: his most used place is the lowest, now scissors; rock beats it."""
    worth = [RoundValues(1.0, 1.5, 2.0), RoundValues(2.0, 1.0, 1.5)]
    assert OPPONENTS["bob"].choose(seat("RP", "SR", worth), NOW, Random(0)) is LETTERS["R"]
    assert OPPONENTS["bob"].choose(seat("RP", "SR", [FLAT] * 2), NOW, Random(0)) is LETTERS["P"]
