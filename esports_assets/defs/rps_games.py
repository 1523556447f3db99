"""Games of rock-paper-scissors: source files, the language, and the two windows before a move, checked before anything reads them.

Belongs here: the assets with their checks.
Does not belong here: reading, windows (``stages/move_games.py``), models (``rps_models.py``).

These assets hold all days at once: a game is a few kilobytes, and one run knows days of one title only. Where nobody brought games,
``RPS_SIMULATED_GAMES`` says how many of each pairing of the scripted players are simulated; nothing follows from no game.
"""

import os
from collections.abc import Iterator, Sequence

import dagster as dg

from esports_assets.canonical.codec import combined_hash
from esports_assets.canonical.schema import CANONICAL_TABLES
from esports_assets.canonical.vocabulary import Title
from esports_assets.defs.canonical import CANONICAL_VERSION
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import SUITE, column_schema, sentences, suite_result
from esports_assets.quality.suite import validate
from esports_assets.stages.move_games import SIMULATED_SEED, read_games, simulated_source
from esports_assets.stages.sources import days_of, source_version, table_version
from esports_assets.stages.windowing import moves_day, shelf_of, windows_of
from esports_assets.storage.lake import Lake, MatchRecord
from esports_assets.windows.next_move import NEXT_MOVE
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS
from esports_assets.windows.spec import WindowSpec

VARIABLE = "RPS_SIMULATED_GAMES"
RAW = dg.AssetKey(["raw", "rps", "games"])
TABLES = tuple(table for table in CANONICAL_TABLES if table.name in ("events", "players"))
"""A game has no clock, no space and no rounds of two roles: the other tables are empty."""
Results = Iterator[dg.MaterializeResult | dg.AssetCheckResult]


def _canonical(table: str) -> dg.AssetKey:
    return dg.AssetKey(["canonical", "rps", table])


@dg.asset(
    key=RAW,
    group_name="raw",
    owners=["team:data"],
    kinds={"file"},
    code_version="1",
    description="Recorded games, a game a line, of people or, where there are none and it is asked for, simulated.",
)
def raw_rps_games(platform: Platform) -> dg.MaterializeResult:
    lake, wanted = platform.lake, int(os.environ.get(VARIABLE) or 0)
    simulated = simulated_source(lake, wanted, SIMULATED_SEED) if wanted > 0 else False
    days = days_of(lake, Title.RPS)
    files = [file for day in days for file in lake.raw_files(Title.RPS, day)]
    versions = {day.isoformat(): source_version(lake, Title.RPS, day) for day in days}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(combined_hash(versions)),
        metadata={"files": len(files), "days": len(days), "simulated_now": simulated},
    )


@dg.multi_asset(
    name="canonical_rps",
    specs=[
        dg.AssetSpec(
            _canonical(table.name),
            deps=[RAW],
            group_name="canonical",
            owners=["team:data"],
            kinds={"parquet"},
            code_version=CANONICAL_VERSION,
            description=table.doc,
            metadata={"dagster/column_schema": column_schema(table)},
        )
        for table in TABLES
    ],
    check_specs=[
        *(
            dg.AssetCheckSpec("declared_schema", asset=_canonical(t.name), blocking=True, description=SUITE)
            for t in TABLES
        ),
        dg.AssetCheckSpec(
            "matches_accepted",
            asset=_canonical("events"),
            description="No game breaks an invariant or a promise, and no line was refused. A game that does is left out.",
        ),
    ],
)
def canonical_rps(platform: Platform) -> Results:
    lake = platform.lake
    read_games(lake)
    records = lake.matches(Title.RPS)
    accepted = [record for record in records if not record.quarantined]
    for table in TABLES:
        key = _canonical(table.name)
        yield dg.MaterializeResult(
            asset_key=key,
            data_version=dg.DataVersion(table_version(table.name, accepted)),
            metadata={"rows": sum(record.rows[table.name] for record in accepted), "games": len(accepted)},
        )
        suite = validate(table, (lake.read(table.name, record.header) for record in accepted))
        yield suite_result(suite, "declared_schema", key)
    yield _accepted(lake, records)


def _accepted(lake: Lake, records: Sequence[MatchRecord]) -> dg.AssetCheckResult:
    trouble = [str(finding) for record in records for finding in record.quarantined]
    trouble += [str(refusal) for failed in lake.failures(Title.RPS) for refusal in failed.refusals]
    return dg.AssetCheckResult(
        passed=not trouble,
        check_name="matches_accepted",
        asset_key=_canonical("events"),
        description=None if not trouble else f"{len(trouble)} things were refused or quarantined; first: {trouble[0]}",
        metadata={"trouble": len(trouble), "list": sentences(trouble, "every game is accepted")},
    )


def _window(spec: WindowSpec, description: str) -> dg.AssetsDefinition:
    """The asset of one of the two windows."""
    key = dg.AssetKey(["windows", *spec.name.split("/")])

    @dg.asset(
        key=key,
        deps=[_canonical("events")],
        group_name="windows",
        owners=["team:ml"],
        kinds={"parquet"},
        code_version=f"{spec.version}.{spec.fingerprint}",
        check_specs=[dg.AssetCheckSpec("declared_schema", asset=key, blocking=True, description=SUITE)],
        metadata={"dagster/column_schema": column_schema(spec.table), "fingerprint": spec.fingerprint},
        description=description,
    )
    def window(platform: Platform) -> Results:
        lake = platform.lake
        days = lake.days(Title.RPS)
        done = [moves_day(lake, day, spec) for day in days]
        yield dg.MaterializeResult(
            data_version=dg.DataVersion(combined_hash({its.day.isoformat(): its.data_version for its in done})),
            metadata={
                "rows": sum(its.rows for its in done),
                "games": sum(len(its.records) for its in done),
                "computed": sum(its.computed for its in done),
                "shelf": shelf_of(spec),
            },
        )
        yield suite_result(validate(spec.table, windows_of(lake, Title.RPS, days, spec)), "declared_schema", key)

    return window


windows_rps_next_move = _window(
    NEXT_MOVE, "The fifty inputs before each round of a game, and what the user then played."
)
windows_rps_next_move_signs = _window(
    NEXT_MOVE_SIGNS, "What experts read before each round: words of predictors of this one user, and habits."
)
