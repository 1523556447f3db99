"""Lineage to what is served: Dagster is told of every version that takes over, and serving never waits for it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import tiny_bundle as tiny
from fastapi.testclient import TestClient
from pydantic import ValidationError

from esports_assets.models.bundle import write_bundle
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.lineage import Lineage, Report, ReportError, post
from serving.settings import Settings

REPORT = Report("cs2.round_win", "cs2.round_win.logistic v1", {"alias": "Production"})


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = self.server.answer  # type: ignore[attr-defined]
        if status == 200:
            self.server.seen.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class _Webserver(ThreadingHTTPServer):
    """Answers like the endpoint of reports, and keeps what it took."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer = (200, b"{}")
        self.seen: list[tuple[str, dict[str, Any]]] = []
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def webserver() -> Iterator[_Webserver]:
    server = _Webserver()
    yield server
    server.shutdown()
    server.server_close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds:g} s"
        time.sleep(0.01)


def _lineage(client: TestClient) -> dict[str, Any]:
    state: dict[str, Any] = client.get("/readyz").json()["lineage"]
    return state


def test_start_and_hot_swap_are_reported(settings: Settings, promoted: ObjectStore, webserver: _Webserver) -> None:
    app = create_app(
        settings.model_copy(update={"dagster_url": webserver.url + "/"}), fingerprint_of=tiny.fingerprint_of
    )
    with TestClient(app) as client:
        _until(lambda: len(webserver.seen) == 1)
        path, body = webserver.seen[0]
        assert path == "/report_asset_materialization/serving/api"
        since = body["metadata"].pop("served_since")
        assert since.endswith("+00:00")
        contract = tiny.contract()
        assert body == {
            "data_version": f"{tiny.REGISTERED} v1",
            "description": f"{tiny.REGISTERED} v1 serves {tiny.TASK} as Production.",
            "metadata": {
                "task": tiny.TASK,
                "registered_name": tiny.REGISTERED,
                "version": "1",
                "alias": "Production",
                "mlflow_run_id": contract.mlflow_run_id,
                "dagster_run_id": contract.dagster_run_id,
                "data_version": contract.training_data.data_version,
                "window_fingerprint": contract.window_fingerprint,
            },
        }
        mirror.write_alias(promoted, tiny.REGISTERED, "B", "1")
        write_bundle(promoted, tiny.contract("2"), tiny.graph())
        mirror.write_alias(promoted, tiny.REGISTERED, "Production", "2")
        _until(lambda: len(webserver.seen) == 2)
        assert webserver.seen[1][1]["data_version"] == f"{tiny.REGISTERED} v2"
        _until(lambda: _lineage(client)["waiting"] == [])
        state = _lineage(client)
        assert (state["asset"], state["error"]) == ("serving/api", None)
        assert [told["data_version"] for told in state["reported"]] == [f"{tiny.REGISTERED} v2"]


def test_a_webserver_that_is_away_is_told_once_it_is_back(settings: Settings, promoted: ObjectStore) -> None:
    port = _free_port()
    app = create_app(
        settings.model_copy(update={"dagster_url": f"http://127.0.0.1:{port}"}), fingerprint_of=tiny.fingerprint_of
    )
    with TestClient(app) as client:
        _until(lambda: _lineage(client)["error"] is not None)
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["lineage"] == {
            "asset": "serving/api",
            "reported": [],
            "waiting": [tiny.TASK],
            "error": "The Dagster webserver does not answer (ConnectionRefusedError). It is tried again.",
        }
        write_bundle(promoted, tiny.contract("2"), tiny.graph())
        mirror.write_alias(promoted, tiny.REGISTERED, "Production", "2")
        row = {"features": {"ct_alive": 5, "t_alive": 3, "t_s": 20.5}}
        ask = f"/api/v1/predict/{tiny.TASK}"
        _until(lambda: client.post(ask, json=row).json()["model_info"]["model_version"] == "2", 1.0)
        server = _Webserver(port)
        try:
            _until(lambda: _lineage(client)["waiting"] == [])
        finally:
            server.shutdown()
            server.server_close()
        assert [body["data_version"] for _, body in server.seen] == [f"{tiny.REGISTERED} v2"]
        assert _lineage(client)["error"] is None


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((401, b'{"error": "no"}'), 'refused the report with status 401: "{\\"error\\": \\"no\\"}".'),
        ((200, b"<html>"), "What answers at DAGSTER_URL is not a Dagster webserver."),
        ((200, b'{"error": "odd"}'), 'did not take the report: "{\\"error\\": \\"odd\\"}".'),
    ],
)
def test_a_refused_report_is_a_sentence(webserver: _Webserver, answer: tuple[int, bytes], sentence: str) -> None:
    webserver.answer = answer
    with pytest.raises(ReportError) as caught:
        post(webserver.url, REPORT)
    assert sentence in str(caught.value)


