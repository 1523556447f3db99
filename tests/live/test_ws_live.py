"""A live room over real sockets and a real Valkey: who gets what when, and nothing twice, early or missing."""

import asyncio
import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import ws_world as world
from ws_world import MATCH, Clock, client, content, follows, happening, name_of, names, passed, running, until

from esports_assets.canonical.vocabulary import EventType
from esports_assets.storage import valkey
from esports_assets.storage.database import connect as database_of
from esports_assets.storage.database import migrate
from esports_assets.streams.envelope import Closing, Envelope, decode, encode
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import shard_of, shard_stream
from serving.database import Database
from serving.gate import Audience, Policy
from serving.keys import Keys
from serving.release import Releases, channel
from serving.roles import Role, Scope
from serving.settings import Settings

LIVE = f"/ws/live/{MATCH}"


@pytest.fixture(scope="module")
def log_url(redis_url: str) -> str:
    return redis_url.replace("/0", "/12")


@pytest.fixture
def bus(log_url: str) -> Iterator["redis.Redis"]:
    found = redis.Redis.from_url(log_url)
    found.flushdb()
    yield found
    found.close()


@pytest.fixture(scope="module")
def migrated_url(database_url: str) -> str:
    engine = database_of(database_url)
    migrate(engine)
    engine.dispose()
    return database_url


@pytest.fixture(scope="module")
def keys(migrated_url: str) -> Iterator[Keys]:
    database = Database(migrated_url)
    yield Keys(database)
    database.close()


@pytest.fixture(scope="module")
def analyst(keys: Keys) -> str:
    return keys.create("ws analyst", Role.ANALYST, "test")[0]


def _settings(tmp_path: Path, log_url: str, migrated_url: str, **more: Any) -> Settings:
    return Settings(
        esports_home=str(tmp_path),
        redis_url=log_url,
        database_url=migrated_url,
        rate_burst=5_000,
        dagster_url="",
        **more,
    )


@pytest.fixture
def settings(tmp_path: Path, log_url: str, migrated_url: str, bus: "redis.Redis") -> Settings:
    return _settings(tmp_path, log_url, migrated_url)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_anonymous_client_of_a_live_match_gets_nothing_younger_than_the_public_delay(
    settings: Settings, bus: "redis.Redis", clock: Clock, analyst: str
) -> None:
    log = EventLog(bus, clock_ms=clock.ms)
    told: list[tuple[float, str]] = []

    async def play(base: str) -> None:
        log.append([happening(0, clock.at(0))])
        async with client(base + LIVE) as public, client(base + LIVE, analyst) as inside:
            await until(public, follows)
            assert names(await until(inside, follows)) == [name_of(0)]
            for step in range(1, 22):
                clock.seconds = 20.0 * step
                log.append([happening(step, clock.at(clock.seconds))])
                (now,) = await until(inside, lambda found: found["kind"] == "event")
                assert now["event_id"] == name_of(step)
                assert "hindsight" not in now["payload"]
                old_enough = [name_of(n) for n in range(step + 1) if 20 * (step - n) >= 180]
                assert names(await passed(base + LIVE)) == old_enough
                for name in old_enough[len(told) :]:
                    (late,) = content(await until(public, lambda found: found["kind"] == "event"))
                    assert late["event_id"] == name
                    told.append((clock.seconds, name))
            assert told == [(20.0 * (n + 9), name_of(n)) for n in range(13)]

    with running(settings, clock) as base:
        asyncio.run(play(base))


