"""Openings: what a bot plays in the first three rounds, before anything can be learned of the user (row 004-03).

A gambit is three places in the order of values, not three moves: which move stands at a place follows from each round's values.

Belongs here: the ten gambits with their weights, and resolving them.
Does not belong here: what is played from the fourth round on.
"""

from dataclasses import dataclass
from enum import IntEnum
from random import Random

from esports_assets.games.rps.moves import Move
from esports_assets.games.rps.values import RoundValues

GAMBIT_ROUNDS = 3
"""How many rounds a gambit covers."""


class Place(IntEnum):
    """A place in the order of a round's values."""

    HIGHEST = 0
    SECOND = 1
    LOWEST = 2


_LETTERS = {"R": Place.HIGHEST, "S": Place.SECOND, "P": Place.LOWEST}
"""The letters under which gambits are known: R is the highest value of the round, S the second, P the lowest."""


@dataclass(frozen=True, slots=True)
class Gambit:
    """An opening: its name, its weight among all, and its place in each of the first three rounds."""

    name: str
    weight: int
    places: tuple[Place, Place, Place]

    def move(self, step_no: int, values: RoundValues) -> Move:
        """The move of round ``step_no`` (1 to 3); ValueError for a later round."""
        if not 1 <= step_no <= GAMBIT_ROUNDS:
            raise ValueError(f"a gambit covers the rounds 1 to {GAMBIT_ROUNDS}, not {step_no}")
        return values.ranked[self.places[step_no - 1]]


def _gambit(name: str, weight: int, letters: str) -> Gambit:
    first, second, third = (_LETTERS[letter] for letter in letters)
    return Gambit(name, weight, (first, second, third))


GAMBITS: dict[str, Gambit] = {
    gambit.name: gambit
    for gambit in (
        _gambit("crescendo", 14, "PSR"),
        _gambit("denouement", 12, "RSP"),
        _gambit("paper-dolls", 12, "PSS"),
        _gambit("fistful-of-dollars", 10, "RPP"),
        _gambit("scissor-sandwich", 8, "PSP"),
        _gambit("bureaucrat", 6, "PPP"),
        _gambit("avalanche", 8, "RRR"),
        _gambit("toolbox", 6, "SSS"),
        _gambit("razor", 12, "SPR"),
        _gambit("switchblade", 12, "SRP"),
    )
}
"""The ten gambits by name; their weights are per cent."""


def choose_gambit(random: Random) -> Gambit:
    """A gambit by its weight."""
    gambits = list(GAMBITS.values())
    (chosen,) = random.choices(gambits, [gambit.weight for gambit in gambits])
    return chosen


def gambit_named(name: str) -> Gambit:
    """The gambit of that name; LookupError lists those there are."""
    if name not in GAMBITS:
        raise LookupError(f"no gambit {name!r}; there are {', '.join(GAMBITS)}")
    return GAMBITS[name]
