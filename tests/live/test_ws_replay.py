"""A match of the lake over a WebSocket: played with a clock of its own, wound, resumed, and behind the same gate."""

import asyncio
import dataclasses
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import ws_world as world
from tiny_match import tiny_match
from ws_world import Clock, client, content, follows, happening, name_of, names, passed, rest, running, until

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.codec import events_table, table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import ROUNDS, TRACKING
from esports_assets.storage.database import connect as database_of
from esports_assets.storage.database import migrate
from esports_assets.storage.lake import Lake
from esports_assets.streams.log import EventLog
from esports_assets.streams.replay import Playable, envelopes_of, play
from serving.database import Database
from serving.gate import Policy
from serving.keys import Keys
from serving.recording import FRAMES_HZ, Recording
from serving.release import Releases
from serving.replay_clock import Playhead, order_of
from serving.roles import Role
from serving.settings import Settings

MATCH = "test:replay:1"
REPLAY = f"/ws/replay/{MATCH}"
OLD = datetime(2026, 5, 17, 12, tzinfo=UTC)
EVENTS = 12
PLAYERS = ("test:p1", "test:p6")
TRACKED_HZ, TRACKED_S = 16.0, 3
EVENT_NAMES = [name_of(number, MATCH) for number in range(EVENTS)]


def _match(started: datetime) -> CanonicalMatch:
    """A kill each second from 1 s on, and two players who are tracked for three seconds from the beginning."""
    whole = tiny_match(MATCH, day=started.date())
    kills = [
        happening(n, started + timedelta(days=1, seconds=n + 1), MATCH, t=float(n + 1)).event for n in range(EVENTS)
    ]
    rows = [(n / TRACKED_HZ, player) for n in range(round(TRACKED_HZ * TRACKED_S)) for player in PLAYERS]
    one = {**whole.tracking.to_pylist()[0], "match_id": MATCH}
    tracking = {name: [one[name]] * len(rows) for name in TRACKING.names}
    tracking |= {"t_s": [t for t, _ in rows], "player": [player for _, player in rows]}
    round_1 = {**whole.rounds.to_pylist()[0], "started_at": utc_us(started)}
    found: CanonicalMatch = dataclasses.replace(
        whole,
        events=events_table(kills),
        tracking=table_of(TRACKING, tracking),
        rounds=table_of(ROUNDS, {name: [round_1[name]] for name in ROUNDS.names}),
    )
    return found


@pytest.fixture(scope="module")
def log_url(redis_url: str) -> str:
    return redis_url.replace("/0", "/13")


@pytest.fixture
def bus(log_url: str) -> Iterator["redis.Redis"]:
    found = redis.Redis.from_url(log_url)
    found.flushdb()
    yield found
    found.close()


@pytest.fixture(scope="module")
def analyst(database_url: str) -> Iterator[str]:
    engine = database_of(database_url)
    migrate(engine)
    engine.dispose()
    database = Database(database_url)
    yield Keys(database).create("replay analyst", Role.ANALYST, "test")[0]
    database.close()


@pytest.fixture
def settings(tmp_path: Path, log_url: str, database_url: str, bus: "redis.Redis") -> Settings:
    return Settings(
        esports_home=str(tmp_path), redis_url=log_url, database_url=database_url, rate_burst=5_000, dagster_url=""
    )


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake)


def _phase(name: str) -> Any:
    return lambda found: found["kind"] == "state" and found["phase"] == name


async def _whole(url: str, key: str | None = None) -> list[dict[str, Any]]:
    """Everything up to the end, as fast as it goes."""
    async with client(f"{url}{'&' if '?' in url else '?'}speed=100", key) as connection:
        return await until(connection, _phase("over"))


