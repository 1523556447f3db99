"""The richer features, by hand. Alpha (a1, a2) plays CT in round 1, beta (b1, b2) T."""

import numpy as np
import pytest
from micro_made import SITES, Story, U, match_of, stands

from esports_assets.canonical.vocabulary import EventType
from esports_assets.windows.micro.batch import micro_rounds
from esports_assets.windows.micro.holding import GUNS, HOLDINGS, classes_of
from esports_assets.windows.micro.rows import micro_table
from esports_assets.windows.micro.spec import METRES_PER_U, PLAYER_MICRO, MicroWindow, micro_spec
from esports_assets.windows.view import PRIMARIES, Sites


def _story(*times: float, **places: tuple[float, ...]) -> Story:
    story = Story()
    story.begin(1)
    story.frames(1, times, **places)
    return story


def test_a_unit_is_three_quarters_of_an_inch() -> None:
    assert METRES_PER_U == 0.01905
    assert pytest.approx(0.3048) == 16 * METRES_PER_U  # sixteen to the foot


def test_line_of_view() -> None:
    """a1 looks north; b1 stands north-east 100 m away, b2 west and nearer; b2 looks at a1, b1 away from him."""
    at = 100 / U
    story = _story(
        0.0,
        a1=(0.0, 0.0, 90.0),
        b1=(at / 2**0.5, at / 2**0.5, 45.0),
        b2=(-0.5 * at, 0.0, 0.0),
        a2=(0.0, -10 / U, 450.0),
    )
    rows = story.rows()
    row = rows[1, 0.0, "a1"]
    assert row["enemy_dist_m"] == pytest.approx(50.0)
    assert row["enemy_angle_deg"] == pytest.approx(90.0)
    assert row["enemy_view_angle_deg"] == pytest.approx(0.0, abs=1e-9)
    assert row["aim_angle_min_deg"] == pytest.approx(45.0)
    assert row["mate_dist_m"] == pytest.approx(10.0)
    assert (row["enemies_near"], row["mates_near"]) == (0, 1)
    other = rows[1, 0.0, "b1"]
    assert other["enemy_dist_m"] == pytest.approx(100.0)
    assert other["enemy_angle_deg"] == pytest.approx(180.0)
    assert other["enemy_view_angle_deg"] == pytest.approx(45.0)
    assert rows[1, 0.0, "b2"]["enemy_view_angle_deg"] == pytest.approx(90.0)
    assert rows[1, 0.0, "b2"]["mate_dist_m"] == pytest.approx(np.hypot(0.5 + 0.5**0.5, 0.5**0.5) * 100)


def test_height_counts_in_distance_not_in_angle() -> None:
    story = Story()
    story.begin(1)
    story.frame(1, 0.0, a1=(0.0, 0.0, 0.0), b1=stands(300.0, 0.0, 0.0, z=400.0))
    row = story.rows()[1, 0.0, "a1"]
    assert row["enemy_dist_m"] == pytest.approx(500 * U)
    assert row["enemy_angle_deg"] == 0.0


def test_the_dead_and_the_unseen_are_nobodys_enemy() -> None:
    story = _story(0.0, 1.0, a1=(0.0, 0.0), b1=(100.0, 0.0), b2=(900.0, 0.0))
    story.event(1, 0.5, EventType.DEATH, None, "b1")
    rows = story.rows()
    assert rows[1, 0.0, "a1"]["enemy_dist_m"] == pytest.approx(100 * U)
    assert rows[1, 0.5, "a1"]["enemy_dist_m"] == pytest.approx(900 * U)
    assert rows[1, 0.0, "a1"]["mate_dist_m"] is None
    assert (rows[1, 0.0, "a1"]["own_alive"], rows[1, 0.0, "a1"]["enemies_alive"]) == (1, 2)
    assert (rows[1, 0.5, "b2"]["own_alive"], rows[1, 0.5, "b2"]["enemies_alive"]) == (1, 1)
    story.event(1, 1.0, EventType.DEATH, None, "b2")
    alone = story.rows()[1, 1.0, "a1"]
    for name in ("enemy_dist_m", "enemy_angle_deg", "enemy_view_angle_deg", "aim_angle_min_deg", "towards_enemy_m"):
        assert alone[name] is None, name
    assert alone["enemies_near"] == 0


