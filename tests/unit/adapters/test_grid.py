"""GRID files to matches: rollbacks, restarts, bad lines, shapes of 2023 and 2025, by value."""

import copy
import gzip
import lzma
import re
from typing import Any

import pyarrow.compute as pc
import pytest
from grid_feed import fixture, lines, read, read_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.grid import raw, reading
from esports_assets.adapters.grid.adapter import GridAdapter
from esports_assets.canonical.codec import content_hash, events_of
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType, Title


def _events(match: CanonicalMatch, *kinds: EventType) -> list[CanonicalEvent]:
    return [e for e in events_of(match.events) if e.event_type in kinds]


def _only(case: str) -> CanonicalMatch:
    (match,) = read(case).matches
    return match


def test_a_retracted_game_counts_once() -> None:
    result = read("rollback")
    (match,) = result.matches
    assert match.header.match_id == "grid:900001:1"
    assert [e.event_type for e in _events(match, EventType.MAP_START, EventType.ROUND_START, EventType.BUY)] == [
        EventType.MAP_START,
        EventType.ROUND_START,
        EventType.BUY,
    ]
    (buy,) = _events(match, EventType.BUY)
    assert (buy.payload["item"], buy.payload["cost"], buy.payload["money"], buy.t) == ("elite", 300, 400, -17.0)
    assert match.findings == ()


def test_an_undo_of_nothing_is_refused_with_its_place_and_the_rest_goes_on() -> None:
    result = read("rollback")
    assert [str(refusal) for refusal in result.refusals] == [
        "input.jsonl: line 16, sequence number 16: event 0 (player-!killed-player) is refused: there is nothing to undo: "
        "no player-killed-player of '76561190000000012' on '76561190000000021' stands before it"
    ]
    assert len(_events(result.matches[0], EventType.FREEZE_END)) == 1


def test_a_round_that_starts_over_counts_its_last_start_only() -> None:
    match = _only("csgo_round")
    kills = [e for e in _events(match, EventType.KILL) if e.segment == 2]
    assert [(e.actor, e.target, e.t) for e in kills] == [
        ("grid:76561190000000011", "grid:76561190000000021", 10.0),
        ("grid:76561190000000022", "grid:76561190000000012", 15.0),
    ]
    assert [f.rule for f in match.findings] == ["round_restarted"]
    assert match.rounds["segment"].to_pylist() == [1, 2]


def test_a_csgo_round() -> None:
    match = _only("csgo_round")
    first = match.rounds.to_pylist()[0]
    wanted = {
        "duration_s": 52.0,
        "freeze_s": 20.0,
        "ct_team": "grid:20",
        "t_team": "grid:10",
        "ct_equipment_value": 3950,
        "t_equipment_value": 5100,
        "winner_side": "ct",
        "end_reason": "bomb_defused",
        "planted_t_s": 30.0,
        "planted_site": None,
        "ct_score_before": 0,
    }
    assert {key: first[key] for key in wanted} == wanted
    assert match.tracking.num_rows == 0
    kill = next(e for e in _events(match, EventType.KILL) if e.segment == 1)
    assert (kill.payload["weapon"], kill.payload["headshot"]) == ("ak47", True)
    assert kill.payload["assister"] == "grid:76561190000000011"


def test_a_round_end_without_team_won_round_comes_from_game_ended_round() -> None:
    ends = [(e.segment, e.team, e.payload["reason"]) for e in _events(_only("csgo_round"), EventType.ROUND_END)]
    assert ends == [(1, "grid:20", "bomb_defused"), (2, "grid:10", "bomb_exploded")]


def test_valorant_positions_become_tracks() -> None:
    match = _only("valorant_round")
    rows = [r for r in match.tracking.to_pylist() if r["t_s"] == 5.5]
    assert [(r["player"], r["x_u"], r["y_u"], r["health"], r["alive"]) for r in rows] == [
        ("grid:2347", 8273.0, 5189.0, 100, True),
        ("grid:2351", 8574.5, 4912.75, 100, True),
        ("grid:3314", 6931.75, 4661.5, 70, True),
    ]  # the fourth player's position is null in this message
    dead = [r["alive"] for r in match.tracking.to_pylist() if r["player"] == "grid:3314" and r["t_s"] in (6.0, 7.0)]
    assert dead == [False, True]  # killed, then revived
    assert set(match.tracking["z_u"].to_pylist()) == {0.0}
    assert pc.max(match.tracking["t_s"]).as_py() < match.rounds["duration_s"][0].as_py() + 1e-9


