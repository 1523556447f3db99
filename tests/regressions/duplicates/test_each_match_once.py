"""The same match under two names became two matches in two folds, or displaced itself at every run; six parallel copies all won.

A match is in the lake once, whichever file told it first and however often the files are ingested again.
"""

import lzma
import shutil
from datetime import date
from pathlib import Path

import pytest
from tiny_demo import packed, sections

from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import IngestReport, ingest_paths, reread_day
from esports_assets.storage.lake import Lake

DAY = date(2026, 5, 17)
V2, V3 = "2026-05-17_de_tiny_m01.json.xz", "2026-05-17_de_tiny_m01.zip"


def _write(folder: Path, name: str, version: int = 2, *, preset: int = 6, **match: object) -> Path:
    parts = sections(version)
    parts["match"] |= match
    data = packed(version, parts)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if version == 3 else lzma.compress(lzma.decompress(data), preset=preset))
    return folder / name


def _tree(lake: Lake) -> dict[str, int]:
    root = lake.store.local_root
    assert root is not None
    return {str(file.relative_to(root)): file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()}


def _told(report: IngestReport) -> list[str]:
    return sorted(f"{Path(copy.file).name} | {copy.same_as}" for copy in report.duplicates)


def _ids(lake: Lake) -> list[str]:
    return [record.header.match_id for record in lake.matches(Title.CS2)]


