"""Checks that read more than the run of one asset: labels over all days.

Belongs here: checks with an op of their own.
Does not belong here: suites of declared tables; they run in the step of their asset.
"""

import dagster as dg
import pyarrow as pa

from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import sentences
from esports_assets.models.label_checks import find_label_carryover
from esports_assets.stages.maps import load_maps
from esports_assets.stages.windowing import shelf_of
from esports_assets.windows.registry import ROUND_STATE


@dg.asset_check(
    asset=["canonical", "cs2", "maps"],
    name="positions_inside_the_map",
    description="No match goes far beyond what the other matches of its map show.",
)
def positions_inside_the_map(platform: Platform) -> dg.AssetCheckResult:
    maps = load_maps(platform.lake, Title.CS2)
    outside = maps.outside()
    return dg.AssetCheckResult(
        passed=not outside,
        description="; ".join(outside[:3]) or None,
        metadata={
            "matches": sum(len(extents) for extents in maps.extents.values()),
            "outside": len(outside),
            "list": sentences(outside, "every match stays inside"),
        },
    )


@dg.asset_check(
    asset=["windows", "cs2", "round_state"],
    name="labels_are_their_own",
    blocking=True,
    description="First rows of a round do not carry the winner of the round before.",
)
def labels_are_their_own(platform: Platform) -> dg.AssetCheckResult:
    lake, window = platform.lake, shelf_of(ROUND_STATE)
    headers = {record.header.match_id: record.header for record in lake.matches(Title.CS2)}
    names = ["match_id", "segment", "ct_won"]
    parts = [
        lake.read_windows(headers[record.match_id], window, names).replace_schema_metadata(None)
        for record in lake.window_records(Title.CS2, window)
        if record.match_id in headers
    ]
    if not parts:
        return dg.AssetCheckResult(passed=True, description="there is no feature row yet")
    found = find_label_carryover(pa.concat_tables(parts).unify_dictionaries(), "ct_won", "match_id", "segment")
    return dg.AssetCheckResult(
        passed=found.passed,
        description=str(found),
        metadata={"rounds": found.rounds, "changed_rounds": found.changed_rounds, "carried": found.carried},
    )
