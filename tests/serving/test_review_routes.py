"""The review queue over HTTP, with real accounts, PostgreSQL and Valkey: who may do what, and what is answered."""

import json
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import redis
from fastapi.testclient import TestClient

from esports_assets.storage.database import connect, migrate
from serving import review_schemas as shapes
from serving.app import create_app
from serving.database import Database
from serving.gate import Audience
from serving.keys import Keys
from serving.release import channel
from serving.review_events import STREAM
from serving.roles import Role, Scope
from serving.settings import Settings

ROOT = "/api/v1/reviews"
ONE = f"{ROOT}/{shapes.REVIEW_ID}"
JSON = "application/json"
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def migrated_url(fresh_database_url: str) -> str:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    return fresh_database_url


@pytest.fixture
def bus(redis_url: str) -> Iterator["redis.Redis"]:
    found = redis.Redis.from_url(redis_url.replace("/0", "/8"))
    found.flushdb()
    yield found
    found.flushdb()
    found.close()


@pytest.fixture
def keys(migrated_url: str) -> Iterator[Keys]:
    database = Database(migrated_url)
    yield Keys(database)
    database.close()


@pytest.fixture
def texts(keys: Keys) -> dict[str, str]:
    """A key of each role, named after it, and two more."""
    found = {role.value: keys.create(role.value, role, "test")[0] for role in Role}
    found["ben"] = keys.create("ben", Role.REVIEWER, "test")[0]
    found["reader"] = keys.create("reader", Role.OPERATOR, "test", scopes=(Scope.READ,))[0]
    return found


