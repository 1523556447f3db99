"""Wide bounds on what makes a match plausible: they catch a broken model, not a small change of it."""

import numpy as np

from esports_assets.simulate.match import SimulatedMatch
from esports_assets.simulate.record import RoundRecord


def _rounds(matches: list[SimulatedMatch]) -> list[RoundRecord]:
    return [record for match in matches for record in match.rounds]


def test_rounds_end_in_every_way_and_no_side_dominates(matches: list[SimulatedMatch]) -> None:
    rounds = _rounds(matches)
    assert 0.3 < np.mean([r.winner == "t" for r in rounds]) < 0.65
    assert {"ct_win", "t_win", "bomb_defused", "target_bombed"} <= {r.reason for r in rounds}
    assert 5.5 < np.mean([len(r.kills) for r in rounds]) < 8.5
    assert 0.35 < np.mean([any(b.kind == "planted" for b in r.bombs) for r in rounds]) < 0.8


def test_times_are_those_of_a_match(matches: list[SimulatedMatch]) -> None:
    rounds = _rounds(matches)
    assert 55 < np.median([r.end_tick / 64 for r in rounds]) < 110
    assert 5 < np.median([r.damages[0].tick / 64 for r in rounds if r.damages]) < 35
    plants = [b.tick / 64 for r in rounds for b in r.bombs if b.kind == "planted"]
    assert 30 < np.median(plants) < 85
    assert max(plants) <= 115


def test_being_more_and_better_armed_helps(matches: list[SimulatedMatch]) -> None:
    firsts = [r for r in _rounds(matches) if r.kills]
    won = [r.sides[r.kills[0].victim] != r.winner for r in firsts]
    assert 0.55 < np.mean(won) < 0.85
    rich = []
    for r in firsts:
        gap = sum(p.equipment * (1 if r.sides[i] == "t" else -1) for i, p in enumerate(r.players))
        if abs(gap) > 10_000:
            rich.append((gap > 0) == (r.winner == "t"))
    assert np.mean(rich) > 0.65


def test_buys_follow_the_money(matches: list[SimulatedMatch]) -> None:
    for match in matches:
        assert match.rounds[0].team_buys == match.rounds[12].team_buys == ("pistol", "pistol")
    buys = [buy for r in _rounds(matches) for buy in r.team_buys]
    assert 0.45 < buys.count("full") / len(buys) < 0.85
    assert "eco" in buys
