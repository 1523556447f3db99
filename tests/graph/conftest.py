"""Platforms in folders, each with an ephemeral Dagster instance, on the session's PostgreSQL."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import dagster as dg
import psycopg2
import pytest
from small_world import World

from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.registry import Registry
from esports_assets.settings import Settings
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from esports_assets.storage.postgres import ensure_schemas


@contextmanager
def _database(server_url: str) -> Iterator[str]:
    name = f"graph_{uuid.uuid4().hex[:12]}"
    server = psycopg2.connect(server_url)
    server.autocommit = True
    try:
        server.cursor().execute(f"CREATE DATABASE {name}")
        yield server_url.replace("/postgres?", f"/{name}?", 1)
        server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        server.close()


@pytest.fixture(scope="module")
def new_world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], World]]:
    """Makes platforms; the environment of this process points at the one that was made last."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:

        def make() -> World:
            url = stack.enter_context(_database(database_url))
            folder = tmp_path_factory.mktemp("world")
            settings = Settings.from_env({"ESPORTS_HOME": str(folder), "DATABASE_URL": url})
            for name, value in settings.environment().items():
                patch.setenv(name, value)
            engine = connect(url)
            stack.callback(engine.dispose)
            migrate(engine)
            ensure_schemas(url, ["mlflow"])
            assert settings.mlflow_tracking_uri is not None
            return World(
                folder,
                settings,
                Lake(settings.lake_url),
                ObjectStore(settings.bundles_url),
                Registry(settings.mlflow_tracking_uri, settings.artifacts_url),
                Ledger(engine),
                dg.DagsterInstance.ephemeral(),
            )

        yield make