@pytest.fixture
def settings(tmp_path: Path, migrated_url: str, redis_url: str, bus: "redis.Redis") -> Settings:
    return Settings(
        esports_home=str(tmp_path), database_url=migrated_url, redis_url=redis_url.replace("/0", "/8"), rate_burst=500
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as found:
        yield found


@pytest.fixture
def ask(client: TestClient, texts: dict[str, str]) -> Ask:
    """Ask as somebody: status and body."""

    def asked(who: str | None, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {} if who is None else {"X-API-Key": texts[who]}
        answer = client.request(method, path, json=body, headers=headers)
        return answer.status_code, answer.json()

    return asked


def _code(answer: tuple[int, Any]) -> tuple[int, str]:
    status, body = answer
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["message"].endswith(".")
    return status, body["error"]["code"]


def test_the_way_of_a_review(ask: Ask, bus: "redis.Redis") -> None:
    assert ask("analyst", "POST", f"{ROOT}/create", shapes.CREATE)[1]["status"] == "pending"
    assert _code(ask("analyst", "POST", f"{ROOT}/create", shapes.CREATE)) == (409, "duplicate_review")
    assert [r["review_id"] for r in ask("reviewer", "GET", f"{ROOT}/pending?limit=1")[1]["reviews"]] == [
        shapes.REVIEW_ID
    ]
    assert ask("reviewer", "POST", f"{ONE}/claim", {})[1]["assigned_to"] == "reviewer"
    assert _code(ask("ben", "POST", f"{ONE}/claim", {})) == (409, "leased")
    assert ask("reviewer", "GET", f"{ROOT}?status=in_progress")[1]["reviews"][0]["review_id"] == shapes.REVIEW_ID
    assert ask("analyst", "POST", f"{ONE}/comment", shapes.COMMENT) == (200, {"ok": True, "comment_id": 1})
    status, acted = ask("reviewer", "POST", f"{ONE}/action", shapes.ACTION)
    assert (status, acted["ok"], acted["action_id"], acted["status"]) == (200, True, 1, "approved")
    assert [(r["audience"], r["open"]) for r in acted["release"]] == [("ANALYST", True)]
    assert _code(ask("operator", "POST", f"{ONE}/action", {"action": "reject"})) == (409, "already_decided")
    found = ask("reviewer", "GET", ONE)[1]
    assert [entry["action"] for entry in found["audit"]] == ["create", "claim", "comment", "approve"]
    released = _until(lambda: bus.xrange(channel(Audience.ANALYST)))
    (copy,) = [json.loads(fields[b"data"]) for _, fields in released]
    assert (copy["signal_id"], copy["policy"]["review_state"]) == (shapes.CREATE["subject"]["signal_id"], "approved")
    assert bus.xlen(channel(Audience.PUBLIC)) == 0
    events = _until(lambda: bus.xlen(STREAM) == 4 and bus.xrange(STREAM))
    assert [fields[b"event"] for _, fields in events] == [
        *(b"review.created", b"review.action", b"review.comment", b"review.action")
    ]


def _until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


ROUTES = {
    ("GET", ROOT): Role.REVIEWER,
    ("GET", f"{ROOT}/pending"): Role.REVIEWER,
    ("POST", f"{ROOT}/create"): Role.ANALYST,
    ("POST", f"{ROOT}/claim"): Role.REVIEWER,
    ("GET", ONE): Role.ANALYST,
    ("POST", f"{ONE}/claim"): Role.REVIEWER,
    ("DELETE", f"{ONE}/claim"): Role.REVIEWER,
    ("POST", f"{ONE}/comment"): Role.ANALYST,
    ("POST", f"{ONE}/action"): Role.REVIEWER,
}


def test_every_route_asks_for_its_role_and_scope(ask: Ask) -> None:
    for (method, path), needed in ROUTES.items():
        assert _code(ask(None, method, path, {})) == (401, "bad_credentials"), path
        for role in Role:
            status, body = ask(role.value, method, path, {})
            refused = status == 403 and body["error"]["code"] == "role_too_low"
            assert refused == (not role.covers(needed)), (method, path, role)
        assert _code(ask("reader", method, path, {})) == (403, "scope_missing"), path


def test_no_route_is_missing_here(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    named = {
        (method.upper(), path.replace("{review_id}", shapes.REVIEW_ID))
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith(ROOT)
    }
    assert named == set(ROUTES)
    for method, path in ROUTES:
        told = document["paths"][path.replace(shapes.REVIEW_ID, "{review_id}")][method.lower()]["security"]
        assert {name for entry in told for name in entry} == {"HTTPBearer", "APIKeyHeader"}


@pytest.mark.parametrize("credential", ["reviewer:ann", "user:ann", "esk_aaaaaaaaaa_" + "a" * 43, "x.y.z", "Bearer"])
def test_invented_credentials_open_nothing(client: TestClient, credential: str) -> None:
    for headers in ({"Authorization": f"Bearer {credential}"}, {"X-API-Key": credential}):
        answer = client.get(f"{ROOT}/pending", headers=headers)
        assert _code((answer.status_code, answer.json())) == (401, "bad_credentials")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_nobody_speaks_for_somebody_else(ask: Ask) -> None:
    ask("analyst", "POST", f"{ROOT}/create", shapes.CREATE)
    assert _code(ask("reviewer", "POST", f"{ONE}/comment", {"body": "x", "author": "ben"})) == (403, "not_yourself")
    assert _code(ask("reviewer", "POST", f"{ONE}/action", {"action": "reject", "actor": "ben"})) == (
        403,
        "not_yourself",
    )
    assert ask("reviewer", "POST", f"{ONE}/comment", {"body": "x", "author": "reviewer"})[0] == 200
    assert ask("reviewer", "POST", f"{ONE}/action", {"action": "reject", "actor": "reviewer"})[1]["release"] == []


def test_an_analyst_sees_only_what_he_asked_for(ask: Ask) -> None:
    ask("operator", "POST", f"{ROOT}/create", shapes.CREATE)
    assert _code(ask("analyst", "GET", ONE)) == (404, "unknown_review")
    assert _code(ask("analyst", "POST", f"{ONE}/comment", {"body": "x"})) == (404, "unknown_review")
    mine = {**shapes.CREATE, "review_id": None}
    made = ask("analyst", "POST", f"{ROOT}/create", mine)[1]["review_id"]
    assert ask("analyst", "GET", f"{ROOT}/{made}")[1]["created_by"] == "analyst"


def test_leases_over_http(ask: Ask) -> None:
    assert _code(ask("reviewer", "POST", f"{ROOT}/claim", {})) == (404, "nothing_waits")
    ask("analyst", "POST", f"{ROOT}/create", shapes.CREATE)
    assert ask("reviewer", "POST", f"{ROOT}/claim", shapes.CLAIM)[1]["assigned_to"] == "reviewer"
    assert _code(ask("ben", "DELETE", f"{ONE}/claim")) == (409, "leased")
    assert ask("reviewer", "DELETE", f"{ONE}/claim")[1]["status"] == "pending"
    assert _code(ask("ben", "DELETE", f"{ONE}/claim")) == (409, "not_claimed")
    assert _code(ask("ben", "POST", f"{ONE}/claim", {"assignee": "reviewer"})) == (403, "role_too_low")
    assert ask("operator", "POST", f"{ONE}/claim", {"assignee": "ben", "lease_s": 5})[1]["assigned_to"] == "ben"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{ROOT}/create", {}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "reasons": []}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "reasons": ["boredom"]}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "kind": "rumour"}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "metadata": {}}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "review_id": "a b"}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "agent_name": "a\0"}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "run_id": "a\0"}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "subject": {"x": 1}}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "subject": []}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "context": {"x": "\0"}}),
        ("POST", f"{ROOT}/create", {**shapes.CREATE, "context": {"x": 2**80}}),
        ("GET", f"{ROOT}/pending?limit=0", None),
        ("GET", f"{ROOT}/pending?limit=1001", None),
        ("GET", f"{ROOT}?status=lost", None),
        ("GET", f"{ROOT}/a%00b", None),
        ("GET", f"{ROOT}/{'a' * 201}", None),
        ("POST", f"{ONE}/claim", {"lease_s": 0}),
        ("POST", f"{ONE}/claim", {"lease_s": 1e9}),
        ("POST", f"{ONE}/comment", {"body": ""}),
        ("POST", f"{ONE}/comment", {"body": "\0"}),
        ("POST", f"{ONE}/comment", {"body": "a" * 10_001}),
        ("POST", f"{ONE}/action", {"action": "publish"}),
        ("POST", f"{ONE}/action", {"action": "approve", "payload": {"audiences": ["ALL"]}}),
        ("POST", f"{ONE}/action", {"action": "approve", "payload": {"final_result": 1}}),
    ],
)
def test_bad_input_gets_a_sentence(ask: Ask, method: str, path: str, body: Any) -> None:
    ask("analyst", "POST", f"{ROOT}/create", shapes.CREATE)
    assert _code(ask("operator", method, path, body))[0] == 422


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 50_000, b'{"action": "approve", "payload": {"x": NaN}}', b'"\\ud800"']
)
def test_what_is_no_json_gets_a_sentence(client: TestClient, texts: dict[str, str], body: bytes) -> None:
    headers = {"X-API-Key": texts["operator"], "content-type": JSON}
    client.post(f"{ROOT}/create", json=shapes.CREATE, headers=headers)
    answer = client.post(f"{ONE}/action", content=body, headers=headers)
    assert _code((answer.status_code, answer.json()))[0] in (400, 422)


