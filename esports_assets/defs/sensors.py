"""Sensors: what arrives from outside.

Belongs here: telling the graph that source files came or went, and asking again where a run was in vain.
Does not belong here: bringing files in (``ingest.py``), which days to ask for (``stages/arrivals.py``), what follows in the
graph (conditions at the assets).
"""

import dagster as dg
import msgspec
from dagster._core.storage.tags import RUN_KEY_TAG

from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.daily import recorded_versions
from esports_assets.defs.partitions import CS2_DAYS, range_tags, stretches
from esports_assets.defs.resources import Platform
from esports_assets.stages.arrivals import ATTEMPTS, Arrivals, Asked, Recorded, arrivals, run_key_of
from esports_assets.stages.sources import NOTHING, days_of_files, source_version

RAW = dg.AssetKey(["raw", Title.CS2.value, "matches"])


@dg.sensor(
    target=dg.AssetSelection.assets(RAW),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Days whose source files are not those that the graph recorded; a run in vain is tried {ATTEMPTS} times.",
)
def source_files(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    lake, instance, name = platform.lake, context.instance, CS2_DAYS.name or ""
    found = {day.isoformat(): source_version(lake, Title.CS2, day) for day in days_of_files(lake, Title.CS2)}
    recorded = _recorded(instance)
    asked = _memory(context.cursor)
    todo = arrivals(found, recorded, asked, lambda run_key: under_way(instance, run_key))
    registered = list(instance.get_dynamic_partitions(name))
    new = [day for day in todo.ask if day not in registered]
    requests = []
    for days in _together(todo, [*registered, *new]):
        attempt = todo.ask[days[0]]
        versions = {day: found.get(day, NOTHING) for day in days}
        run_key = run_key_of(versions, recorded, attempt)
        requests.append(dg.RunRequest(run_key, asset_selection=[RAW], tags=range_tags(days[0], days[-1])))
        asked |= {day: Asked(version, attempt, run_key) for day, version in versions.items()}
    open_days = {*todo.ask, *todo.under_way, *todo.given_up}
    cursor = msgspec.json.encode({day: asked[day] for day in sorted(open_days)}).decode()
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else _quiet(todo, len(found)),
        dynamic_partitions_requests=[CS2_DAYS.build_add_request(new)] if new else [],
        cursor=cursor,
    )


def _together(todo: Arrivals, registered: list[str]) -> list[list[str]]:
    """The days of each run: neighbours together at first, every day alone once a run was in vain."""
    again = [[day] for day, attempt in todo.ask.items() if attempt > 1]
    return [*stretches([day for day, attempt in todo.ask.items() if attempt == 1], registered), *again]


def _quiet(todo: Arrivals, days: int) -> str:
    """Why nothing is asked for."""
    if todo.given_up:
        return (
            f"{ATTEMPTS} runs were in vain for {', '.join(todo.given_up)}: read their logs, then materialize "
            f"{RAW.to_user_string()} for them by hand"
        )
    if todo.under_way:
        return f"runs are under way for {', '.join(todo.under_way)}"
    return f"the source files of {days} days are as the graph has recorded them"


def _memory(cursor: str | None) -> dict[str, Asked]:
    """What was asked for and not recorded yet; nothing where the cursor has another form."""
    try:
        return msgspec.json.decode(cursor or "{}", type=dict[str, Asked])
    except msgspec.DecodeError:
        return {}


def _recorded(instance: dg.DagsterInstance) -> dict[str, Recorded]:
    """The days that were materialized, with the version and the event of the last time."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    events = instance.event_log_storage.get_latest_storage_id_by_partition(RAW, kind)
    return {day: Recorded(version, events[day]) for day, version in recorded_versions(instance, RAW).items()}


def under_way(instance: dg.DagsterInstance, run_key: str) -> bool:
    """Whether a run with this key has not ended yet."""
    return any(not run.is_finished for run in instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: run_key})))