def test_state_stands_still_in_a_technical_pause_and_time_in_it_does_not_count(
    settings: Settings, bus: "redis.Redis", clock: Clock, analyst: str
) -> None:
    log, releases = EventLog(bus, clock_ms=clock.ms), Releases(bus, Policy(), clock=clock)

    async def play(base: str) -> None:
        log.append([happening(n, clock.at(0)) for n in range(3)])
        clock.seconds = 100
        assert releases.pause(MATCH, clock())
        log.append([happening(3, clock(), event_type=EventType.PAUSE, payload={"kind": "technical"})])
        clock.seconds = 500
        for key in (None, analyst):
            assert await _held(base, key) == []
        assert releases.resume(MATCH, clock())
        assert names(await passed(base + LIVE, analyst)) == [name_of(n) for n in range(4)]
        clock.seconds = 579
        assert names(await passed(base + LIVE)) == []
        clock.seconds = 580
        assert names(await passed(base + LIVE)) == [name_of(n) for n in range(3)]

    async def _held(base: str, key: str | None) -> list[str]:
        """What comes within a moment."""
        found: list[dict[str, Any]] = []
        async with client(base + LIVE, key) as connection:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    while True:
                        found.append(json.loads(await connection.recv()))
        return names(found)

    with running(settings, clock) as base:
        asyncio.run(play(base))


def _signal(number: int, at: datetime) -> dict[str, Any]:
    return {
        "signal_id": f"s{number}",
        "type": "STAR_PLAYER",
        "match_id": MATCH,
        "event_ts": at.isoformat(),
        "status": "APPROVED",
    }


def _fill(bus: "redis.Redis", start: int, stop: int) -> None:
    """Events and signals in turn, all of them old enough for everybody, and those of another match between them."""
    log, releases = EventLog(bus), Releases(bus, Policy())
    old = datetime.now(UTC) - timedelta(seconds=200)
    for number in range(start, stop):
        log.append([happening(number, old), happening(number, old, "test:other:1")])
        if number % 3 == 0:
            releases.schedule(_signal(number, old))
            releases.poll()
        if number % 4 == 0:
            data = json.dumps({**_signal(number, old), "signal_id": f"p{number}", "provisional": True})
            bus.xadd("signals:provisional", {"data": data})


@pytest.mark.parametrize("who", ["public", "analyst"])
def test_resuming_after_every_single_id_gives_the_same_rest_also_from_a_restarted_service(
    settings: Settings, bus: "redis.Redis", analyst: str, who: str
) -> None:
    key = analyst if who == "analyst" else None
    _fill(bus, 0, 12)

    async def first(base: str) -> list[dict[str, Any]]:
        async with client(base + LIVE, key) as connection:
            found = content(await until(connection, follows))
            await asyncio.to_thread(_fill, bus, 12, 15)
            while len(found) < 20:
                found += content([await world.message(connection)])
            return found

    async def again(base: str, whole: list[dict[str, Any]]) -> None:
        for place, after in enumerate(whole):
            found = await passed(f"{base}{LIVE}?after={after['id']}", key)
            assert found == whole[place + 1 :], place

    with running(settings) as base:
        whole = asyncio.run(first(base))
        asyncio.run(again(base, whole))
    assert len({one["id"] for one in whole}) == 20
    assert [name for name in names(whole) if not name.startswith("s")] == [name_of(n) for n in range(15)]
    assert [name for name in names(whole) if name.startswith("s")] == [f"s{n}" for n in range(0, 15, 3)]
    with running(settings) as base:
        asyncio.run(again(base, whole))


def test_signals_come_from_the_channel_of_the_audience_alone_and_provisional_ones_to_analysts_who_ask(
    settings: Settings, bus: "redis.Redis", analyst: str
) -> None:
    _fill(bus, 0, 5)
    forged = {**_signal(90, datetime.now(UTC)), "status": "PENDING_REVIEW"}
    bus.xadd("agent.signals", {"data": json.dumps(forged)})
    others = {**forged, "gated_at": datetime.now(UTC).isoformat(), "policy": {"audience": "ANALYST"}}
    for wrong in (forged, others, {**others, "policy": None}):
        bus.xadd(channel(Audience.PUBLIC), {"data": json.dumps(wrong)})

    async def ask(base: str) -> None:
        public = await passed(base + LIVE)
        assert [one["signal_id"] for one in public if one["kind"] == "signal"] == ["s0", "s3"]
        assert {one["policy"]["audience"] for one in public if one["kind"] == "signal"} == {"PUBLIC"}
        shapes = {(one["type"], one["signal_type"], one["label"]) for one in public if one["kind"] == "signal"}
        assert shapes == {("AGENT_SIGNAL", "STAR_PLAYER", "ANALYSIS_ONLY")}
        for audience in ("analyst", "coach", "educational"):
            found = await passed(f"{base}{LIVE}?audience={audience}", analyst)
            assert {one["policy"]["audience"] for one in found if one["kind"] == "signal"} == {audience.upper()}
        async with client(f"{base}{LIVE}?provisional=1", analyst) as connection:
            await until(connection, follows)
            await asyncio.to_thread(_fill, bus, 8, 9)
            early = await until(connection, lambda found: found.get("provisional") is True)
        assert early[-1]["signal_id"] == "p8"
        assert await _end(f"{base}{LIVE}?provisional=1") == 4403

    with running(settings) as base:
        asyncio.run(ask(base))


