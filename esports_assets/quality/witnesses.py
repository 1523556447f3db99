"""A few rows of a table that decide every generated expectation as all of its rows would.

Belongs here: choosing the rows with Arrow and numpy, and counting on all rows what is against the declaration.
Does not belong here: the expectations and their verdict (``suite.py``: Great Expectations gives it, on these rows).

Why the verdict is the same. Every generated expectation says "no row, or pair of rows, of the table is so and so", and
the witnesses W are rows of the table T. What is wrong within W is wrong within T. What is wrong within T is within W:

* a null where none may be: W holds rows with a null of every column that has one (NaN is a null, as it is to pandas);
* a value out of range: W holds a row with the least and one with the greatest value of every bounded column;
* a value that is not allowed: W holds a row of every distinct value (of very many, those that are not allowed first);
* a key that occurs twice: W holds rows of such a key.

A table may come in parts, so that it need not lie in memory: the union of the parts' witnesses will do, for a key that
occurs twice lies within one part as long as no two parts share a value of the key's first column. That is required.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.schema import Column, Kind, Table

NUMBERS = (Kind.INTEGER, Kind.SMALL, Kind.REAL, Kind.SINGLE)
EACH = 5
"""Rows kept per finding, so that a report can show examples."""
MANY = 500
"""Distinct values kept of a column."""

Finding = tuple[str, str]
"""What is looked at (``null``, ``range``, ``value``, ``key``) and in which column or columns."""
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Rows that decide, how many rows they stand for, and how many of those are against what is declared."""

    rows: pa.Table
    total: int
    against: dict[Finding, int] = field(default_factory=dict)

    def __add__(self, other: "Witnesses") -> "Witnesses":
        found = {*self.against, *other.against}
        return Witnesses(
            pa.concat_tables([self.rows, other.rows], promote_options="permissive"),
            self.total + other.total,
            {finding: self.against.get(finding, 0) + other.against.get(finding, 0) for finding in found},
        )


def witnesses(table: Table, parts: Iterable[pa.Table]) -> list[Witnesses]:
    """The witnesses of a table that comes in parts, by the columns that parts have: one entry if all have the same.

    Raises ValueError if two parts hold rows of the same match (the same value of the key's first column).
    """
    groups: dict[tuple[str, ...], list[Witnesses]] = {}
    seen: set[object] = set()
    for part in parts:
        first = table.key[0]
        here = set(pc.unique(part[first]).drop_null().to_pylist()) if first in part.column_names else set()
        if here & seen:
            twice = ", ".join(sorted(map(str, here & seen)))
            raise ValueError(f"{table.name}: two parts hold rows of {twice}, so a key could occur twice unseen")
        seen |= here
        groups.setdefault(tuple(part.column_names), []).append(of_part(table, part))
    if not groups:
        return [of_part(table, table.arrow.empty_table())]
    return [reduce(Witnesses.__add__, found) for found in groups.values()]


def of_part(table: Table, part: pa.Table) -> Witnesses:
    """The witnesses of one part."""
    plain = part.replace_schema_metadata(None).unify_dictionaries()
    picked: list[Indices] = [np.arange(min(1, plain.num_rows))]
    against: dict[Finding, int] = {}
    present = [column for column in table.columns if column.name in plain.column_names]
    for column in present:
        for what, count, indices in _of_column(column, plain[column.name]):
            against[what, column.name] = count
            picked.append(indices)
    if all(name in plain.column_names for name in table.key):
        count, indices = _repeated([plain[name] for name in table.key])
        against["key", ", ".join(table.key)] = count
        picked.append(indices)
    rows = plain.take(np.unique(np.concatenate(picked)))
    return Witnesses(_decoded(rows), plain.num_rows, against)


