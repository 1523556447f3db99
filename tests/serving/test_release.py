"""A statement leaves once per audience and never before its time: on a real Valkey, with several processes and restarts."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esports_assets.storage import valkey
from serving.gate import Audience, Pause, Policy, Reason, statement_of
from serving.release import REFUSED, Releases, Waiting, channel

ROOT = Path(__file__).parents[2]
ZERO = datetime(2026, 5, 17, 12, tzinfo=UTC)
TO = Audience.ANALYST


def _at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


@dataclass
class Clock:
    """A clock that a test sets."""

    seconds: float = 0.0

    def __call__(self) -> datetime:
        return _at(self.seconds)


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    """An empty logical database of its own on the session's Valkey."""
    found = redis.Redis.from_url(redis_url.replace("/0", "/7"))
    found.flushdb()
    yield found
    found.flushdb()
    found.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def releases(client: "redis.Redis", clock: Clock) -> Releases:
    return Releases(client, Policy(), clock=clock)


def _signal(name: str = "s1", event_s: float = 0, **changes: Any) -> dict[str, Any]:
    return {
        "signal_id": name,
        "type": "MOMENTUM_SHIFT",
        "match_id": "m1",
        "event_ts": _at(event_s).isoformat(),
        "live_offset_s": 0.0,
        "status": "APPROVED",
        **changes,
    }


def _released(client: "redis.Redis", audience: Audience = TO) -> list[dict[str, Any]]:
    entries: Any = client.xrange(channel(audience))
    return [json.loads(fields[b"data"]) for _, fields in entries]


def _names(client: "redis.Redis", audience: Audience = TO) -> list[str]:
    return [found["signal_id"] for found in _released(client, audience)]


def test_each_audience_gets_its_copy_at_its_time(client: "redis.Redis", releases: Releases, clock: Clock) -> None:
    answers = releases.schedule(_signal())
    assert {who: answer.opens_at for who, answer in answers.items()} == {
        who: _at(180 if who is Audience.PUBLIC else 120) for who in Audience
    }
    clock.seconds = 119.999999
    assert releases.poll() == 0
    clock.seconds = 120
    assert (releases.poll(), _names(client), _names(client, Audience.PUBLIC)) == (3, ["s1"], [])
    clock.seconds = 180
    assert (releases.poll(), releases.poll()) == (1, 0)
    (copy,) = _released(client, Audience.PUBLIC)
    assert (copy["policy"]["audience"], copy["policy"]["delay_s"]) == ("PUBLIC", 180.0)
    assert copy["gated_at"] == _at(180).isoformat()
    assert [releases.waiting(who) for who in Audience] == [0, 0, 0, 0]


def test_many_at_once_wait_as_each_alone(client: "redis.Redis", clock: Clock) -> None:
    """For every type, status, time and audience, under a policy that gives one audience nothing."""
    releases = Releases(client, Policy(audiences=frozenset(Audience) - {Audience.COACH}), clock=clock, batch=3)
    releases.pause("m2", _at(-5.0))
    documents = [
        _signal(f"s{n}", event_s, type=kind, status=status, match_id=match_id)
        for n, (event_s, kind, status, match_id) in enumerate(
            product((-500.0, 0.0, 30.0), ("STAR_PLAYER", "OTHER"), ("APPROVED", "PENDING_REVIEW"), ("m1", "m2"))
        )
    ]
    alone = {one["signal_id"]: releases.schedule(one) for one in documents}
    expected = _lists(client)
    client.delete(*client.keys("esports:release:due:*"), *client.keys("esports:release:payload:*"))
    waiting = [
        Waiting(one["signal_id"], one["match_id"], statement_of(one), json.dumps(one).encode()) for one in documents
    ]
    refused = releases.schedule_all(waiting)
    assert _lists(client) == expected
    assert {who: len(queue) for who, queue in expected.items()} == {
        who: 0 if who is Audience.COACH else 8 for who in Audience
    }
    nobody = {name for name, answers in alone.items() if not any(told.reason.waits for told in answers.values())}
    assert refused.keys() == nobody
    assert Counter(refused.values()) == {Reason.NOT_REVIEWED: 12, Reason.FUTURE_TIMESTAMP: 4}


