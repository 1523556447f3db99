"""Windows: feature rows of the accepted matches of a day, checked against their declaration.

Belongs here: the asset and its blocking suite.
Does not belong here: features (``windows/``) and what is current (``stages/windowing.py``).
"""

from collections.abc import Iterator

import dagster as dg

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.conditions import follows_days_beside
from esports_assets.defs.partitions import CS2_DAYS
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import SUITE, column_schema, days_in, per_day, suite_result
from esports_assets.quality.suite import validate
from esports_assets.stages.maps import load_maps
from esports_assets.stages.windowing import window_day, windows_of
from esports_assets.windows.registry import ROUND_STATE

_KEY = dg.AssetKey(["windows", "cs2", "round_state"])
_MAPS = dg.AssetKey(["canonical", "cs2", "maps"])


@dg.asset(
    key=_KEY,
    deps=[*(dg.AssetKey(["canonical", "cs2", name]) for name in ("events", "tracking", "rounds", "players")), _MAPS],
    group_name="windows",
    owners=["team:ml"],
    kinds={"parquet"},
    code_version=f"{ROUND_STATE.version}.{ROUND_STATE.fingerprint}",
    partitions_def=CS2_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("declared_schema", asset=_KEY, blocking=True, description=SUITE)],
    metadata={"dagster/column_schema": column_schema(ROUND_STATE.table), "fingerprint": ROUND_STATE.fingerprint},
    automation_condition=follows_days_beside(_MAPS),
    description="State of every round once a second and after every event; features see the past only.",
)
def windows_cs2_round_state(
    context: dg.AssetExecutionContext, platform: Platform
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    lake, days = platform.lake, days_in(context)
    maps = load_maps(lake, Title.CS2)
    versions = {}
    for day in days:
        made = window_day(lake, Title.CS2, day, maps)
        versions[day.isoformat()] = made.data_version
        per_day(
            context,
            day,
            rows=made.rows,
            matches=len(made.records),
            computed=made.computed,
            data_version=made.data_version,
            read=dg.MetadataValue.json({record.match_id: record.facts["match_version"] for record in made.records}),
        )
    yield dg.MaterializeResult(
        metadata={"maps_version": maps.data_version}, data_version=dg.DataVersion(combined_hash(versions))
    )
    yield suite_result(validate(ROUND_STATE.table, windows_of(lake, Title.CS2, days)), "declared_schema", _KEY)
