"""The shapes of what is posted to the log and of the answers, with the examples that the API's document shows.

Belongs here: one model per shape and its example. Does not belong here: other shapes (``schemas.py``).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from serving.backfill_queue import State

EVENT: dict[str, Any] = {
    "event_id": "match_demo_1-000001",
    "match_id": "match_demo_1",
    "event_type": "POSITION_UPDATE",
    "actor": "player:demo_p1",
    "timestamp": "2026-02-10T10:00:00Z",
    "payload": {"pos": [12.4, 0.0, 8.9], "objective_pos": [10.0, 0.0, 10.0], "ts": 100.0},
}
"""The smallest event that says something."""
TAKEN: dict[str, Any] = {"ok": True, "accepted": 1, "duplicates": 0, "dead": 0}

BACKFILL = ["grid:2578928:1", "demo:2026-05-17_de_ancient_m02:1"]
ASKED: dict[str, Any] = {"status": "waiting", "matches": BACKFILL}
JOBS: dict[str, Any] = {
    "matches": [
        {"match_id": BACKFILL[0], "state": "running", "sent": 0, "appended": 0, "reason": ""},
        {"match_id": BACKFILL[1], "state": "done", "sent": 81_204, "appended": 81_204, "reason": ""},
    ]
}
MatchId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]+(:[A-Za-z0-9_.\-]+)*$", max_length=200)]
MatchIds = Annotated[list[MatchId], Field(min_length=1, max_length=500)]


class TakenOut(BaseModel):
    """What became of a body: of its transactions and events, not of what a transaction says."""

    ok: Literal[True] = Field(description="Nothing was lost")
    accepted: int = Field(ge=0, description="New; on their way into the log or there")
    duplicates: int = Field(ge=0, description="Came before")
    dead: int = Field(ge=0, description="Cannot be read; 'esports deadletter list' tells why")


class AskedOut(BaseModel):
    """What will be played into the log; GET /backfill tells how far it is."""

    status: Literal["waiting"]
    matches: list[str] = Field(description="Each once, in the order asked for")


class JobOut(BaseModel):
    """How far a match is."""

    match_id: str
    state: State
    sent: int = Field(ge=0, description="Events and frames")
    appended: int = Field(ge=0, description="How many of them were new to the log")
    reason: str = Field(description="Why it failed; empty where it did not")


class JobsOut(BaseModel):
    """Every match that was asked for in the last seven days."""

    matches: list[JobOut]