def test_answers_are_what_the_document_says(client: TestClient, texts: dict[str, str]) -> None:
    document = client.get("/openapi.json").json()
    headers = {"X-API-Key": texts["operator"]}
    steps = [
        ("post", "/create"),
        ("get", "/pending"),
        ("get", ""),
        ("post", "/claim"),
        ("post", "/{review_id}/claim"),
        ("delete", "/{review_id}/claim"),
        ("post", "/{review_id}/comment"),
        ("post", "/{review_id}/action"),
        ("get", "/{review_id}"),
    ]
    for method, tail in steps:
        operation = document["paths"][f"{ROOT}{tail}"][method]
        body = operation["requestBody"]["content"][JSON]["example"] if method == "post" else None
        answer = client.request(method, f"{ROOT}{tail.format(review_id=shapes.REVIEW_ID)}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        schema = {
            **operation["responses"]["200"]["content"][JSON]["schema"],
            "components": {"schemas": {name: _closed(s) for name, s in document["components"]["schemas"].items()}},
        }
        jsonschema.validate(answer.json(), schema, jsonschema.Draft202012Validator)


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    return {"additionalProperties": False, **schema} if "properties" in schema else schema


def test_a_caller_over_its_rate_waits_and_others_do_not(settings: Settings, texts: dict[str, str]) -> None:
    tight = settings.model_copy(update={"rate_burst": 2, "rate_per_s": 0.01})
    with TestClient(create_app(tight)) as client:
        ann, ben = {"X-API-Key": texts["reviewer"]}, {"X-API-Key": texts["ben"]}
        answers = [client.get(f"{ROOT}/pending", headers=ann) for _ in range(3)]
        assert [a.status_code for a in answers] == [200, 200, 429]
        assert answers[0].headers["x-ratelimit-store"] == "redis"
        assert [a.headers["ratelimit-remaining"] for a in answers] == ["1", "0", "0"]
        assert _code((429, answers[2].json())) == (429, "too_many_requests")
        assert 90 <= int(answers[2].headers["retry-after"]) <= 100
        assert client.get(f"{ROOT}/pending", headers=ben).status_code == 200
        guesses = [client.get(f"{ROOT}/pending", headers={"X-API-Key": "guess"}).status_code for _ in range(3)]
        assert guesses == [401, 401, 429]
        assert client.get("/healthz").status_code == 200


