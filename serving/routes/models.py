"""Which models serve: champions, aliases, versions, contracts. Does not belong here: changing any of it."""

from typing import Any

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from serving import schemas
from serving.errors import json_response
from serving.routes.health import refusal_json
from serving.served import ServedModel
from serving.service import Service


def router(service: Service) -> APIRouter:
    """The routes about models."""
    routes = APIRouter(tags=["models"])
    watcher = service.watcher

    @routes.get("/models", summary="Every task with its models", responses={200: {"model": schemas.ModelsOut}})
    async def models() -> Response:
        tasks = []
        for task in watcher.tasks:
            current = watcher.current(task)
            tasks.append(
                {
                    "task": task,
                    "champion": None if current is None else current.registered,
                    "models": [] if current is None else [_summary(model) for model in current.by_alias.values()],
                    "refused": [refusal_json(refusal) for refusal in watcher.refusals(task)],
                }
            )
        return json_response({"tasks": tasks})

    return routes


def _summary(model: ServedModel) -> dict[str, Any]:
    contract = msgspec.to_builtins(model.contract)
    training = contract["training_data"]
    contract["training_data"] = {"data_version": training["data_version"], "n_matches": len(training["matches"])}
    return {
        "alias": model.alias,
        "version": model.contract.version,
        "derived": model.derived,
        "laws": model.checks.words,
        "contract": contract,
    }
