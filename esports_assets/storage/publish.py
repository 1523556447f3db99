"""What the lake and the worker say, published in PostgreSQL: rounds, outcomes, micro-actions, events that came too late.

Belongs here: one way of writing each table for batch and live alike, over the cursor of a transaction that the caller commits.
Everything may be written again: the second time changes nothing, and what differs from run to run (``generated_at``,
``received_at``) stays as it was first written.
Does not belong here: connecting and migrating (``database.py``, ``serving/database.py``), what is said (``signals/``), what
follows from a round (``stages/publishing.py``).

A micro-action is ``live`` where the worker said it and ``batch`` where the promoted model says it of the lake's match; one row
can be both. Live rows stay for ever, as a record of what was said; batch rows of a match are replaced as a whole.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from psycopg2.extras import execute_values

from esports_assets.canonical import event as wire
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.schema import ROUNDS
from esports_assets.canonical.signal import AgentSignal, SignalType

_PAGE = 500
_LOCK_SPACE = 1_836_412_001
"""First half of the advisory lock's key; the second is the hash of the match."""
_ROUND_KEY = ("match_id", "map", "segment")
_ROUND_COLUMNS = (*ROUNDS.names, "data_version")
_OUTCOME_COLUMNS = (*_ROUND_KEY, "team", "side", "round_win", "site_executed", "econ_delta", "outcome_meta")
_ACTION_TYPES = {
    **dict.fromkeys(("signal_id", "match_id", "series_id", "title", "map"), "text"),
    "segment": "smallint",
    "t_s": "float8",
    "player": "text",
    "team": "text",
    "intent": "text",
    "confidence": "float8",
    "probabilities": "json",
    "features": "json",
    "model_name": "text",
    **dict.fromkeys(("model_version", "probability_source", "window_fingerprint", "artifact_url"), "text"),
    "event_ts": "timestamptz",
    "generated_at": "timestamptz",
    "live": "boolean",
    "batch": "boolean",
}
_LATE_COLUMNS = ("event_id", "match_id", "event_ts", "data", "reason")
_SOURCES = ("model", "out_of_fold", "rules")

_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")
"""The one character that the database has no place for, in JSON text: an escape whose backslash is not escaped itself."""

Row = Mapping[str, Any]
T = TypeVar("T")


def upsert_rounds(cursor: Any, rows: Sequence[Row]) -> int:
    """Rounds with the columns of the lake's table and ``data_version``; how many were new or other than before."""
    return _upsert(cursor, "rounds", _ROUND_COLUMNS, _ROUND_KEY, _as_tuples(rows, _ROUND_COLUMNS))


def upsert_macro_outcomes(cursor: Any, rows: Sequence[Row]) -> int:
    """Outcomes of rounds that are there already, one per team; how many were new or other than before."""
    told = [{**row, "outcome_meta": _json(row["outcome_meta"])} for row in rows]
    return _upsert(
        cursor, "macro_outcomes", _OUTCOME_COLUMNS, (*_ROUND_KEY, "team"), _as_tuples(told, _OUTCOME_COLUMNS)
    )


def replace_match(cursor: Any, match_id: str, rounds: Sequence[Row], outcomes: Sequence[Row]) -> int:
    """The rounds of a match with their outcomes, and none beside them; how many rows changed."""
    rounds_here = {(row["map"], row["segment"]) for row in rounds}
    outcomes_here = {(row["map"], row["segment"], row["team"]) for row in outcomes}
    cursor.execute("SELECT map, segment FROM rounds WHERE match_id = %s FOR UPDATE", (match_id,))
    gone = [key for key in _keys(cursor, ("map", "segment")) if key not in rounds_here]
    for key in gone:
        cursor.execute("DELETE FROM rounds WHERE match_id = %s AND map = %s AND segment = %s", (match_id, *key))
    changed = len(gone) + upsert_rounds(cursor, rounds)
    cursor.execute("SELECT map, segment, team FROM macro_outcomes WHERE match_id = %s", (match_id,))
    stale = [key for key in _keys(cursor, ("map", "segment", "team")) if key not in outcomes_here]
    for key in stale:
        cursor.execute(
            "DELETE FROM macro_outcomes WHERE match_id = %s AND map = %s AND segment = %s AND team = %s",
            (match_id, *key),
        )
    return changed + len(stale) + upsert_macro_outcomes(cursor, outcomes)


