"""The nine micro-features, by hand on the tiny demo: P1 and P2 (T) against P3 and P4 (CT) in round 1, a frame a second.

Player i stands at x = 100 i + 10 s, y = -50 i; site A is at (100, 200).
"""

from typing import Any

import numpy as np
import pytest
from future import tiny
from micro_made import Story

from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.micro.batch import player_micro_table
from esports_assets.windows.micro.spec import METRES_PER_U as U
from esports_assets.windows.micro.spec import NINE, PLAYER_MICRO, MicroWindow
from esports_assets.windows.view import Sites

SITES = Sites((100.0, 200.0, 7.0), (-300.0, 50.0, 7.0))
Rows = dict[tuple[int, float, str], dict[str, Any]]


def _rows(sites: Sites = SITES, rate_hz: float | None = 2.0, version: int = 3) -> Rows:
    table = player_micro_table(tiny(version), sites, MicroWindow(rate_hz=rate_hz))
    return {(row["segment"], row["t_s"], row["player"][-2:]): row for row in table.to_pylist()}


ROWS = _rows()


def test_they_stand_first_in_their_order() -> None:
    names = "n_events speed_mean speed_max dist_to_objective_min kills_last_window deaths_last_window"
    names += " abilities_used nearby_enemies_max approach_velocity"
    assert [feature.name for feature in NINE] == names.split()
    assert list(PLAYER_MICRO.feature_names[:9]) == names.split()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ((1, 0.0, "p2"), 1),  # the frame at 0, and 0 is a time
        ((1, 0.5, "p2"), 1),
        ((1, 6.5, "p1"), 4 + 1),  # frames at 3, 4, 5, 6; the kill
        ((1, 7.0, "p2"), 4),
        ((1, 3.0, "p3"), 4 + 1),  # a grenade
        ((1, 12.5, "p1"), 4 + 2),  # frames from 9; begins and ends a plant
        ((1, 13.0, "p1"), 4 + 1),  # (9, 13]: the beginning at 9 is out
        ((1, 0.0, "p1"), 1),  # picked the bomb up at -8.4
    ],
)
def test_n_events(key: tuple[int, float, str], expected: int) -> None:
    assert ROWS[key]["n_events"] == expected


def test_speeds() -> None:
    assert ROWS[1, 0.5, "p1"]["speed_mean"] is None
    assert ROWS[1, 0.5, "p1"]["speed_max"] is None
    for name in ("speed_mean", "speed_max"):
        assert ROWS[1, 6.5, "p1"][name] == pytest.approx(10 * U)  # ten units a second, in metres


def test_mean_and_largest_speed() -> None:
    story = Story()
    story.begin(1)
    for t, x in ((0.0, 0.0), (0.5, 30.0), (1.0, 30.0), (3.0, 430.0)):
        story.frame(1, t, a1=(x, 0.0), b1=(0.0, 5000.0))
    row = story.rows()[1, 3.0, "a1"]
    assert row["speed_max"] == pytest.approx(200 * U)
    assert row["speed_mean"] == pytest.approx((60 + 0 + 200) / 3 * U)  # of speeds, not of the way
    assert story.rows(MicroWindow(2.6))[1, 3.0, "a1"]["speed_mean"] == pytest.approx(100 * U)


def test_distance_to_the_objective_before_the_plant() -> None:
    expected = np.hypot(60 - 100, 200) * U  # at 6 s he is nearer than at 3, 4 and 5
    assert ROWS[1, 6.5, "p1"]["dist_to_objective_min"] == pytest.approx(expected)


def test_distance_to_the_planted_bomb() -> None:
    """Planted at 12.5 s; at 13 s the window's frames are 10 to 13, and the bomb lies 7 units below his feet at 10."""
    assert ROWS[1, 13.0, "p1"]["dist_to_objective_min"] == pytest.approx(np.hypot(200, 7) * U)
    to_b = [np.hypot(100 * 3 + 10 * s + 300, 50 + 150) * U for s in (8, 9)]
    assert ROWS[2, 9.5, "p4"]["dist_to_objective_min"] < min(to_b)  # A is nearer, before the plant
    planted = [np.sqrt((300 + 10 * s + 300) ** 2 + 200**2 + 7**2) * U for s in (8, 9, 10, 11)]
    assert ROWS[2, 11.5, "p4"]["dist_to_objective_min"] == pytest.approx(min(planted))


