"""Generated suites: every kind of violation is found, named and counted on all rows; speed and memory on a big table."""

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from esports_assets.canonical.schema import CANONICAL_TABLES, TRACKING, Column, Kind, Table
from esports_assets.quality.suite import Outcome, SuiteReport, validate
from esports_assets.quality.witnesses import EACH, MANY, of_part, witnesses
from esports_assets.windows.registry import ROUND_STATE

TABLE = Table(
    "shots",
    "A table with one of everything.",
    (
        Column("match_id", Kind.CATEGORY, "Match"),
        Column("seq", Kind.INTEGER, "Order", minimum=0),
        Column("side", Kind.CATEGORY, "Side", allowed=("CT", "T")),
        Column("speed_u", Kind.REAL, "Speed", unit="u/s", nullable=True, minimum=0, maximum=250),
        Column("health", Kind.SMALL, "Health", minimum=0, maximum=100),
        Column("alive", Kind.FLAG, "Alive"),
    ),
    key=("match_id", "seq"),
)
GOOD: dict[str, list[Any]] = {
    "match_id": ["m1", "m1", "m2"],
    "seq": [0, 1, 0],
    "side": ["CT", "T", "T"],
    "speed_u": [0.0, None, 250.0],
    "health": [100, 50, 0],
    "alive": [True, True, False],
}
NOT_NULL, BETWEEN = "column values to not be null", "column values to be between"
IN_SET, KEY = "column distinct values to be in set", "compound columns to be unique"


def table(**columns: list[Any]) -> pa.Table:
    return pa.table({name: pa.array(v) for name, v in {**GOOD, **columns}.items()})


def failed(data: pa.Table) -> Outcome:
    report = validate(TABLE, [data])
    assert not report.success
    assert len(report.failed) == 1
    return report.failed[0]


def test_a_good_table_passes() -> None:
    report = validate(TABLE, [table()])
    assert report.success
    assert (report.table, report.rows, report.failed) == ("shots", 3, ())
    names = [(o.expectation, o.column) for o in report.outcomes]
    assert names.count((KEY, "match_id, seq")) == 1
    assert [column for what, column in names if what == NOT_NULL] == ["match_id", "seq", "side", "health", "alive"]
    assert [column for what, column in names if what == BETWEEN] == ["seq", "speed_u", "health"]
    assert [column for what, column in names if what == IN_SET] == ["side"]


@pytest.mark.parametrize(
    ("columns", "expectation", "column", "unexpected", "examples"),
    [
        ({"health": [100, None, None]}, NOT_NULL, "health", 2, ()),
        ({"alive": [None, True, False]}, NOT_NULL, "alive", 1, ()),
        ({"health": [101, 50, -1]}, BETWEEN, "health", 2, ("101", "-1")),
        ({"speed_u": [-0.5, None, 1.0]}, BETWEEN, "speed_u", 1, ("-0.5",)),
        ({"speed_u": [float("inf"), float("nan"), 1.0]}, BETWEEN, "speed_u", 1, ("inf",)),
        ({"seq": [0, -1, 0]}, BETWEEN, "seq", 1, ("-1",)),
        ({"side": ["CT", "spectator", "spectator"]}, IN_SET, "side", 2, ("spectator",)),
        ({"match_id": ["m1", "m1", "m1"]}, KEY, "match_id, seq", 2, None),
    ],
)
def test_each_violation_is_named_and_counted(
    columns: dict[str, list[Any]], expectation: str, column: str, unexpected: int, examples: tuple[str, ...] | None
) -> None:
    found = failed(table(**columns))
    assert (found.expectation, found.column, found.unexpected) == (expectation, column, unexpected)
    if examples is not None:
        assert found.examples == examples


def test_nan_is_a_null_where_none_may_be() -> None:
    strict = Table("strict", "No nulls.", (Column("x_u", Kind.REAL, "Position"),), key=("x_u",))
    report = validate(strict, [pa.table({"x_u": [1.0, float("nan")]})])
    assert [(o.expectation, o.column, o.unexpected) for o in report.failed] == [(NOT_NULL, "x_u", 1)]


def test_a_missing_column_fails_by_name() -> None:
    report = validate(TABLE, [table().drop_columns(["side"])])
    assert not report.success
    assert {outcome.column for outcome in report.failed} == {"all", "side"}
    order = next(outcome for outcome in report.failed if outcome.column == "all")
    assert order.examples == ("found match_id, seq, speed_u, health, alive",)


def test_columns_in_another_order_fail() -> None:
    assert failed(table().select(["seq", "match_id", "side", "speed_u", "health", "alive"])).column == "all"


def test_one_part_of_other_columns_fails_the_whole() -> None:
    other = table(match_id=["m3", "m4", "m5"]).rename_columns(
        ["match_id", "seq", "side", "speed_u", "health", "living"]
    )
    report = validate(TABLE, [table(), other])
    assert report.rows == 6
    assert {outcome.column for outcome in report.failed} == {"all", "alive"}


