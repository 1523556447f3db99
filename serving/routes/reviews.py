"""The review queue over HTTP: ask, take up, comment, decide. Does not belong here: its rules (``review_terms.py``).

Every route needs an account. Reading needs the role reviewer, since a review holds what has not passed the gate; an analyst may ask
for a review and sees and comments on those that he asked for.
"""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query
from fastapi.responses import Response

from serving import responses
from serving import review_schemas as shapes
from serving.desk import Desk
from serving.errors import ApiError, json_response
from serving.gate import Audience, decide, statement_of
from serving.review_terms import NewReview, Status, audiences_of
from serving.reviews import Row, now_utc
from serving.roles import Principal, Role, Scope

_SAID = {
    401: ("bad_credentials", "This needs the role reviewer: send an API key or a bearer token."),
    403: ("role_too_low", "This needs the role reviewer; yours is analyst."),
    404: ("unknown_review", f'There is no review "{shapes.REVIEW_ID}" for you.'),
    409: ("leased", '"ben" holds the review until 2026-02-10T10:12:00+00:00.'),
    422: (
        "invalid_parameter",
        "\"action\" does not fit: input should be 'approve', 'reject', 'request_edit' or 'escalate'.",
    ),
    429: ("too_many_requests", "Too many requests; the next one may come in 1 s."),
    503: ("no_database", "Reviews are kept in a database, and DATABASE_URL is not set."),
}
_DUPLICATE = {409: ("duplicate_review", f'There is a review "{shapes.REVIEW_ID}" already.')}
_NOTHING = {404: ("nothing_waits", "No review waits for anybody.")}
_ALWAYS = (401, 403, 422, 429, 503)
_JSON = "application/json"

ReviewPath = Annotated[shapes.ReviewId, Path(examples=[shapes.REVIEW_ID])]
Limit = Annotated[int, Query(ge=1, le=1000)]