def test_simulated_matches_are_marked() -> None:
    match = _only("simulated_cs2")
    assert (match.header.match_id, match.header.title) == ("grid:sim.900007:1", Title.CS2)
    assert match.header.simulated
    assert match.rounds["simulated"].to_pylist() == [True]
    assert set(match.tracking["z_u"].to_pylist()) == {-64.0, 16.0}


def test_an_end_state_gives_rounds_and_players() -> None:
    result = read("end_state")
    (match,) = result.matches  # the game that never started is none
    assert match.rounds["end_reason"].to_pylist() == ["ct_eliminated", "time_expired", "bomb_exploded"]
    assert match.rounds["duration_s"].to_pylist() == [None, 100.5, None]
    assert [(r["player"], r["player_name"], r["team_name"]) for r in match.players.to_pylist()] == [
        ("grid:725", "moo", "Cirrus"),
        ("grid:801", "lu", "Lava"),
    ]
    *ends, over = events_of(match.events)
    assert {e.event_type for e in ends} == {EventType.ROUND_END}
    assert (over.event_type, over.team, over.payload) == (
        EventType.MAP_END,
        "grid:7",
        {"score": {"grid:7": 2, "grid:8": 1}, "winner_team": "grid:7"},
    )
    assert [r.place for r in result.refusals] == ["game 1 round 4"]


def test_bad_lines_are_refused_one_by_one() -> None:
    result = read("bad_lines")
    assert [(r.place, r.kind) for r in result.refusals] == [
        ("line 3", "MalformedRecord"),
        ("line 8", "MalformedRecord"),
        ("line 9", "MalformedRecord"),
        ("line 10 $.events[0].actor.stateDelta.game.money", "MalformedRecord"),
        ("line 11", "MalformedRecord"),
        ("line 7, sequence number 3", "MalformedRecord"),
        ("line 12, sequence number 5", "MalformedRecord"),
        ("line 14", "WrongFormat"),
    ]
    assert result.refusals[3].reason == "NaN is not a number that a match can hold"
    assert result.refusals[-1].reason.startswith("series 900006 is League of Legends")
    (match,) = result.matches
    assert [f.rule for f in match.findings] == ["duplicate_message", "clock_backwards", "sequence_gap"]
    assert [e.payload["item"] for e in _events(match, EventType.BUY)] == ["elite"]


def test_order_is_by_sequence_number_whatever_the_order_of_lines() -> None:
    messages = lines("csgo_round")
    shuffled = messages[::-1]
    straight, turned = read_lines(messages).matches[0], read_lines(shuffled).matches[0]
    assert content_hash(straight.events) == content_hash(turned.events)


def test_a_line_beyond_the_limit_is_refused_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "MAX_LINE_BYTES", 20_000)
    result = read_lines([b'{"pad":"' + b"x" * 20_001 + b'"}', *lines("rollback")])
    assert str(result.refusals[0]) == (
        "input.jsonl: line 1: it is 20,011 bytes long; a GRID message has at most 20,000"
    )
    assert len(result.matches) == 1


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_packed_files_read_alike(suffix: str, pack: Any) -> None:
    plain = fixture("csgo_round")
    packed = SourceFile(plain.name + suffix, pack(plain.data))
    adapter = GridAdapter()
    assert adapter.recognises(packed)
    assert content_hash(adapter.read(packed).matches[0].events) == content_hash(adapter.read(plain).matches[0].events)
    broken = adapter.read(SourceFile(packed.name, packed.data[:-20]))
    assert [(r.kind, r.place) for r in broken.refusals] == [
        ("UnreadableFile", {".gz": "gzip", ".xz": "xz"}[suffix] + " container")
    ]


