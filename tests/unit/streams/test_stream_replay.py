"""Matches through the log: order, clock, and the same tables at the other end."""

import json
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from redis import Redis
from tiny_match import tiny_match

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.codec import content_hash, events_of
from esports_assets.canonical.frames import FrameError, count_frames, is_frame
from esports_assets.canonical.match import CanonicalMatch, Finding
from esports_assets.canonical.vocabulary import EventType
from esports_assets.storage.lake import Lake
from esports_assets.streams import folding
from esports_assets.streams.collect import Collector, collected_from, gathered
from esports_assets.streams.entries import told_apart
from esports_assets.streams.envelope import Envelope, decode, encode, round_rows
from esports_assets.streams.errors import CollectError, ReplayError
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL
from esports_assets.streams.replay import Playable, WallClock, envelopes_of, from_file, from_lake, length, play

FIXTURES = Path(__file__).parents[2] / "fixtures"
INPUTS = sorted(FIXTURES.glob("*/*/input.*"))
DEMO = FIXTURES / "cs2_demo" / "v3_two_rounds" / "input.zip"


def playables(path: Path = DEMO) -> list[Playable]:
    return from_file(path)


def hashes(match: CanonicalMatch) -> dict[str, str]:
    return {name: content_hash(table) for name, table in match.tables.items()}


def on_the_wire(playable: Playable, *, tracking: bool = True) -> list[Envelope]:
    return [decode(encode(envelope)) for envelope in envelopes_of(playable, tracking=tracking)]


