"""``cs2/round_state`` of the tiny match, by hand, and what rows there are."""

import dataclasses
import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from future import simulated, tiny
from tiny_match import tiny_match

from esports_assets.canonical.codec import table_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import EVENTS, TRACKING
from esports_assets.windows.batch import match_windows
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.view import Sites

A, B = (100.0, 200.0, 7.0), (-300.0, 50.0, 7.0)
SITES = Sites(A, B)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(match_windows(tiny(), SITES).to_pylist())


def _second(rows: list[dict[str, Any]], segment: int, t_s: float) -> dict[str, Any]:
    (row,) = [r for r in rows if (r["segment"], r["t_s"], r["row_kind"]) == (segment, t_s, "second")]
    return row


def _event(rows: list[dict[str, Any]], segment: int, kind: str) -> dict[str, Any]:
    return next(r for r in rows if r["segment"] == segment and r["event_type"] == kind)


def _x(player: int, s: float) -> float:
    return 100.0 * player + 10.0 * s


def test_rows_stand_in_order_within_the_round(rows: list[dict[str, Any]]) -> None:
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    seconds = [(r["segment"], r["t_s"]) for r in rows if r["row_kind"] == "second"]
    assert seconds == [(1, float(s)) for s in range(20)] + [(2, float(s)) for s in range(30)]
    assert all(0 <= r["t_s"] < (20.0 if r["segment"] == 1 else 30.0) for r in rows)
    events = [r["event_type"] for r in rows if r["segment"] == 1 and r["row_kind"] == "event"]
    first = ["UTILITY", "UTILITY_EFFECT", "BLIND", "DAMAGE", "DAMAGE", "KILL", "KILL"]
    assert events == [
        *first,
        "BOMB_PLANT_BEGIN",
        "BOMB_PLANTED",
        "KILL",
    ]  # no economy, nothing of freeze time, no shots


def test_an_event_sees_itself_and_a_second_sees_events_up_to_it(rows: list[dict[str, Any]]) -> None:
    at_six = [(r["event_type"], r["ct_hp"], r["since_kill_s"]) for r in rows if r["segment"] == 1 and r["t_s"] == 6.0]
    assert at_six == [("DAMAGE", 100.0, 60.0), ("KILL", 100.0, 0.0), (None, 100.0, 0.0)]
    at_five = [(r["event_type"], r["ct_hp"]) for r in rows if r["segment"] == 1 and r["t_s"] == 5.0]
    assert at_five == [("DAMAGE", 173.0), (None, 173.0)]
    assert _second(rows, 1, 4.0)["ct_hp"] == 200.0


def test_the_row_names_its_event(rows: list[dict[str, Any]]) -> None:
    kill = _event(rows, 1, "KILL")
    assert (kill["actor"], kill["target"]) == ("cs2_demo:p1", "cs2_demo:p3")
    assert kill["event_id"] in tiny().events["event_id"].to_pylist()
    assert _second(rows, 1, 3.0)["event_id"] is None


def test_the_label_is_the_winner(rows: list[dict[str, Any]]) -> None:
    assert {(r["segment"], r["ct_won"]) for r in rows} == {(1, 0), (2, 0)}  # T wins both


def test_who_lives_with_what(rows: list[dict[str, Any]]) -> None:
    start, late = _second(rows, 1, 0.0), _second(rows, 1, 9.0)
    assert [start[n] for n in ("ct_alive", "t_alive", "ct_hp", "t_hp")] == [2.0, 2.0, 200.0, 200.0]
    assert [late[n] for n in ("ct_alive", "t_alive", "ct_hp", "t_hp")] == [1.0, 1.0, 100.0, 100.0]
    assert _second(rows, 1, 5.0)["ct_armor"] == 197.0
    assert (start["ct_grenades"], _second(rows, 1, 1.0)["ct_grenades"], late["ct_grenades"]) == (2.0, 1.0, 1.0)
    assert (start["ct_helmets"], _second(rows, 2, 0.0)["ct_helmets"]) == (0.0, 1.0)
    assert (start["ct_money"], _second(rows, 2, 0.0)["ct_money"]) == (300.0, None)
    assert (_second(rows, 2, 0.0)["ct_kits"], _second(rows, 2, 29.0)["ct_kits"]) == (1.0, 0.0)
    assert start["t_effective_hp"] == 200 * 1.5


