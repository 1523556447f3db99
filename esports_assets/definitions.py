"""The code location: every asset under ``defs/``, with jobs, automation and resources.

Belongs here: loading. Does not belong here: anything else.
"""

import dagster as dg

from esports_assets import defs as stages
from esports_assets.defs.automation import automation, reconcile_bundles, whole_graph
from esports_assets.defs.resources import Platform, Training
from esports_assets.defs.rps_models import rps_cycle, rps_training
from esports_assets.defs.sensors import source_files
from esports_assets.defs.serving import serving_api
from esports_assets.defs.stream_sensor import stream

defs = dg.Definitions(
    assets=[*dg.load_assets_from_package_module(stages), serving_api],
    asset_checks=dg.load_asset_checks_from_package_module(stages),
    jobs=[whole_graph, rps_cycle],
    schedules=[reconcile_bundles, rps_training],
    sensors=[automation, source_files, stream],
    resources={"platform": Platform(), "training": Training()},
)
