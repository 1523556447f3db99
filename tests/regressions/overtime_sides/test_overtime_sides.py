"""An exporter swapped the sides of every round of five overtimes: defusers were Ts, planters CTs, and the wrong team had won."""

import sys
from pathlib import Path

import pytest

from esports_assets.canonical.codec import events_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType, Side

sys.path.append(str(Path(__file__).parents[2] / "unit" / "adapters"))
from cs2_readings import P4, of, read
from tiny_demo import sections

A, B = "cs2_demo:alpha-team", "cs2_demo:beta"


def swapped(version: int, *, bomb: bool = True) -> CanonicalMatch:
    """Round 2 as the exporter tells it: B, who plant and whose bomb explodes, are called ct, so A is said to have won it."""
    parts = sections(version)
    parts["rounds"][1] |= {"teamASide": "t", "teamBSide": "ct", "winnerTeamKey": "teamA", "winnerSide": "t"}
    parts["match"]["teamA"]["score"], parts["match"]["teamB"]["score"] = 2, 0
    if not bomb:
        parts["bombs"] = [row for row in parts["bombs"] if row["roundNumber"] == 1]
    return read(version, parts)


@pytest.mark.parametrize("version", [2, 3])
def test_who_plants_is_t_and_the_side_that_won_decides_the_team(version: int) -> None:
    match = swapped(version)
    second = match.rounds.to_pylist()[1]
    assert [second[k] for k in ("ct_team", "t_team", "winner_side", "winner_team")] == [A, B, "t", B]
    (plant,) = of(events_of(match.events), EventType.BOMB_PLANTED, 2)
    assert (plant.actor, plant.side) == (P4, Side.T)
    assert set(zip(match.tracking["team"].to_pylist(), match.tracking["side"].to_pylist(), strict=True)) == {
        *((A, "t"), (B, "ct")),  # round 1
        *((A, "ct"), (B, "t")),  # round 2
    }
    assert events_of(match.events)[-1].payload == {"score": {A: 1, B: 1}, "winner_team": None}
    (finding,) = [f for f in match.findings if f.rule == "sides_swapped"]
    assert "rounds 2 " in finding.message


def test_a_round_without_a_bomb_follows_the_rounds_beside_it_with_the_same_sides() -> None:
    match = swapped(2, bomb=False)  # round 1, told with the same sides, is right: so nothing speaks against round 2
    assert match.rounds["winner_team"].to_pylist() == [A, A]
    assert not [f for f in match.findings if f.rule == "sides_swapped"]
