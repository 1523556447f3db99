"""The graph as committed JSON, so that every change of it is a diff that a person reviews.

After a wanted change: ``UPDATE_GRAPH=1 python -m pytest tests/graph/test_snapshot.py`` writes ``graph.json`` anew.
"""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from esports_assets.definitions import defs
from esports_assets.defs.resources import Training
from esports_assets.models.train import TrainSettings
from esports_assets.windows.player_form import PLAYER_FORM

SNAPSHOT = Path(__file__).with_name("graph.json")
ROOT = Path(__file__).parents[2]


def described() -> dict[str, Any]:
    """Everything about the graph that other code, people or automation rely on."""
    graph = defs.resolve_asset_graph()
    nodes = {node.key.to_user_string(): node for node in graph.asset_nodes}
    checks = {key.to_user_string(): graph.get(key) for key in graph.asset_check_keys}
    return {
        "assets": {
            name: {
                "group": node.group_name,
                "deps": sorted(key.to_user_string() for key in node.parent_keys),
                "kinds": sorted(node.kinds),
                "owners": list(node.owners),
                "partitions": getattr(node.partitions_def, "name", None),
                "one run for many days": node.backfill_policy is not None,
                "external": not node.is_materializable,
                "versioned": node.code_version is not None,
                "requested": node.automation_condition.get_label() if node.automation_condition else None,
            }
            for name, node in sorted(nodes.items())
        },
        "checks": {name: {"blocking": check.blocking} for name, check in sorted(checks.items())},
        "jobs": {
            job.name: sorted(k.to_user_string() for k in job.asset_layer.executable_asset_keys)
            for job in defs.resolve_all_job_defs()
            if not job.name.startswith("__")
        },
        "sensors": {
            sensor.name: {
                "status": sensor.default_status.value,
                "every_s": sensor.minimum_interval_seconds,
                "targets": sorted(key.to_user_string() for key in _selection(sensor).resolve(graph)),
            }
            for sensor in defs.sensors or ()
        },
        "schedules": {s.name: s.cron_schedule for s in defs.schedules or () if isinstance(s, dg.ScheduleDefinition)},
        "resources": sorted(defs.resources or ()),
    }


def _selection(sensor: dg.SensorDefinition) -> dg.AssetSelection:
    if sensor.asset_selection is not None:
        return sensor.asset_selection
    job = sensor.targets[0].resolvable_to_job
    assert isinstance(job, UnresolvedAssetJobDefinition)
    return job.selection


def test_the_graph_is_as_committed() -> None:
    text = json.dumps(described(), indent=2) + "\n"
    if os.environ.get("UPDATE_GRAPH"):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_asset_says_what_it_is() -> None:
    for node in defs.resolve_asset_graph().asset_nodes:
        name = node.key.to_user_string()
        assert node.description, name
        assert node.description.endswith("."), f"{name}: a description is a sentence"
        assert node.key.path[0] == node.group_name, name
        assert node.owners, name
        assert node.kinds, name


def test_every_check_says_what_holds() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.asset_check_keys:
        assert graph.get(key).description, key.to_user_string()


def test_tables_declare_their_columns() -> None:
    for name in ("canonical/cs2/events", "canonical/cs2/tracking", "canonical/cs2/rounds", "canonical/cs2/players"):
        schema = defs.resolve_asset_graph().get(dg.AssetKey(name.split("/"))).metadata["dagster/column_schema"]
        assert schema.columns[0].name in ("event_id", "match_id")
    columns = _columns("windows/cs2/round_state")
    assert columns["ct_won"].description.startswith("Label")
    assert not columns["t_s"].constraints.nullable
    form = _columns("windows/cs2/player_form")
    assert list(form)[-5:] == list(PLAYER_FORM.feature_names)
    assert (form["time_alive_avg_s"].type, form["time_alive_avg_s"].constraints.nullable) == ("real [s]", True)


def _columns(name: str) -> dict[str, dg.TableColumn]:
    schema = defs.resolve_asset_graph().get(dg.AssetKey(name.split("/"))).metadata["dagster/column_schema"]
    return {column.name: column for column in schema.columns}


def test_a_run_can_say_every_training_setting() -> None:
    assert set(Training.model_fields) == {field.name for field in fields(TrainSettings)}
    assert Training().settings == TrainSettings()
    assert Training(seed=1, folds=3, replicates=2, every_s=4).settings == TrainSettings(1, 3, 2, 4)


@pytest.mark.slow
def test_dagster_validates_the_code_location(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    command = [
        str(Path(sys.executable).with_name("dagster")),
        "definitions",
        "validate",
        "-m",
        "esports_assets.definitions",
    ]
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "All code locations passed validation" in done.stdout + done.stderr
