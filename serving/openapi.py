"""The OpenAPI document: FastAPI's own, with request shapes and examples that a served model really takes.

Belongs here: completing the document. Does not belong here: the shapes themselves (``schemas.py``).
"""

import json
import math
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

from esports_assets.models.bundle import Feature
from serving import games_schemas, promotion_schemas, schemas
from serving.bundles import PRODUCTION, Watcher
from serving.examples import ANSWERS, STATES
from serving.served import ServedModel

_REF = "#/components/schemas/{model}"
BODIES: tuple[type[BaseModel], ...] = (
    *(schemas.PredictIn, schemas.BatchIn, games_schemas.StartIn, games_schemas.PlayIn, games_schemas.QuestionIn),
    *(games_schemas.QuestionsIn, promotion_schemas.ReportIn),
)
"""Bodies of routes that take the raw request: the framework does not know them."""


def install(app: FastAPI, watcher: Watcher) -> None:
    """Let ``/openapi.json`` show examples of the features that are served at that moment."""

    def document() -> dict[str, Any]:
        content = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        for shape in BODIES:
            schema = shape.model_json_schema(ref_template=_REF)
            content["components"]["schemas"] |= {**schema.pop("$defs", {}), shape.__name__: schema}
        _show_whole_examples(content, app)
        for (path, status), (media, told) in ANSWERS.items():
            content["paths"][path]["get"]["responses"][status]["content"][media]["example"] = told
        served = [watcher.model(task, PRODUCTION) for task in watcher.tasks]
        model = next((model for model in served if model is not None), None)
        if model is not None:
            row = example(model)
            _fill(content, "/api/v1/predict/{task}", {"features": row}, model.answer(row))
            _fill(content, "/api/v1/predict/{task}/batch", {"rows": [row, row]}, model.answers([row, row]))
            for path in ("/api/v1/predict/{task}", "/api/v1/predict/{task}/batch"):
                content["paths"][path]["post"]["parameters"][0]["example"] = model.contract.task
        return content

    app.openapi = document  # type: ignore[method-assign]


def _show_whole_examples(content: dict[str, Any], app: FastAPI) -> None:
    """Put the examples of answers back as they were told: the framework drops every null of theirs."""
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute) or not route.include_in_schema:
            continue
        operations = content["paths"][route.path_format]
        for status, said in route.original_route.responses.items():
            for media, told in said.get("content", {}).items():
                for method in (route.methods or ()) if "example" in told else ():
                    operations[method.lower()]["responses"][str(status)]["content"][media]["example"] = told["example"]


def example(model: ServedModel) -> dict[str, float | None]:
    """A row that the model takes: the window's example state, null where it is silent and may be, derived ones left out."""
    state = STATES.get(model.contract.window, {})
    told = (feature for feature in model.contract.features if feature.name not in model.derived)
    return {feature.name: state.get(feature.name, _plausible(feature)) for feature in told}


def _plausible(feature: Feature) -> float | None:
    """Null where it may be, else three fifths of the range, or 1."""
    low, high = feature.minimum, feature.maximum
    if feature.nullable:
        return None
    if low is not None and high is not None:
        return max(low, float(math.floor(low + 0.6 * (high - low))))
    return min(max(1.0, -math.inf if low is None else low), math.inf if high is None else high)


def _fill(content: dict[str, Any], path: str, body: dict[str, Any], answer: bytes) -> None:
    operation = content["paths"][path]["post"]
    operation["requestBody"]["content"]["application/json"]["example"] = body
    operation["responses"]["200"]["content"]["application/json"]["example"] = json.loads(answer)
