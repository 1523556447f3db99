"""What a cycle of promotion reports, in the ledger: writing and reading it over the cursor of a transaction.

Belongs here: the report of a comparison with its numbers, the history of all entries in columns, totals, what happened since
the last swap. The slim service reads and writes here, so psycopg2 alone is used; the caller commits.
Does not belong here: moving an alias (``promote.py`` records that itself), rulings (``sequential.py``), export (``transfer.py``).

A report is an entry of ``promotion_events`` like any other, once per request key, and moves nothing: decisions that move are
refused here. ``production_wins`` and ``b_wins`` are points, a tie being half a win; ``p_value`` holds at every time at once
(1 / the capital of the bets that B is better); ``z_statistic`` is the pooled z of the same games, which decides nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from esports_assets.promotion.ranking import Ranking
from esports_assets.promotion.scores import row_by_name
from esports_assets.promotion.sequential import Arm, Judgement, Ruling
from esports_assets.promotion.standing import LOCK_SPACE, MOVES, REQUEST_KEY
from esports_assets.promotion.terms import Alias

REORDER = "alias_reorder"
"""The decision of a report about challengers that changed places while Production and B were not judged."""
REPORTED = frozenset({*(ruling.value for ruling in Ruling), REORDER})
MOST_ENTRIES, MOST_DAYS = 200, 90
_HISTORY = (
    *(
        "id",
        "created_ts_utc",
        "task",
        "model_type",
        "decision",
        "production_version",
        "b_version",
        "z_statistic",
        "p_value",
    ),
    *("production_wins", "production_total_games", "b_wins", "b_total_games", "reorder_applied", "alias_rankings"),
    *("alias_accuracies", "alias_assignments", "production_games_since_swap", "b_games_since_swap"),
    *("promotion_cycles_since_swap", "reason", "source", "actor", "payload"),
)


class ReportError(ValueError):
    """A report or a question about reports that cannot be; the message is one sentence."""


class AliasRanking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place of the order of challengers, 1 first, and where its version was before."""

    alias: Alias
    rank: Annotated[int, msgspec.Meta(ge=1, le=3)]
    source_alias: Alias | None = None
    accuracy: float | None = None
    total_predictions: int = 0


class AliasAccuracy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Share of rounds whose outcome an alias's version named, and of how many."""

    alias: Alias
    accuracy: float | None
    total_predictions: int


class AliasAssignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an alias means after the cycle."""

    alias: Alias
    version: int
    source_alias: Alias | None = None
    previous_version: int | None = None
    changed: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One judged cycle of a registered model (``model_type``); what was not measured is null."""

    model_type: str
    decision: str
    reason: str
    source: str
    production_version: int | None = None
    b_version: int | None = None
    z_statistic: float | None = None
    p_value: float | None = None
    production_wins: float | None = None
    production_total_games: int | None = None
    b_wins: float | None = None
    b_total_games: int | None = None
    reorder_applied: bool = False
    alias_rankings: tuple[AliasRanking, ...] = ()
    alias_accuracies: tuple[AliasAccuracy, ...] = ()
    alias_assignments: tuple[AliasAssignment, ...] = ()
    production_games_since_swap: int | None = None
    b_games_since_swap: int | None = None
    promotion_cycles_since_swap: int | None = None
    created_ts_utc: datetime | None = None
    payload: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.decision not in REPORTED:
            raise ReportError(f"{self.decision!r} is not reported: decisions are {', '.join(sorted(REPORTED))}")
        if self.model_type.count(".") < 2 or "" in self.model_type.split("."):
            raise ReportError(f"{self.model_type!r} is no registered name: <title>.<task>.<family>")
        if not self.reason or not self.source:
            raise ReportError("a report says its reason and its source")
        if self.p_value is not None and not 0 <= self.p_value <= 1:
            raise ReportError(f"a p-value lies between 0 and 1, and {self.p_value:g} does not")
        for arm in ("production", "b"):
            wins, games = getattr(self, f"{arm}_wins") or 0, getattr(self, f"{arm}_total_games")
            if not 0 <= wins <= (games or 0):
                raise ReportError(f"{arm} cannot have won {wins:g} of {games or 0} games")
        if self.created_ts_utc is not None and self.created_ts_utc.tzinfo is None:
            raise ReportError("created_ts_utc needs its time zone")

    @property
    def task(self) -> str:
        """What the model predicts."""
        return self.model_type.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class SinceSwap:
    """Comparable games of both versions and cycles since Production last moved; ``at`` is None if it never did."""

    at: datetime | None
    production_games: int
    b_games: int
    cycles: int