def test_pauses_grow_and_stop_ends_the_thread() -> None:
    tried: list[float] = []

    def refuse(url: str, report: Report) -> None:
        tried.append(time.monotonic())
        raise ReportError("No.")

    lineage = Lineage("http://nowhere", refuse, first_pause_s=0.05)
    lineage._waiting[REPORT.task] = REPORT
    lineage.start()
    _until(lambda: len(tried) == 4)
    lineage.stop()
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses == pytest.approx([0.05, 0.1, 0.2], abs=0.04)
    time.sleep(0.5)
    assert len(tried) == 4


def test_without_a_webserver_nothing_is_said(client: TestClient) -> None:
    assert client.get("/readyz").json()["lineage"] is None


def test_a_webserver_url_is_http() -> None:
    with pytest.raises(ValidationError, match="DAGSTER_URL must start with http:// or https://"):
        Settings(dagster_url="localhost:3000")


@pytest.mark.slow
def test_the_materialization_appears_in_dagster(settings: Settings, promoted: ObjectStore, tmp_path: Path) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    command = [str(Path(sys.executable).with_name("dagster-webserver")), "-h", "127.0.0.1", "-p", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "-m", "esports_assets.definitions"],
            env=environment,
            cwd=Path(__file__).parents[2],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        app = create_app(settings.model_copy(update={"dagster_url": url}), fingerprint_of=tiny.fingerprint_of)
        with TestClient(app) as client:
            _until(lambda: bool(_lineage(client)["reported"]) or process.poll() is not None, 120)
            assert process.poll() is None, (tmp_path / "log").read_text()
            write_bundle(promoted, tiny.contract("2"), tiny.graph())
            mirror.write_alias(promoted, tiny.REGISTERED, "Production", "2")
            told = f"{tiny.REGISTERED} v2"
            _until(lambda: [r["data_version"] for r in _lineage(client)["reported"]] == [told], 30)
    finally:
        process.terminate()
        process.wait(timeout=60)
    found = _materializations(environment, home)
    assert [said["data_version"] for said in found] == [f"{tiny.REGISTERED} v1", told]
    assert found[1]["metadata"]["version"] == "2"
    assert found[1]["metadata"]["alias"] == "Production"
    assert found[1]["metadata"]["window_fingerprint"] == tiny.contract().window_fingerprint


def _materializations(environment: dict[str, str], home: Path) -> list[dict[str, Any]]:
    """What the instance recorded of serving/api, oldest first; read in a process of its own."""
    code = """
import json
import dagster as dg
with dg.DagsterInstance.get() as instance:
    records = instance.fetch_materializations(dg.AssetKey(["serving", "api"]), limit=10, ascending=True).records
    print(json.dumps([
        {"data_version": r.asset_materialization.tags["dagster/data_version"],
         "metadata": {k: v.value for k, v in r.asset_materialization.metadata.items()}}
        for r in records
    ]))
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
