"""Snapshots: the CS:GO round snapshots, where ROUND_SNAPSHOTS names them, and the check that finds their label defect.

Belongs here: the asset and its check. The prior of ``models.py`` learns from it, with its labels repaired.
Does not belong here: reading (``stages/snapshots.py``), the check's arithmetic (``models/label_checks.py``).
"""

import os
from pathlib import Path

import dagster as dg

from esports_assets.canonical.codec import content_hash
from esports_assets.models.label_checks import find_label_carryover
from esports_assets.stages.snapshots import VARIABLE, read_snapshots

_KEY = dg.AssetKey(["raw", "csgo", "round_snapshots"])


@dg.asset(
    key=_KEY,
    group_name="raw",
    owners=["team:data"],
    kinds={"csv"},
    code_version="1",
    description="Round snapshots of CS:GO made by others; empty unless the variable ROUND_SNAPSHOTS names the CSV file.",
)
def raw_csgo_round_snapshots() -> dg.MaterializeResult:
    path = os.environ.get(VARIABLE)
    if not path:
        return dg.MaterializeResult(data_version=dg.DataVersion("none"), metadata={"rows": 0})
    table = read_snapshots(Path(path))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(table)), metadata={"rows": table.num_rows, "file": Path(path).name}
    )


@dg.asset_check(
    asset=_KEY, name="labels_are_their_own", description="First snapshots do not carry the winner of the round before."
)
def snapshot_labels_are_their_own() -> dg.AssetCheckResult:
    path = os.environ.get(VARIABLE)
    if not path:
        return dg.AssetCheckResult(passed=True, description=f"{VARIABLE} names no file: there are no labels to check")
    found = find_label_carryover(read_snapshots(Path(path)))
    return dg.AssetCheckResult(
        passed=found.passed,
        description=str(found),
        metadata={
            "rounds": found.rounds,
            "changed_rounds": found.changed_rounds,
            "carried": found.carried,
            "rows_wrong": found.rows_wrong,
        },
    )
