"""Gates: what the blocking checks upstream of a promotion say, read from the instance.

Belongs here: which checks those are, and what each said last about what is there now.
Does not belong here: the checks themselves (at their assets, ``checks.py``), what a failed one means (``promotion/policy.py``).

A blocking check stops its own run and no other: a later run would promote on what it stopped. A suite looks at the days of
its run only, so a later run over other days does not make up for it.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status

_FAILURES = 100
"""Failed runs of a suite that are looked at, the latest first."""


def _check(asset: str, name: str) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey(asset.split("/")), name)


SUITES = (
    *(_check(f"canonical/cs2/{table}", "declared_schema") for table in ("events", "tracking", "rounds", "players")),
    _check("windows/cs2/round_state", "declared_schema"),
)
"""Checks of the days of a run."""
WHOLE = (_check("windows/cs2/round_state", "labels_are_their_own"), _check("evaluation/cs2/round_win", "quality"))
"""Checks of all there is."""
INTENT_SUITES = (*SUITES[:-1], _check("windows/cs2/player_micro", "declared_schema"))
"""Checks of the days of a run that stand before cs2.intent."""


def verdicts(
    instance: dg.DagsterInstance,
    suites: Sequence[dg.AssetCheckKey] = SUITES,
    whole: Sequence[dg.AssetCheckKey] = WHOLE,
) -> dict[str, bool]:
    """Whether each gate stands open. One that was never evaluated says so in its name, and is shut."""
    found = {}
    for check in (*suites, *whole):
        name = f"{check.asset_key.to_user_string()} {check.name}"
        evaluated = instance.event_log_storage.get_asset_check_execution_history(
            check, limit=1, status={Status.SUCCEEDED, Status.FAILED}
        )
        if evaluated:
            found[name] = evaluated[0].status is Status.SUCCEEDED and not (check in suites and _stands(instance, check))
        else:
            found[f"{name} (never evaluated)"] = False
    return found


def _stands(instance: dg.DagsterInstance, suite: dg.AssetCheckKey) -> bool:
    """Whether a failed suite's run is the one that some day of the asset still comes from."""
    log = instance.event_log_storage
    failed = {r.run_id for r in log.get_asset_check_execution_history(suite, _FAILURES, status={Status.FAILED})}
    if not failed:
        return False
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    latest = list(log.get_latest_storage_id_by_partition(suite.asset_key, kind).values())
    filters = dg.AssetRecordsFilter(asset_key=suite.asset_key, storage_ids=latest)
    return any(event.run_id in failed for event in instance.fetch_materializations(filters, len(latest)).records)
