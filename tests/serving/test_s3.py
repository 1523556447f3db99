"""The service over S3: it loads a bundle from there, follows its markers, and outlives the server."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny_bundle as tiny
from fastapi.testclient import TestClient
from s3_server import BUCKET, S3Server, s3_server

from esports_assets.models.bundle import write_bundle
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.settings import Settings

ROUTE = f"/api/v1/predict/{tiny.TASK}"
ROW = {"ct_alive": 5, "t_alive": 3, "t_s": 20.5}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with s3_server(tmp_path / "s3") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def _until(condition: Callable[[], bool], seconds: float) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not so within {seconds:g} s"
        time.sleep(0.01)
    return time.monotonic() - started


def test_a_bundle_is_loaded_and_swapped_from_s3(settings: Settings, server: S3Server) -> None:
    store = ObjectStore(f"s3://{BUCKET}/serving/bundles")
    write_bundle(store, tiny.contract(), tiny.graph())
    write_bundle(store, tiny.contract("2"), tiny.graph(bias=1.0))
    mirror.write_alias(store, tiny.REGISTERED, "Production", "1")
    mirror.write_champion(store, tiny.TASK, tiny.REGISTERED)
    there = {"bundles_url": store.url, "lake_url": f"s3://{BUCKET}/serving/lake", "poll_interval_s": 0.25}
    app = create_app(settings.model_copy(update=there), fingerprint_of=tiny.fingerprint_of)
    with TestClient(app) as client:

        def answer() -> tuple[str, float]:
            body = client.post(ROUTE, json={"features": ROW}).json()
            return body["model_info"]["model_version"], round(body["probabilities"]["ct"], 3)

        assert answer() == ("1", 0.843)
        assert client.get("/api/v1/matches").json()["total"] == 0
        for version, probability in (("2", 0.936), ("1", 0.843)):
            mirror.write_alias(store, tiny.REGISTERED, "Production", version)
            _until(lambda expected=(version, probability): answer() == expected, 1.0)
        server.process.terminate()
        server.process.wait(10)
        _until(lambda: bool(client.get("/readyz").json()["refused"]), 30)
        reason = client.get("/readyz").json()["refused"][0]["reason"]
        assert reason.startswith("The object store does not answer (")
        assert client.get("/readyz").status_code == 200
        assert answer() == ("1", 0.843)
