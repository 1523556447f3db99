"""The ledger as lines of JSON, one entry each: out of one database and into another, any number of times.

Belongs here: reading entries as lines, and lines back in, over the cursor of a transaction that the caller commits.
Does not belong here: single reports (``reports.py``), making aliases agree with the ledger (``promote.py``).

A line is known where the task's ledger has an entry with its request key, or one without a key that says the same at the same
time; it is not written again. Times come with the lines, ids are given anew. Entries that move an alias are taken only where
they continue what the ledger of their task holds: in its midst they would change what was served when. After them,
``champions`` says what they imply.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from esports_assets.promotion.scores import row_by_name
from esports_assets.promotion.standing import LOCK_SPACE, MOVES, REQUEST_KEY
from esports_assets.promotion.terms import Alias

_COLUMNS = (
    *("created_at", "task", "registered_name", "decision", "alias", "from_version", "to_version", "reason", "evidence"),
    *("source", "actor", "dagster_run_id", "mlflow_run_id"),
)


class TransferError(ValueError):
    """Lines that cannot be taken; the message is one sentence."""


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the ledger."""

    created_at: datetime
    task: str
    registered_name: str
    decision: str
    reason: str
    source: str
    actor: str
    alias: Alias | None = None
    to_version: int | None = None
    from_version: int | None = None
    evidence: dict[str, Any] = {}
    dagster_run_id: str | None = None
    mlflow_run_id: str | None = None

    def __post_init__(self) -> None:
        if self.created_at.tzinfo is None:
            raise ValueError("created_at needs its time zone")
        if not (self.task and self.registered_name and self.decision and self.reason):
            raise ValueError("an entry names a task, a model of it, a decision and its reason")

    @property
    def key(self) -> str:
        """By which it is recorded once: its request's, or one of its content."""
        given = self.evidence.get(REQUEST_KEY)
        if isinstance(given, str):
            return given
        told = msgspec.structs.replace(self, created_at=self.created_at.astimezone(UTC))
        return "line:" + hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()[:32]

    @property
    def moves(self) -> bool:
        """Whether an alias means another version after it."""
        return self.decision in MOVES


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of lines."""

    lines: int
    new: int
    known: int


def export_lines(cursor: Any, task: str | None = None) -> Iterator[bytes]:
    """Every entry of the ledger, or of one task, oldest first; each line ends with its newline."""
    cursor.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM promotion_events WHERE (%(task)s::text IS NULL OR task = %(task)s) ORDER BY id",
        {"task": task},
    )
    for row in cursor.fetchall():
        told = row_by_name(row, _COLUMNS)
        yield msgspec.json.encode({**told, "created_at": told["created_at"].astimezone(UTC)}) + b"\n"


def import_lines(cursor: Any, lines: Iterable[bytes]) -> Taken:
    """Append what the ledger does not hold yet. TransferError, with nothing written, for lines that cannot be taken."""
    tasks: dict[str, list[Line]] = {}
    for number, text in enumerate(lines, 1):
        if text.strip():
            line = _read(number, text)
            tasks.setdefault(line.task, []).append(line)
    new = sum(_append(cursor, task, tasks[task]) for task in sorted(tasks))
    total = sum(map(len, tasks.values()))
    return Taken(total, new, total - new)


def _read(number: int, text: bytes) -> Line:
    try:
        return msgspec.json.decode(text, type=Line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TransferError(f"line {number} is no entry of the ledger: {error}") from error


def _append(cursor: Any, task: str, lines: list[Line]) -> int:
    """The new ones among the lines of a task; how many."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK_SPACE, task))
    held = [msgspec.json.decode(text, type=Line) for text in export_lines(cursor, task)]
    seen = {line.key for line in held}
    fresh: dict[str, Line] = {}
    for line in lines:
        if line.key not in seen:
            fresh.setdefault(line.key, line)
    moves = [line for line in fresh.values() if line.moves]
    if moves and held and min(line.created_at for line in moves) <= max(line.created_at for line in held):
        raise TransferError(
            f"the ledger of {task} has entries of its own up to {max(line.created_at for line in held).isoformat()}: "
            "entries that move an alias can only continue it, not change its past"
        )
    for key, line in fresh.items():
        _write(cursor, key, line)
    if moves:
        _crown(cursor, task)
    return len(fresh)


def _write(cursor: Any, key: str, line: Line) -> None:
    values = msgspec.structs.asdict(line) | {
        "alias": line.alias and line.alias.value,
        "evidence": msgspec.json.encode({**line.evidence, REQUEST_KEY: key}).decode(),
    }
    cursor.execute(
        f"INSERT INTO promotion_events ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))})",
        tuple(values[name] for name in _COLUMNS),
    )


def _crown(cursor: Any, task: str) -> None:
    cursor.execute(
        "INSERT INTO champions (task, registered_name, since, event_id)"
        " SELECT task, registered_name, created_at, id FROM promotion_events"
        " WHERE task = %s AND decision = ANY(%s) AND alias = %s ORDER BY id DESC LIMIT 1"
        " ON CONFLICT (task) DO UPDATE SET registered_name = EXCLUDED.registered_name, since = EXCLUDED.since,"
        " event_id = EXCLUDED.event_id",
        (task, sorted(MOVES), Alias.PRODUCTION.value),
    )
