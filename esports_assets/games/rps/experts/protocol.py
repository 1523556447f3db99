"""What plays or predicts rock-paper-scissors, seen from a benchmark or a service.

Belongs here: the two protocols.
Does not belong here: anything that plays.
"""

import random
from typing import Protocol


class Predictor(Protocol):
    """Says what the other player does next, and learns from rounds; moves are 0 rock, 1 paper, 2 scissors."""

    def predict(self) -> tuple[float, float, float]:
        """Probabilities of the other player's next move."""
        ...

    def update(self, own: int, other: int) -> None:
        """Learn from a round."""
        ...


class Player(Predictor, Protocol):
    """A predictor that also plays."""

    def play(self, rng: random.Random) -> int:
        """The own next move; all chance comes from ``rng``."""
        ...
