"""The shapes of what is posted to the log and of the answers, with the examples that the API's document shows.

Belongs here: one model per shape and its example. Does not belong here: other shapes (``schemas.py``).
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

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


class TakenOut(BaseModel):
    """What became of a body: of its transactions and events, not of what a transaction says."""

    ok: Literal[True] = Field(description="Nothing was lost")
    accepted: int = Field(ge=0, description="New; on their way into the log or there")
    duplicates: int = Field(ge=0, description="Came before")
    dead: int = Field(ge=0, description="Cannot be read; 'esports deadletter list' tells why")
