"""Declared tables: complete, documented, with keys and units, and faithfully turned into Arrow."""

import pyarrow as pa
import pytest

from esports_assets.canonical.schema import CANONICAL_TABLES, EVENTS, TRACKING, Kind, Table
from esports_assets.canonical.vocabulary import EventType


@pytest.mark.parametrize("table", CANONICAL_TABLES, ids=lambda t: t.name)
def test_tables_are_complete(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    assert set(table.key) <= set(table.names)
    assert table.doc
    for column in table.columns:
        assert column.doc, column.name
        assert not column.allowed or column.kind is Kind.CATEGORY, column.name
        assert column.minimum is None or column.maximum is None or column.minimum < column.maximum


@pytest.mark.parametrize("table", CANONICAL_TABLES, ids=lambda t: t.name)
def test_units_stand_in_names(table: Table) -> None:
    units = {"_s": "s", "_u": "game units", "_deg": "degrees"}
    for column in table.columns:
        for suffix, unit in units.items():
            if column.kind in (Kind.REAL, Kind.SINGLE) and column.name.endswith(suffix):
                assert column.unit == unit, column.name


def test_arrow_says_the_same() -> None:
    schema = TRACKING.arrow
    assert schema.names == list(TRACKING.names)
    assert schema.metadata == {b"table": b"tracking", b"version": b"1.0"}
    field = schema.field("x_u")
    assert (field.type, field.nullable) == (pa.float32(), False)
    assert field.metadata == {b"unit": b"game units", b"doc": b"Position"}
    assert schema.field("armor").nullable
    assert EVENTS.arrow.field("timestamp").type == pa.timestamp("us", tz="UTC")


def test_columns_are_found_by_name() -> None:
    assert set(EVENTS.column("event_type").allowed) == {kind.value for kind in EventType}
    with pytest.raises(LookupError, match="table events has no column 'speed'"):
        EVENTS.column("speed")
