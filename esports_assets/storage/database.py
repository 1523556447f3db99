"""The PostgreSQL side of the project: engines and numbered migrations.

Belongs here: how to reach the database and how its tables come to be (``migrations/NNNN_name.sql``, applied once, in
order).
Does not belong here: who reads and writes the tables (``promotion/ledger.py``, ``storage/publish.py``), starting a
server (``embedded.py``), tables of Dagster and MLflow.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_LOCK = 7_301_946_512
"""Key of the advisory lock that lets one migration run at a time."""


class DatabaseError(RuntimeError):
    """Something about the database that a person can act on, in one sentence."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """Hash of the statement: an applied step must never change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def connect(url: str, **options: object) -> Engine:
    """An engine for a PostgreSQL URL; connections are checked before use. DatabaseError for anything but PostgreSQL."""
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
        if parsed.get_backend_name() != "postgresql":
            raise DatabaseError(f"DATABASE_URL must be postgresql://..., not {parsed.drivername}://")
        return create_engine(
            parsed.set(drivername="postgresql+psycopg2"),
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "application_name": "esports"},
            **options,
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseError(f"DATABASE_URL cannot be read: {error}") from error


def migrations() -> list[Migration]:
    """Every migration in order; DatabaseError if numbers repeat or leave gaps."""
    found = []
    for entry in resources.files("esports_assets.storage").joinpath("migrations").iterdir():
        named = _NAME.match(entry.name)
        if named:
            found.append(Migration(int(named[1]), named[2], entry.read_text(encoding="utf-8")))
    found.sort(key=lambda step: step.number)
    if [step.number for step in found] != list(range(1, len(found) + 1)):
        raise DatabaseError(f"migrations are not numbered 1, 2, 3 ...: {[step.number for step in found]}")
    return found


def migrate(engine: Engine, steps: Sequence[Migration] | None = None) -> list[str]:
    """Bring the schema up to date in one transaction; returns the names of the steps that were applied now.

    Safe to call at every start and from several processes at once. Raises DatabaseError when an applied step was
    edited or the database is newer than this code.
    """
    wanted = list(migrations() if steps is None else steps)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        applied = _applied(connection)
        _verify(wanted, applied)
        fresh = [step for step in wanted if step.number not in applied]
        for step in fresh:
            connection.connection.cursor().execute(step.sql)  # as it stands: no parameters, so % needs no doubling
            connection.execute(
                text("INSERT INTO schema_migrations (number, name, digest) VALUES (:number, :name, :digest)"),
                {"number": step.number, "name": step.name, "digest": step.digest},
            )
    return [step.name for step in fresh]


def _applied(connection: Connection) -> dict[int, str]:
    connection.execute(
        text(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            "number integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL, "
            "applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
    )
    rows = connection.execute(text("SELECT number, digest FROM schema_migrations")).all()
    return {int(number): str(digest) for number, digest in rows}


def _verify(wanted: Sequence[Migration], applied: dict[int, str]) -> None:
    known = {step.number: step for step in wanted}
    for number, digest in sorted(applied.items()):
        if number not in known:
            raise DatabaseError(
                f"the database has migration {number}, which this version does not know: update the project"
            )
        if known[number].digest != digest:
            raise DatabaseError(
                f"migration {number} ({known[number].name}) was changed after it had been applied: "
                "restore it and write a new migration instead"
            )