def test_where_a_frame_says_dead_there_is_no_row() -> None:
    story = _story(0.0, a1=(0.0, 0.0), b1=(1.0, 0.0))
    story.frame(1, 1.0, a1=(0.0, 0.0), b1=stands(1.0, 0.0, alive=False, health=0))
    assert {key[1:] for key in story.rows()} == {(0.0, "a1"), (0.0, "b1"), (0.5, "a1"), (0.5, "b1"), (1.0, "a1")}


def test_contact() -> None:
    story = _story(*range(9), a1=(0.0, 0.0), a2=(0.0, 9.0), b1=(500.0, 0.0))
    story.event(1, 1.0, EventType.SHOT, "a1", weapon="ak47")
    story.event(1, 2.0, EventType.SHOT, "a1", weapon="knife")
    story.event(1, 2.0, EventType.SHOT, "a1", weapon="smokegrenade")
    story.event(1, 3.0, EventType.DAMAGE, "a1", "b1", health_after=70, armor_after=None)
    story.event(1, 4.0, EventType.DAMAGE, "a1", "a2", health_after=90, armor_after=None)  # a team-mate: no contact
    story.event(1, 5.0, EventType.DAMAGE, None, "b1", health_after=60, armor_after=None)  # fell
    rows = story.rows()

    def since(t: float, player: str) -> tuple[float | None, ...]:
        row = rows[1, t, player]
        return tuple(row[f"since_{name}_s"] for name in ("contact", "shot", "hit", "hurt"))

    assert since(0.5, "a1") == (None, None, None, None)
    assert since(1.0, "a1") == (0.0, 0.0, None, None)
    assert since(2.5, "a1") == (1.5, 1.5, None, None)
    assert since(8.0, "a1") == (5.0, 7.0, 5.0, None)
    assert since(8.0, "b1") == (5.0, None, None, 5.0)
    assert since(8.0, "a2") == (None, None, None, None)
    assert [rows[1, t, "b1"]["health"] for t in (2.5, 3.0, 5.0)] == [100, 70, 60]


def test_movement() -> None:
    """a1 runs towards site A (x = 1000) and b1 (x = 2000), stands, and turns; b1 stands."""
    story = Story()
    story.begin(1)
    for t, x, yaw in ((0.0, 0.0, 350.0), (1.0, 200.0, 0.0), (2.0, 200.0, 10.0), (3.0, 201.0, 350.0)):
        story.frame(1, t, a1=(x, 0.0, yaw), b1=(2000.0, 0.0, 180.0))
    rows = story.rows()
    row = rows[1, 3.0, "a1"]
    assert row["speed_now_mps"] == pytest.approx(U)  # slower than a step: he stands
    assert row["displacement_m"] == pytest.approx(201 * U)
    assert row["towards_objective_m"] == pytest.approx(201 * U)
    assert row["towards_enemy_m"] == pytest.approx(201 * U)
    assert row["still_s"] == 2.0
    assert row["yaw_change_deg"] == 0.0
    assert row["yaw_turned_deg"] == pytest.approx(10 + 10 + 20)
    assert rows[1, 2.0, "a1"]["yaw_change_deg"] == pytest.approx(20.0)
    assert rows[1, 1.0, "a1"]["still_s"] == 0.0
    assert rows[1, 3.0, "b1"]["still_s"] == 3.0
    first = rows[1, 0.5, "a1"]
    for name in (
        "speed_now_mps",
        "displacement_m",
        "towards_objective_m",
        "still_s",
        "yaw_change_deg",
        "yaw_turned_deg",
    ):
        assert first[name] is None, name


def test_standing_still_is_known_for_a_window_only() -> None:
    story = _story(*(k / 2 for k in range(21)), a1=(0.0, 0.0), b1=(1.0, 0.0))
    assert story.rows()[1, 10.0, "a1"]["still_s"] == 3.5  # frames at 6.5 to 10; 6 has left (6, 10]


