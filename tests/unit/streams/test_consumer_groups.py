"""Groups: beginning, pending, reclaiming, limits, gaps, malformed entries."""

import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis, ResponseError
from stream_samples import StillClock, data_of, envelope

from esports_assets.streams.connect import connect
from esports_assets.streams.deadletter import DeadLetters
from esports_assets.streams.entries import Entry
from esports_assets.streams.errors import GapError, LostLease
from esports_assets.streams.groups import ALONE_AFTER, TRIMMED, ConsumerGroup, news
from esports_assets.streams.leases import ShardLeases
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import DEAD, shard_of, shard_stream

MATCH = "test:m:1"
STREAM = shard_stream(shard_of(MATCH))


def group(client: Redis, consumer: str = "a", **more: int) -> ConsumerGroup:
    made = ConsumerGroup(client, STREAM, "g", consumer, **more)
    made.ensure()
    return made


def fill(client: Redis, *numbers: int, **more: float) -> list[str]:
    return [str(a.entry_id) for a in EventLog(client, **more).append([envelope(n) for n in numbers])]


def datas(entries: tuple[Entry, ...] | list[Entry]) -> list[bytes | None]:
    return [entry.data for entry in entries]


def pending_ids(client: Redis) -> list[str]:
    return [row["message_id"].decode() for row in client.xpending_range(STREAM, "g", "-", "+", 1000)]


def test_a_group_begins_with_what_came_before_it(client: Redis) -> None:
    fill(client, 0, 1)
    mine = ConsumerGroup(client, STREAM, "g", "a")
    assert mine.ensure()
    assert not mine.ensure()
    assert datas(mine.read(count=1)) == [data_of(0)]
    assert mine.lag() == 1
    assert datas(mine.read()) == [data_of(1)]
    assert mine.read() == []


def test_a_group_may_be_there_before_its_stream(client: Redis) -> None:
    mine = group(client)
    assert mine.read() == []
    fill(client, 0)
    assert datas(mine.read()) == [data_of(0)]


def test_without_its_group_nothing_is_read(client: Redis) -> None:
    with pytest.raises(ResponseError, match="NOGROUP"):
        ConsumerGroup(client, STREAM, "g", "a").read()


def test_consumers_of_a_group_share_entries(client: Redis) -> None:
    fill(client, *range(6))
    a, b = group(client, "a"), group(client, "b")
    assert datas(a.read(count=4)) == [data_of(n) for n in range(4)]
    assert datas(b.read()) == [data_of(4), data_of(5)]


def test_what_is_not_acknowledged_comes_again_after_a_restart(client: Redis) -> None:
    fill(client, 0, 1, 2)
    entries = group(client).read()
    assert group(client).ack(entries[:1]) == 1
    again = group(client).pending()
    assert datas(again.entries) == [data_of(1), data_of(2)]
    assert [entry.deliveries for entry in again.entries] == [2, 2]
    assert datas(group(client).pending(after=again.entries[0].id).entries) == [data_of(2)]
    assert group(client, "b").pending().entries == ()
    assert group(client).ack([]) == 0


def test_entries_of_a_dead_consumer_are_taken_over(client: Redis) -> None:
    fill(client, 0, 1, 2)
    group(client, "dead").read(count=2)
    alive = group(client, "alive")
    assert alive.reclaim(min_idle_ms=60_000).entries == ()
    time.sleep(0.03)
    taken = alive.reclaim(min_idle_ms=20)
    assert datas(taken.entries) == [data_of(0), data_of(1)]
    assert alive.ack(taken.entries) == 2
    assert alive.reclaim(min_idle_ms=0).entries == ()
    assert datas(alive.read()) == [data_of(2)]


