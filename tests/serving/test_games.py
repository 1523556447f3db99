"""Games over HTTP with real models and a real PostgreSQL: rules, promises, what is stored and what is refused."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import tiny_rps as tiny
from fastapi.testclient import TestClient
from psycopg2.extras import RealDictCursor

from esports_assets.games.rps.commitments import broken_promise, verify
from esports_assets.games.rps.moves import MOVES, Move
from esports_assets.games.rps.values import RoundValues
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.settings import Settings

Rows = Callable[[str], list[dict[str, Any]]]
ALL_FOUR = {"Production": "1", "B": "2", "shadow1": "3", "shadow2": "4"}


@pytest.fixture(scope="module")
def games_url(module_database_url: str) -> str:
    engine = connect(module_database_url)
    migrate(engine)
    engine.dispose()
    return module_database_url


@pytest.fixture
def rows(games_url: str) -> Iterator[Rows]:
    connection = psycopg2.connect(games_url)
    connection.autocommit = True

    def ask(query: str) -> list[dict[str, Any]]:
        with connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(query)
            return [dict(row) for row in cursor.fetchall()]

    yield ask
    connection.close()


@pytest.fixture
def game_settings(settings: Settings, games_url: str) -> Settings:
    return settings.model_copy(update={"database_url": games_url})


@pytest.fixture
def table(game_settings: Settings, store: ObjectStore) -> Iterator[TestClient]:
    """A client of an app in which xgboost plays under all four aliases."""
    tiny.promote(store, ALL_FOUR)
    with TestClient(create_app(game_settings)) as client:
        yield client


def start(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/start_game", json={"player_name": "Ada", "policy": "forrest", **body})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def play_out(client: TestClient, game_id: str, moves: str = "rps") -> list[dict[str, Any]]:
    """Play a game to its end; ``moves`` is repeated."""
    words, told = {move.value[0]: move.value for move in MOVES}, []
    for number in range(20):
        body = {"game_id": game_id, "user_move": words[moves[number % len(moves)]], "round": number + 1}
        answer = client.post("/play", json=body)
        assert answer.status_code == 200, answer.text
        told.append(answer.json())
        if told[-1]["finished"]:
            return told
    raise AssertionError("no game lasts longer than twenty rounds")


def test_a_game_keeps_every_promise_and_is_stored_round_by_round(table: TestClient, rows: Rows) -> None:
    begun = start(table)
    announced = begun["next_round"]
    assert announced == {name: begun[name] for name in ("round", "round_points", "commitment")}
    told = play_out(table, begun["game_id"])
    played = []
    for answer in told:
        assert answer["round_points"] == announced["round_points"]
        assert answer["reveal"]["commitment"] == announced["commitment"]
        assert verify(announced["commitment"], Move(answer["bot_move"]), answer["reveal"]["nonce"])
        assert answer["stored"]
        played.append((answer["round"], RoundValues.told(answer["round_points"])))
        announced = answer["next_round"]
    assert announced is None
    last = told[-1]
    assert [answer["secret"] for answer in told[:-1]] == [None] * (len(told) - 1)
    assert broken_promise(begun["secret_commitment"], bytes.fromhex(last["secret"]), played) is None
    (game,) = rows(f"SELECT * FROM rps_games WHERE game_id = '{begun['game_id']}'")
    assert (game["rounds"], game["winner"]) == (len(told), last["winner"])
    assert (game["user_score"], game["bot_score"]) == (last["user_score"], last["bot_score"])
    assert game["secret"].tobytes().hex() == last["secret"]
    stored = rows(f"SELECT * FROM rps_rounds WHERE game_id = '{begun['game_id']}' ORDER BY step")
    assert [(row["step"], row["user_move"], row["bot_move"], row["result"]) for row in stored] == [
        (answer["round"], answer["user_move"], answer["bot_move"], answer["result"]) for answer in told
    ]


def test_models_play_after_the_gambit_and_every_alias_is_scored_by_version(table: TestClient, rows: Rows) -> None:
    begun = start(table)
    told = play_out(table, begun["game_id"], "rrp")
    sources = [answer["model_info"]["probability_source"] for answer in told]
    assert sources == ["gambit"] * 3 + ["model"] * (len(told) - 3)
    assignment = begun["ab_assignment"]
    assert assignment["version"] == {"Production": "1", "B": "2"}[assignment["alias"]]
    debug = told[3]["debug"]
    assert len(debug["features"]) == 50
    assert [said["version"] for said in debug["predictions"]] == ["1", "2", "3", "4"]
    habits = [2 / 3, 1 / 3, 0.0]  # rock, rock, paper
    strength = float(assignment["version"])
    weights = [2.718281828459045 ** (strength * habit) for habit in habits]
    expected = [weight / sum(weights) for weight in weights]
    assert list(debug["probabilities"].values()) == pytest.approx(expected, abs=1e-6)
    (game,) = rows(f"SELECT * FROM promotion_games WHERE game_id = '{begun['game_id']}'")
    other = {"1": 2, "2": 1}[assignment["version"]]
    assert (str(game["version"]), game["rival_version"], game["challenger_share"]) == (
        assignment["version"],
        other,
        0.5,
    )
    assert game["result"] == {"bot": 1.0, "user": 0.0, "tie": 0.5}[told[-1]["winner"]]
    scores = rows(f"SELECT * FROM promotion_round_scores WHERE game_id = '{begun['game_id']}' ORDER BY step, version")
    assert [(score["step"], score["alias"], score["version"]) for score in scores] == [
        (step, alias, int(version)) for step in range(4, len(told) + 1) for alias, version in ALL_FOUR.items()
    ]
    own = [score for score in scores if str(score["version"]) == assignment["version"]]
    assert own[0]["probabilities"] == pytest.approx(expected, abs=1e-6)
    assert [score["outcome"] for score in own] == [Move(answer["user_move"]).ordinal for answer in told[3:]]


def test_a_finished_game_is_refused_with_a_sentence(table: TestClient) -> None:
    begun = start(table)
    last = play_out(table, begun["game_id"])[-1]
    answer = table.post("/play", json={"game_id": begun["game_id"], "user_move": "rock"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "game_over")
    assert f"after round {last['round']}" in answer.json()["error"]["message"]


def test_two_concurrent_moves_of_one_round_give_one_round_and_one_conflict(table: TestClient, rows: Rows) -> None:
    for _ in range(5):
        game_id = start(table)["game_id"]
        gate = threading.Barrier(2)

        def move(word: str, game_id: str = game_id, gate: threading.Barrier = gate) -> int:
            gate.wait()
            body = {"game_id": game_id, "user_move": word, "round": 1}
            return table.post("/play", json=body).status_code

        with ThreadPoolExecutor(2) as pool:
            codes = sorted(pool.map(move, ("rock", "paper")))
        assert codes == [200, 409]
        played = rows(f"SELECT step FROM rps_rounds WHERE game_id = '{game_id}' AND user_move IS NOT NULL")
        assert [row["step"] for row in played] == [1]


def test_two_processes_that_play_one_round_give_one_round_and_one_conflict(
    game_settings: Settings, store: ObjectStore, rows: Rows
) -> None:
    tiny.promote(store, ALL_FOUR)
    with TestClient(create_app(game_settings)) as one, TestClient(create_app(game_settings)) as other:
        begun = start(one)
        game_id = begun["game_id"]
        look = [client.get("/round_points", params={"game_id": game_id}).json() for client in (one, other)]
        assert look[0] == look[1]
        codes = [
            client.post("/play", json={"game_id": game_id, "user_move": "rock", "round": 1}).status_code
            for client in (one, other)
        ]
        assert codes == [200, 409]
        moved = [
            client.post("/play", json={"game_id": game_id, "user_move": "rock"}).json()["round"]
            for client in (other, one, other, other, one)
        ]
        assert moved == [2, 3, 4, 5, 6]
        assert len(rows(f"SELECT step FROM rps_rounds WHERE game_id = '{game_id}' AND user_move IS NOT NULL")) == 6
        scored = rows(f"SELECT DISTINCT step FROM promotion_round_scores WHERE game_id = '{game_id}' ORDER BY step")
        assert [row["step"] for row in scored] == [4, 5, 6]


def test_a_game_goes_on_after_a_restart_with_its_own_version(game_settings: Settings, store: ObjectStore) -> None:
    tiny.promote(store, {"Production": "1"})
    with TestClient(create_app(game_settings)) as client:
        begun = start(client)
        for number in range(4):
            answer = client.post("/play", json={"game_id": begun["game_id"], "user_move": "rock", "round": number + 1})
        waiting = answer.json()["next_round"]
    tiny.promote(store, {"Production": "2", "B": "1"})
    with TestClient(create_app(game_settings)) as client:
        look = client.get("/round_points", params={"game_id": begun["game_id"]}).json()
        assert {name: look[name] for name in waiting} == waiting
        answer = client.post("/play", json={"game_id": begun["game_id"], "user_move": "rock"}).json()
        assert verify(waiting["commitment"], Move(answer["bot_move"]), answer["reveal"]["nonce"])
        assert (answer["model_info"]["model_version"], answer["model_info"]["probability_source"]) == ("1", "model")
        assert start(client)["model_info"]["model_version"] in ("1", "2")


@pytest.mark.parametrize(("policy", "bot"), [("brian", "bob"), ("logan", "dan"), ("mixture", "dan")])
def test_without_a_model_the_bot_stands_in_and_every_answer_says_so(table: TestClient, policy: str, bot: str) -> None:
    begun = start(table, policy=policy)
    answer = table.post("/play", json={"game_id": begun["game_id"], "user_move": "rock"}).json()
    for told in (begun, answer):
        assert told["model_info"]["probability_source"] == "fallback_bot"
        assert f"the scripted bot {bot} stands in" in told["message"]
        assert told["ab_assignment"] is None
    assert answer["debug"]["probabilities"] is None


def test_cal_plays_by_his_rule(table: TestClient) -> None:
    begun = start(table, policy="cal")
    values = RoundValues.told(begun["round_points"])
    answer = table.post("/play", json={"game_id": begun["game_id"], "user_move": "rock"}).json()
    assert answer["bot_move"] == values.highest.beaten_by.value
    assert answer["model_info"]["probability_source"] == "bot"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/start_game", {"policy": "nobody"}, "unknown_policy"),
        ("/start_game", {"player_name": "\x07"}, "bad_name"),
        ("/start_game", {"difficulty_mode": "easy"}, "retired_mode"),
        ("/start_game", {"plyer": "x"}, "invalid_body"),
        ("/play", {"game_id": "none", "user_move": "lizard"}, "unknown_move"),
        ("/play", {"user_move": "rock"}, "invalid_body"),
    ],
)
def test_what_does_not_fit_is_one_sentence(table: TestClient, path: str, body: dict[str, Any], code: str) -> None:
    answer = table.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


def test_an_unknown_game_is_a_sentence(table: TestClient) -> None:
    answer = table.post("/play", json={"game_id": "none", "user_move": "rock"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_game")


def test_without_a_database_games_live_in_memory_and_say_so(settings: Settings, tmp_path: Path) -> None:
    with TestClient(create_app(settings)) as client:
        begun = start(client)
        assert not begun["stored"]
        assert not any(answer["stored"] for answer in play_out(client, begun["game_id"]))
