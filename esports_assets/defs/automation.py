"""Automation: what runs by itself.

Belongs here: jobs, the automation sensor, the schedule that reconciles bundles.
Does not belong here: conditions of single assets (they stand at the assets).
"""

import dagster as dg

whole_graph = dg.define_asset_job(
    "whole_graph",
    selection=dg.AssetSelection.all().materializable(),
    description="Everything, for the days of the run.",
)

automation = dg.AutomationConditionSensorDefinition(
    "automation",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
)

reconcile_bundles = dg.ScheduleDefinition(
    name="reconcile_bundles",
    target=dg.AssetSelection.assets(["bundles", "cs2", "round_win"]),
    cron_schedule="*/30 * * * *",
    description="What the object store lost is rebuilt from registry and ledger.",
)
