"""Files into the lake: idempotent, in two processes, and one bad file never stops the others."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import IngestError, ingest_paths, reread_day, walk
from esports_assets.simulate.write import simulate_matches
from esports_assets.storage.lake import Lake
from esports_assets.storage.landed import IngestedFile

FIXTURES = Path(__file__).parents[1] / "fixtures"
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


def test_an_unreadable_file_is_a_refusal(sources: Path, tmp_path: Path) -> None:
    file = Path("/proc/self/mem")  # the system lets nobody read its beginning
    seen: list[IngestedFile] = []
    report = ingest_paths([file, sources / "good"], Lake(tmp_path), lambda _, __, entry: seen.append(entry))
    assert [str(refusal) for refusal in report.refusals] == ["mem: cannot be read: Input/output error"]
    assert len(report.matches) == 2
    assert {entry.file for entry in seen} == {entry.file for entry in report.files}


def _grid(*cases: str) -> bytes:
    return b"".join((FIXTURES / "grid" / case / "input.jsonl").read_bytes() for case in cases)


def test_a_file_of_two_titles_is_read_once(tmp_path: Path) -> None:
    """Whether everything that came of it is there was asked of the first match's title only: it was read at every run."""
    file = tmp_path / "2026-05-17_both.jsonl"
    file.write_bytes(_grid("valorant_round", "csgo_round"))
    lake = Lake(tmp_path / "lake")
    first = ingest_paths([file], lake)
    assert [header.match_id for header in first.matches] == ["grid:900002:1", "grid:900003:1"]
    assert {title: len(lake.matches(title)) for title in lake.titles()} == {Title.CSGO: 1, Title.VALORANT: 1}
    again = ingest_paths([file], lake)
    assert (again.files[0].unchanged, again.matches) == (True, first.matches)
    lake.delete_match(first.matches[1])
    assert not ingest_paths([file], lake).files[0].unchanged
    assert len(lake.matches(Title.VALORANT)) == 1


def test_a_file_of_two_titles_lies_with_the_wanted_one(tmp_path: Path) -> None:
    file = tmp_path / "2026-05-17_both.jsonl"
    file.write_bytes(_grid("valorant_round", "csgo_round"))
    for title, expected in ((Title.CS2, Title.CSGO), (Title.VALORANT, Title.VALORANT)):
        lake = Lake(tmp_path / title.value)
        ingest_paths([file], lake, title=title)
        assert lake.raw_titles() == [expected]


def test_files_that_share_a_match_keep_what_is_theirs(tmp_path: Path) -> None:
    """One file holds a game, another the same game and one more: the second is kept for what the first lacks."""
    small, large = tmp_path / "2026-05-17_a.jsonl", tmp_path / "2026-05-17_all.jsonl"
    small.write_bytes(_grid("csgo_round"))
    large.write_bytes(_grid("csgo_round", "valorant_round"))
    lake = Lake(tmp_path / "lake")
    report = ingest_paths([small, large], lake)
    assert [(Path(f.file).name, [h.match_id for h in f.matches]) for f in report.files] == [
        (small.name, ["grid:900002:1"]),
        (large.name, ["grid:900003:1"]),
    ]
    assert [str(copy) for copy in report.duplicates] == [f"{large} holds the same match as {small.name}"]
    before = _tree(tmp_path / "lake")
    assert all(file.unchanged for file in ingest_paths([small, large], lake).files)
    assert _tree(tmp_path / "lake") == before
    lake.store.delete(report.files[0].raw)
    assert [h.match_id for h in ingest_paths([large], lake).matches] == ["grid:900002:1", "grid:900003:1"]


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("package.json", b'{"name": "viewer"}', False),
        ("tsconfig.jsonl", b"// no match\n", False),
        ("2026-05-17_series.jsonl", b"somebody meant this as a match", True),
        ("series.jsonl", b"", True),
        ("series.jsonl.gz", b"\x1f\x8b\x08\x00truncated", True),
    ],
)
def test_what_is_plainly_unrelated_is_passed_over_in_a_folder_and_nothing_else_is(
    tmp_path: Path, name: str, content: bytes, kept: bool
) -> None:
    file = tmp_path / "in" / name
    file.parent.mkdir()
    file.write_bytes(content)
    lake = Lake(tmp_path / "lake")
    report = ingest_paths([file.parent], lake)
    assert [refusal.file for refusal in report.refusals] == ([name] if kept else [])
    assert report.passed_over == (() if kept else (str(file),))
    assert (lake.store.list() != []) is kept
    assert [refusal.file for refusal in ingest_paths([file], lake).refusals] == [name]


def test_paths_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="does not exist: give a file or a folder"):
        list(walk([tmp_path / "no"]))
