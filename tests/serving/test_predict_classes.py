"""A model of nine classes is asked over the same route: probabilities by class, no interval, unknown values allowed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tiny_intent import NAME, learned, promote_intent
from unit.models.multiclass.made_players import made

from esports_assets.models.bundle import load_bundle
from esports_assets.models.tasks import INTENT
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.micro.spec import PLAYER_MICRO
from serving.app import create_app
from serving.settings import Settings

PATH = "/api/v1/predict/cs2.intent"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    store = ObjectStore(tmp_path / "bundles")
    promote_intent(store)
    assert load_bundle(store, NAME, "1").contract.decision == learned().decision
    settings = Settings(esports_home=str(tmp_path), serving_tasks="cs2.intent", dagster_url="")
    with TestClient(create_app(settings), raise_server_exceptions=False) as ready:
        yield ready


def _row(i: int) -> dict[str, float | None]:
    values = made().x[i].tolist()
    return {n: None if np.isnan(v) else v for n, v in zip(PLAYER_MICRO.feature_names, values, strict=True)}


def test_probabilities_of_every_class(client: TestClient) -> None:
    asked = [0, 7, 300]
    expected = learned().learned.probability(made().x[asked])
    for i, p in zip(asked, expected, strict=True):
        answer = client.post(PATH, json={"features": _row(i)})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        assert list(told["probabilities"]) == list(INTENT.classes)
        assert list(told["probabilities"].values()) == pytest.approx(p.tolist(), abs=1e-5)
        assert told["interval"] is None
        assert told["model_info"]["model_name"] == NAME
    batch = client.post(f"{PATH}/batch", json={"rows": [_row(i) for i in asked]}).json()
    found = [list(row["probabilities"].values()) for row in batch["predictions"]]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_value_outside_the_window_is_refused_by_name(client: TestClient) -> None:
    answer = client.post(PATH, json={"features": {**_row(0), "enemy_angle_deg": 181.0}})
    assert answer.status_code == 422
    assert "enemy_angle_deg" in answer.json()["error"]["message"]


def test_the_contract_and_the_document_are_told(client: TestClient) -> None:
    models = client.get("/models").json()
    contract = models["tasks"][0]["models"][0]["contract"]
    assert contract["classes"] == list(INTENT.classes)
    assert set(contract["decision"]["weights"]) == set(INTENT.classes)
    document = client.get("/openapi.json").json()
    body = document["paths"]["/api/v1/predict/{task}"]["post"]["requestBody"]["content"]["application/json"]
    assert client.post(PATH, json=body["example"]).status_code == 200
