"""The declared tables held against one match: ranges, allowed words, nulls and keys.

Belongs here: rules that follow from ``schema.py`` alone, so that what the generated suites would refuse is found in the match
that holds it, with table, column and value.
Does not belong here: rules that relate columns, events or tables to each other (``invariants.py``, ``lineup.py``).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.schema import CANONICAL_TABLES, Column

_BITS = 62
"""So many players have a bit of their own in a signed word."""


def columns_keep_their_declaration(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """Every value is one that its column is declared to hold."""
    for declared in CANONICAL_TABLES:
        table = match.tables[declared.name]
        for column in declared.columns:
            for row, fault in _faults(column, table[column.name]):
                yield _place(table, row), f"{declared.name}.{column.name} {fault} (row {row})"


def _faults(column: Column, values: pa.ChunkedArray) -> Iterator[tuple[int, str]]:
    """The first row against each part of a column's declaration, and what is wrong with it."""
    if values.null_count and not column.nullable:
        yield pc.index(pc.is_null(values), True).as_py(), "is null, which it may not be"
    if column.minimum is not None or column.maximum is not None:
        ends = pc.min_max(values)
        low, high = ends["min"], ends["max"]
        if column.minimum is not None and low.is_valid and low.as_py() < column.minimum:
            yield pc.index(values, low).as_py(), f"= {low.as_py()}, less than {column.minimum:g}"
        if column.maximum is not None and high.is_valid and high.as_py() > column.maximum:
            yield pc.index(values, high).as_py(), f"= {high.as_py()}, more than {column.maximum:g}"
    if column.allowed:
        for word in pc.unique(values).to_pylist():
            if word is not None and word not in column.allowed:
                row = pc.index(values.cast(pa.string()), word).as_py()
                yield row, f"= {word!r}, not one of {', '.join(column.allowed[:8])}"
                return


def rows_stand_once(match: CanonicalMatch) -> Iterator[tuple[str, str]]:
    """The key of every table is unique; ``events_are_numbered`` says so of events."""
    for name, key in (("rounds", "segment"), ("players", "player")):
        values = match.tables[name][key].to_pylist()
        if len(set(values)) != len(values):
            twice = next(value for value in values if values.count(value) > 1)
            yield name, f"{name} has two rows of {key} {twice}"
    row = _repeated_track(match.tracking)
    if row is not None:
        yield _place(match.tracking, row), f"tracking has two rows of {match.tracking['player'][row].as_py()} here"


def _repeated_track(tracking: pa.Table) -> int | None:
    """A row whose round, time and player stand in a second row, or None.

    Where rows are in order of time, players can repeat only within an instant; there the sum of the players' bits is the
    union of them exactly if nobody stands twice. That costs a tenth of sorting.
    """
    segment, t_s = tracking["segment"].to_numpy(), tracking["t_s"].to_numpy()
    if len(segment) == 0:
        return None
    player = tracking["player"].combine_chunks().indices.to_numpy()
    new = np.concatenate([[True], (segment[1:] != segment[:-1]) | (t_s[1:] != t_s[:-1])])
    ordered = (segment[1:] > segment[:-1]) | ((segment[1:] == segment[:-1]) & (t_s[1:] >= t_s[:-1]))
    if not ordered.all() or player.max() > _BITS:
        return _repeated(segment, t_s, player)
    starts = np.flatnonzero(new)
    bit = np.left_shift(np.int64(1), player.astype(np.int64))
    repeated = np.add.reduceat(bit, starts) != np.bitwise_or.reduceat(bit, starts)
    return int(starts[repeated.argmax()]) if repeated.any() else None


def _repeated(
    segment: npt.NDArray[np.int16], t_s: npt.NDArray[np.float32], player: npt.NDArray[np.int32]
) -> int | None:
    """The same for rows in any order, by sorting them."""
    order = np.lexsort((player, t_s, segment))
    same = np.logical_and.reduce([v[order][1:] == v[order][:-1] for v in (segment, t_s, player)])
    return int(order[same.argmax()]) if same.any() else None


def _place(table: pa.Table, row: int) -> str:
    """Where in the match a row stands, as far as its table tells."""
    if "segment" not in table.column_names:
        return str(table["player"][row].as_py())
    t_s = table["t_s"][row].as_py() if "t_s" in table.column_names else None
    return f"round {table['segment'][row].as_py()}" + ("" if t_s is None else f" at {t_s:.2f} s")
