"""Figures, predictions and the ledger over HTTP: real games on a real PostgreSQL, and answers as the document says."""

import copy
import csv
import io
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import tiny_rps as tiny
from fastapi.testclient import TestClient

from esports_assets.games.rps.moves import MOVES
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.database import Database
from serving.keys import Keys
from serving.roles import Role, Scope
from serving.settings import Settings

JSON = "application/json"


@pytest.fixture
def client(settings: Settings, store: ObjectStore, fresh_database_url: str) -> Iterator[TestClient]:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    tiny.promote(store, {"Production": "1", "B": "2"})
    with TestClient(create_app(settings.model_copy(update={"database_url": fresh_database_url}))) as found:
        yield found


def play_game(client: TestClient, player: str, **more: Any) -> dict[str, Any]:
    """A whole game; the last answer."""
    begun = client.post("/start_game", json={"player_name": player, "policy": "forrest", **more}).json()
    for number in range(20):
        move = MOVES[number % 3].value
        answer = client.post("/play", json={"game_id": begun["game_id"], "user_move": move}).json()
        if answer["finished"]:
            return {**begun, **answer}
    raise AssertionError("no game lasts longer than twenty rounds")


def fits(client: TestClient, path: str, method: str, answer: Any) -> None:
    """The answer is what the document says of the route, and says nothing more."""
    document = client.get("/openapi.json").json()
    schema = document["paths"][path][method]["responses"]["200"]["content"][JSON]["schema"]
    whole = {**_strict(copy.deepcopy(schema)), "components": {"schemas": _strict(document["components"]["schemas"])}}
    jsonschema.validate(answer, whole, jsonschema.Draft202012Validator)


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _strict(value) for key, value in node.items()}
    return {"additionalProperties": False, **found} if "properties" in found else found


def test_leaderboards_know_people_only_and_need_five_games(client: TestClient) -> None:
    ends = [play_game(client, "Ada")["winner"] for _ in range(5)]
    for number in range(5):
        play_game(client, "Tess", is_test=True)
        play_game(client, "sim-1")
        play_game(client, "Otto", traffic="auto_fill")
        if number < 4:
            play_game(client, "Few")
    (place,) = client.get("/leaderboard").json()["leaderboard"]
    assert (place["player_name"], place["games"]) == ("Ada", 5)
    assert (place["wins"], place["losses"], place["ties"]) == tuple(map(ends.count, ("user", "bot", "tie")))
    assert place["win_rate"] == ends.count("user") / 5
    assert client.get("/stats").json()["games"] == 9
    streak = longest = 0
    for end in ends:
        streak = streak + 1 if end == "user" else 0
        longest = max(longest, streak)
    streaks = {row["player_name"]: row["streak"] for row in client.get("/win_streaks").json()["win_streaks"]}
    assert streaks.get("Ada", 0) == longest
    rates = client.get("/api/v1/rps/bot_win_rates").json()["policies"]
    assert sum(row["games"] for row in rates) == 9
    assert {row["model_version"] for row in rates} <= {1, 2}


def test_answers_are_what_the_document_says(client: TestClient) -> None:
    game = play_game(client, "=Ada")
    asked = {"player_history": ["rock", "rock", "paper"], "bot_history": ["rock"] * 3, "policy": "forrest"}
    for path, method, shown, body in (
        ("/leaderboard", "get", None, None),
        ("/games", "get", None, None),
        ("/stats", "get", None, None),
        ("/stats/policy/forrest", "get", "/stats/policy/{policy}", None),
        ("/stats/player/=Ada", "get", "/stats/player/{name}", None),
        ("/bot_win_rates", "get", None, None),
        ("/win_streaks", "get", None, None),
        ("/export", "get", None, None),
        ("/policies", "get", None, None),
        (f"/round_points?game_id={game['game_id']}", "get", "/round_points", None),
        ("/predict", "post", None, asked),
        ("/predict/batch", "post", None, {"requests": [asked, asked]}),
        ("/start_game", "post", None, {}),
    ):
        answer = client.request(method, path, json=body)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        fits(client, shown or path, method, answer.json())
    begun = client.post("/start_game", json={"policy": "forrest"}).json()
    for _ in range(4):
        answer = client.post("/play", json={"game_id": begun["game_id"], "user_move": "rock"})
        fits(client, "/play", "post", answer.json())
    told = client.get("/export?format=csv")
    rows = list(csv.DictReader(io.StringIO(told.text)))
    assert told.headers["content-type"].startswith("text/csv")
    assert [row["step"] for row in rows] == [str(step) for step in range(1, game["round"] + 1)]
    assert {row["player_name"] for row in rows} == {"'=Ada"}
    assert client.get(f"/export?after={game['game_id']}").json() == {"rounds": []}


