"""The player over the mixture: returns, the defence, and its state."""

import random
from collections.abc import Callable

import pytest

from esports_assets.games.rps.experts.player import MixturePlayer, expected_returns
from esports_assets.games.rps.experts.protocol import Player
from esports_assets.games.rps.experts.settings import DefenceSettings
from esports_assets.games.rps.experts.simple import BestResponse, LongestMatch, Markov, Uniform


def _duel(player: Player, other: Callable[[int], int], rounds: int, seed: int = 1) -> int:
    rng, gained = random.Random(seed), 0
    for n in range(rounds):
        theirs, own = other(n), player.play(rng)
        player.update(own, theirs)
        gained += (0, 1, -1)[(own - theirs) % 3]
    return gained


@pytest.mark.parametrize("seed", range(3))
def test_a_constant_and_a_rotating_player_lose_nearly_every_round(seed: int) -> None:
    assert _duel(MixturePlayer(), lambda n: 2, 100, seed) > 85
    assert _duel(MixturePlayer(), lambda n: n % 3, 100, seed) > 80
    assert _duel(MixturePlayer(), lambda n: -n % 3, 100, seed) > 80


def test_chance_costs_nothing_worth_speaking_of() -> None:
    """Four standard errors of three matches: 4 * sqrt(2 / 3 * 500 * 3)."""
    chance = random.Random(9)
    assert abs(sum(_duel(MixturePlayer(), lambda n: chance.randrange(3), 500, seed) for seed in range(3))) < 127


class Copy:
    """Knows everything but the drawn moves: a copy of the player, whose move it beats."""

    def __init__(self, defence: DefenceSettings) -> None:
        self.player = MixturePlayer(None, defence)

    def answer(self, rng: random.Random) -> int:
        return (self.player.play(rng) + 1) % 3


def _against_its_copy(defence: DefenceSettings, rounds: int, seed: int) -> tuple[int, int]:
    """Return against the copy, and rounds that were drawn because of it."""
    player, copy, gained, paused = MixturePlayer(None, defence), Copy(defence), 0, 0
    rng, guess = random.Random(seed), random.Random(seed + 100)
    for _ in range(rounds):
        paused += player.paused
        own, theirs = player.play(rng), copy.answer(guess)
        player.update(own, theirs)
        copy.player.update(own, theirs)
        gained += (0, 1, -1)[(own - theirs) % 3]
    return gained, paused


def test_somebody_who_knows_the_next_move_wins_no_more_than_the_budget_allows() -> None:
    """Paused after every budget: at most two of them in 700 rounds, and four standard errors of the rounds that are drawn."""
    defence = DefenceSettings(margin=0.0, budget=5.0, credit=0.0, pause=300)
    gained, paused = _against_its_copy(defence, 700, seed=3)
    assert paused > 500
    assert gained > -(2 * 6 + 4 * (2 / 3 * 700) ** 0.5)


def test_the_defence_draws_for_as_long_as_it_says_and_twice_as_long_after() -> None:
    defence = DefenceSettings(margin=0.0, budget=2.0, credit=0.0, pause=10)
    player, paused = MixturePlayer(None, defence), list[bool]()
    rng = random.Random(0)
    for _ in range(120):
        own = player.play(rng)
        player.update(own, (own + 1) % 3)
        paused.append(player.paused)
    first = paused.index(True)
    assert all(paused[first : first + 10])
    assert not paused[first + 10]
    second = paused.index(True, first + 10)
    assert all(paused[second : second + 20])
    assert not paused[second + 20]


def test_winnings_are_a_credit_of_limited_size() -> None:
    """After 200 rounds won, losing begins to count at once: budget and credit together, then drawn moves."""
    player, rng = MixturePlayer(None, DefenceSettings(margin=0.0, budget=3.0, credit=2.0, pause=50)), random.Random(0)
    for _ in range(200):
        player.update(player.play(rng), 0)
    lost = 0
    while not player.paused:
        own = player.play(rng)
        player.update(own, (own + 1) % 3)
        lost += 1
    assert lost == 5


def test_the_same_seed_plays_the_same_match_and_asking_changes_nothing() -> None:
    def moves(asked_twice: bool) -> list[int]:
        player, rng, told = MixturePlayer(), random.Random(4), []
        for n in range(80):
            if asked_twice:
                player.predict()
                player.play(random.Random(0))
            told.append(player.play(rng))
            player.update(told[-1], n * n % 3)
        return told

    assert moves(False) == moves(False) == moves(True)


def test_a_player_from_its_state_goes_on_to_the_bit() -> None:
    chance, player = random.Random(2), MixturePlayer()
    for _ in range(150):
        player.update(chance.randrange(3), chance.choice((0, 0, 1)))
    state = player.state()
    twin = MixturePlayer.from_state(state)
    assert len(state) == 4 + 150
    for _ in range(50):
        assert twin.predict() == player.predict()
        assert twin.play(random.Random(7)) == player.play(random.Random(7))
        own, other = chance.randrange(3), chance.randrange(3)
        player.update(own, other)
        twin.update(own, other)
    assert twin.state() == player.state()


@pytest.mark.parametrize("state", [b"", b"abcd", MixturePlayer().state() + b"\x09"])
def test_what_is_no_state_is_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="no state of a mixture player"):
        MixturePlayer.from_state(state)


def test_a_state_of_other_settings_is_refused() -> None:
    with pytest.raises(ValueError, match="with these settings"):
        MixturePlayer.from_state(MixturePlayer().state(), defence=DefenceSettings(budget=3.0))


def test_expected_returns_are_wins_less_losses() -> None:
    assert expected_returns((0.2, 0.3, 0.5)) == pytest.approx((0.2, -0.3, 0.1))
    assert expected_returns((0.0, 0.0, 1.0)) == (1.0, -1.0, 0.0)


def test_simple_predictors_expect_what_they_are_named_for() -> None:
    uniform, frequency, chain, match = Uniform(), Markov(0), Markov(1), LongestMatch()
    for n in range(30):
        for predictor in (uniform, frequency, chain, match):
            predictor.update(0, n % 3 % 2)
    assert uniform.predict() == (1 / 3, 1 / 3, 1 / 3)
    assert frequency.predict() == pytest.approx((21 / 33, 11 / 33, 1 / 33))
    assert chain.predict() == pytest.approx((10 / 22, 11 / 22, 1 / 22))
    assert max(match.predict()) == match.predict()[0] > 0.9


def test_a_best_response_draws_among_equals() -> None:
    player, rng = BestResponse(Uniform()), random.Random(0)
    drawn = [player.play(rng) for _ in range(300)]
    assert {move: 70 < drawn.count(move) < 130 for move in range(3)} == {0: True, 1: True, 2: True}
    assert _duel(BestResponse(Markov(0)), lambda n: 1, 50) > 45