def _of_column(column: Column, values: pa.ChunkedArray) -> Iterator[tuple[str, int, Indices]]:
    null = pc.is_null(values, nan_is_null=True)
    nulls = pc.sum(null).as_py() or 0
    if not column.nullable:
        yield "null", nulls, _first(null) if nulls else np.empty(0, np.int64)
    if nulls == len(values):
        return
    bounded = column.kind in NUMBERS and not (column.minimum is None and column.maximum is None)
    if bounded and (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        yield "range", *_out_of_range(column, values, null if nulls else None)
    if column.allowed:
        yield "value", *_not_allowed(column, values)


def _out_of_range(column: Column, values: pa.ChunkedArray, null: pa.ChunkedArray | None) -> tuple[int, Indices]:
    known = values if null is None else values.filter(pc.invert(null))
    ends = pc.min_max(known)
    low, high = ends["min"], ends["max"]
    picked = [np.array([pc.index(values, end).as_py() for end in (low, high)], dtype=np.int64)]
    count = 0
    for bound, end, wrong in ((column.minimum, low, pc.less), (column.maximum, high, pc.greater)):
        if bound is not None and wrong(end.cast(pa.float64()), bound).as_py():
            bad = wrong(values.cast(pa.float64()), bound)
            count += pc.sum(bad).as_py()
            picked.append(_first(bad))
    return count, np.concatenate(picked)


def _not_allowed(column: Column, values: pa.ChunkedArray) -> tuple[int, Indices]:
    one = values.combine_chunks()
    one = one if pa.types.is_dictionary(one.type) else one.dictionary_encode()
    words = [None if word is None else str(word) for word in one.dictionary.to_pylist()]
    wrong = np.array([word is not None and word not in column.allowed for word in words], dtype=bool)
    codes = one.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    present, first, counts = np.unique(codes, return_index=True, return_counts=True)
    known = present >= 0
    present, first, counts = present[known], first[known], counts[known]
    bad = wrong[present]
    order = np.argsort(~bad, kind="stable")[:MANY]
    return int(counts[bad].sum()), first[order].astype(np.int64)


def _repeated(columns: Sequence[pa.ChunkedArray]) -> tuple[int, Indices]:
    """How many rows have a key that another row has too, and some of them, those of one key side by side."""
    codes = _key_codes(columns)
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    same = ordered[1:] == ordered[:-1]
    if not same.any():
        return 0, np.empty(0, np.int64)
    twice = np.zeros(len(codes), dtype=bool)
    twice[1:] |= same
    twice[:-1] |= same
    return int(twice.sum()), order[twice][: 2 * EACH].astype(np.int64)


def _key_codes(columns: Sequence[pa.ChunkedArray]) -> Indices:
    """One integer per row, equal where all columns are equal; folded to ranks again before it could overflow."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    size = 1
    for column in columns:
        ranks, count = _ranks(column)
        if size * count >= 2**62:
            values, codes = np.unique(codes, return_inverse=True)
            size = len(values)
        codes = codes * count + ranks
        size *= count
    return codes


def _ranks(column: pa.ChunkedArray) -> tuple[Indices, int]:
    """A number from 0 per row, equal where the values are equal (nulls and NaN are equal to each other), and its bound."""
    one = column.combine_chunks()
    if pa.types.is_integer(one.type) and not one.null_count and len(one):
        ends = pc.min_max(one)
        low, high = ends["min"].as_py(), ends["max"].as_py()
        if high - low < 2**31:
            return one.to_numpy().astype(np.int64) - low, high - low + 1
    if pa.types.is_floating(one.type):
        values, ranks = np.unique(one.to_numpy(zero_copy_only=False), return_inverse=True)
        return ranks.astype(np.int64), max(len(values), 1)
    coded = one.cast(pa.string()).dictionary_encode() if pa.types.is_dictionary(one.type) else one.dictionary_encode()
    ranks = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
    return ranks, len(coded.dictionary) + 1


def _first(mask: pa.ChunkedArray) -> Indices:
    found = np.flatnonzero(pc.fill_null(mask, False).to_numpy())[:EACH]
    return found.astype(np.int64)


def _decoded(rows: pa.Table) -> pa.Table:
    """Dictionaries as plain values: a word of the dictionary that no row has is no value of the table."""
    for i, schema_field in enumerate(rows.schema):
        if pa.types.is_dictionary(schema_field.type):
            rows = rows.set_column(i, schema_field.name, rows.column(i).cast(schema_field.type.value_type))
    return rows
