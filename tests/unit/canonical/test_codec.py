"""Events to Arrow and Parquet and back, refusals by column and row, and a hash of values only."""

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from canonical_events import events
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.canonical.codec import (
    ColumnError,
    combined_hash,
    content_hash,
    events_of,
    events_table,
    read_parquet,
    table_of,
    write_parquet,
)
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.schema import EVENTS, Column, Kind, Table

SMALL = Table(
    "small",
    "A table of every kind.",
    (
        Column("name", Kind.TEXT, "Text", nullable=True),
        Column("kind", Kind.CATEGORY, "Category", nullable=True),
        Column("count", Kind.INTEGER, "Count", nullable=True),
        Column("small", Kind.SMALL, "Small"),
        Column("real", Kind.REAL, "Real", nullable=True),
        Column("single", Kind.SINGLE, "Single"),
        Column("flag", Kind.FLAG, "Flag", nullable=True),
        Column("at", Kind.TIME, "Time", nullable=True),
    ),
    key=("name",),
)
ROWS: dict[str, list[Any]] = {
    "name": ["a", None, "", "ab"],
    "kind": ["x", "y", None, "x"],
    "count": [1, None, 0, -5],
    "small": [1, 2, 3, 4],
    "real": [0.5, None, 0.0, 2.0],
    "single": [0.5, 1.5, 2.5, 3.5],
    "flag": [True, None, False, True],
    "at": [0, None, 1, 2],
}


def _small(**changes: Any) -> pa.Table:
    return table_of(SMALL, {**ROWS, **changes})


@settings(max_examples=60)
@given(st.lists(events, max_size=4))
def test_events_survive_arrow_and_parquet(rows: list[CanonicalEvent]) -> None:
    table = events_table(rows)
    assert table.schema.equals(EVENTS.arrow)
    assert events_of(table) == rows
    sink = io.BytesIO()
    write_parquet(table, sink, {"day": "2026-05-17"})
    again = read_parquet(io.BytesIO(sink.getvalue()), EVENTS)
    assert events_of(again) == rows
    assert content_hash(again) == content_hash(table)


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"real": [None, float("nan"), 1.0, 2.0]}, "small.real", "nan at row 1"),
        ({"real": [None, None, float("inf"), 2.0]}, "small.real", "inf at row 2"),
        ({"single": [1.0, 2.0, 3.0, 1e39]}, "small.single", "inf at row 3"),
        ({"small": [1, 2, None, 4]}, "small.small", "null at row 2"),
        ({"small": [1, 2, 3, 1 << 15]}, "small.small", "32768"),
        ({"count": [1, 2, 3, 1 << 70]}, "small.count", "too"),
        ({"count": ["a", 2, 3, 4]}, "small.count", "'a'"),
        ({"kind": [1, 2, 3, 4]}, "small.kind", "got a .int."),
        ({"flag": [True]}, "small.flag", "1 values where name has 4"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_column_and_row(
    changes: dict[str, Any], place: str, reason: str
) -> None:
    """Rows are counted with the nulls before them; counting without pointed at the wrong row."""
    with pytest.raises(ColumnError, match=reason) as caught:
        _small(**changes)
    assert caught.value.place == place


def test_missing_and_undeclared_columns_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"small: columns \['extra'\]"):
        table_of(SMALL, {**ROWS, "extra": [1, 2, 3, 4]})
    with pytest.raises(ValueError, match="'single'"):
        table_of(SMALL, {name: values for name, values in ROWS.items() if name != "single"})


def test_categories_come_as_codes_chunks_or_plain() -> None:
    plain = _small()
    codes = (np.array([1, 0, -1, 1]), ["y", "x"])
    chunked = pa.chunked_array(
        [pa.array(["x", "y"]).dictionary_encode(), pa.array([None, "x"], pa.string()).dictionary_encode()]
    )
    for kind in (
        codes,
        pa.array(ROWS["kind"]),
        pa.chunked_array([ROWS["kind"][:2], ROWS["kind"][2:]], pa.string()),
        chunked,
    ):
        found = _small(kind=kind)
        assert found["kind"].to_pylist() == ROWS["kind"]
        assert content_hash(found) == content_hash(plain)


def test_a_chunked_column_is_cast_like_any_other() -> None:
    found = _small(small=pa.chunked_array([pa.array([1, 2], pa.int64()), pa.array([3, 4], pa.int64())]))
    assert found["small"].type == pa.int16()


def test_the_hash_does_not_see_chunks_dictionaries_or_files() -> None:
    table = _small()
    sink = io.BytesIO()
    write_parquet(table, sink)
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1)])
    for same in (chunked, read_parquet(io.BytesIO(sink.getvalue()), SMALL), table.take(pa.array([0, 1, 2, 3]))):
        assert content_hash(same) == content_hash(table)
    unused = pa.DictionaryArray.from_arrays(pa.array([2, 1, None, 2], pa.int32()), pa.array(["zzz", "y", "x"]))
    assert content_hash(_small(kind=unused)) == content_hash(table)


@pytest.mark.parametrize("name", SMALL.names)
@pytest.mark.parametrize("row", range(4))
def test_the_hash_sees_every_value(name: str, row: int) -> None:
    other: dict[str, Any] = {
        "name": "q",
        "kind": "y" if ROWS["kind"][row] != "y" else "z",
        "flag": not ROWS["flag"][row],
    }
    values = list(ROWS[name])
    values[row] = other.get(name, 77)
    assert content_hash(_small(**{name: values})) != content_hash(_small())


def test_the_hash_tells_null_from_its_stand_in() -> None:
    for name, stand_in in (("name", ""), ("count", 0), ("real", 0.0), ("flag", False), ("at", 0)):
        values = [stand_in if value is None else value for value in ROWS[name]]
        assert content_hash(_small(**{name: values})) != content_hash(_small()), name


def test_the_hash_sees_order_and_length() -> None:
    table = _small()
    assert content_hash(table.take(pa.array([1, 0, 2, 3]))) != content_hash(table)
    assert content_hash(table.slice(0, 3)) != content_hash(table)
    assert content_hash(table.slice(1, 2)) == content_hash(table.take(pa.array([1, 2])))


def test_words_that_join_alike_hash_apart() -> None:
    """Dictionaries were joined by a separator that a word may hold: these two had the same hash."""
    one = _small(kind=["a\x1fb", "c", None, "c"])
    other = _small(kind=["a", "b\x1fc", None, "b\x1fc"])
    assert content_hash(one) != content_hash(other)
    assert content_hash(_small(name=["ab", "c", "", ""])) != content_hash(_small(name=["a", "bc", "", ""]))


def test_versions_combine_in_any_order() -> None:
    assert combined_hash({"a": "1", "b": "2"}) == combined_hash({"b": "2", "a": "1"})
    assert combined_hash({"a": "1", "b": "2"}) != combined_hash({"a": "2", "b": "1"})


def test_another_major_version_of_a_table_is_refused() -> None:
    sink = io.BytesIO()
    write_parquet(_small().replace_schema_metadata({"version": "2.0"}), sink)
    with pytest.raises(ValueError, match=r"small: schema version 2\.0"):
        read_parquet(io.BytesIO(sink.getvalue()), SMALL)
    some = read_parquet(io.BytesIO(sink.getvalue()), columns=["real"])
    assert some.column_names == ["real"]