def report_of(
    registered_name: str,
    judgement: Judgement,
    since: SinceSwap,
    *,
    source: str,
    ranking: Ranking | None = None,
    **told: Any,
) -> Report:
    """The report of a judgement; ``told`` are the fields about aliases."""
    production, challenger = judgement.production, judgement.challenger
    return Report(
        model_type=registered_name,
        decision=judgement.ruling.value,
        reason=" ".join((*judgement.reasons, *(ranking.reasons if ranking else ()))),
        source=source,
        production_version=production.version,
        b_version=challenger.version,
        z_statistic=pooled_z(production, challenger),
        p_value=math.exp(-max(judgement.log_e_better, 0.0)),
        production_wins=production.points,
        production_total_games=production.games,
        b_wins=challenger.points,
        b_total_games=challenger.games,
        reorder_applied=bool(ranking and ranking.reasons),
        production_games_since_swap=since.production_games,
        b_games_since_swap=since.b_games,
        promotion_cycles_since_swap=since.cycles,
        payload={"judgement": judgement.as_json()},
        **told,
    )


def pooled_z(production: Arm, challenger: Arm) -> float | None:
    """(p_B - p_P) / sqrt(p (1 - p) (1/n_B + 1/n_P)), p pooled; None where that is not defined."""
    if production.mean is None or challenger.mean is None:
        return None
    pooled = (production.points + challenger.points) / (production.games + challenger.games)
    variance = pooled * (1 - pooled) * (1 / production.games + 1 / challenger.games)
    return (challenger.mean - production.mean) / math.sqrt(variance) if variance > 0 else None


