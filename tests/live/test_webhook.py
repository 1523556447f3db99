"""Events by webhook: each once, in order, and nothing lost, whatever is sent."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from feeding import feed, fresh, grid_match, ids, logged, reasons
from grid_feed import lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from esports_assets.adapters.grid.live import LiveSeries, transaction
from esports_assets.streams.deadletter import DeadLetters
from serving.app import create_app
from serving.database import Database
from serving.feed_schemas import EVENT
from serving.grid_intake import Counts
from serving.keys import Keys
from serving.roles import Role, Scope
from serving.settings import Settings

PATH = "/webhook/grid"
Post = Callable[..., tuple[int, Any]]


@pytest.fixture
def url(live_url: str) -> str:
    return live_url


@pytest.fixture
def bus(log_client: Redis) -> Redis:
    return log_client


@pytest.fixture
def keys(live_database: str) -> Iterator[Keys]:
    kept = Database(live_database)
    yield Keys(kept)
    kept.close()


@pytest.fixture
def post(tmp_path: Path, url: str, bus: Redis, keys: Keys, live_database: str) -> Iterator[Post]:
    """Send a body as an operator, or with another key."""
    operator = keys.create("feed", Role.OPERATOR, "test", scopes=(Scope.INGEST,))[0]
    made = Settings(esports_home=str(tmp_path), redis_url=url, database_url=live_database, rate_burst=500)
    with TestClient(create_app(made)) as client:

        def send(body: bytes | Any, key: str | None = operator) -> tuple[int, Any]:
            content = body if isinstance(body, bytes) else msgspec.json.encode(body)
            answer = client.post(PATH, content=content, headers={"X-API-Key": key} if key else {})
            return answer.status_code, answer.json()

        yield send


def counts(accepted: int = 0, duplicates: int = 0, dead: int = 0) -> dict[str, Any]:
    return {"ok": True, "accepted": accepted, "duplicates": duplicates, "dead": dead}


def told(data: list[bytes]) -> list[str]:
    """Ids of what a series says, translated by itself."""
    series = LiveSeries()
    return [event.event_id for line in data for event in series.feed(transaction(line)).events]


def test_the_sample_event_enters_once(post: Post, bus: Redis) -> None:
    assert post(EVENT) == (200, counts(accepted=1))
    assert post(EVENT) == (200, counts(duplicates=1))
    (event,) = logged(bus)
    assert (event.match_id, event.event_type.value, event.actor) == (
        "match_demo_1",
        "POSITION_UPDATE",
        "player:demo_p1",
    )
    assert event.payload == {"pos": [12.4, 0.0, 8.9], "objective_pos": [10.0, 0.0, 10.0], "ts": 100.0}


def test_who_may_feed(post: Post, bus: Redis, keys: Keys) -> None:
    reviewer = keys.create("r", Role.REVIEWER, "test")[0]
    reader = keys.create("o", Role.OPERATOR, "test", scopes=(Scope.READ,))[0]
    assert [post(EVENT, key)[0] for key in (None, reviewer, reader)] == [401, 403, 403]
    assert post(EVENT, reader)[1]["error"]["code"] == "scope_missing"
    assert logged(bus) == []


def test_a_list_lines_and_one_value_are_the_same(post: Post, bus: Redis) -> None:
    events = [{**EVENT, "event_id": f"e{n}"} for n in range(4)]
    assert post(events[:2]) == (200, counts(accepted=2))
    assert post(b"\n".join(msgspec.json.encode(e) for e in events[1:3]) + b"\n\n") == (200, counts(1, 1))
    assert post(json.dumps(events[3], indent=2).encode()) == (200, counts(accepted=1))
    assert ids(logged(bus)) == ["e0", "e1", "e2", "e3"]
    assert post(b" \n ") == (200, counts())


def test_a_simulated_series_by_webhook(post: Post, bus: Redis) -> None:
    data = grid_match()
    assert post(b"\n".join(data[:700])) == (200, counts(accepted=700))
    assert post(b"\n".join(data[600:])) == (200, counts(accepted=len(data) - 700, duplicates=100))
    assert ids(logged(bus)) == told(data)
    assert reasons(bus) == []


def test_retractions_of_a_rollback_enter_the_log(post: Post, bus: Redis) -> None:
    data = [msgspec.json.encode(value) for value in lines("csgo_round")]
    assert post(b"[" + b",".join(data) + b"]") == (200, counts(accepted=len(data)))
    assert ids(logged(bus)) == told(data)


BROKEN = {
    b"{": "not JSON",
    b'{"event_id": NaN}': "not JSON",
    b'"text"': "neither a GRID transaction",
    b"[1, null]": "neither a GRID transaction",
    b'{"a": 1}': "neither a GRID transaction",
    b'{"event_id": "e", "event_type": "KILL"}': "missing required field",
    b'{"seriesId": "1", "sequenceNumber": 1}': "not a GRID record",
    b'{"seriesId": "1", "sequenceNumber": -1, "occurredAt": "2026-01-01T00:00:00Z", "events": []}': "not a GRID record",
    b'{"event_id": "\\ud800", "match_id": "m", "event_type": "KILL", "timestamp": 1}': "not JSON",
    b"\xff\xfe": "not JSON",
    b"[" * 100_000: "not JSON",
    b'{"events":' + b"[" * 50_000 + b"]" * 50_000 + b"}": "not JSON",
}


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: body[:24].decode(errors="replace"))
def test_what_cannot_be_read_is_a_dead_letter(post: Post, bus: Redis, body: bytes) -> None:
    status, answer = post(body)
    assert (status, answer["accepted"], answer["ok"]) == (200, 0, True)
    assert answer["dead"] == len(reasons(bus)) > 0
    assert all(BROKEN[body] in reason for reason in reasons(bus))
    if body[:1] != b"[" or len(body) > 100:
        (letter,) = DeadLetters(bus).all()
        assert (letter.data, letter.stream) == (body, letter.stream)
    assert post(body)[1] == answer  # dead again, kept once
    assert len(reasons(bus)) == answer["dead"]


def test_a_bad_line_does_not_take_the_good_ones_with_it(post: Post, bus: Redis) -> None:
    data = grid_match()[:50]
    body = b"\n".join(
        [*data[:20], b'{"seriesId": 7, "events": []}', b"garbage", *data[20:], msgspec.json.encode(EVENT)]
    )
    assert post(body) == (200, counts(accepted=51, dead=2))
    assert sorted(ids(logged(bus))) == sorted([*told(data), EVENT["event_id"]])
    assert [letter.entry_id for letter in DeadLetters(bus).all()] == ["line 22", "line 21"]


def test_a_bad_first_line_and_a_damaged_document_over_several(post: Post, bus: Redis) -> None:
    assert post(b"garbage\n" + msgspec.json.encode(EVENT)) == (200, counts(accepted=1, dead=1))
    broken = json.dumps({**EVENT, "event_id": "other"}, indent=2).encode()[:-1].rstrip()
    assert post(broken) == (200, counts(dead=1))
    assert [letter.data for letter in DeadLetters(bus).all()] == [b"garbage", broken]


def test_refused_events_of_a_good_transaction_are_told_once(post: Post, bus: Redis) -> None:
    values = lines("valorant_round")
    at = next(k for k, v in enumerate(values) for e in v["events"] if e["type"] == "player-killed-player")
    values[at]["events"][0]["target"]["id"] = ""
    assert post(values) == (200, counts(accepted=len(values)))
    assert reasons(bus) == ["event 0 (player-killed-player) is refused: its target has no id"]
    feed(bus).grid.advance(values[0]["seriesId"])  # another process reads the same list
    assert len(reasons(bus)) == 1


def test_sizes(post: Post, bus: Redis) -> None:
    event = {**EVENT, "payload": {"text": "x" * (9 << 20)}}
    assert post(event) == (200, counts(dead=1))
    assert reasons(bus) == ["it is 9,437,357 bytes long; an event has at most 8,388,608"]
    status, answer = post(b" " * (100 << 20))
    assert (status, answer["error"]["code"]) == (413, "body_too_large")
    assert post(EVENT) == (200, counts(accepted=1))


def test_without_redis_nothing_is_promised(tmp_path: Path, keys: Keys, live_database: str) -> None:
    operator = keys.create("feed", Role.OPERATOR, "test")[0]
    with TestClient(create_app(Settings(esports_home=str(tmp_path), database_url=live_database))) as client:
        answer = client.post(PATH, json=EVENT, headers={"X-API-Key": operator})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_log")


def test_redis_that_is_away_is_told_and_the_same_body_may_come_again(url: str, bus: Redis) -> None:
    away = fresh(url)
    taking = feed(away)
    data = b"\n".join(grid_match()[:100])
    bus.set("esports:grid:sim.5-000:order", "not a list")  # what the script refuses to touch
    with pytest.raises(Exception, match="WRONGTYPE"):
        taking.take(data)
    bus.delete("esports:grid:sim.5-000:order")
    assert taking.take(data) == Counts(accepted=100)
    assert ids(logged(bus)) == told(grid_match()[:100])
    away.close()


@given(st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cut_any_order_any_repetition_by_several_processes(bus: Redis, data: st.DataObject) -> None:
    bus.flushdb()
    series = grid_match()[:60]
    order = data.draw(st.permutations(range(60)))
    again = data.draw(st.lists(st.integers(0, 59), max_size=30))
    sent = [*order, *again]
    processes = [feed(bus), feed(bus), feed(bus)]
    at = 0
    while at < len(sent):
        size = data.draw(st.integers(1, 25))
        taking = data.draw(st.sampled_from(processes))
        taking.take(b"\n".join(series[k] for k in sent[at : at + size]))
        at += size
    assert ids(logged(bus)) == told(series)
    assert reasons(bus) == []


def test_a_gap_is_waited_for_and_given_up(bus: Redis) -> None:
    now = [1_764_000_000_000]
    taking = feed(bus, gap_s=2.0, clock_ms=lambda: now[0])
    data = grid_match()[:40]
    assert taking.take(b"\n".join([*data[:10], *data[12:30]])) == Counts(accepted=28)
    assert ids(logged(bus)) == told(data[:10])
    now[0] += 1_999
    taking.grid.look_after()
    assert ids(logged(bus)) == told(data[:10])
    now[0] += 1
    taking.grid.look_after()
    left = told([*data[:10], *data[12:30]])
    assert ids(logged(bus)) == left
    assert taking.take(b"\n".join(data[10:12])) == Counts(dead=2)
    assert [reason[:37] for reason in reasons(bus)] == ["the series went on without this seque"] * 2
    assert taking.take(b"\n".join(data[30:])) == Counts(accepted=10)
    assert ids(logged(bus)) == told([*data[:10], *data[12:]])


def test_a_series_that_is_joined_late_begins_where_it_can(bus: Redis) -> None:
    now = [1_764_000_000_000]
    taking = feed(bus, gap_s=2.0, clock_ms=lambda: now[0])
    data = grid_match()[1:30]
    taking.take(b"\n".join(data))
    assert logged(bus) == []
    now[0] += 2_000
    taking.grid.look_after()
    assert ids(logged(bus)) == told(data)


def test_another_content_under_the_same_number_is_told(bus: Redis) -> None:
    taking = feed(bus)
    data = grid_match()[:10]
    taking.take(b"\n".join(data))
    other = msgspec.json.decode(data[9])
    other["events"] = other["events"][:0]
    assert taking.take(msgspec.json.encode(other)) == Counts(dead=1)
    assert "the first one stands" in reasons(bus)[0]


def test_a_server_that_forgot_everything_begins_again(bus: Redis) -> None:
    taking = feed(bus)
    data = grid_match()[:60]
    taking.take(b"\n".join(data))
    time.sleep(0.002)  # the list that begins now has another birthday
    bus.flushdb()
    taking.take(b"\n".join(data))
    assert ids(logged(bus)) == told(data)


def test_a_server_that_lost_its_last_words_is_told_them_again(bus: Redis) -> None:
    """As after a crash of a server that writes to its disk once a second."""
    taking = feed(bus)
    data = grid_match()[:60]
    taking.take(b"\n".join(data[:40]))
    kept = {key: bus.dump(key) for key in bus.keys("*")}
    taking.take(b"\n".join(data[40:]))
    bus.flushdb()
    for key, value in kept.items():
        bus.restore(key, 0, value)
    assert taking.take(b"\n".join(data[35:])) == Counts(accepted=20, duplicates=5)
    assert ids(logged(bus)) == told(data)


def test_what_a_process_took_and_did_not_send_is_sent_by_another(bus: Redis) -> None:
    now = [1_764_000_000_000]
    data = grid_match()[:60]
    dying, living = feed(bus, clock_ms=lambda: now[0]), feed(bus, clock_ms=lambda: now[0])
    dying.grid.advance = lambda series: None  # type: ignore[method-assign]  # it dies between the two steps
    dying.take(b"\n".join(data))
    assert logged(bus) == []
    living.grid.look_after()
    assert logged(bus) == []  # who took it may still be at it
    now[0] += 1_000
    stop = threading.Event()
    watching = threading.Thread(target=living.grid.run, args=(stop,))
    watching.start()
    deadline = time.monotonic() + 10
    while len(logged(bus)) < len(told(data)) and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    watching.join()
    assert ids(logged(bus)) == told(data)
    assert living.grid.turns.due() == []
