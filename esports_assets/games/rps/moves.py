"""The three moves, and what beats what.

Belongs here: moves, the result of two of them, and their order wherever an index or a tie needs one.
Does not belong here: what a move is worth (``values.py``), scores and the end of a game (``rules.py``).
"""

from enum import StrEnum


class Move(StrEnum):
    """A hand. The order of the members decides ties and the classes of models: rock, paper, scissors."""

    ROCK = "rock"
    """Beats scissors."""
    PAPER = "paper"
    """Beats rock."""
    SCISSORS = "scissors"
    """Beats paper."""

    @property
    def ordinal(self) -> int:
        """0 for rock, 1 for paper, 2 for scissors."""
        return _INDEX[self]

    @property
    def beats(self) -> "Move":
        """The move that this one beats."""
        return MOVES[(_INDEX[self] + 2) % 3]

    @property
    def beaten_by(self) -> "Move":
        """The move that beats this one."""
        return MOVES[(_INDEX[self] + 1) % 3]


MOVES: tuple[Move, Move, Move] = (Move.ROCK, Move.PAPER, Move.SCISSORS)
"""All moves in their order."""

_INDEX = {move: index for index, move in enumerate(MOVES)}


class Result(StrEnum):
    """How a round ended for one side."""

    WIN = "win"
    LOSE = "lose"
    DRAW = "draw"

    @property
    def for_the_other(self) -> "Result":
        """The same round from the other side."""
        return {Result.WIN: Result.LOSE, Result.LOSE: Result.WIN, Result.DRAW: Result.DRAW}[self]


def result_of(own: Move, other: Move) -> Result:
    """The result for whoever played ``own``."""
    if own is other:
        return Result.DRAW
    return Result.WIN if own.beats is other else Result.LOSE


def move_named(word: str) -> Move:
    """The move of that name; ValueError lists the three."""
    try:
        return Move(word)
    except ValueError as error:
        raise ValueError(f"{word!r} is no move; there are {', '.join(MOVES)}") from error
