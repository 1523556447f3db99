"""What the rounds of a game tell about a person's next move, as one row of numbers for a model over many people.

Belongs here: the names, the state, and the row. Nothing in it looks ahead; a row of the next round follows from the rounds before.
Does not belong here: the fifty inputs of a game with points (``contract.py`` of this title), models.

A row can be seen from any move as ``frame``: every move m stands as (m - frame) mod 3. Frame 0 is the plain row. With the person's
last move as frame (0 before there is one), a habit such as "beats what I played" looks the same whichever move it was; the
label is then (move - frame) mod 3 as well, and ``unframed`` turns probabilities back.

In the order of ``SIGNS``: the moves of the last five rounds, person and opponent, one of three each (zeros where there was no such
round); the number of rounds before; habits, each under two decays per round (sums of decayed ones, so they grow with evidence):
how the move differed from the own last one, from the opponent's last one, and how the round ended; logarithms of the probabilities
of the mixture of experts and of five simple predictors.
"""

import math
from collections import deque

import numpy as np

from esports_assets.games.rps.experts.mixture import ExpertMixture, Probabilities
from esports_assets.games.rps.experts.protocol import Predictor
from esports_assets.games.rps.experts.simple import LongestMatch, Markov

LAGS = 5
HABIT_DECAYS = (0.9, 0.98)
HABITS = ("from_own", "from_other", "outcome")
PREDICTORS = ("mixture", "frequency", "chain_1", "chain_1_fading", "chain_2", "longest_match")
LEAST = 1e-4
"""Smaller probabilities say no more."""
SIGNS: tuple[str, ...] = (
    *(f"{who}_-{lag}_{move}" for lag in range(1, LAGS + 1) for who in ("person", "opponent") for move in range(3)),
    "rounds_before",
    *(f"{habit}_{decay}_{step}" for decay in HABIT_DECAYS for habit in HABITS for step in range(3)),
    *(f"log_{name}_{move}" for name in PREDICTORS for move in range(3)),
)


class PersonSigns:
    """The signs of one person against one opponent; the person is ``other``, as for every predictor."""

    def __init__(self) -> None:
        self._predictors: dict[str, Predictor] = {
            "mixture": ExpertMixture(),
            "frequency": Markov(0),
            "chain_1": Markov(1),
            "chain_1_fading": Markov(1, decay=0.98),
            "chain_2": Markov(2),
            "longest_match": LongestMatch(),
        }
        self._lately: deque[tuple[int, int]] = deque(maxlen=LAGS)
        self._habits = np.zeros((len(HABIT_DECAYS), len(HABITS) * 3))
        self._decays = np.array(HABIT_DECAYS)[:, None]
        self._rounds = 0

    @property
    def last(self) -> int:
        """The person's last move; 0 before there is one."""
        return self._lately[0][1] if self._lately else 0

    def predictions(self) -> dict[str, Probabilities]:
        """What each predictor expects, by its name in ``PREDICTORS``."""
        return {name: predictor.predict() for name, predictor in self._predictors.items()}

    def row(self, frame: int = 0) -> list[float]:
        """The values of ``SIGNS`` for the next round, seen from ``frame``."""
        told: list[float] = []
        for own, other in self._lately:
            told += _one_hot(other - frame) + _one_hot(own - frame)
        told += [0.0] * 6 * (LAGS - len(self._lately))
        told.append(float(self._rounds))
        told += self._habits.ravel().tolist()
        for expected in self.predictions().values():
            told += (math.log(max(LEAST, expected[(step + frame) % 3])) for step in range(3))
        return told

    def update(self, own: int, other: int) -> None:
        """Learn from a round."""
        self._habits *= self._decays
        if self._lately:
            own_before, other_before = self._lately[0]
            self._habits[:, (other - other_before) % 3] += 1.0
            self._habits[:, 3 + (other - own_before) % 3] += 1.0
        self._habits[:, 6 + (other - own) % 3] += 1.0
        for predictor in self._predictors.values():
            predictor.update(own, other)
        self._lately.appendleft((own, other))
        self._rounds += 1


def unframed(probabilities: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Probabilities of moves, shape (rows, 3), from probabilities of moves seen from ``frames``, one per row."""
    steps = (np.arange(3) - frames[:, None]) % 3
    return np.take_along_axis(probabilities, steps, axis=1)


def _one_hot(move: int) -> list[float]:
    return [float(move % 3 == step) for step in range(3)]