async def _end(url: str, key: str | None = None, say: str | None = None, **more: Any) -> int:
    """The code with which a connection ends; the last message before it says why."""
    async with client(url, key, **more) as connection:
        if say is not None:
            await connection.send(say)
        found, code, reason = await world.rest(connection)
    assert reason
    assert found[-1]["kind"] == "notice"
    assert found[-1]["message"].startswith(reason)
    return code


def test_who_may_not_come_in_is_told_why(settings: Settings, bus: "redis.Redis", keys: Keys, analyst: str) -> None:
    EventLog(bus).append([happening(0, datetime.now(UTC))])
    viewer = keys.create("ws viewer", Role.VIEWER, "test")[0]
    reader = keys.create("ws reader", Role.ANALYST, "test", scopes=(Scope.READ,))[0]

    async def ask(base: str) -> None:
        assert await _end(f"{base}/ws/live/test:nobody:1") == 4404
        assert await _end(base + LIVE, "esk_aaaaaaaaaa_" + "b" * 43) == 4401
        assert await _end(base + LIVE, reader) == 4403
        assert await _end(f"{base}{LIVE}?audience=analyst", viewer) == 4403
        assert await _end(f"{base}{LIVE}?audience=analyst") == 4403
        assert await _end(f"{base}{LIVE}?audience=king") == 4400
        assert await _end(f"{base}{LIVE}?after=zero") == 4400
        assert await _end(f"{base}{LIVE}?frames=maybe") == 4400
        assert await _end(base + LIVE, say="x" * 5_000) == 1009
        async with client(base + LIVE, analyst) as connection:
            inside = content(await until(connection, follows))
        assert await _end(f"{base}{LIVE}?after={inside[0]['id']}") == 4400
        browser: Any = ["esports.v1", f"bearer.{analyst}"]
        async with client(base + LIVE, subprotocols=browser) as connection:
            assert connection.subprotocol == "esports.v1"
            assert (await until(connection, follows))[-1]["audience"] == "ANALYST"
        assert await _end(base + LIVE, analyst, subprotocols=browser) == 4401
        async with client(base + LIVE) as connection:
            await until(connection, follows)
            await connection.send('{"type":"seek"}')
            assert (await world.message(connection))["code"] == "unknown_message"

    with running(settings) as base:
        asyncio.run(ask(base))


def test_a_revoked_key_ends_its_connections(
    tmp_path: Path, log_url: str, migrated_url: str, bus: "redis.Redis", keys: Keys
) -> None:
    EventLog(bus).append([happening(0, datetime.now(UTC))])
    text, key = keys.create("ws short", Role.ANALYST, "test")

    async def ask(base: str) -> int:
        async with client(base + LIVE, text) as connection:
            await until(connection, follows)
            await asyncio.to_thread(keys.revoke, key.prefix)
            return (await world.rest(connection))[1]

    with running(_settings(tmp_path, log_url, migrated_url, room_recheck_s=0.05)) as base:
        assert asyncio.run(ask(base)) == 4401


