"""Canonical: source files of a day become events, tracking, rounds and players, checked before anything reads them.

Belongs here: the assets of the language and the maps, with their blocking suites and the check that names quarantined matches.
Does not belong here: adapters, invariants and suites themselves.
"""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pyarrow as pa

from esports_assets.canonical.schema import CANONICAL_TABLES, Table
from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.conditions import FOLLOWS
from esports_assets.defs.daily import Day, Results, days_in, materialized
from esports_assets.defs.partitions import CS2_DAYS
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import SUITE, column_schema, sentences, suite_result
from esports_assets.quality.suite import validate
from esports_assets.stages.maps import learn_maps
from esports_assets.stages.sources import read_day, table_version
from esports_assets.storage.lake import Lake, MatchRecord

_TITLE = Title.CS2
CANONICAL_VERSION = "3"
"""Code version of the canonical stage: bump it when the same source bytes give other tables."""


STREAM = "the stream"
"""Where a match without a source file was read from."""


def _key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["canonical", _TITLE.value, table])


def _specs() -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            _key(table.name),
            deps=[dg.AssetKey(["raw", _TITLE.value, "matches"])],
            group_name="canonical",
            owners=["team:data"],
            kinds={"parquet"},
            code_version=CANONICAL_VERSION,
            partitions_def=CS2_DAYS,
            description=table.doc,
            metadata={"dagster/column_schema": column_schema(table)},
            automation_condition=FOLLOWS,
        )
        for table in CANONICAL_TABLES
    ]


_CHECKS = [
    *(
        dg.AssetCheckSpec("declared_schema", asset=_key(t.name), blocking=True, description=SUITE)
        for t in CANONICAL_TABLES
    ),
    dg.AssetCheckSpec(
        "matches_accepted",
        asset=_key("events"),
        description="No match of the day breaks an invariant and no file was refused. A match that does is left out downstream.",
    ),
]


@dg.multi_asset(
    specs=_specs(),
    check_specs=_CHECKS,
    name="canonical_cs2",
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def canonical_cs2(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    lake, days = platform.lake, days_in(context)
    for day in days:
        read_day(lake, _TITLE, day)
    records = {day: lake.matches(_TITLE, day) for day in days}
    accepted = [record for day in days for record in _accepted(records[day])]
    for table in CANONICAL_TABLES:
        yield from materialized(context, _key(table.name), [_day(table, day, records[day]) for day in days])
        yield suite_result(validate(table, _parts(lake, table, accepted)), "declared_schema", _key(table.name))
    yield _matches_accepted(len(accepted), [line for day in days for line in _trouble(lake, day, records[day])])


def _accepted(records: list[MatchRecord]) -> list[MatchRecord]:
    return [record for record in records if not record.quarantined]


def _day(table: Table, day: date, records: list[MatchRecord]) -> Day:
    good = _accepted(records)
    return Day(
        day,
        table_version(table.name, good),
        {
            "rows": sum(record.rows[table.name] for record in good),
            "matches": len(good),
            "quarantined": len(records) - len(good),
            "read": dg.MetadataValue.json(sorted({record.raw or STREAM for record in records})),
        },
    )


def _trouble(lake: Lake, day: date, records: list[MatchRecord]) -> Iterator[str]:
    """One sentence for everything of the day that was quarantined or refused."""
    yield from (str(finding) for record in records for finding in record.quarantined)
    yield from (str(refusal) for failed in lake.failures(_TITLE, day) for refusal in failed.refusals)


def _matches_accepted(accepted: int, trouble: list[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not trouble,
        check_name="matches_accepted",
        asset_key=_key("events"),
        description=None if not trouble else f"{len(trouble)} things were refused or quarantined; first: {trouble[0]}",
        metadata={
            "accepted": accepted,
            "trouble": len(trouble),
            "list": sentences(trouble, "every match is accepted"),
        },
    )


def _parts(lake: Lake, table: Table, records: list[MatchRecord]) -> Iterator[pa.Table]:
    """One table per match, so that no more than one lies in memory."""
    return (lake.read(table.name, record.header) for record in records)


@dg.asset(
    key=["canonical", _TITLE.value, "maps"],
    deps=[_key("events")],
    group_name="canonical",
    owners=["team:data"],
    kinds={"json"},
    code_version="2",
    description="Bomb sites of every map, learned from the plants of all accepted matches.",
    automation_condition=FOLLOWS,
)
def maps_cs2(platform: Platform) -> dg.MaterializeResult:
    maps = learn_maps(platform.lake, _TITLE)
    plants = {name: {site: len(rows) for site, rows in sites.items()} for name, sites in maps.book.plants.items()}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(maps.data_version),
        metadata={
            "maps": len(plants),
            "plants": sum(sum(p.values()) for p in plants.values()),
            "plants_by_site": plants,
            "events_read": maps.source_version,
        },
    )
