"""Predictions are open, counted by account or address, and never more than the rate."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
import tiny_bundle as tiny
from fastapi.testclient import TestClient

from esports_assets.storage.database import connect, migrate
from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.database import Database
from serving.keys import Keys
from serving.ratelimit import Portions, ProcessLimiter, Rate, RedisLimiter, Verdict
from serving.roles import Role, Scope
from serving.settings import Settings

PATH = f"/api/v1/predict/{tiny.TASK}"
ROW = {"ct_alive": 5, "t_alive": 3, "t_s": 20.5, "planted_s": None}
Make = Callable[..., TestClient]


@pytest.fixture
def make(settings: Settings, promoted: ObjectStore, tmp_path: Path) -> Iterator[Make]:
    """Clients of apps with settings of their own."""
    opened: list[TestClient] = []

    def build(**told: object) -> TestClient:
        app = create_app(settings.model_copy(update=told), fingerprint_of=tiny.fingerprint_of)
        opened.append(TestClient(app, raise_server_exceptions=False))
        return opened[-1].__enter__()

    yield build
    for client in opened:
        client.__exit__(None, None, None)


def _ask(client: TestClient, **headers: str) -> tuple[int, str]:
    answer = client.post(PATH, json={"features": ROW}, headers={k.replace("_", "-"): v for k, v in headers.items()})
    body = answer.json()
    return answer.status_code, body.get("error", {}).get("code", "")


def test_an_anonymous_caller_is_answered_and_told_what_is_left(make: Make) -> None:
    client = make(predict_rate_per_s=0.001, predict_rate_burst=3)
    answers = [client.post(PATH, json={"features": ROW}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["x-ratelimit-store"] for answer in answers} == {"process"}
    assert answers[3].json()["error"]["code"] == "too_many_requests"
    assert answers[3].headers["retry-after"] == "1000"


def test_batches_count_as_one_and_share_the_bucket(make: Make) -> None:
    client = make(predict_rate_per_s=0.001, predict_rate_burst=2)
    batch = client.post(f"{PATH}/batch", json={"rows": [ROW] * 10})
    assert batch.status_code == 200
    assert batch.headers["ratelimit-remaining"] == "1"
    assert [_ask(client)[0], client.post(f"{PATH}/batch", json={"rows": [ROW]}).status_code] == [200, 429]


def test_predictions_leave_the_other_routes_their_requests(make: Make, fresh_database_url: str) -> None:
    client = make(database_url=fresh_database_url, predict_rate_per_s=0.001, predict_rate_burst=1)
    assert [_ask(client)[0] for _ in range(2)] == [200, 429]
    assert client.get("/api/v1/reviews/pending").status_code == 401


def test_the_default_lets_a_hundred_through_at_once(make: Make) -> None:
    client = make()
    assert {_ask(client) for _ in range(100)} == {(200, "")}


def test_a_key_has_a_bucket_of_its_own_and_a_bad_one_opens_nothing(make: Make, fresh_database_url: str) -> None:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    database = Database(fresh_database_url)
    keys = Keys(database)
    reader, _ = keys.create("reader", Role.VIEWER, "test")
    ingest, _ = keys.create("feed", Role.OPERATOR, "test", scopes=(Scope.INGEST,))
    database.close()
    client = make(database_url=fresh_database_url, predict_rate_per_s=0.001, predict_rate_burst=1)
    assert [_ask(client), _ask(client)] == [(200, ""), (429, "too_many_requests")]
    assert [_ask(client, X_API_Key=reader) for _ in range(2)] == [(200, ""), (429, "too_many_requests")]
    assert _ask(client, X_API_Key=ingest) == (403, "scope_missing")
    assert _ask(client, X_API_Key=reader, Authorization=f"Bearer {reader}") == (401, "bad_credentials")
    assert _ask(client, Authorization="Bearer esk_no") == (401, "bad_credentials")


def test_several_services_share_the_bucket_in_redis(make: Make, redis_url: str) -> None:
    url = redis_url.replace("/0", "/6")
    redis.Redis.from_url(url).flushdb()
    clients = [make(redis_url=url, predict_rate_per_s=0.001, predict_rate_burst=25) for _ in range(2)]
    answered = [_ask(client)[0] for _ in range(20) for client in clients]
    assert answered.count(200) == 25
    assert set(answered) == {200, 429}


def test_a_redis_that_is_away_is_said(make: Make) -> None:
    assert _ask(make(redis_url="redis://127.0.0.1:1/0")) == (503, "limits_unavailable")


class _Clock:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_portions_ask_seldom_and_never_give_more(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url.replace("/0", "/6"))
    client.flushdb()
    clock = _Clock()
    portions = Portions(RedisLimiter(client, Rate(0.001, 100)), 30, clock)
    told = [portions.at_hand("a") or portions.take("a") for _ in range(101)]
    assert [verdict.remaining for verdict in told] == [*range(99, -1, -1), 0]
    assert [verdict.allowed for verdict in told] == [True] * 100 + [False]
    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] >= 4
    client.close()


def test_a_portion_is_given_up_after_a_second() -> None:
    clock = _Clock()
    portions = Portions(ProcessLimiter(Rate(0.001, 20), lambda: 0), 10, clock)
    assert portions.at_hand("a") is None
    assert portions.take("a").remaining == 19
    assert portions.at_hand("a") is not None
    clock.s += 1.0
    assert portions.at_hand("a") is None
    assert portions.take("a").remaining == 9
    assert portions.at_hand("b") is None


def test_threads_together_never_get_more_than_the_burst() -> None:
    portions = Portions(ProcessLimiter(Rate(0.001, 500), lambda: 0), 25)

    def spend(_: int) -> int:
        return sum((portions.at_hand("a") or portions.take("a")).allowed for _ in range(200))

    with ThreadPoolExecutor(4) as pool:
        passed = sum(pool.map(spend, range(4)))
    assert 400 <= passed <= 500


def test_openapi_says_that_credentials_are_optional(make: Make) -> None:
    document = make().get("/openapi.json").json()
    for path in ("/api/v1/predict/{task}", "/api/v1/predict/{task}/batch"):
        told = document["paths"][path]["post"]
        assert told["security"] == [{}, {"HTTPBearer": []}, {"APIKeyHeader": []}]
        assert {"401", "403", "429"} <= set(told["responses"])
    assert json.dumps(document)


def test_requests_that_come_together_share_one_portion() -> None:
    """Where each took a portion of its own, a hundred players behind one address used up a burst that they had not asked for."""
    gate = threading.Barrier(20)

    class Slow:
        store = "process"

        def __init__(self) -> None:
            self.limiter = ProcessLimiter(Rate(1.0, 100), clock_ms=lambda: 0)

        def take(self, identity: str, most: int = 1) -> Verdict:
            time.sleep(0.02)
            return self.limiter.take(identity, most)

    portions = Portions(Slow(), 50, clock_s=lambda: 0.0)

    def ask(_: int) -> Verdict:
        gate.wait()
        return portions.at_hand("ip:1") or portions.take("ip:1")

    with ThreadPoolExecutor(20) as pool:
        verdicts = list(pool.map(ask, range(20)))
    assert all(verdict.allowed for verdict in verdicts)
    assert min(verdict.remaining for verdict in verdicts) == 80
