"""GRID files that are hard to know: packed, damaged, or with a bad line before the first good one."""

import gzip
import lzma
from typing import Any

import pytest
from grid_feed import fixture
from tiny_demo import packed, sections

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.grid import adapter as grid
from esports_assets.adapters.registry import adapter_for, read_file

DEMO = packed(2, sections(2))


def _chosen(name: str, data: bytes) -> str | None:
    adapter = adapter_for(SourceFile(name, data))
    return adapter and adapter.name


def test_an_xz_belongs_to_the_source_that_it_unpacks_to() -> None:
    feed, state = fixture("rollback").data, fixture("end_state").data
    assert _chosen("a.jsonl.xz", lzma.compress(feed)) == "grid"
    assert _chosen("a.json.xz", lzma.compress(state)) == "grid"
    assert _chosen("a.json.xz", DEMO) == "cs2_demo"
    assert _chosen("a.json.xz", lzma.compress(b'{"rows": []}')) is None


@pytest.mark.parametrize("first", ["kills", "rounds", "replay"])
def test_a_demo_is_known_whichever_section_stands_first(first: str) -> None:
    parts = sections(2)
    assert _chosen("a.json.xz", packed(2, {first: parts.pop(first), **parts})) == "cs2_demo"


@pytest.mark.parametrize(
    ("name", "data", "place", "reason"),
    [
        ("a.jsonl.gz", gzip.compress(fixture("csgo_round").data)[:300], "gzip container", "truncated: the data ends after 300"),
        ("a.json.gz", gzip.compress(fixture("end_state").data)[:300], "gzip container", "truncated: the data ends after 300"),
        ("a.jsonl.xz", lzma.compress(fixture("csgo_round").data)[:300], "xz container", "truncated: the data ends after 300"),
        ("a.json.xz", lzma.compress(fixture("end_state").data)[:9], "xz container", "truncated: the data ends after 9"),
        ("a.jsonl.gz", b"nothing that was packed", "gzip container", "cannot be unpacked: Not a gzipped file"),
        ("a.jsonl.xz", b"nothing that was packed", "xz container", "cannot be unpacked: "),
        ("upload", DEMO[:30], "xz container", "truncated: the data ends after 30"),
    ],
)  # fmt: skip
def test_a_damaged_container_is_told_as_damaged(name: str, data: bytes, place: str, reason: str) -> None:
    result = read_file(SourceFile(name, data))
    (refusal,) = result.refusals
    assert (result.matches, refusal.kind, refusal.place) == ((), "UnreadableFile", place)
    assert refusal.reason.startswith(reason)


@pytest.mark.parametrize("size", [70_000, 9 * 1024**2])
@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress)])
def test_a_long_bad_line_before_all_good_ones_costs_itself_only(size: int, suffix: str, pack: Any) -> None:
    data = b"x" * size + b"\n" + fixture("csgo_round").data
    result = read_file(SourceFile(f"a.jsonl{suffix}", pack(data)))
    assert [match.header.match_id for match in result.matches] == ["grid:900002:1"]
    assert [refusal.place for refusal in result.refusals] == ["line 1"]


def test_a_name_across_two_pieces_is_seen() -> None:
    whole = b'x{"sequenceNumber":1'
    for cut in range(len(whole)):
        assert grid._holds_marks([whole[:cut], whole[cut:]]), cut
    assert not grid._holds_marks([b'"sequence', b"of numbers"])


def test_lines_of_nobody_are_nobodys() -> None:
    assert _chosen("a.jsonl", b'{"a": 1}\n' * 20_000) is None