def _lists(client: "redis.Redis") -> dict[Audience, dict[bytes, float]]:
    """What waits for each audience, and until when."""
    queues: Any = {who: client.zrange(f"esports:release:due:{who.value}", 0, -1, withscores=True) for who in Audience}
    return {who: dict(queue) for who, queue in queues.items()}


def test_scheduling_again_before_or_after_changes_nothing(
    client: "redis.Redis", releases: Releases, clock: Clock
) -> None:
    for seconds in (0, 50, 121, 122, 5000):
        clock.seconds = seconds
        releases.schedule(_signal(), (TO,))
        releases.poll()
    assert _names(client) == ["s1"]
    assert releases.waiting(TO) == 0


def test_what_the_gate_refuses_for_good_is_not_queued(releases: Releases) -> None:
    for changes, reason in (
        ({"event_ts": None}, Reason.NO_TIMESTAMP),
        ({"status": "PENDING_REVIEW"}, Reason.NOT_REVIEWED),
        ({"event_ts": _at(60).isoformat()}, Reason.FUTURE_TIMESTAMP),
    ):
        assert releases.schedule(_signal(**changes), (TO,))[TO].reason is reason
    assert releases.waiting(TO) == 0


@pytest.mark.parametrize("change", [{"signal_id": ""}, {"signal_id": None}, {"match_id": None}])
def test_what_has_no_name_cannot_wait(releases: Releases, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="signal_id and a match_id"):
        releases.schedule(_signal(**change))


def test_a_pause_that_begins_while_it_waits_holds_it_and_its_time_does_not_count(
    client: "redis.Redis", releases: Releases, clock: Clock
) -> None:
    releases.schedule(_signal(), (TO,))
    releases.schedule(_signal("other", match_id="m2"), (TO,))
    assert releases.pause("m1", _at(100))
    for seconds in (120, 130, 400):
        clock.seconds = seconds
        releases.poll()
    assert _names(client) == ["other"]
    assert releases.resume("m1", _at(400))
    clock.seconds = 419.9
    assert releases.poll() == 0
    clock.seconds = 420
    assert releases.poll() == 1
    assert _names(client) == ["other", "s1"]


def test_what_is_scheduled_during_a_pause_waits_for_its_end(
    client: "redis.Redis", releases: Releases, clock: Clock
) -> None:
    releases.pause("m1", _at(10))
    clock.seconds = 500
    assert releases.schedule(_signal(), (TO,))[TO].reason is Reason.TECHNICAL_PAUSE
    assert releases.poll() == 0
    releases.resume("m1", _at(510))
    clock.seconds = 619.9
    assert releases.poll() == 0
    clock.seconds = 620
    assert releases.poll() == 1
    assert _names(client) == ["s1"]


def test_pauses_may_be_told_twice_and_late(releases: Releases) -> None:
    told = [
        releases.pause("m1", _at(10)),
        releases.pause("m1", _at(11)),
        releases.resume("m1", _at(9)),
        releases.resume("m1", _at(20)),
        releases.pause("m1", _at(5)),
        releases.pause("m1", _at(30)),
        releases.resume("m1", _at(40)),
    ]
    assert told == [True, False, True, False, False, True, True]
    assert releases.pauses("m1") == [Pause(_at(10), _at(10)), Pause(_at(30), _at(40))]
    assert releases.pauses("m2") == []


def test_what_ended_an_earlier_pause_ends_no_later_one(releases: Releases) -> None:
    """A batch of work that is written again tells everything again."""
    told = [(releases.pause, 10), (releases.resume, 20), (releases.pause, 30)]
    for change, seconds in (*told, *told[:2]):
        change("m1", _at(seconds))
    assert releases.pauses("m1") == [Pause(_at(10), _at(20)), Pause(_at(30))]