def router(desk: Desk) -> APIRouter:
    """The routes about reviews."""
    routes = APIRouter(prefix="/api/v1/reviews", tags=["reviews"])
    analyst = Depends(desk.access.require(Role.ANALYST, Scope.REVIEWS))
    reviewer = Depends(desk.access.require(Role.REVIEWER, Scope.REVIEWS))

    @routes.post(
        "/create",
        summary="Ask for a review",
        responses=_answers(shapes.ReviewOut, shapes.CREATED, 409, said=_DUPLICATE),
        openapi_extra=_body(shapes.CREATE),
    )
    def create(body: shapes.ReviewIn, who: Principal = analyst) -> Response:
        review_id = body.review_id or f"asked:{secrets.token_hex(16)}"
        new = NewReview(
            review_id,
            body.kind,
            body.agent_name,
            tuple(dict.fromkeys(body.reasons)),
            body.subject,
            body.run_id,
            body.context,
        )
        return json_response(_review(desk.reviews.create(new, who)))

    @routes.get(
        "/pending",
        summary="What anybody may take up now, oldest first",
        responses=_answers(shapes.ReviewsOut, {"reviews": [shapes.CREATED]}),
    )
    def pending(limit: Limit = 50, who: Principal = reviewer) -> Response:
        return json_response({"reviews": [_review(row) for row in desk.reviews.waiting(limit)]})

    @routes.get(
        "",
        summary="Reviews in one state, oldest first",
        responses=_answers(shapes.ReviewsOut, {"reviews": [shapes.CLAIMED]}),
    )
    def standing(status: Status = Status.ESCALATED, limit: Limit = 50, who: Principal = reviewer) -> Response:
        return json_response({"reviews": [_review(row) for row in desk.reviews.standing(status, limit)]})

    @routes.post(
        "/claim",
        summary="Take up the review that has waited longest",
        responses=_answers(shapes.ReviewOut, shapes.CLAIMED, 404, said=_NOTHING),
        openapi_extra=_body(shapes.CLAIM),
    )
    def claim_next(body: Annotated[shapes.ClaimIn, Body()], who: Principal = reviewer) -> Response:
        found = desk.reviews.claim(None, who, lease_s=body.lease_s, assignee=body.assignee)
        return json_response(_review(found))

    @routes.get(
        "/{review_id}",
        summary="A review with its comments, actions and audit log",
        responses=_answers(shapes.ReviewFullOut, shapes.FULL, 404),
    )
    def one(review_id: ReviewPath, who: Principal = analyst) -> Response:
        return json_response(_review(desk.reviews.get(review_id, who)))

    @routes.post(
        "/{review_id}/claim",
        summary="Take up a review, or hold it longer",
        responses=_answers(shapes.ReviewOut, shapes.CLAIMED, 404, 409),
        openapi_extra=_body(shapes.CLAIM),
    )
    def claim(review_id: ReviewPath, body: shapes.ClaimIn, who: Principal = reviewer) -> Response:
        found = desk.reviews.claim(review_id, who, lease_s=body.lease_s, assignee=body.assignee)
        return json_response(_review(found))

    @routes.delete(
        "/{review_id}/claim",
        summary="Give a review back",
        responses=_answers(shapes.ReviewOut, shapes.CREATED, 404, 409),
    )
    def unclaim(review_id: ReviewPath, who: Principal = reviewer) -> Response:
        return json_response(_review(desk.reviews.unclaim(review_id, who)))

    @routes.post(
        "/{review_id}/comment",
        summary="Comment on a review",
        responses=_answers(shapes.CommentedOut, shapes.COMMENTED, 404),
        openapi_extra=_body(shapes.COMMENT),
    )
    def comment(review_id: ReviewPath, body: shapes.CommentIn, who: Principal = analyst) -> Response:
        _is_signed_in("author", body.author, who)
        return json_response({"ok": True, "comment_id": desk.reviews.comment(review_id, who, body.body)})

    @routes.post(
        "/{review_id}/action",
        summary="Approve, reject, ask for an edit, or escalate",
        responses=_answers(shapes.ActedOut, shapes.ACTED, 404, 409),
        openapi_extra=_body(shapes.ACTION),
    )
    def action(review_id: ReviewPath, body: shapes.ActionIn, who: Principal = reviewer) -> Response:
        _is_signed_in("actor", body.actor, who)
        action_id, row = desk.reviews.act(review_id, who, body.action, body.payload)
        approved = row["status"] == Status.APPROVED.value
        release = [_release(desk, row, audience) for audience in audiences_of(body.payload)] if approved else []
        return json_response({"ok": True, "action_id": action_id, "status": row["status"], "release": release})

    return routes


def _is_signed_in(field: str, told: str | None, who: Principal) -> None:
    """Nobody speaks for somebody else."""
    if told is not None and told != who.name:
        raise ApiError(403, "not_yourself", f"{field} must be who is signed in, or left out.")


def _review(row: Row) -> dict[str, Any]:
    """A row as the API tells it."""
    found = {name: value for name, value in row.items() if name != "id"}
    for name in ("comments", "actions", "audit"):
        if name in found:
            found[name] = [{key: value for key, value in entry.items() if key != "review_id"} for entry in found[name]]
    return found


def _release(desk: Desk, row: Row, audience: Audience) -> dict[str, Any]:
    decision = decide(statement_of(row["final_result"]), audience, now_utc(), desk.policy)
    return {
        "audience": audience,
        "open": decision.open,
        "reason": decision.reason,
        "sentence": decision.sentence,
        "opens_at": decision.opens_at,
    }


def _answers(
    model: Any, example: Any, *more: int, said: dict[int, tuple[str, str]] | None = None
) -> responses.Responses:
    good = {"model": model, "content": {_JSON: {"example": example}}}
    return {200: good, **responses.errors(*_ALWAYS, *more, said={**_SAID, **(said or {})})}


def _body(example: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {_JSON: {"example": example}}}}
