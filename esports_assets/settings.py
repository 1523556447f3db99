"""One typed value for everything that the environment decides.

Belongs here: names of environment variables, their defaults, and how they are handed to child processes.
Does not belong here: starting servers (``storage/embedded.py``), settings of the slim service's own routes
(``serving/settings.py``), numbers of models and policies.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from esports_assets.storage.urls import with_schema


class SettingsError(ValueError):
    """A variable of the environment that cannot be used, in one sentence."""

    def __init__(self, variable: str, sentence: str) -> None:
        super().__init__(sentence)
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is. A URL that is None means the embedded server of ``home``; artifacts are those of MLflow runs."""

    home: Path
    database_url: str | None
    redis_url: str | None
    lake_url: str
    bundles_url: str
    mlflow_tracking_uri: str | None
    artifacts_url: str
    dagster_home: Path
    dagster_pg_url: str | None
    api_host: str
    api_port: int
    dagster_host: str
    dagster_port: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment; an empty variable counts as absent. SettingsError names a variable that is wrong."""
        env = {name: value for name, value in (os.environ if environ is None else environ).items() if value}
        home = Path(env.get("ESPORTS_HOME", ".esports")).expanduser().absolute()
        database_url = _database(env)
        return cls(
            home=home,
            database_url=database_url,
            redis_url=_redis(env),
            lake_url=_location(env, "LAKE_URL", home / "lake"),
            bundles_url=_location(env, "BUNDLES_URL", home / "bundles"),
            mlflow_tracking_uri=env.get("MLFLOW_TRACKING_URI") or _schema_of(database_url, "mlflow"),
            artifacts_url=_location(env, "ARTIFACTS_URL", home / "mlflow"),
            dagster_home=Path(env.get("DAGSTER_HOME", home / "dagster")).expanduser().absolute(),
            dagster_pg_url=env.get("DAGSTER_PG_URL") or _schema_of(database_url, "dagster"),
            api_host=env.get("API_HOST", "127.0.0.1"),
            api_port=_port(env, "API_PORT", 8000),
            dagster_host=env.get("DAGSTER_HOST", "127.0.0.1"),
            dagster_port=_port(env, "DAGSTER_PORT", 3000),
        )

    @classmethod
    def usable_from_env(cls, environ: Mapping[str, str] | None = None) -> tuple["Settings", tuple[SettingsError, ...]]:
        """The settings with the default in the place of every wrong variable, and what is wrong with each of these."""
        env = dict(os.environ if environ is None else environ)
        wrong: list[SettingsError] = []
        while True:
            try:
                return cls.from_env(env), tuple(wrong)
            except SettingsError as error:
                wrong.append(error)
                del env[error.variable]

    def with_servers(self, database_url: str, redis_url: str) -> "Settings":
        """The same with running servers; Dagster and MLflow get schemas of their own in the database."""
        return replace(
            self,
            database_url=database_url,
            redis_url=redis_url,
            mlflow_tracking_uri=self.mlflow_tracking_uri or _schema_of(database_url, "mlflow"),
            dagster_pg_url=self.dagster_pg_url or _schema_of(database_url, "dagster"),
        )

    def environment(self) -> dict[str, str]:
        """What a child process needs to see the same world; unknown URLs are left out."""
        known = {
            "ESPORTS_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "LAKE_URL": self.lake_url,
            "BUNDLES_URL": self.bundles_url,
            "MLFLOW_TRACKING_URI": self.mlflow_tracking_uri,
            "ARTIFACTS_URL": self.artifacts_url,
            "DAGSTER_HOME": str(self.dagster_home),
            "DAGSTER_PG_URL": self.dagster_pg_url,
            "API_HOST": self.api_host,
            "API_PORT": str(self.api_port),
            "DAGSTER_HOST": self.dagster_host,
            "DAGSTER_PORT": str(self.dagster_port),
        }
        return {name: value for name, value in known.items() if value is not None}

    @property
    def api_url(self) -> str:
        """Where a browser of this machine reaches the API."""
        return f"http://{_reachable(self.api_host)}:{self.api_port}"

    @property
    def dagster_url(self) -> str:
        """Where a browser of this machine reaches the Dagster UI."""
        return f"http://{_reachable(self.dagster_host)}:{self.dagster_port}"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host


def _schema_of(database_url: str | None, schema: str) -> str | None:
    return None if database_url is None else with_schema(database_url, schema)


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, str(default))
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise SettingsError(name, f"{name}={value} is not a port: give a number from 1 to 65535")
    return int(value)


def _location(env: Mapping[str, str], name: str, default: Path) -> str:
    value = env.get(name)
    if value is None:
        return str(default)
    scheme, separator, _ = value.partition("://")
    if separator and scheme not in ("s3", "file"):
        raise SettingsError(name, f"{name}={value} is neither a path nor an s3:// URL")
    return value if separator else str(Path(value).expanduser().absolute())


def _database(env: Mapping[str, str]) -> str | None:
    value = env.get("DATABASE_URL")
    if value is not None and not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg2://")):
        raise SettingsError("DATABASE_URL", "DATABASE_URL must start with postgresql://")
    return value.replace("postgres://", "postgresql://", 1) if value and value.startswith("postgres://") else value


def _redis(env: Mapping[str, str]) -> str | None:
    value = env.get("REDIS_URL")
    if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError("REDIS_URL", "REDIS_URL must start with redis://, rediss:// or unix://")
    return value
