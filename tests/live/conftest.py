"""Shared by the tests of the live path: a database of the session's Valkey for each test, and migrated PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from esports_assets.simulate.write import simulate_matches
from esports_assets.storage import database
from esports_assets.streams.connect import connect

_DATABASE = 11


@pytest.fixture
def live_url(redis_url: str) -> str:
    """Where the log of a test is."""
    return f"{redis_url.removesuffix('/0')}/{_DATABASE}"


@pytest.fixture
def log_client(live_url: str) -> Iterator[Redis]:
    """A client of the empty log of a test."""
    client = connect(live_url)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture
def live_database(fresh_database_url: str) -> str:
    """An empty, migrated database."""
    engine = database.connect(fresh_database_url)
    database.migrate(engine)
    engine.dispose()
    return fresh_database_url


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Source files of two simulated matches."""
    return simulate_matches(tmp_path_factory.mktemp("simulated"), 2, 5, formats=("demo",))
