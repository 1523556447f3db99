"""The ledger of promotions over HTTP. Does not belong here: what an entry is (``esports_assets/promotion/reports.py``).

Reporting needs the role operator, reading the role analyst. A report is recorded once for each request key.
"""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from esports_assets.promotion import reports
from serving import promotion_schemas as shapes
from serving import responses
from serving.auth import Access
from serving.database import refuse_nul
from serving.errors import ApiError, json_response
from serving.games_policies import FAMILIES, TASK
from serving.parlour import Parlour
from serving.roles import Principal, Role, Scope
from serving.shapes import Shape

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ReportIn"}, "example": shapes.REPORT},
        },
    }
}
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The report's own key; its content by default",
        examples=["cycle-2026-11-25T12:00"],
    ),
]
Model = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$", examples=["rps.next_move.xgboost"])]
Decision = Annotated[str | None, Query(max_length=60, pattern=r"^[^\x00]+$", examples=["continue"])]
Since = Annotated[datetime | None, Query(examples=["2026-11-01T00:00:00Z"])]


def router(parlour: Parlour, access: Access) -> APIRouter:
    """The routes of the ledger."""
    routes = APIRouter(prefix="/internal/promotion", tags=["promotion"])
    operator = Depends(access.require(Role.OPERATOR, Scope.INGEST))
    analyst = Depends(access.require(Role.ANALYST, Scope.READ))

    @routes.post("/report", summary="Report a judged cycle", responses=_said(shapes.REPORTED), openapi_extra=_BODY)
    async def report(request: Request, key: Key = None, who: Principal = operator) -> Response:
        body = await request.body()
        refuse_nul("The report", body.decode("utf-8", "replace"))
        found = _report_of(body)
        request_key = key or hashlib.sha256(msgspec.json.encode(found, order="sorted")).hexdigest()
        event_id, fresh = await run_in_threadpool(_record, parlour, found, request_key, who.name)
        told = {"success": True, "event_id": event_id, "recorded": fresh, "request_key": request_key}
        return json_response({**told, "model_type": found.model_type, "decision": found.decision})

    @routes.get("/history", summary="The ledger, newest first", responses=_said(shapes.HISTORY))
    def history(
        limit: Annotated[int, Query(ge=1, le=reports.MOST_ENTRIES)] = 20,
        model_type: Model = None,
        decision: Decision = None,
        since: Since = None,
        who: Principal = analyst,
    ) -> Response:
        since = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
        with parlour.games.database.transaction() as cursor:
            found = reports.history(
                cursor, limit=limit, model_type=_full_name(model_type), decision=decision, since=since
            )
        return json_response({"events": found, "count": len(found)})

    @routes.get("/event_totals", summary="How many entries of each kind", responses=_said(shapes.TOTALS))
    def event_totals(days: Annotated[int, Query(ge=1, le=reports.MOST_DAYS)] = 7, who: Principal = analyst) -> Response:
        with parlour.games.database.transaction() as cursor:
            found = reports.event_totals(cursor, now=datetime.now(UTC), days=days)
        return json_response({"totals": found, "days": days})

    return routes


def _full_name(model_type: str | None) -> str | None:
    """Families of the game may be told by their short names."""
    return f"{TASK}.{model_type}" if model_type in FAMILIES else model_type


def _report_of(body: bytes) -> reports.Report:
    """The report; ApiError 422 says what does not fit."""
    try:
        told = msgspec.json.decode(body)
        if isinstance(told, dict) and isinstance(told.get("model_type"), str):
            told["model_type"] = _full_name(told["model_type"])
        return msgspec.convert(told, reports.Report)
    except msgspec.ValidationError as error:
        text = str(error)
        raise ApiError(422, "invalid_report", f"The report does not fit: {text[:1].lower()}{text[1:]}.") from error
    except reports.ReportError as error:
        raise ApiError(422, "invalid_report", f"The report does not fit: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(422, "invalid_json", "The body is not valid JSON; it must be an object.") from error


def _record(parlour: Parlour, report: reports.Report, request_key: str, actor: str) -> tuple[int, bool]:
    with parlour.games.database.transaction() as cursor:
        return reports.record_report(cursor, report, request_key=request_key, actor=actor)


def _said(shape: Shape) -> responses.Responses:
    good = {"model": shape.model, "content": {"application/json": {"example": shape.example}}}
    return {200: good, **responses.errors(401, 403, 422, 429, 503, said=shapes.SAID)}
