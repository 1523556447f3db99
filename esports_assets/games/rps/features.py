"""The one extractor of the fifty inputs: training, stateful serving and stateless serving all fold the same state.

    stateful    FeatureState.after(...) once a round, FeatureState.row(...) once a question: constant work per round
    stateless   features_at(rounds) and, from what a client tells, histories.py
    training    labelled_rows(rounds): every round from the fourth on, all rounds before it as history, label = the user's move

Belongs here: computing rows. What the numbers mean stands in ``contract.py``.
Does not belong here: tables (``windows/next_move.py``), what clients tell (``histories.py``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from esports_assets.games.rps.contract import FIRST_LABELLED_STEP, LAGS
from esports_assets.games.rps.moves import MOVES, Move, Result, result_of
from esports_assets.games.rps.rules import GOAL, RoundPlayed, added, points_of
from esports_assets.games.rps.values import RoundValues

_ONE_HOT: dict[Move | Result, tuple[float, float, float]] = {
    Move.ROCK: (1.0, 0.0, 0.0),
    Move.PAPER: (0.0, 1.0, 0.0),
    Move.SCISSORS: (0.0, 0.0, 1.0),
    Result.WIN: (1.0, 0.0, 0.0),
    Result.LOSE: (0.0, 1.0, 0.0),
    Result.DRAW: (0.0, 0.0, 1.0),
}
_NONE = (0.0, 0.0, 0.0)


class Hand(NamedTuple):
    """What a row knows of an earlier round."""

    user: Move
    bot: Move
    values: RoundValues


class LabelledRow(NamedTuple):
    """A row for learning: which round, the fifty inputs before it, and what the user played in it."""

    step_no: int
    features: list[float]
    label: Move


def _counted(counts: tuple[int, int, int], place: int) -> tuple[int, int, int]:
    first, second, third = (count + (index == place) for index, count in enumerate(counts))
    return first, second, third


@dataclass(frozen=True, slots=True)
class FeatureState:
    """All that a row needs of the rounds before it.

    ``lately`` holds the last three rounds, newest first; ``picks`` counts the user's moves, ``tiers`` those that were the move
    worth most in their round, its beater, and the beater of that one.
    """

    played: int = 0
    lately: tuple[Hand, ...] = ()
    picks: tuple[int, int, int] = (0, 0, 0)
    tiers: tuple[int, int, int] = (0, 0, 0)
    user_score: float = 0.0
    bot_score: float = 0.0

    def after(self, user: Move, bot: Move, values: RoundValues) -> "FeatureState":
        """The state after one more round."""
        user_points, bot_points = points_of(user, bot, values)
        return FeatureState(
            played=self.played + 1,
            lately=(Hand(user, bot, values), *self.lately[: len(LAGS) - 1]),
            picks=_counted(self.picks, user.ordinal),
            tiers=_counted(self.tiers, (user.ordinal - values.highest.ordinal) % 3),
            user_score=added(self.user_score, user_points),
            bot_score=added(self.bot_score, bot_points),
        )

    def _one_hot_families(self) -> Iterator[list[Move] | list[Result]]:
        """The lags that stand as one of three: the user's moves, the bot's, the user's results; newest first."""
        yield [hand.user for hand in self.lately]
        yield [hand.bot for hand in self.lately]
        yield [result_of(hand.user, hand.bot) for hand in self.lately]

    def row(self, values_now: RoundValues, easy_mode: bool = False) -> list[float]:
        """The fifty inputs of the next round, in the order of ``contract.FEATURE_NAMES``."""
        row: list[float] = []
        short = len(LAGS) - len(self.lately)
        for family in self._one_hot_families():
            for told in family:
                row += _ONE_HOT[told]
            row += _NONE * short
        for values in (values_now, *(hand.values for hand in self.lately), *(values_now,) * short):
            row += (values.rock, values.paper, values.scissors)
        total = max(1, self.played)
        row += (count / total for count in (*self.picks, *self.tiers))
        row += (
            added(self.user_score, -self.bot_score),
            max(0.0, added(GOAL, -self.user_score)),
            max(0.0, added(GOAL, -self.bot_score)),
            float(self.played + 1),
            float(easy_mode),
        )
        return row


def state_after(rounds: Iterable[RoundPlayed]) -> FeatureState:
    """The state after rounds that were played."""
    state = FeatureState()
    for told in rounds:
        state = state.after(told.user, told.bot, told.values)
    return state


def features_at(rounds_before: Iterable[RoundPlayed], values_now: RoundValues, easy_mode: bool = False) -> list[float]:
    """The fifty inputs of the round after these."""
    return state_after(rounds_before).row(values_now, easy_mode)


def labelled_rows(rounds: Iterable[RoundPlayed], easy_mode: bool = False) -> Iterator[LabelledRow]:
    """The rows that a game gives for learning: one per round from the fourth on."""
    state = FeatureState()
    for told in rounds:
        if told.step_no >= FIRST_LABELLED_STEP:
            yield LabelledRow(told.step_no, state.row(told.values, easy_mode), told.user)
        state = state.after(told.user, told.bot, told.values)


CLASSES: tuple[str, str, str] = (MOVES[0].value, MOVES[1].value, MOVES[2].value)
"""The classes of the next move in the order of a model's outputs."""
