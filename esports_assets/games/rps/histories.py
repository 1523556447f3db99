"""Rows from what a client tells of a game that this platform did not keep: the question of ``/predict`` (row 004-09).

A client tells the moves of both sides, oldest first; instead of the bot's moves it may tell results, from which they follow.
What it does not tell is filled in by the rules of the contract and named in ``History.assumed``:

* values of earlier rounds: those of the round asked about, as the contract does for a short history;
* scores: counted from the moves and those values.

Belongs here: checking and completing histories.
Does not belong here: computing rows (``features.py``).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from esports_assets.games.rps.features import FeatureState
from esports_assets.games.rps.moves import Move, Result, move_named, result_of
from esports_assets.games.rps.rules import added
from esports_assets.games.rps.values import RoundValues


class HistoryError(ValueError):
    """A history that cannot be, in one sentence."""


@dataclass(frozen=True, slots=True)
class History:
    """A completed history: the state after it, the values asked about, and the names of what was assumed."""

    state: FeatureState
    values_now: RoundValues
    assumed: tuple[str, ...] = ()

    def row(self, easy_mode: bool = False) -> list[float]:
        """The fifty inputs of the round asked about."""
        return self.state.row(self.values_now, easy_mode)


def history_of(
    user_moves: Sequence[str],
    bot_moves: Sequence[str],
    values_now: Mapping[str, float],
    *,
    results: Sequence[str] = (),
    values_before: Sequence[Mapping[str, float]] = (),
    scores: tuple[float, float] | None = None,
) -> History:
    """The history that a client tells; ``results`` are the user's, ``scores`` the user's and the bot's points.

    Raises HistoryError for lengths, words, values or results that do not fit together.
    """
    try:
        now = RoundValues.told(values_now)
        users = [move_named(word) for word in user_moves]
        bots = _bots(users, bot_moves, results)
        before = [RoundValues.told(told) for told in values_before]
    except ValueError as error:
        raise HistoryError(str(error)) from error
    if before and len(before) != len(users):
        raise HistoryError(f"values of {len(before)} earlier rounds are told for {len(users)} moves of the user")
    assumed = [] if before or not users else ["values_before"]
    state = FeatureState()
    for user, bot, values in zip(users, bots, before or [now] * len(users), strict=True):
        state = state.after(user, bot, values)
    if scores is not None:
        state = _scored(state, scores)
    elif assumed:
        assumed.append("scores")
    return History(state, now, tuple(assumed))


def _bots(users: Sequence[Move], words: Sequence[str], results: Sequence[str]) -> list[Move]:
    told = [_result(word) for word in results]
    if told and len(told) != len(users):
        raise ValueError(f"{len(told)} results are told for {len(users)} moves of the user")
    if not words and told:
        return [_other(user, result) for user, result in zip(users, told, strict=True)]
    bots = [move_named(word) for word in words]
    if len(bots) != len(users):
        raise ValueError(f"{len(bots)} moves of the bot are told for {len(users)} of the user")
    for step_no, (user, bot, result) in enumerate(zip(users, bots, told, strict=False), start=1):
        if result_of(user, bot) is not result:
            raise ValueError(
                f"round {step_no} is told as a {result}, but {user} against {bot} is a {result_of(user, bot)}"
            )
    return bots


def _result(word: str) -> Result:
    try:
        return Result(word)
    except ValueError as error:
        raise ValueError(f"{word!r} is no result; there are {', '.join(Result)}") from error


def _other(user: Move, result: Result) -> Move:
    return {Result.DRAW: user, Result.WIN: user.beats, Result.LOSE: user.beaten_by}[result]


def _scored(state: FeatureState, scores: tuple[float, float]) -> FeatureState:
    for whose, score in zip(("user", "bot"), scores, strict=True):
        if not (math.isfinite(score) and score >= 0.0):
            raise HistoryError(f"the {whose} has {score} points: a score is a finite number of at least 0")
    return replace(state, user_score=added(scores[0], 0.0), bot_score=added(scores[1], 0.0))
