"""Events over HTTP into the log: GRID's transactions and canonical events. Does not belong here: reading them (``feed.py``).

Needs the role operator and the scope ingest. What cannot be read is kept among the dead letters and answered with 200, as
sending it again would not help; 503 means that not everything was kept, and that the same body should be sent again.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from serving import feed_schemas as shapes
from serving import responses
from serving.auth import Access
from serving.errors import ApiError, json_response
from serving.intake import Intake
from serving.roles import Principal, Role, Scope

_SAID = {
    401: ("bad_credentials", "This needs the role operator: send an API key or a bearer token."),
    403: ("role_too_low", "This needs the role operator; yours is analyst."),
    413: ("body_too_large", "The body is larger than 16777216 bytes, the most that this route takes."),
    422: (
        "invalid_parameter",
        "\"0\" does not fit: string should match pattern '^[A-Za-z0-9_.\\-]+(:[A-Za-z0-9_.\\-]+)*$'.",
    ),
    429: ("too_many_requests", "Too many requests; the next one may come in 1 s."),
    503: ("no_log", "Events are kept in Redis, and REDIS_URL is not set."),
}
_JSON = "application/json"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One transaction or event, a list of them, or one per line.",
        "content": {_JSON: {"schema": {}, "example": shapes.EVENT}},
    }
}


def router(intake: Intake, access: Access) -> APIRouter:
    """The routes that feed the log."""
    routes = APIRouter(tags=["ingest"])
    operator = Depends(access.require(Role.OPERATOR, Scope.INGEST))

    @routes.post(
        "/webhook/grid",
        summary="Send GRID transactions or canonical events into the log, each once",
        responses={
            200: {"model": shapes.TakenOut, "content": {_JSON: {"example": shapes.TAKEN}}},
            **responses.errors(401, 403, 413, 429, 503, said=_SAID),
        },
        openapi_extra=_BODY,
    )
    async def webhook(request: Request, who: Principal = operator) -> Response:
        body = await request.body()
        return json_response(await run_in_threadpool(_take, intake, body))

    @routes.post(
        "/backfill",
        summary="Play matches of the past into the log: of the lake, or of GRID",
        responses={
            200: {"model": shapes.AskedOut, "content": {_JSON: {"example": shapes.ASKED}}},
            **responses.errors(401, 403, 422, 429, 503, said=_SAID),
        },
        openapi_extra={"requestBody": {"content": {_JSON: {"example": shapes.BACKFILL}}}},
    )
    def backfill(body: shapes.MatchIds, who: Principal = operator) -> Response:
        wanted = list(dict.fromkeys(body))
        with _log_there():
            intake.backfill.ask(wanted)
        return json_response({"status": "waiting", "matches": wanted})

    @routes.get(
        "/backfill",
        summary="How far the matches are that were asked for",
        responses={
            200: {"model": shapes.JobsOut, "content": {_JSON: {"example": shapes.JOBS}}},
            **responses.errors(401, 403, 429, 503, said=_SAID),
        },
    )
    def backfills(who: Principal = operator) -> Response:
        with _log_there():
            jobs = intake.backfill.queue.jobs()
        told = [{"match_id": match_id, **msgspec.structs.asdict(job)} for match_id, job in jobs.items()]
        return json_response({"matches": told})

    return routes


@contextlib.contextmanager
def _log_there() -> Iterator[None]:
    from redis import RedisError

    try:
        yield
    except RedisError as error:
        message = "Redis does not answer, so not everything was kept; send the same again."
        raise ApiError(503, "log_away", message, {"Retry-After": "1"}) from error


def _take(intake: Intake, body: bytes) -> dict[str, Any]:
    with _log_there():
        counts = intake.feed.take(body)
    return {"ok": True, "accepted": counts.accepted, "duplicates": counts.duplicates, "dead": counts.dead}
