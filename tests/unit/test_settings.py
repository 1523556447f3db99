"""What the environment decides, and what it may not say."""

from pathlib import Path

import pytest

from esports_assets.settings import Settings, SettingsError
from esports_assets.storage.urls import with_schema, without_password


def test_defaults_lie_in_the_home() -> None:
    settings = Settings.from_env({"ESPORTS_HOME": "/srv/home"})
    assert (settings.lake_url, settings.bundles_url) == ("/srv/home/lake", "/srv/home/bundles")
    assert (settings.database_url, settings.redis_url, settings.mlflow_tracking_uri) == (None, None, None)
    assert settings.dagster_home == Path("/srv/home/dagster")
    assert (settings.api_url, settings.dagster_url) == ("http://127.0.0.1:8000", "http://127.0.0.1:3000")
    assert Settings.from_env({}).home == Path.cwd() / ".esports"


def test_everything_can_be_given_and_handed_on() -> None:
    given = {
        "ESPORTS_HOME": "/h",
        "DATABASE_URL": "postgres://u:p@db:5432/x",
        "REDIS_URL": "rediss://cache/1",
        "LAKE_URL": "s3://bucket/lake",
        "BUNDLES_URL": "/b",
        "API_HOST": "0.0.0.0",
        "API_PORT": "9001",
        "DAGSTER_PORT": "9002",
        "MLFLOW_TRACKING_URI": "",
    }
    settings = Settings.from_env(given)
    assert settings.api_url == "http://127.0.0.1:9001"
    assert settings.mlflow_tracking_uri == "postgresql://u:p@db:5432/x?options=-csearch_path%3Dmlflow"
    assert settings.dagster_pg_url == "postgresql://u:p@db:5432/x?options=-csearch_path%3Ddagster"
    assert Settings.from_env(settings.environment()) == settings


def test_servers_complete_the_settings() -> None:
    settings = Settings.from_env({"ESPORTS_HOME": "/h"}).with_servers("postgresql://db/x", "redis://r")
    assert settings.environment()["DATABASE_URL"] == "postgresql://db/x"
    assert settings.environment()["MLFLOW_TRACKING_URI"] == "postgresql://db/x?options=-csearch_path%3Dmlflow"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "80000"),
        ("DAGSTER_PORT", "x"),
        ("DATABASE_URL", "sqlite:///x"),
        ("REDIS_URL", "localhost:6379"),
        ("LAKE_URL", "gs://bucket"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: value})


def test_urls() -> None:
    socket = "postgresql://postgres:@/postgres?host=/srv/pg"
    assert with_schema(socket, "mlflow") == f"{socket}&options=-csearch_path%3Dmlflow"
    assert with_schema(with_schema(socket, "a"), "b") == f"{socket}&options=-csearch_path%3Db"
    assert without_password("postgresql://u:secret@db:5432/x") == "postgresql://u:***@db:5432/x"
    assert without_password(socket) == socket
    assert without_password("redis://127.0.0.1:1/0") == "redis://127.0.0.1:1/0"