def test_a_match_is_played_in_order_with_its_signals_and_resumed_after_every_id(
    settings: Settings, lake: Lake, bus: "redis.Redis"
) -> None:
    lake.write_match(_match(OLD))
    releases = Releases(bus, Policy())
    for number, second in enumerate((4, 2)):
        document = {"signal_id": f"s{number}", "type": "STAR_PLAYER", "match_id": MATCH, "status": "APPROVED"}
        releases.schedule({**document, "event_ts": (OLD + timedelta(seconds=second)).isoformat()})
    assert releases.poll() == 8

    async def play(base: str) -> None:
        whole = content(await _whole(base + REPLAY))
        told = names([one for one in whole if one["kind"] != "frame"])
        assert told == [*EVENT_NAMES[:2], "s1", *EVENT_NAMES[2:4], "s0", *EVENT_NAMES[4:]]
        assert [one["t"] for one in whole if one["kind"] == "frame"] == [n / FRAMES_HZ for n in range(24)]
        assert all(len(one["payload"]["frame"]) == 2 for one in whole if one["kind"] == "frame")
        assert not any("hindsight" in one.get("payload", {}) for one in whole)
        signal = next(one for one in whole if one["kind"] == "signal")
        assert (signal["type"], signal["signal_type"], signal["label"]) == (
            *("AGENT_SIGNAL", "STAR_PLAYER"),
            "ANALYSIS_ONLY",
        )
        assert signal["policy"]["audience"] == "PUBLIC"
        assert len({one["id"] for one in whole}) == len(whole) == EVENTS + 24 + 2
        for place, after in enumerate(whole):
            assert content(await _whole(f"{base}{REPLAY}?after={after['id']}")) == whole[place + 1 :]
        bare = content(await _whole(f"{base}{REPLAY}?frames=0"))
        assert names(bare) == told
        last = content(await _whole(f"{base}{REPLAY}?frames=0&from=1/10.5"))
        assert names(last) == EVENT_NAMES[10:]

    with running(settings) as base:
        asyncio.run(play(base))


def test_orders_wind_the_clock_and_anything_else_changes_nothing(settings: Settings, lake: Lake) -> None:
    lake.write_match(_match(OLD))

    async def play(base: str) -> None:
        async with client(f"{base}{REPLAY}?frames=0&speed=0.1") as connection:

            async def order(**told: Any) -> dict[str, Any]:
                await connection.send(json.dumps(told))
                return (await until(connection, lambda found: found["kind"] in ("state", "notice")))[-1]

            start = await world.message(connection)
            assert (start["phase"], start["speed"]) == ("playing", 0.1)
            stands = await order(type="pause")
            assert (stands["phase"], stands["kind"]) == ("paused", "state")
            for wrong in ({"type": "dance"}, {"type": "speed", "speed": 1e9}, {"type": "play", "loud": 1}, {}):
                assert (await order(**wrong))["code"] == "unknown_message"
            await connection.send("play!")
            assert (await world.message(connection))["code"] == "unknown_message"
            nowhere = await order(type="seek", segment=7)
            assert nowhere["code"] == "unknown_place"
            assert (await world.message(connection))["at"] == stands["at"]
            there = await order(type="seek", segment=1, t=6.0)
            assert (there["phase"], there["at"]) == ("paused", (OLD + timedelta(seconds=6)).isoformat())
            assert (await order(type="speed", speed=50))["speed"] == 50.0
            await connection.send(json.dumps({"type": "play"}))
            played = await until(connection, _phase("over"))
            assert names(played) == EVENT_NAMES[5:]
            behind = next(one for one in played if one.get("event_id") == EVENT_NAMES[8])
            await connection.send(json.dumps({"type": "resume", "id": behind["id"]}))
            assert names(await until(connection, _phase("over"))) == EVENT_NAMES[9:]

    with running(settings) as base:
        asyncio.run(play(base))


def test_it_plays_as_fast_as_it_is_told(settings: Settings, lake: Lake) -> None:
    lake.write_match(_match(OLD))

    async def play(base: str) -> None:
        async with client(f"{base}{REPLAY}?frames=0&speed=20") as connection:
            await world.message(connection)
            started = time.monotonic()
            await until(connection, lambda found: found.get("event_id") == EVENT_NAMES[-1])
            assert time.monotonic() - started >= (EVENTS - 0.5) / 20

    with running(settings) as base:
        asyncio.run(play(base))


