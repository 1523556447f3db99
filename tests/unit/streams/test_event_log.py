"""Appending, retention, reading, gaps."""

import threading
from hashlib import blake2b

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis, ResponseError
from stream_samples import StillClock, data_of, envelope

from esports_assets.canonical.event import WireError
from esports_assets.streams.connect import connect
from esports_assets.streams.errors import GapError, LogLost
from esports_assets.streams.log import LARGEST_BATCH, EventLog, Lag
from esports_assets.streams.names import CANONICAL, SHARDS, ids_key, shard_of, shard_stream

MATCH = "test:m:1"
SHARD = shard_stream(shard_of(MATCH))


def ids(client: Redis, stream: str) -> list[str]:
    return [entry.decode() for entry, _ in client.xrange(stream)]


def test_the_shard_is_the_hash_of_the_match() -> None:
    digest = blake2b(b"cs2_demo:x:1", digest_size=8).digest()
    assert shard_of("cs2_demo:x:1") == int.from_bytes(digest, "big") % 16
    assert {shard_of(f"m{n}") for n in range(500)} == set(range(SHARDS))


def test_an_event_stands_in_both_streams_under_one_id(client: Redis) -> None:
    done = EventLog(client).append([envelope(0), envelope(1)])
    assert [entry.duplicate for entry in done] == [False, False]
    assert ids(client, CANONICAL) == ids(client, SHARD) == [entry.entry_id for entry in done]
    assert client.xrange(SHARD) == client.xrange(CANONICAL)
    assert client.xrange(SHARD)[1][1] == {b"data": data_of(1)}


def test_a_batch_of_many_matches_goes_to_their_shards(client: Redis) -> None:
    matches = [f"test:m:{n}" for n in range(40)]
    EventLog(client).append([envelope(n, match) for match in matches for n in range(3)])
    assert client.xlen(CANONICAL) == 120
    for shard in range(SHARDS):
        mine = [m for m in matches if shard_of(m) == shard]
        expected = [data_of(n, m) for m in mine for n in range(3)]
        assert [fields[b"data"] for _, fields in client.xrange(shard_stream(shard))] == expected


def test_an_event_enters_once(client: Redis) -> None:
    log = EventLog(client)
    log.append([envelope(0), envelope(1)])
    done = log.append([envelope(1), envelope(2), envelope(2)])
    assert [entry.duplicate for entry in done] == [True, False, True]
    assert [entry.event_id for entry in done] == [envelope(n).event.event_id for n in (1, 2, 2)]
    assert client.xlen(CANONICAL) == client.xlen(SHARD) == 3
    assert log.append([envelope(0)])[0].entry_id is None
    assert log.append([]) == []


def test_ids_expire_with_the_retention(client: Redis) -> None:
    EventLog(client, retention_h=2).append([envelope(0)])
    assert client.scard(ids_key(MATCH)) == 1
    assert 7_195_000 < client.pttl(ids_key(MATCH)) <= 7_200_000


def test_many_writers_of_the_same_events_write_each_once(client: Redis, stream_url: str) -> None:
    def write(worker: int) -> None:
        log = EventLog(connect(stream_url))
        for n in range(60):
            log.append([envelope((n + worker * 7) % 60), envelope(n)])

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fields[b"data"] for _, fields in client.xrange(CANONICAL)) == sorted(data_of(n) for n in range(60))
    assert ids(client, CANONICAL) == ids(client, SHARD)


@pytest.mark.parametrize("key", [CANONICAL, SHARD, ids_key(MATCH)])
def test_a_key_of_another_kind_stops_everything(client: Redis, key: str) -> None:
    client.set(key, "somebody else's")
    with pytest.raises(ResponseError, match="nothing was written"):
        EventLog(client).append([envelope(0)])
    assert client.keys() == [key.encode()]


def test_an_event_that_json_cannot_hold_stops_its_batch(client: Redis) -> None:
    with pytest.raises(WireError, match=envelope(1).event.event_id):
        EventLog(client).append([envelope(0), envelope(1, payload={"what": object()})])
    assert client.keys() == []


def test_a_batch_has_a_largest_size(client: Redis) -> None:
    with pytest.raises(ValueError, match="1001 events are more than 1000"):
        EventLog(client).append([envelope(n) for n in range(LARGEST_BATCH + 1)])


def test_ids_follow_a_server_clock_that_went_back(client: Redis) -> None:
    clock = StillClock()
    log = EventLog(client, clock_ms=clock)
    first = log.append([envelope(0)])[0].entry_id
    clock.pass_s(-60)
    second = log.append([envelope(1)])[0].entry_id
    assert first == f"{clock.now + 60_000}-0"
    assert second == f"{clock.now + 60_000}-1"
    client.delete(CANONICAL)  # the shard is ahead now
    third = log.append([envelope(2)])[0].entry_id
    assert third == f"{clock.now + 60_000}-2"
    assert ids(client, SHARD) == [first, second, third]


def test_retention_takes_what_is_older_and_nothing_else(client: Redis) -> None:
    clock = StillClock()
    log = EventLog(client, retention_h=1, clock_ms=clock)
    log.append([envelope(0), envelope(1)])
    clock.pass_s(1800)
    log.append([envelope(2)])
    clock.pass_s(1800)
    log.append([envelope(3)])
    assert client.xlen(CANONICAL) == 4  # an hour old is not older than an hour
    clock.pass_s(0.001)
    log.append([envelope(4)])
    for stream in (CANONICAL, SHARD):
        assert [fields[b"data"] for _, fields in client.xrange(stream)] == [data_of(n) for n in (2, 3, 4)]


