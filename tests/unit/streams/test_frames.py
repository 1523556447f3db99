"""Tracking tables as frames and back: nothing lost, whatever the numbers."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_match import tiny_match

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical import event as wire
from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.codec import content_hash, table_of
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import (
    FrameError,
    count_frames,
    frame_of,
    frames_of,
    is_frame,
    tracking_of,
    zeros_of,
)
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import TRACKING
from esports_assets.canonical.vocabulary import EventType, Side

FIXTURES = Path(__file__).parents[2] / "fixtures"
HEADER = tiny_match().header


def through_the_wire(tracking: pa.Table, zeros: dict[int, int]) -> tuple[list[CanonicalEvent], pa.Table]:
    frames = list(frames_of(tracking, HEADER, zeros))
    read = [wire.decode(wire.encode(frame)) for frame in frames]
    return frames, tracking_of((event, frame_of(event)) for event in reversed(read))


def test_a_frame_is_one_event_with_every_player_of_an_instant() -> None:
    match = tiny_match()
    (frame,) = frames_of(match.tracking, match.header, zeros_of(match))
    assert is_frame(frame)
    assert frame.event_type is EventType.POSITION_UPDATE
    assert (frame.match_id, frame.series_id, frame.map) == (HEADER.match_id, HEADER.series_id, HEADER.map)
    assert (frame.segment, frame.t, frame.seq, frame.actor) == (1, 0.0, 0, None)
    assert utc_us(frame.timestamp) == match.rounds["started_at"].cast("int64")[0].as_py()
    assert json.loads(wire.encode(frame))["payload"] == {
        "frame": [
            ["test:p1", 1.5, 0.0, 0.0, 90.0, True, 0, 100, 100, "ak47", 200, False, False, None, 800],
            ["test:p6", 2.5, -3.0, 0.0, None, True, 1, 100, None, None, None, True],
        ],
        "teams": [["test:t1", "ct"], ["test:t2", "t"]],
    }


def test_the_checked_payload_knows_team_and_side() -> None:
    match = tiny_match()
    frame = frame_of(next(frames_of(match.tracking, match.header, zeros_of(match))))
    first, second = frame.frame
    assert (frame.team(first), frame.side(first)) == ("test:t1", Side.CT)
    assert (frame.team(second), frame.side(second)) == ("test:t2", Side.T)
    assert (second.player, second.x, second.has_bomb, second.has_kit, second.place) == (
        "test:p6",
        2.5,
        True,
        False,
        None,
    )


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/*/input.*")), ids=lambda path: f"{path.parent.name}")
def test_the_tracks_of_every_fixture_come_back(path: Path) -> None:
    for match in read_file(SourceFile.open(path)).matches:
        frames = list(frames_of(match.tracking, match.header, zeros_of(match)))
        read = [wire.decode(wire.encode(frame)) for frame in frames]
        back = tracking_of((event, frame_of(event)) for event in read)
        assert content_hash(back) == content_hash(match.tracking)
        assert len(frames) == count_frames(match.tracking) == len({frame.event_id for frame in frames})


_SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
_WORDS = st.sampled_from(["", "ak47", "Müller \N{SNOWMAN}", 'quo"te', "p1", "p2"])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "match_id": st.just(HEADER.match_id),
    "segment": st.integers(1, 3),
    "t_s": st.sampled_from([0.0, -0.0, 0.5, 1.1, -3.3]) | st.floats(-1e9, 1e9, width=32),
    "player": _WORDS,
    "team": _WORDS,
    "side": st.sampled_from(["ct", "t"]),
    **dict.fromkeys(("x_u", "y_u", "z_u"), _SINGLE),
    **dict.fromkeys(("yaw_deg", "pitch_deg"), st.none() | _SINGLE),
    "health": st.integers(-(1 << 15), (1 << 15) - 1),
    "armor": st.none() | st.integers(-(1 << 15), (1 << 15) - 1),
    **dict.fromkeys(("money", "equipment_value"), st.none() | st.integers(-(1 << 63), (1 << 63) - 1)),
    **dict.fromkeys(("weapon", "place"), st.none() | _WORDS),
    **dict.fromkeys(("alive", "has_bomb", "has_kit"), st.booleans()),
}
_TABLES = st.lists(st.fixed_dictionaries(_VALUES), max_size=12).map(
    lambda rows: table_of(TRACKING, {name: [row[name] for row in rows] for name in TRACKING.names})
)


@given(_TABLES)
def test_any_table_comes_back_byte_for_byte(tracking: pa.Table) -> None:
    frames, back = through_the_wire(tracking, dict.fromkeys(range(4), 0))
    assert content_hash(back) == content_hash(tracking)
    assert back.equals(tracking)
    assert len({frame.event_id for frame in frames}) == len(frames)
    assert [frame.seq for frame in frames] == list(range(len(frames)))


def test_the_hash_of_a_chunked_table_with_several_dictionaries_comes_back() -> None:
    parts = [tiny_match().tracking, tiny_match(match_id=HEADER.match_id).tracking.take([1, 0])]
    tracking = pa.concat_tables(parts).unify_dictionaries()
    _, back = through_the_wire(tracking, {1: 0})
    assert content_hash(back) == content_hash(tracking)


def test_numbers_are_as_short_as_they_can_be() -> None:
    match = tiny_match()
    values = pa.array([0.12345, -1205.7], pa.float32())
    tracking = match.tracking.set_column(
        match.tracking.schema.get_field_index("x_u"), TRACKING.column("x_u").arrow, values
    )
    (frame,) = frames_of(tracking, match.header, zeros_of(match))
    assert [row[1] for row in frame.payload["frame"]] == [0.12345, -1205.7]
    assert float(np.float32(0.12345)) != 0.12345


def test_ids_follow_from_match_round_and_instant_alone() -> None:
    match = tiny_match()
    (frame,) = frames_of(match.tracking, match.header, zeros_of(match))
    (moved,) = frames_of(match.tracking.slice(1), match.header, {1: 10**15})
    assert moved.event_id == frame.event_id
    assert moved.timestamp != frame.timestamp
    other = tiny_match(match_id="test:other")
    (elsewhere,) = frames_of(other.tracking, other.header, zeros_of(other))
    assert elsewhere.event_id != frame.event_id


def test_a_round_without_a_zero_has_no_frames() -> None:
    with pytest.raises(FrameError, match="tracks of round 1 have no source time"):
        next(frames_of(tiny_match().tracking, HEADER, {2: 0}))


def test_a_time_out_of_the_calendar_is_told() -> None:
    match = tiny_match()
    far = pa.array([1e30, 1e30], pa.float32())
    tracking = match.tracking.set_column(2, TRACKING.column("t_s").arrow, far)
    with pytest.raises(FrameError, match=r"round 1 is at 1\.0.*e\+30 s, out of the calendar"):
        list(frames_of(tracking, HEADER, {1: 0}))


def test_the_zero_of_a_round_that_the_rounds_table_lacks_comes_from_its_events() -> None:
    match = tiny_match()
    without = CanonicalMatch(match.header, match.events, match.tracking, match.rounds.slice(1), match.players)
    first = match.events["timestamp"].cast("int64")[0].as_py()
    assert zeros_of(without) == {1: first + 9_500_000 - 20_000_000}
    assert zeros_of(match) == {1: match.rounds["started_at"].cast("int64")[0].as_py()}


def frame_event(payload: dict[str, Any], **more: Any) -> CanonicalEvent:
    match = tiny_match()
    frame = next(frames_of(match.tracking, match.header, zeros_of(match)))
    told = {name: getattr(frame, name) for name in frame.__struct_fields__}
    return CanonicalEvent(**{**told, "payload": payload, **more})


ROW = ["p", 1, 2.5, 3, None, True, 0, 100]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"frame": 3}, r"Expected `array`, got `int` - at `\$\.frame`"),
        ({"frame": []}, "missing required field `teams`"),
        ({"frame": [ROW[:5]], "teams": [["t", "ct"]]}, "length"),
        ({"frame": [[*ROW[:6], 1, 100]], "teams": [["t", "ct"]]}, "p is in team 1 of 1"),
        ({"frame": [[*ROW[:6], -1, 100]], "teams": [["t", "ct"]]}, ">= 0"),
        ({"frame": [[*ROW[:7], 1 << 15]], "teams": [["t", "ct"]]}, "<= 32767"),
        ({"frame": [["p", 1e39, *ROW[2:]]], "teams": [["t", "ct"]]}, "<="),
        ({"frame": [ROW], "teams": [["t", "left"]]}, "Invalid enum value 'left'"),
    ],
)
def test_what_is_no_frame_is_told(payload: dict[str, Any], reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        frame_of(frame_event(payload))


def test_a_frame_needs_an_instant() -> None:
    good = {"frame": [ROW], "teams": [["t", "ct"]]}
    assert frame_of(frame_event(good)).frame[0].x == 1.0
    for t in (None, 1e39, math.nan):
        with pytest.raises(FrameError, match="no instant"):
            frame_of(frame_event(good, t=t))


def test_other_position_updates_are_no_frames() -> None:
    assert not is_frame(frame_event({"pos": [1, 2, 3]}))
    assert not is_frame(frame_event({"frame": []}, event_type=EventType.GENERIC))