def test_a_match_that_has_just_landed_is_held_back_by_source_time(settings: Settings, lake: Lake, analyst: str) -> None:
    clock = Clock()
    lake.write_match(_match(clock.at(0)))
    clock.seconds = 186.0

    async def play(base: str) -> None:
        async with client(f"{base}{REPLAY}?frames=0&speed=100") as public:
            early = await until(public, lambda found: found.get("code") == "held")
            assert names(early) == EVENT_NAMES[:6]
            await public.send("?")
            assert [one["kind"] for one in await until(public, lambda found: found["kind"] == "notice")] == ["notice"]
            clock.seconds = 188.0
            assert names(await until(public, lambda found: found.get("event_id") == EVENT_NAMES[7])) == EVENT_NAMES[6:8]
        assert names(await _whole(f"{base}{REPLAY}?frames=0", analyst)) == EVENT_NAMES
        middle = content(await _whole(f"{base}{REPLAY}?frames=0&from=1/9", analyst))
        async with client(f"{base}{REPLAY}?frames=0&from=1/10") as public:
            assert content(await until(public, lambda found: found.get("code") == "held")) == []
        assert names(middle) == EVENT_NAMES[8:]

    with running(settings, clock) as base:
        asyncio.run(play(base))


def test_a_match_that_is_being_played_is_no_way_around_the_delay(
    settings: Settings, lake: Lake, bus: "redis.Redis", analyst: str
) -> None:
    """Its source time is old; that it is live stands in the log alone."""
    clock = Clock()
    lake.write_match(_match(OLD))
    EventLog(bus, clock_ms=clock.ms).append([happening(0, clock(), MATCH)])
    clock.seconds = 179.0

    async def play(base: str) -> None:
        async with client(base + REPLAY) as public:
            assert (await rest(public))[1] == 4409
        assert len(content(await _whole(f"{base}{REPLAY}?frames=0", analyst))) == EVENTS
        clock.seconds = 180.1
        assert len(content(await _whole(f"{base}{REPLAY}?frames=0"))) == EVENTS

    with running(settings, clock) as base:
        asyncio.run(play(base))


def test_what_is_no_replay_is_refused_with_a_sentence(settings: Settings, lake: Lake) -> None:
    lake.write_match(_match(OLD))

    async def end(url: str) -> int:
        async with client(url) as connection:
            return (await rest(connection))[1]

    async def ask(base: str) -> None:
        assert await end(f"{base}/ws/replay/test:nobody:1") == 4404
        assert await end(f"{base}/ws/replay/test:..:1") == 4404
        for query in (
            "speed=0",
            "speed=nan",
            "speed=fast",
            "from=7/1",
            "from=x",
            "after=r~0",
            "frames=2",
            "audience=x",
        ):
            assert await end(f"{base}{REPLAY}?{query}") == 4400, query
        assert await end(f"{base}{REPLAY}?audience=analyst") == 4403
        assert await end(f"{base}/ws/live/{MATCH}") == 4404

    with running(settings) as base:
        asyncio.run(ask(base))


def test_it_plays_without_any_redis(tmp_path: Path) -> None:
    alone = Settings(esports_home=str(tmp_path), dagster_url="")
    Lake(alone.lake).write_match(_match(OLD))

    async def play(base: str) -> None:
        assert names(await _whole(f"{base}{REPLAY}?frames=0")) == EVENT_NAMES
        async with client(f"{base}/ws/live/{MATCH}") as connection:
            assert (await rest(connection))[1] == 1013

    with running(alone) as base:
        asyncio.run(play(base))


def test_a_resumed_room_takes_from_the_lake_what_has_left_the_log(
    settings: Settings, lake: Lake, bus: "redis.Redis", analyst: str
) -> None:
    """The log keeps 30 s here; the client comes back after a minute, and after each id gets exactly what it lacks."""
    clock = Clock()
    lake.write_match(_match(OLD))
    log = EventLog(bus, clock_ms=clock.ms, retention_h=30 / 3600)
    live = f"/ws/live/{MATCH}"

    def play(first: int, last: int) -> None:
        log.append([_again(number, clock) for number in range(first, last)])

    async def follow(base: str) -> None:
        play(0, 6)
        whole = await passed(base + live, analyst)
        assert names(whole) == EVENT_NAMES[:6]
        clock.seconds = 60.0
        play(6, 9)
        play(9, EVENTS)
        for place, after in enumerate(whole):
            async with client(f"{base}{live}?after={after['id']}", analyst) as connection:
                found = await until(connection, follows)
            lacks = place < len(whole) - 1
            assert [one["code"] for one in found if one["kind"] == "notice"] == (["trimmed"] if lacks else [])
            assert names(found) == EVENT_NAMES[place + 1 :]
            for further, other in enumerate(content(found)):
                assert names(await passed(f"{base}{live}?after={other['id']}", analyst)) == names(found)[further + 1 :]
        assert names(await passed(base + live, analyst)) == EVENT_NAMES

    with running(settings, clock) as base:
        asyncio.run(follow(base))


