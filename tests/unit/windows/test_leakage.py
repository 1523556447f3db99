"""Law 1: no feature row changes when everything after its instant is another."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from future import another_future, first_rounds, simulated, tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.windows.batch import match_windows
from esports_assets.windows.player_form import PLAYER_FORM, player_form_table
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.view import Sites

SITES = Sites((100.0, 200.0, 0.0), (-300.0, 50.0, 0.0))


def _until(table: pa.Table, segment: int, t_s: float) -> pa.Table:
    here = pc.and_(pc.equal(table["segment"], segment), pc.less_equal(table["t_s"], t_s))
    return table.filter(pc.or_(pc.less(table["segment"], segment), here))


def _assert_future_is_unseen(match: CanonicalMatch, segment: int, t_s: float, rng: np.random.Generator) -> None:
    other = another_future(match, segment, t_s, rng)
    told, retold = (_until(match_windows(m, SITES), segment, t_s) for m in (match, other))
    names = [name for name in ROUND_STATE.table.names if name != "ct_won"]  # the label alone looks ahead
    assert told.num_rows == retold.num_rows
    for name in names:
        assert told[name].to_pylist() == retold[name].to_pylist(), f"{name} at or before round {segment}, {t_s} s"
    forms = [player_form_table(m).filter(pc.less_equal(pc.field("segment"), segment)) for m in (match, other)]
    for name in PLAYER_FORM.table.names:
        assert forms[0][name].to_pylist() == forms[1][name].to_pylist(), name


def _instant(match: CanonicalMatch, where: float, when: float, on_event: bool) -> tuple[int, float]:
    """A round by share of the match, and an instant by share of the round: anywhere, or exactly at one of its events."""
    rounds = match.rounds.to_pylist()
    row = rounds[min(int(where * len(rounds)), len(rounds) - 1)]
    t_s = when * row["duration_s"]
    if on_event:
        inside = match.events.filter(pc.equal(match.events["segment"], row["segment"]))["t_s"].to_numpy()
        before = inside[(inside >= 0) & (inside <= t_s)]
        t_s = float(before[-1]) if len(before) else 0.0
    return row["segment"], t_s


share = st.floats(0.0, 0.999)


@settings(max_examples=40)
@given(share, share, st.booleans(), st.integers(0, 2**32), st.sampled_from([2, 3]))
def test_tiny_matches(where: float, when: float, on_event: bool, seed: int, version: int) -> None:
    match = tiny(version)
    _assert_future_is_unseen(match, *_instant(match, where, when, on_event), np.random.default_rng(seed))


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(share, share, st.booleans(), st.integers(0, 2**32), st.sampled_from([3, 11]))
def test_simulated_matches(where: float, when: float, on_event: bool, seed: int, match_seed: int) -> None:
    match = simulated(match_seed, 5)
    _assert_future_is_unseen(match, *_instant(match, where, when, on_event), np.random.default_rng(seed))


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name", ["2026-05-17_de_ancient_T01*", "2026-05-22_de_mirage_T05*", "sample-2026-02-09_de_nuke*"]
)
def test_real_matches(real_data: Path, name: str) -> None:
    (path,) = (real_data / "cs2_demos").glob(f"*/{name}")
    (match,) = read_file(SourceFile.open(path)).matches
    match = first_rounds(match, 8)
    rng = np.random.default_rng(5)
    for _ in range(3):
        where, when, on_event = rng.random(), rng.random(), bool(rng.random() < 0.5)
        _assert_future_is_unseen(match, *_instant(match, float(where), float(when), on_event), rng)


def test_the_alteration_alters() -> None:
    """The test above would pass for nothing if the other future were the same: here later rows must differ."""
    match = simulated(3, 5)
    other = another_future(match, 2, 5.0, np.random.default_rng(1))
    told, retold = (match_windows(m, SITES) for m in (match, other))
    later = [t.filter(pc.greater(t["segment"], 2)) for t in (told, retold)]
    for name in ("ct_near_enemy", "ct_rating", "ct_armor", "ct_round_win_streak", "t_money"):
        assert later[0][name].to_pylist() != later[1][name].to_pylist(), name
