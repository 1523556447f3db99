"""Shared by every test folder: this file's presence puts ``tests/`` on the import path (``tiny_bundle``,
``tiny_match``).

Real servers, started once per test process on free ports and in a folder that goes with it.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from hypothesis import settings as hypothesis_settings

from esports_assets.settings import Settings
from esports_assets.storage import embedded

hypothesis_settings.register_profile("shared", deadline=None)  # a busy machine is no failure
hypothesis_settings.load_profile("shared")

_POINTERS = (
    "DATABASE_URL",
    "REDIS_URL",
    "LAKE_URL",
    "BUNDLES_URL",
    "MLFLOW_TRACKING_URI",
    "DAGSTER_PG_URL",
    "DAGSTER_HOME",
)
for _name in (*_POINTERS, "ESPORTS_HOME", "API_PORT", "DAGSTER_PORT", "DAGSTER_URL", "ROUND_SNAPSHOTS"):
    os.environ.pop(_name, None)  # no test may reach the servers or the lake of whoever runs it


@pytest.fixture(scope="session")
def embedded_settings() -> Iterator[Settings]:
    """Settings whose PostgreSQL and Valkey are real and run for this test session only."""
    folder = Path(tempfile.mkdtemp(prefix="esports-test-"))
    wanted = Settings.from_env({"ESPORTS_HOME": str(folder / "home")})
    try:
        yield embedded.up(wanted)
    finally:
        embedded.down(wanted)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database_url(embedded_settings: Settings) -> str:
    """A real PostgreSQL database, shared by the session: use ``fresh_database_url`` to count on its content."""
    assert embedded_settings.database_url is not None
    return embedded_settings.database_url


@pytest.fixture(scope="session")
def redis_url(embedded_settings: Settings) -> str:
    """A real Valkey, shared by the session: use keys of your own."""
    assert embedded_settings.redis_url is not None
    return embedded_settings.redis_url


@contextmanager
def _own_database(server_url: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    server = psycopg2.connect(server_url)
    server.autocommit = True
    try:
        server.cursor().execute(f"CREATE DATABASE {name}")
        yield server_url.replace("/postgres?", f"/{name}?", 1)
        server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        server.close()


@pytest.fixture
def fresh_database_url(database_url: str) -> Iterator[str]:
    """An empty database of its own on the session's PostgreSQL."""
    with _own_database(database_url) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(database_url: str) -> Iterator[str]:
    """The same for all tests of a file together."""
    with _own_database(database_url) as url:
        yield url


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real matches: ESPORTS_REAL_DATA, else ``../shared/data`` beside the repository; skips where absent."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ESPORTS_REAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real matches at {folder}; set ESPORTS_REAL_DATA")
    return folder