def test_a_file_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(reading.UnreadableFile, match="more than 10 bytes"):
        reading.unpacked(SourceFile("a.jsonl", b"x" * 11), limit=10)


def test_an_array_reads_like_lines() -> None:
    data = b"[" + b",".join(fixture("valorant_round").data.splitlines()) + b"]"
    (match,) = GridAdapter().read(SourceFile("input.json", data)).matches
    assert content_hash(match.events) == content_hash(_only("valorant_round").events)


def test_a_document_cut_short_is_refused_once() -> None:
    whole = fixture("end_state")
    result = GridAdapter().read(SourceFile(whole.name, whole.data[:-40]))
    assert [str(r) for r in result.refusals] == ["input.json: not JSON: Input data was truncated"]


def test_lines_in_a_json_file_read_like_lines() -> None:
    plain = fixture("csgo_round")
    (match,) = GridAdapter().read(SourceFile("input.json", plain.data)).matches
    assert content_hash(match.events) == content_hash(_only("csgo_round").events)


def test_an_unfinished_game_without_a_round_is_a_match_without_rounds() -> None:
    (match,) = read_lines(lines("csgo_round")[:8]).matches
    assert (match.rounds.num_rows, match.players.num_rows) == (0, 4)


def test_an_unknown_title_is_refused_by_its_word() -> None:
    changed = copy.deepcopy(lines("csgo_round")[1:2])
    changed[0]["events"][0]["seriesState"]["title"] = {"nameShortened": "r6"}
    assert "is 'r6'; this adapter reads" in read_lines(changed).refusals[0].reason


def test_hostile_values_cost_their_event_only() -> None:
    """Numbers beyond any register, places beyond any map, nesting beyond any tree, ids that no file name can hold."""
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    far, strange, nested, nobody = copy.deepcopy(lines("valorant_round")[3:7])
    far["events"][0]["seriesState"]["games"][0]["teams"][0]["players"][0]["position"] = {"x": 1e300, "y": 0}
    strange["events"][0]["target"]["stateDelta"]["game"]["currentHealth"] = -(10**400)
    nested["events"][0] |= {"type": "player-danced-wildly"}
    nested["events"][0]["actor"]["stateDelta"] = deep
    nobody["events"][0]["target"]["id"] = "\u202e!!"
    data = [*lines("valorant_round")[:3], far, strange, nested, nobody]
    result = read_lines(data)
    assert [r.reason for r in result.refusals] == [
        "event 0 (player-danced-wildly) is refused: state is nested deeper than 40 levels"
    ]
    (revived,) = _events(result.matches[0], EventType.SPAWN)
    assert re.fullmatch(r"grid:[a-z0-9_.\-]+", str(revived.actor))
    (hit,) = _events(result.matches[0], EventType.DAMAGE)
    assert hit.payload["damage"] == 30  # health is no number here; what it took stands


@given(st.binary(max_size=300))
def test_garbage_never_raises(data: bytes) -> None:
    result = GridAdapter().read(SourceFile("input.jsonl", data))
    assert result.matches == ()
    assert result.refusals


_LINES = fixture("csgo_round").data.splitlines()
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.text(max_size=5), child, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_message_with_anything_in_any_place_never_raises(data: st.DataObject) -> None:
    """One field somewhere in the state or the delta holds something else: the reading is an answer, not an exception."""
    messages = lines("valorant_round")
    node: Any = data.draw(st.sampled_from(messages))["events"]
    while isinstance(node, list | dict) and node:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], list | dict) or not node[key] or data.draw(st.integers(0, 4)) == 0:
            node[key] = data.draw(_JSON)
            break
        node = node[key]
    result = read_lines(messages)
    assert len(result.matches) + len(result.refusals) >= 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(_LINES) - 1), st.binary(max_size=30), st.integers(0, 200))
def test_a_damaged_line_costs_itself_only(at: int, patch: bytes, where: int) -> None:
    line = _LINES[at]
    damaged = [*_LINES[:at], line[:where] + patch + line[where + len(patch) :], *_LINES[at + 1 :]]
    assert GridAdapter().read(SourceFile("input.jsonl", b"\n".join(damaged))).matches
