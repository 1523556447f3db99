"""A game as one side sees it: its own moves, the other's, its own results and points.

Opponents and models of play read this and nothing else, so that the same player sits on either side. The original bots read results
from the bot's side (ace, bob) or from the user's (cal, dan, gus, hal), whichever side they played on.

Belongs here: the view, and keeping it up round by round.
Does not belong here: rules (``rules.py``) and what anyone makes of the view (``opponents.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from esports_assets.games.rps.moves import Move, Result
from esports_assets.games.rps.rules import RoundPlayed
from esports_assets.games.rps.values import RoundValues


class View(Protocol):
    """What a player may know before a move, oldest round first."""

    @property
    def own(self) -> Sequence[Move]:
        """The player's own moves."""

    @property
    def other(self) -> Sequence[Move]:
        """The other side's moves."""

    @property
    def results(self) -> Sequence[Result]:
        """The player's own results."""

    @property
    def values(self) -> Sequence[RoundValues]:
        """What moves were worth in each round."""

    @property
    def own_score(self) -> float:
        """The player's points."""

    @property
    def other_score(self) -> float:
        """The other side's points."""


class SeatName(StrEnum):
    """The two sides of a game."""

    USER = "user"
    BOT = "bot"


@dataclass(slots=True)
class Seat:
    """One side of a running game; ``see`` tells it every round."""

    side: SeatName
    own: list[Move] = field(default_factory=list)
    other: list[Move] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    values: list[RoundValues] = field(default_factory=list)
    own_score: float = 0.0
    other_score: float = 0.0

    def see(self, told: RoundPlayed) -> None:
        """Add a round that was played."""
        mine = self.side is SeatName.USER
        self.own.append(told.user if mine else told.bot)
        self.other.append(told.bot if mine else told.user)
        self.results.append(told.result if mine else told.result.for_the_other)
        self.values.append(told.values)
        scores = (told.user_score, told.bot_score)
        self.own_score, self.other_score = scores if mine else scores[::-1]
