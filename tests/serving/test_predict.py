"""Predictions over HTTP: the right number, its origin, and one sentence for everything that does not fit."""

import json
import math
from typing import Any

import numpy as np
import pytest
import tiny_bundle as tiny
from fastapi.testclient import TestClient

ROUTE = f"/api/v1/predict/{tiny.TASK}"
ROW = {"ct_alive": 5, "t_alive": 3, "t_s": 20.5, "planted_s": None}


def _sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def _p(row: dict[str, Any]) -> float:
    return _sigmoid(0.8 * row["ct_alive"] - 0.8 * row["t_alive"] + 0.004 * row["t_s"])


def test_one_row_is_answered_with_everything(client: TestClient) -> None:
    answer = client.post(ROUTE, json={"features": ROW})
    assert answer.status_code == 200
    body = answer.json()
    p = _p(ROW)
    assert body["task"] == "cs2.round_win"
    assert body["probabilities"] == pytest.approx({"ct": p, "t": 1 - p}, abs=1e-6)
    score = math.log(p / (1 - p))
    lo, hi = np.quantile([_sigmoid(score + s) for s in tiny.SPREAD], [0.05, 0.95])
    assert body["interval"] == pytest.approx({"lo": lo, "hi": hi, "level": 0.9}, abs=1e-6)
    assert body["model_info"] == {
        "model_name": tiny.REGISTERED,
        "model_type": "multinomial_logistic",
        "model_alias": "Production",
        "model_version": "1",
        "model_run_id": "run-1",
        "data_version": "d0d0",
        "window_fingerprint": tiny.FINGERPRINT,
        "probability_source": "model",
        "asset_key": "models/cs2/round_win",
        "dagster_run_id": "dagster-1",
    }
    assert body["policy"]["label"] == "ANALYSIS_ONLY"
    assert body["policy"]["purpose"] == "research/ops"
    assert body["policy"]["policy_version"] == "1"


def test_a_nullable_feature_may_be_left_out_and_the_order_does_not_matter(client: TestClient) -> None:
    full = client.post(ROUTE, json={"features": ROW}).json()
    short = client.post(ROUTE, json={"features": {"t_s": 20.5, "t_alive": 3, "ct_alive": 5}}).json()
    assert short == full


@pytest.mark.parametrize("count", [1, 2, 64, 65, 200])
def test_a_batch_equals_its_rows(client: TestClient, count: int) -> None:
    rows = [ROW | {"ct_alive": i % 6, "t_s": float(i % 100)} for i in range(count)]
    answer = client.post(f"{ROUTE}/batch", json={"rows": rows})
    assert answer.status_code == 200
    body = answer.json()
    assert len(body["predictions"]) == count
    for row, prediction in zip(rows, body["predictions"], strict=True):
        assert prediction["probabilities"]["ct"] == pytest.approx(_p(row), abs=1e-6)
        assert prediction["interval"]["lo"] < prediction["probabilities"]["ct"] < prediction["interval"]["hi"]
    assert body["model_info"]["model_version"] == "1"


@pytest.mark.parametrize(
    ("features", "code", "sentence"),
    [
        ({"ct_alive": 5, "t_alive": 3}, "missing_feature", "Feature t_s is missing and has no default."),
        (ROW | {"luck": 1}, "unknown_feature", '"luck" is not a feature of cs2.round_win; /models lists the features.'),
        (
            {k: v for k, v in ROW.items() if k != "t_s"} | {"luck": 1},
            "unknown_feature",
            '"luck" is not a feature of cs2.round_win; /models lists the features.',
        ),
        (ROW | {"ct_alive": None}, "missing_feature", "Feature ct_alive may not be null."),
        (ROW | {"ct_alive": 6}, "out_of_range", "Feature ct_alive is 6; it must be at most 5 players."),
        (ROW | {"t_s": -31}, "out_of_range", "Feature t_s is -31; it must be at least -30 s."),
        (ROW | {"t_s": 1e300}, "out_of_range", "Feature t_s is 1e+300; it must be at most 200 s."),
        (ROW | {"planted_s": -1}, "out_of_range", "Feature planted_s is -1; it must be at least 0 s."),
        (ROW | {"ct_alive": "5"}, "invalid_feature", 'Feature "ct_alive" must be a number, not text.'),
        (ROW | {"ct_alive": True}, "invalid_feature", 'Feature "ct_alive" must be a number, not true or false.'),
        (ROW | {"ct_alive": [5]}, "invalid_feature", 'Feature "ct_alive" must be a number, not a list.'),
        (ROW | {"t_s": float("nan")}, "invalid_feature", 'Feature "t_s" must be a finite number.'),
        (ROW | {"t_s": float("-inf")}, "invalid_feature", 'Feature "t_s" must be a finite number.'),
        (ROW | {"t_s": 10**400}, "invalid_feature", 'Feature "t_s" must be a finite number.'),
        ([], "invalid_body", "The features must be an object of names and numbers."),
    ],
)
def test_bad_features_get_one_sentence_that_names_them(
    client: TestClient, features: Any, code: str, sentence: str
) -> None:
    answer = client.post(ROUTE, content=json.dumps({"features": features}))
    assert (answer.status_code, answer.json()) == (422, {"error": {"code": code, "message": sentence}})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"[1]", "invalid_body"),
        (b"{}", "invalid_body"),
        (b'{"features": {}, "alias": 1}', "unknown_alias"),
        (b'{"features": {}, "alias": "latest"}', "unknown_alias"),
        (b'{"features": {}, "other": 1}', "invalid_body"),
        (b'{"features": {"\\ud800": 1}}', "invalid_body"),
        (b'{"features": {}}', "missing_feature"),
    ],
)
def test_a_body_that_is_none_gets_a_sentence(client: TestClient, body: bytes, code: str) -> None:
    answer = client.post(ROUTE, content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert answer.json()["error"]["message"].endswith(".")


def test_a_bad_row_of_a_batch_is_named(client: TestClient) -> None:
    cases = [
        (ROW | {"t_s": 999}, "Feature t_s in row 1 is 999; it must be at most 200 s."),
        (ROW | {"t_s": "x"}, 'Feature "t_s" in row 1 must be a number, not text.'),
        ({"t_s": 1}, "Feature ct_alive in row 1 is missing and has no default."),
        (ROW | {"luck": 1}, '"luck" in row 1 is not a feature of cs2.round_win; /models lists the features.'),
        (7, "The features in row 1 must be an object of names and numbers."),
    ]
    for row, sentence in cases:
        answer = client.post(f"{ROUTE}/batch", json={"rows": [ROW, row]})
        assert (answer.status_code, answer.json()["error"]["message"]) == (422, sentence)


@pytest.mark.parametrize("count", [0, 201])
def test_the_size_of_a_batch_is_limited(client: TestClient, count: int) -> None:
    answer = client.post(f"{ROUTE}/batch", json={"rows": [ROW] * count})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == f"A batch has 1 to 200 rows; this one has {count}."


def test_an_unknown_task_lists_the_tasks(client: TestClient) -> None:
    answer = client.post("/api/v1/predict/cs2.luck", json={"features": ROW})
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == 'There is no task "cs2.luck" here; tasks are cs2.round_win.'


def test_an_alias_without_model_is_a_503(client: TestClient) -> None:
    answer = client.post(ROUTE, json={"features": ROW, "alias": "B"})
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "No model of cs2.round_win is in service under B."
