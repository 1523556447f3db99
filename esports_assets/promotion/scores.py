"""Games and rounds by the version that played or predicted them: writing them, over the cursor of a transaction.

Belongs here: what a game and a predicted round say, and the one way of writing each. Everything may be written again: the
second time changes nothing. The slim service writes here, so psycopg2 alone is used; the caller commits.
Does not belong here: reading them as evidence (``evidence.py``), tables (``storage/migrations/0006_games.sql``).

A game is written when it begins, with the version that it was given to, and once more with its result. Which games may judge
is said in one place, the view ``comparable_games``; ``Game.comparable`` says the same of a game in hand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg2.extras import execute_values

from esports_assets.promotion.terms import Alias

_LEAST_PROBABILITY = 1e-7
_SUM_WITHIN = 1e-3
_PAGE = 500
_GAME_COLUMNS = (
    *("game_id", "task", "registered_name", "alias", "version", "rival_version", "challenger_share", "policy"),
    *("traffic", "is_test", "started_at", "ended_at", "result"),
)
_NEVER_CHANGES = _GAME_COLUMNS[1:11]
_ROUND_COLUMNS = (
    *("game_id", "step", "registered_name", "alias", "version", "probabilities", "outcome", "correct", "log_loss"),
    *("brier", "latency_ms", "at"),
)


class ScoreError(ValueError):
    """A game or round that cannot be recorded; the message is one sentence."""


class Traffic(StrEnum):
    """Who sat opposite. Only people's games judge; the others may train."""

    HUMAN = "human"
    BOT = "bot"
    AUTO_FILL = "auto_fill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """One game of a version. ``result`` is the version's: 1 won, 0 lost, 0.5 tied; None while it is played.

    Where the game was assigned by chance, ``rival_version`` is the other version that it could have been given to, and
    ``challenger_share`` the probability with which it was given to B.
    """

    game_id: str
    registered_name: str
    alias: Alias
    version: int
    policy: str
    traffic: Traffic
    is_test: bool
    started_at: datetime
    rival_version: int | None = None
    challenger_share: float | None = None
    ended_at: datetime | None = None
    result: float | None = None

    def __post_init__(self) -> None:
        if not self.game_id or "\0" in self.game_id:
            raise ScoreError(f"{self.game_id!r} is no id of a game")
        if self.registered_name.count(".") < 2:
            raise ScoreError(f"{self.registered_name!r} is no registered name: <title>.<task>.<family>")
        if (self.result is None) != (self.ended_at is None):
            raise ScoreError(f"game {self.game_id} has a result once it has ended, and not before")
        if self.result is not None and not 0 <= self.result <= 1:
            raise ScoreError(f"game {self.game_id} has the result {self.result}, which does not lie between 0 and 1")
        if (self.rival_version is None) != (self.challenger_share is None):
            raise ScoreError(f"game {self.game_id} needs both a rival version and its share, or neither")

    @property
    def task(self) -> str:
        """What its model predicts, such as ``rps.next_move``."""
        return self.registered_name.rpartition(".")[0]

    @property
    def comparable(self) -> bool:
        """Whether it may judge anything."""
        return not self.is_test and self.traffic is Traffic.HUMAN


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundScore:
    """What one version predicted for a round, and what came.

    ``probabilities`` are those of the classes in the order of the contract, None where the version gave no answer; ``outcome``
    is the place of what came. ``latency_ms`` is how long the answer took.
    """

    game_id: str
    step: int
    registered_name: str
    alias: Alias
    version: int
    probabilities: tuple[float, ...] | None
    outcome: int
    at: datetime
    latency_ms: float | None = None

    def __post_init__(self) -> None:
        where = f"round {self.step} of game {self.game_id}"
        if self.step < 1 or self.outcome < 0:
            raise ScoreError(f"{where} has a step below 1 or an outcome below 0")
        if self.probabilities is None:
            return
        if self.outcome >= len(self.probabilities):
            raise ScoreError(f"{where} came to class {self.outcome}, and there are {len(self.probabilities)}")
        fits = all(0 <= p <= 1 for p in self.probabilities) and abs(sum(self.probabilities) - 1) <= _SUM_WITHIN
        if not fits:
            raise ScoreError(f"{where} has probabilities that are none: {self.probabilities}")

    @property
    def correct(self) -> bool | None:
        """Whether the most probable class came; of several alike, the first counts."""
        if self.probabilities is None:
            return None
        return self.probabilities.index(max(self.probabilities)) == self.outcome

    @property
    def log_loss(self) -> float | None:
        """Minus the logarithm of the probability of what came, at most 16.1."""
        return (
            None if self.probabilities is None else -math.log(max(self.probabilities[self.outcome], _LEAST_PROBABILITY))
        )

    @property
    def brier(self) -> float | None:
        """Sum of squared errors over the classes, 0 to 2."""
        if self.probabilities is None:
            return None
        return sum((p - (k == self.outcome)) ** 2 for k, p in enumerate(self.probabilities))


def record_game(cursor: Any, game: Game) -> bool:
    """Write a game, or the result of one that is there; whether anything was new.

    Who played it never changes, and neither does a result: ScoreError for a game that says otherwise.
    """
    names, places = ", ".join(_GAME_COLUMNS), ", ".join(["%s"] * len(_GAME_COLUMNS))
    values = tuple(getattr(game, name) for name in _GAME_COLUMNS)
    cursor.execute(
        f"INSERT INTO promotion_games ({names}) VALUES ({places}) ON CONFLICT (game_id) DO NOTHING RETURNING game_id",
        values,
    )
    if cursor.fetchone() is not None:
        return True
    cursor.execute(f"SELECT {names} FROM promotion_games WHERE game_id = %s FOR UPDATE", (game.game_id,))
    held = row_by_name(cursor.fetchone(), _GAME_COLUMNS)
    other = [name for name in _NEVER_CHANGES if held[name] != getattr(game, name)]
    if other:
        raise ScoreError(f"game {game.game_id} is recorded already, with another {' and '.join(other)}")
    if game.result is None or (held["result"], held["ended_at"]) == (game.result, game.ended_at):
        return False
    if held["result"] is not None:
        raise ScoreError(f"game {game.game_id} ended with {held['result']:g} already, and not with {game.result:g}")
    cursor.execute(
        "UPDATE promotion_games SET result = %s, ended_at = %s WHERE game_id = %s",
        (game.result, game.ended_at, game.game_id),
    )
    return True


def record_rounds(cursor: Any, scores: Sequence[RoundScore]) -> int:
    """Write what versions predicted in rounds of games that are recorded; how many were new.

    One per game, step, registered name and alias: what was written first stays.
    """
    names = ", ".join(_ROUND_COLUMNS)
    rows = [tuple(_plain(getattr(score, name)) for name in _ROUND_COLUMNS) for score in scores]
    written = execute_values(
        cursor,
        f"INSERT INTO promotion_round_scores ({names}) VALUES %s ON CONFLICT DO NOTHING RETURNING step",
        sorted(rows, key=lambda row: row[:4]),
        page_size=_PAGE,
        fetch=True,
    )
    return len(written)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def row_by_name(row: Any, names: Sequence[str]) -> dict[str, Any]:
    """A row of either kind of cursor by name."""
    return dict(row) if hasattr(row, "keys") else dict(zip(names, row, strict=True))
