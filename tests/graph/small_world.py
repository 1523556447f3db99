"""A platform in a folder, and what the tests of the graph do with it and ask of it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import IngestReport, ingest_paths
from esports_assets.models.train import TrainSettings
from esports_assets.orchestrate import RunSummary, materialize
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.registry import Registry
from esports_assets.settings import Settings
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore

SMALL = TrainSettings(folds=3, replicates=4, every_s=6)


@dataclass(frozen=True)
class World:
    """The platform, and what tests do with it."""

    folder: Path
    settings: Settings
    lake: Lake
    objects: ObjectStore
    registry: Registry
    ledger: Ledger
    instance: dg.DagsterInstance

    def ingest(self, *paths: Path) -> IngestReport:
        """Bring files in, in this process."""
        return ingest_paths(paths, self.lake, workers=1)

    def run(self, selection: str | None = None, days: list[date] | None = None) -> RunSummary:
        """One run of the graph with small settings."""
        return materialize(self.lake, self.instance, selection, days, training=SMALL)

    def materializations(self, key: str, run_id: str) -> dict[str | None, dg.AssetMaterialization]:
        """What a run recorded of an asset, by day."""
        filters = dg.AssetRecordsFilter(asset_key=dg.AssetKey(key.split("/")))
        records = self.instance.fetch_materializations(filters, limit=500).records
        events = [r.asset_materialization for r in records if r.run_id == run_id]
        return {event.partition: event for event in events if event is not None}

    def metadata(self, key: str, run_id: str, day: str | None = None) -> dict[str, Any]:
        """The metadata of one of them, as plain values."""
        found = self.materializations(key, run_id)[day].metadata
        return {name: value.value for name, value in found.items()}

    def checks(self, run_id: str) -> dict[str, dg.AssetCheckEvaluation]:
        """The evaluations of checks in a run, by asset and name."""
        logs = self.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        found = [log.dagster_event.asset_check_evaluation_data for log in logs if log.dagster_event]
        return {f"{e.asset_key.to_user_string()} {e.check_name}": e for e in found}

    @property
    def match_ids(self) -> list[str]:
        """The ids of all matches in the lake."""
        return [record.header.match_id for record in self.lake.matches(Title.CS2)]
