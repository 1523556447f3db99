"""Round snapshots of others: matches and rounds rebuilt, bad files told in a sentence, the label defect found by the check."""

import lzma
import os
from pathlib import Path

import dagster as dg
import pytest

from esports_assets.defs.snapshots import raw_csgo_round_snapshots, snapshot_labels_are_their_own
from esports_assets.stages.snapshots import SnapshotsError, read_snapshots

HEADER = "time_left,ct_score,t_score,map,round_winner\n"
CARRIED = HEADER + "".join(
    f"{time_left},{ct},{t},{name},{winner}\n"
    for time_left, ct, t, name, winner in (
        *((175, 0, 0, "de_a", "CT"), (100, 0, 0, "de_a", "CT")),
        *((175, 1, 0, "de_a", "CT"), (100, 1, 0, "de_a", "T")),
        *((175, 1, 1, "de_a", "T"), (100, 1, 1, "de_a", "CT")),
        *((175, 0, 0, "de_b", "T"), (100, 0, 0, "de_b", "T")),
    )
)


def test_matches_and_rounds_are_rebuilt_from_map_and_score(tmp_path: Path) -> None:
    file = tmp_path / "snapshots.csv.xz"
    file.write_bytes(lzma.compress(CARRIED.encode()))
    table = read_snapshots(file)
    assert table["match"].to_pylist() == [0, 0, 0, 0, 0, 0, 1, 1]
    assert table["segment"].to_pylist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert table["label"].to_pylist() == [1, 1, 1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv.xz", b"not xz", "not valid xz data"),
        ("a.csv", b"x,y\n1,2\n", "lacks the columns map"),
        ("a.csv", b"", "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_something_else_is_told_in_a_sentence(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SnapshotsError, match=said):
        read_snapshots(tmp_path / name)


def _run() -> dg.ExecuteInProcessResult:
    return (
        dg.Definitions(assets=[raw_csgo_round_snapshots], asset_checks=[snapshot_labels_are_their_own])
        .resolve_implicit_global_asset_job_def()
        .execute_in_process()
    )


def test_the_asset_check_finds_carried_over_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "snapshots.csv"
    file.write_text(CARRIED)
    monkeypatch.setenv("ROUND_SNAPSHOTS", str(file))
    [check] = _run().get_asset_check_evaluations()
    assert not check.passed
    assert (check.metadata["carried"].value, check.metadata["changed_rounds"].value) == (2, 2)


def test_without_the_file_the_asset_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROUND_SNAPSHOTS", raising=False)
    result = _run()
    assert result.success
    [made] = result.get_asset_materialization_events()
    assert made.materialization.metadata["rows"].value == 0
    [check] = result.get_asset_check_evaluations()
    assert check.passed


@pytest.mark.realdata
def test_the_known_defect_of_the_real_table_is_found(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUND_SNAPSHOTS", os.fspath(real_data / "csgo_round_snapshots" / "csgo_round_snapshots.csv.xz"))
    [check] = _run().get_asset_check_evaluations()
    assert not check.passed
    assert check.metadata["carried"].value == check.metadata["changed_rounds"].value == 6403