def test_parts_count_together() -> None:
    parts = [table(health=[1, 2, 300]), table(match_id=["m3", "m3", "m4"], health=[400, 2, 3])]
    report = validate(TABLE, parts)
    assert [(o.column, o.unexpected, o.examples) for o in report.failed] == [("health", 2, ("300", "400"))]
    assert report.rows == 6


def test_parts_that_share_a_match_are_refused() -> None:
    with pytest.raises(ValueError, match="shots: two parts hold rows of m2, so a key could occur twice unseen"):
        validate(TABLE, [table(), table(match_id=["m2", "m3", "m3"])])


def test_a_word_that_no_row_has_is_no_value() -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1], pa.int32()), pa.array(["CT", "T", "spectator"]))
    assert validate(TABLE, [table().set_column(2, "side", words)]).success


@pytest.mark.parametrize("declared", [*CANONICAL_TABLES, ROUND_STATE.table], ids=lambda t: t.name)
def test_an_empty_table_passes(declared: Table) -> None:
    report = validate(declared, [])
    assert report.success, report.markdown()
    assert report.rows == 0


def test_the_report_reads_failures_first() -> None:
    report = validate(TABLE, [table(health=[100, 50, 101])])
    lines = report.markdown().splitlines()
    total = len(report.outcomes)
    assert lines[0] == f"**shots**: {total - 1} of {total} expectations hold on 3 rows."
    assert lines[2] == "| holds | expectation | column | rows against it | examples |"
    assert lines[4] == "| **NO** | column values to be between | health | 1 | 101 |"
    assert all(line.startswith("| yes |") for line in lines[5:])
    assert len(lines) == total + 4
    assert SuiteReport("none", 0, ()).markdown().startswith("**none**: 0 of 0 expectations hold on 0 rows.")


def test_few_rows_witness_for_many() -> None:
    big = tracking("m0", 100_000)
    found = of_part(TRACKING, big)
    assert found.total == 100_000
    assert found.rows.num_rows < 40
    assert set(found.against.values()) == {0}


def test_of_many_wrong_words_some_are_kept_and_all_counted() -> None:
    words = [f"side{i}" for i in range(2 * MANY)] + ["CT"]
    count = len(words)
    data = pa.table(
        {
            "match_id": ["m1"] * count,
            "seq": range(count),
            "side": words,
            "speed_u": [1.0] * count,
            "health": [1] * count,
            "alive": [True] * count,
        }
    )
    [found] = witnesses(TABLE, [data])
    assert found.against["value", "side"] == 2 * MANY
    assert found.rows.num_rows <= MANY + 3 * EACH
    assert failed(data).unexpected == 2 * MANY


def tracking(match_id: str, rows: int) -> pa.Table:
    """A tracking table that declares itself right: ten players, eight frames a second."""
    rng = np.random.default_rng(len(match_id) + rows)
    columns: dict[str, pa.Array] = {}
    for column in TRACKING.columns:
        dtype = column.arrow.type
        if column.name == "match_id":
            columns[column.name] = pa.array([match_id]).dictionary_encode().take(pa.array(np.zeros(rows, np.int64)))
        elif column.name == "t_s":
            columns[column.name] = pa.array((np.arange(rows) // 10 / 8).astype(np.float32))
        elif column.name == "player":
            players = pa.array([f"p{i}" for i in range(10)])
            columns[column.name] = pa.DictionaryArray.from_arrays(
                pa.array((np.arange(rows) % 10).astype(np.int32)), players
            )
        elif pa.types.is_dictionary(dtype):
            words = list(column.allowed) or ["one", "two"]
            codes = pa.array(rng.integers(0, len(words), rows).astype(np.int32))
            columns[column.name] = pa.DictionaryArray.from_arrays(codes, pa.array(words))
        elif pa.types.is_boolean(dtype):
            columns[column.name] = pa.array(rng.random(rows) < 0.5)
        else:
            columns[column.name] = pa.array(rng.integers(0, 100, rows)).cast(dtype)
    return pa.table(columns)


@pytest.mark.slow
def test_seven_million_rows_are_judged_in_seconds_and_little_memory() -> None:
    validate(TABLE, [table()])  # imports
    parts = [tracking(f"match{i:02d}", 152_000) for i in range(46)]
    before = pa.total_allocated_bytes()
    peak = 0

    def watched() -> Any:
        nonlocal peak
        for part in parts:
            yield part
            peak = max(peak, pa.total_allocated_bytes() - before)

    began = time.process_time()
    report = validate(TRACKING, watched())
    seconds = time.process_time() - began
    assert report.success
    assert report.rows == 6_992_000
    assert seconds < 8, f"{seconds:.1f} s of processor time"
    assert peak < 200e6
