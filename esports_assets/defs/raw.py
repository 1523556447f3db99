"""Raw: the bytes as they came, per title and day.

Belongs here: the asset that says which source files a day holds.
Does not belong here: bringing files in (``esports ingest``), reading them (``canonical.py``).
"""

from datetime import date

import dagster as dg

from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.daily import Day, Results, days_in, materialized
from esports_assets.defs.partitions import CS2_DAYS
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import sentences
from esports_assets.stages.sources import source_version
from esports_assets.storage.lake import Lake

_KEY = dg.AssetKey(["raw", "cs2", "matches"])


@dg.asset(
    key=_KEY,
    group_name="raw",
    owners=["team:data"],
    kinds={"file"},
    code_version="1",
    partitions_def=CS2_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    description="Source files of the day: demo exports and GRID series, as they came. Bring them in with `esports ingest`.",
)
def raw_cs2_matches(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    yield from materialized(context, _KEY, [_day(platform.lake, day) for day in days_in(context)])


def _day(lake: Lake, day: date) -> Day:
    files = lake.raw_files(Title.CS2, day)
    return Day(
        day,
        source_version(lake, Title.CS2, day),
        {
            "files": len(files),
            "refusals": sum(len(record.refusals) for record in lake.failures(Title.CS2, day)),
            "names": sentences((file.name for file in files), "none"),
        },
    )
