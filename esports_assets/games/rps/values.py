"""What each move is worth in a round: the same for both sides, known before the moves of that round and not earlier.

A round has one of fifteen states (row 004-02): one move is worth 1.0, the move that it beats base + 0.5, the third base, with
base 1.1, 1.2, 1.3, 1.4 or 1.5. Which state it is follows from a secret of the game and the number of the round by HMAC-SHA256,
so nobody who knows the game's id alone can tell a later round, and everybody can check all of them once the secret is revealed
(``commitments.py``). The earlier function, a plain hash of the game's id, is therefore not offered.

Belongs here: values of a round, their order, and how they follow from the secret.
Does not belong here: where secrets come from and who may see them (whoever runs a game).
"""

import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from esports_assets.games.rps.moves import MOVES, Move

SECRET_BYTES = 32
"""Length of a game's secret, in bytes."""

_BASES_IN_TENTHS = (11, 12, 13, 14, 15)
_LOW_IN_TENTHS = 10
_ABOVE_IN_TENTHS = 5
_PURPOSE = "rps/values/1"


@dataclass(frozen=True)
class RoundValues:
    """Points for winning with each move in one round; finite and above 0, else ValueError.

    Of equal values the move that stands first (rock, paper, scissors) counts as the higher one.
    """

    rock: float
    paper: float
    scissors: float

    def __post_init__(self) -> None:
        for move, value in zip(MOVES, (self.rock, self.paper, self.scissors), strict=True):
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{move.value} is worth {value}: a move's value is a finite number above 0")

    def of(self, move: Move) -> float:
        """Points for winning with this move."""
        return (self.rock, self.paper, self.scissors)[move.ordinal]

    @property
    def by_move(self) -> dict[str, float]:
        """Every move's name with its value."""
        return {move.value: self.of(move) for move in MOVES}

    @cached_property
    def ranked(self) -> tuple[Move, Move, Move]:
        """The moves from the highest value to the lowest."""
        first, second, third = sorted(MOVES, key=lambda move: -self.of(move))
        return first, second, third

    @property
    def highest(self) -> Move:
        """The move that is worth most."""
        return self.ranked[0]

    @property
    def middle(self) -> Move:
        """The move in between."""
        return self.ranked[1]

    @property
    def lowest(self) -> Move:
        """The move that is worth least."""
        return self.ranked[2]

    @classmethod
    def told(cls, by_move: Mapping[str, float]) -> "RoundValues":
        """The inverse of ``by_move``; ValueError names what is missing or too much."""
        if set(by_move) != {move.value for move in MOVES}:
            raise ValueError(
                f"values of a round name {', '.join(MOVES)}, not {', '.join(sorted(by_move)) or 'nothing'}"
            )
        return cls(by_move["rock"], by_move["paper"], by_move["scissors"])


FLAT = RoundValues(1.0, 1.0, 1.0)
"""Plain rock-paper-scissors: every win counts the same."""


def _state(low: Move, base_in_tenths: int) -> RoundValues:
    tenths = {low: _LOW_IN_TENTHS, low.beats: base_in_tenths + _ABOVE_IN_TENTHS, low.beaten_by: base_in_tenths}
    return RoundValues(*(tenths[move] / 10 for move in MOVES))


STATES: tuple[RoundValues, ...] = tuple(_state(low, base) for base in _BASES_IN_TENTHS for low in MOVES)
"""The fifteen states of a round."""


def derived(secret: bytes, purpose: str, step_no: int) -> bytes:
    """32 bytes that follow from the secret, one purpose and one round, and tell nothing of any others.

    Raises ValueError for a secret of another length or a round before the first.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a game's secret has {SECRET_BYTES} bytes, not {len(secret)}")
    if step_no < 1:
        raise ValueError(f"there is no round {step_no}: rounds are counted from 1")
    return hmac.digest(secret, f"{purpose}|{step_no}".encode(), hashlib.sha256)


def round_values(secret: bytes, step_no: int) -> RoundValues:
    """The values of round ``step_no`` (from 1) of the game with this secret, each state equally likely.

    Sixteen bytes modulo fifteen: no state is likelier than another by more than 2^-124.
    """
    return STATES[int.from_bytes(derived(secret, _PURPOSE, step_no)[:16], "big") % len(STATES)]
