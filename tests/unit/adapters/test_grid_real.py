"""GRID's own files: what they count, by value. They are never shipped; the tests skip where they are absent."""

from collections import Counter
from pathlib import Path

import pytest

from esports_assets.adapters.base import Reading, SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.codec import events_of
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.vocabulary import EventType, Title

pytestmark = pytest.mark.realdata


def _read(folder: Path, name: str) -> Reading:
    return read_file(SourceFile.open(folder / "grid" / name))


def test_a_csgo_feed_with_a_rollback(real_data: Path) -> None:
    result = _read(real_data, "csgo_2578928/2578928_events.first50.jsonl")
    (match,) = result.matches
    assert result.refusals == ()
    assert match.findings == ()  # every delta agrees with the state after it
    assert (match.header.match_id, match.header.title, match.header.map) == ("grid:2578928:1", Title.CSGO, "inferno")
    events = events_of(match.events)
    assert Counter(e.event_type for e in events) == {
        EventType.BUY: 17,
        EventType.ITEM_DROPPED: 11,
        EventType.ITEM_PICKED_UP: 8,
        EventType.ECONOMY_UPDATE: 10,
        EventType.GENERIC: 8,
        EventType.MAP_START: 1,
        EventType.ROUND_START: 1,
        EventType.FREEZE_END: 1,
    }
    start = next(e for e in events if e.event_type is EventType.ROUND_START)
    assert (start.t, start.payload["ct_team"], start.payload["t_team"]) == (-19.907, "grid:3128", "grid:47336")
    assert next(e for e in events if e.event_type is EventType.FREEZE_END).payload["clock_s"] == 115
    assert sum(e.payload["equipment_value"] for e in events if e.event_type is EventType.ECONOMY_UPDATE) == 8450
    assert (match.players.num_rows, match.rounds.num_rows, match.tracking.num_rows) == (10, 0, 0)
    assert broken(match) == []


def test_a_valorant_end_state(real_data: Path) -> None:
    result = _read(real_data, "valorant/end_state_2653969_grid.json")
    assert result.refusals == ()
    assert [(m.header.map, m.rounds.num_rows, m.players.num_rows) for m in result.matches] == [
        ("icebox", 20, 10),
        ("sunset", 20, 10),
        ("ascent", 34, 10),
    ]
    reasons = Counter(reason for m in result.matches for reason in m.rounds["end_reason"].to_pylist())
    assert reasons == {
        "ct_eliminated": 29,
        "t_eliminated": 15,
        "bomb_exploded": 14,
        "bomb_defused": 12,
        "time_expired": 4,
    }
    winners = [Counter(m.rounds["winner_team"].to_pylist()) for m in result.matches]
    assert winners == [
        {"grid:1611": 13, "grid:79": 7},
        {"grid:79": 13, "grid:1611": 7},
        {"grid:79": 18, "grid:1611": 16},
    ]
    assert [broken(m) for m in result.matches] == [[], [], []]


def test_a_single_event_with_a_partial_state(real_data: Path) -> None:
    (match,) = _read(real_data, "valorant/event_player-damaged-player_2775955.json").matches
    (hit,) = events_of(match.events)
    assert (hit.event_type, hit.segment, hit.actor, hit.target) == (EventType.DAMAGE, 4, "grid:2351", "grid:3314")
    assert hit.payload == {
        "pos": [8574.49902, 4912.81348, 0.0],
        "target_pos": [6931.67529, 4661.7124, 0.0],
        "target_team": "grid:99",
        "target_side": "t",
        "weapon": "ghost",
        "hitgroup": "body",
        "damage": 30,
        "armor_damage": None,
        "health_after": 10,
        "armor_after": None,
    }
    assert match.players.num_rows == 10


def test_a_single_event_with_a_full_state(real_data: Path) -> None:
    (match,) = _read(real_data, "valorant/event_game-started-round_2775955.json").matches
    (start,) = events_of(match.events)
    assert start.timestamp.isoformat() == "2025-03-22T20:54:25.273000+00:00"
    assert (match.header.map, start.payload) == (
        "lotus",
        {"ct_team": "grid:96", "t_team": "grid:99", "ct_score": 0, "t_score": 0},
    )


def test_a_piece_of_an_event_is_refused(real_data: Path) -> None:
    result = _read(real_data, "valorant/target_of_game-ended-round_2025-08-08.json")
    assert result.matches == ()
    assert [r.reason for r in result.refusals] == ["not a GRID record: Object missing required field `actor`"]