def test_there_are_only_so_many_seats(tmp_path: Path, log_url: str, migrated_url: str, bus: "redis.Redis") -> None:
    EventLog(bus).append([happening(0, datetime.now(UTC)), happening(0, datetime.now(UTC), "test:other:1")])

    async def ask(base: str) -> None:
        async with client(base + LIVE) as one, client(base + LIVE) as two:
            await until(one, follows)
            await until(two, follows)
            assert await _end(base + LIVE) == 4429
        while True:  # a seat is free as soon as the service has seen its client go
            async with client(base + LIVE) as again:
                if (await world.message(again))["kind"] == "state":
                    return

    with running(_settings(tmp_path, log_url, migrated_url, room_clients_per_account=2)) as base:
        asyncio.run(ask(base))


def _big(number: int) -> Envelope:
    return happening(number, datetime.now(UTC), payload={"text": "x" * 40_000})


def test_a_slow_client_is_dropped_with_a_reason_and_the_others_get_everything(
    tmp_path: Path, log_url: str, migrated_url: str, bus: "redis.Redis", analyst: str
) -> None:
    log, count = EventLog(bus), 600
    log.append([_big(0)])

    async def follow(base: str) -> None:
        async with client(base + LIVE, analyst) as fast, client(base + LIVE, analyst, max_queue=1) as slow:
            await until(fast, follows)
            await until(slow, follows)

            def play() -> None:
                for start in range(1, count, 20):
                    log.append([_big(number) for number in range(start, min(start + 20, count))])

            playing = asyncio.create_task(asyncio.to_thread(play))
            got = names(await until(fast, lambda found: found.get("event_id") == name_of(count - 1)))
            await playing
            assert got == [name_of(number) for number in range(1, count)]
            part, code, reason = await world.rest(slow)
            assert (code, reason[:27]) == (4408, "The connection is too slow:")
            start = len(content(part)) + 1
            assert 1 < start < count
            rest = await passed(f"{base}{LIVE}?after={part[-1]['id']}", analyst)
            assert names(rest) == [name_of(number) for number in range(start, count)]

    with running(_settings(tmp_path, log_url, migrated_url, room_queue=100)) as base:
        asyncio.run(follow(base))


def test_a_room_outlives_its_log_going_and_coming(tmp_path: Path) -> None:
    """The server of the log stops while two clients follow; what enters when it is back reaches them, once."""
    home = tmp_path / "valkey"
    server = valkey.ensure(home)

    async def follow(base: str) -> list[dict[str, Any]]:
        nonlocal server
        async with client(base + LIVE) as connection:
            await until(connection, follows)
            await asyncio.to_thread(valkey.stop, home, server)
            found = await until(connection, lambda found: found.get("code") == "log_away")
            server = await asyncio.to_thread(valkey.ensure, home)
            back = redis.Redis.from_url(server.url)
            await asyncio.to_thread(_old, back, 3, 6)
            found += await until(connection, lambda found: found.get("event_id") == name_of(5))
            back.close()
        return found

    try:
        before = redis.Redis.from_url(server.url)
        _old(before, 0, 3)
        before.close()
        alone = Settings(esports_home=str(tmp_path), redis_url=server.url, dagster_url="")
        with running(alone) as base:
            found = asyncio.run(follow(base))
    finally:
        valkey.stop(home, server)
    assert names(found) == [name_of(number) for number in range(3, 6)]
    assert [one["code"] for one in found if one["kind"] == "notice"] == ["log_away", "log_back"]


def _old(bus: "redis.Redis", start: int, stop: int) -> None:
    """Events that are old enough for everybody."""
    EventLog(bus).append(
        [happening(number, datetime.now(UTC) - timedelta(seconds=200)) for number in range(start, stop)]
    )