def test_the_nearer_site_is_the_objective_of_the_instant() -> None:
    """From -100 to 100: B is at -1000, A at 1000. He came from nearer to B, but A is nearer now."""
    story = Story()
    story.begin(1)
    for t, x in ((0.0, -300.0), (1.0, -100.0), (2.0, 100.0)):
        story.frame(1, t, a1=(x, 0.0))
    rows = story.rows()
    assert rows[1, 1.0, "a1"]["dist_to_objective_min"] == pytest.approx(700 * U)  # to B, at 0 s
    assert rows[1, 1.0, "a1"]["towards_objective_m"] == pytest.approx(-200 * U)
    assert rows[1, 2.0, "a1"]["dist_to_objective_min"] == pytest.approx(900 * U)  # to A, at 2 s
    assert rows[1, 2.0, "a1"]["towards_objective_m"] == pytest.approx(400 * U)
    assert rows[1, 2.0, "a1"]["site_a_dist_m"] == pytest.approx(900 * U)
    assert rows[1, 2.0, "a1"]["site_b_dist_m"] == pytest.approx(1100 * U)
    only_b = story.rows(sites=Sites(b=(-1000.0, 0.0, 0.0)))[1, 2.0, "a1"]
    assert only_b["dist_to_objective_min"] == pytest.approx(700 * U)
    assert only_b["site_a_dist_m"] is None


def test_the_bomb() -> None:
    story = _story(*range(9), a1=(0.0, 0.0), b1=(500.0, 0.0), b2=(600.0, 0.0))
    story.event(1, 1.0, EventType.BOMB_PICKED_UP, "b1")
    story.event(1, 2.0, EventType.BOMB_DROPPED, "b1", pos=[400.0, 0.0, 0.0])
    story.event(1, 3.0, EventType.BOMB_PICKED_UP, "b2")
    story.event(1, 4.0, EventType.BOMB_PLANTED, "b2", site="a", pos=[800.0, 0.0, 0.0])
    story.event(1, 5.0, EventType.BOMB_DROPPED, "b2", pos=[0.0, 0.0, 0.0])  # nothing moves a planted bomb
    rows = story.rows()
    told = [rows[1, t, "a1"]["bomb_dist_m"] for t in (0.5, 1.0, 2.0, 3.0, 4.0, 6.0)]
    assert told[0] is None
    assert told[1:] == [pytest.approx(u * U) for u in (500, 400, 600, 800, 800)]
    assert [rows[1, t, "b1"]["carries_bomb"] for t in (0.5, 1.0, 2.0)] == [0, 1, 0]
    assert [rows[1, t, "b2"]["carries_bomb"] for t in (2.5, 3.0, 4.0)] == [0, 1, 0]
    assert [rows[1, t, "a1"]["planted"] for t in (3.5, 4.0)] == [0, 1]
    assert [rows[1, t, "a1"]["since_plant_s"] for t in (3.5, 4.0, 6.5)] == [0, 0, 2.5]
    assert rows[1, 6.0, "a1"]["approach_velocity"] == 0.0
    assert rows[1, 4.0, "a1"]["dist_to_objective_min"] == pytest.approx(800 * U)


def test_a_bomb_planted_nobody_knows_where_lies_at_the_sites_centre() -> None:
    story = _story(0.0, 1.0, a1=(0.0, 0.0), b1=(500.0, 0.0))
    story.event(1, 0.5, EventType.BOMB_PLANTED, "b1", site="b")
    row = story.rows()[1, 1.0, "a1"]
    assert row["bomb_dist_m"] == row["dist_to_objective_min"] == pytest.approx(1000 * U)
    assert story.rows(sites=Sites())[1, 1.0, "a1"]["bomb_dist_m"] is None


def test_who_carries_the_bomb_by_frames_alone() -> None:
    story = Story()
    story.begin(1)
    story.frame(1, 0.0, a1=(0.0, 0.0), b1=stands(300.0, 0.0, has_bomb=True), b2=stands(0.0, 0.0))
    rows = story.rows()
    assert [rows[1, 0.0, player]["carries_bomb"] for player in ("a1", "b1", "b2")] == [0, 1, 0]
    assert rows[1, 0.0, "a1"]["bomb_dist_m"] == pytest.approx(300 * U)


