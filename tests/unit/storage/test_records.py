"""Names in the lake: whatever a source file is called, its name fits, keeps its endings and tells the same day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.adapters.base import day_of_name
from esports_assets.storage.records import safe_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-05-17 de_dust2 (m1).json.xz", "2026-05-17-de_dust2-m1-.json.xz"),
        ("日本.zip", "-.zip"),
        ("日本", "unnamed-ce47dfba"),
        ("..", "unnamed-e6fc5bb9"),
        ("final@2026@01@02.zip", "1970-01-01_final-2026-01-02.zip"),
    ],
)
def test_names_become_safe(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_a_long_name_is_cut_and_keeps_its_day_and_endings() -> None:
    first, second = (safe_name("y" * 200 + f"_2026-05-17_m{n}.json.xz") for n in (1, 2))
    assert first.startswith("2026-05-17_yyyy")
    assert first.endswith(".json.xz")
    assert first != second
    assert len(first) <= 180


@given(st.text(min_size=1, max_size=300), st.sampled_from(["", "2026-05-17", ".zip", ".jsonl.gz"]))
def test_every_name_is_safe_and_stable(start: str, end: str) -> None:
    name = start + end
    safe = safe_name(name)
    assert safe == safe_name(safe)
    assert len(safe) <= 180
    assert "/" not in safe
    assert safe.isascii()
    assert safe.strip("-.")
    assert day_of_name(safe) == day_of_name(name)
