"""What recorded games and rounds say of two versions, read over the cursor of a transaction.

Belongs here: the queries that make ``Evidence``, ``Paired`` and ``Health`` of comparable games, by version.
Does not belong here: writing games (``scores.py``), rulings (``sequential.py``, ``ranking.py``, ``guardrails.py``).

Every query reads the view ``comparable_games``, which leaves out tests, bots and auto-fill; nothing is counted by alias
alone, so a retrained version begins with nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from esports_assets.promotion.guardrails import Health
from esports_assets.promotion.monitoring import Rounds
from esports_assets.promotion.ranking import Paired
from esports_assets.promotion.scores import row_by_name
from esports_assets.promotion.sequential import Evidence

MOST_ROUNDS = 20_000
"""A version's health is that of its last so many rounds."""


def load_evidence(
    cursor: Any, registered_name: str, production: int, challenger: int, *, since: datetime | None = None
) -> Evidence:
    """The ended games that chance gave to one of the two in these roles, in the order in which they ended.

    ``since``: only games that began then or later, such as the swap for a rollback, whose pair may have met in these roles
    before.
    """
    names = ("second", "result", "challenger_share", "ended_at")
    cursor.execute(
        "SELECT version = %(challenger)s AS second, result, challenger_share, ended_at FROM comparable_games"
        " WHERE registered_name = %(name)s AND result IS NOT NULL"
        " AND challenger_share > 0 AND challenger_share < 1"
        " AND (alias, version, rival_version) IN"
        " (('Production', %(production)s, %(challenger)s), ('B', %(challenger)s, %(production)s))"
        " AND (%(since)s::timestamptz IS NULL OR started_at >= %(since)s)"
        " ORDER BY ended_at, game_id",
        {"name": registered_name, "production": production, "challenger": challenger, "since": since},
    )
    rows = _rows(cursor, names)
    return Evidence(
        registered_name=registered_name,
        production_version=production,
        challenger_version=challenger,
        challenger=np.array([row["second"] for row in rows], dtype=np.bool_),
        results=np.array([row["result"] for row in rows], dtype=np.float64),
        shares=np.array([row["challenger_share"] for row in rows], dtype=np.float64),
        last_game_at=rows[-1]["ended_at"] if rows else None,
    )


def load_paired(
    cursor: Any, registered_name: str, version: int, other: int, *, since: datetime | None = None
) -> Paired:
    """The ended games in whose rounds both versions gave an answer, with the mean difference in half the Brier score."""
    cursor.execute(
        "SELECT avg(theirs.brier - ours.brier) / 2 AS gain FROM comparable_games game"
        " JOIN promotion_round_scores ours ON ours.game_id = game.game_id"
        " JOIN promotion_round_scores theirs"
        " ON (theirs.game_id, theirs.step, theirs.registered_name) = (ours.game_id, ours.step, ours.registered_name)"
        " WHERE ours.registered_name = %(name)s AND ours.version = %(version)s AND theirs.version = %(other)s"
        " AND ours.brier IS NOT NULL AND theirs.brier IS NOT NULL AND game.result IS NOT NULL"
        " AND (%(since)s::timestamptz IS NULL OR game.started_at >= %(since)s)"
        " GROUP BY game.game_id, game.ended_at ORDER BY game.ended_at, game.game_id",
        {"name": registered_name, "version": version, "other": other, "since": since},
    )
    gains = np.array([row["gain"] for row in _rows(cursor, ("gain",))], dtype=np.float64)
    return Paired(version, other, np.clip(gains, -1, 1))


def load_rounds(cursor: Any, registered_name: str, version: int, *, since: datetime | None = None) -> Rounds:
    """The last ``MOST_ROUNDS`` comparable rounds of a version, oldest first, those without an answer counted beside."""
    cursor.execute(
        "SELECT probabilities, outcome, latency_ms FROM comparable_games"
        " JOIN promotion_round_scores scores USING (game_id)"
        " WHERE scores.registered_name = %(name)s AND scores.version = %(version)s"
        " AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)"
        " ORDER BY at DESC, game_id DESC, step DESC LIMIT %(most)s",
        {"name": registered_name, "version": version, "since": since, "most": MOST_ROUNDS},
    )
    rows = _rows(cursor, ("probabilities", "outcome", "latency_ms"))[::-1]
    answered = [row for row in rows if row["probabilities"] is not None]
    return Rounds(
        probabilities=np.array([row["probabilities"] for row in answered], dtype=np.float64),
        outcomes=np.array([row["outcome"] for row in answered], dtype=np.int64),
        latencies_ms=np.array([row["latency_ms"] for row in rows if row["latency_ms"] is not None], dtype=np.float64),
        unanswered=len(rows) - len(answered),
    )


def load_health(cursor: Any, registered_name: str, version: int, *, since: datetime | None = None) -> Health:
    """What guardrails look at."""
    return load_rounds(cursor, registered_name, version, since=since).health


def load_accuracy(cursor: Any, registered_name: str, version: int) -> tuple[float | None, int]:
    """Share of comparable rounds whose outcome a version named, and of how many; None of none."""
    names = ("accuracy", "rounds")
    cursor.execute(
        "SELECT avg(correct::int)::double precision AS accuracy, count(correct) AS rounds FROM comparable_games game"
        " JOIN promotion_round_scores scores ON scores.game_id = game.game_id"
        " WHERE scores.registered_name = %s AND scores.version = %s",
        (registered_name, version),
    )
    row = row_by_name(cursor.fetchone(), names)
    return row["accuracy"], row["rounds"]


def _rows(cursor: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    return [row_by_name(row, names) for row in cursor.fetchall()]