def record_report(cursor: Any, report: Report, *, request_key: str, actor: str) -> tuple[int, bool]:
    """Append a report once per task and request key; the entry's id, and whether it is new."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK_SPACE, report.task))
    cursor.execute(
        "SELECT id FROM promotion_events WHERE task = %s AND evidence ->> 'request_key' = %s",
        (report.task, request_key),
    )
    known = cursor.fetchone()
    if known is not None:
        return int(row_by_name(known, ("id",))["id"]), False
    told = msgspec.to_builtins(report)
    evidence = {
        key: told[key] for key in told if key not in ("model_type", "decision", "reason", "source", "created_ts_utc")
    }
    cursor.execute(
        "INSERT INTO promotion_events (created_at, task, registered_name, decision, alias, from_version, to_version, reason,"
        " evidence, source, actor) VALUES (COALESCE(%s, clock_timestamp()), %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)"
        " RETURNING id",
        (
            *(report.created_ts_utc, report.task, report.model_type, report.decision, Alias.PRODUCTION.value),
            *(report.production_version, report.b_version or report.production_version, report.reason),
            *(msgspec.json.encode({**evidence, REQUEST_KEY: request_key}).decode(), report.source, actor),
        ),
    )
    return int(row_by_name(cursor.fetchone(), ("id",))["id"]), True


def history(
    cursor: Any,
    *,
    limit: int = 20,
    model_type: str | None = None,
    decision: str | None = None,
    since: datetime | None = None,
) -> list[dict[str, Any]]:
    """The latest entries of the ledger, newest first, moves and offline judgements included, with win rates and the order."""
    if not 1 <= limit <= MOST_ENTRIES:
        raise ReportError(f"limit lies between 1 and {MOST_ENTRIES}, and {limit} does not")
    cursor.execute(
        f"SELECT {', '.join(_HISTORY)} FROM promotion_history"
        " WHERE (%(model)s::text IS NULL OR model_type = %(model)s)"
        " AND (%(decision)s::text IS NULL OR decision = %(decision)s)"
        " AND (%(since)s::timestamptz IS NULL OR created_ts_utc >= %(since)s) ORDER BY id DESC LIMIT %(limit)s",
        {"model": model_type, "decision": decision, "since": since, "limit": limit},
    )
    return [_derived(row_by_name(row, _HISTORY)) for row in cursor.fetchall()]


def event_totals(cursor: Any, *, now: datetime, days: int = 7) -> list[dict[str, Any]]:
    """How many entries of each model and decision there were in the last days, by name."""
    if not 1 <= days <= MOST_DAYS:
        raise ReportError(f"days lie between 1 and {MOST_DAYS}, and {days} does not")
    cursor.execute(
        "SELECT registered_name AS model_type, decision, count(*) AS events FROM promotion_events"
        " WHERE created_at > %s AND created_at <= %s GROUP BY 1, 2 ORDER BY 1, 2",
        (now - timedelta(days=days), now),
    )
    return [row_by_name(row, ("model_type", "decision", "events")) for row in cursor.fetchall()]


def since_swap(cursor: Any, registered_name: str, production: int, challenger: int | None) -> SinceSwap:
    """What happened since Production of a registered model last moved: games that began since, and reports."""
    cursor.execute(
        "SELECT id, created_at FROM promotion_events WHERE registered_name = %s AND decision = ANY(%s) AND alias = %s"
        " ORDER BY id DESC LIMIT 1",
        (registered_name, sorted(MOVES), Alias.PRODUCTION.value),
    )
    found = cursor.fetchone()
    moved: Mapping[str, Any] = row_by_name(found, ("id", "created_at")) if found else {"id": 0, "created_at": None}
    cursor.execute(
        "SELECT count(*) FILTER (WHERE version = %(production)s) AS production_games,"
        " count(*) FILTER (WHERE version = %(challenger)s) AS b_games,"
        " (SELECT count(*) FROM promotion_events WHERE registered_name = %(name)s AND id > %(id)s"
        " AND decision = ANY(%(reported)s)) AS cycles"
        " FROM comparable_games WHERE registered_name = %(name)s AND result IS NOT NULL"
        " AND (%(at)s::timestamptz IS NULL OR started_at >= %(at)s)",
        {
            "name": registered_name,
            "production": production,
            "challenger": challenger,
            "id": moved["id"],
            "at": moved["created_at"],
            "reported": sorted(REPORTED),
        },
    )
    counts = row_by_name(cursor.fetchone(), ("production_games", "b_games", "cycles"))
    return SinceSwap(at=moved["created_at"], **counts)


def _derived(row: dict[str, Any]) -> dict[str, Any]:
    """Win rates, and the order of challengers in words: null where there are none."""
    rates = {}
    for arm in ("production", "b"):
        wins, games = row[f"{arm}_wins"], row[f"{arm}_total_games"]
        rates[f"{arm}_win_rate"] = wins / games if games and wins is not None else None
    ranks = {ranking["rank"]: ranking for ranking in row["alias_rankings"]}
    summaries = {f"rank{rank}_summary": _summary(ranks.get(rank)) for rank in (1, 2, 3)}
    ordered = [ranks[rank] for rank in sorted(ranks)]
    return {
        **row,
        **rates,
        **summaries,
        "step2_order": [ranking["alias"] for ranking in ordered],
        "step2_accuracy": [ranking["accuracy"] for ranking in ordered],
        "step2_sources": [ranking["source_alias"] for ranking in ordered],
    }


def _summary(ranking: Mapping[str, Any] | None) -> str | None:
    if ranking is None:
        return None
    accuracy = "not measured" if ranking["accuracy"] is None else f"{ranking['accuracy']:.4f}"
    source = f" from {ranking['source_alias']}" if ranking["source_alias"] else ""
    return f"{ranking['alias']}{source}: {accuracy} of {ranking['total_predictions']}"
