"""A migrated database with MLflow's schema beside it, shared by these tests; each test has a task of its own."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import tiny_bundle as tiny
from sqlalchemy import Engine

from esports_assets.models.bundle import pack
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.registry import Registry, RunRecord
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.objects import ObjectStore
from esports_assets.storage.postgres import ensure_schemas
from esports_assets.storage.urls import with_schema


@pytest.fixture(scope="session")
def promotion_url(database_url: str) -> Iterator[str]:
    name = f"promotion_{uuid.uuid4().hex[:12]}"
    server = psycopg2.connect(database_url)
    server.autocommit = True
    server.cursor().execute(f"CREATE DATABASE {name}")
    try:
        yield database_url.replace("/postgres?", f"/{name}?", 1)
    finally:
        server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
        server.close()


@pytest.fixture(scope="session")
def engine(promotion_url: str) -> Iterator[Engine]:
    made = connect(promotion_url)
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def registry(promotion_url: str, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    ensure_schemas(promotion_url, ["mlflow"])
    return Registry(with_schema(promotion_url, "mlflow"), str(tmp_path_factory.mktemp("mlflow")))


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def task() -> str:
    return f"t{uuid.uuid4().hex[:10]}.round_win"


@dataclass
class World:
    """The three stores of a promotion and a task of its own."""

    task: str
    registry: Registry
    ledger: Ledger
    objects: ObjectStore

    @property
    def stores(self) -> dict[str, Any]:
        return {"registry": self.registry, "ledger": self.ledger, "objects": self.objects}

    def name(self, family: str = "xgboost") -> str:
        return f"{self.task}.{family}"

    def train(self, family: str = "xgboost", bias: float = 0.0) -> int:
        """Register the next version of a family: a real, tiny bundle."""
        run_id = self.registry.log_run(RunRecord(self.task, family, metrics={"log_loss": 0.47}))

        def files(version: int) -> dict[str, bytes]:
            contract = tiny.contract(
                str(version),
                registered_name=self.name(family),
                task=self.task,
                family=family,
                title=self.task.split(".")[0],
                mlflow_run_id=run_id,
            )
            return pack(contract, tiny.graph(bias=bias))

        return self.registry.register(self.name(family), run_id, files)


@pytest.fixture
def world(task: str, registry: Registry, ledger: Ledger, objects: ObjectStore) -> World:
    return World(task, registry, ledger, objects)
