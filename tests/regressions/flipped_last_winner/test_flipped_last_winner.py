"""The winner of the last round was told wrong, which no later score contradicts: the match was accepted."""

import sys
from pathlib import Path

import pytest

from esports_assets.canonical.invariants import broken

sys.path.append(str(Path(__file__).parents[2] / "unit" / "adapters"))
from cs2_readings import read
from tiny_demo import sections


@pytest.mark.parametrize("version", [2, 3])
def test_the_final_score_contradicts_it(version: int) -> None:
    parts = sections(version)
    parts["rounds"][1] |= {"winnerTeamKey": "teamA", "winnerSide": "ct", "endReason": "time_ran_out"}
    assert {finding.rule for finding in broken(read(version, parts))} == {"final_score"}
