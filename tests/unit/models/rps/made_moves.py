"""Made-up people with a habit: after each round most go one step on from their last move."""

import numpy as np

from esports_assets.adapters.rps.human import HumanGame, HumanRound
from esports_assets.games.rps.moves import MOVES
from esports_assets.models.rps.people_rows import PeopleRows, people_rows

HABIT = 0.75
"""Probability of the step on; the two others share the rest."""


def game(number: int, player: str, rounds: int = 40, game_id: str | None = None) -> HumanGame:
    """A game of a person against a bot that plays at random; the same number gives the same moves."""
    rng = np.random.default_rng(number)
    own, told = int(rng.integers(3)), []
    for at in range(rounds):
        own = (own + (1 if rng.random() < HABIT else int(rng.choice([0, 2])))) % 3
        told.append(HumanRound(at, MOVES[own], MOVES[int(rng.integers(3))]))
    return HumanGame(game_id or f"g{number:03d}", player, "random", tuple(told))


def people(count: int = 12) -> PeopleRows:
    """So many people with a game each."""
    return people_rows([game(number, f"p{number}") for number in range(count)])
