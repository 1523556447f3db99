"""Canonical: source files of a day become events, tracking, rounds and players, checked before anything reads them.

Belongs here: the assets of the language and the maps, with their blocking suites and the check that names quarantined matches.
Does not belong here: adapters, invariants and suites themselves.
"""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.schema import CANONICAL_TABLES, Table
from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.conditions import FOLLOWS
from esports_assets.defs.partitions import CS2_DAYS
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import SUITE, column_schema, days_in, per_day, sentences, suite_result
from esports_assets.ingest import reread_day
from esports_assets.quality.suite import validate
from esports_assets.stages.maps import learn_maps
from esports_assets.storage.lake import Lake, MatchRecord

_TITLE = Title.CS2
CANONICAL_VERSION = "1"
"""Code version of the canonical stage: bump it when the same source bytes give other tables."""


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
def canonical_cs2(
    context: dg.AssetExecutionContext, platform: Platform
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    lake, days = platform.lake, days_in(context)
    accepted: list[MatchRecord] = []
    trouble: list[str] = []
    for day in days:
        reread_day(lake, _TITLE, day)
        records = lake.matches(_TITLE, day)
        good = [record for record in records if not record.quarantined]
        accepted += good
        trouble += [str(finding) for record in records for finding in record.quarantined]
        trouble += [str(refusal) for failed in lake.failures(_TITLE, day) for refusal in failed.refusals]
        for table in CANONICAL_TABLES:
            per_day(
                context,
                day,
                _key(table.name),
                rows=sum(record.rows[table.name] for record in good),
                matches=len(good),
                quarantined=len(records) - len(good),
                read=dg.MetadataValue.json(sorted({record.raw for record in records})),
                data_version=combined_hash({r.header.match_id: r.versions[table.name] for r in good}),
            )
    for table in CANONICAL_TABLES:
        version = combined_hash({record.header.match_id: record.versions[table.name] for record in accepted})
        yield dg.MaterializeResult(asset_key=_key(table.name), data_version=dg.DataVersion(version))
        yield suite_result(validate(table, _parts(lake, table, accepted)), "declared_schema", _key(table.name))
    yield dg.AssetCheckResult(
        passed=not trouble,
        check_name="matches_accepted",
        asset_key=_key("events"),
        description=None if not trouble else f"{len(trouble)} things were refused or quarantined; first: {trouble[0]}",
        metadata={
            "accepted": len(accepted),
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
    code_version="1",
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
