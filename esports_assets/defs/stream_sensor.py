"""The stream sensor: matches that ended in the log are landed in the lake, and their days are brought up to date.

Belongs here: the cursor, one request per day whose tables in the lake are not those that the graph recorded, what a tick tells.
Does not belong here: landing (``stages/stream_landing.py``), source files (``sensors.py``), what follows in the graph.
"""

from collections.abc import Collection
from datetime import date

import dagster as dg
import msgspec

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.schema import CANONICAL_TABLES
from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.daily import recorded_versions
from esports_assets.defs.partitions import CS2_DAYS, range_tags
from esports_assets.defs.resources import Platform
from esports_assets.defs.sensors import under_way
from esports_assets.stages.arrivals import ATTEMPTS, Arrivals, Asked, Recorded, arrivals
from esports_assets.stages.sources import table_version
from esports_assets.stages.stream_landing import Landed, Place, Position, Stage, land
from esports_assets.storage.lake import Lake
from esports_assets.streams.connect import connected
from esports_assets.streams.log import EventLog

CANONICAL = {table.name: dg.AssetKey(["canonical", Title.CS2.value, table.name]) for table in CANONICAL_TABLES}
NO_STREAM = "REDIS_URL names no server, so there is no stream to land: set it, or start the platform with 'esports up'"


class Cursor(msgspec.Struct, frozen=True):
    """The last entry that was read, the matches that wait (``stream_landing.Position``), and the days that were asked for."""

    last: str | None = None
    matches: dict[str, Place] = {}
    asked: dict[str, Asked] = {}

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """The cursor as it was written; an entry id alone is one too, and anything else is none."""
        if text and text.replace("-", "", 1).isdecimal():
            return cls(last=text)
        try:
            return msgspec.json.decode(text or "{}", type=cls)
        except msgspec.DecodeError:
            return cls()

    def __str__(self) -> str:
        return msgspec.json.encode(self).decode()


@dg.sensor(
    name="stream",
    target=dg.AssetSelection.assets(*CANONICAL.values()),
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Matches that ended in the stream go into the lake; their days are requested, each with a run of its own.",
)
def stream(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    if not platform.stream_url:
        return dg.SkipReason(NO_STREAM)
    cursor, instance, name = Cursor.read(context.cursor), context.instance, CS2_DAYS.name or ""
    with connected(platform.stream_url) as client:
        step = land(EventLog(client), platform.lake, Position(cursor.last, cursor.matches))
    for told in (*step.refused, *step.lost):
        context.log.error(told.sentence)
    days = {*cursor.asked, *(day.isoformat() for day in step.days.get(Title.CS2, ()))}
    found = {day: _version(platform.lake, day) for day in sorted(days)}
    todo = arrivals(found, _recorded(instance, days), cursor.asked, lambda run_key: under_way(instance, run_key))
    requests, asked = [], dict(cursor.asked)
    for day, attempt in todo.ask.items():
        run_key = f"{day} {step.position.last} {found[day][:12]} attempt {attempt}"
        requests.append(dg.RunRequest(run_key, asset_selection=list(CANONICAL.values()), tags=range_tags(day, day)))
        asked[day] = Asked(found[day], attempt, run_key)
    open_days = {*todo.ask, *todo.under_way, *todo.given_up}
    new = [day for day in todo.ask if day not in instance.get_dynamic_partitions(name)]
    after = Cursor(step.position.last, step.position.matches, {day: asked[day] for day in sorted(open_days)})
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else _quiet(step, todo),
        dynamic_partitions_requests=[CS2_DAYS.build_add_request(new)] if new else [],
        cursor=str(after),
    )


def _quiet(step: Landed, todo: Arrivals) -> str:
    """Why nothing is asked for, and how far the stream was read."""
    lag = step.lag
    told = [
        f"{'at least ' if lag.at_least else ''}{lag.entries} entries or {lag.seconds:.1f} s behind the stream",
        f"{step.waiting} matches have begun and are not landed yet",
    ]
    refused = [name for name, place in step.position.matches.items() if place.stage is Stage.REFUSED]
    if refused:
        told.append(f"{len(refused)} make no match, the first is {min(refused)}: the tick that read them says why")
    if step.malformed:
        told.append(f"{step.malformed} entries were malformed: see 'esports deadletter list'")
    if todo.under_way:
        told.append(f"runs are under way for {', '.join(todo.under_way)}")
    if todo.given_up:
        days = ", ".join(todo.given_up)
        told.append(f"{ATTEMPTS} runs were in vain for {days}: read their logs, then materialize the days by hand")
    return "; ".join(told)


def _version(lake: Lake, day: str) -> str:
    """One version of a day's tables as the lake holds them."""
    records = lake.matches(Title.CS2, date.fromisoformat(day))
    return combined_hash({table: table_version(table, records) for table in CANONICAL})


def _recorded(instance: dg.DagsterInstance, days: Collection[str]) -> dict[str, Recorded]:
    """The same of the days of which the graph recorded every table; only the version counts here, not the event."""
    tables = {table: recorded_versions(instance, key, sorted(days)) for table, key in CANONICAL.items()} if days else {}
    whole = [day for day in days if tables and all(day in versions for versions in tables.values())]
    return {day: Recorded(combined_hash({table: tables[table][day] for table in tables}), 0) for day in whole}
