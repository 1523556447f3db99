"""Sensors: what arrives from outside.

Belongs here: telling the graph that source files came or went.
Does not belong here: bringing files in (``ingest.py``), what follows in the graph (conditions at the assets).
"""

import json

import dagster as dg

from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.partitions import CS2_DAYS, range_tags, ranges
from esports_assets.defs.resources import Platform
from esports_assets.stages.sources import source_version

RAW = dg.AssetKey(["raw", Title.CS2.value, "matches"])


@dg.sensor(
    target=dg.AssetSelection.assets(RAW),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Days whose source files are not those that the graph has seen last. New days are registered.",
)
def source_files(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    lake, instance, name = platform.lake, context.instance, CS2_DAYS.name or ""
    seen: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    found = {day.isoformat(): source_version(lake, Title.CS2, day) for day in lake.raw_days(Title.CS2)}
    changed = [day for day in sorted(found) if found[day] != (seen.get(day) or _materialized(instance, day))]
    cursor = json.dumps(found, sort_keys=True)
    if not changed:
        context.update_cursor(cursor)
        return dg.SkipReason(f"the source files of {len(found)} days are as the graph has seen them")
    registered = list(instance.get_dynamic_partitions(name))
    new = [day for day in changed if day not in registered]
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(asset_selection=[RAW], tags=range_tags(*span))
            for span in ranges(changed, [*registered, *new])
        ],
        dynamic_partitions_requests=[CS2_DAYS.build_add_request(new)] if new else [],
        cursor=cursor,
    )


def _materialized(instance: dg.DagsterInstance, day: str) -> str | None:
    """The source version of a day as the graph has recorded it last."""
    filters = dg.AssetRecordsFilter(asset_key=RAW, asset_partitions=[day])
    records = instance.fetch_materializations(filters, limit=1).records
    event = records[0].asset_materialization if records else None
    value = event.metadata.get("data_version") if event else None
    return None if value is None else str(value.value)
