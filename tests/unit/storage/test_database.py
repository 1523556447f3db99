"""Migrations run once, in order, under a lock; the ledger cannot be rewritten. On a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from esports_assets.canonical.schema import ROUNDS
from esports_assets.storage.database import DatabaseError, Migration, connect, migrate, migrations

INSERT = text(
    "INSERT INTO promotion_events (task, registered_name, decision, reason, source, actor) "
    "VALUES ('cs2.round_win', 'cs2.round_win.xgboost', 'promote', 'better', 'test', 'test') RETURNING id, created_at"
)


def test_migrations_apply_once(fresh_database_url: str) -> None:
    engine = connect(fresh_database_url)
    names = [step.name for step in migrations()]
    assert names[:2] == ["promotion", "rounds"]
    assert migrate(engine) == names
    assert migrate(engine) == []
    with engine.connect() as connection:
        numbers = connection.execute(text("SELECT number FROM schema_migrations ORDER BY number")).scalars().all()
    assert list(numbers) == list(range(1, len(names) + 1))
    engine.dispose()


def test_processes_that_migrate_at_once_apply_each_step_once(fresh_database_url: str) -> None:
    engines = [connect(fresh_database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, engines))
    assert sorted(name for names in applied for name in names) == sorted(step.name for step in migrations())
    for engine in engines:
        engine.dispose()


def test_a_failing_step_changes_nothing(fresh_database_url: str) -> None:
    engine = connect(fresh_database_url)
    steps = [Migration(1, "good", "CREATE TABLE good (a int)"), Migration(2, "bad", "CREATE TABLE good (a int)")]
    with pytest.raises(Exception, match='relation "good" already exists'):
        migrate(engine, steps)
    assert migrate(engine, steps[:1]) == ["good"]
    engine.dispose()


def test_an_edited_or_unknown_step_is_refused(fresh_database_url: str) -> None:
    engine = connect(fresh_database_url)
    migrate(engine, [Migration(1, "one", "SELECT 1"), Migration(2, "two", "SELECT 2 % 2")])
    with pytest.raises(DatabaseError, match=r"migration 2 \(two\) was changed after it had been applied"):
        migrate(engine, [Migration(1, "one", "SELECT 1"), Migration(2, "two", "SELECT 3")])
    with pytest.raises(DatabaseError, match="the database has migration 2, which this version does not know"):
        migrate(engine, [Migration(1, "one", "SELECT 1")])
    engine.dispose()


def test_the_ledger_is_append_only(fresh_database_url: str) -> None:
    engine = connect(fresh_database_url)
    migrate(engine)
    with engine.begin() as connection:
        first = connection.execute(INSERT).one()
        second = connection.execute(INSERT).one()
    assert (first.id, second.id) == (1, 2)
    assert first.created_at < second.created_at
    assert second.created_at.utcoffset() == timedelta(0) or second.created_at.tzinfo is not None
    for change in (
        "UPDATE promotion_events SET reason = 'x'",
        "DELETE FROM promotion_events",
        "TRUNCATE promotion_events CASCADE",
    ):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(change))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM promotion_events")).scalar_one() == 2
    engine.dispose()


def test_a_champion_points_at_its_event(fresh_database_url: str) -> None:
    engine = connect(fresh_database_url)
    migrate(engine)
    champion = text("INSERT INTO champions (task, registered_name, event_id) VALUES ('t', 'n', :event)")
    with pytest.raises(DBAPIError, match="foreign key"), engine.begin() as connection:
        connection.execute(champion, {"event": 1})
    engine.dispose()


def test_the_published_rounds_have_the_columns_of_the_language(fresh_database_url: str) -> None:
    engine = connect(fresh_database_url)
    migrate(engine)
    query = text("SELECT column_name FROM information_schema.columns WHERE table_name = 'rounds'")
    with engine.connect() as connection:
        columns = set(connection.execute(query).scalars())
    assert columns == {*ROUNDS.names, "data_version", "published_at"}
    engine.dispose()


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite:///x.db", "nonsense"])
def test_other_databases_are_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(DatabaseError, match="DATABASE_URL"):
        connect(url)
