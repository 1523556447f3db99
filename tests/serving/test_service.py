"""What holds for all routes: health, limits, errors, metrics, the OpenAPI document."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import tiny_bundle as tiny
from fastapi.testclient import TestClient

from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.settings import Settings

ROUTE = f"/api/v1/predict/{tiny.TASK}"
ROW = {"ct_alive": 5, "t_alive": 3, "t_s": 20.5}


def test_healthy_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    ready = {"cs2.round_win": f"{tiny.REGISTERED}@Production v1"}
    assert answer.json() == {"status": "ready", "tasks": ready, "refused": [], "degraded": [], "lineage": None}


def test_without_a_model_it_starts_and_says_so(settings: Settings, store: ObjectStore) -> None:
    with TestClient(create_app(settings, fingerprint_of=tiny.fingerprint_of)) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        sentence = "No model is promoted for cs2.round_win: its champion marker is not in the object store."
        assert answer.status_code == 503
        assert answer.json() == {
            "status": "not_ready",
            "tasks": {"cs2.round_win": None},
            "refused": [{"task": "cs2.round_win", "alias": None, "reason": sentence}],
            "degraded": [],
            "lineage": None,
        }
        predicted = client.post(ROUTE, json={"features": ROW})
        assert (predicted.status_code, predicted.json()["error"]["message"]) == (503, sentence)
        assert client.get("/models").json()["tasks"][0]["models"] == []


def test_models_and_version(client: TestClient) -> None:
    task = client.get("/models").json()["tasks"][0]
    assert (task["task"], task["champion"]) == ("cs2.round_win", tiny.REGISTERED)
    model = task["models"][0]
    assert (model["alias"], model["version"]) == ("Production", "1")
    assert [feature["name"] for feature in model["contract"]["features"]] == ["ct_alive", "t_alive", "t_s", "planted_s"]
    assert model["contract"]["training_data"] == {"data_version": "d0d0", "n_matches": 1}
    version = client.get("/version").json()
    assert version["bundle_format"] == 1
    assert re.fullmatch(r"\d+\.\d+\.\d+", version["onnxruntime"])


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/predict", "/api/v1/predict/a/b/c", "/../etc/passwd"])
def test_an_unknown_path_is_a_sentence(client: TestClient, path: str) -> None:
    answer = client.post(path, json={})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_a_wrong_method_is_a_sentence(client: TestClient) -> None:
    answer = client.get(ROUTE)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"]["message"] == '"/api/v1/predict/cs2.round_win" does not answer "GET".'


def test_a_large_body_is_refused_by_its_declared_length(client: TestClient) -> None:
    answer = client.post(ROUTE, content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"
    assert "1048576 bytes" in answer.json()["error"]["message"]


def test_a_large_body_is_refused_while_it_streams(settings: Settings, promoted: ObjectStore) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 65_536

    async def ask() -> httpx.Response:
        app = create_app(settings, fingerprint_of=tiny.fingerprint_of)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post(ROUTE, content=chunks())

    answer = asyncio.run(ask())
    assert answer.status_code == 413
    assert sent == 17


def test_a_body_that_never_arrives_is_given_up(settings: Settings, promoted: ObjectStore) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(30)

    async def ask() -> httpx.Response:
        app = create_app(settings.model_copy(update={"body_timeout_s": 0.1}), fingerprint_of=tiny.fingerprint_of)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post(ROUTE, content=chunks())

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "body_too_slow")


class _Broken:
    """A model that loads and then fails."""

    contract = tiny.contract()
    positive = 0

    def predict(self, features: Any) -> Any:
        raise RuntimeError("secret detail")

    def bounds(self, replicates: Any) -> Any:
        raise RuntimeError("secret detail")


def test_an_unexpected_failure_is_a_sentence_and_a_log_line(
    settings: Settings, promoted: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings, fingerprint_of=tiny.fingerprint_of, load=lambda *_: _Broken())
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post(ROUTE, json={"features": ROW}, headers={"x-request-id": "abc-1"})
        assert client.get("/healthz").status_code == 200
    assert answer.status_code == 500
    sentence = "Something went wrong here; the log has it under request abc-1."
    assert answer.json() == {"error": {"code": "internal_error", "message": sentence}}
    assert answer.headers["x-request-id"] == "abc-1"
    assert "secret detail" not in answer.text
    assert any("abc-1" in record.message and record.exc_info for record in caplog.records)


def test_request_ids_are_never_taken_over_blindly(client: TestClient) -> None:
    answer = client.get("/healthz", headers={"x-request-id": "a b\tc<script>"})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


def test_metrics_have_closed_labels(client: TestClient) -> None:
    client.post(ROUTE, json={"features": ROW})
    client.post(f"{ROUTE}/batch", json={"rows": [ROW] * 3})
    client.post("/api/v1/predict/cs2.luck", json={"features": ROW})
    client.get("/some/path/of/a/scanner")
    client.request("PROPFIND", "/x")
    text = client.get("/metrics").text
    assert 'predictions_total{alias="Production",task="cs2.round_win"} 4.0' in text
    assert 'http_requests_total{method="POST",route="/api/v1/predict/{task}",status="2xx"} 1.0' in text
    assert 'http_requests_total{method="POST",route="/api/v1/predict/{task}",status="4xx"} 1.0' in text
    assert 'http_requests_total{method="GET",route="unmatched",status="4xx"} 1.0' in text
    assert 'http_requests_total{method="OTHER",route="unmatched",status="4xx"} 1.0' in text
    assert 'model_swaps_total{alias="Production",task="cs2.round_win"} 1.0' in text
    assert 'http_request_duration_seconds_count{method="POST",route="/api/v1/predict/{task}"} 2.0' in text
    assert "luck" not in text
    assert "scanner" not in text


def test_the_examples_of_the_document_are_answered(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path in ("/api/v1/predict/{task}", "/api/v1/predict/{task}/batch"):
        operation = document["paths"][path]["post"]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        task = operation["parameters"][0]["example"]
        answer = client.post(path.replace("{task}", task), json=example)
        assert answer.status_code == 200, answer.text
        shape = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
        assert set(answer.json()) == set(document["components"]["schemas"][shape]["properties"])
    tags = {"prediction", "matches", "models", "reviews", "ingest", "operation"}
    assert tags <= {tag["name"] for tag in document["tags"]}
    assert set(document["components"]["schemas"]["PredictIn"]["properties"]) == {"features", "alias"}


def test_browsers_of_other_origins_are_only_let_in_by_name(settings: Settings, promoted: ObjectStore) -> None:
    origin = {"origin": "https://a.example"}
    with TestClient(create_app(settings, fingerprint_of=tiny.fingerprint_of)) as client:
        assert "access-control-allow-origin" not in client.get("/healthz", headers=origin).headers
    named = settings.model_copy(update={"cors_origins": "https://a.example, https://b.example"})
    with TestClient(create_app(named, fingerprint_of=tiny.fingerprint_of)) as client:
        assert client.get("/healthz", headers=origin).headers["access-control-allow-origin"] == "https://a.example"
        other = client.get("/healthz", headers={"origin": "https://c.example"})
        assert "access-control-allow-origin" not in other.headers


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLES_URL", "s3://bucket/prefix")
    monkeypatch.setenv("ESPORTS_HOME", "/data")
    monkeypatch.setenv("LAKE_URL", "")
    monkeypatch.setenv("API_PORT", "9000")
    monkeypatch.setenv("SERVING_TASKS", "cs2.round_win, rps.next_move")
    settings = Settings()
    assert (settings.bundles, settings.lake, settings.api_port) == ("s3://bucket/prefix", "/data/lake", 9000)
    assert settings.tasks == ("cs2.round_win", "rps.next_move")
    assert settings.api_host == "127.0.0.1"
    monkeypatch.setenv("SERVING_TASKS", "Round Win")
    with pytest.raises(ValueError, match="not a task"):
        Settings()


def test_the_documentation_needs_no_internet(client: TestClient) -> None:
    page = client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "https://" not in page.text
    assert "http://" not in page.text
    assert '"validatorUrl": null' in page.text
    for name, kind in (("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")):
        assert f"/docs/static/{name}" in page.text
        answer = client.get(f"/docs/static/{name}")
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, kind)
        assert len(answer.content) > 100_000
    assert client.get("/docs/static/nothing.js").json()["error"]["code"] == "not_found"


def test_examples_are_answers_of_the_model_that_serves(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/api/v1/predict/{task}", "/api/v1/predict/{task}/batch"):
        operation = paths[path]["post"]
        asked = operation["requestBody"]["content"]["application/json"]["example"]
        told = operation["responses"]["200"]["content"]["application/json"]["example"]
        assert client.post(path.format(task=tiny.TASK), json=asked).json() == told
    errors = {status: told for status, told in operation["responses"].items() if status != "200"}
    codes = {s: e["content"]["application/json"]["example"]["error"]["code"] for s, e in errors.items()}
    assert codes == {
        "401": "bad_credentials",
        "403": "scope_missing",
        "429": "too_many_requests",
        "404": "unknown_task",
        "413": "body_too_large",
        "422": "out_of_range",
        "503": "no_model",
    }
