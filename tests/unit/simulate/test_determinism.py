"""The same seed gives the same bytes; another seed or match gives others."""

from datetime import date
from pathlib import Path

import pytest

from esports_assets.simulate.write import simulate_matches


def _bytes(out: Path, matches: int, seed: int) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in simulate_matches(out, matches, seed, formats=("demo", "grid"))}


def test_same_seed_same_bytes_and_match_is_independent_of_the_number_of_matches(tmp_path: Path) -> None:
    first, second = _bytes(tmp_path / "a", 2, 5), _bytes(tmp_path / "b", 1, 5)
    assert len(first) == 4
    assert len(second) == 2
    assert second.items() <= first.items()


def test_seeds_and_indices_differ(tmp_path: Path) -> None:
    contents = [*_bytes(tmp_path / "a", 2, 5).values(), *_bytes(tmp_path / "b", 2, 6).values()]
    assert len(set(contents)) == len(contents)


def test_days_spread_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    paths = simulate_matches(tmp_path, 5, 1, start_day=date(2026, 2, 27), on_progress=lambda *now: told.append(now))
    assert told == [(i, 5) for i in range(1, 6)]
    assert {p.name[:10] for p in paths} == {"2026-02-27", "2026-02-28"}


def test_an_unknown_format_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="formats can be demo, grid, mixed, not csv"):
        simulate_matches(tmp_path, 1, 1, formats=("csv",))
    with pytest.raises(ValueError, match="give 0 or more"):
        simulate_matches(tmp_path, -1, 1)


def test_mixed_writes_every_match_once_and_one_of_six_as_a_feed(tmp_path: Path) -> None:
    paths = simulate_matches(tmp_path, 6, 1, formats=("mixed",))
    assert [path.suffix for path in paths] == [".zip"] * 5 + [".jsonl"]
    assert len({path.stem for path in paths}) == 6