def test_one_who_wants_no_past_and_no_positions_gets_neither(
    settings: Settings, bus: "redis.Redis", analyst: str
) -> None:
    log = EventLog(bus)
    frame: dict[str, Any] = {"frame": [["test:p1", 1.0, 2.0, 3.0, 90.0, True, 0, 100]], "teams": [["test:t1", "ct"]]}

    def play(number: int) -> None:
        now = datetime.now(UTC)
        moved = happening(1000 + number, now, event_type=EventType.POSITION_UPDATE, payload=frame, actor=None)
        log.append([decode(encode(moved)), happening(number, now)])

    async def ask(base: str) -> None:
        await asyncio.to_thread(play, 0)
        await asyncio.sleep(0.005)  # the next entries stand behind this millisecond
        async with client(f"{base}{LIVE}?history=0&frames=0", analyst) as bare, client(base + LIVE, analyst) as full:
            assert content(await until(bare, follows)) == []
            past = content(await until(full, follows))
            assert [one["kind"] for one in past] == ["frame", "event"]
            assert past[0]["payload"]["frame"][0][:8] == frame["frame"][0]
            await asyncio.to_thread(play, 1)
            assert [one["kind"] for one in await until(full, lambda found: found["kind"] == "event")] == [
                "frame",
                "event",
            ]
            (only,) = await until(bare, lambda found: found["kind"] == "event")
            assert only["event_id"] == name_of(1)
            rest = await passed(f"{base}{LIVE}?after={past[0]['id']}", analyst)
            assert [one["kind"] for one in rest] == ["event", "frame", "event"]

    with running(settings) as base:
        asyncio.run(ask(base))


def test_the_end_of_a_match_is_told_to_who_follows_and_to_who_comes_later(
    settings: Settings, bus: "redis.Redis", analyst: str
) -> None:
    log = EventLog(bus)
    last = happening(1, datetime.now(UTC))
    log.append([happening(0, datetime.now(UTC))])

    async def ask(base: str) -> None:
        async with client(base + LIVE, analyst) as connection:
            await until(connection, follows)
            log.append([Envelope(last.event, live_offset_s=last.live_offset_s, closing=Closing(2, 0))])
            live = await until(connection, lambda found: found.get("phase") == "over")
        async with client(base + LIVE, analyst) as connection:
            later = await until(connection, follows)
        assert [one.get("phase") or one["event_id"] for one in live] == [name_of(1), "over"]
        assert [one.get("phase") or one["event_id"] for one in later] == [
            *("history", name_of(0), name_of(1)),
            *("over", "following"),
        ]

    with running(settings) as base:
        asyncio.run(ask(base))


def test_what_is_no_event_is_passed_over_and_an_event_cannot_forge_the_form(
    settings: Settings, bus: "redis.Redis", analyst: str
) -> None:
    log = EventLog(bus)
    shard = shard_stream(shard_of(MATCH))
    good = encode(happening(0, datetime.now(UTC)))
    log.append([happening(7, datetime.now(UTC))])
    for data in (b"", b"{", f'{{"match_id":"{MATCH}"}}'.encode(), good.replace(b"1.0", b"9.0"), b"\xff" + good):
        bus.xadd(shard, {"data": data})
    bus.xadd(shard, {"other": "field"})
    bus.xadd(shard, {"data": good[:-1] + b',"id":"forged","kind":"signal","provisional":true}'})

    async def ask(base: str) -> None:
        found = await passed(base + LIVE, analyst)
        assert names(found) == [name_of(7), name_of(0)]
        assert [one["kind"] for one in found] == ["event", "event"]
        assert found[1]["id"].startswith("a~")
        assert "provisional" not in found[1]

    with running(settings) as base:
        asyncio.run(ask(base))


def test_metrics_tell_clients_messages_drops_and_the_delay_of_state(
    settings: Settings, bus: "redis.Redis", analyst: str
) -> None:
    EventLog(bus).append([happening(0, datetime.now(UTC))])

    def scrape(base: str) -> list[str]:
        with urllib.request.urlopen(f"{base.replace('ws', 'http', 1)}/metrics", timeout=5) as answer:
            lines: list[str] = answer.read().decode().splitlines()
        return [line for line in lines if line.startswith("ws_")]

    async def ask(base: str) -> None:
        async with client(base + LIVE, analyst) as connection:
            await until(connection, follows)
            EventLog(bus).append([happening(1, datetime.now(UTC))])
            await until(connection, lambda found: found.get("event_id") == name_of(1))
            told = await asyncio.to_thread(scrape, base)
        assert 'ws_clients{audience="ANALYST",endpoint="live"} 1.0' in told
        assert 'ws_messages_sent_total{endpoint="live",kind="event"} 2.0' in told
        assert 'ws_state_delay_seconds_count{audience="ANALYST"} 1.0' in told
        assert await _end(f"{base}{LIVE}?audience=analyst") == 4403
        told = await asyncio.to_thread(scrape, base)
        assert 'ws_connections_closed_total{endpoint="live",reason="not_allowed"} 1.0' in told
        while 'ws_clients{audience="ANALYST",endpoint="live"} 0.0' not in told:
            told = await asyncio.to_thread(scrape, base)

    with running(settings) as base:
        asyncio.run(ask(base))


