"""Final rows of ``cs2/round_state`` from the stream are the batch's, whatever the order within the lateness and the batches."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from future import simulated, tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from state_made import MATCH, SITES, Made, random_match, zero
from typer.testing import CliRunner

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.cli import app
from esports_assets.windows.batch import match_windows
from esports_assets.windows.micro.parity import messages_of, shuffled
from esports_assets.windows.state.online import Fed, OnlineRounds
from esports_assets.windows.state.parity import compared_rounds, state_parity_of
from esports_assets.windows.state.rows import RoundOver, StateRows
from esports_assets.windows.streamed.message import Message, Positions, time_of

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
matches = st.builds(random_match, st.integers(0, 2**32), st.integers(1, 3), st.integers(0, 25), st.integers(0, 40))
RUNNER = CliRunner()


def _cuts(messages: Sequence[Message], sizes: Sequence[int]) -> Iterator[Sequence[Message]]:
    begin = k = 0
    while begin < len(messages):
        size = sizes[k % len(sizes)]
        yield messages[begin : begin + size]
        begin, k = begin + size, k + 1


def _played(online: OnlineRounds, batches: Iterator[Sequence[Message]], match_id: str = MATCH) -> list[Fed]:
    return [*(online.feed(batch) for batch in batches), online.finish(match_id)]


def _told(fed: Sequence[Fed]) -> list[StateRows | RoundOver]:
    return [part for one in fed for part in one.told]


def _records(told: Sequence[StateRows | RoundOver]) -> list[dict[str, Any]]:
    return [row for part in told if isinstance(part, StateRows) for row in part.records()]


def _in_time(match: CanonicalMatch) -> list[Message]:
    return sorted(messages_of(match), key=lambda message: time_of(message)[2])


@FEW
@given(matches, st.integers(0, 2**32), st.lists(st.integers(1, 60), min_size=1, max_size=4), st.floats(0.0, 5.0))
def test_any_arrival_within_the_lateness(match: CanonicalMatch, seed: int, sizes: list[int], lateness_s: float) -> None:
    arrival = shuffled(messages_of(match), lateness_s, np.random.default_rng(seed))
    fed = _played(OnlineRounds(lambda _: SITES, lateness_s), _cuts(arrival, sizes))
    found = compared_rounds(match_windows(match, SITES).to_pylist(), _told(fed))
    assert found.first_difference is None
    assert (found.rows_different, found.rows_compared > 0) == (0, True)
    late = {message.event_id for one in fed for message in one.late if isinstance(message, CanonicalEvent)}
    assert late <= {event.event_id for event in arrival if isinstance(event, CanonicalEvent)}


def test_the_matches_have_something_to_compare() -> None:
    rows = [row for seed in range(10) for row in match_windows(random_match(seed, 3, 25, 40), SITES).to_pylist()]
    assert len(rows) > 500
    for name in (
        "ct_alive",
        "ct_armor",
        "ct_carried_value",
        "planted",
        "ct_to_bomb",
        "ct_blind",
        "smokes",
        "ct_rating",
    ):
        assert len({row[name] for row in rows}) > 1, name
    assert len({row["defuse_progress"] for row in rows}) > 1


@FEW
@given(matches, st.integers(0, 2**32), st.data())
def test_a_restart_at_any_point_changes_nothing(match: CanonicalMatch, seed: int, data: st.DataObject) -> None:
    arrival = shuffled(messages_of(match), 2.0, np.random.default_rng(seed))
    batches = list(_cuts(arrival, data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))))
    undisturbed = _played(OnlineRounds(lambda _: SITES), iter(batches))
    online, fed = OnlineRounds(lambda _: SITES), []
    for batch in batches:
        fed.append(online.feed(batch))
        if online.matches and data.draw(st.booleans()):
            saved = online.checkpoint(MATCH)
            online = OnlineRounds(lambda _: SITES)
            assert online.restore(saved) == MATCH
            assert online.checkpoint(MATCH) == saved
    fed.append(online.finish(MATCH))
    assert repr(_records(_told(fed))) == repr(_records(_told(undisturbed)))
    overs = [[repr(p) for p in _told(which) if isinstance(p, RoundOver)] for which in (fed, undisturbed)]
    assert overs[0] == overs[1]
    assert sum(one.duplicates for one in fed) == sum(one.duplicates for one in undisturbed)


@pytest.mark.parametrize("match", [tiny(2), tiny(3), simulated(3, 3)], ids=["v2", "v3", "simulated"])
@pytest.mark.parametrize("seed", [1, 2])
def test_matches_of_the_adapters(match: CanonicalMatch, seed: int) -> None:
    found = state_parity_of(match, SITES, np.random.default_rng(seed))
    assert found.first_difference is None
    assert (found.rows_different, found.rows_compared) == (0, match_windows(match, SITES).num_rows)


# --- when a row is final ----------------------------------------------------------------------------------------------


def _small(decided: bool = True) -> Made:
    made = Made()
    made.begin(1)
    made.say(1, 4.5, EventType.KILL, actor="a1", target="b1")
    if decided:
        made.say(1, 9.0, EventType.KILL, actor="a1", target="b2")
        made.end(1, 9.0)
    made.begin(2)
    made.end(2, 3.0, Side.T)
    return made


def _keys(told: Sequence[StateRows | RoundOver]) -> list[Any]:
    return [
        ("over", part.segment, part.winner)
        if isinstance(part, RoundOver)
        else [
            (part.segment, t, event and event.type.value) for t, event in zip(part.t.tolist(), part.events, strict=True)
        ]
        for part in told
    ]


def test_rows_come_when_the_watermark_has_passed_and_once() -> None:
    online, keys = OnlineRounds(lambda _: SITES), []
    for message in _small().events():
        if message.segment < 2:
            keys.append(_keys(online.feed([message]).told))
    seconds = [[(1, float(s), None) for s in span] for span in (range(3), range(5), range(5, 7))]
    assert keys[:3] == [[], [], []]  # lineup, start, freeze end
    assert keys[3] == [seconds[0]]  # a kill at 4.5 s: before 2.5 s all is known
    assert keys[4] == [[(1, 3.0, None), (1, 4.0, None), (1, 4.5, "KILL"), (1, 5.0, None), (1, 6.0, None)]]
    assert keys[5:] == [[]]  # the decision at 9 s says nothing new of what came before 7 s
    rest = online.finish(MATCH)
    assert _keys(rest.told) == [[(1, 7.0, None), (1, 8.0, None)], ("over", 1, Side.CT)]
    assert (online.matches, rest.over) == ((), [MATCH])


def test_a_round_waits_for_the_end_of_the_one_before() -> None:
    online = OnlineRounds(lambda _: SITES)
    events = _small().events()
    last = next(event for event in events if event.event_type is EventType.ROUND_END)
    fed = [online.feed([event]) for event in events if event is not last]
    told = _keys(_told(fed))
    assert ("over", 1, None) in told  # the freeze end of the second round is final: nothing of the first is awaited
    assert told.index(("over", 1, None)) < next(i for i, part in enumerate(told) if part[0][0] == 2)
    assert online.feed([last]).late == [last]


def test_an_undecided_round_is_no_history() -> None:
    rows = {}
    for decided in (True, False):
        fed = OnlineRounds(lambda _: SITES, lateness_s=1000.0)
        fed.feed(_small(decided).events())
        told = fed.finish(MATCH).told
        rows[decided] = next(row for row in _records(told) if row["segment"] == 2)
    assert (rows[True]["ct_avg_kills_last_5"], rows[True]["t_avg_kills_last_5"]) == (0.0, 2.0)  # the sides change
    assert (rows[False]["t_avg_kills_last_5"], rows[False]["t_round_win_streak"]) == (None, 0.0)
    assert (rows[True]["t_score"], rows[False]["t_score"]) == (1.0, 0.0)


def test_how_a_round_ended_and_what_was_bought() -> None:
    made = Made()
    made.begin(1)
    made.say(1, -1.0, EventType.ECONOMY_UPDATE, actor="a1", payload={"money": 1, "equipment_value": 2})
    made.say(1, 0.0, EventType.ECONOMY_UPDATE, actor="a1", payload={"money": 300, "equipment_value": 4200})
    made.say(1, 3.0, EventType.ECONOMY_UPDATE, actor="a1", payload={"money": 5, "equipment_value": 6})
    made.say(1, 9.0, EventType.KILL, actor="a1", target="b2")
    made.end(1, 9.0)
    online = OnlineRounds(lambda _: SITES, lateness_s=1000.0)
    online.feed(made.events())
    rows, over = online.finish(MATCH).told
    assert isinstance(rows, StateRows)
    assert isinstance(over, RoundOver)
    seat = rows.lineup.players.index("a1")
    assert {s: event.payload["money"] for s, event in rows.economy.items()} == {seat: 300}
    assert (rows.zero_us, rows.at_us[:2]) == (int(zero(1).timestamp() * 1e6), [rows.zero_us, rows.zero_us + 1_000_000])
    assert (rows.facts.winner, over.winner, over.reason, over.facts.duration_s) == (None, Side.CT, "t_eliminated", 9.0)
    assert [event.type for event in over.last] == [EventType.KILL]
    assert over.at_us == rows.zero_us + 9_000_000


def test_what_comes_too_late_changes_nothing_and_is_told() -> None:
    events = _small().events()
    kill = events[3]
    online = OnlineRounds(lambda _: SITES)
    fed = [online.feed([event]) for event in events if event is not kill]
    fed.append(online.feed([kill]))
    assert fed[-1].late == [kill]
    assert "KILL" not in {row["event_type"] for row in _records(_told([*fed, online.finish(MATCH)])) if row["t_s"] < 5}


def test_what_comes_twice_counts_once() -> None:
    online = OnlineRounds(lambda _: SITES, lateness_s=1000.0)
    events = _small().events()
    frame = Positions(MATCH, 1, 1.0, int(zero(1).timestamp() * 1e6) + 1_000_000, {})
    assert online.feed([*events, *events[1:4], frame]).duplicates == 3


def test_a_match_is_over_with_its_last_round() -> None:
    made = _small()
    made.say(2, 20.0, EventType.MAP_END)
    online = OnlineRounds(lambda _: SITES)
    fed = online.feed(made.events())
    assert (fed.over, online.matches) == ([MATCH], ())
    assert online.feed(made.events()[-2:]).told == []  # stragglers begin no new match
    with pytest.raises(LookupError, match="not in progress"):
        online.checkpoint(MATCH)


def test_matches_side_by_side_do_not_meet() -> None:
    one = _in_time(random_match(5, 2, 20, 30))
    other = [
        msgspec.structs.replace(message, match_id="made:two:1") for message in _in_time(random_match(6, 2, 20, 30))
    ]
    mixed = [message for pair in zip(one, other, strict=False) for message in pair]
    mixed += [*one[len(other) :], *other[len(one) :]]
    online = OnlineRounds(lambda _: SITES)
    fed = [*(online.feed(batch) for batch in _cuts(mixed, [7])), online.finish(MATCH), online.finish("made:two:1")]
    for match_id, seed in ((MATCH, 5), ("made:two:1", 6)):
        mine = [part for part in _told(fed) if part.lineup.match_id == match_id]
        batch = [
            row | {"match_id": match_id} for row in match_windows(random_match(seed, 2, 20, 30), SITES).to_pylist()
        ]
        assert compared_rounds(batch, mine).rows_different == 0


# --- what may arrive, and how much is kept ----------------------------------------------------------------------------

junk = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = (
    "health_after",
    "armor_after",
    "duration_s",
    "pos",
    "site",
    "grenade",
    "money",
    "equipment_value",
    "armor",
    "helmet",
    "kit",
)
TEAMS = (
    "primary",
    "grenade_count",
    "trade",
    "ct_team",
    "t_team",
    "ct_score",
    "t_score",
    "winner_side",
    "reason",
    "players",
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(EventType), st.dictionaries(st.sampled_from(KEYS + TEAMS), junk)), max_size=12)
)
def test_nothing_that_a_payload_may_hold_stops_it(told: list[tuple[EventType, dict[str, Any]]]) -> None:
    made = _small()
    for i, (kind, payload) in enumerate(told):
        made.say(1, 0.5 + i % 5, kind, actor="a1", target="b1", payload=payload)
    online = OnlineRounds(lambda _: SITES)
    fed = [online.feed([event]) for event in made.events()]
    for match_id in online.matches:
        saved = online.checkpoint(match_id)
        online.restore(saved)
    assert _records(_told([*fed, online.finish(MATCH)]))


def test_a_checkpoint_is_of_one_window_and_lateness() -> None:
    online = OnlineRounds(lambda _: SITES, lateness_s=1.0)
    online.feed(_small().events()[:3])
    with pytest.raises(ValueError, match="lateness in microseconds"):
        OnlineRounds(lambda _: SITES).restore(online.checkpoint(MATCH))
    with pytest.raises(ValueError, match="no checkpoint of cs2/round_state"):
        OnlineRounds(lambda _: SITES).restore(b"\x93")


def test_old_frames_are_let_go() -> None:
    match = simulated(3, 3)
    online, sizes = OnlineRounds(lambda _: SITES), []
    for batch in _cuts(_in_time(match), [100]):
        online.feed(batch)
        sizes += [len(online.checkpoint(match_id)) for match_id in online.matches]
    assert max(sizes) < 400_000
    assert np.median(sizes) < 80_000


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["amateur/2026-05-26_de_nuke*", "pro/sample-2026-02-09_de_nuke*"])
def test_real_matches(real_data: Path, name: str) -> None:
    (path,) = (real_data / "cs2_demos").glob(name)
    result = RUNNER.invoke(app, ["parity", "--data", str(path), "--window", "cs2/round_state", "--json"])
    told = json.loads(result.stdout)
    assert told["rows_compared"] > 1_500
    assert (told["rows_different"], told["first_difference"]) == (0, None)
