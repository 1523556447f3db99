"""The stream's final rows are the batch's: for any order of arrival within the lateness, duplicates, batches and restarts."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from future import first_rounds, simulated, tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from micro_made import MATCH, SITES, Story, U, match_of, played, random_story, rows_of

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.micro.batch import micro_rounds
from esports_assets.windows.micro.online import Fed, OnlineMicro
from esports_assets.windows.micro.parity import compared, messages_of, parity_of, shuffled
from esports_assets.windows.micro.rows import MicroRows
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.streamed.message import Message, Positions

FEW = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
windows = st.sampled_from([MicroWindow(), MicroWindow(rate_hz=None), MicroWindow(1.5, 3.7), MicroWindow(0.3, None)])
stories = st.builds(random_story, st.integers(0, 2**32), st.integers(1, 3), st.integers(0, 25), st.integers(0, 40))


def _cuts(messages: Sequence[Message], sizes: Sequence[int]) -> Iterator[Sequence[Message]]:
    begin = k = 0
    while begin < len(messages):
        size = sizes[k % len(sizes)]
        yield messages[begin : begin + size]
        begin, k = begin + size, k + 1


def _fed(online: OnlineMicro, batches: Iterator[Sequence[Message]], match_id: str = MATCH) -> list[Fed]:
    return [*(online.feed(batch) for batch in batches), online.finish(match_id)]


def _final(told: Sequence[Fed]) -> list[MicroRows]:
    return [rows for fed in told for rows in fed.final]


@FEW
@given(
    stories, windows, st.integers(0, 2**32), st.lists(st.integers(1, 60), min_size=1, max_size=4), st.floats(0.0, 5.0)
)
def test_any_arrival_within_the_lateness(
    story: list[Message], window: MicroWindow, seed: int, sizes: list[int], lateness_s: float
) -> None:
    rng = np.random.default_rng(seed)
    told = _fed(OnlineMicro(lambda _: SITES, window, lateness_s), _cuts(shuffled(story, lateness_s, rng), sizes))
    found = compared(micro_rounds(match_of(story), SITES, window), _final(told))
    assert found.first_difference is None
    assert found.rows_different == 0
    known = {m.event_id if isinstance(m, CanonicalEvent) else (m.segment, m.t_s) for m in story}
    late = [m for fed in told for m in fed.late]
    assert {m.event_id if isinstance(m, CanonicalEvent) else (m.segment, m.t_s) for m in late} <= known


def test_the_stories_have_something_to_compare() -> None:
    every_frame = MicroWindow(rate_hz=None)
    rows = [part for seed in range(8) for part in played(random_story(seed, 3, 25, 40), every_frame).final]
    table = [row for part in rows for row in part.records()]
    assert len(table) > 100
    for name in ("dist_to_objective_min", "killer_dist_m", "since_hurt_s", "enemy_angle_deg", "utility"):
        assert len({row["features"][name] for row in table}) >= 5, name


@FEW
@given(stories, windows, st.integers(0, 2**32), st.data())
def test_a_restart_at_any_point_changes_nothing(
    story: list[Message], window: MicroWindow, seed: int, data: st.DataObject
) -> None:
    arrival = shuffled(story, 2.0, np.random.default_rng(seed))
    batches = list(_cuts(arrival, data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))))
    undisturbed = _fed(OnlineMicro(lambda _: SITES, window), iter(batches))
    online, told = OnlineMicro(lambda _: SITES, window), []
    for batch in batches:
        told.append(online.feed(batch))
        if online.matches and data.draw(st.booleans()):
            saved = online.checkpoint(MATCH)
            online = OnlineMicro(lambda _: SITES, window)
            assert online.restore(saved) == MATCH
            assert online.checkpoint(MATCH) == saved
    told.append(online.finish(MATCH))
    assert len(told) == len(undisturbed)
    for one, other in zip(told, undisturbed, strict=True):
        assert rows_of(one.final) == rows_of(other.final)
        assert rows_of(one.provisional) == rows_of(other.provisional)
        assert (one.late, one.duplicates) == (other.late, other.duplicates)


@FEW
@given(stories, st.integers(0, 2**32))
def test_told_twice_is_told_once(story: list[Message], seed: int) -> None:
    arrival = shuffled(story, 1.0, np.random.default_rng(seed))
    twice = [message for message in arrival for _ in range(2)]
    once = OnlineMicro(lambda _: SITES, lateness_s=1.0).feed(arrival)
    online = OnlineMicro(lambda _: SITES, lateness_s=1.0)
    again = online.feed(twice)
    assert rows_of(again.final) == rows_of(once.final)
    assert again.duplicates >= once.duplicates
    if len(story) > 5:
        assert again.duplicates > once.duplicates


@pytest.mark.parametrize("rate_hz", [2.0, None])
@pytest.mark.parametrize("version", [2, 3])
def test_tiny_matches(version: int, rate_hz: float | None) -> None:
    found = parity_of(tiny(version), SITES, MicroWindow(rate_hz=rate_hz), np.random.default_rng(3))
    assert found.rows_compared == (290 if rate_hz else 145)
    assert (found.rows_different, found.first_difference) == (0, None)


@pytest.mark.parametrize("rate_hz", [2.0, None])
def test_simulated_matches(rate_hz: float | None) -> None:
    found = parity_of(simulated(7, 4), SITES, MicroWindow(rate_hz=rate_hz), np.random.default_rng(4))
    assert found.rows_compared > 3000
    assert (found.rows_different, found.first_difference) == (0, None)


# --- provisional, final, late -----------------------------------------------------------------------------------------


def _keys(parts: Sequence[MicroRows]) -> list[tuple[int, float, str]]:
    return list(rows_of(parts))


def _standing(last: int = 12) -> Story:
    story = Story()
    story.begin(1)
    story.frames(1, range(last), a1=(0.0, 0.0), b1=(500.0, 0.0))
    return story


def test_rows_are_provisional_at_once_and_final_after_the_watermark() -> None:
    story, online = _standing(), OnlineMicro(lambda _: SITES, MicroWindow(rate_hz=1.0))
    first = online.feed(story.messages[:3])  # up to the frame at 0 s
    assert _keys(first.provisional) == [(1, 0.0, "a1"), (1, 0.0, "b1")]
    assert first.final == []
    second = online.feed(story.messages[3:5])  # frames at 1 and 2 s: 0 is 2 s ago, and a message of 0 s may still come
    assert _keys(second.provisional) == [(1, 1.0, "a1"), (1, 1.0, "b1"), (1, 2.0, "a1"), (1, 2.0, "b1")]
    assert second.final == []
    third = online.feed(story.messages[5:6])
    assert _keys(third.provisional) == [(1, 3.0, "a1"), (1, 3.0, "b1")]
    assert _keys(third.final) == [(1, 0.0, "a1"), (1, 0.0, "b1")]
    rest = online.feed(story.messages[6:])
    assert sorted({t for _, t, _ in _keys(rest.final)}) == [float(t) for t in range(1, 9)]
    assert sorted({t for _, t, _ in _keys(rest.provisional)}) == [9.0, 10.0, 11.0]  # what is final is not told twice


@pytest.mark.parametrize("rate_hz", [1.0, None])
def test_a_final_row_corrects_a_provisional_one(rate_hz: float | None) -> None:
    story = _standing(6)
    story.event(1, 4.5, EventType.SHOT, "a1", weapon="ak47")
    *before, shot = story.messages
    online = OnlineMicro(lambda _: SITES, MicroWindow(rate_hz=rate_hz))
    provisional = rows_of(online.feed(before).provisional)
    assert provisional[1, 5.0, "a1"]["since_shot_s"] is None
    final = rows_of([*online.feed([shot]).final, *online.finish(MATCH).final])
    assert final[1, 5.0, "a1"]["since_shot_s"] == 0.5
    assert final[1, 4.0, "a1"]["since_shot_s"] is None


@pytest.mark.parametrize("rate_hz", [1.0, None])
def test_beyond_the_watermark_is_late(rate_hz: float | None) -> None:
    story = _standing(8)
    story.event(1, 4.9, EventType.KILL, "a1", "b1")
    story.event(1, 5.0, EventType.KILL, "a1", "b1")
    story.frame(1, 4.875, a1=(1.0, 1.0))
    *before, late, just, frame = story.messages
    online = OnlineMicro(lambda _: SITES, MicroWindow(rate_hz=rate_hz))
    final = rows_of(online.feed(before).final)
    fed = online.feed([late, just, frame])
    assert fed.late == [late, frame]
    final |= rows_of([*fed.final, *online.finish(MATCH).final])
    assert final.keys() == rows_of(played([*before, just], MicroWindow(rate_hz=rate_hz)).final).keys()
    assert (1, 4.0, "b1") in final
    assert (1, 5.0, "b1") not in final  # 5.0 was just in time
    assert final[1, 6.0, "a1"]["kills_last_window"] == 1


def test_a_known_message_beyond_the_watermark_is_no_late_one() -> None:
    story = _standing(8)
    story.event(1, 7.0, EventType.SHOT, "a1", weapon="ak47")
    online = OnlineMicro(lambda _: SITES)
    online.feed(story.messages)
    again = online.feed([story.messages[1], story.messages[5]])  # the beginning; the frame of 3 s
    assert (again.late, again.duplicates) == ([], 2)


def test_who_was_told_for_an_instant_stays_as_first_told() -> None:
    story = _standing(3)
    known = rows_of(played(story.messages).final)
    story.frame(1, 2.0, a1=(700.0, 700.0))
    assert rows_of(played(story.messages).final) == known
    story.frame(1, 2.0, a1=(700.0, 700.0), a2=(300.0, 0.0))
    story.frame(1, 2.0, a1=(800.0, 800.0), a2=(900.0, 900.0))
    online = OnlineMicro(lambda _: SITES)
    told = [online.feed([message]) for message in story.messages]
    assert [fed.duplicates for fed in told[-3:]] == [1, 0, 1]
    for final in (played(story.messages).final, [*_final(told), *online.finish(MATCH).final]):
        row = rows_of(final)[1, 2.0, "a1"]
        assert row["mate_dist_m"] == pytest.approx(300.0 * U)  # a2 is new, a1 stands where he stood


def test_who_is_told_outside_the_world_is_not_there_and_told_all_the_same() -> None:
    story = _standing(3)
    story.frame(1, 3.0, a1=(0.0, 0.0), b2=(1e6, 0.0))
    online = OnlineMicro(lambda _: SITES)
    online.feed(story.messages)
    again = online.feed(story.messages[-1:])
    assert (again.duplicates, again.late) == (1, [])
    rows = rows_of(played(story.messages).final)
    assert (1, 3.0, "b2") not in rows
    assert rows[1, 3.0, "a1"]["enemies_alive"] == 1  # b1, told a second ago


def test_a_frame_that_is_none_is_refused_alone() -> None:
    story = _standing(3)
    known = rows_of(played(story.messages).final)
    bad = msgspec.structs.replace(
        story.messages[1], event_id="bad", event_type=EventType.POSITION_UPDATE, payload={"frame": [["a1", "north"]]}
    )  # type: ignore[type-var]
    fed = played([*story.messages, bad])
    assert fed.refused == [bad]
    assert rows_of(fed.final) == known


def test_what_no_round_can_hold_changes_nothing() -> None:
    story = _standing(4)
    known = rows_of(played(story.messages).final)
    for segment, t in ((0, 1.0), (201, 1.0), (-1, 1.0), (1, 1e9), (1, -1e9), (1, None)):
        event = msgspec.structs.replace(story.messages[1], event_id="x", segment=segment, t=t)  # type: ignore[type-var]
        story.messages.append(event)
    story.messages.append(Positions(MATCH, 1, 1e300, 0, {}))
    fed = played(story.messages)
    assert rows_of(fed.final) == known
    assert fed.late == []


def test_nonsense_in_payloads_is_unknown() -> None:
    story = _standing(4)
    bad: tuple[Any, ...] = ("many", [1], {"x": 1}, True, -5, 10**400, 1e308, None)
    for k, value in enumerate(bad):
        t = 1.0 + k / 64
        story.event(1, t, EventType.DAMAGE, "a1", "b1", health_after=value, armor_after=value)
        story.event(
            1, t, EventType.ECONOMY_UPDATE, "b1", None, grenade_count=value, armor=value and "yes", kit=value and 3
        )
        story.event(1, t, EventType.BLIND, "a1", "b1", duration_s=value)
        story.event(1, t, EventType.BOMB_DROPPED, "a1", None, pos=value, site=value)
        story.event(1, t, EventType.BOMB_DROPPED, "a1", None, pos=[value, value, value])
        story.event(1, t, EventType.SHOT, "a1", None, weapon=str(value))
    row = story.rows()[1, 3.0, "b1"]
    assert (row["health"], row["utility"], row["bomb_dist_m"]) == (100.0, None, None)
    assert row["since_hurt_s"] == 3.0 - (1.0 + (len(bad) - 1) / 64)


def test_players_are_needed_first_and_may_come_late() -> None:
    start, *rest = _standing(8).messages
    online = OnlineMicro(lambda _: SITES)
    assert online.feed(rest).final == []
    saved = online.checkpoint(MATCH)
    online = OnlineMicro(lambda _: SITES)
    online.restore(saved)
    found = rows_of([*online.feed([start]).final, *online.finish(MATCH).final])
    assert found == rows_of(played([start, *rest]).final)


def test_a_match_without_players_is_told_as_late_when_it_is_given_up() -> None:
    _, *rest = _standing(8).messages
    online = OnlineMicro(lambda _: SITES)
    assert online.feed(rest).late == []
    assert online.finish(MATCH).late == rest
    assert online.finish("another").final == []


def test_another_windows_checkpoint_is_refused() -> None:
    online = OnlineMicro(lambda _: SITES)
    online.feed(_standing(3).messages)
    saved = online.checkpoint(MATCH)
    for other in (
        OnlineMicro(lambda _: SITES, MicroWindow(5.0)),
        OnlineMicro(lambda _: SITES, MicroWindow(rate_hz=None)),
        OnlineMicro(lambda _: SITES, lateness_s=3.0),
    ):
        with pytest.raises(ValueError, match=f"checkpoint of {MATCH} was made with"):
            other.restore(saved)
    with pytest.raises(ValueError, match="no checkpoint"):
        online.restore(b"something else")
    with pytest.raises(LookupError, match="'another' is not in progress"):
        online.checkpoint("another")


# --- several matches, and memory --------------------------------------------------------------------------------------


def test_matches_side_by_side_do_not_touch_each_other() -> None:
    one, other = random_story(1, 2, 20, 40), messages_of(first_rounds(tiny(3), 1))
    mixed = [m for pair in zip(one, other, strict=False) for m in pair]
    mixed += one[len(other) :] or other[len(one) :]
    online = OnlineMicro(lambda _: SITES, lateness_s=1000.0)  # in the source's own order, which mixes events and frames
    told = [online.feed(mixed[k : k + 16]) for k in range(0, len(mixed), 16)]
    told += [online.finish(match_id) for match_id in online.matches]
    for story in (one, other):
        match_id = story[0].match_id
        mine = [rows for rows in _final(told) if rows.lineup.match_id == match_id]
        alone = _fed(OnlineMicro(lambda _: SITES, lateness_s=1000.0), iter([story]), match_id)
        assert rows_of(mine) == rows_of(_final(alone))
        assert len(rows_of(mine)) > 20


def _long_round(story: Story, segment: int, seconds: int, *, end: bool = True) -> None:
    story.begin(segment)
    for k in range(seconds * 8):
        story.frame(segment, k / 8, a1=(k, 0.0), a2=(0.0, k), b1=(k, k), b2=(5.0, 5.0))
        if k % 2:
            story.event(segment, k / 8, EventType.SHOT, "a1", weapon="ak47")
    if end:
        story.end(segment, float(seconds))


@pytest.mark.parametrize("rate_hz", [2.0, None])
def test_memory_of_a_match_does_not_grow(rate_hz: float | None) -> None:
    story = Story()
    for segment in range(1, 13):
        _long_round(story, segment, 60, end=segment % 3 != 0)
    online = OnlineMicro(lambda _: SITES, MicroWindow(rate_hz=rate_hz))
    sizes = []
    for k in range(0, len(story.messages), 20):
        online.feed(story.messages[k : k + 20])
        sizes.append(len(online.checkpoint(MATCH)))
    half = len(sizes) // 2
    assert max(sizes[half:]) <= max(sizes[:half]) + 200
    assert max(sizes) < 40_000


def test_a_match_that_is_over_is_forgotten_and_its_stragglers_do_not_wake_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esports_assets.windows.streamed.online.REMEMBERED", 3)
    online = OnlineMicro(lambda _: SITES)
    for number in range(6):
        story = Story(f"made:{number}:1")
        _long_round(story, 1, 5)
        story.over(1, 5.0)
        story.frames(1, (6.0, 7.5), a1=(0.0, 0.0))
        fed = online.feed(story.messages)
        assert fed.over == [story.match_id]
        assert online.matches == ()
        story.event(1, 7.0, EventType.SHOT, "a1", weapon="ak47")
        story.event(1, 1.0, EventType.SHOT, "a1", weapon="ak47")
        *_, harmless, late = story.messages
        assert online.feed([harmless, late]).late == [late]
        assert online.matches == ()
