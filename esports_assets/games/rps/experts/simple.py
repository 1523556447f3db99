"""The simple predictors that the mixture is compared with, and a player for any predictor.

Belongs here: uniform, frequency, Markov and longest match, each alone.
Does not belong here: mixtures of them (``mixture.py``).
"""

import random
from collections import defaultdict, deque
from collections.abc import Iterable

from esports_assets.games.rps.experts.matching import MatchingExperts
from esports_assets.games.rps.experts.mixture import MOVES, Probabilities
from esports_assets.games.rps.experts.player import expected_returns
from esports_assets.games.rps.experts.protocol import Predictor

EVEN: Probabilities = (1 / 3, 1 / 3, 1 / 3)


class Uniform:
    """Knows nothing and learns nothing."""

    def predict(self) -> Probabilities:
        """One third each."""
        return EVEN

    def update(self, own: int, other: int) -> None:
        """Nothing to learn."""


class Markov:
    """Counts of the other's move after both moves of the last ``order`` rounds; order 0 counts frequencies."""

    def __init__(self, order: int, decay: float = 1.0, smoothing: float = 1.0) -> None:
        self._decay = decay
        self._recent: deque[tuple[int, int]] = deque(maxlen=order)
        self._counts: defaultdict[tuple[tuple[int, int], ...], list[float]] = defaultdict(lambda: [smoothing] * 3)

    def predict(self) -> Probabilities:
        """Smoothed shares of what followed on the same rounds."""
        return _shares(self._counts[tuple(self._recent)])

    def update(self, own: int, other: int) -> None:
        """Count a round."""
        counts = self._counts[tuple(self._recent)]
        counts[:] = [self._decay * count for count in counts]
        counts[other] += 1.0
        self._recent.append((own, other))


class LongestMatch:
    """The longest match over both moves, with how often matches of its length were right."""

    def __init__(self, window: int = 1024) -> None:
        self._experts = MatchingExperts(window, decay=1.0)

    def predict(self) -> Probabilities:
        """What followed on the longest stretch of the past that equals the present."""
        return _shares(self._experts.probabilities()[2, 0].tolist())

    def update(self, own: int, other: int) -> None:
        """Learn from a round."""
        self._experts.update(own, other)


class BestResponse:
    """Plays the best response to a predictor; equally good moves are drawn."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self) -> Probabilities:
        """The predictor's probabilities."""
        return self._predictor.predict()

    def play(self, rng: random.Random) -> int:
        """The move with the highest expected return."""
        returns = expected_returns(self.predict())
        highest = max(returns)
        return rng.choice([move for move in MOVES if returns[move] == highest])

    def update(self, own: int, other: int) -> None:
        """Learn from a round."""
        self._predictor.update(own, other)


def _shares(counts: Iterable[float]) -> Probabilities:
    rock, paper, scissors = counts
    total = rock + paper + scissors
    return (rock / total, paper / total, scissors / total)