def test_an_append_trims_a_bounded_number(client: Redis) -> None:
    clock = StillClock()
    log = EventLog(client, retention_h=1, clock_ms=clock)
    for start in range(0, 3000, 500):
        log.append([envelope(n) for n in range(start, start + 500)])
    clock.pass_s(7200)
    log.append([envelope(5000)])
    left = client.xlen(CANONICAL)
    assert 2800 < left < 3000
    for n in range(40):
        log.append([envelope(6000 + n)])
    assert client.xlen(CANONICAL) == 41


def test_a_retention_must_keep_something(client: Redis) -> None:
    with pytest.raises(ValueError, match="keep nothing"):
        EventLog(client, retention_h=0)


def test_reading_goes_on_after_an_id(client: Redis) -> None:
    log = EventLog(client)
    done = log.append([envelope(n) for n in range(5)])
    first = log.read_after(count=2)
    assert [entry.data for entry in first] == [data_of(0), data_of(1)]
    rest = log.read_after(first[-1].id)
    assert [entry.id for entry in rest] == [entry.entry_id for entry in done[2:]]
    assert rest[0].envelope() == envelope(2)
    assert log.read_after(rest[-1].id) == []
    assert [entry.id for entry in log.read_after("0-0", stream=SHARD)] == [entry.entry_id for entry in done]


def test_an_empty_log(client: Redis) -> None:
    log = EventLog(client)
    assert log.read_after() == log.read_after("0-0") == []
    assert log.first_id() is log.last_id() is None
    assert log.lag(None) == log.lag("0-0") == Lag(0, 0.0)


def test_a_cursor_behind_the_retention_is_a_gap(client: Redis) -> None:
    clock = StillClock()
    log = EventLog(client, retention_h=1, clock_ms=clock)
    start = clock.now
    for n in range(4):
        log.append([envelope(n)])
        clock.pass_s(10)
    clock.pass_s(3600 - 15)  # 0, 1 and 2 are too old at the next append
    log.append([envelope(4)])
    with pytest.raises(GapError, match=r"20\.000 s of them") as caught:
        log.read_after(f"{start}-0")
    gap = caught.value
    assert (gap.stream, gap.cursor, gap.gone) == (CANONICAL, f"{start}-0", f"{start + 20_000}-0")
    assert (gap.oldest, gap.behind_s) == (f"{start + 30_000}-0", 20.0)
    with pytest.raises(GapError, match="from the beginning on") as caught:
        log.read_after("0-0")
    assert caught.value.behind_s is None
    assert [e.data for e in log.read_after(f"{start + 20_000}-0")] == [data_of(3), data_of(4)]
    assert [e.data for e in log.read_after()] == [data_of(3), data_of(4)]
    assert log.first_id() == gap.oldest


def test_a_gap_is_told_where_nothing_is_left(client: Redis) -> None:
    log = EventLog(client)
    done = log.append([envelope(0), envelope(1)])
    client.xdel(CANONICAL, *[str(entry.entry_id) for entry in done])
    with pytest.raises(GapError, match="nothing is left") as caught:
        log.read_after(done[0].entry_id)
    assert (caught.value.oldest, caught.value.gone) == (None, done[1].entry_id)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 4)), min_size=1, max_size=12), st.data())
def test_a_reader_gets_everything_after_its_cursor_or_an_error(
    client: Redis, steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Whatever is trimmed when: no cursor ever skips an entry silently, and none that missed nothing hears of a gap."""
    client.flushdb()
    clock = StillClock()
    log = EventLog(client, retention_h=5 / 3600, clock_ms=clock)
    written: list[str] = []
    for wait_ms, count in steps:
        clock.now += wait_ms
        written += [str(a.entry_id) for a in log.append([envelope(len(written) + n) for n in range(count)])]
    left = ids(client, CANONICAL)
    assert left == written[len(written) - len(left) :]
    position = data.draw(st.integers(-1, len(written) - 1))
    cursor = "0-0" if position < 0 else written[position]
    lost = position + 1 < len(written) - len(left)
    if lost:
        with pytest.raises(GapError):
            log.read_after(cursor)
    else:
        assert [entry.id for entry in log.read_after(cursor)] == written[position + 1 :]


def test_a_log_that_ends_before_the_cursor_is_another_one(client: Redis) -> None:
    log = EventLog(client)
    with pytest.raises(LogLost, match="ends at 0-0"):
        log.read_after("1800000000000-0")
    done = log.append([envelope(0)])
    with pytest.raises(LogLost, match=f"ends at {done[0].entry_id}"):
        log.read_after("99999999999999-0")


def test_lag_counts_entries_up_to_a_bound_and_seconds(client: Redis) -> None:
    clock = StillClock()
    log = EventLog(client, clock_ms=clock)
    done = []
    for n in range(10):
        done += log.append([envelope(n)])
        clock.pass_s(2)
    assert log.lag(done[-1].entry_id) == Lag(0, 0.0)
    assert log.lag(done[6].entry_id) == Lag(3, 6.0)
    assert log.lag(None) == log.lag("0-0") == Lag(10, 18.0)
    assert log.lag(done[0].entry_id, count_up_to=4) == Lag(4, 18.0, at_least=True)
    assert log.first_id() == done[0].entry_id
    assert log.last_id() == done[-1].entry_id
