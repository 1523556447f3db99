"""Cheap scalar draws from a numpy generator.

Belongs here: buffered uniform numbers and the few distributions that the model needs.
Does not belong here: what is drawn for which reason.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_BUFFER = 8192


class Dice:
    """Scalar random numbers at a fraction of the price of scalar calls to numpy."""

    def __init__(self, seed: np.random.SeedSequence) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))
        self._numbers: list[float] = []

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high)."""
        if not self._numbers:
            self._numbers = self._generator.random(_BUFFER).tolist()
        return low + (high - low) * self._numbers.pop()

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.uniform() < probability

    def below(self, count: int) -> int:
        """An integer in [0, count)."""
        return int(self.uniform() * count)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.below(len(options))]

    def normal(self, mean: float, spread: float) -> float:
        """A normal number."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return mean + spread * radius * math.cos(6.283185307179586 * self.uniform())

    def wait(self, mean: float) -> float:
        """An exponential waiting time."""
        return -mean * math.log(1.0 - self.uniform())

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """The options in random order."""
        keyed = sorted((self.uniform(), i) for i in range(len(options)))
        return [options[i] for _, i in keyed]