def _again(number: int, clock: Clock) -> Any:
    """The match's event as it is played now."""
    told = happening(number, OLD + timedelta(days=1, seconds=number + 1), MATCH, t=float(number + 1))
    offset_s = (clock() - told.event.timestamp).total_seconds()
    return type(told)(told.event, live_offset_s=offset_s)


def test_a_recording_holds_events_and_thinned_positions_in_the_order_of_the_log() -> None:
    recording = Recording(_match(OLD), "v")
    assert len(recording) == EVENTS + round(FRAMES_HZ * TRACKED_S)
    made = [json.loads(body) for _, _, body in recording.bodies(0, len(recording))]
    moments = [datetime.fromisoformat(one["timestamp"]) for one in made]
    assert moments == sorted(moments)
    at_1_s = [one["kind"] for one in made if one["t"] == 1.0]
    assert at_1_s == ["event", "frame"]
    assert [one["seq"] for one in made if one["kind"] == "frame"] == list(range(0, 48, 2))
    split = [recording.bodies(place, place + 1)[0] for place in range(len(recording))]
    assert split == recording.bodies(0, len(recording))
    place = recording.place_of(EVENT_NAMES[3])
    assert place is not None
    assert recording.bodies(place, place + 1)[0][1] == EVENT_NAMES[3]
    assert recording.place_of("nobody") is None
    assert recording.place_at(utc_us(OLD) - 1) == 0
    assert recording.instant_of(1, 4.0) == utc_us(OLD) + 4_000_000
    assert recording.instant_of(2, 4.0) is None


def test_a_playhead_runs_stands_and_jumps() -> None:
    head = Playhead(1_000_000, wall_s=10.0, speed=2.0)
    assert head.now_us(11.0) == 3_000_000
    assert head.wait_s(5_000_000, 11.0) == 1.0
    head.set(11.0, playing=False)
    assert (head.now_us(99.0), head.wait_s(5_000_000, 99.0)) == (3_000_000, None)
    head.set(100.0, playing=True, speed=4.0)
    assert head.now_us(101.0) == 7_000_000
    head.set(101.0, at_us=0)
    assert (head.now_us(101.5), head.speed) == (2_000_000, 4.0)


@pytest.mark.parametrize(
    "text", ["", "1", "[]", "{", '{"type":"seek","segment":"x"}', '{"type":"speed"}', "\ud800", "[" * 9999]
)
def test_what_is_no_order_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="no order, so nothing changes"):
        order_of(text)


def test_a_match_played_into_the_log_reaches_each_audience_whole_at_its_time(
    settings: Settings, bus: "redis.Redis", analyst: str
) -> None:
    """Events and positions as they are replayed: the analyst has all of it at once, the public three minutes later."""
    playable = Playable(_match(OLD))
    expected = [envelope.event.event_id for envelope in envelopes_of(playable)]
    ahead_s = 0.0

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    async def follow(base: str) -> None:
        nonlocal ahead_s
        live = f"{base}/ws/live/{MATCH}"
        assert play(EventLog(bus), playable, None).appended == len(expected)
        async with client(live) as public:
            assert content(await until(public, follows)) == []
            assert names(await passed(live, analyst)) == expected
            assert names(await passed(f"{live}?audience=coach", analyst)) == []
            ahead_s = 121.0
            assert names(await passed(f"{live}?audience=coach", analyst)) == expected
            assert names(await passed(live)) == []
            ahead_s = 181.0
            assert names(await passed(live)) == expected  # its leaving wakes the room, which sleeps by its own clock
            assert names(await until(public, lambda found: found.get("phase") == "over")) == expected

    with running(settings, clock) as base:
        asyncio.run(follow(base))
