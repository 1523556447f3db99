"""Joining a room's reader, and what an outbox does, on a real log."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.log import EventLog
from serving.gate import Audience, Policy
from serving.metrics import Metrics
from serving.room_access import Limits, Seats
from serving.room_connection import Outbox
from serving.room_ends import Code, Ended
from serving.room_ids import NOTHING, Position
from serving.room_log import RoomLog
from serving.room_merge import Merge
from serving.rooms import Hub, LaneKey, Viewer

MATCH = "test:rooms:1"
KEY = LaneKey(MATCH, Audience.ANALYST, provisional=False)
START = Position((NOTHING, NOTHING, NOTHING))
PATIENCE_S = 20


@pytest.fixture
def url(redis_url: str) -> str:
    return redis_url.replace("/0", "/14")


@pytest.fixture
def log(url: str) -> Iterator[EventLog]:
    client = redis.Redis.from_url(url)
    client.flushdb()
    yield EventLog(client)
    client.close()


def _append(log: EventLog, name: str) -> None:
    event = CanonicalEvent(name, MATCH, EventType.KILL, datetime.now(UTC) - timedelta(seconds=1))
    log.append([Envelope(event)])


def _hub(url: str) -> Hub:
    limits = Limits()
    return Hub(RoomLog(url, Policy()), Policy(), limits, Metrics(), Seats(limits))


async def _read(hub: Hub, viewer: Viewer, merge: Merge) -> list[str]:
    """What has passed, read by a client of its own."""
    found: list[str] = []
    while True:
        look = await hub.look(KEY, merge, viewer.notify)
        found += [message.item.event_id for message in merge.due(look) if viewer.takes(message)]
        if merge.told_ms == look.until_ms:
            return found


def test_a_client_that_is_behind_the_reader_may_not_join_it(url: str, log: EventLog) -> None:
    _append(log, "e0")

    async def visit() -> None:
        hub = _hub(url)
        first, second = (Viewer(Outbox(hub.limits), KEY, START, frames=True) for _ in range(2))
        merges = [hub.reader(KEY, START) for _ in range(2)]
        await asyncio.sleep(0.005)
        async with asyncio.timeout(PATIENCE_S):
            assert await _read(hub, first, merges[0]) == ["e0"]
            assert await _read(hub, second, merges[1]) == ["e0"]
            assert hub.join(first, merges[0])
            await asyncio.to_thread(_append, log, "e1")
            assert "e1" in (await first.outbox.take())[1]
            assert not hub.join(second, merges[1])
            await asyncio.sleep(0.005)
            assert await _read(hub, second, merges[1]) == ["e1"]
            while not hub.join(second, merges[1]):
                await _read(hub, second, merges[1])
            await asyncio.to_thread(_append, log, "e2")
            told = [await viewer.outbox.take() for viewer in (first, second)]
            assert told[0] == told[1]
            assert '"event_id":"e2"' in told[0][1]
            assert hub.lanes == 1
            hub.leave(first)
            hub.leave(second)
            while hub.lanes:
                await asyncio.sleep(0.01)
        await hub.close()
        hub.log.close()

    asyncio.run(visit())


def test_closing_tells_every_client_that_the_service_stops(url: str, log: EventLog) -> None:
    _append(log, "e0")

    async def visit() -> None:
        hub = _hub(url)
        viewer, merge = Viewer(Outbox(hub.limits), KEY, START, frames=True), hub.reader(KEY, START)
        await asyncio.sleep(0.005)
        await _read(hub, viewer, merge)
        assert hub.join(viewer, merge)
        await asyncio.sleep(0)
        await hub.close()
        assert (await viewer.dropped).code is Code.RESTART
        hub.log.close()

    asyncio.run(visit())


def test_a_full_outbox_ends_its_connection_and_keeps_what_it_has() -> None:
    async def fill() -> None:
        outbox = Outbox(Limits(queue=2))
        for text in ("a", "b"):
            outbox.offer("event", text)
        assert not outbox.overflown.done()
        outbox.offer("event", "c")
        assert outbox.overflown.done()
        assert [outbox.taken()[1] for _ in range(len(outbox))] == ["a", "b"]
        large = Outbox(Limits(queue_bytes=3))
        large.offer("event", "abc")
        large.offer("event", "d")
        assert large.overflown.done()

    asyncio.run(fill())


def test_who_serves_one_client_waits_for_room() -> None:
    async def fill() -> None:
        outbox = Outbox(Limits())
        for number in range(100):
            await outbox.put("event", str(number))
        more = asyncio.create_task(outbox.put("event", "100"))
        await asyncio.sleep(0)
        assert not more.done()
        assert (await outbox.take())[1] == "0"
        await more
        assert len(outbox) == 100

    asyncio.run(fill())


def test_seats_are_counted_per_process_room_and_account_and_given_back() -> None:
    seats = Seats(Limits(clients=3, per_room=2, per_account=2, rooms=2))
    with seats.taken("a", "x"), seats.taken("b", "y"):
        with pytest.raises(Ended, match="2 rooms"), seats.taken("c", "z"):
            pass
        with seats.taken("a", "x"), pytest.raises(Ended, match="3 clients"), seats.taken("b", "z"):
            pass
        with seats.taken("a", "z"), pytest.raises(Ended, match="3 clients"), seats.taken("b", "z"):
            pass
    with seats.taken("a", "x"), seats.taken("a", "x"):
        with pytest.raises(Ended, match="room has 2"), seats.taken("a", "y"):
            pass
        with pytest.raises(Ended, match="account has 2"), seats.taken("b", "x"):
            pass
    with seats.taken("c", "x"), seats.taken("d", "x"):
        pass
