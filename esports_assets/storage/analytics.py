"""Results of analyses in PostgreSQL, and what of them may be shown where few matches stand behind them.

Belongs here: writing ``correlation_results`` and ``causal_effects`` over the cursor of a transaction that the caller commits, and
withholding small cells.
Does not belong here: how results come about (``analytics/``), who may see them (the service).

A run is written as a whole: written again, it stands once, with what was said last.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from psycopg2.extras import execute_values

Row = Mapping[str, Any]

_FILTERS = ("filter_title", "filter_map", "filter_side", "filter_team")
_CORRELATION = (
    *("run_id", "dataset_id", "metric", "feature", "outcome", "layout", "n", "clusters", "estimate", "lo", "hi"),
    *("effect_name", "effect_size", "direction", "p", "p_bh", "p_by", "family", "significant", "exploratory"),
    *("stability", "stable", "findings", *_FILTERS, "created_at"),
)
_EFFECT = (
    *("run_id", "dataset_id", "treatment", "outcome", "covariates", "estimand", "estimator", "estimate", "lo", "hi"),
    *("se", "n", "treated", "clusters", "verdict", "reasons", "diagnostics", *_FILTERS, "created_at"),
)
_DOCUMENTS = frozenset({"findings", "reasons", "diagnostics"})
_PAGE = 500
_LOCK_SPACE = 1_836_412_002
"""First half of the advisory lock's key; the second is the hash of the run."""

LEAST_ROUNDS, LEAST_MATCHES = 20, 3
"""Results of fewer rounds or matches could be told of persons, and are not shown."""
WITHHELD = (
    *("n", "clusters", "treated", "estimate", "lo", "hi", "se", "effect_size", "direction", "p", "p_bh", "p_by"),
    *("significant", "stability", "stable", "findings", "verdict", "reasons", "diagnostics"),
)
"""What a small cell does not tell; its counts and the sentences that name counts are part of it."""


def write_correlations(cursor: Any, run_id: str, rows: Sequence[Row]) -> int:
    """The associations of a run (``association_results.records``) instead of what it said before; how many stand now.

    ValueError for rows of another run.
    """
    return _write(cursor, "correlation_results", _CORRELATION, run_id, rows)


def write_effects(cursor: Any, run_id: str, rows: Sequence[Row]) -> int:
    """The effects of a run instead of what it said before; how many stand now.

    A row has the columns of ``causal_effects``: ``covariates`` a list of names, ``reasons`` a list, ``diagnostics`` a mapping
    without infinite or undefined numbers. ValueError for rows of another run.
    """
    return _write(cursor, "causal_effects", _EFFECT, run_id, rows)


def without_small_cells(
    rows: Iterable[Row], least_rounds: int = LEAST_ROUNDS, least_matches: int = LEAST_MATCHES
) -> list[dict[str, Any]]:
    """Results with ``suppressed``: true where too few rounds or matches stand behind them, and then without any figure.

    What is asked (feature, outcome, filters) stays, so that a reader sees that something is withheld.
    """
    return [_shown(row, row["n"] < least_rounds or row["clusters"] < least_matches) for row in rows]


def _shown(row: Row, small: bool) -> dict[str, Any]:
    kept = {name: None if small and name in WITHHELD else value for name, value in row.items()}
    return {**kept, "suppressed": small}


def _write(cursor: Any, table: str, columns: Sequence[str], run_id: str, rows: Sequence[Row]) -> int:
    strangers = {str(row["run_id"]) for row in rows} - {run_id}
    if strangers:
        raise ValueError(f"results of {', '.join(sorted(strangers))} are none of run {run_id}")
    cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK_SPACE, run_id))
    cursor.execute(f"DELETE FROM {table} WHERE run_id = %s", (run_id,))
    told = [tuple(_value(name, row[name]) for name in columns) for row in rows]
    if told:
        execute_values(cursor, f"INSERT INTO {table} ({', '.join(columns)}) VALUES %s", told, page_size=_PAGE)
    return len(told)


def _value(name: str, value: Any) -> Any:
    if name in _DOCUMENTS:
        return msgspec.json.encode(value, order="sorted").decode()
    return list(value) if isinstance(value, tuple) else value
