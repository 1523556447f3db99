"""Corners of ``cs2/round_state`` on changed tiny matches: a silent defuse, the last instant, the first duel."""

from typing import Any

import pytest
from cs2_changed import changed

from esports_assets.windows.batch import match_windows
from esports_assets.windows.player_form import player_form_table


def _second(rows: list[dict[str, Any]], segment: int, t_s: float) -> dict[str, Any]:
    (row,) = [r for r in rows if (r["segment"], r["t_s"], r["row_kind"]) == (segment, t_s, "second")]
    return row


def _stands_at_the_bomb(parts: dict[str, Any]) -> None:
    """P1 (with a kit) stands where the bomb will lie from 5 s, moves aside at 15 s and stands again; it is planted at 10 s."""
    track = parts["replay"]["rounds"][1]["players"][0]
    frames = range(len(track["x"]))
    track["x"] = [10 * s if s < 5 else -300 if s < 15 else -250 for s in frames]
    track["y"] = [0 if s < 5 else 50 for s in frames]


@pytest.mark.parametrize(
    ("t_s", "share"),
    [
        (9.0, 0.0),  # nothing is planted
        (12.0, 0.6),  # three seconds since the last frame before the plant, of the five that a kit takes
        (14.0, 1.0),
        (15.0, 0.0),  # he moved
        (17.0, 0.4),
        (20.0, 1.0),
        (28.0, 1.0),
        (29.0, 0.0),  # dead
    ],
)
def test_a_silent_defuse(t_s: float, share: float) -> None:
    rows = match_windows(changed(_stands_at_the_bomb)).to_pylist()
    assert _second(rows, 2, t_s)["defuse_progress"] == pytest.approx(share)


def test_walking_past_the_bomb_is_no_defuse() -> None:
    def walks(parts: dict[str, Any]) -> None:
        _stands_at_the_bomb(parts)
        track = parts["replay"]["rounds"][1]["players"][0]
        track["x"] = [x + 2 * (s % 2) for s, x in enumerate(track["x"])]

    rows = match_windows(changed(walks)).to_pylist()
    assert {row["defuse_progress"] for row in rows} == {0.0}


def test_what_decides_a_round_is_no_row_of_it() -> None:
    """A kill at the very tick of the decision is the outcome, not a state to predict it from."""

    def ends_it(parts: dict[str, Any]) -> None:
        parts["kills"][2]["tick"] = parts["rounds"][0]["endTick"]

    rows = [row for row in match_windows(changed(ends_it)).to_pylist() if row["segment"] == 1]
    assert max(row["t_s"] for row in rows) == 19.0


def test_the_first_kill_is_the_opening() -> None:
    def other_killer(parts: dict[str, Any]) -> None:
        parts["kills"][0]["killerSteamId64"] = "P2"

    rows = {(r["segment"], r["player"]): r for r in player_form_table(changed(other_killer)).to_pylist()}
    told = {p: rows[2, f"cs2_demo:{p}"]["opening_duel_success"] for p in ("p1", "p2", "p3", "p4")}
    assert told == {"p1": None, "p2": 1.0, "p3": 0.0, "p4": None}


def test_a_team_kill_is_nobodys_merit() -> None:
    def betrayal(parts: dict[str, Any]) -> None:
        parts["kills"][0]["killerSteamId64"] = "P4"  # of P3's own team

    rows = {(r["segment"], r["player"]): r for r in player_form_table(changed(betrayal)).to_pylist()}
    assert rows[2, "cs2_demo:p4"]["kills_per_round"] == 1.0  # P2, and not P3
    assert rows[2, "cs2_demo:p3"]["opening_duel_success"] is None
    assert rows[2, "cs2_demo:p2"]["opening_duel_success"] == 0.0
