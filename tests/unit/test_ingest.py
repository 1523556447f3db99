"""Files into the lake: idempotent, in two processes, and one bad file never stops the others."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import IngestedFile, IngestError, ingest_paths, reread_day, walk
from esports_assets.simulate.write import simulate_matches
from esports_assets.storage.lake import Lake

BROKEN = "2026-02-03_broken.zip"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated matches, half a zip, and a file of no known source."""
    folder = tmp_path_factory.mktemp("sources")
    first, _ = simulate_matches(folder / "good", 2, 11)
    (folder / BROKEN).write_bytes(first.read_bytes()[:5000])
    (folder / "notes.txt").write_text("nothing that a match would say")
    (folder / ".hidden").write_text("left out")
    return folder


def _tree(lake: Path) -> dict[str, int]:
    return {str(file.relative_to(lake)): file.stat().st_mtime_ns for file in lake.rglob("*") if file.is_file()}


def test_good_files_land_and_bad_ones_are_told(sources: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    seen: list[tuple[int, int]] = []
    report = ingest_paths([sources], lake, lambda done, total, _: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert {Path(file.file).name: len(file.matches) for file in report.files if not file.matches} == {BROKEN: 0}
    assert [Path(file).name for file in report.passed_over] == ["notes.txt"]
    assert {r.header.match_id for r in lake.matches(Title.CS2)} == {header.match_id for header in report.matches}
    assert len(report.matches) == 2
    assert {refusal.file for refusal in report.refusals} == {BROKEN}
    assert report.days == {Title.CS2: tuple(sorted({h.day for h in report.matches}))}
    [failure] = lake.failures(Title.CS2, date(2026, 2, 3))
    assert failure.refusals[0].file == BROKEN
    assert lake.raw_files(Title.CS2, date(2026, 2, 3))[0].name == BROKEN


def test_a_file_that_is_named_is_always_read(sources: Path, tmp_path: Path) -> None:
    report = ingest_paths([sources / "notes.txt"], Lake(tmp_path))
    assert [refusal.file for refusal in report.refusals] == ["notes.txt"]
    assert "no adapter recognises this file" in report.refusals[0].reason


def test_the_same_again_changes_nothing(sources: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = ingest_paths([sources], lake, workers=1)
    before = _tree(tmp_path)
    again = ingest_paths([sources], lake, workers=1)
    assert _tree(tmp_path) == before
    assert all(file.unchanged for file in again.files)
    assert (again.matches, again.refusals) == (first.matches, first.refusals)
    for day in lake.raw_days(Title.CS2):
        assert all(file.unchanged for file in reread_day(lake, Title.CS2, day).files)
        reread_day(lake, Title.CS2, day, force=True)
    assert _tree(tmp_path) == before


def test_one_process_and_two_give_the_same_lake(sources: Path, tmp_path: Path) -> None:
    one, two = Lake(tmp_path / "one"), Lake(tmp_path / "two")
    ingest_paths([sources], one, workers=1)
    ingest_paths([sources], two, workers=2)
    assert one.store.list() == two.store.list()
    assert [one.store.etag(key) for key in one.store.list()] == [two.store.etag(key) for key in two.store.list()]


def test_a_lost_match_is_read_again(sources: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    [good] = ingest_paths([next((sources / "good").iterdir())], lake).matches
    lake.delete_match(good)
    [again] = ingest_paths([next((sources / "good").iterdir())], lake).files
    assert (again.unchanged, again.matches) == (False, (good,))


def test_a_corrected_file_replaces_the_earlier_one(sources: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    source = next((sources / "good").iterdir())
    copy = tmp_path / source.name
    shutil.copy(source, copy)
    [first] = ingest_paths([copy], lake).files
    copy.write_bytes(
        source.read_bytes() + b"\0"
    )  # a zip may be followed by other bytes: the same match from another file
    second = ingest_paths([copy], lake).files[0]
    if not second.matches:
        pytest.skip("the adapter refuses a zip with bytes after its end")
    assert [raw.key for raw in lake.raw_files(Title.CS2, first.matches[0].day)] == [second.raw]
    assert [record.raw for record in lake.matches(Title.CS2)] == [second.raw]


def test_a_vanished_raw_file_takes_its_match_along(sources: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    report = ingest_paths([sources / "good"], lake)
    day = report.matches[0].day
    raws = lake.raw_files(Title.CS2, day)
    lake.store.delete(raws[0].key)
    reread_day(lake, Title.CS2, day)
    assert raws[0].key not in {record.raw for record in lake.matches(Title.CS2)}


def test_an_unreadable_file_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(b"x")

    def deny(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", deny)
    seen: list[IngestedFile] = []
    report = ingest_paths([file], Lake(tmp_path / "lake"), lambda _, __, entry: seen.append(entry))
    assert [str(refusal) for refusal in report.refusals] == ["x.zip: cannot be read: Permission denied"]
    assert tuple(seen) == report.files


def test_paths_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="does not exist: give a file or a folder"):
        list(walk([tmp_path / "no"]))
