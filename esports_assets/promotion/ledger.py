"""The ledger of promotions in PostgreSQL: what was decided about which version, when, why and by whom. Append-only.

Belongs here: reading and appending ``promotion_events`` and keeping ``champions`` at what they imply.
Does not belong here: deciding (``policy.py``), what entries amount to (``standing.py``), aliases and markers.

The ledger is the commit point of a promotion: what it says has happened, and everything else (aliases, markers) is made
to agree. Writers of one task take turns under an advisory lock. An event with a request key that the task's ledger
already holds is not recorded twice. The database itself refuses to change or remove an entry.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from esports_assets.promotion.standing import LOCK_SPACE, MOVES, REQUEST_KEY, Event, LedgerEntry, Standing, standing
from esports_assets.promotion.terms import Alias

_METADATA = MetaData()
_EVENTS = Table(
    "promotion_events",
    _METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("created_at", DateTime(timezone=True)),
    Column("task", Text),
    Column("registered_name", Text),
    Column("decision", Text),
    Column("alias", Text),
    Column("from_version", Integer),
    Column("to_version", Integer),
    Column("reason", Text),
    Column("evidence", JSONB),
    Column("source", Text),
    Column("actor", Text),
    Column("dagster_run_id", Text),
    Column("mlflow_run_id", Text),
)
_CHAMPIONS = Table(
    "champions",
    _METADATA,
    Column("task", Text, primary_key=True),
    Column("registered_name", Text),
    Column("since", DateTime(timezone=True)),
    Column("event_id", BigInteger),
)


@dataclass(frozen=True, slots=True)
class Champion:
    """Which registered model serves a task, and the entry by which its version in production got there."""

    task: str
    registered_name: str
    since: datetime
    event_id: int


class Turn:
    """One writer's turn at one task's ledger: inside it, nobody else writes about the task."""

    def __init__(self, connection: Connection, task: str) -> None:
        self._connection = connection
        self.task = task

    def standing(self) -> Standing:
        """What the task's entries amount to now."""
        statement = select(_EVENTS).where(_EVENTS.c.task == self.task, _EVENTS.c.decision.in_(MOVES))
        return standing(_entry(row) for row in self._connection.execute(statement.order_by(_EVENTS.c.id)))

    def find(self, request_key: str) -> LedgerEntry | None:
        """The entry that this request made already."""
        statement = select(_EVENTS).where(
            _EVENTS.c.task == self.task, _EVENTS.c.evidence[REQUEST_KEY].astext == request_key
        )
        row = self._connection.execute(statement.limit(1)).one_or_none()
        return None if row is None else _entry(row)

    def append(self, event: Event, request_key: str) -> LedgerEntry:
        """Record an event, once per request key; a move of Production crowns its champion in the same transaction."""
        if event.task != self.task:
            raise ValueError(f"an event of {event.task} does not belong into the ledger of {self.task}")
        known = self.find(request_key)
        if known is not None:
            return known
        values = asdict(event) | {"evidence": {**event.evidence, REQUEST_KEY: request_key}}
        entry = _entry(self._connection.execute(insert(_EVENTS).values(values).returning(_EVENTS)).one())
        if entry.moves_production:
            self.crown(entry)
        return entry

    def crown(self, entry: LedgerEntry) -> bool:
        """Let the champion table say what the entry implies; whether it said something else."""
        row = self._connection.execute(select(_CHAMPIONS).where(_CHAMPIONS.c.task == self.task)).one_or_none()
        if row is not None and row.event_id == entry.id:
            return False
        values = {"registered_name": entry.registered_name, "since": entry.created_at, "event_id": entry.id}
        statement = upsert(_CHAMPIONS).values(task=self.task, **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["task"], set_=values))
        return True


class Ledger:
    """The ledger behind an engine whose database has been migrated."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def turn(self, task: str) -> Iterator[Turn]:
        """Wait for one's turn at a task; what is written is committed at its end, and not at all if it fails."""
        with self._engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(LOCK_SPACE, func.hashtext(task))))
            yield Turn(connection, task)

    def append(self, event: Event, request_key: str) -> LedgerEntry:
        """Record one event, once per request key."""
        with self.turn(event.task) as turn:
            return turn.append(event, request_key)

    def history(
        self,
        task: str | None = None,
        *,
        limit: int = 100,
        decision: str | None = None,
        since: datetime | None = None,
    ) -> list[LedgerEntry]:
        """The latest entries, newest first."""
        statement = select(_EVENTS).order_by(_EVENTS.c.id.desc()).limit(limit)
        if task is not None:
            statement = statement.where(_EVENTS.c.task == task)
        if decision is not None:
            statement = statement.where(_EVENTS.c.decision == decision)
        if since is not None:
            statement = statement.where(_EVENTS.c.created_at >= since)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(statement)]

    def standing(self, task: str) -> Standing:
        """What the task's entries amount to now, without waiting for a turn."""
        with self._engine.connect() as connection:
            return Turn(connection, task).standing()

    def production_at(self, task: str, when: datetime) -> LedgerEntry | None:
        """The entry by which the version that was in production then had got there; None before the first."""
        statement = (
            select(_EVENTS)
            .where(
                _EVENTS.c.task == task,
                _EVENTS.c.decision.in_(MOVES),
                _EVENTS.c.alias == Alias.PRODUCTION.value,
                _EVENTS.c.created_at <= when,
            )
            .order_by(_EVENTS.c.id.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else _entry(row)

    def champion(self, task: str) -> Champion | None:
        """Which registered model serves a task; None if none was ever promoted."""
        with self._engine.connect() as connection:
            row = connection.execute(select(_CHAMPIONS).where(_CHAMPIONS.c.task == task)).one_or_none()
        return None if row is None else Champion(row.task, row.registered_name, row.since, row.event_id)

    def tasks(self) -> list[str]:
        """Every task with an entry."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(_EVENTS.c.task).distinct().order_by(_EVENTS.c.task)))


def _entry(row: Row[Any]) -> LedgerEntry:
    fields = dict(row._mapping)
    return LedgerEntry(**(fields | {"alias": Alias(fields["alias"])}))
