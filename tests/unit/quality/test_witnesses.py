"""The rows that decide give the verdict, expectation by expectation, that Great Expectations gives on all rows."""

import warnings
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from esports_assets.canonical.schema import Column, Kind, Table
from esports_assets.quality.suite import judge_frame, validate

TABLE = Table(
    "any",
    "One column of every kind that a suite treats differently.",
    (
        Column("match_id", Kind.CATEGORY, "First of the key"),
        Column("seq", Kind.INTEGER, "Second of the key", minimum=0, maximum=3),
        Column("t_s", Kind.SINGLE, "Third of the key"),
        Column("word", Kind.CATEGORY, "A set", allowed=("a", "b")),
        Column("maybe", Kind.CATEGORY, "A set or nothing", nullable=True, allowed=("a", "b")),
        Column("x_u", Kind.REAL, "A range or nothing", nullable=True, minimum=-1, maximum=1),
        Column("low", Kind.SMALL, "Bounded below", minimum=0),
        Column("flag", Kind.FLAG, "Yes or no"),
    ),
    key=("match_id", "seq", "t_s"),
)
VALUES: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "match_id": (pa.string(), st.sampled_from(["m1", "m2"])),
    "seq": (pa.int64(), st.integers(-1, 4)),
    "t_s": (pa.float32(), st.sampled_from([-0.0, 0.0, 0.5, 1.0])),
    "word": (pa.string(), st.sampled_from(["a", "a", "b", "c"])),
    "maybe": (pa.string(), st.sampled_from(["a", "b", "b", "c", None])),
    "x_u": (pa.float64(), st.sampled_from([-1.0, 0.0, 1.0, 1.5, -2.0, None, float("nan"), float("inf")])),
    "low": (pa.int16(), st.integers(-1, 5)),
    "flag": (pa.bool_(), st.booleans()),
}

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""The tables are small, and a suite takes too long to be run hundreds of times for a smaller one."""


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Tables of up to 30 rows; whole columns are right more often than not, so that single faults are frequent."""
    rows = draw(st.integers(1, 30))
    found = {}
    right: dict[str, Any] = {
        "match_id": ["m1"] * rows, "seq": [i % 4 for i in range(rows)], "t_s": [i // 4 for i in range(rows)],
        "word": ["a"] * rows, "maybe": [None, *["b"] * (rows - 1)], "x_u": [0.0] * rows, "low": [0] * rows,
        "flag": [True] * rows,
    }  # fmt: skip
    for name, (dtype, values) in VALUES.items():
        kept = right[name] if draw(st.booleans()) else draw(st.lists(values, min_size=rows, max_size=rows))
        holes = draw(st.sets(st.integers(0, rows - 1), max_size=2)) if draw(st.integers(0, 5)) == 0 else set()
        array = pa.array([None if i in holes else value for i, value in enumerate(kept)], dtype)
        encoded = pa.types.is_string(dtype) and draw(st.booleans())
        found[name] = array.dictionary_encode() if encoded else array
    return pa.table(found)


def plain(data: pa.Table) -> Any:
    columns = [c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in data.columns]
    return pa.table(dict(zip(data.column_names, columns, strict=True))).to_pandas()


@settings(max_examples=40, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_the_verdict_is_that_on_all_rows(data: pa.Table) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = validate(TABLE, [data])
        whole = judge_frame(TABLE, plain(data))
    assert len(report.outcomes) == len(whole)
    for ours, theirs in zip(report.outcomes, whole, strict=True):
        config = theirs.expectation_config
        assert ours.expectation == config.type.removeprefix("expect_").replace("_", " ")
        assert ours.success == theirs.success, (ours, theirs.result)
        counted = theirs.result.get("unexpected_count")
        if counted is not None and "distinct" not in config.type:  # it counts values there, we count rows
            assert ours.unexpected == counted, (ours, theirs.result)
        assert (ours.unexpected == 0) == ours.success, ours


@settings(max_examples=20, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_parts_give_the_verdict_of_the_whole(data: pa.Table) -> None:
    ids = data["match_id"].cast(pa.string()).to_pylist()
    parts = [data.filter(pa.array([each == one for each in ids])) for one in sorted({i or "" for i in ids})]
    lost = data.filter(pa.array([each is None for each in ids]))
    together, split = validate(TABLE, [data]), validate(TABLE, [part for part in (*parts, lost) if part.num_rows])
    assert [(o.column, o.success, o.unexpected) for o in split.outcomes] == [
        (o.column, o.success, o.unexpected) for o in together.outcomes
    ]
