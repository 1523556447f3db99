"""Is it up, is it ready, what runs, what it counted. Does not belong here: models in detail (``models.py``)."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from esports_assets.models.bundle import FORMAT_VERSION
from serving import schemas
from serving.bundles import PRODUCTION, Refusal
from serving.errors import json_response
from serving.parlour import Parlour
from serving.served import POLICY
from serving.service import Service


def refusal_json(refusal: Refusal) -> dict[str, str | None]:
    """A refusal as the API tells it."""
    return {"task": refusal.task, "alias": refusal.alias, "reason": refusal.reason}


def router(service: Service, parlour: Parlour) -> APIRouter:
    """The routes of operation."""
    routes = APIRouter(tags=["operation"])
    watcher = service.watcher

    @routes.get("/healthz", summary="The process answers", responses={200: {"model": schemas.HealthOut}})
    async def healthz() -> Response:
        return json_response({"status": "ok"})

    @routes.get(
        "/readyz",
        summary="Every task has a model",
        responses={200: {"model": schemas.ReadyOut}, 503: {"model": schemas.ReadyOut}},
    )
    async def readyz() -> Response:
        tasks: dict[str, str | None] = {}
        refused = []
        for task in watcher.tasks:
            model = watcher.model(task, PRODUCTION)
            tasks[task] = (
                None if model is None else f"{model.contract.registered_name}@{PRODUCTION} v{model.contract.version}"
            )
            refused += [refusal_json(refusal) for refusal in watcher.refusals(task)]
        refused += [refusal_json(refusal) for refusal in parlour.families.refusals()]
        ready = all(tasks.values())
        content: dict[str, Any] = {
            "status": "ready" if ready else "not_ready",
            "tasks": tasks,
            "refused": refused,
            "degraded": parlour.degraded(),
            "lineage": service.lineage.state(),
        }
        return json_response(content, 200 if ready else 503)

    @routes.get(
        "/metrics",
        summary="Prometheus metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @routes.get("/version", summary="What runs here", responses={200: {"model": schemas.VersionOut}})
    async def versions() -> Response:
        content = {
            "service": "esports serving",
            "version": installed("esports-assets"),
            "bundle_format": FORMAT_VERSION,
            "policy_version": POLICY["policy_version"],
            "python": platform.python_version(),
            "onnxruntime": installed("onnxruntime"),
        }
        return json_response(content)

    return routes


def installed(distribution: str) -> str:
    """Version of an installed distribution; ``source`` for one that runs from its source tree."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "source"
