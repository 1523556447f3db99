"""The stream into the lake: the same bytes as from the file, each match once, whatever the steps and restarts."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from stream_samples import StillClock, envelope, matches_on
from tiny_match import tiny_match

from esports_assets.canonical.invariants import broken
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.ingest import ingest_paths
from esports_assets.stages import stream_landing
from esports_assets.stages.stream_landing import Landed, LandingGap, Position, Stage, land
from esports_assets.storage.lake import Lake
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import CANONICAL, shard_of
from esports_assets.streams.replay import Playable, envelopes_of, from_file, from_lake, play

FIXTURES = Path(__file__).parents[2] / "fixtures"
INPUTS = sorted(FIXTURES.glob("*/*/input.*"))
DEMO = FIXTURES / "cs2_demo" / "v3_two_rounds" / "input.zip"
FILES_ONLY = ("raw/", "receipts/", "failures/")
"""What the lake keeps of a file beside its matches."""


def objects(lake: Lake, *, of_matches_only: bool = True) -> dict[str, bytes]:
    """Every object of a lake; what says which file a match came from is left out for ``of_matches_only``."""
    found = {key: lake.store.get(key) for key in lake.store.list("")}
    if not of_matches_only:
        return found
    kept = {key: data for key, data in found.items() if not key.startswith(FILES_ONLY)}
    for key, data in kept.items():
        if key.endswith(".json") and "/matches/" in key:
            kept[key] = json.dumps({**json.loads(data), "raw": ""}).encode()
    return kept


def until_idle(log: EventLog, lake: Lake, position: Position | None = None, **how: Any) -> list[Landed]:
    """Steps until nothing is left to read or to land, each from the position as JSON keeps it."""
    steps: list[Landed] = []
    position = position or Position()
    while not steps or steps[-1].read or any(p.stage is Stage.DUE for p in position.matches.values()):
        steps.append(land(log, lake, msgspec.json.decode(msgspec.json.encode(position), type=Position), **how))
        position = steps[-1].position
    return steps


def landed(steps: list[Landed]) -> list[str]:
    return sorted(match_id for step in steps for match_id in step.landed)


def demo() -> tuple[Playable, list[Envelope]]:
    (playable,) = from_file(DEMO)
    return playable, list(envelopes_of(playable))


@pytest.fixture
def log(client: Redis) -> EventLog:
    return EventLog(client)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parents[1].name}-{path.parent.name}")
def test_the_lake_holds_the_same_bytes_as_from_the_file(log: EventLog, lake: Lake, tmp_path: Path, path: Path) -> None:
    from_files = Lake(tmp_path / "files")
    report = ingest_paths([path], from_files)
    for playable in from_file(path):
        play(log, playable, None)
    steps = until_idle(log, lake)
    assert landed(steps) == sorted(header.match_id for header in report.matches)
    assert steps[0].days == report.days
    assert objects(lake) == objects(from_files)
    assert [record.quarantined for record in lake.matches(Title.CS2)] == [
        record.quarantined for record in from_files.matches(Title.CS2)
    ]

    ingest_paths([path], lake)  # and when the file comes after all, nothing tells the two lakes apart
    assert objects(lake, of_matches_only=False) == objects(from_files, of_matches_only=False)


@pytest.mark.realdata
def test_real_matches_land_with_the_same_bytes(log: EventLog, lake: Lake, tmp_path: Path, real_data: Path) -> None:
    demos = real_data / "cs2_demos"
    paths = [sorted(demos.glob("amateur/*.xz"))[0], sorted(demos.glob("pro/*.zip"))[0]]
    from_files = Lake(tmp_path / "files")
    ingest_paths(paths, from_files)
    for path in paths:
        for playable in from_file(path):
            play(log, playable, None)
    assert landed(until_idle(log, lake)) == sorted(r.header.match_id for r in from_files.matches(Title.CS2))
    assert objects(lake) == objects(from_files)


def test_where_the_lake_has_the_bytes_the_record_names_them(log: EventLog, lake: Lake) -> None:
    ingest_paths([DEMO], lake)
    before = objects(lake, of_matches_only=False)
    (record,) = lake.matches(Title.CS2)
    play(log, from_file(DEMO)[0], None)
    lake.delete_match(record.header)
    assert landed(until_idle(log, lake)) == [record.header.match_id]
    assert objects(lake, of_matches_only=False) == before
    assert record.raw.endswith("input.zip")


def test_what_the_lake_has_from_a_file_stays(log: EventLog, lake: Lake) -> None:
    ingest_paths([DEMO], lake)
    before = objects(lake, of_matches_only=False)
    playable, _ = demo()
    play(log, replace(playable, adapter_version="another"), None)
    (step,) = [step for step in until_idle(log, lake) if step.repeated]
    assert (step.landed, step.repeated) == ((), (playable.match.header.match_id,))
    assert step.days == {Title.CS2: (playable.match.header.day,)}
    assert objects(lake, of_matches_only=False) == before


def test_a_match_played_again_is_nothing_new(client: Redis, log: EventLog, lake: Lake) -> None:
    playable, _ = demo()
    play(log, playable, None)
    steps = until_idle(log, lake)
    before = objects(lake, of_matches_only=False)
    play(log, playable, None)
    again = until_idle(log, lake, steps[-1].position)
    assert [step.read for step in again] == [0]
    client.flushdb()  # another log, which has never seen it
    play(log, playable, None)
    afresh = until_idle(log, lake)
    assert landed(afresh) == []
    assert [step.repeated for step in afresh if step.repeated] == [(playable.match.header.match_id,)]
    assert objects(lake, of_matches_only=False) == before


def test_a_match_of_a_lake_lands_in_another_with_its_findings_once(log: EventLog, lake: Lake, tmp_path: Path) -> None:
    """What the invariants found is stated once, however often the match travels; what only beside others can be judged, never."""
    match = tiny_match(findings=2)
    faults = tuple(broken(match))
    assert faults
    source = Lake(tmp_path / "source")
    source.write_match(replace(match, findings=(*match.findings, *faults)), adapter_version="7")
    play(log, from_lake(source, match.header.match_id), None)
    assert landed(until_idle(log, lake)) == [match.header.match_id]
    (record,) = lake.matches(Title.CS2)
    assert record == source.matches(Title.CS2)[0]
    assert record.quarantined == faults
    assert len(record.findings) == 2 + len(faults)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6), again=st.integers(0, 5))
def test_steps_of_any_size_and_lost_positions_land_each_match_once(
    client: Redis, tmp_path_factory: pytest.TempPathFactory, sizes: list[int], again: int
) -> None:
    """A step whose position was lost is done again: the lake is the same, and only the first time counts as new."""
    client.flushdb()
    log, lake = EventLog(client), Lake(tmp_path_factory.mktemp("lake"))
    paths = [DEMO, *sorted(FIXTURES.glob("grid/*cs*/input.*"))]
    several = [list(envelopes_of(p)) for path in paths for p in from_file(path)]
    assert len(several) == 3
    for at in range(0, max(map(len, several)), 50):  # matches that run beside each other
        for match in several:
            log.append(match[at : at + 50])
    position, number = Position(), 0
    found: list[str] = []
    while True:
        size = sizes[number % len(sizes)]
        if number % 6 == again:
            found += land(log, lake, position, max_entries=size).landed
        step = land(log, lake, position, max_entries=size)
        position, number = step.position, number + 1
        found += step.landed
        if not step.read:
            break
    assert sorted(found) == sorted({match[0].event.match_id for match in several})
    assert position.waiting == []


def test_a_running_match_waits_and_the_position_moves_on(log: EventLog, lake: Lake) -> None:
    playable, envelopes = demo()
    half = len(envelopes) // 2
    log.append(envelopes[:half])
    (step,) = [s for s in until_idle(log, lake) if s.read]
    assert (step.landed, step.waiting, step.lag.entries) == ((), 1, 0)
    assert step.position.last == log.last_id()
    assert step.position.matches[playable.match.header.match_id].first == log.first_id()
    assert objects(lake) == {}
    log.append(envelopes[half:])
    assert landed(until_idle(log, lake, step.position)) == [playable.match.header.match_id]


def test_an_entry_that_comes_after_the_end_completes_the_match(log: EventLog, lake: Lake) -> None:
    playable, envelopes = demo()
    log.append([e for i, e in enumerate(envelopes) if i != 7])
    steps = until_idle(log, lake)
    match_id = playable.match.header.match_id
    assert landed(steps) == []
    assert steps[-1].position.matches[match_id].stage is Stage.SHORT
    assert steps[-1].waiting == 1
    log.append([envelopes[7]])
    steps = until_idle(log, lake, steps[-1].position)
    assert landed(steps) == [match_id]
    assert steps[-1].waiting == 0


def plain_match(match: str = "test:m:1") -> list[Envelope]:
    """A match of a source that sends no records beside its events."""
    beside = {"title": Title.CS2, "series_id": "test:m"}
    return [
        envelope(0, match, event_type=EventType.MAP_START, segment=0, t=None, actor=None, payload={}, **beside),
        envelope(1, match, **beside),
        envelope(2, match, event_type=EventType.MAP_END, segment=0, t=None, actor=None, payload={}, **beside),
    ]


def test_a_match_without_a_closing_record_lands_at_its_end_and_grows_after_it(log: EventLog, lake: Lake) -> None:
    log.append(plain_match())
    steps = until_idle(log, lake)
    assert landed(steps) == ["test:m:1"]
    assert lake.matches(Title.CS2)[0].rows["events"] == 3
    log.append([envelope(3, title=Title.CS2, series_id="test:m")])
    assert landed(until_idle(log, lake, steps[-1].position)) == ["test:m:1"]
    assert lake.matches(Title.CS2)[0].rows["events"] == 4


def test_a_match_whose_beginning_was_trimmed_is_lost_and_told(client: Redis, lake: Lake) -> None:
    clock = StillClock()
    log = EventLog(client, retention_h=1.0, clock_ms=clock)
    log.append(plain_match("test:m:1")[:2])
    position = until_idle(log, lake)[-1].position
    clock.pass_s(4000)
    log.append(plain_match("test:m:2"))
    log.append(plain_match("test:m:1")[2:])
    steps = until_idle(log, lake, position)
    assert landed(steps) == ["test:m:2"]
    assert [told.match_id for step in steps for told in step.lost] == ["test:m:1"]
    assert "ingest its file" in steps[0].lost[0].sentence


def test_nothing_is_remembered_for_longer_than_the_log_keeps_it(client: Redis, lake: Lake) -> None:
    clock = StillClock()
    log = EventLog(client, retention_h=1.0, clock_ms=clock)
    position = Position()
    for number in range(20):
        log.append([envelope(number, f"test:m:{number}")])
        clock.pass_s(1000)
        position = until_idle(log, lake, position)[-1].position
        assert len(position.matches) <= 5
    assert set(position.matches) == {"test:m:16", "test:m:17", "test:m:18", "test:m:19"}


def test_a_forgotten_match_lands_all_the_same(log: EventLog, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_landing, "MOST_MATCHES", 3)
    first, *others = (f"test:m:{number}" for number in range(6))
    log.append([e for match in (first, *others) for e in plain_match(match)[:1]])
    step = land(log, lake, Position())
    assert len(step.position.matches) == 3
    assert first not in step.position.matches
    log.append(plain_match(first)[1:])
    assert landed(until_idle(log, lake, step.position)) == [first]
    assert lake.matches(Title.CS2)[0].rows["events"] == 3

    playable, envelopes = demo()
    log.append(envelopes[:-5])
    position = until_idle(log, lake)[-1].position
    position = Position(position.last, {k: v for k, v in position.matches.items() if not k.startswith("cs2_demo")})
    log.append(envelopes[-5:])
    assert landed(until_idle(log, lake, position)) == [playable.match.header.match_id]


def test_a_gap_is_told_with_what_to_do(client: Redis, lake: Lake) -> None:
    clock = StillClock()
    log = EventLog(client, retention_h=1.0, clock_ms=clock)
    log.append([envelope(1)])
    position = until_idle(log, lake)[-1].position
    log.append([envelope(2)])
    clock.pass_s(4000)
    log.append([envelope(3)])
    with pytest.raises(LandingGap, match=r"are gone.*Ingest the files.*esports land --from-oldest"):
        land(log, lake, position)
    client.delete(CANONICAL)
    with pytest.raises(LandingGap):
        land(log, lake, position)


def test_without_any_time_a_step_still_lands_one_match(log: EventLog, lake: Lake) -> None:
    names = [f"test:m:{number}" for number in range(4)]
    log.append([e for match in names for e in plain_match(match)])
    steps = until_idle(log, lake, budget_s=0.0)
    assert [step.landed for step in steps if step.landed] == [(name,) for name in names]
    assert [step.waiting for step in steps[:4]] == [3, 2, 1, 0]


def test_malformed_entries_are_counted_and_stop_nothing(client: Redis, log: EventLog, lake: Lake) -> None:
    match = "test:m:1"
    log.append(plain_match(match)[:2])
    for stream in (CANONICAL, f"{CANONICAL}:{shard_of(match)}"):
        client.xadd(stream, {"data": b"{"})
        client.xadd(stream, {"other": b"{}"})
        client.xadd(stream, {"data": json.dumps({"match_id": match, "event_id": "x"}).encode()})
    log.append(plain_match(match)[2:])
    steps = until_idle(log, lake)
    assert landed(steps) == [match]
    assert sum(step.malformed for step in steps) == 3


def hostile() -> Iterator[tuple[str, list[Envelope]]]:
    yield "climbs out of the lake", plain_match("../../escaped")
    yield "has an absolute id", plain_match("/etc/passwd")
    yield "has a NUL", plain_match("a\0b")
    yield "shouts", plain_match("TEST:M:1")
    yield "is very long", plain_match("a" * 400)
    told = plain_match("test:m:9")
    yield (
        "says a score that is none",
        [
            *told[:2],
            msgspec.structs.replace(
                told[2], event=msgspec.structs.replace(told[2].event, payload={"score": ["no", 1, None]})
            ),
        ],
    )


@pytest.mark.parametrize(
    ("what", "entries"), list(hostile()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_hostile_match_is_refused_or_landed_and_stops_no_other(
    log: EventLog, lake: Lake, tmp_path: Path, what: str, entries: list[Envelope]
) -> None:
    log.append([*entries, *plain_match("test:good:1")])
    steps = until_idle(log, lake)
    assert "test:good:1" in landed(steps)
    refused = [told for step in steps for told in step.refused]
    assert [told.match_id for told in refused] == [entries[0].event.match_id]
    assert refused[0].sentence
    assert {record.header.match_id for record in lake.matches(Title.CS2)} == {"test:good:1"}
    assert {path.name for path in tmp_path.iterdir()} <= {"lake"}
    assert until_idle(log, lake, steps[-1].position)[-1].refused == ()


def test_of_two_ids_of_one_match_the_lake_keeps_the_better(log: EventLog, lake: Lake, tmp_path: Path) -> None:
    """An id may carry the day of its file's name; a match without a day gives way to the same one with it."""
    undated, dated = tmp_path / "m.zip", tmp_path / "2026-05-17_m.zip"
    for path in (undated, dated):
        path.write_bytes(DEMO.read_bytes())
    (first,), (second,) = from_file(undated), from_file(dated)
    assert first.match.header.match_id != second.match.header.match_id
    play(log, first, None)
    position = until_idle(log, lake)[-1].position
    play(log, second, None)
    steps = until_idle(log, lake, position)
    assert landed(steps) == [second.match.header.match_id]
    assert [r.header.match_id for r in lake.matches(Title.CS2)] == [second.match.header.match_id]
    again = until_idle(log, lake)
    assert landed(again) == []
    assert [r.header.day for r in lake.matches(Title.CS2)] == [date(2026, 5, 17)]


def test_matches_of_one_shard_do_not_mix(log: EventLog, lake: Lake) -> None:
    one, two = matches_on(3, 2)
    log.append([e for pair in zip(plain_match(one), plain_match(two), strict=True) for e in pair])
    assert landed(until_idle(log, lake)) == sorted([one, two])
    assert {r.header.match_id: r.rows["events"] for r in lake.matches(Title.CS2)} == {one: 3, two: 3}