def test_hands() -> None:
    story = Story()
    story.begin(1)
    for t, weapon in enumerate(("ak47", "awp", "glock", "knife", "flashbang", "c4", "mp9", None, "healthshot")):
        story.frame(1, float(t), a1=stands(0.0, 0.0, weapon=weapon, has_kit=t > 2, place=None if t else "Hall"))
    rows = story.rows()
    held = {t: [name for name in HOLDINGS if rows[1, float(t), "a1"][f"holds_{name}"] == 1] for t in range(9)}
    assert held == {
        0: ["rifle"],
        1: ["sniper"],
        2: ["pistol"],
        3: ["knife"],
        4: ["grenade"],
        5: ["bomb"],
        6: ["smg_or_heavy"],
        7: [],
        8: [],
    }
    assert rows[1, 7.0, "a1"]["holds_knife"] is None
    assert rows[1, 8.0, "a1"]["holds_knife"] == 0
    assert [rows[1, t, "a1"]["has_kit"] for t in (2.0, 3.0)] == [0, 1]
    assert [rows[1, t, "a1"]["place"] for t in (0.0, 1.0)] == ["Hall", None]
    assert [rows[1, t, "a1"]["weapon"] for t in (0.5, 7.0)] == ["ak47", None]


def test_every_primary_weapon_has_a_class() -> None:
    assert set(PRIMARIES) <= GUNS
    assert (classes_of(PRIMARIES)[:-1] >= 0).all()
    assert np.isnan(classes_of(())[-1])


def test_condition() -> None:
    story = Story()
    story.begin(1)
    story.event(1, 0.0, EventType.ECONOMY_UPDATE, "a1", grenade_count=2, armor=True, kit=True)
    story.frame(1, 0.0, a1=stands(0.0, 0.0, armor=None), b1=stands(1.0, 0.0, armor=55))
    story.frame(1, 1.0, a1=stands(0.0, 0.0, armor=None, health=80), b1=(1.0, 0.0))
    story.event(1, 1.0, EventType.UTILITY, "a1", grenade="smoke")
    story.event(1, 1.5, EventType.UTILITY, "a1", grenade="smoke")
    story.event(1, 1.75, EventType.UTILITY, "a1", grenade="smoke")  # one that nobody saw him buy
    story.event(1, 1.0, EventType.BLIND, "b1", "a1", duration_s=1.25)
    story.event(1, 1.5, EventType.DAMAGE, "b1", "a1", health_after=50, armor_after=90)
    story.event(1, 2.0, EventType.UTILITY_EFFECT, "b1")
    rows = story.rows()
    assert [rows[1, t, "a1"]["utility"] for t in (0.0, 1.0, 1.5, 2.0)] == [2, 1, 0, 0]
    assert rows[1, 0.0, "b1"]["utility"] is None
    assert [rows[1, t, "a1"]["armor"] for t in (0.0, 1.5)] == [100, 90]
    assert rows[1, 0.5, "b1"]["armor"] == 55
    assert [rows[1, t, "a1"]["health"] for t in (0.5, 1.0, 1.5)] == [100, 80, 50]
    assert [rows[1, t, "a1"]["blind_s"] for t in (0.5, 1.0, 2.0)] == [0, 1.25, 0.25]
    assert rows[1, 2.0, "a1"]["has_kit"] == 0  # the frame knows better than the shop
    assert rows[1, 2.0, "a1"]["since_freeze_s"] == 2.0


def test_a_fallen_team_mate() -> None:
    story = _story(*range(12), a1=(0.0, 0.0), a2=(0.0, 100.0), b1=(300.0, 0.0), b2=(400.0, 0.0))
    story.event(1, 2.0, EventType.KILL, "b1", "a2")
    rows = story.rows()
    told = [(rows[1, t, "a1"]["mate_died_5s"], rows[1, t, "a1"]["killer_dist_m"]) for t in (1.5, 2.0, 6.5, 7.0)]
    assert told == [(0, None), (1, pytest.approx(300 * U)), (1, pytest.approx(300 * U)), (0, None)]
    assert rows[1, 2.0, "b1"]["mate_died_5s"] == 0
    story.event(1, 3.0, EventType.KILL, "a1", "b1")
    rows = story.rows()
    assert (rows[1, 3.0, "a1"]["mate_died_5s"], rows[1, 3.0, "a1"]["killer_dist_m"]) == (1, None)  # avenged
    assert (rows[1, 3.0, "b2"]["mate_died_5s"], rows[1, 3.0, "b2"]["killer_dist_m"]) == (1, pytest.approx(400 * U))


