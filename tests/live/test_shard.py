"""One shard, step by step: ends and rebuilds that fail, what is away, and what is no match."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import msgspec
import psycopg2
import pytest
from live.live_world import left, playables, settings_of
from redis import Redis

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.groups import ConsumerGroup
from esports_assets.streams.leases import ShardLeases
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import checkpoint_key, shard_of, shard_stream
from esports_assets.streams.replay import Playable, envelopes_of
from serving.errors import ApiError
from serving.gate import Pause, Policy
from serving.live import Models, worker_of
from serving.live_reading import MOST_PLAYERS
from serving.live_shard import ATTEMPTS, CRASHES, Shard
from serving.release import Releases


class Desk:
    """A shard with everything real around it but its clock and its lake, which a test moves."""

    def __init__(self, home: Path, client: Redis, urls: tuple[str, str]) -> None:
        self.client, self.seconds = client, 0.0
        self.from_lake: Callable[[str], Playable | None] = lambda _: None
        settings = settings_of(home, *urls)
        worker, self.metrics = worker_of(settings, Models(settings))
        self.parts = replace(
            worker._parts, from_lake=lambda match_id: self.from_lake(match_id), monotonic=lambda: self.seconds
        )

    def open(self, number: int) -> Shard:
        lease = ShardLeases(self.client, "live", "me", ttl_s=600.0).heartbeat().held[number]
        group = ConsumerGroup(self.client, shard_stream(number), "live", "me", max_deliveries=CRASHES)
        return Shard(lease, group, self.parts)

    def settle(self, shard: Shard) -> None:
        """Step until nothing more happens at this instant."""
        quiet = 0
        while quiet < 3:
            beside = shard.writing
            if beside is not None:
                beside.exception(60)
            quiet = 0 if shard.step() or beside is not None else quiet + 1

    def metric(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(name) or 0.0


@pytest.fixture
def desk(tmp_path: Path, log_client: Redis, live_database: str, live_url: str) -> Iterator[Desk]:
    made = Desk(tmp_path, log_client, (live_database, live_url))
    yield made
    made.parts.writer.shutdown()


@pytest.fixture(scope="module")
def match(simulated: list[Path]) -> Playable:
    found: list[Playable] = playables(simulated[:1], 2)
    return found[0]


def _append(client: Redis, envelopes: list[Envelope]) -> None:
    for begin in range(0, len(envelopes), 500):
        EventLog(client).append(envelopes[begin : begin + 500])


def _renamed(envelope: Envelope, match_id: str) -> Envelope:
    event = msgspec.structs.replace(envelope.event, match_id=match_id, event_id=f"{match_id}/{envelope.event.event_id}")
    return Envelope(event, frame=envelope.frame)


def _neighbours(number: int) -> Iterator[str]:
    return (name for i in count() if shard_of(name := f"neighbour-{i}") == number)


def _interrupted(match: Playable, match_id: str) -> list[Envelope]:
    """A match whose last round is not decided: it ends by silence, and then says what it still has to say."""
    some = [_renamed(one, match_id) for one in islice(envelopes_of(match), 900)]
    last = some[-1].event
    end = msgspec.structs.replace(
        last, event_id=f"{match_id}/end", event_type=EventType.MAP_END, payload={}, segment=0, t=None
    )
    return [*some, Envelope(end)]


@contextmanager
def _refusing(database_url: str, match_id: str) -> Iterator[None]:
    """A database that takes no micro-action of a match."""
    constraint = "ALTER TABLE micro_actions ADD CONSTRAINT refused CHECK (match_id <> %s) NOT VALID"
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(constraint, (match_id,))
    yield


def test_an_end_that_cannot_be_written_keeps_no_other_match_from_ending(
    desk: Desk, log_client: Redis, live_database: str, match: Playable
) -> None:
    names = _neighbours(3)
    bad, good = next(names), next(names)
    shard = desk.open(3)
    for name in (bad, good):
        _append(log_client, _interrupted(match, name))
    desk.settle(shard)
    before = {name: _said(log_client, live_database, name) for name in (bad, good)}
    assert before[bad] == before[good] > 0
    with _refusing(live_database, bad):
        for _ in range(2 * ATTEMPTS + 4):
            desk.seconds += 5.0
            desk.settle(shard)
    assert _said(log_client, live_database, good) > before[good]
    assert _said(log_client, live_database, bad) == before[bad]
    assert desk.metric("live_failures_total") == ATTEMPTS
    assert shard.matches == 0
    assert not log_client.exists(checkpoint_key("live", 3))


def test_a_match_ends_while_its_neighbour_never_falls_silent(desk: Desk, log_client: Redis, match: Playable) -> None:
    names = _neighbours(3)
    ended, lively = next(names), next(names)
    _append(log_client, _interrupted(match, ended))
    shard = desk.open(3)
    desk.settle(shard)
    for envelope in islice(envelopes_of(match), 20):
        _append(log_client, [_renamed(envelope, lively)])
        desk.seconds += 1.0
        shard.step()
        if shard.writing is not None:
            shard.writing.exception(60)
            shard.step()
    kept: Any = log_client.hkeys(checkpoint_key("live", 3))
    assert kept == [lively.encode()]


def _said(client: Redis, database_url: str, match_id: str) -> int:
    return sum(signal["match_id"] == match_id for signal in left(client, database_url).signals)


def _gapped(desk: Desk, client: Redis, match: Playable) -> Shard:
    """A shard in whose middle of a match entries are gone."""
    name = match.match.header.match_id
    number, envelopes = shard_of(name), list(envelopes_of(match))
    _append(client, envelopes[:500])
    shard = desk.open(number)
    desk.settle(shard)
    _append(client, envelopes[500:1500])
    kept: Any = client.xrange(shard_stream(number))
    gone = kept[-100][0]
    client.xdel(shard_stream(number), gone)
    client.xtrim(shard_stream(number), minid=gone, approximate=False)
    return shard


def test_a_lake_that_is_away_is_waited_for(desk: Desk, log_client: Redis, live_database: str, match: Playable) -> None:
    shard = _gapped(desk, log_client, match)

    def away(_: str) -> Playable | None:
        raise ApiError(503, "no_lake", "The lake does not answer.")

    desk.from_lake = away
    for _ in range(2 * ATTEMPTS):
        desk.settle(shard)
        desk.seconds += 5.0
    assert desk.metric("live_gaps_total") == 1
    assert desk.metric("live_entries_total") == 500
    desk.from_lake = lambda _: match
    desk.settle(shard)
    assert desk.metric("live_gaps_total") == 1
    assert desk.metric("live_entries_total") == 599
    said = left(log_client, live_database).signals
    assert max(signal["segment"] for signal in said) == 2


def test_a_match_that_cannot_be_rebuilt_does_not_hold_its_shard_for_ever(
    desk: Desk, log_client: Redis, match: Playable
) -> None:
    shard = _gapped(desk, log_client, match)
    broken = Playable(replace(match.match, events=match.match.events.drop_columns(["t_s"])))
    desk.from_lake = lambda _: broken
    for _ in range(2 * ATTEMPTS):
        desk.settle(shard)
        desk.seconds += 5.0
    assert desk.metric("live_failures_total") == ATTEMPTS
    assert desk.metric("live_entries_total") == 599


class Shelf:
    """A lake that holds one match or none, and remembers what it was asked for."""

    def __init__(self, held: Playable | None) -> None:
        self.held, self.asked = held, list[str]()

    def __call__(self, match_id: str) -> Playable | None:
        self.asked.append(match_id)
        return self.held


def _beheaded(desk: Desk, client: Redis, match: Playable) -> Shard:
    """A shard that nobody has read before the beginning of its match was trimmed."""
    number = shard_of(match.match.header.match_id)
    _append(client, list(envelopes_of(match)))
    kept: Any = client.xrange(shard_stream(number))
    gone = kept[1000][0]
    client.xdel(shard_stream(number), gone)
    client.xtrim(shard_stream(number), minid=gone, approximate=False)
    return desk.open(number)


def test_a_match_without_its_beginning_is_taken_from_the_lake(
    desk: Desk, log_client: Redis, live_database: str, match: Playable
) -> None:
    desk.from_lake = shelf = Shelf(match)
    desk.settle(_beheaded(desk, log_client, match))
    assert shelf.asked == [match.match.header.match_id]
    trimmed = left(log_client, live_database)
    assert not trimmed.late
    assert {signal["segment"] for signal in trimmed.signals} == {1, 2}


def test_one_that_the_lake_does_not_hold_is_asked_for_once(
    desk: Desk, log_client: Redis, live_database: str, match: Playable
) -> None:
    desk.from_lake = shelf = Shelf(None)
    shard = _beheaded(desk, log_client, match)
    desk.settle(shard)
    desk.seconds += 10.0
    desk.settle(shard)
    assert shelf.asked == [match.match.header.match_id]
    told = left(log_client, live_database)
    assert not told.signals
    assert len(told.late) > 300
    assert shard.matches == 0


def test_a_crowd_is_no_match(desk: Desk, log_client: Redis, match: Playable) -> None:
    first = next(envelopes_of(match)).event
    crowd = {f"p{i}": "ab"[i % 2] for i in range(MOST_PLAYERS + 1)}
    start = msgspec.structs.replace(first, event_type=EventType.MAP_START, payload={"players": crowd})
    _append(log_client, [Envelope(start)])
    shard = desk.open(shard_of(first.match_id))
    desk.settle(shard)
    assert desk.metric("live_dead_letters_total") == 1
    dead: Any = log_client.xrange("events:dead")
    assert b"65 players" in dead[0][1][b"reason"]
    assert shard.matches == 0


@pytest.mark.parametrize(
    ("payload", "holds"), [({"kind": "technical"}, True), ({}, True), ({"kind": "timeout"}, False)]
)
def test_a_pause_reaches_the_gate_while_the_database_is_away(
    tmp_path: Path, log_client: Redis, live_url: str, match: Playable, payload: dict[str, Any], holds: bool
) -> None:
    """One of which the source does not say that it is a time-out of the game may be a technical one."""
    desk = Desk(tmp_path, log_client, ("postgresql://nobody@127.0.0.1:1/none", live_url))
    envelopes = list(islice(envelopes_of(match), 1500))
    last = envelopes[-1].event
    pause = _event(last, "p", EventType.PAUSE, payload)
    timeout = _event(last, "r", EventType.RESUME, {"kind": "timeout"})
    _append(log_client, [*envelopes, Envelope(pause), Envelope(timeout)])
    desk.parts = replace(desk.parts, batch=2000)
    shard = desk.open(shard_of(last.match_id))
    desk.settle(shard)
    assert desk.metric("live_entries_total") == 0
    known = Releases(log_client, Policy()).pauses(last.match_id)
    assert known == ([Pause(pause.timestamp)] if holds else [])
    desk.parts.writer.shutdown()


def _event(of: CanonicalEvent, name: str, kind: EventType, payload: dict[str, Any]) -> CanonicalEvent:
    at = of.timestamp + timedelta(seconds=1)
    return msgspec.structs.replace(of, event_id=name, event_type=kind, payload=payload, timestamp=at, segment=0, t=None)
