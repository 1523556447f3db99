"""The ordinary adapters read simulated files without a refusal or a finding that costs anything, and agree with each other."""

from pathlib import Path

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.cs2_demo.adapter import Cs2DemoAdapter
from esports_assets.adapters.grid.adapter import GridAdapter
from esports_assets.canonical.match import CanonicalMatch


def _read(adapter: Cs2DemoAdapter | GridAdapter, path: Path) -> CanonicalMatch:
    file = SourceFile.open(path)
    assert adapter.recognises(file)
    reading = adapter.read(file)
    assert reading.refusals == ()
    (match,) = reading.matches
    assert [f for f in match.findings if f.rule != "ignored_section"] == []
    assert match.header.simulated
    assert match.header.day.isoformat() == path.name[:10]
    return match


def test_demos_and_grid_tell_the_same_rounds(files: list[Path]) -> None:
    demos = [_read(Cs2DemoAdapter(), p) for p in files if p.suffix == ".zip"]
    grids = [_read(GridAdapter(), p) for p in files if p.suffix == ".jsonl"]
    assert len(grids) == 2
    for demo, grid in zip(demos, grids, strict=False):
        for name in ("segment", "winner_side", "end_reason", "ct_score_before", "t_score_before", "ct_equipment_value"):
            assert demo.rounds.column(name).to_pylist() == grid.rounds.column(name).to_pylist(), name
        assert grid.tracking.num_rows > 0
