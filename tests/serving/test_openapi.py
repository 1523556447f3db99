"""The document tells the truth: every route shows examples, they fit their schemas, and so do the real answers."""

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import tiny_bundle as tiny
import tiny_lake as made
from fastapi.testclient import TestClient

from esports_assets.storage.objects import ObjectStore
from serving import examples
from serving.app import create_app
from serving.settings import Settings

JSON = "application/json"
ROUTES = {
    ("/healthz", "get"),
    ("/readyz", "get"),
    ("/metrics", "get"),
    ("/version", "get"),
    ("/models", "get"),
    ("/api/v1/predict/{task}", "post"),
    ("/api/v1/predict/{task}/batch", "post"),
    ("/api/v1/matches", "get"),
    ("/api/v1/matches/{match_id}/win-probability", "get"),
}
REVIEWS = {
    ("/api/v1/reviews", "get"),
    ("/api/v1/reviews/create", "post"),
    ("/api/v1/reviews/pending", "get"),
    ("/api/v1/reviews/claim", "post"),
    ("/api/v1/reviews/{review_id}", "get"),
    ("/api/v1/reviews/{review_id}/claim", "post"),
    ("/api/v1/reviews/{review_id}/claim", "delete"),
    ("/api/v1/reviews/{review_id}/comment", "post"),
    ("/api/v1/reviews/{review_id}/action", "post"),
}
"""They need an account and a database: ``test_review_routes.py`` asks them."""
INGEST = {("/webhook/grid", "post"), ("/backfill", "post"), ("/backfill", "get")}
"""They need an account and Redis: ``tests/live`` asks them."""
GAMES = {
    ("/start_game", "post"),
    ("/play", "post"),
    ("/round_points", "get"),
    ("/predict", "post"),
    ("/predict/batch", "post"),
    ("/policies", "get"),
    ("/leaderboard", "get"),
    ("/games", "get"),
    ("/stats", "get"),
    ("/stats/policy/{policy}", "get"),
    ("/stats/player/{name}", "get"),
    ("/export", "get"),
    ("/bot_win_rates", "get"),
    ("/win_streaks", "get"),
    ("/internal/promotion/report", "post"),
    ("/internal/promotion/history", "get"),
    ("/internal/promotion/event_totals", "get"),
}
"""They need a database or a model of the game: ``test_games_document.py`` asks them."""
PATHS = {"task": tiny.TASK, "match_id": made.BETA.match_id}


def _strict(node: Any) -> Any:
    """The same schemas, refusing properties that they do not name: an answer may not say more than the document."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _strict(value) for key, value in node.items()}
    return {"additionalProperties": False, **found} if "properties" in found else found


def _check(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    whole = {**_strict(copy.deepcopy(schema)), "components": {"schemas": _strict(document["components"]["schemas"])}}
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.validate(value, whole, jsonschema.Draft202012Validator)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _document(client: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def test_every_route_is_documented(api: TestClient) -> None:
    assert {(path, method) for path, method, _ in _operations(_document(api))} == ROUTES | REVIEWS | INGEST | GAMES


@pytest.mark.parametrize(("path", "method"), sorted(ROUTES | REVIEWS | INGEST | GAMES))
def test_every_answer_and_body_has_an_example_that_fits_its_schema(api: TestClient, path: str, method: str) -> None:
    document = _document(api)
    operation = document["paths"][path][method]
    shown = [("body", operation["requestBody"])] if method == "post" else []
    shown += list(operation["responses"].items())
    assert "200" in dict(shown)
    for status, said in shown:
        for media, content in said["content"].items():
            assert "example" in content, f"{method} {path} shows no example of {status} as {media}"
            _check(document, content["schema"], content["example"])


@pytest.mark.parametrize(("path", "method"), sorted(ROUTES))
def test_every_route_answers_as_the_document_says(api: TestClient, path: str, method: str) -> None:
    document = _document(api)
    operation = document["paths"][path][method]
    body = operation["requestBody"]["content"][JSON]["example"] if method == "post" else None
    answer = api.request(method, path.format(**PATHS), json=body)
    assert answer.status_code == 200
    content = operation["responses"]["200"]["content"]
    media = answer.headers["content-type"].split(";")[0]
    assert set(content) == {media}
    _check(document, content[media]["schema"], answer.json() if media == JSON else answer.text)


def test_a_service_that_is_not_ready_answers_as_the_document_says(settings: Settings, store: ObjectStore) -> None:
    with TestClient(create_app(settings, fingerprint_of=tiny.fingerprint_of)) as client:
        document = _document(client)
        ready = document["paths"]["/readyz"]["get"]["responses"]["503"]["content"][JSON]
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, ready["example"])
        _check(document, ready["schema"], answer.json())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/matches?limit=501", "422", "invalid_parameter"),
        ("/api/v1/matches/demo:two:1/win-probability", "404", "unknown_match"),
        ("/api/v1/matches/demo:delta:1/win-probability", "409", "no_windows"),
        ("/api/v1/matches/demo:beta:1/win-probability?alias=x", "422", "invalid_parameter"),
        ("/api/v1/matches/demo:beta:1/win-probability?alias=B", "503", "no_model"),
    ],
)
def test_errors_that_are_shown_are_errors_that_happen(api: TestClient, path: str, status: str, code: str) -> None:
    shape = "/api/v1/matches/{match_id}/win-probability" if "win-probability" in path else "/api/v1/matches"
    shown = _document(api)["paths"][shape]["get"]["responses"][status]["content"][JSON]["example"]["error"]
    answer = api.get(path)
    assert (str(answer.status_code), answer.json()["error"]["code"], shown["code"]) == (status, code, code)
    if status in ("404", "422"):
        assert answer.json()["error"]["message"] == shown["message"]


def test_every_parameter_shows_what_it_takes(api: TestClient) -> None:
    for path, method, operation in _operations(_document(api)):
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            kinds = (schema, *schema.get("anyOf", ()))
            shown = "example" in parameter or "examples" in schema or "default" in schema
            closed = any("enum" in kind or kind.get("type") == "boolean" for kind in kinds)
            assert shown or closed, f"{method} {path} says nothing about {parameter['name']}"


def test_the_example_of_win_probability_adds_up() -> None:
    shown: Any = examples.WIN_PROBABILITY
    played, swing = shown["rounds"][0], shown["swings"][0]
    change, points = played["change"], played["points"]
    assert change["total"] == points[-1]["p_ct"] - points[0]["p_ct"] == change["by_players"] + change["by_time"]
    assert swing["delta"] == swing["after"] - swing["before"]
    assert [player["net"] for player in shown["players"]] == [swing["delta"], -swing["delta"]]