def test_a_team_mate_killed_by_his_own_side_has_no_killer_to_trade() -> None:
    story = _story(0.0, 1.0, a1=(0.0, 0.0), a2=(0.0, 100.0), b1=(300.0, 0.0))
    story.event(1, 0.5, EventType.KILL, "a1", "a2")
    row = story.rows()[1, 1.0, "a1"]
    assert (row["mate_died_5s"], row["killer_dist_m"], row["kills_last_window"]) == (1, None, 1)


def test_identity_of_a_row() -> None:
    story = _story(0.0, a1=(0.0, 0.0), b1=(1.0, 0.0))
    story.begin(2)
    story.frame(2, 0.0, a1=(0.0, 0.0), b1=(1.0, 0.0))
    rows = story.rows()
    row = rows[1, 0.0, "a1"]
    told = (row["match_id"], row["series_id"], row["map"], row["simulated"], row["team"], row["side"], row["is_ct"])
    assert told == ("made:one:1", "made:one", "de_made", False, "alpha", "ct", 1)
    assert (rows[2, 0.0, "a1"]["side"], rows[2, 0.0, "a1"]["is_ct"]) == ("t", 0)
    assert [key[2] for key in rows] == ["a1", "b1", "b1", "a1"]  # CT first


def test_without_frames_rows_tell_what_events_tell() -> None:
    story = Story()
    story.begin(1)
    story.event(1, 0.5, EventType.KILL, "a1", "b1")
    story.event(1, 1.0, EventType.SHOT, "a2", weapon="ak47")
    rows = story.rows()
    assert {key[1:] for key in rows} == {
        *((0.0, p) for p in ("a1", "a2", "b1", "b2")),
        *((t, p) for t in (0.5, 1.0) for p in ("a1", "a2", "b2")),
    }
    row = rows[1, 1.0, "a1"]
    assert (row["kills_last_window"], row["enemies_alive"], row["n_events"]) == (1, 1, 1)
    for name in ("speed_mean", "dist_to_objective_min", "nearby_enemies_max", "enemy_dist_m", "still_s", "holds_rifle"):
        assert row[name] is None, name
    assert story.rows(MicroWindow(rate_hz=None)) == {}


def test_who_is_not_told_for_a_window_is_not_there() -> None:
    story = _story(0.0, 1.0, a1=(0.0, 0.0), b1=(1.0, 0.0))
    story.frames(1, range(2, 9), a1=(0.0, 0.0))
    rows = story.rows()
    assert (1, 4.5, "b1") in rows  # last told at 1 s
    assert (1, 5.0, "b1") not in rows
    assert rows[1, 5.0, "a1"]["enemies_alive"] == 0
    assert rows[1, 4.5, "a1"]["enemy_dist_m"] == pytest.approx(U)


def test_the_table_of_a_match_and_of_nothing() -> None:
    story = _story(0.0, 1.0, a1=(0.0, 0.0), b1=(1.0, 0.0))
    table = micro_table(micro_rounds(match_of(story.messages), SITES, MicroWindow()))
    assert table.schema.equals(PLAYER_MICRO.table.arrow)
    assert table.num_rows == 6
    assert table["player"].to_pylist() == ["a1", "b1"] * 3
    empty = micro_table([])
    assert empty.schema.equals(PLAYER_MICRO.table.arrow)
    assert empty.num_rows == 0


def test_another_length_is_another_fingerprint_and_nonsense_is_refused() -> None:
    assert micro_spec(4.0) == PLAYER_MICRO
    assert micro_spec(5.0).fingerprint != PLAYER_MICRO.fingerprint
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="holds nothing"):
            MicroWindow(bad)
        with pytest.raises(ValueError, match="no rate"):
            MicroWindow(rate_hz=bad)
