"""Rows 000-20 and 000-21 by hand: what earlier rounds say, without constants and without the round itself."""

import math

import pytest
from future import simulated, tiny

from esports_assets.windows.batch import match_windows
from esports_assets.windows.history import PlayerHistory, RoundSummary, TeamHistory
from esports_assets.windows.player_form import PLAYER_FORM, player_form_table
from esports_assets.windows.registry import window_spec


def _round(
    won: bool, kills: int = 3, trades: int = 1, equipment: float = 20_000.0, objective: bool = True
) -> RoundSummary:
    return RoundSummary(won, kills, trades, equipment, equipment < 10_000, objective)


def _team(*rounds: RoundSummary) -> TeamHistory:
    history = TeamHistory()
    for summary in rounds:
        history.add(summary)
    return history


def test_a_team_without_a_past_says_so() -> None:
    form = TeamHistory().form(4000.0)
    assert form.round_win_streak == 0.0
    unknown = (
        form.avg_kills_last_5,
        form.eco_win_rate,
        form.econ_delta,
        form.trade_efficiency,
        form.objective_success_rate,
    )
    assert all(math.isnan(value) for value in unknown)


@pytest.mark.parametrize(
    ("won", "streak"),
    [
        ([True], 1),
        ([False], -1),
        ([True, True, False], -1),
        ([False, True, True, True], 3),
        ([True, False, False], -2),
        ([True] * 14, 10),
        ([False] * 14, -10),
    ],
)
def test_streaks(won: list[bool], streak: int) -> None:
    assert _team(*(_round(w) for w in won)).form(0.0).round_win_streak == streak


def test_the_last_five_rounds() -> None:
    kills = [9, 1, 2, 3, 4, 5]
    history = _team(*(_round(True, k, trades=1, equipment=1000.0 * k, objective=k % 2 == 0) for k in kills))
    form = history.form(7000.0)
    assert form.avg_kills_last_5 == 3.0  # (1 + 2 + 3 + 4 + 5) / 5
    assert form.trade_efficiency == 5 / 15
    assert form.objective_success_rate == 2 / 5
    assert form.econ_delta == 7000.0 - 1000.0  # five rounds ago he had 1000


def test_eco_rounds_of_the_whole_match_count() -> None:
    poor, rich = 5000.0, 20_000.0
    rounds = [
        _round(True, equipment=poor),
        *(_round(False, equipment=rich) for _ in range(12)),
        _round(False, equipment=poor),
    ]
    assert _team(*rounds).form(0.0).eco_win_rate == 0.5
    assert math.isnan(_team(_round(True, equipment=rich)).form(0.0).eco_win_rate)


def test_no_kills_no_trade_efficiency() -> None:
    assert math.isnan(_team(_round(False, kills=0, trades=0)).form(0.0).trade_efficiency)


def test_unknown_equipment_is_no_eco() -> None:
    """A source that tells no economy counted as 0, and every round became an eco."""
    history = TeamHistory()
    history.add(RoundSummary(True, 3, 1, math.nan, False, True))
    form = history.form(math.nan)
    assert math.isnan(form.eco_win_rate)
    assert math.isnan(form.econ_delta)


def test_a_players_rating() -> None:
    player = PlayerHistory(rounds=6, kills=6, deaths=2, damage_dealt=500.0, damage_taken=300.0)
    assert player.rating == pytest.approx((4 + 2) / 2 / 12)
    assert PlayerHistory().rating == 0.0


def test_the_form_of_the_second_tiny_round() -> None:
    """From round 1: P1 kills P3 first (6 s) and P4; P4 kills P2 (8 s); P3 threw a smoke; P1 lives all 20 s."""
    rows = {(r["segment"], r["player"][-2:]): r for r in player_form_table(tiny()).to_pylist()}
    assert len(rows) == 8
    for player in ("p1", "p2", "p3", "p4"):
        first = rows[1, player]
        assert [first[f] for f in PLAYER_FORM.feature_names] == [None, None, None, None, 0.0]
    told = {p: [rows[2, p][f] for f in PLAYER_FORM.feature_names] for p in ("p1", "p2", "p3", "p4")}
    assert told["p1"] == [2.0, 1.0, 20.0, 0.0, pytest.approx((2 + 1.0) / 2 / 7)]  # 27 + 73 damage dealt
    assert told["p2"] == [0.0, None, 8.0, 0.0, pytest.approx(-1 / 2 / 7)]
    assert told["p3"] == [0.0, 0.0, 6.0, 1.0, pytest.approx((-1 - 1.0) / 2 / 7)]
    assert told["p4"] == [1.0, None, 18.0, 0.0, 0.0]
    assert (rows[1, "p1"]["side"], rows[2, "p1"]["side"]) == ("t", "ct")
    assert rows[2, "p1"]["team"] == "cs2_demo:alpha-team"


def test_the_form_of_the_tiny_teams() -> None:
    """Round 1: A (T, equipment 850 + 851) wins with 2 kills, B (CT) loses with 1 kill that was a trade."""
    rows = match_windows(tiny()).to_pylist()
    names = (
        "avg_kills_last_5",
        "eco_win_rate",
        "round_win_streak",
        "econ_delta",
        "trade_efficiency",
        "objective_success_rate",
    )
    first, second = rows[0], next(row for row in rows if row["segment"] == 2)
    assert [first[f"ct_{name}"] for name in names] == [None, None, 0.0, None, None, None]
    assert [second[f"ct_{name}"] for name in names] == [
        2.0,
        1.0,
        1.0,
        3200 + 851 - (850 + 851),
        0.0,
        1.0,
    ]  # A plays CT now
    assert [second[f"t_{name}"] for name in names] == [1.0, 0.0, -1.0, 0.0, 1.0, 0.0]
    assert (second["ct_score"], second["t_score"]) == (1.0, 0.0)
    assert second["t_rating"] == pytest.approx(-2 / 2 / 7)


def test_the_player_window_is_declared() -> None:
    table = player_form_table(simulated(3, 5))
    spec = window_spec("cs2/player_form")
    assert spec is PLAYER_FORM
    assert table.schema.equals(spec.table.arrow)
    assert spec.table.key == ("match_id", "segment", "player")
    keys = list(zip(*(table[name].to_pylist() for name in spec.table.key), strict=True))
    assert len(set(keys)) == len(keys) == 5 * 10
    for feature in spec.features:
        values = [v for v in table[feature.name].to_pylist() if v is not None]
        assert feature.minimum is None or min(values) >= feature.minimum
        assert feature.maximum is None or max(values) <= feature.maximum
