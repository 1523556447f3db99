"""The shapes of reports of promotion cycles and of the ledger, for OpenAPI only.

Belongs here: one model per shape, with one coherent example. Does not belong here: what an entry is (``promotion/reports.py``).
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.shapes import Shape

AliasName = Literal["Production", "B", "shadow1", "shadow2"]
SAID = {
    401: ("bad_credentials", "This needs the role analyst: send an API key or a bearer token."),
    403: ("role_too_low", "This needs the role analyst; yours is viewer."),
    422: ("invalid_parameter", '"limit" does not fit: input should be less than or equal to 200.'),
    503: ("no_database", "The database does not answer; the log of the service says why."),
}


class _Told(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class RankingIn(BaseModel):
    """One place of the order of challengers."""

    alias: AliasName
    rank: int = Field(ge=1, le=3)
    source_alias: AliasName | None = None
    accuracy: float | None = None
    total_predictions: int = 0


class AccuracyIn(BaseModel):
    """How often an alias's version named what came."""

    alias: AliasName
    accuracy: float | None
    total_predictions: int


class AssignmentIn(BaseModel):
    """What an alias means after the cycle."""

    alias: AliasName
    version: int
    source_alias: AliasName | None = None
    previous_version: int | None = None
    changed: bool = False


class _Numbers(_Told):
    model_type: str = Field(description="The registered name; a family of the game may be told alone")
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
    alias_rankings: list[RankingIn] = []
    alias_accuracies: list[AccuracyIn] = []
    alias_assignments: list[AssignmentIn] = []
    production_games_since_swap: int | None = None
    b_games_since_swap: int | None = None
    promotion_cycles_since_swap: int | None = None
    created_ts_utc: str | None = None
    payload: dict[str, Any] = {}


class ReportIn(_Numbers):
    """One judged cycle; it moves nothing."""


class ReportedOut(_Told):
    """The entry of a report."""

    success: Literal[True]
    event_id: int
    recorded: bool = Field(description="False where the same report was recorded before")
    request_key: str
    model_type: str
    decision: str


class EntryOut(_Numbers):
    """An entry of the ledger, moves and offline judgements included."""

    id: int
    task: str
    actor: str
    production_win_rate: float | None
    b_win_rate: float | None
    rank1_summary: str | None
    rank2_summary: str | None
    rank3_summary: str | None
    step2_order: list[AliasName]
    step2_accuracy: list[float | None]
    step2_sources: list[AliasName | None]


class HistoryOut(BaseModel):
    """Entries, newest first."""

    events: list[EntryOut]
    count: int


class TotalOut(_Told):
    """How many entries of one kind."""

    model_type: str
    decision: str
    events: int


class TotalsOut(BaseModel):
    """Entries of the last days by model and decision."""

    totals: list[TotalOut]
    days: int


REPORT: dict[str, Any] = {
    "model_type": "rps.next_move.xgboost",
    "decision": "continue",
    "reason": "Neither capital has grown enough: the comparison goes on.",
    "source": "promotion cycle",
    "production_version": 7,
    "b_version": 8,
    "z_statistic": 0.4,
    "p_value": 0.62,
    "production_wins": 61.5,
    "production_total_games": 120,
    "b_wins": 64.0,
    "b_total_games": 118,
    "alias_accuracies": [{"alias": "Production", "accuracy": 0.47, "total_predictions": 2400}],
    "production_games_since_swap": 120,
    "b_games_since_swap": 118,
    "promotion_cycles_since_swap": 3,
}
REPORTED = Shape(
    ReportedOut,
    {
        "success": True,
        "event_id": 12,
        "recorded": True,
        "request_key": "cycle-2026-11-25T12:00",
        "model_type": "rps.next_move.xgboost",
        "decision": "continue",
    },
)
HISTORY = Shape(
    HistoryOut,
    {
        "events": [
            {
                **REPORT,
                "id": 12,
                "task": "rps.next_move",
                "actor": "trainer",
                "created_ts_utc": "2026-11-25T12:00:00+00:00",
                "production_win_rate": 0.5125,
                "b_win_rate": 0.5423728813559322,
                "rank1_summary": None,
                "rank2_summary": None,
                "rank3_summary": None,
                "step2_order": [],
                "step2_accuracy": [],
                "step2_sources": [],
            }
        ],
        "count": 1,
    },
)
TOTALS = Shape(
    TotalsOut, {"totals": [{"model_type": "rps.next_move.xgboost", "decision": "continue", "events": 3}], "days": 7}
)