def test_a_prediction_is_the_models_and_names_what_was_assumed(client: TestClient) -> None:
    asked = {
        "policy": "forrest",
        "player_history": ["rock", "rock", "paper"],
        "result_history": ["win", "draw", "lose"],
    }
    told = client.post("/predict", json={**asked, "ab_assignment": {"alias": "B"}}).json()
    weights = [2.718281828459045 ** (2 * habit) for habit in (2 / 3, 1 / 3, 0)]
    assert list(told["probabilities"].values()) == pytest.approx([w / sum(weights) for w in weights], abs=1e-6)
    assert (told["prediction"], told["model_info"]["model_version"]) == ("rock", "2")
    assert told["features_used"]["user_tend_rock"] == pytest.approx(2 / 3)
    assert told["features_used"]["step_no"] == 4
    assert told["assumed"] == ["values_before", "scores", "round_values"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"policy": "brian"}, 503, "no_model"),
        ({"policy": "cal"}, 422, "no_predictor"),
        ({"policy": "forrest", "ab_assignment": "C"}, 422, "unknown_alias"),
        ({"policy": "forrest", "player_history": ["rock"], "bot_history": []}, 422, "bad_history"),
        ({"policy": "forrest", "player_history": ["lizard"], "bot_history": ["rock"]}, 422, "bad_history"),
        ({"policy": "forrest", "player_history": ["rock"] * 201, "bot_history": ["rock"] * 201}, 422, "long_history"),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_sentence(
    client: TestClient, body: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post("/predict", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_ledger_takes_reports_of_operators_once_and_tells_analysts(
    client: TestClient, fresh_database_url: str
) -> None:
    database = Database(fresh_database_url)
    keys = {role: {"X-API-Key": Keys(database).create(role.value, role, "test")[0]} for role in Role}
    narrow = {"X-API-Key": Keys(database).create("narrow", Role.OPERATOR, "test", scopes=[Scope.READ])[0]}
    database.close()
    report = client.get("/openapi.json").json()["paths"]["/internal/promotion/report"]["post"]["requestBody"][
        "content"
    ][JSON]["example"]
    path = "/internal/promotion/report"
    refused = [
        client.post(path, json=report, headers=headers).status_code for headers in ({}, keys[Role.ANALYST], narrow)
    ]
    assert refused == [401, 403, 403]
    first = client.post(path, json=report, headers=keys[Role.OPERATOR]).json()
    again = client.post(path, json=report, headers=keys[Role.OPERATOR]).json()
    other = client.post(path, json=report, headers={**keys[Role.OPERATOR], "Idempotency-Key": "two"}).json()
    fits(client, path, "post", first)
    assert (first["success"], first["recorded"], again["recorded"]) == (True, True, False)
    assert first["event_id"] == again["event_id"] < other["event_id"]
    assert client.get("/internal/promotion/history").status_code == 401
    assert client.get("/internal/promotion/history", headers=keys[Role.VIEWER]).status_code == 403
    told = client.get("/internal/promotion/history?model_type=xgboost&limit=1", headers=keys[Role.ANALYST]).json()
    fits(client, "/internal/promotion/history", "get", told)
    assert [(event["id"], event["actor"]) for event in told["events"]] == [(other["event_id"], "operator")]
    assert told["events"][0]["production_win_rate"] == report["production_wins"] / report["production_total_games"]
    totals = client.get("/internal/promotion/event_totals?days=1", headers=keys[Role.ANALYST]).json()
    fits(client, "/internal/promotion/event_totals", "get", totals)
    kind = {"model_type": "rps.next_move.xgboost", "decision": "continue", "events": 2}
    assert totals == {"totals": [kind], "days": 1}
    for wrong in ({}, {**report, "decision": "promote"}, {**report, "reason": "a\x00b"}, {**report, "more": 1}):
        answer = client.post(path, json=wrong, headers=keys[Role.OPERATOR])
        assert answer.status_code == 422, wrong