def matches_with_rounds(cursor: Any, title: str) -> list[str]:
    """The ids of a title's matches of which rounds are published."""
    cursor.execute("SELECT DISTINCT match_id FROM rounds WHERE title = %s ORDER BY match_id", (title,))
    return [match_id for (match_id,) in _keys(cursor, ("match_id",))]


def withdraw_rounds(cursor: Any, match_ids: Sequence[str]) -> None:
    """Remove the rounds of matches, with their outcomes."""
    cursor.execute("DELETE FROM rounds WHERE match_id = ANY(%s)", (list(match_ids),))


def upsert_micro_actions(cursor: Any, signals: Sequence[AgentSignal]) -> int:
    """What the live worker said of players; how many rows were written. One that is there stays as it was first said."""
    _take_turns(cursor, [signal.match_id for signal in signals])
    return _write_actions(cursor, signals, live=True)


def replace_micro_actions(cursor: Any, match_id: str, signals: Sequence[AgentSignal]) -> int:
    """What the promoted model says of a match of the lake, instead of what an earlier one said; how many rows changed.

    What the worker said live stays, and stops being what analyses read.
    """
    strangers = {signal.match_id for signal in signals} - {match_id}
    if strangers:
        raise ValueError(f"signals of {', '.join(sorted(strangers))} are none of {match_id}")
    _take_turns(cursor, [match_id])
    return _withdraw_actions(cursor, [match_id], [signal.signal_id for signal in signals]) + _write_actions(
        cursor, signals, live=False
    )


def matches_with_actions(cursor: Any, title: str) -> list[str]:
    """The ids of a title's matches of which a model's actions are published."""
    cursor.execute("SELECT DISTINCT match_id FROM micro_actions WHERE batch AND title = %s ORDER BY match_id", (title,))
    return [match_id for (match_id,) in _keys(cursor, ("match_id",))]


def withdraw_micro_actions(cursor: Any, match_ids: Sequence[str]) -> None:
    """Remove what models say of matches. What the worker said live stays."""
    _take_turns(cursor, match_ids)
    _withdraw_actions(cursor, match_ids, [])


def upsert_late_events(cursor: Any, events: Sequence[tuple[CanonicalEvent, str]]) -> int:
    """Events that came after their watermark, each with the reason; how many were new."""
    rows = [
        (_text(event.event_id), _text(event.match_id), event.timestamp, wire.encode(event).decode(), _text(reason))
        for event, reason in events
    ]
    statement = (
        f"INSERT INTO late_events ({', '.join(_LATE_COLUMNS)}) VALUES %s ON CONFLICT (event_id) DO NOTHING RETURNING 1"
    )
    return _execute(cursor, statement, _once(rows, lambda row: row[0]))


def _take_turns(cursor: Any, match_ids: Sequence[str]) -> None:
    """Wait until nobody else writes actions of these matches; the turn ends with the transaction.

    Batch and worker write rows of one match in different orders, and would block each other for good.
    """
    cursor.execute(
        "SELECT pg_advisory_xact_lock(%s, turn) FROM "
        "(SELECT DISTINCT hashtext(name) AS turn FROM unnest(%s::text[]) AS name ORDER BY 1) AS turns",
        (_LOCK_SPACE, [_text(match_id) for match_id in match_ids]),
    )


def _write_actions(cursor: Any, signals: Sequence[AgentSignal], *, live: bool) -> int:
    """All rows as one JSON text: putting thousands of values into a statement one by one takes longer than what they tell."""
    if not signals:
        return 0
    mark = "live" if live else "batch"
    statement = (
        f"INSERT INTO micro_actions ({', '.join(_ACTION_TYPES)}) SELECT * FROM json_to_recordset(%s::json) "
        f"AS told({', '.join(f'{name} {kind}' for name, kind in _ACTION_TYPES.items())}) "
        f"ON CONFLICT (signal_id) DO UPDATE SET {mark} = true WHERE NOT micro_actions.{mark}"
    )
    rows = _json(_once([_action(signal, live) for signal in signals], _signal_id))
    cursor.execute(statement, (_NUL.sub("\\1\N{REPLACEMENT CHARACTER}", rows) if "\\u0000" in rows else rows,))
    return int(cursor.rowcount)


