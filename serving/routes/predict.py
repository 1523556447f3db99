"""Predictions of given features. Does not belong here: what a model is (``served.py``), matches (``matches.py``).

The routes take the raw request: the body is decoded once, straight into what the model needs, and the answer is built
as bytes; the pydantic shapes stand in OpenAPI only.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from serving import inputs, responses, schemas
from serving.auth import Access
from serving.errors import ApiError, quoted
from serving.served import ServedModel
from serving.service import Service

_INLINE_ROWS = 64
"""Batches up to this size are answered on the event loop; larger ones in a thread, so that nobody waits for them."""

_STATUSES = (401, 403, 404, 413, 422, 429, 503)

_TASK_PARAMETER = {
    "name": "task",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "example": "cs2.round_win",
}


class DirectRoute(APIRoute):
    """A route whose function takes the raw request and nothing else, called without resolving dependencies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function itself."""
        return self.endpoint


def served_model(service: Service, task: str, alias: str) -> ServedModel:
    """The model that answers; ApiError 404 for an unknown task, 503 if nothing serves it."""
    model = service.watcher.model(task, alias)
    if model is not None:
        return model
    if task not in service.watcher.tasks:
        known = ", ".join(service.watcher.tasks)
        raise ApiError(404, "unknown_task", f"There is no task {quoted(task)} here; tasks are {known}.")
    refused = [r.reason for r in service.watcher.refusals(task) if r.alias in (None, alias)]
    message = refused[0] if refused else f"No model of {task} is in service under {alias}."
    raise ApiError(503, "no_model", message)


def router(service: Service, access: Access) -> APIRouter:
    """The routes of prediction, open to everybody within the limit of the account or address."""
    routes = APIRouter(prefix="/api/v1/predict", tags=["prediction"], route_class=DirectRoute)
    metrics = service.metrics
    most = service.settings.max_batch_rows

    @routes.post(
        "/{task}",
        summary="Predict one row",
        responses={200: {"model": schemas.PredictOut}, **responses.errors(*_STATUSES)},
        openapi_extra=_extra("PredictIn"),
    )
    async def predict(request: Request) -> Response:
        await access.admit_prediction(request)
        task = request.path_params["task"]
        body = inputs.one(await request.body())
        content = served_model(service, task, body.alias).answer(body.features)
        metrics.predictions(task, body.alias, 1)
        return Response(content, media_type="application/json")

    @routes.post(
        "/{task}/batch",
        summary="Predict several rows",
        responses={200: {"model": schemas.BatchOut}, **responses.errors(*_STATUSES)},
        openapi_extra=_extra("BatchIn"),
    )
    async def batch(request: Request) -> Response:
        await access.admit_prediction(request)
        task = request.path_params["task"]
        body = inputs.many(await request.body(), most)
        model = served_model(service, task, body.alias)
        if len(body.rows) <= _INLINE_ROWS:
            content = model.answers(body.rows)
        else:
            content = await asyncio.to_thread(model.answers, body.rows)
        metrics.predictions(task, body.alias, len(body.rows))
        return Response(content, media_type="application/json")

    return routes


def _extra(shape: str) -> dict[str, Any]:
    """What OpenAPI says beside the answer; the example is filled in from a contract (``openapi.py``)."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
    credentials: list[dict[str, list[str]]] = [{}, {"HTTPBearer": []}, {"APIKeyHeader": []}]
    body = {"required": True, "content": content}
    return {"parameters": [_TASK_PARAMETER], "requestBody": body, "security": credentials}