def test_a_missing_distance_is_null() -> None:
    rows = _rows(Sites())
    assert rows[1, 6.5, "p1"]["dist_to_objective_min"] is None
    assert rows[1, 6.5, "p1"]["approach_velocity"] == 0.0
    assert rows[1, 13.0, "p1"]["dist_to_objective_min"] is not None  # the planted bomb needs no site


def test_kills() -> None:
    told = {t: ROWS[1, t, "p1"]["kills_last_window"] for t in (5.5, 6.0, 9.5, 10.0, 18.0)}
    assert told == {5.5: 0, 6.0: 1, 9.5: 1, 10.0: 0, 18.0: 1}
    assert ROWS[1, 6.0, "p2"]["kills_last_window"] == 0
    assert ROWS[2, 4.0, "p4"]["kills_last_window"] == 1  # his own team-mate: it is a kill


def test_deaths_belong_to_the_victim() -> None:
    story = Story()
    story.begin(1)
    places = {"a1": (0.0, 0.0), "b1": (100.0, 0.0)}
    story.frames(1, (0.0, 1.0, 2.0, 3.0), **places)
    story.event(1, 1.0, EventType.KILL, "a1", "b1")
    story.event(1, 2.0, EventType.SPAWN, "b1", health=50)
    rows = story.rows()
    assert (1, 1.0, "b1") not in rows
    assert (1, 1.5, "b1") not in rows
    assert rows[1, 2.0, "b1"]["deaths_last_window"] == 1
    assert rows[1, 2.0, "b1"]["health"] == 50
    assert rows[1, 2.0, "a1"]["deaths_last_window"] == 0
    assert rows[1, 2.0, "a1"]["kills_last_window"] == 1
    assert rows[1, 2.0, "b1"]["n_events"] == 3 + 1


def test_the_dead_have_no_rows() -> None:
    assert (1, 5.5, "p3") in ROWS
    assert (1, 6.0, "p3") not in ROWS
    assert {key[2] for key in ROWS if key[:2] == (1, 17.5)} == {"p1", "p4"}
    assert max(t for segment, t, _ in ROWS if segment == 1) == 19.5  # decided at 20 s
    assert max(t for segment, t, _ in ROWS if segment == 2) == 29.5


def test_abilities() -> None:
    told = {t: ROWS[1, t, "p3"]["abilities_used"] for t in (0.5, 1.0, 4.5, 5.0)}
    assert told == {0.5: 0, 1.0: 1, 4.5: 1, 5.0: 0}


def test_nearby_enemies() -> None:
    """Everybody is within 20 m here: P1 sees two enemies in the window until the last frame with P3 alive has left it."""
    assert {t: ROWS[1, t, "p1"]["nearby_enemies_max"] for t in (0.0, 8.5, 9.0)} == {0.0: 2, 8.5: 2, 9.0: 1}
    story = Story()
    story.begin(1)
    story.frame(1, 0.0, a1=(0.0, 0.0), b1=(20 / U - 1, 0.0), b2=(20 / U + 1, 0.0))
    assert story.rows()[1, 0.0, "a1"]["nearby_enemies_max"] == 1


def test_approach_velocity() -> None:
    distance = [np.hypot(10 * s - 100, 200) * U for s in (3, 4, 5, 6)]
    slope = np.polyfit([3, 4, 5, 6], distance, 1)[0]
    assert ROWS[1, 6.5, "p1"]["approach_velocity"] == pytest.approx(-slope)
    assert ROWS[1, 0.5, "p1"]["approach_velocity"] == 0.0
    story = Story()
    story.begin(1)
    for t in range(4):
        story.frame(1, t, a1=(100.0 * t, 0.0), a2=(1000.0 - 100.0 * t, 0.0))  # A is at x = 1000
    rows = story.rows()
    assert rows[1, 3.0, "a1"]["approach_velocity"] == pytest.approx(100 * U)
    assert rows[1, 3.0, "a2"]["approach_velocity"] == pytest.approx(-100 * U)


def test_every_frame() -> None:
    rows = _rows(rate_hz=None)
    assert sorted({t for segment, t, _ in rows if segment == 1}) == [float(s) for s in range(20)]
    for key, row in rows.items():
        assert row == ROWS[key]  # the same instant is the same row


def test_both_formats_agree_where_they_tell_the_same() -> None:
    older = _rows(version=2)
    assert older.keys() == ROWS.keys()
    for key, row in ROWS.items():
        assert {f.name: older[key][f.name] for f in NINE} == {f.name: row[f.name] for f in NINE}, key
