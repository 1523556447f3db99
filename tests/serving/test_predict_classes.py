"""A model of nine classes is asked over the same route: probabilities by class, no interval, unknown values allowed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from unit.models.multiclass.made_players import made

from esports_assets.models.bundle import Contract, Feature, Metric, TrainingData, load_bundle, write_bundle
from esports_assets.models.multiclass.candidate import ClassCandidate, train_class_candidate
from esports_assets.models.tasks import INTENT
from esports_assets.models.train import TrainSettings
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.micro.spec import PLAYER_MICRO
from serving.app import create_app
from serving.settings import Settings

NAME = "cs2.intent.multinomial_logistic"
PATH = "/api/v1/predict/cs2.intent"


@pytest.fixture(scope="module")
def learned() -> ClassCandidate:
    return train_class_candidate(INTENT, "multinomial_logistic", made(), TrainSettings(folds=3, every_s=1))


@pytest.fixture
def client(tmp_path: Path, learned: ClassCandidate) -> Iterator[TestClient]:
    store = ObjectStore(tmp_path / "bundles")
    contract = Contract(
        registered_name=NAME,
        task=INTENT.name,
        family="multinomial_logistic",
        version="1",
        title="cs2",
        features=tuple(Feature(f.name, f.unit, f.doc, f.minimum, f.maximum, f.nullable) for f in PLAYER_MICRO.features),
        window=PLAYER_MICRO.name,
        window_fingerprint=PLAYER_MICRO.fingerprint,
        classes=INTENT.classes,
        positive_class=INTENT.positive,
        calibration={"kind": "vector"},
        decision=learned.decision,
        training_data=TrainingData("v", ("m0",)),
        metrics={"macro_f1": Metric(0.5)},
        mlflow_run_id="run",
        dagster_run_id="dagster",
        code_version="1",
        asset_key="evaluation/cs2/intent",
        created_at="2026-01-01T00:00:00+00:00",
        simulated=True,
    )
    write_bundle(store, contract, learned.graph)
    mirror.write_alias(store, NAME, "Production", "1")
    mirror.write_champion(store, INTENT.name, NAME)
    assert load_bundle(store, NAME, "1").contract.decision == learned.decision
    settings = Settings(esports_home=str(tmp_path), serving_tasks="cs2.intent", dagster_url="")
    with TestClient(create_app(settings), raise_server_exceptions=False) as ready:
        yield ready


def _row(i: int) -> dict[str, float | None]:
    values = made().x[i].tolist()
    return {n: None if np.isnan(v) else v for n, v in zip(PLAYER_MICRO.feature_names, values, strict=True)}


def test_probabilities_of_every_class(client: TestClient, learned: ClassCandidate) -> None:
    asked = [0, 7, 300]
    expected = learned.learned.probability(made().x[asked])
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