class Simulated:
    """A wall clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0
        self.naps: list[float] = []

    @property
    def clock(self) -> WallClock:
        return WallClock(lambda: self.at, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.at += seconds


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parents[1].name}-{path.parent.name}")
def test_a_match_that_was_played_is_the_match(client: Redis, path: Path) -> None:
    log = EventLog(client)
    played = playables(path)
    assert played
    for playable in played:
        sent = play(log, playable, None)
        assert sent.appended == sent.sent == length(playable)
    for playable in played:
        got = collected_from(log, playable.match.header.match_id)
        assert hashes(got.match) == hashes(playable.match)
        assert got.match.header == playable.match.header
        assert got.match.findings == playable.match.findings
        assert (got.adapter_version, got.raw) == (playable.adapter_version, playable.raw)
        assert got.verified


def test_a_match_of_the_lake_is_played_with_its_record(client: Redis, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    match = tiny_match(findings=2)
    lake.write_match(match, adapter_version="7", raw="raw/cs2/day=2026-05-17/abc__x.zip")
    log = EventLog(client)
    play(log, from_lake(lake, match.header.match_id), None)
    got = collected_from(log, match.header.match_id)
    assert (hashes(got.match), got.match.findings) == (hashes(match), match.findings)
    assert (got.adapter_version, got.raw) == ("7", "raw/cs2/day=2026-05-17/abc__x.zip")
    other = Lake(tmp_path / "other")
    other.write_match(got.match, adapter_version=got.adapter_version, raw=got.raw)
    names = list(lake.store.list("canonical"))
    assert names
    assert {key: other.store.get(key) for key in names} == {key: lake.store.get(key) for key in names}


def test_playing_again_appends_nothing(client: Redis) -> None:
    log = EventLog(client)
    (playable,) = playables()
    first = play(log, playable, None)
    again = play(log, playable, 1e9, tracking=True)
    assert (again.sent, again.appended, again.duplicates) == (first.sent, 0, first.sent)
    assert client.xlen(CANONICAL) == first.sent


def test_events_keep_their_order_and_frames_stand_where_they_belong() -> None:
    (playable,) = playables()
    sent = [envelope.event for envelope in envelopes_of(playable)]
    plain = [event for event in sent if not is_frame(event)]
    frames = [event for event in sent if is_frame(event)]
    assert [e.event_id for e in plain] == [e.event_id for e in events_of(playable.match.events)]
    assert [e.seq for e in frames] == list(range(count_frames(playable.match.tracking)))
    assert [e.timestamp for e in sent] == sorted(e.timestamp for e in sent)
    for before, after in pairwise(sent):
        if before.timestamp == after.timestamp:
            assert is_frame(before) <= is_frame(after)
    assert {e.ingestion_meta.source for e in sent} == {"cs2_demo"}


def test_nobody_learns_of_a_winner_before_the_round_is_decided() -> None:
    (playable,) = playables()
    for row in round_rows(playable.match.rounds):
        for envelope in envelopes_of(playable):
            if envelope.event.event_type is EventType.ROUND_END and envelope.event.segment == row["segment"]:
                assert envelope.round == row
                break
            assert envelope.round is None or envelope.round["segment"] != row["segment"]
            assert envelope.closing is None


def test_without_tracking_only_events_are_sent(client: Redis) -> None:
    (playable,) = playables()
    log = EventLog(client)
    sent = play(log, playable, None, tracking=False)
    assert sent.sent == playable.match.events.num_rows == length(playable, tracking=False)
    got = collected_from(log, playable.match.header.match_id)
    assert got.match.tracking.num_rows == 0
    assert content_hash(got.match.events) == content_hash(playable.match.events)
    assert got.verified


def test_events_are_sent_when_they_are_due(client: Redis) -> None:
    (playable,) = playables()
    wall = Simulated()
    start, log = wall.at, EventLog(client)
    seen: list[tuple[int, float]] = []
    sent = play(log, playable, 4.0, clock=wall.clock, on_progress=lambda count: seen.append((count, wall.at)))
    envelopes = [delivery.envelope for delivery in told_apart(log.read_after(count=1000))[0]]
    first, last = envelopes[0].event.timestamp, envelopes[-1].event.timestamp
    assert sent.seconds == pytest.approx((last - first).total_seconds() / 4, abs=1e-3)
    assert max(wall.naps) <= 0.25
    arrived = [next(at for count, at in seen if count > number) for number in range(len(envelopes))]
    for envelope, at in zip(envelopes, arrived, strict=True):
        due = start + (envelope.event.timestamp - first).total_seconds() / 4
        assert envelope.live_at.timestamp() == pytest.approx(due, abs=1e-4)
        assert due - 1e-6 <= at <= due + 0.26


def test_at_full_speed_the_wall_clock_is_now(client: Redis) -> None:
    (playable,) = playables()
    wall, log = Simulated(), EventLog(client)
    play(log, playable, None, clock=wall.clock)
    assert wall.naps == []
    envelopes = [delivery.envelope for delivery in told_apart(log.read_after(count=1000))[0]]
    assert {round(e.live_at.timestamp(), 3) for e in envelopes} == {1_800_000_000.0}
    assert {e.event.event_id for e in envelopes} == {e.event.event_id for e in envelopes_of(playable)}


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_speed_is_above_zero(client: Redis, speed: float) -> None:
    with pytest.raises(ReplayError, match="is no speed"):
        play(EventLog(client), playables()[0], speed)


def test_order_and_repetition_do_not_matter() -> None:
    (playable,) = playables()
    envelopes = on_the_wire(playable)
    random.Random(3).shuffle(envelopes)
    collector = Collector(playable.match.header.match_id)
    assert [collector.add(envelope) for envelope in envelopes[:40]] == [True] * 40
    assert [collector.add(envelope) for envelope in envelopes[:40]] == [False] * 40
    for envelope in envelopes:
        collector.add(envelope)
    assert hashes(collector.collected().match) == hashes(playable.match)


def test_what_did_not_come_is_told() -> None:
    (playable,) = playables()
    envelopes = on_the_wire(playable)
    match_id = playable.match.header.match_id
    running = gathered(envelopes[:50])[match_id]
    assert not running.over
    with pytest.raises(CollectError, match="its end did not come"):
        running.collected()
    assert running.collected(partial=True).match.header == playable.match.header
    kinds = [is_frame(envelope.event) for envelope in envelopes]
    frame, event = kinds.index(True), kinds.index(False, 5)
    for gone, words in (
        ({frame}, "1 frames did not come"),
        ({event, frame}, "1 events and 1 frames did not come"),
        ({0}, "1 events and its opening record did not come"),
    ):
        kept = [envelope for number, envelope in enumerate(envelopes) if number not in gone]
        with pytest.raises(CollectError, match=words):
            gathered(kept)[match_id].collected()


def test_a_changed_event_is_noticed() -> None:
    (playable,) = playables()
    data = [encode(envelope) for envelope in envelopes_of(playable)]
    number = next(i for i, d in enumerate(data) if b'"damage":' in d)
    changed = json.loads(data[number])
    changed["payload"]["damage"] += 1
    data[number] = json.dumps(changed).encode()
    collector = gathered(map(decode, data))[playable.match.header.match_id]
    with pytest.raises(CollectError, match="table events is not the one that was sent"):
        collector.collected()


def test_a_row_that_fits_no_table_is_a_sentence() -> None:
    (playable,) = playables()
    envelopes = on_the_wire(playable)
    bad = [
        decode(encode(e).replace(b'"freeze_s":', b'"freeze_s":"long","x":')) if e.round is None else e
        for e in envelopes
    ]
    assert bad == envelopes
    row = next(e.round for e in envelopes if e.round is not None)
    broken = [
        Envelope(
            e.event,
            opening=e.opening,
            round=None if e.round is None else {**row, "freeze_s": "long"},
            closing=e.closing,
        )
        for e in envelopes
    ]
    with pytest.raises(CollectError, match=r"do not fit the tables: rounds\.freeze_s"):
        gathered(broken)[playable.match.header.match_id].collected()


def test_an_envelope_of_another_match_is_refused() -> None:
    (playable,) = playables()
    with pytest.raises(CollectError, match="not of test:other"):
        Collector("test:other").add(next(envelopes_of(playable)))
    with pytest.raises(CollectError, match="no event of it came"):
        Collector("test:other").collected(partial=True)


@pytest.mark.parametrize(
    "path", [p for p in INPUTS if "cs2_demo" in str(p) or p.parent.name.endswith(("round", "rollback"))]
)
def test_without_records_the_events_tell_header_players_and_rounds(path: Path) -> None:
    for playable in playables(path):
        match = playable.match
        bare = [decode(encode(Envelope(e.event))) for e in envelopes_of(playable)]
        collector = gathered(bare)[match.header.match_id]
        got = collector.collected(partial=True).match
        assert got.header == match.header
        for name in ("events", "tracking", "rounds"):
            assert content_hash(got.tables[name]) == content_hash(match.tables[name])
        told = [
            (p, team)
            for p, team in zip(got.players["player"].to_pylist(), got.players["team"].to_pylist(), strict=True)
        ]
        known = dict(zip(match.players["player"].to_pylist(), match.players["team"].to_pylist(), strict=True))
        assert dict(told) == {player: known[player] for player, _ in told}


def test_what_the_events_do_not_tell_is_left_out() -> None:
    (playable,) = playables()
    events = [e for e in events_of(playable.match.events) if e.event_type is not EventType.FREEZE_END or e.segment != 1]
    rows = folding.rounds_of(events, playable.match.header)
    assert [row["segment"] for row in rows] == [2]


def test_rounds_out_of_order_come_back_as_they_stood(client: Redis) -> None:
    (playable,) = playables()
    match = playable.match
    turned = replace(match, rounds=match.rounds.take([1, 0]), findings=(Finding("r", "w", "m"),))
    log = EventLog(client)
    play(log, Playable(turned), None)
    got = collected_from(log, match.header.match_id).match
    assert got.rounds["segment"].to_pylist() == [2, 1]
    assert (hashes(got), got.findings) == (hashes(turned), turned.findings)


def test_nothing_to_play(tmp_path: Path) -> None:
    bad = tmp_path / "2026-05-17_x.json.xz"
    bad.write_bytes(b"no")
    with pytest.raises(ReplayError, match=r"nothing to play: 2026-05-17_x\.json\.xz"):
        from_file(bad)
    with pytest.raises(ReplayError, match="'test:nobody' is neither a file nor a match of the lake"):
        from_lake(Lake(tmp_path), "test:nobody")
    empty = tiny_match()
    nothing = replace(empty, events=empty.events.slice(2), tracking=empty.tracking.slice(2))
    with pytest.raises(ReplayError, match="nothing happens in it"):
        list(envelopes_of(Playable(nothing)))


def test_tracks_without_source_time_are_refused_before_anything_is_sent(client: Redis) -> None:
    match = tiny_match()
    lost = replace(match, events=match.events.slice(2), rounds=match.rounds.slice(1))
    with pytest.raises(FrameError, match="no source time"):
        play(EventLog(client), Playable(lost), None)
    assert client.dbsize() == 0


@pytest.mark.realdata
@pytest.mark.parametrize("pattern", ["*_m02.json.xz", "sample-*_de_nuke_*.zip"])
def test_a_real_match_comes_back(client: Redis, real_data: Path, pattern: str) -> None:
    path = sorted((real_data / "cs2_demos").rglob(pattern))[0]
    (playable,) = playables(path)
    log = EventLog(client)
    sent = play(log, playable, None)
    assert sent.appended == length(playable) > 10_000
    got = collected_from(log, playable.match.header.match_id)
    assert hashes(got.match) == hashes(read_file(SourceFile.open(path)).matches[0])
    events = events_of(playable.match.events)
    assert folding.rounds_of(events, playable.match.header) == round_rows(playable.match.rounds)
