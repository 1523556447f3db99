"""The registry on a real database: runs, versions with bundles, aliases, and refusals in sentences."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from unit.promotion.conftest import World

from esports_assets.promotion.registry import Registry, RegistryError, RunRecord
from esports_assets.promotion.terms import Alias, Estimate

FILES = {"model.onnx": b"graph", "contract.json": b"{}", "manifest.json": b"[]"}


def logged(world: World, **changes: object) -> str:
    return world.registry.log_run(RunRecord(world.task, "a run", **changes))  # type: ignore[arg-type]


def test_run_keeps_intervals_tags_parameters_and_plots(world: World, engine: Engine) -> None:
    run_id = logged(
        world,
        params={f"p{n}": n for n in range(120)},
        metrics={"log_loss": Estimate(0.47, 0.45, 0.49), "n_matches": 46},
        tags={"dagster_run_id": "d1", "data_version": "v", "window_fingerprint": "w", "code_version": "1"},
        files={"plots/reliability.png": b"png"},
    )
    with engine.connect() as connection:
        metrics = dict(
            connection.execute(text("SELECT key, value FROM mlflow.metrics WHERE run_uuid = :run"), {"run": run_id})
            .tuples()
            .all()
        )
        tags = dict(
            connection.execute(text("SELECT key, value FROM mlflow.tags WHERE run_uuid = :run"), {"run": run_id})
            .tuples()
            .all()
        )
        n_params = connection.scalar(text("SELECT count(*) FROM mlflow.params WHERE run_uuid = :run"), {"run": run_id})
        status = connection.scalar(text("SELECT status FROM mlflow.runs WHERE run_uuid = :run"), {"run": run_id})
    assert metrics == {"log_loss": 0.47, "log_loss_lo": 0.45, "log_loss_hi": 0.49, "n_matches": 46.0}
    assert tags["dagster_run_id"] == "d1"
    assert tags["window_fingerprint"] == "w"
    assert n_params == 120
    assert status == "FINISHED"
    stored = Path(str(world.registry.artifact_root), world.task, run_id, "artifacts", "plots", "reliability.png")
    assert stored.read_bytes() == b"png"


def test_a_finished_run_is_found_by_its_tags(world: World) -> None:
    wanted = {"candidate_id": "c1", "evaluation_version": "1"}
    assert world.registry.find_run(world.task, wanted) is None
    run_id = logged(world, tags={**wanted, "data_version": "v"})
    logged(world, tags={**wanted, "evaluation_version": "2"})
    with pytest.raises(OSError):
        logged(world, tags=wanted, files={"a": b"a file", "a/b": b"below a file"})
    assert world.registry.find_run(world.task, wanted) == run_id
    assert world.registry.find_run(f"{world.task}.other", wanted) is None
    latest = logged(world, tags=wanted)
    assert world.registry.find_run(world.task, wanted) == latest


def test_mlflow_stays_in_its_schema(world: World, engine: Engine) -> None:
    logged(world)
    assert "alembic_version" in inspect(engine).get_table_names(schema="mlflow")
    assert "alembic_version" not in inspect(engine).get_table_names(schema="public")


def test_versions_count_up_and_give_their_bundles_back(world: World) -> None:
    runs = [logged(world), logged(world)]
    for number, run_id in enumerate(runs, start=1):
        content = {**FILES, "contract.json": f"v{number}".encode()}
        made = world.registry.register(world.name(), run_id, lambda version, its=content: its, {"data_version": "d"})
        assert made == number
        assert world.registry.bundle_of(world.name(), number) == content
    newest = world.registry.versions(world.name())[0]
    assert (newest.version, newest.run_id, newest.complete) == (2, runs[1], True)
    assert newest.tags["data_version"] == "d"
    assert world.registry.versions(world.name("random_forest")) == []


def test_registering_a_run_again_makes_no_second_version(world: World) -> None:
    run_id = logged(world)

    def crash(version: int) -> dict[str, bytes]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.registry.register(world.name(), run_id, crash)
    assert not world.registry.version(world.name(), 1).complete
    with pytest.raises(RegistryError, match="no complete bundle"):
        world.registry.bundle_of(world.name(), 1)
    for _ in range(2):
        assert world.registry.register(world.name(), run_id, lambda version: FILES) == 1
    assert world.registry.bundle_of(world.name(), 1) == FILES


def test_aliases(world: World) -> None:
    assert world.registry.aliases(world.name()) == {}
    for _ in range(2):
        world.registry.register(world.name(), logged(world), lambda version: FILES)
    for alias, version in ((Alias.PRODUCTION, 1), (Alias.PRODUCTION, 2), (Alias.B, 1), (Alias.SHADOW1, 1)):
        world.registry.set_alias(world.name(), alias, version)
    world.registry.set_alias(world.name(), Alias.SHADOW1, None)
    assert world.registry.aliases(world.name()) == {Alias.PRODUCTION: 2, Alias.B: 1}
    assert world.registry.get_alias(world.name(), Alias.SHADOW2) is None
    with pytest.raises(RegistryError, match=r"v9 is not in the registry"):
        world.registry.set_alias(world.name(), Alias.B, 9)


def test_a_bundle_that_was_changed_or_lost_is_refused(world: World) -> None:
    world.registry.register(world.name(), logged(world), lambda version: FILES)
    stored = Path(world.registry.version(world.name(), 1).source)
    (stored / "model.onnx").write_bytes(b"other")
    with pytest.raises(RegistryError, match="not the one that was registered"):
        world.registry.bundle_of(world.name(), 1)
    for path in stored.iterdir():
        path.unlink()
    stored.rmdir()
    with pytest.raises(RegistryError, match="cannot be read"):
        world.registry.bundle_of(world.name(), 1)


def test_a_moved_artifact_root_gets_a_successor_of_the_experiment(world: World, tmp_path: Path) -> None:
    world.registry.register(world.name(), logged(world), lambda version: FILES)
    moved = Registry(world.registry.tracking_uri, str(tmp_path / "elsewhere"))
    for number in (2, 3):
        run_id = moved.log_run(RunRecord(world.task, "after the move"))
        assert moved.register(world.name(), run_id, lambda version: FILES) == number
    assert (tmp_path / "elsewhere").is_dir()
    assert moved.bundle_of(world.name(), 1) == moved.bundle_of(world.name(), 3) == FILES


def test_refusals(world: World) -> None:
    with pytest.raises(RegistryError, match="postgresql:// or http"):
        Registry("./mlruns", None)
    with pytest.raises(RegistryError, match="does not answer"):
        Registry("postgresql://nobody@127.0.0.1:1/none", None).log_run(RunRecord("t.t", "r"))
    with pytest.raises(RegistryError, match="not a metric's name"):
        logged(world, metrics={"log/loss": 1.0})


def test_mlflow_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, esports_assets.promotion.promote as p, esports_assets.promotion.registry as r; "
        "r.Registry('postgresql://x/y', None); sys.exit('mlflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