def test_a_pause_between_the_gate_and_the_release_stops_the_release(
    client: "redis.Redis", clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases = Releases(client, Policy(), clock=clock)
    releases.schedule(_signal(), (TO,))
    clock.seconds = 200
    seen = releases._due

    def due_then_paused(audience: Audience, now: datetime) -> Any:
        entries = seen(audience, now)
        releases.pause("m1", _at(150))
        return entries

    monkeypatch.setattr(releases, "_due", due_then_paused)
    assert releases.poll() == 0
    assert _names(client) == []


def test_a_policy_that_became_slower_holds_what_waits(client: "redis.Redis", releases: Releases, clock: Clock) -> None:
    releases.schedule(_signal(), (TO,))
    slower = Releases(client, Policy(delays_s={"MOMENTUM_SHIFT": 300.0}), clock=clock)
    clock.seconds = 299
    assert slower.poll() == 0
    clock.seconds = 300
    assert slower.poll() == 1


@pytest.mark.parametrize("payload", [b"\xff", b"[]", b'{"status": "APPROVED"}', None])
def test_what_cannot_be_read_any_more_is_set_aside_with_a_reason(
    client: "redis.Redis", releases: Releases, clock: Clock, payload: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    releases.schedule(_signal(), (TO,))
    key = f"esports:release:payload:{TO.value}"
    if payload is None:
        client.hdel(key, "s1")
    else:
        client.hset(key, "s1", payload)
    clock.seconds = 500
    with caplog.at_level(logging.WARNING):
        assert releases.poll() == 0
    assert releases.waiting(TO) == 0
    entries: Any = client.xrange(REFUSED)
    assert [(fields[b"signal_id"], fields[b"audience"]) for _, fields in entries] == [(b"s1", b"ANALYST")]
    assert _names(client) == []


def test_more_than_a_batch_leaves_in_order_of_its_time(client: "redis.Redis", clock: Clock) -> None:
    releases = Releases(client, Policy(), clock=clock, batch=7)
    for i in range(40):
        releases.schedule(_signal(f"s{i:02}", event_s=-i), (TO,))
    clock.seconds = 300
    counts = [releases.poll() for _ in range(7)]
    assert counts == [7, 7, 7, 7, 7, 5, 0]
    assert _names(client) == [f"s{i:02}" for i in reversed(range(40))]


def test_what_is_done_is_forgotten_after_the_retention(client: "redis.Redis", clock: Clock) -> None:
    releases = Releases(client, Policy(), clock=clock, retention_s=1000)
    releases.schedule(_signal(), (TO,))
    clock.seconds = 200
    releases.poll()
    clock.seconds = 1300
    releases.schedule(_signal("s2", 1000), (TO,))
    releases.poll()
    assert client.zrange("esports:release:done:ANALYST", 0, -1) == [b"s2"]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("schedule"), st.integers(0, 3), st.integers(-200, 60)),
        st.tuples(st.just("advance"), st.integers(0, 90), st.just(0)),
        st.tuples(st.just("pause"), st.just(0), st.just(0)),
        st.tuples(st.just("resume"), st.just(0), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
        st.tuples(st.just("poll"), st.just(0), st.just(0)),
    ),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(steps)
def test_any_sequence_of_steps_releases_never_early_and_never_twice(client: "redis.Redis", told: list[Any]) -> None:
    client.flushdb()
    clock = Clock()
    releases = Releases(client, Policy(), clock=clock)
    events: dict[str, float] = {}
    paused: list[tuple[float, float | None]] = []
    left_at: dict[str, float] = {}
    for step, first, second in [*told, ("resume", 0, 0), ("advance", 1000, 0), ("poll", 0, 0), ("poll", 0, 0)]:
        if step == "schedule":
            event = events.get(f"s{first}", clock.seconds + min(second, 0))
            if releases.schedule(_signal(f"s{first}", event), (TO,))[TO].reason.waits:
                events[f"s{first}"] = event
        elif step == "advance":
            clock.seconds += first
        elif step == "pause" and releases.pause("m1", clock()):
            paused.append((clock.seconds, None))
        elif step == "resume" and releases.resume("m1", clock()):
            paused[-1] = (paused[-1][0], clock.seconds)
        elif step == "restart":
            releases = Releases(client, Policy(), clock=clock)
        elif step == "poll":
            releases.poll()
            standing = any(end is None for _, end in paused)
            for name in _names(client)[len(left_at) :]:
                assert name not in left_at
                assert not standing
                held = sum(max(0.0, (end or 0) - max(start, events[name])) for start, end in paused)
                assert clock.seconds - events[name] - held >= 120
                left_at[name] = clock.seconds
    assert sorted(left_at) == sorted(events)


def test_two_threads_release_each_statement_once(redis_url: str, client: "redis.Redis", clock: Clock) -> None:
    writer = Releases(client, Policy(), clock=clock)
    for i in range(300):
        writer.schedule(_signal(f"s{i}"), (TO, Audience.PUBLIC))
    clock.seconds = 1000

    def poll_all(_: int) -> int:
        own = redis.Redis.from_url(redis_url.replace("/0", "/7"))
        releases = Releases(own, Policy(), clock=clock, batch=10)
        done = sum(releases.poll() for _ in range(80))
        own.close()
        return done

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(poll_all, range(2))) == 600
    for audience in (TO, Audience.PUBLIC):
        assert Counter(_names(client, audience)) == Counter(f"s{i}" for i in range(300))


