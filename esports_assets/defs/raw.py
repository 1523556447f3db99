"""Raw: the bytes as they came, per title and day.

Belongs here: the asset that says which source files a day holds.
Does not belong here: bringing files in (``esports ingest``), reading them (``canonical.py``).
"""

import dagster as dg

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.partitions import CS2_DAYS
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import days_in, per_day
from esports_assets.stages.sources import source_version


@dg.asset(
    key=["raw", "cs2", "matches"],
    group_name="raw",
    owners=["team:data"],
    kinds={"file"},
    code_version="1",
    partitions_def=CS2_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    description="Source files of the day: demo exports and GRID series, as they came. Bring them in with `esports ingest`.",
)
def raw_cs2_matches(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:
    lake, versions, total = platform.lake, {}, 0
    for day in days_in(context):
        files = lake.raw_files(Title.CS2, day)
        failures = lake.failures(Title.CS2, day)
        total += len(files)
        versions[day.isoformat()] = source_version(lake, Title.CS2, day)
        per_day(
            context,
            day,
            files=len(files),
            refusals=sum(len(record.refusals) for record in failures),
            data_version=versions[day.isoformat()],
            names=dg.MetadataValue.md("\n".join(f"* {file.name}" for file in files) or "none"),
        )
    return dg.MaterializeResult(metadata={"run_files": total}, data_version=dg.DataVersion(combined_hash(versions)))
