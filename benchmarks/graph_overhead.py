"""Claim: the whole graph, in one Dagster run, costs at most 1.5 times the same stages called one after the other.

Both start from the same raw files in a lake of their own, on a real embedded PostgreSQL (registry, ledger), with the heavy
libraries imported beforehand. Run: ``python benchmarks/graph_overhead.py [--data PATH] [--matches N] [--rounds R] [--json]``.
"""

import argparse
import json
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import walk
from esports_assets.models.train import TrainSettings
from esports_assets.promotion.ledger import Ledger
from esports_assets.promotion.registry import Registry
from esports_assets.settings import Settings
from esports_assets.simulate.write import simulate_matches
from esports_assets.storage import embedded
from esports_assets.storage.database import connect, migrate
from esports_assets.storage.lake import Lake
from esports_assets.storage.objects import ObjectStore


class World:
    """A fresh lake with the raw files, a fresh object store, and a database of its own."""

    def __init__(self, root: Path, files: list[Path], server: Settings) -> None:
        self.lake, self.objects = Lake(root / "lake"), ObjectStore(root / "bundles")
        self.settings = replace(server, home=root, lake_url=str(root / "lake"), bundles_url=str(root / "bundles"))
        from esports_assets.adapters.base import day_of_name

        for file in files:
            self.lake.write_raw(Title.CS2, day_of_name(file.name), file.name, file.read_bytes())


def servers(root: Path) -> Settings:
    """An embedded PostgreSQL and Valkey below this folder."""
    return embedded.up(Settings.from_env({"ESPORTS_HOME": str(root)}))


def plain(world: World) -> float:
    """The stages one after the other."""
    from esports_assets.stages.whole import run_stages

    engine = connect(world.settings.database_url or "")
    migrate(engine)
    registry = Registry(world.settings.mlflow_tracking_uri or "", str(world.settings.home / "mlflow"))
    started = time.perf_counter()
    run_stages(
        world.lake, world.objects, registry, Ledger(engine), Title.CS2, world.lake.raw_days(Title.CS2), TrainSettings()
    )
    return time.perf_counter() - started


def dagster(world: World) -> float:
    """One run of the graph."""
    import os

    from dagster import DagsterInstance

    from esports_assets.orchestrate import materialize

    os.environ.update(world.settings.environment())
    with DagsterInstance.ephemeral() as instance:
        started = time.perf_counter()
        summary = materialize(world.lake, instance)
        took = time.perf_counter() - started
    if not summary.success:
        raise SystemExit(f"the run failed: {summary.errors}")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="source files; simulated ones otherwise")
    parser.add_argument("--matches", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1, help="how often each way is measured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    took: dict[str, list[float]] = {"stages": [], "graph": []}
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as folder:
        root = Path(folder)
        files = [f for f in walk([options.data]) if f.suffix in (".xz", ".zip")] if options.data else []
        files = files or simulate_matches(root / "sources", options.matches, 5)
        ways: list[tuple[str, Callable[[World], float]]] = [("stages", plain), ("graph", dagster)]
        first = [("warm up", plain), *(way for _ in range(options.rounds) for way in ways)]
        for number, (name, way) in enumerate(first):
            home = root / f"{number}"
            settings = servers(home)
            try:
                seconds = way(World(home, files, settings))
            finally:
                embedded.down(settings)
            if name in took:
                took[name].append(seconds)
    result = {
        "matches": len(files),
        "seconds": {name: [round(s, 2) for s in values] for name, values in took.items()},
        "ratio": round(median(took["graph"]) / median(took["stages"]), 3),
        "bar": 1.5,
    }
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
