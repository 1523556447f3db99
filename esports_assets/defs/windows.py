"""Windows: feature rows of the accepted matches of a day, checked against their declaration.

Belongs here: the assets with their blocking suites.
Does not belong here: features (``windows/``) and what is current (``stages/windowing.py``).
"""

import dagster as dg

from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.conditions import FOLLOWS, follows_days_beside
from esports_assets.defs.daily import Day, Results, days_in, materialized
from esports_assets.defs.partitions import CS2_DAYS
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import SUITE, column_schema, suite_result
from esports_assets.models.multiclass.labelled import LABELS_VERSION, PLAYER_MICRO_LABELLED
from esports_assets.quality.suite import validate
from esports_assets.stages.maps import load_maps
from esports_assets.stages.windowing import FORM_READS, WindowedDay, form_day, micro_day, window_day, windows_of
from esports_assets.windows.micro.spec import PLAYER_MICRO
from esports_assets.windows.player_form import PLAYER_FORM
from esports_assets.windows.registry import ROUND_STATE

_STATE = dg.AssetKey(["windows", "cs2", "round_state"])
_MICRO = dg.AssetKey(["windows", "cs2", "player_micro"])
_FORM = dg.AssetKey(["windows", "cs2", "player_form"])
_MAPS = dg.AssetKey(["canonical", "cs2", "maps"])


@dg.asset(
    key=_STATE,
    deps=[*(dg.AssetKey(["canonical", "cs2", name]) for name in ("events", "tracking", "rounds", "players")), _MAPS],
    group_name="windows",
    owners=["team:ml"],
    kinds={"parquet"},
    code_version=f"{ROUND_STATE.version}.{ROUND_STATE.fingerprint}",
    partitions_def=CS2_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("declared_schema", asset=_STATE, blocking=True, description=SUITE)],
    metadata={"dagster/column_schema": column_schema(ROUND_STATE.table), "fingerprint": ROUND_STATE.fingerprint},
    automation_condition=follows_days_beside(_MAPS),
    description="State of every round once a second and after every event; features see the past only.",
)
def windows_cs2_round_state(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    lake, days = platform.lake, days_in(context)
    maps = load_maps(lake, Title.CS2)
    done = [window_day(lake, Title.CS2, day, maps) for day in days]
    yield from materialized(context, _STATE, [_day(windowed, maps_version=maps.data_version) for windowed in done])
    yield suite_result(validate(ROUND_STATE.table, windows_of(lake, Title.CS2, days)), "declared_schema", _STATE)


@dg.asset(
    key=_MICRO,
    deps=[*(dg.AssetKey(["canonical", "cs2", name]) for name in ("events", "tracking", "rounds", "players")), _MAPS],
    group_name="windows",
    owners=["team:ml"],
    kinds={"parquet"},
    code_version=f"{PLAYER_MICRO.version}.{PLAYER_MICRO.fingerprint}.{LABELS_VERSION}",
    partitions_def=CS2_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("declared_schema", asset=_MICRO, blocking=True, description=SUITE)],
    metadata={
        "dagster/column_schema": column_schema(PLAYER_MICRO_LABELLED),
        "fingerprint": PLAYER_MICRO.fingerprint,
    },
    automation_condition=follows_days_beside(_MAPS),
    description="What every living player did in the last seconds, twice a second, and as a label what he did next.",
)
def windows_cs2_player_micro(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    lake, days = platform.lake, days_in(context)
    maps = load_maps(lake, Title.CS2)
    done = [micro_day(lake, Title.CS2, day, maps) for day in days]
    yield from materialized(context, _MICRO, [_day(windowed, maps_version=maps.data_version) for windowed in done])
    suite = validate(PLAYER_MICRO_LABELLED, windows_of(lake, Title.CS2, days, PLAYER_MICRO))
    yield suite_result(suite, "declared_schema", _MICRO)


@dg.asset(
    key=_FORM,
    deps=[dg.AssetKey(["canonical", "cs2", name]) for name in FORM_READS],
    group_name="windows",
    owners=["team:ml"],
    kinds={"parquet"},
    code_version=f"{PLAYER_FORM.version}.{PLAYER_FORM.fingerprint}",
    partitions_def=CS2_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("declared_schema", asset=_FORM, blocking=True, description=SUITE)],
    metadata={"dagster/column_schema": column_schema(PLAYER_FORM.table), "fingerprint": PLAYER_FORM.fingerprint},
    automation_condition=FOLLOWS,
    description="Form of every player as of each round, from earlier rounds of the match only.",
)
def windows_cs2_player_form(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    lake, days = platform.lake, days_in(context)
    done = [form_day(lake, Title.CS2, day) for day in days]
    yield from materialized(context, _FORM, [_day(windowed) for windowed in done])
    suite = validate(PLAYER_FORM.table, windows_of(lake, Title.CS2, days, PLAYER_FORM))
    yield suite_result(suite, "declared_schema", _FORM)


def _day(windowed: WindowedDay, **read: str) -> Day:
    matches = {record.match_id: record.facts["match_version"] for record in windowed.records}
    return Day(
        windowed.day,
        windowed.data_version,
        {
            "rows": windowed.rows,
            "matches": len(windowed.records),
            "computed": windowed.computed,
            "read": dg.MetadataValue.json(matches),
            **read,
        },
    )