def _sources(lake: Lake) -> list[str]:
    return [Path(record.raw).name.partition("__")[2] for record in lake.matches(Title.CS2)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_the_same_bytes_under_two_dates_are_one_match(tmp_path: Path, lake: Lake) -> None:
    first = _write(tmp_path / "in", V2)
    shutil.copy(first, tmp_path / "in" / V2.replace("2026-05-17", "2026-05-18"))
    report = ingest_paths([tmp_path / "in"], lake)
    assert _ids(lake) == ["cs2_demo:2026-05-17.alpha-team-beta:de_tiny-5eed5eed"]
    assert [header.match_id for header in report.matches] == _ids(lake)
    assert _told(report) == [f"{V2.replace('17', '18', 1)} | {V2}"]
    assert str(report.duplicates[0]) == f"{tmp_path}/in/{V2.replace('17', '18', 1)} holds the same match as {V2}"
    assert report.days == {Title.CS2: (DAY,)}
    before = _tree(lake)
    again = ingest_paths([tmp_path / "in"], lake)
    assert (_tree(lake), _told(again)) == (before, _told(report))
    assert all(file.unchanged for file in again.files)


@pytest.mark.parametrize("workers", [1, 2])
def test_many_packings_of_one_match_read_in_parallel_are_one_match(tmp_path: Path, lake: Lake, workers: int) -> None:
    """Six files of six dates with other bytes each: only reading them shows that they are one match."""
    for preset in range(6):
        _write(tmp_path / "in", V2.replace("17", f"1{preset}", 1), preset=preset)
    report = ingest_paths([tmp_path / "in"], lake, workers=workers)
    assert _ids(lake) == ["cs2_demo:2026-05-10.alpha-team-beta:de_tiny-5eed5eed"]
    assert [header.match_id for header in report.matches] == _ids(lake)
    assert _told(report) == [f"{V2.replace('17', f'1{k}', 1)} | {V2.replace('17', '10', 1)}" for k in range(1, 6)]
    assert [raw.name for day in lake.raw_days(Title.CS2) for raw in lake.raw_files(Title.CS2, day)] == [
        V2.replace("17", "10", 1)
    ]
    before = _tree(lake)
    again = ingest_paths([tmp_path / "in"], lake, workers=workers)
    assert (_tree(lake), _told(again)) == (before, _told(report))
    assert all(file.unchanged for file in again.files)


def test_two_exports_of_one_demo_are_one_match_and_do_not_displace_each_other(tmp_path: Path, lake: Lake) -> None:
    for version, name in ((2, V2), (3, V3)):
        _write(tmp_path / "in", name, version)
    report = ingest_paths([tmp_path / "in"], lake)
    assert _told(report) == [f"{V2} | {V3}"]
    assert _sources(lake) == [V3]
    before = _tree(lake)
    for _ in range(2):
        assert _told(ingest_paths([tmp_path / "in"], lake)) == [f"{V2} | {V3}"]
        assert all(file.unchanged for file in reread_day(lake, Title.CS2, DAY).files)
        reread_day(lake, Title.CS2, DAY, force=True)
        assert _tree(lake) == before


def test_a_copy_that_comes_later_changes_nothing_but_its_days_are_known(tmp_path: Path, lake: Lake) -> None:
    ingest_paths([_write(tmp_path / "a", V2)], lake)
    before = {name: at for name, at in _tree(lake).items() if not name.startswith("receipts/")}
    copy = _write(tmp_path / "b", "2026-01-01_a.json.xz", preset=1)
    report = ingest_paths([copy], lake)
    assert (report.matches, _told(report)) == ((), [f"{copy.name} | {V2}"])
    assert report.days == {Title.CS2: (DAY,)}
    assert {name: at for name, at in _tree(lake).items() if not name.startswith("receipts/")} == before
    assert ingest_paths([copy], lake).files[0].unchanged


def test_a_copy_takes_the_place_of_a_file_that_vanished(tmp_path: Path, lake: Lake) -> None:
    [raw] = [file.raw for file in ingest_paths([_write(tmp_path / "a", V2)], lake).files]
    copy = _write(tmp_path / "b", "2026-05-18_a.json.xz", preset=1)
    ingest_paths([copy], lake)
    lake.store.delete(raw)
    report = ingest_paths([copy], lake)
    assert _ids(lake) == ["cs2_demo:2026-05-18.alpha-team-beta:de_tiny-5eed5eed"]
    assert [header.match_id for header in report.matches] == _ids(lake)


def test_a_dated_file_takes_over_from_an_undated_one(tmp_path: Path, lake: Lake) -> None:
    """Somebody forgot the date, renamed the file and ingested it again."""
    undated = _write(tmp_path / "a", "tiny.json.xz")
    ingest_paths([undated], lake)
    dated = undated.rename(tmp_path / "a" / V2)
    report = ingest_paths([dated], lake)
    assert _ids(lake) == ["cs2_demo:2026-05-17.alpha-team-beta:de_tiny-5eed5eed"]
    assert lake.raw_days(Title.CS2) == [DAY]
    assert _told(report) == [f"tiny.json.xz | {V2}"]
    back = ingest_paths([shutil.copy(dated, undated)], lake)
    assert (_ids(lake), _told(back)) == ([report.matches[0].match_id], [f"tiny.json.xz | {V2}"])


def test_an_accepted_match_takes_over_from_a_quarantined_one_and_not_the_other_way_round(
    tmp_path: Path, lake: Lake
) -> None:
    parts = sections(2)
    parts["kills"].insert(3, {**parts["kills"][2], "tick": parts["kills"][2]["tick"] + 64})
    bad = tmp_path / "2026-05-17_bad.json.xz"
    bad.write_bytes(packed(2, parts))
    assert [record.header.match_id for record in ingest_paths([bad], lake).quarantined] == _ids(lake)
    good = _write(tmp_path / "in", "2026-05-17_a_good_file_of_the_same_match.json.xz")
    assert _told(ingest_paths([good], lake)) == [f"{bad.name} | {good.name}"]
    assert _sources(lake) == [good.name]
    assert _told(ingest_paths([bad, good], lake)) == [f"{bad.name} | {good.name}"]
    assert [record.quarantined for record in lake.matches(Title.CS2)] == [()]


def test_a_corrected_file_of_the_same_name_takes_the_place(tmp_path: Path, lake: Lake) -> None:
    old, new = _write(tmp_path / "old", V2), _write(tmp_path / "new", V2, serverName="corrected", preset=1)
    ingest_paths([old], lake)
    for file in (new, old, new):
        report = ingest_paths([file], lake)
        assert (len(report.matches), report.duplicates) == (1, ())
        assert [raw.key for raw in lake.raw_files(Title.CS2, DAY)] == [report.files[0].raw]


@pytest.mark.parametrize("first", [0, 1])
def test_two_files_of_one_name_side_by_side_do_not_displace_each_other(tmp_path: Path, lake: Lake, first: int) -> None:
    both = [_write(tmp_path / "old", V2), _write(tmp_path / "new", V2, serverName="corrected", preset=1)]
    [held] = ingest_paths([both[first]], lake).records
    report = ingest_paths(both, lake)
    assert (report.records, _told(report)) == ((held,), [f"{V2} | {V2}"])
    before = _tree(lake)
    assert _told(ingest_paths(both, lake)) == [f"{V2} | {V2}"]
    assert _tree(lake) == before


def test_a_file_that_was_damaged_in_its_place_is_quarantined_and_mended(tmp_path: Path, lake: Lake) -> None:
    good, bad = _write(tmp_path / "a", V2), tmp_path / "b" / V2
    parts = sections(2)
    parts["kills"].insert(3, {**parts["kills"][2], "tick": parts["kills"][2]["tick"] + 64})
    bad.parent.mkdir()
    bad.write_bytes(packed(2, parts))
    assert [bool(ingest_paths([file], lake).quarantined) for file in (good, bad, good)] == [False, True, False]
    copy = _write(tmp_path / "c", "2026-05-18_a_copy_of_it.json.xz", preset=1)
    assert _told(ingest_paths([copy], lake)) == [f"{copy.name} | {V2}"]
    assert len(ingest_paths([bad], lake).quarantined) == 1
    assert _told(ingest_paths([copy], lake)) == [f"{V2} | {copy.name}"], "the copy is good where the original is not"
    assert _sources(lake) == [copy.name]


def test_copies_of_a_file_without_a_match_are_told_and_not_kept_twice(tmp_path: Path, lake: Lake) -> None:
    broken = _write(tmp_path / "in", V2)
    broken.write_bytes(broken.read_bytes()[:500])
    shutil.copy(broken, tmp_path / "in" / "2026-05-18_again.json.xz")
    report = ingest_paths([tmp_path / "in"], lake)
    assert len(report.refusals) == 1
    assert [str(copy) for copy in report.duplicates] == [f"{broken} has the same bytes as 2026-05-18_again.json.xz"]
    assert ingest_paths([tmp_path / "in"], lake).refusals == report.refusals
    assert len(lake.failures(Title.CS2)) == 1


def test_a_path_that_is_given_twice_is_one_file(tmp_path: Path, lake: Lake) -> None:
    file = _write(tmp_path / "in", V2)
    report = ingest_paths([file, tmp_path / "in", file], lake)
    assert (len(report.files), len(report.matches), report.duplicates) == (1, 1, ())


def test_matches_with_other_demos_stay_apart(tmp_path: Path, lake: Lake) -> None:
    """The same two rounds, but another demo, another map or other teams: three matches more."""
    _write(tmp_path / "in", V2)
    _write(tmp_path / "in", V2.replace("tiny", "other"), mapName="de_other")
    _write(tmp_path / "in", V2.replace("m01", "m02"), teamA={"name": "Gamma", "score": 1})
    parts = sections(2)
    parts["manifest"]["demo"]["hash"] = "ffffffffffff"
    (tmp_path / "in" / V2.replace("m01", "m03")).write_bytes(packed(2, parts))
    report = ingest_paths([tmp_path / "in"], lake, workers=1)
    assert (len(_ids(lake)), report.duplicates) == (4, ())


def test_a_lake_that_held_a_match_twice_is_mended_when_it_is_read_again(tmp_path: Path, lake: Lake) -> None:
    """What earlier versions left behind: two matches, receipts of another form, and no identities."""
    for n, name in enumerate((V2, V2.replace("17", "18", 1))):
        other = Lake(tmp_path / f"lake{n}")
        ingest_paths([_write(tmp_path / f"in{n}", name, preset=n)], other)
        for key in other.store.list():
            if not key.startswith(("receipts/", "identities/")):
                lake.store.put(key, other.store.get(key))
    assert len(_ids(lake)) == 2
    for day in lake.raw_days(Title.CS2):
        reread_day(lake, Title.CS2, day)
    assert _sources(lake) == [V2]
    assert lake.raw_days(Title.CS2) == [DAY]