def _signal_id(row: Row) -> str:
    return str(row["signal_id"])


def _withdraw_actions(cursor: Any, match_ids: Sequence[str], but: Sequence[str]) -> int:
    """Take the mark ``batch`` from the actions of matches, ``but`` those ids; rows without any mark go."""
    cursor.execute(
        "DELETE FROM micro_actions WHERE match_id = ANY(%s) AND batch AND NOT live AND signal_id <> ALL(%s)",
        (list(match_ids), list(but)),
    )
    changed = cursor.rowcount
    cursor.execute(
        "UPDATE micro_actions SET batch = false WHERE match_id = ANY(%s) AND batch AND live AND signal_id <> ALL(%s)",
        (list(match_ids), list(but)),
    )
    return int(changed + cursor.rowcount)


def _action(signal: AgentSignal, live: bool) -> Row:
    if signal.type is not SignalType.MOTION_SYNTHESIS or signal.intent is None:
        raise ValueError(f"signal {signal.signal_id} is a {signal.type.value} without intent: it is no micro-action")
    features = dict(signal.features)
    probabilities = features.pop("probabilities", None)
    info = signal.model_info
    source = info.get("probability_source")
    if source not in _SOURCES:
        raise ValueError(f"signal {signal.signal_id}: {source!r} is no probability source, which is {_SOURCES}")
    return {
        "signal_id": signal.signal_id,
        "match_id": signal.match_id,
        "series_id": signal.series_id,
        "title": signal.title,
        "map": signal.map,
        "segment": signal.segment,
        "t_s": signal.t,
        "player": signal.player_id,
        "team": signal.team,
        "intent": signal.intent,
        "confidence": signal.confidence,
        "probabilities": probabilities,
        "features": features,
        "model_name": str(info.get("model_name", "")),
        "model_version": str(info.get("model_version", "")),
        "probability_source": source,
        "window_fingerprint": signal.window_fingerprint,
        "artifact_url": signal.artifact_url,
        "event_ts": signal.event_ts,
        "generated_at": signal.generated_at,
        "live": live,
        "batch": not live,
    }


def _upsert(
    cursor: Any, table: str, columns: Sequence[str], key: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> int:
    """Insert rows or bring them up to date; a row that says the same is left alone."""
    rest = [name for name in columns if name not in key]
    # Documents of type json have no equality of their own; as text they have.
    mine = ", ".join(f"{table}.{name}::text" for name in rest)
    theirs = ", ".join(f"EXCLUDED.{name}::text" for name in rest)
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in rest)
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES %s ON CONFLICT ({', '.join(key)}) DO UPDATE "
        f"SET {changes}, published_at = clock_timestamp() WHERE ({mine}) IS DISTINCT FROM ({theirs}) RETURNING 1"
    )
    places = [columns.index(name) for name in key]
    return _execute(cursor, statement, _once(rows, lambda row: tuple(row[place] for place in places)))


def _execute(cursor: Any, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    return len(execute_values(cursor, statement, rows, page_size=_PAGE, fetch=True)) if rows else 0


def _once(rows: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """Rows by their key, the first of each: writers that meet take their locks in one order."""
    first: dict[Any, T] = {}
    for row in rows:
        first.setdefault(key(row), row)
    return [first[name] for name in sorted(first)]


def _as_tuples(rows: Iterable[Row], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    return [tuple(_text(row[name]) if isinstance(row[name], str) else row[name] for name in columns) for row in rows]


def _keys(cursor: Any, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """What a query found, from a cursor of tuples or of dictionaries."""
    return [
        tuple(row[name] for name in columns) if isinstance(row, Mapping) else tuple(row) for row in cursor.fetchall()
    ]


def _json(value: Any) -> str:
    return msgspec.json.encode(value, order="sorted").decode()


def _text(value: str | None) -> Any:
    """Text without the one character that the database has no place for."""
    return None if value is None else value.replace("\0", "\N{REPLACEMENT CHARACTER}")
