"""The shapes of requests and answers about reviews, with the example that the API's document shows.

Belongs here: one model per shape and one coherent example.
Does not belong here: rules of reviewing (``review_terms.py``), other shapes (``schemas.py``).
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from serving.gate import Audience, Reason
from serving.review_terms import Action, Cause, Kind, Status

ReviewId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:~-]{1,200}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", max_length=10_000)]
Lease = Annotated[float, Field(gt=0, le=86_400, description="Seconds until the lease ends by itself")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReviewIn(_In):
    """Something that a person must look at."""

    review_id: ReviewId | None = Field(default=None, description="Unique; made up where it is left out")
    kind: Kind
    agent_name: Line = Field(description="What made the statement")
    reasons: list[Cause] = Field(min_length=1, max_length=len(Cause))
    subject: dict[str, Any] = Field(
        description="The statement: a signal, or a narrative or insight with match_id and event_ts. An approval releases it"
    )
    run_id: str = Field(default="", pattern=r"^[^\x00-\x1f\x7f]{0,400}$", description="Usually {match}:{player}")
    context: dict[str, Any] = Field(default={}, description="Whatever helps to decide; never released")


class ClaimIn(_In):
    """How long, and for whom."""

    lease_s: Lease | None = None
    assignee: Line | None = Field(default=None, description="Somebody else; needs the role operator")


class CommentIn(_In):
    """A comment."""

    body: Text
    author: str | None = Field(default=None, description="Who is signed in, if it is said at all")


class ActionIn(_In):
    """A decision. The payload of an approval may hold final_result and audiences."""

    action: Action
    payload: dict[str, Any] = {}
    actor: str | None = Field(default=None, description="Who is signed in, if it is said at all")


class ReviewOut(BaseModel):
    """A review."""

    review_id: str
    kind: Kind
    run_id: str
    agent_name: str
    reasons: list[Cause]
    status: Status
    escalated: bool = Field(description="Once escalated, operators decide")
    subject: dict[str, Any]
    context: dict[str, Any]
    final_result: dict[str, Any] | None = Field(default=None, description="What an approval releases")
    assigned_to: str | None = Field(default=None, description="Who holds or decided it")
    lease_until: datetime | None = None
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class CommentOut(BaseModel):
    """A comment; never changed."""

    id: int
    author: str
    body: str
    created_at: datetime


class ActionRowOut(BaseModel):
    """A decision; never changed."""

    id: int
    action: Action
    actor: str
    payload: dict[str, Any]
    created_at: datetime


class AuditOut(BaseModel):
    """One entry of the log that only grows."""

    id: int
    event: Literal["review.created", "review.comment", "review.action"]
    action: str
    actor: str
    actor_role: str
    from_status: Status | None = None
    to_status: Status
    detail: dict[str, Any]
    at: datetime


class ReviewFullOut(ReviewOut):
    """A review with everything that was said and done about it."""

    comments: list[CommentOut]
    actions: list[ActionRowOut]
    audit: list[AuditOut]


class ReviewsOut(BaseModel):
    """Reviews, oldest first."""

    reviews: list[ReviewOut]


class CommentedOut(BaseModel):
    """The comment is kept."""

    ok: Literal[True]
    comment_id: int


class ReleaseOut(BaseModel):
    """What the gate says about an approved statement for one audience, as of now."""

    audience: Audience
    open: bool
    reason: Reason
    sentence: str
    opens_at: datetime | None = None


class ActedOut(BaseModel):
    """The decision is kept; release is empty unless it was an approval."""

    ok: Literal[True]
    action_id: int
    status: Status
    release: list[ReleaseOut]


REVIEW_ID = "review:5ad1e2c0b1f64a7f9e0c3d2b1a098765"
_SUBJECT = {
    "signal_id": "5ad1e2c0b1f64a7f9e0c3d2b1a098765",
    "type": "MOTION_SYNTHESIS",
    "match_id": "cs2_demo:2026-02-09.one-two:de_ancient-affd22a7",
    "map": "de_ancient",
    "segment": 3,
    "t": 41.5,
    "event_ts": "2026-02-09T00:12:41.500000Z",
    "player_id": "cs2_demo:1",
    "intent": "plant",
    "confidence": 0.58,
    "status": "PENDING_REVIEW",
}
CREATE = {
    "review_id": REVIEW_ID,
    "kind": "signal",
    "agent_name": "intent",
    "reasons": ["low_confidence", "sensitive_intent"],
    "subject": _SUBJECT,
    "run_id": "cs2_demo:2026-02-09.one-two:de_ancient-affd22a7:cs2_demo:1",
    "context": {"intent": "plant", "confidence": 0.58},
}
CREATED = {
    **CREATE,
    "status": "pending",
    "escalated": False,
    "created_by": "worker",
    "created_at": "2026-02-10T10:00:00+00:00",
}
CLAIM = {"lease_s": 600}
CLAIMED = {
    **CREATED,
    "status": "in_progress",
    "assigned_to": "ann",
    "lease_until": "2026-02-10T10:12:00+00:00",
    "started_at": "2026-02-10T10:02:00+00:00",
}
COMMENT = {"body": "He carries the bomb and stands on the site."}
COMMENTED = {"ok": True, "comment_id": 1}
ACTION = {"action": "approve", "payload": {"audiences": ["ANALYST"], "why": "Seen in the replay."}}
ACTED = {
    "ok": True,
    "action_id": 1,
    "status": "approved",
    "release": [
        {
            "audience": "ANALYST",
            "open": False,
            "reason": "too_early",
            "sentence": "It leaves 120 s after the event, at 2026-02-10T10:06:00+00:00.",
            "opens_at": "2026-02-10T10:06:00+00:00",
        }
    ],
}
FULL = {
    **CLAIMED,
    "comments": [{"id": 1, "author": "ann", "created_at": "2026-02-10T10:03:00+00:00", **COMMENT}],
    "actions": [],
    "audit": [
        {
            "id": 1,
            "event": "review.created",
            "action": "create",
            "actor": "worker",
            "actor_role": "operator",
            "to_status": "pending",
            "detail": {"kind": "signal"},
            "at": "2026-02-10T10:00:00+00:00",
        }
    ],
}
