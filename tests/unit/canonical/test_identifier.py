"""Ids are safe in file names, URLs and metrics whatever a source calls its things."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.canonical.match import identifier

SAFE = re.compile(r"[a-z0-9_.\-]+(:[a-z0-9_.\-]+)*")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("grid", "2578928", "1"), "grid:2578928:1"),
        (("cs2_demo", "Team Liquid"), "cs2_demo:team-liquid"),
        (("x", "a:b"), "x:a-b"),
        (("x", "../../etc/passwd"), "x:etc-passwd"),
        (("x", "a%2Fb?c=d&e"), "x:a-2fb-c-d-e"),
        (("x", "{alias}\nname 1"), "x:alias-name-1"),
    ],
)
def test_hostile_strings_become_safe(parts: tuple[str, ...], expected: str) -> None:
    assert identifier(*parts) == expected


@pytest.mark.parametrize("parts", [(), ("",), ("x", "")][1:])
def test_an_empty_part_is_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="a part is empty"):
        identifier(*parts)


def test_names_in_other_scripts_keep_apart() -> None:
    """A team called 天禄 had no id at all and took its match down; two that share their Latin letters had the same."""
    ids = {identifier("x", name) for name in ("天禄", "天", "A天", "A禄", "a", "???", "..", "é", "e")}
    assert len(ids) == 9
    assert identifier("x", "天禄") == identifier("x", "天禄")


@given(st.lists(st.text(st.characters(), min_size=1, max_size=10), min_size=1, max_size=3))
def test_every_id_is_safe_and_stable(parts: list[str]) -> None:
    found = identifier(*parts)
    assert SAFE.fullmatch(found)
    assert found.count(":") == len(parts) - 1
    assert not any(part in (".", "..") or part.startswith(".") for part in found.split(":"))
    assert identifier(*found.split(":")) == found
