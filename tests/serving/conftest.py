"""A real store with a real tiny model, and the app over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_bundle as tiny
import tiny_lake as made
import tiny_state
from fastapi.testclient import TestClient

from esports_assets.models.bundle import write_bundle
from esports_assets.promotion import mirror
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore
from serving.app import create_app
from serving.settings import Settings


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """An empty object store."""
    return ObjectStore(tmp_path / "bundles")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings over the test's own directory."""
    return Settings(
        esports_home=str(tmp_path), max_batch_rows=200, poll_interval_s=0.05, retry_refused_s=0.2, dagster_url=""
    )


@pytest.fixture
def promoted(store: ObjectStore) -> ObjectStore:
    """A store in which version 1 is champion and Production."""
    write_bundle(store, tiny.contract(), tiny.graph())
    mirror.write_alias(store, tiny.REGISTERED, "Production", "1")
    mirror.write_champion(store, tiny.TASK, tiny.REGISTERED)
    return store


@pytest.fixture
def client(settings: Settings, promoted: ObjectStore) -> Iterator[TestClient]:
    """A client of a ready app."""
    app = create_app(settings, fingerprint_of=tiny.fingerprint_of)
    with TestClient(app, raise_server_exceptions=False) as ready:
        yield ready


@pytest.fixture
def state_client(settings: Settings, store: ObjectStore) -> Iterator[TestClient]:
    """A client of an app whose model takes every feature of the real window."""
    tiny_state.promote(store)
    with TestClient(create_app(settings)) as ready:
        yield ready


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Matches of the training data, of none, simulated, and without windows."""
    lake = Lake(tmp_path / "lake")
    for header in (made.ALPHA, made.BETA, made.GAMMA, made.NO_WINDOWS):
        lake.write_match(made.match(header))
        if header is not made.NO_WINDOWS:
            lake.write_windows(header, "round_state", made.windows(header), {"fingerprint": tiny.FINGERPRINT})
    return lake


@pytest.fixture
def api(settings: Settings, promoted: ObjectStore, lake: Lake) -> Iterator[TestClient]:
    """A client of an app over that lake."""
    with TestClient(create_app(settings, fingerprint_of=tiny.fingerprint_of)) as client:
        yield client
