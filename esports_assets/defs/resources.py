"""Resources: where the lake, the object store, the registry and the ledger are, and how candidates are learned.

Belongs here: what assets take beside their inputs.
Does not belong here: the things themselves (``storage/``, ``promotion/``).
"""

from functools import cached_property

import dagster as dg
from sqlalchemy import Engine

from esports_assets.models.train import TrainSettings
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.registry import Registry
from esports_assets.settings import Settings
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore

_DEFAULT = TrainSettings()


class Platform(dg.ConfigurableResource):
    """The platform as the environment describes it. Empty fields come from the environment."""

    lake_url: str = ""
    bundles_url: str = ""
    database_url: str = ""
    redis_url: str = ""
    mlflow_tracking_uri: str = ""

    @cached_property
    def _settings(self) -> Settings:
        return Settings.from_env()

    @cached_property
    def lake(self) -> Lake:
        """The lake."""
        return Lake(self.lake_url or self._settings.lake_url)

    @cached_property
    def objects(self) -> ObjectStore:
        """The store of bundles and markers."""
        return ObjectStore(self.bundles_url or self._settings.bundles_url)

    @property
    def stream_url(self) -> str | None:
        """Where the log is; None where the environment names no server."""
        return self.redis_url or self._settings.redis_url

    @cached_property
    def registry(self) -> Registry:
        """The MLflow registry."""
        uri = self.mlflow_tracking_uri or self._settings.mlflow_tracking_uri
        if not uri:
            raise ValueError("MLFLOW_TRACKING_URI or DATABASE_URL is needed for the registry: run `esports up` first")
        return Registry(uri, self._settings.artifacts_url)

    @cached_property
    def database(self) -> Engine:
        """The migrated database."""
        url = self.database_url or self._settings.database_url
        if not url:
            raise ValueError("DATABASE_URL is needed for ledger and published tables: run `esports up` first")
        engine = connect(url)
        migrate(engine)
        return engine

    @cached_property
    def ledger(self) -> Ledger:
        """The promotion ledger."""
        return Ledger(self.database)


class Training(dg.ConfigurableResource):
    """How candidates are learned and judged; a run may say otherwise. Other settings give other candidates."""

    seed: int = _DEFAULT.seed
    folds: int = _DEFAULT.folds
    replicates: int = _DEFAULT.replicates
    every_s: int = _DEFAULT.every_s

    @property
    def settings(self) -> TrainSettings:
        """The same as the models take them."""
        return TrainSettings(self.seed, self.folds, self.replicates, self.every_s)