def test_a_log_that_lost_what_was_told_is_told_once_and_the_room_goes_on(
    settings: Settings, bus: "redis.Redis", analyst: str
) -> None:
    log = EventLog(bus)
    log.append([happening(0, datetime.now(UTC))])

    async def follow(base: str) -> list[dict[str, Any]]:
        async with client(base + LIVE, analyst) as connection:
            await until(connection, follows)
            log.append([happening(1, datetime.now(UTC))])
            await until(connection, lambda found: found.get("event_id") == name_of(1))
            bus.flushdb()
            log.append([happening(0, datetime.now(UTC), "test:first:1")])
            bus.delete(shard_stream(shard_of(MATCH)))
            bus.xadd(shard_stream(shard_of(MATCH)), {"data": "{"}, id="5-0")
            found = await until(connection, lambda found: found.get("code") == "log_lost")
            bus.delete(shard_stream(shard_of(MATCH)))
            log.append([happening(2, datetime.now(UTC))])
            return found + await until(connection, lambda found: found.get("event_id") == name_of(2))

    with running(settings) as base:
        found = asyncio.run(follow(base))
    assert [one.get("code") or one["event_id"] for one in found] == ["log_lost", name_of(2)]


def test_whoever_joins_a_busy_room_gets_everything_once_and_in_order(
    settings: Settings, bus: "redis.Redis", analyst: str
) -> None:
    """Joining falls between the looks of the room's own reader, wherever it happens."""
    log, count = EventLog(bus), 900
    log.append([happening(0, datetime.now(UTC))])

    def play() -> None:
        for number in range(1, count, 3):
            log.append([happening(one, datetime.now(UTC)) for one in range(number, min(number + 3, count))])
            time.sleep(0.002)

    async def follow(base: str, wait_s: float, query: str) -> list[str]:
        await asyncio.sleep(wait_s)
        async with client(base + LIVE + query, analyst) as connection:
            return names(await until(connection, lambda found: found.get("event_id") == name_of(count - 1)))

    async def crowd(base: str) -> None:
        waits = [0.06 * number for number in range(15)]
        visits = [
            follow(base, wait_s, "?provisional=1" if place % 5 == 0 else "") for place, wait_s in enumerate(waits)
        ]
        found = await asyncio.gather(asyncio.to_thread(play), *visits)
        whole = [name_of(number) for number in range(count)]
        assert [names == whole for names in found[1:]] == [True] * len(waits)

    with running(settings) as base:
        asyncio.run(crowd(base))


def test_a_room_goes_no_faster_than_its_fastest_client(
    tmp_path: Path, log_url: str, migrated_url: str, bus: "redis.Redis", analyst: str
) -> None:
    """A burst is no reason to drop somebody who reads all the time."""
    log, count = EventLog(bus), 300
    log.append([_big(0)])

    async def follow(base: str) -> list[str]:
        async with client(base + LIVE, analyst, max_queue=1) as steady:
            await until(steady, follows)
            for start in range(1, count, 50):
                log.append([_big(number) for number in range(start, min(start + 50, count))])
            found = [await world.message(steady)]
            while found[-1].get("event_id") != name_of(count - 1):
                await asyncio.sleep(0.003)
                found.append(await world.message(steady))
            return names(found)

    with running(_settings(tmp_path, log_url, migrated_url, room_queue=8)) as base:
        assert asyncio.run(follow(base)) == [name_of(number) for number in range(1, count)]