def test_without_redis_the_answer_says_that_this_process_counts(settings: Settings, texts: dict[str, str]) -> None:
    alone = settings.model_copy(update={"redis_url": "", "rate_burst": 1, "rate_per_s": 0.01})
    with TestClient(create_app(alone)) as client:
        headers = {"X-API-Key": texts["reviewer"]}
        answers = [client.get(f"{ROOT}/pending", headers=headers) for _ in range(2)]
        assert [(a.status_code, a.headers["x-ratelimit-store"]) for a in answers] == [
            (200, "process"),
            (429, "process"),
        ]


def test_a_redis_or_database_that_is_away_is_a_sentence(settings: Settings, texts: dict[str, str]) -> None:
    headers = {"X-API-Key": texts["reviewer"]}
    for change, code in (
        ({"redis_url": "redis://127.0.0.1:1/0"}, "limits_unavailable"),
        ({"database_url": "postgresql://nobody@127.0.0.1:1/none"}, "no_database"),
        ({"database_url": ""}, "no_database"),
    ):
        with TestClient(create_app(settings.model_copy(update=change))) as client:
            answer = client.get(f"{ROOT}/pending", headers=headers)
            assert _code((answer.status_code, answer.json())) == (503, code)
            assert client.get("/healthz").status_code == 200


def test_an_embedded_installation_makes_its_operator_key_at_the_first_start(
    tmp_path: Path, settings: Settings, migrated_url: str
) -> None:
    path = tmp_path / "operator.key"
    with TestClient(create_app(settings)):
        assert not path.exists()
    (tmp_path / "state.json").write_text(json.dumps({"postgres": {"pid": 1, "url": migrated_url}}))
    with TestClient(create_app(settings)) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text().strip()
        assert client.get(f"{ROOT}/pending", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    with TestClient(create_app(settings)):
        assert path.read_text().strip() == text


def test_settings_that_open_a_hole_are_refused() -> None:
    for values in (
        {"jwt_issuer": "https://idp.example"},
        {"jwt_issuer": "https://i", "jwt_audience": "a", "jwt_jwks_url": "http://i/keys"},
        {"database_url": "mysql://x"},
        {"redis_url": "http://x"},
        {"rate_per_s": 0},
    ):
        with pytest.raises(ValueError, match="Settings"):
            Settings(**values)
    with pytest.raises(ValueError, match="must start with postgresql") as refused:
        Settings(database_url="mysql://me:secret@host/x")
    assert "secret" not in str(refused.value)
    assert Settings().api_host == "127.0.0.1"
