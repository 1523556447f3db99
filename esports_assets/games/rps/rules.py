"""The rules of a game to ten points (row 004-01), folded round by round.

Whoever wins a round scores what his own move was worth in it; a draw gives both half a point. A game is over as soon as a side has
ten points; if both have (only a draw can do that), the higher score wins, and equal scores are a tie. Every round gives at least
one point to the two sides together where moves are worth at least 1, so a game ends in its twentieth round at the latest.

Belongs here: points, the end of a game, and refusing a move after it.
Does not belong here: the values of a round (``values.py``), who plays what and why (``opponents.py``, ``decision.py``).
"""

from dataclasses import dataclass
from enum import StrEnum

from esports_assets.games.rps.moves import Move, Result, result_of
from esports_assets.games.rps.values import RoundValues

GOAL = 10.0
"""Points that end a game."""
DRAW_POINTS = 0.5
"""Points for both sides of a drawn round."""
EPSILON = 1e-6
"""A score this close to the goal has reached it: clients tell scores as decimals."""
MOST_ROUNDS = 20
"""No game lasts longer where no move is worth less than one point."""

_DECIMALS = 6


class GameOver(ValueError):
    """A move in a game that has ended."""


class Winner(StrEnum):
    """Who won a game."""

    USER = "user"
    BOT = "bot"
    TIE = "tie"


def reached(score: float) -> bool:
    """Whether a score ends the game."""
    return score >= GOAL - EPSILON


def added(score: float, points: float) -> float:
    """A score with points added, to six decimals, so that 1.1 and 2.2 make the 3.3 that a client tells."""
    return round(score + points, _DECIMALS)


def points_of(user: Move, bot: Move, values: RoundValues) -> tuple[float, float]:
    """The points of the user and of the bot for one round."""
    result = result_of(user, bot)
    if result is Result.DRAW:
        return DRAW_POINTS, DRAW_POINTS
    return (values.of(user), 0.0) if result is Result.WIN else (0.0, values.of(bot))


@dataclass(frozen=True, slots=True)
class RoundPlayed:
    """One round as it was played; ``result`` is the user's, scores are those after it."""

    step_no: int
    user: Move
    bot: Move
    values: RoundValues
    result: Result
    user_points: float
    bot_points: float
    user_score: float
    bot_score: float


@dataclass(frozen=True, slots=True)
class GameState:
    """Where a game stands between two rounds."""

    played: int = 0
    user_score: float = 0.0
    bot_score: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether a side has reached the goal."""
        return reached(self.user_score) or reached(self.bot_score)

    @property
    def winner(self) -> Winner | None:
        """Who won; None while the game goes on."""
        if not self.finished:
            return None
        lead = self.user_score - self.bot_score
        if abs(lead) <= EPSILON:
            return Winner.TIE
        return Winner.USER if lead > 0 else Winner.BOT

    def play(self, user: Move, bot: Move, values: RoundValues) -> tuple["GameState", RoundPlayed]:
        """The state after one more round, and that round. Raises GameOver after the end."""
        if self.finished:
            raise GameOver(
                f"the game ended after round {self.played} with {self.user_score:g} to {self.bot_score:g}: "
                "no further move counts"
            )
        user_points, bot_points = points_of(user, bot, values)
        after = GameState(self.played + 1, added(self.user_score, user_points), added(self.bot_score, bot_points))
        told = RoundPlayed(
            step_no=after.played,
            user=user,
            bot=bot,
            values=values,
            result=result_of(user, bot),
            user_points=user_points,
            bot_points=bot_points,
            user_score=after.user_score,
            bot_score=after.bot_score,
        )
        return after, told
