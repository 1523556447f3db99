"""Law 1: no row changes when everything after its instant is another."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from future import another_future, first_rounds, simulated, tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import esports_assets.windows.micro
from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.windows.micro.batch import player_micro_table
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.view import Sites

SITES = Sites((100.0, 200.0, 0.0), (-300.0, 50.0, 0.0))
share = st.floats(0.0, 0.999)
rates = st.sampled_from([2.0, None])


def _rows(match: CanonicalMatch, rate_hz: float | None) -> list[dict[str, Any]]:
    return player_micro_table(match, SITES, MicroWindow(rate_hz=rate_hz)).to_pylist()


def _assert_future_is_unseen(
    match: CanonicalMatch, where: float, when: float, rate_hz: float | None, rng: np.random.Generator
) -> None:
    rounds = match.rounds.to_pylist()
    row = rounds[min(int(where * len(rounds)), len(rounds) - 1)]
    segment, t_s = row["segment"], when * row["duration_s"]
    other = another_future(match, segment, t_s, rng)
    told, retold = (
        [row for row in _rows(m, rate_hz) if (row["segment"], row["t_s"]) <= (segment, t_s)] for m in (match, other)
    )
    assert told == retold


@settings(max_examples=60)
@given(share, share, rates, st.integers(0, 2**32), st.sampled_from([2, 3]))
def test_tiny_matches(where: float, when: float, rate_hz: float | None, seed: int, version: int) -> None:
    _assert_future_is_unseen(tiny(version), where, when, rate_hz, np.random.default_rng(seed))


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(share, share, rates, st.integers(0, 2**32), st.sampled_from([3, 11]))
def test_simulated_matches(where: float, when: float, rate_hz: float | None, seed: int, match_seed: int) -> None:
    _assert_future_is_unseen(simulated(match_seed, 4), where, when, rate_hz, np.random.default_rng(seed))


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["2026-05-17_de_ancient_T01*", "sample-2026-02-09_de_nuke*"])
def test_real_matches(real_data: Path, name: str) -> None:
    (path,) = (real_data / "cs2_demos").glob(f"*/{name}")
    (match,) = read_file(SourceFile.open(path)).matches
    rng = np.random.default_rng(5)
    for rate_hz in (2.0, None):
        _assert_future_is_unseen(first_rounds(match, 6), rng.random(), rng.random(), rate_hz, rng)


def test_the_alteration_alters() -> None:
    match = simulated(3, 4)
    other = another_future(match, 2, 5.0, np.random.default_rng(1))
    told, retold = ([row for row in _rows(m, 2.0) if row["segment"] > 2] for m in (match, other))
    for name in (
        "speed_mean",
        "enemy_angle_deg",
        "since_contact_s",
        "health",
        "utility",
        "weapon",
        "kills_last_window",
    ):
        assert [row[name] for row in told] != [row[name] for row in retold], name


def test_nothing_here_reads_what_came_after() -> None:
    words = {"winner", "winner_team", "winner_side", "end_reason", "hindsight", "planted_t_s"}
    for path in Path(esports_assets.windows.micro.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            told = (
                node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
            )
            assert told not in words, f"{path.name} reads {told}"
            imported = getattr(node, "module", None)
            assert imported is None or "labels" not in imported, path.name
