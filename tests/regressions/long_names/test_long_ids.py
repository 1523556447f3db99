"""A team name of 5,000 letters became a file name of 5,000 letters and took the whole ingest down."""

from esports_assets.canonical.match import identifier
from esports_assets.storage.records import match_file


def test_long_parts_are_cut_and_keep_apart_by_a_hash() -> None:
    first, second = (identifier("cs2_demo", "a" * 5000 + end, "b" * 300) for end in "xy")
    assert first != second
    assert len(f"{match_file(first)}.parquet") <= 255
    assert [len(part) for part in first.split(":")] == [8, 80, 80]
    assert first.startswith("cs2_demo:" + "a" * 71 + "-")
    assert identifier(*first.split(":")) == first


def test_parts_of_usual_length_stay_as_they_are() -> None:
    assert identifier("x", "a" * 80) == "x:" + "a" * 80


def test_a_long_name_in_another_script_is_cut_too() -> None:
    first, second = (identifier("x", "a" * 300 + end) for end in ("天", "禄"))
    assert (len(first), len(second)) == (82, 82)
    assert first != second
