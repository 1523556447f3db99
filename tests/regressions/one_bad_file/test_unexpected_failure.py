"""One file that met a bug or a limit of the file system ended the whole ingest with a traceback, at every run."""

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tiny_demo import packed, sections
from tiny_match import tiny_match

from esports_assets.adapters import registry
from esports_assets.adapters.base import Reading, SourceFile
from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import ingest_file, ingest_paths, reread, reread_day
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import StorageError

DAY = date(2026, 5, 17)


class FaultyAdapter:
    """Reads ``.coin`` files; one whose bytes say so meets a bug, one gives an id that no file name can hold."""

    name = "coin"
    version = "1"
    suffixes = (".coin",)

    def recognises(self, file: SourceFile) -> bool:
        return file.name.endswith(self.suffixes)

    def read(self, file: SourceFile) -> Reading:
        said = file.data.decode()
        if said == "bug":
            raise ZeroDivisionError("division\nby zero")
        match = tiny_match(f"coin:{said}:1")
        long = replace(match.header, match_id="coin:" + "x" * 300)
        return Reading((replace(match, header=long) if said == "long" else match,))


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ADAPTERS", (*registry.ADAPTERS, FaultyAdapter()))


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, said in (("a", "bug"), ("b", "long"), ("c", "good")):
        (folder / f"2026-05-17_{name}.coin").write_text(said)
    return folder


def test_a_bug_in_one_file_is_a_recorded_refusal_and_the_others_land(
    faulty: None, sources: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake(tmp_path / "lake")
    with caplog.at_level(logging.DEBUG, "esports_assets.intake"):
        report = ingest_paths([sources], lake)
    assert [header.match_id for header in report.matches] == ["coin:good:1"]
    bug, long = report.refusals
    assert (bug.file, bug.kind) == ("2026-05-17_a.coin", "UnexpectedFailure")
    assert bug.reason.startswith("could not be taken in: ZeroDivisionError: division (test_unexpected_failure.py:")
    assert (long.file, long.kind) == ("2026-05-17_b.coin", "UnexpectedFailure")
    assert "StorageError: cannot write" in long.reason
    assert "File name too long" in long.reason
    recorded = [refusal for record in lake.failures(Title.CS2, DAY) for refusal in record.refusals]
    assert sorted(recorded, key=str) == [bug, long]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError, StorageError]


def test_the_day_is_read_again_without_raising_and_the_mended_reader_gets_its_file(
    faulty: None, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake")
    first = ingest_paths([sources], lake)
    for _ in range(2):
        again = reread_day(lake, Title.CS2, DAY)
        assert (again.refusals, again.matches) == (first.refusals, first.matches)
    monkeypatch.setattr(FaultyAdapter, "read", lambda self, file: Reading((tiny_match(f"coin:{file.name[11]}:1"),)))
    mended = reread_day(lake, Title.CS2, DAY)
    assert [header.match_id for header in mended.matches] == ["coin:a:1", "coin:b:1", "coin:good:1"]
    assert (mended.refusals, lake.failures(Title.CS2)) == ((), [])


def test_what_came_of_a_file_earlier_stays_when_a_bug_comes(
    faulty: None, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake")
    [raw] = [file.raw for file in ingest_paths([sources], lake).files if file.matches]

    def fail(self: FaultyAdapter, file: SourceFile) -> Reading:
        raise KeyError("x")

    monkeypatch.setattr(FaultyAdapter, "read", fail)
    monkeypatch.setattr(FaultyAdapter, "version", "2")
    assert len(reread_day(lake, Title.CS2, DAY).refusals) == 3
    assert [(r.header.match_id, r.raw) for r in lake.matches(Title.CS2)] == [("coin:good:1", raw)]


def test_a_lake_that_cannot_even_record_the_failure_stops_in_a_sentence(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"cannot write .*/file/lake/.*: Not a directory"):
        ingest_file(next(sources.iterdir()), Lake(tmp_path / "file" / "lake"))


def test_long_and_foreign_names_land_like_others(tmp_path: Path) -> None:
    """Each of these ended in 'File name too long' or 'cannot be the name of a raw file'."""
    folder = tmp_path / "in"
    folder.mkdir()
    demos = {
        "2026-05-17_team.zip": {"teamA": {"name": "a" * 5000, "score": 1}},
        "2026-05-17_map.zip": {"mapName": "b" * 300},
        f"2026-05-17_{'c' * 240}.zip": {"teamA": {"name": "Other", "score": 1}},
        "日本.zip": {"teamA": {"name": "Gamma", "score": 1}},
    }
    for name, said in demos.items():
        parts = sections(3)
        parts["match"] |= said
        (folder / name).write_bytes(packed(3, parts))
    (folder / "日本").write_text("of no known source")
    lake = Lake(tmp_path / "lake")
    report = ingest_paths([folder, folder / "日本"], lake, workers=1)
    assert [refusal.file for refusal in report.refusals] == ["日本"]
    assert len(lake.matches(Title.CS2)) == len(report.matches) == 4
    assert all(file.unchanged for file in ingest_paths([folder, folder / "日本"], lake, workers=1).files)
    for day in lake.raw_days(Title.CS2):
        for raw in lake.raw_files(Title.CS2, day):
            assert len(reread(lake, raw, force=True).matches) == (0 if raw.name.startswith("unnamed-") else 1)