def test_what_always_fails_comes_alone_and_then_becomes_a_dead_letter(client: Redis) -> None:
    """A consumer that dies of one entry of its batch loses none of the others."""
    ids = fill(client, *range(6))
    handled: list[bytes | None] = []
    clock = StillClock()

    def die_of_number_three(mine: ConsumerGroup, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            if entry.data == data_of(3):
                raise KeyboardInterrupt
        handled.extend(datas(entries))
        mine.ack(entries)

    lives = 0
    while lives < 100:
        lives += 1
        mine = ConsumerGroup(client, STREAM, "g", "a", max_deliveries=6, clock_ms=clock)
        mine.ensure()
        try:
            while (taken := mine.pending()).entries or taken.buried:
                die_of_number_three(mine, taken.entries)
            if not (fresh := mine.read()):
                break
            die_of_number_three(mine, tuple(fresh))
        except KeyboardInterrupt:
            continue
    assert sorted(handled) == sorted(data_of(n) for n in (0, 1, 2, 4, 5))  # type: ignore[type-var]
    (letter,) = DeadLetters(client).letters()
    assert (letter.data, letter.stream, letter.entry_id, letter.group) == (data_of(3), STREAM, ids[3], "g")
    assert (letter.deliveries, letter.reason) == (6, "delivered 6 times and never finished")
    assert letter.at.timestamp() * 1000 == clock.now
    assert pending_ids(client) == []
    assert lives > ALONE_AFTER


def test_reclaiming_has_the_same_limit(client: Redis) -> None:
    fill(client, 0, 1)
    group(client, "first").read()
    for n in range(2):
        assert len(group(client, f"next{n}", max_deliveries=3).reclaim(min_idle_ms=0).entries) == 2
    taken = [group(client, "last", max_deliveries=3).reclaim(min_idle_ms=0) for _ in range(2)]
    assert [t.entries for t in taken] == [(), ()]
    assert [letter.data for letter in DeadLetters(client).letters()] == [data_of(0), data_of(1)]
    assert pending_ids(client) == []


def test_a_failure_is_tried_again_until_the_limit(client: Redis) -> None:
    fill(client, 0)
    mine = group(client, max_deliveries=3)
    (entry,) = mine.read()
    seen = [mine.failed(entry, "database away")]
    for _ in range(2):
        (entry,) = mine.pending().entries
        seen.append(mine.failed(entry, "database away"))
    assert seen == [False, False, True]
    (letter,) = DeadLetters(client).letters()
    assert (letter.reason, letter.deliveries, letter.data) == ("database away", 3, data_of(0))
    assert not mine.failed(entry, "once more")
    assert client.xlen(DEAD) == 1


def test_what_was_trimmed_while_pending_is_recorded(client: Redis) -> None:
    first, second, third = fill(client, 0, 1, 2)
    mine = group(client)
    mine.read(count=2)
    client.xdel(STREAM, first)
    taken = mine.pending()
    assert (datas(taken.entries), taken.buried) == ([data_of(1)], (first,))
    client.xdel(STREAM, second)
    assert group(client, "b").reclaim(min_idle_ms=0).buried == (second,)
    assert [(e.entry_id, e.reason, e.data) for e in DeadLetters(client).letters()] == [
        (first, TRIMMED, b""),
        (second, TRIMMED, b""),
    ]
    assert pending_ids(client) == []
    assert datas(mine.read()) == [data_of(2)]
    assert third


def test_a_group_behind_the_retention_hears_of_it_until_it_passes(client: Redis) -> None:
    clock = StillClock()
    log = EventLog(client, retention_h=1, clock_ms=clock)
    log.append([envelope(0), envelope(1)])
    mine = group(client)
    mine.read(count=1)
    (before,) = client.xinfo_groups(STREAM)
    clock.pass_s(3700)
    log.append([envelope(2)])
    for _ in range(2):
        with pytest.raises(GapError) as caught:
            mine.read()
        (after,) = client.xinfo_groups(STREAM)
        assert after["last-delivered-id"] == before["last-delivered-id"]
        assert after["pending"] == 1
        assert client.keys("*aside*") == []
    assert caught.value.gone.endswith("-1")
    assert caught.value.oldest == f"{clock.now}-0"
    assert mine.pass_gap(caught.value)
    assert datas(mine.read()) == [data_of(2)]
    assert not mine.pass_gap(caught.value)  # never back


def test_a_new_group_on_a_trimmed_stream_begins_with_what_is_left(client: Redis) -> None:
    clock = StillClock()
    log = EventLog(client, retention_h=1, clock_ms=clock)
    log.append([envelope(0)])
    clock.pass_s(3700)
    log.append([envelope(1)])
    assert datas(group(client).read()) == [data_of(1)]


def test_reading_waits_for_the_first_entry(client: Redis, stream_url: str) -> None:
    mine = group(client)
    threading.Timer(0.1, lambda: fill(connect(stream_url), 0)).start()
    assert datas(mine.read(block_ms=5000)) == [data_of(0)]
    assert mine.read(block_ms=1) == []


def test_waiting_for_several_streams(client: Redis) -> None:
    groups = [ConsumerGroup(client, shard_stream(shard), "g", "a") for shard in range(16)]
    for mine in groups:
        mine.ensure()
        mine.read()
    assert news(groups) == news(groups, block_ms=1) == set()
    fill(client, 0)
    assert news(groups) == news(groups, block_ms=5000) == {STREAM}
    assert news([], block_ms=1) == set()


def test_malformed_entries_become_dead_letters_and_the_good_stay(client: Redis) -> None:
    fill(client, 0)
    bad = client.xadd(STREAM, {"data": b'{"event_id": 1}'}).decode()
    foreign = client.xadd(STREAM, {"what": "ever"}).decode()
    fill(client, 1)
    mine = group(client)
    good = mine.deliveries(mine.read())
    assert [delivery.envelope for delivery in good] == [envelope(0), envelope(1)]
    first, second = DeadLetters(client).letters()
    assert (first.entry_id, first.data, first.stream) == (bad, b'{"event_id": 1}', STREAM)
    assert first.reason.startswith("malformed: not a canonical event: Expected `str`, got `int` - at `$.event_id`")
    assert (second.entry_id, second.data) == (foreign, b'["what","ever"]')
    assert pending_ids(client) == [delivery.entry.id for delivery in good]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=64), st.integers(0, 30)), max_size=10))
