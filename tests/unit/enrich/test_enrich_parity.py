"""One fold, two ways to feed it: a match's tables and its events one by one give the same facts, at every instant."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from told_story import METRE_U, TEAM, ZERO, said, start

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.codec import events_of, events_table, table_of
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import is_frame
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.schema import PLAYERS, ROUNDS, TRACKING
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.enrich.batch import enriched
from esports_assets.enrich.online import Enricher
from esports_assets.simulate.match import simulate
from esports_assets.simulate.write import demo_bytes
from esports_assets.streams.replay import Playable, envelopes_of

EVERY = 16
"""So many real matches make one that is read here; all of them are when the facts change."""

HEADER = MatchHeader("test:1:1", "test:1", Title.CS2, "de_dust2", "test")
_PLAYERS = sorted(TEAM)
_TIMES = st.integers(0, 40).map(lambda k: k / 8)
_METRES = st.integers(0, 24).map(lambda k: k * METRE_U)
_KINDS = (
    *(EventType.KILL, EventType.KILL, EventType.DEATH, EventType.DAMAGE, EventType.SPAWN, EventType.UTILITY),
    *(EventType.BOMB_PLANTED, EventType.BOMB_DEFUSED, EventType.ECONOMY_UPDATE, EventType.BUY, EventType.SHOT),
    EventType.POSITION_UPDATE,
)


@st.composite
def _happened(draw: st.DrawFn, segment: int) -> CanonicalEvent:
    kind = draw(st.sampled_from(_KINDS))
    told: dict[str, Any] = {}
    if kind is not EventType.DEATH:
        told["actor"] = draw(st.sampled_from(_PLAYERS))
    if kind in (EventType.KILL, EventType.DEATH, EventType.DAMAGE):
        told["target"] = draw(st.sampled_from(_PLAYERS))
        told["target_pos"] = draw(st.none() | st.tuples(_METRES, _METRES, _METRES).map(list))
    if kind in (EventType.ECONOMY_UPDATE, EventType.BUY):
        told |= {"money": draw(st.integers(0, 9)), "start_money": draw(st.none() | st.integers(0, 9)), "cost": 1}
    else:
        told["pos"] = draw(st.none() | st.tuples(_METRES, _METRES, _METRES).map(list))
        told["site"] = draw(st.sampled_from(["a", "b", None]))
    return said(kind, draw(_TIMES), segment, **told)


@st.composite
def _matches(draw: st.DrawFn) -> CanonicalMatch:
    events: list[CanonicalEvent] = []
    rows: list[dict[str, Any]] = []
    for segment in range(1, draw(st.integers(1, 3)) + 1):
        events += [start(segment)] if draw(st.booleans()) else []
        events += sorted(draw(st.lists(_happened(segment), max_size=12)), key=lambda event: event.timestamp)
        for t_s in sorted(draw(st.sets(st.integers(-4, 40), max_size=12))):
            rows += [
                _row(draw, segment, t_s / 8, player) for player in draw(st.sets(st.sampled_from(_PLAYERS), min_size=1))
            ]
    numbered = [msgspec.structs.replace(e, seq=n, event_id=f"{n}") for n, e in enumerate(events)]
    return CanonicalMatch(
        HEADER,
        events_table(numbered),
        table_of(TRACKING, {name: [row[name] for row in rows] for name in TRACKING.names}),
        table_of(ROUNDS, {name: [row[name] for row in _rounds(3)] for name in ROUNDS.names}),
        table_of(PLAYERS, {name: [] for name in PLAYERS.names}),
    )


def _row(draw: st.DrawFn, segment: int, t_s: float, player: str) -> dict[str, Any]:
    alive = draw(st.integers(0, 3)) > 0
    row: dict[str, Any] = dict.fromkeys(TRACKING.names)
    place = {axis: draw(_METRES) for axis in ("x_u", "y_u", "z_u")}
    who = {"player": player, "team": TEAM[player], "side": "ct" if TEAM[player] == "A" else "t"}
    state: dict[str, Any] = {"alive": alive, "health": 100 * alive, "has_bomb": False, "has_kit": False}
    return {**row, **who, **place, **state, "match_id": HEADER.match_id, "segment": segment, "t_s": t_s}


def _rounds(count: int) -> list[dict[str, Any]]:
    known: dict[str, Any] = {
        "match_id": HEADER.match_id,
        "series_id": HEADER.series_id,
        "title": "cs2",
        "source": "test",
    }
    known |= {
        "simulated": False,
        "map": "de_dust2",
        "ct_team": "A",
        "t_team": "B",
        "winner_side": "t",
        "winner_team": "B",
    }
    known |= {"ct_score_before": 0, "t_score_before": 0, "end_reason": "ct_eliminated"}
    zero = utc_us(ZERO)
    return [
        {**dict.fromkeys(ROUNDS.names), **known, "segment": n, "started_at": zero + 200_000_000 * n}
        for n in range(1, count + 1)
    ]


def _one_by_one(match: CanonicalMatch, restart_at: frozenset[int] = frozenset()) -> list[dict[str, Any]]:
    """The facts of a match that is played, with a restart from the checkpoint before some of its messages."""
    enricher, found = Enricher(), []
    for number, envelope in enumerate(envelopes_of(Playable(match))):
        if number in restart_at:
            enricher = Enricher.restored(enricher.checkpoint())
        event = enricher.enrich(msgspec.structs.replace(envelope.event, enriched={}))
        if not is_frame(event):
            found.append(event.enriched)
    return found


def _at_once(match: CanonicalMatch) -> list[dict[str, Any]]:
    return [event.enriched for event in events_of(enriched(match).events)]


@settings(max_examples=60)
@given(_matches().filter(lambda match: match.events.num_rows > 0), st.frozensets(st.integers(0, 60)))
def test_a_match_and_its_stream_have_the_same_facts(match: CanonicalMatch, restarts: frozenset[int]) -> None:
    assert _one_by_one(match, restarts) == _at_once(match)


@settings(max_examples=40)
@given(_matches().filter(lambda match: match.events.num_rows > 0), st.data())
def test_facts_do_not_look_ahead(match: CanonicalMatch, data: st.DataObject) -> None:
    """Without all that comes later, the facts so far are the same."""
    events = events_of(match.events)
    cut = data.draw(st.integers(1, len(events)))
    last = events[cut - 1]
    now = (pc.field("segment") < last.segment) | ((pc.field("segment") == last.segment) & (pc.field("t_s") <= last.t))
    past = replace(match, events=match.events.slice(0, cut), tracking=match.tracking.filter(now))
    assert _at_once(past) == _at_once(match)[:cut]


def _first_rounds(match: CanonicalMatch, rounds: int) -> CanonicalMatch:
    early = pc.field("segment") <= rounds
    return replace(match, events=match.events.filter(early), tracking=match.tracking.filter(early))


def test_facts_are_stated_once() -> None:
    (match,) = read_file(SourceFile("2026-01-01_simulated.zip", demo_bytes(simulate(5, 0), date(2026, 1, 1)))).matches
    match = _first_rounds(match, 4)
    assert enriched(match).events.equals(match.events)
    assert _one_by_one(match) == [event.enriched for event in events_of(match.events)]


@pytest.mark.realdata
def test_real_matches_and_their_streams_have_the_same_facts(real_data: Path) -> None:
    demos = [p for p in sorted((real_data / "cs2_demos").rglob("*")) if p.name.endswith((".zip", ".json.xz"))]
    feeds = sorted((real_data / "grid").rglob("*.json*"))
    told = 0
    for path in (*demos[::EVERY], *feeds):
        for match in read_file(SourceFile.open(path)).matches:
            facts = [event.enriched for event in events_of(match.events)]
            assert _one_by_one(match) == facts, path.name
            told += sum(map(bool, facts))
    assert told > 3000


@pytest.mark.realdata
def test_trades_of_real_matches_are_those_that_the_source_calls_so(real_data: Path) -> None:
    """The source waits for almost six seconds, we for five: ours are among theirs, and nearly all of them."""
    path = next(iter(sorted((real_data / "cs2_demos" / "amateur").glob("*.json.xz"))))
    (match,) = read_file(SourceFile.open(path)).matches
    kills = [event for event in events_of(match.events) if event.event_type is EventType.KILL]
    theirs = {event.event_id for event in kills if event.payload["trade"]}
    ours = {event.event_id for event in kills if event.enriched.get("trade_kill")}
    assert len(theirs) > 20
    assert ours <= theirs
    assert len(theirs - ours) <= 0.15 * len(theirs)