def test_what_the_living_carry(rows: list[dict[str, Any]]) -> None:
    """Frames show a knife at 0 s and the AK-47 from 1 s: price 2700, armour 650, a grenade 250, and 0 and 1 of sidearm."""
    assert _second(rows, 1, 0.0)["t_carried_value"] == 2 * (650 + 250) + 1
    assert _second(rows, 1, 1.0)["t_carried_value"] == 2 * (2700 + 650 + 250) + 1
    assert _second(rows, 1, 9.0)["t_carried_value"] == 2700 + 650 + 250
    assert (
        _second(rows, 1, 0.0)["t_rifles"],
        _second(rows, 1, 1.0)["t_rifles"],
        _second(rows, 1, 9.0)["t_rifles"],
    ) == (0, 2, 1)
    assert (_second(rows, 1, 9.0)["t_start_equipment"], _second(rows, 1, 9.0)["t_living_equipment"]) == (1701.0, 850.0)


def test_clock_and_bomb(rows: list[dict[str, Any]]) -> None:
    before, planted, after = _second(rows, 1, 12.0), _event(rows, 1, "BOMB_PLANTED"), _second(rows, 1, 16.0)
    assert [(r["planted"], r["time_left_s"], r["since_plant_s"]) for r in (before, planted, after)] == [
        (0.0, 103.0, 0.0),
        (1.0, 41.0, 0.0),
        (1.0, 37.5, 3.5),
    ]
    assert [r["planted_at_a"] for r in (before, planted)] == [None, 1.0]
    assert _second(rows, 2, 11.0)["planted_at_a"] == 0.0
    dropped = [_second(rows, 2, s)["bomb_dropped"] for s in (1.0, 2.0, 3.0, 11.0)]
    assert dropped == [0.0, 1.0, 0.0, 0.0]


def test_what_is_recent(rows: list[dict[str, Any]]) -> None:
    assert [_second(rows, 1, s)["t_damage_5s"] for s in (4.0, 5.0, 6.0, 9.0, 10.0, 11.0)] == [0, 27, 100, 100, 73, 0]
    assert _second(rows, 1, 6.0)["ct_damage_5s"] == 0.0
    assert [_second(rows, 1, s)["smokes"] for s in (2.0, 3.0, 19.0)] == [0.0, 1.0, 1.0]
    assert [_second(rows, 1, s)["ct_blind"] for s in (3.0, 4.0, 5.0)] == [
        0.0,
        1.0,
        0.0,
    ]  # 1.5 s from 4 s; half a second at least
    assert [_second(rows, 1, s)["since_kill_s"] for s in (5.0, 7.0, 8.0, 12.0)] == [60.0, 1.0, 0.0, 4.0]


def test_near_enemies_and_pairs(rows: list[dict[str, Any]]) -> None:
    start = _second(rows, 1, 0.0)
    assert (start["ct_near_enemy"], start["t_near_enemy"]) == (2.0, 2.0)
    assert start["nearest_pair"] == pytest.approx(math.hypot(100, 50))  # P2 and P3
    assert _second(rows, 1, 9.0)["nearest_pair"] == pytest.approx(math.hypot(300, 150))  # P1 and P4 are left
    assert _second(rows, 1, 18.0)["ct_near_enemy"] == 0.0


def test_distance_to_the_site_in_question(rows: list[dict[str, Any]]) -> None:
    """The carrier P1 stands nearer to A: mean distance of P1 and P2 to A."""
    row = _second(rows, 1, 3.0)
    one, two = (math.hypot(_x(i, 3.0) - A[0], -50.0 * i - A[1]) for i in (0, 1))
    assert row["t_to_target"] == pytest.approx((one + two) / 2)
    planted_at_b = _second(rows, 2, 20.0)
    assert planted_at_b["t_to_target"] == pytest.approx(math.hypot(_x(3, 20.0) - B[0], -150.0 - B[1]))
    assert row["t_on_site"] == 2.0


def test_distance_to_the_bomb(rows: list[dict[str, Any]]) -> None:
    """The bomb lies at height 0, the players' feet at 7: height counts half as much again."""
    lying = _second(rows, 2, 2.0)
    far = [math.sqrt((_x(i, 2.0) - 20) ** 2 + (-50.0 * i - 30) ** 2 + (1.5 * 7) ** 2) for i in (2, 3)]
    assert lying["t_to_bomb"] == pytest.approx(sum(far) / 2)
    assert lying["t_first_to_bomb"] == pytest.approx(min(far))
    assert _second(rows, 1, 0.0)["t_first_to_bomb"] == 0.0  # he carries it
    assert _second(rows, 2, 4.0)["t_near_bomb"] == 1.0


def test_defuse_slack(rows: list[dict[str, Any]]) -> None:
    """P1 with a kit: 41 s less the time since the plant, the run and five seconds; P2 needs ten."""
    row = _second(rows, 2, 26.0)
    runs = [math.sqrt((_x(i, 26.0) + 300) ** 2 + (-50.0 * i - 50) ** 2 + (1.5 * 7) ** 2) / 230 for i in (0, 1)]
    assert row["defuse_slack_s"] == pytest.approx(41 - 16 - min(runs[0] + 5, runs[1] + 10))
    assert _second(rows, 2, 5.0)["defuse_slack_s"] is None
    assert _second(rows, 1, 19.0)["defuse_slack_s"] == -10.0  # nobody is left
    assert _second(rows, 2, 29.0)["defuse_slack_s"] == pytest.approx(
        41 - 19 - 10 - math.sqrt((_x(1, 29.0) + 300) ** 2 + 100**2 + (1.5 * 7) ** 2) / 230
    )


