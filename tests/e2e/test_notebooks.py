"""The three notebooks run from top to bottom on simulated matches."""

from pathlib import Path

import nbclient
import nbformat
import pytest

from esports_assets.simulate.write import simulate_matches

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def source_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    simulate_matches(folder, 6, seed=1)
    return folder


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["evaluation", "features", "training"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path, source_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", str(source_files))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    assert outputs
    assert any("6 matches" in out.get("text", "") for out in outputs)
