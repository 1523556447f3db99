"""What rooms make of entries, whatever stands in them, on a real Valkey."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.envelope import Envelope, encode
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import shard_of, shard_stream
from serving.gate import Audience, Policy
from serving.release import channel
from serving.room_ids import NOTHING, Source
from serving.room_log import PROVISIONAL, RoomLog

MATCH = "test:log:1"
SHARD = shard_stream(shard_of(MATCH))
WANTED = dict.fromkeys(Source, NOTHING)


@pytest.fixture(scope="module")
def client(redis_url: str) -> Iterator["redis.Redis"]:
    found = redis.Redis.from_url(redis_url.replace("/0", "/15"))
    yield found
    found.flushdb()
    found.close()


@pytest.fixture(scope="module")
def log(redis_url: str) -> Iterator[RoomLog]:
    found = RoomLog(redis_url.replace("/0", "/15"), Policy())
    yield found
    found.close()


def _event(name: str = "good", **more: Any) -> Envelope:
    return Envelope(CanonicalEvent(name, MATCH, EventType.KILL, datetime.now(UTC), **more))


GOOD = encode(_event())
SIGNAL = {"signal_id": "s", "match_id": MATCH, "gated_at": "x", "policy": {"audience": "ANALYST"}, "provisional": True}
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner),
    max_leaves=5,
)
documents = st.dictionaries(
    st.sampled_from([*json.loads(GOOD), *SIGNAL, "id", "kind", "live_offset_s", "round"]), values
)
deep = st.integers(100, 2_000).map(lambda depth: {"payload": {"x": 0}, "deep": depth})


def _nested(document: dict[str, Any], base: bytes) -> bytes:
    """A good document with something changed, or with a list in it that nests deeper than some can write."""
    whole = {**json.loads(base), **document}
    depth = whole.pop("deep", 0)
    return (
        json.dumps(whole).encode()[:-1] + b',"more":' + b"[" * depth + b"]" * depth + b"}"
        if depth
        else json.dumps(whole).encode()
    )


entries = st.one_of(
    st.binary(max_size=40),
    st.builds(_nested, documents | deep, st.sampled_from([GOOD, json.dumps(SIGNAL).encode()])),
    st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=3)).map(
        lambda cut: GOOD[: cut[0]] + cut[1] + GOOD[cut[0] :]
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.lists(entries, max_size=6))
def test_no_entry_breaks_a_look_or_hides_a_good_one(client: "redis.Redis", log: RoomLog, found: list[bytes]) -> None:
    client.flushdb()
    for data in found:
        for stream in (SHARD, channel(Audience.ANALYST), PROVISIONAL):
            client.xadd(stream, {"data": data})
    EventLog(client).append([_event("last")])
    for stream in (channel(Audience.ANALYST), PROVISIONAL):
        client.xadd(stream, {"data": json.dumps({**SIGNAL, "signal_id": "last"})})
    look = log.look(MATCH, Audience.ANALYST, WANTED)
    for source, batch in look.batches.items():
        assert batch.complete
        told = [json.loads(b'{"x":0,' + item.body[1:]) for item in batch.items]
        assert (told[-1].get("event_id") or told[-1]["signal_id"]) == "last"
        assert all(one["match_id"] == MATCH for one in told)
        assert {one["kind"] for one in told} <= ({"event", "frame"} if source is Source.STATE else {"signal"})


def test_the_newest_entry_of_a_match_tells_when_it_was_played(client: "redis.Redis", log: RoomLog) -> None:
    client.flushdb()
    began = datetime.now(UTC) - timedelta(seconds=5)
    assert log.last_played(MATCH, began) is None
    EventLog(client, clock_ms=lambda: round(began.timestamp() * 1000)).append([_event()])
    other = Envelope(CanonicalEvent("x", _neighbour(), EventType.KILL, began))
    for number in range(3):
        EventLog(client).append(
            [Envelope(CanonicalEvent(f"{number}-{n}", other.event.match_id, EventType.KILL, began)) for n in range(400)]
        )
    played = log.last_played(MATCH, began - timedelta(seconds=1))
    assert played is not None
    assert abs((played - began).total_seconds()) < 0.002
    assert log.last_played(MATCH, began + timedelta(seconds=1)) is None


def _neighbour() -> str:
    """Another match of the same shard."""
    return next(name for n in range(1000) if shard_of(name := f"test:other:{n}") == shard_of(MATCH))