_WORKER = """
import sys, redis
from serving.gate import Policy
from serving.release import Releases
releases = Releases(redis.Redis.from_url(sys.argv[1]), Policy(), batch=3)
print("ready", flush=True)
while True:
    releases.poll()
"""


def _start(url: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _WORKER, url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_processes_killed_at_any_moment_and_a_killed_server_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """The same input is scheduled again after every crash, as a worker does that does not know how far it came."""
    home = tmp_path / "valkey"
    server = valkey.ensure(home)
    old = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    expected = [f"s{i}" for i in range(2000)]
    processes: list[subprocess.Popen[str]] = []
    try:
        for crash in range(4):
            client = redis.Redis.from_url(server.url)
            releases = Releases(client, Policy())
            processes = [_start(server.url) for _ in range(2)]
            for name in expected[: 500 * (crash + 1)]:
                releases.schedule(_signal(name, event_ts=old), (TO,))
            for process in processes:
                process.kill()
                process.wait()
            processes = []
            if crash % 2:
                os.kill(server.pid, signal.SIGKILL)
                _gone(server.pid)
                server = valkey.ensure(home)
            client.close()
        client = redis.Redis.from_url(server.url)
        releases = Releases(client, Policy())
        while releases.poll():
            pass
        assert Counter(_names(client)) == Counter(expected)
        client.close()
    finally:
        for process in processes:
            process.kill()
            process.wait()
        valkey.stop(home, server)


def _gone(pid: int) -> None:
    for _ in range(500):
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return
        except ChildProcessError:
            return
        time.sleep(0.01)
    pytest.fail("the server does not end")


def test_the_loop_survives_a_server_that_goes_and_comes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = tmp_path / "valkey"
    server = valkey.ensure(home)
    client = redis.Redis.from_url(server.url, socket_timeout=2)
    releases = Releases(client, Policy())
    stop = threading.Event()
    loop = threading.Thread(target=releases.run, args=(stop, 0.01))
    loop.start()
    try:
        valkey.stop(home, server)
        with caplog.at_level(logging.WARNING):
            _until(lambda: any("releases wait" in record.message for record in caplog.records))
        server = valkey.ensure(home)
        old = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        releases.schedule(_signal(event_ts=old), (TO,))
        _until(lambda: _names(client) == ["s1"])
    finally:
        stop.set()
        loop.join(20)
        valkey.stop(home, server)
    assert not loop.is_alive()


def _until(true: Any) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
