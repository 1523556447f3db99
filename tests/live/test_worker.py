"""The worker on a real Valkey and a real PostgreSQL: what it says, and that it says it once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg2
import pytest
from live.live_world import Left, idle, left, playables, settings_of, until, working
from redis import Redis
from tiny_intent import promote_intent

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.signal import SignalStatus, of_document
from esports_assets.canonical.vocabulary import EventType
from esports_assets.storage.objects import ObjectStore
from esports_assets.streams.envelope import Envelope, encode
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import shard_of, shard_stream
from esports_assets.streams.replay import Playable, envelopes_of, play
from esports_assets.windows.micro.batch import player_micro_table
from esports_assets.windows.streamed.online import LATENESS_S

ROUNDS = 3


@pytest.fixture(scope="module")
def matches(simulated: list[Path]) -> list[Playable]:
    return playables(simulated, ROUNDS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    promote_intent(ObjectStore(tmp_path / "bundles"))
    return tmp_path


def run(home: Path, database: str, url: str, client: Redis, **more: Any) -> Left:
    """A worker until everything is handled; what it left."""
    with working(settings_of(home, database, url, **more)):
        until(lambda: idle(client))
    return left(client, database)


def test_every_statement_of_record_once_and_where_it_belongs(
    home: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable]
) -> None:
    for playable in matches:
        play(EventLog(log_client), playable, None)
    found = run(home, live_database, live_url, log_client)
    ids = [signal["signal_id"] for signal in found.signals]
    assert len(ids) > 50
    assert len(set(ids)) == len(ids)
    motion = [signal for signal in found.signals if signal["type"] == "MOTION_SYNTHESIS"]
    assert found.motion == motion
    assert [row[0] for row in found.actions] == sorted(signal["signal_id"] for signal in motion)
    pending = [signal for signal in found.signals if signal["status"] == SignalStatus.PENDING_REVIEW]
    assert sorted(row[0] for row in found.reviews) == sorted(f"review:{signal['signal_id']}" for signal in pending)
    free = sorted(signal["signal_id"] for signal in found.signals if signal["status"] == SignalStatus.AUTO_APPROVED)
    assert free
    assert set(map(tuple, found.waiting.values())) == {tuple(free)}
    assert found.dead == 0
    assert found.late == []


def test_a_statement_is_about_a_row_of_the_window_at_its_source_time(
    home: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable]
) -> None:
    played = matches[0]
    play(EventLog(log_client), played, None)
    found = run(home, live_database, live_url, log_client)
    table = player_micro_table(played.match)
    rows = {(r["segment"], r["t_s"], r["player"]): r for r in table.to_pylist()}
    starts = dict(
        zip(played.match.rounds["segment"].to_pylist(), played.match.rounds["started_at"].to_pylist(), strict=True)
    )
    for document in found.motion:
        signal = of_document(document)
        row = rows[signal.segment, signal.t, signal.player_id]
        assert signal.team == row["team"]
        assert signal.features["speed_mean"] == pytest.approx(row["speed_mean"], abs=1e-5)
        assert signal.event_ts is not None
        assert abs(signal.event_ts - starts[signal.segment] - timedelta(seconds=signal.t or 0.0)) < timedelta(
            milliseconds=1
        )
        assert signal.live_offset_s > 0
        assert signal.model_info["model_name"] == "cs2.intent.multinomial_logistic"
        assert signal.window_fingerprint == signal.model_info["window_fingerprint"]


def test_a_match_played_again_changes_nothing(
    home: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable]
) -> None:
    log = EventLog(log_client)
    play(log, matches[0], None)
    first = run(home, live_database, live_url, log_client)
    assert play(log, matches[0], None).appended == 0
    assert run(home, live_database, live_url, log_client) == first


def test_without_a_model_rules_speak_and_everything_waits_for_a_review(
    tmp_path: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable]
) -> None:
    play(EventLog(log_client), matches[0], None)
    found = run(tmp_path, live_database, live_url, log_client)
    motion = [of_document(signal) for signal in found.motion]
    assert motion
    assert {signal.confidence for signal in motion} == {None}
    assert {signal.model_info["probability_source"] for signal in motion} == {"rules"}
    assert {signal.status for signal in motion} == {SignalStatus.PENDING_REVIEW}
    assert found.waiting == {"PUBLIC": [], "EDUCATIONAL": [], "COACH": [], "ANALYST": []}


def test_what_comes_too_late_is_kept_beside_and_changes_nothing(
    home: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable]
) -> None:
    envelopes = list(envelopes_of(matches[0]))
    kill = next(i for i, e in enumerate(envelopes) if e.event.event_type is EventType.KILL)
    held = envelopes.pop(kill)
    after = next(
        i
        for i, e in enumerate(envelopes)
        if e.event.timestamp > held.event.timestamp + timedelta(seconds=LATENESS_S + 1)
    )
    envelopes.insert(after, held)
    _append(log_client, envelopes)
    found = run(home, live_database, live_url, log_client)
    ((event_id, match_id, _, data, reason),) = found.late
    assert (event_id, match_id) == (held.event.event_id, held.event.match_id)
    assert data["event_type"] == "KILL"
    assert "after the watermark" in reason


def test_malformed_and_mistimed_entries_are_dead_letters_and_the_good_go_on(
    home: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable]
) -> None:
    envelopes = list(envelopes_of(matches[0]))
    play(EventLog(log_client), matches[0], None)
    clean = run(home, live_database, live_url, log_client)
    log_client.flushdb()
    first = envelopes[0].event
    stream = shard_stream(shard_of(first.match_id))
    ahead = msgspec.structs.replace(first, event_id="ahead", timestamp=first.timestamp + timedelta(days=40_000))
    hostile = (b"{", b'{"event_id": 1}', b"\xff" * 10, b"[" * 5000, encode(Envelope(ahead)), b"")
    for bad in hostile:
        log_client.xadd(stream, {"data": bad})
    log_client.xadd(stream, {"other": b"x"})
    play(EventLog(log_client), matches[0], None)
    found = run(home, live_database, live_url, log_client)
    assert found.dead == len(hostile) + 1
    assert [s["signal_id"] for s in found.signals] == [s["signal_id"] for s in clean.signals]


def test_a_hostile_name_costs_its_own_entries_only(
    home: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable]
) -> None:
    """PostgreSQL cannot hold a NUL: the statements of that match fail, and those of its neighbour do not."""
    bad = [_renamed(envelope, "test:\x00:1") for envelope in envelopes_of(matches[0])]
    _append(
        log_client, [envelope for envelope in bad if shard_of(envelope.event.match_id) == shard_of("test:\x00:1")][:400]
    )
    play(EventLog(log_client), matches[1], None)
    with working(settings_of(home, live_database, live_url)) as metric:
        until(lambda: len(left(log_client, live_database).signals) > 50)
        until(lambda: metric("live_failures_total") == 0 or log_client.xlen("events:dead") > 0)
    assert {s["match_id"] for s in left(log_client, live_database).signals} == {matches[1].match.header.match_id}


def test_a_technical_pause_reaches_the_gate(
    home: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable]
) -> None:
    start = next(iter(envelopes_of(matches[0]))).event
    pause = _event(start, "p", EventType.PAUSE, {"kind": "technical"})
    resume = _event(start, "r", EventType.RESUME, {"kind": "technical"}, seconds=30)
    tactical = _event(start, "t", EventType.PAUSE, {"kind": "tactical"}, seconds=60)
    _append(log_client, [Envelope(event) for event in (start, pause, resume, tactical)])
    with working(settings_of(home, live_database, live_url)) as metric:
        until(lambda: metric("live_entries_total") == 4)
    from serving.gate import Pause, Policy
    from serving.release import Releases

    known = Releases(log_client, Policy()).pauses(start.match_id)
    assert known == [Pause(pause.timestamp, resume.timestamp)]


def test_what_was_trimmed_is_taken_from_the_lake(
    home: Path, live_database: str, live_url: str, log_client: Redis, matches: list[Playable], simulated: list[Path]
) -> None:
    from esports_assets.ingest import ingest_paths
    from esports_assets.storage.lake import Lake

    (whole, _) = playables(simulated)
    play(EventLog(log_client), whole, None)
    expected = run(home, live_database, live_url, log_client)
    for key in ("esports:release:*", "agent.*", "events:*", "esports:*", "signals:*"):
        for name in log_client.scan_iter(key):
            log_client.delete(name)
    ingest_paths(simulated[:1], Lake(str(home / "lake")), lambda *_: None)
    envelopes = list(envelopes_of(whole))
    stream = shard_stream(shard_of(whole.match.header.match_id))
    _append(log_client, envelopes[:2000])
    with working(settings_of(home, live_database, live_url)) as metric:
        until(lambda: metric("live_entries_total") == 2000)
    _append(log_client, envelopes[2000:9000])
    last_gone = log_client.xrange(stream)[-1000][0]
    log_client.xdel(stream, last_gone)  # as the log trims: a trim alone leaves no trace of what is gone
    log_client.xtrim(stream, minid=last_gone, approximate=False)
    _append(log_client, envelopes[9000:])
    with working(settings_of(home, live_database, live_url)) as metric:
        until(lambda: metric("live_gaps_total") == 1, 15)
        until(lambda: idle(log_client))
    found = left(log_client, live_database)
    assert [_timeless(s) for s in found.signals] == [_timeless(s) for s in expected.signals]
    assert found.late == []


def _timeless(signal: dict[str, Any]) -> dict[str, Any]:
    """Without the offset of a replay, which the lake does not hold."""
    return {name: value for name, value in signal.items() if name != "live_offset_s"}


def _append(client: Redis, envelopes: list[Envelope]) -> None:
    log = EventLog(client)
    for begin in range(0, len(envelopes), 500):
        log.append(envelopes[begin : begin + 500])


def _renamed(envelope: Envelope, match_id: str) -> Envelope:
    event = msgspec.structs.replace(envelope.event, match_id=match_id)
    return Envelope(event, frame=envelope.frame)


def _event(
    of: CanonicalEvent, name: str, kind: EventType, payload: dict[str, Any], seconds: float = 0.0
) -> CanonicalEvent:
    at = of.timestamp + timedelta(seconds=seconds)
    return msgspec.structs.replace(of, event_id=name, event_type=kind, payload=payload, timestamp=at, segment=0, t=None)


def test_the_database_of_the_test_is_the_one_that_was_written(live_database: str) -> None:
    with psycopg2.connect(live_database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM micro_actions")
        assert cursor.fetchone() == (0,)