def test_the_dead_after_the_plant(rows: list[dict[str, Any]]) -> None:
    gone = _second(rows, 1, 19.0)
    assert (gone["ct_alive"], gone["ct_hp"], gone["ct_to_target"], gone["no_defuse_possible"]) == (0.0, 0.0, None, 1.0)


# --- what must not happen -------------------------------------------------------------------------------------------


def _tracks(match: CanonicalMatch, keep: pa.Array | None = None, **columns: Any) -> CanonicalMatch:
    old = match.tracking if keep is None else match.tracking.filter(keep)
    values = {name: columns.get(name, old[name]) for name in old.column_names}
    return dataclasses.replace(match, tracking=table_of(TRACKING, values))


def test_late_frames_say_nothing_about_the_start() -> None:
    """The first frame of a round gave the armour of all its rows, those before the frame included."""
    three = tiny(3)
    late = _tracks(three, pc.greater_equal(three.tracking["t_s"], 3.0))
    late = _tracks(late, armor=pa.array([7] * late.tracking.num_rows))
    assert match_windows(late).to_pylist()[0]["ct_armor"] == 200.0


def test_a_strangers_track_changes_nobody() -> None:
    """A track of somebody who is not among the players was written over the last player's."""
    match = tiny()
    rows = match.tracking.to_pylist()
    ghost = [
        {**r, "player": "cs2_demo:ghost", "alive": False, "x_u": 9999.0} for r in rows if r["player"] == "cs2_demo:p1"
    ]
    mixed = table_of(TRACKING, {name: [r[name] for r in rows + ghost] for name in TRACKING.names})
    assert match_windows(dataclasses.replace(match, tracking=mixed), SITES).equals(match_windows(match, SITES))


def test_a_planted_bomb_stays_planted() -> None:
    """A pick-up that a source tells after the plant took the plant back."""
    match = tiny()
    rows = match.events.cast(match.events.schema).to_pylist()
    pick = next(r for r in rows if r["event_type"] == "BOMB_PICKED_UP" and r["segment"] == 1)
    at = next(i for i, r in enumerate(rows) if r["event_type"] == "BOMB_PLANTED" and r["segment"] == 1) + 1
    rows.insert(at, {**pick, "event_id": "later", "t_s": 13.0})
    events = table_of(EVENTS, {n: [{**r, "seq": i}[n] for i, r in enumerate(rows)] for n in EVENTS.names})
    told = match_windows(dataclasses.replace(match, events=events)).to_pylist()
    assert _second(told, 1, 14.0)["planted"] == 1.0


def test_unknown_is_not_zero() -> None:
    """Without positions and economy the features that need them are null, and not the zeros of a perfect huddle."""
    match = tiny()
    bare = _tracks(match, pa.array([False] * match.tracking.num_rows))
    kinds = match.events["event_type"].cast(pa.string())
    bare = dataclasses.replace(bare, events=match.events.filter(pc.not_equal(kinds, "ECONOMY_UPDATE")))
    row = _second(match_windows(bare, SITES).to_pylist(), 2, 0.0)
    for name in (
        "ct_spread",
        "ct_near_enemy",
        "ct_to_target",
        "ct_money",
        "ct_econ_delta",
        "ct_eco_win_rate",
        "nearest_pair",
    ):
        assert row[name] is None, name
    assert row["ct_alive"] == 2.0


def test_matches_with_next_to_nothing() -> None:
    lonely = match_windows(tiny_match())
    assert lonely.schema.equals(ROUND_STATE.table.arrow)
    empty = tiny_match()
    empty = dataclasses.replace(empty, rounds=empty.rounds.slice(0, 0))
    assert match_windows(empty).num_rows == 0
    one_side = tiny_match()
    one_side = dataclasses.replace(one_side, players=one_side.players.slice(0, 1))
    assert set(match_windows(one_side)["t_alive"].to_pylist()) == {0.0}


def test_simulated_rows_keep_their_declared_bounds() -> None:
    table = match_windows(simulated(3, 5), SITES)
    for feature in ROUND_STATE.features:
        values = table[feature.name]
        known = values.drop_null().to_numpy()
        assert feature.nullable or values.null_count == 0, feature.name
        assert feature.minimum is None or (known >= feature.minimum - 1e-9).all(), feature.name
        assert feature.maximum is None or (known <= feature.maximum + 1e-9).all(), feature.name
