"""A GRID series transaction by transaction: the events of the file, as far as nobody can look ahead."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from grid_feed import fixture, lines

from esports_assets.adapters.base import MalformedRecord, SourceFile
from esports_assets.adapters.grid.live import LiveSeries, Told, transaction
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import frames_of, is_frame, zeros_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.retraction import retracted_by
from esports_assets.canonical.vocabulary import EventType
from esports_assets.simulate.grid_format import grid_lines
from esports_assets.simulate.match import simulate
from esports_assets.streams.replay import Playable, envelopes_of

WITHOUT_ROLLBACK = ("valorant_round", "simulated_cs2", "every_type")
WITH_ROLLBACK = ("csgo_round", "rollback")


def told_of(data: Iterable[bytes]) -> list[Told]:
    series: dict[str, LiveSeries] = {}
    found = []
    for line in data:
        message = transaction(line)
        found.append(series.setdefault(message.series, LiveSeries()).feed(message))
    return found


def live(data: Iterable[bytes]) -> list[CanonicalEvent]:
    return [event for told in told_of(data) for event in told.events]


def encoded(values: Iterable[Any]) -> list[bytes]:
    return [msgspec.json.encode(value) for value in values]


def of_file(match: CanonicalMatch) -> list[CanonicalEvent]:
    """The events of a file as they are played, without how they came in."""
    return [bare(envelope.event) for envelope in envelopes_of(Playable(match), tracking=False)]


def bare(event: CanonicalEvent) -> CanonicalEvent:
    return msgspec.structs.replace(event, ingestion_meta=msgspec.structs.replace(event.ingestion_meta, grid_seq=None))


def without_the_clock_of_freeze_time(event: CanonicalEvent) -> CanonicalEvent:
    return msgspec.structs.replace(event, t=None) if event.t is not None and event.t < 0 else event


def standing(events: Iterable[CanonicalEvent]) -> list[CanonicalEvent]:
    """What is left of a stream of events when every retraction is heeded, retractions left out."""
    left: dict[str, CanonicalEvent] = {}
    for event in events:
        for gone in retracted_by(event):
            del left[gone]  # a retraction names only what went out and still stood
        if not retracted_by(event):
            assert event.event_id not in left
            left[event.event_id] = event
    return list(left.values())


def unnumbered(events: Iterable[CanonicalEvent]) -> list[CanonicalEvent]:
    return [msgspec.structs.replace(event, seq=0) for event in events]


def simulated(seed: int) -> list[bytes]:
    return grid_lines(simulate(seed, 0), date(2026, 1, 1), 0)


@pytest.mark.parametrize("case", WITHOUT_ROLLBACK)
def test_a_series_told_live_is_the_file(case: str) -> None:
    (match,) = read_file(fixture(case)).matches
    events = [bare(event) for event in live(encoded(lines(case))) if not is_frame(event)]
    assert events == [without_the_clock_of_freeze_time(event) for event in of_file(match)]


def test_a_simulated_match_told_live_is_the_file_with_its_frames() -> None:
    data = simulated(5)[:600]
    (match,) = read_file(SourceFile("2026-01-01_sim.jsonl", b"\n".join(data))).matches
    told = [bare(event) for event in live(data)]
    assert [e for e in told if not is_frame(e)] == [without_the_clock_of_freeze_time(e) for e in of_file(match)]
    frames = [event for event in frames_of(match.tracking, match.header, zeros_of(match)) if (event.t or 0.0) >= 0]
    assert len(frames) > 200
    assert (
        frames.pop().timestamp == match.events["timestamp"].to_pylist()[-1]
    )  # the newest instant goes out with the next
    assert unnumbered(e for e in told if is_frame(e)) == unnumbered(frames)
    assert [e.seq for e in told if is_frame(e)] == list(range(len(frames)))
    times = [event.timestamp for event in told]
    assert times == sorted(times)  # frames stand where they belong by time
    assert all(event.ingestion_meta.simulated for event in told)


@pytest.mark.parametrize("case", WITH_ROLLBACK)
def test_what_stands_after_retractions_is_the_file(case: str) -> None:
    (match,) = read_file(fixture(case)).matches
    told = [event for event in live(encoded(lines(case))) if not is_frame(event)]
    assert any(retracted_by(event) for event in told)
    left = unnumbered(bare(event) for event in standing(told))
    assert left == unnumbered(without_the_clock_of_freeze_time(event) for event in of_file(match))
    assert [event.seq for event in told] == list(range(len(told)))  # one number each, retractions too


def test_an_undo_says_what_it_takes_back_and_why() -> None:
    values = lines("csgo_round")
    before = live(encoded(values[:10]))
    kill = before[-1] if before[-1].event_type is EventType.KILL else None
    kill = kill or [event for event in before if event.event_type is EventType.KILL][-1]
    event = values[9]["events"][1] | {"type": "player-!killed-player", "seriesStateDelta": None}
    undo = values[9] | {"sequenceNumber": 11, "events": [event]}
    last = live(encoded([*values[:10], undo]))[-1]
    assert retracted_by(last) == (kill.event_id,)
    assert last.payload["raw"]["because"] == "player-!killed-player"
    assert (last.match_id, last.segment, last.event_type) == (kill.match_id, kill.segment, EventType.GENERIC)


def test_derived_facts_after_an_undone_kill_are_those_of_what_stands() -> None:
    values = lines("csgo_round")
    event = values[9]["events"][1] | {"type": "player-!killed-player", "seriesStateDelta": None}
    undo = values[9] | {"sequenceNumber": 11, "events": [event]}
    again = values[9] | {"sequenceNumber": 12, "events": [values[9]["events"][1] | {"seriesStateDelta": None}]}
    told = live(encoded([*values[:10], undo, again]))
    first, second = [e for e in told if e.event_type is EventType.KILL]
    assert first.enriched["opening_kill"] is second.enriched["opening_kill"] is True
    assert second.enriched["multi_kill"] == 1
    assert first.event_id != second.event_id


def test_repetitions_say_nothing_again() -> None:
    data = encoded(lines("valorant_round"))
    twice = [line for line in data for _ in range(2)]
    assert live(twice) == live(data)
    assert [len(one.refusals) for one in told_of(twice)] == [0] * len(twice)


def test_bad_content_is_refused_and_the_rest_goes_out() -> None:
    values = lines("valorant_round")
    at = next(k for k, v in enumerate(values) for e in v["events"] if e["type"] == "player-killed-player")
    values[at]["events"][0]["target"]["id"] = ""
    told = told_of(encoded(values))
    assert [refusal.reason for one in told for refusal in one.refusals] == [
        "event 0 (player-killed-player) is refused: its target has no id"
    ]
    assert told[-1].events


def test_an_event_without_an_envelope_has_no_place() -> None:
    with pytest.raises(MalformedRecord, match="has no place in a series"):
        transaction(msgspec.json.encode(lines("csgo_round")[3]["events"][0]))


@pytest.mark.realdata
def test_a_real_series_with_a_rollback_told_live(real_data: Path) -> None:
    file = SourceFile.open(real_data / "grid" / "csgo_2578928" / "2578928_events.first50.jsonl")
    (match,) = read_file(file).matches
    told = live(file.data.splitlines())
    taken_back = [gone for event in told for gone in retracted_by(event)]
    assert (len(told), len(taken_back), match.events.num_rows) == (65, 5, 57)
    left = unnumbered(bare(event) for event in standing(told))
    assert left == unnumbered(without_the_clock_of_freeze_time(event) for event in of_file(match))
