"""Series, swings and totals of win probability, by hand."""

import pytest

from serving.winprob import End, Player, Row, rounds, swings, totals, with_outcomes

PLAYERS = {
    "anna": Player("Anna", "x", {1: "ct", 2: "t"}),
    "boris": Player("Boris", "y", {1: "t", 2: "ct"}),
}


def _second(segment: int, t_s: float, p: float) -> Row:
    return Row(segment, t_s, "second", p)


def _event(segment: int, t_s: float, p: float, event: str, actor: str | None, target: str | None = None) -> Row:
    return Row(segment, t_s, "event", p, None, None, f"{event}-{t_s}", event, actor, target)


ROWS = [
    _second(1, 0.0, 0.5),
    _event(1, 0.5, 0.52, "DAMAGE", "anna", "boris"),
    _second(1, 1.0, 0.55),
    _event(1, 1.5, 0.6, "DAMAGE", "anna", "boris"),
    _event(1, 1.5, 0.58, "DAMAGE", "boris", "anna"),
    _event(1, 1.5, 0.7, "KILL", "anna", "boris"),
    _second(2, 0.0, 0.4),
    _event(2, 5.0, 0.3, "BOMB_PLANTED", "anna"),
    _second(2, 6.0, 0.2),
]
ENDS = {1: End("ct", "t_eliminated", 1.75), 2: End("t", "bomb_exploded", 46.0, ("x", "BOMB_EXPLODED", "anna", None))}
WHOLE = with_outcomes(ROWS, ENDS, "ct")


def test_a_round_ends_at_its_outcome() -> None:
    assert [(row.segment, row.t_s, row.probability) for row in WHOLE if row.kind == "outcome"] == [
        (1, 1.75, 1.0),
        (2, 46.0, 0.0),
    ]
    assert with_outcomes(ROWS, {}, "ct") == ROWS


def test_a_kill_includes_the_damage_that_killed_and_no_other() -> None:
    kill, plant, explosion = swings(WHOLE)
    assert (kill.row.event_type, kill.delta) == ("KILL", pytest.approx(0.05 + 0.12))
    assert kill.before == pytest.approx(0.7 - 0.17)
    assert (plant.before, plant.delta) == (pytest.approx(0.4), pytest.approx(-0.1))
    assert (explosion.before, explosion.delta) == (pytest.approx(0.2), pytest.approx(-0.2))


def test_what_players_added_adds_up_to_the_rounds() -> None:
    first, second = rounds(WHOLE, ENDS, PLAYERS, "second", "p_ct")
    assert first["change"] == pytest.approx({"total": 0.5, "by_players": 0.17, "by_time": 0.33})
    assert second["change"] == pytest.approx({"total": -0.4, "by_players": -0.1, "by_time": -0.3})
    anna, boris = totals(WHOLE, PLAYERS, "ct")
    assert (anna["player"], anna["name"], anna["team"], anna["events"]) == ("anna", "Anna", "x", 5)
    assert (anna["added"], anna["lost"]) == pytest.approx((0.02 + 0.05 + 0.12 + 0.1, -0.02))
    assert (boris["added"], boris["lost"]) == pytest.approx((0.02, -0.19))
    for segment, side_of_anna, change in ((1, 1, first), (2, -1, second)):
        own = totals([row for row in WHOLE if row.segment == segment], PLAYERS, "ct")
        signed = [t["added"] * (side_of_anna if t["player"] == "anna" else -side_of_anna) for t in own]
        assert sum(signed) == pytest.approx(change["change"]["by_players"])


def test_a_round_without_an_end_says_so() -> None:
    last = rounds(ROWS, {}, PLAYERS, "event", "p_ct")[1]
    assert (last["winner"], last["end_reason"], [p["t_s"] for p in last["points"]]) == (None, None, [5.0])
    assert last["change"]["total"] == pytest.approx(-0.2)


def test_nobody_is_credited_without_a_side() -> None:
    rows = [_second(1, 0.0, 0.5), _event(1, 1.0, 0.7, "KILL", "nobody", "anna")]
    assert totals(rows, PLAYERS, "ct") == []
    assert rounds(rows, {}, PLAYERS, "second", "p_ct")[0]["change"]["by_players"] == 0
    assert [swing.delta for swing in swings(rows)] == pytest.approx([0.2])
