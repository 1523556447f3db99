"""One value out of its declared range stopped the suite of all days and named no match."""

import sys
from pathlib import Path

import pytest

from esports_assets.canonical.invariants import broken
from esports_assets.canonical.match import CanonicalMatch

sys.path.append(str(Path(__file__).parents[2] / "unit" / "adapters"))
from cs2_readings import read
from tiny_demo import sections


def _told(match: CanonicalMatch) -> list[str]:
    return [finding.message for finding in broken(match) if finding.rule == "declared_schema"]


@pytest.mark.parametrize("version", [2, 3])
def test_health_in_one_frame(version: int) -> None:
    parts = sections(version)
    parts["replay"]["rounds"][0]["players"][2]["hp"][3] = 200
    assert _told(read(version, parts)) == ["tracking.health = 200, more than 150 (row 14)"]


@pytest.mark.parametrize("version", [2, 3])
def test_a_site_that_no_map_has(version: int) -> None:
    parts = sections(version)
    parts["bombs"][2]["site"] = "main"
    assert _told(read(version, parts)) == ["rounds.planted_site = 'main', not one of a, b, c (row 0)"]