def test_any_bytes_in_the_stream_lose_no_good_event(client: Redis, what: list[bytes | int]) -> None:
    client.flushdb()
    for item in what:
        client.xadd(STREAM, {"data": item if isinstance(item, bytes) else data_of(item)})
    mine = group(client)
    good = mine.deliveries(mine.read())
    assert [d.envelope for d in good] == [envelope(item) for item in what if isinstance(item, int)]
    assert [letter.data for letter in DeadLetters(client).letters()] == [i for i in what if isinstance(i, bytes)]


def test_a_dead_letter_is_written_once(client: Redis) -> None:
    fill(client, 0)
    mine = group(client)
    entries = mine.read()
    assert mine.bury([(entries[0], "no")]) == 1
    assert mine.bury([(entries[0], "no")]) == 0
    assert mine.bury([]) == 0
    assert client.xlen(DEAD) == 1


def test_who_lost_the_shard_buries_nothing(client: Redis) -> None:
    fill(client, 0)
    leases = ShardLeases(client, "g", "w")
    lease = leases.heartbeat().held[shard_of(MATCH)]
    mine = group(client)
    (entry,) = mine.read()
    leases.release(lease)
    with pytest.raises(LostLease):
        mine.bury([(entry, "no")], lease)
    assert client.xlen(DEAD) == 0
    assert pending_ids(client) == [entry.id]
    assert mine.bury([(entry, "no")], leases.heartbeat().held[shard_of(MATCH)]) == 1


def test_silent_consumers_without_work_are_forgotten(client: Redis) -> None:
    fill(client, 0)
    group(client, "busy").read()
    group(client, "idle").read()
    assert group(client).tidy(idle_ms=60_000) == 0
    assert group(client).tidy(idle_ms=0) == 1
    assert [row["name"] for row in client.xinfo_consumers(STREAM, "g")] == [b"busy"]
    assert group(client).lag() == 0
    client.delete(STREAM)
