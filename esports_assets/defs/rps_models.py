"""The next move of rock-paper-scissors: candidates per family and alias, judged, promoted, mirrored; every half hour anew.

Belongs here: the assets and their schedule.
Does not belong here: gates and continuation (``stages/move_training.py``), rulings (``stages/move_judging.py``), aliases
(``stages/move_promotion.py``).

Each asset plans anew from the ledger and the lake, so a later one finds what an earlier one kept. Nothing moves before promotion.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from esports_assets.canonical.codec import combined_hash
from esports_assets.defs.evaluation import class_report
from esports_assets.defs.gates import verdicts
from esports_assets.defs.promotion import mirrored
from esports_assets.defs.resources import Platform
from esports_assets.defs.spans import sentences
from esports_assets.models.rows import TooLittleData
from esports_assets.models.tasks import NEXT_MOVE
from esports_assets.stages.judging import EVALUATION_VERSION
from esports_assets.stages.move_games import MoveSet, move_set
from esports_assets.stages.move_judging import MoveJudgement, held_by_checks, judge_due
from esports_assets.stages.move_promotion import MoveWorld, carry_out, plan_cycle
from esports_assets.stages.move_training import MOVES_CODE_VERSION, Due, train_due

MODELS, EVALUATION = dg.AssetKey(["models", "rps", "next_move"]), dg.AssetKey(["evaluation", "rps", "next_move"])
PROMOTION, BUNDLES = dg.AssetKey(["promotion", "rps", "next_move"]), dg.AssetKey(["bundles", "rps", "next_move"])
WINDOWS = [dg.AssetKey(["windows", "rps", name]) for name in ("next_move", "next_move_signs")]
CHECKS = tuple(
    dg.AssetCheckKey(key, "declared_schema")
    for key in (*(dg.AssetKey(["canonical", "rps", name]) for name in ("events", "players")), *WINDOWS)
)
"""What must have passed last before anything is promoted."""


def _world(context: dg.AssetExecutionContext, platform: Platform) -> MoveWorld:
    return MoveWorld(
        *(platform.lake, platform.objects, platform.registry, platform.ledger, platform.database),
        source="dagster",
        dagster_run_id=context.run.run_id,
        asset_key=EVALUATION.to_user_string(),
    )


def _planned(context: dg.AssetExecutionContext, world: MoveWorld) -> tuple[MoveSet, list[Due]] | None:
    """The data and every alias; None where there is no game."""
    try:
        data = move_set(world.lake)
    except TooLittleData as lack:
        context.log.warning(f"{NEXT_MOVE.name} is left as it is: {lack}")
        return None
    return data, plan_cycle(world, data, datetime.now(UTC))


def _judged(data: MoveSet, due: list[Due], world: MoveWorld) -> list[MoveJudgement]:
    found = []
    for one in due:
        if one.held is None:
            learned, _ = train_due(world.lake, data, one)
            found.append(
                judge_due(world.lake, world.registry, data, one, learned, world.dagster_run_id, world.asset_key)
            )
    return found


rps_cycle = dg.define_asset_job(
    "rps_cycle",
    selection=dg.AssetSelection.assets(BUNDLES).upstream().required_multi_asset_neighbors(),
    description="Games of rock-paper-scissors, from their source files to the bundles of every alias.",
)


@dg.schedule(
    job=rps_cycle,
    cron_schedule="*/30 * * * *",
    description="Trains what is due; never beside a cycle that is still running.",
)
def rps_training(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    runs = context.instance.get_runs(dg.RunsFilter(job_name=rps_cycle.name))
    if any(not run.is_finished for run in runs):
        return dg.SkipReason("the cycle before is still running")
    return dg.RunRequest()


@dg.asset(
    key=MODELS,
    deps=WINDOWS,
    group_name="models",
    owners=["team:ml"],
    kinds={"onnx", "xgboost", "scikitlearn"},
    code_version=MOVES_CODE_VERSION,
    output_required=False,
    description="Candidates for rps.next_move, one per family and alias that is due: first ones by configuration, later ones "
    "going on from the version that holds the alias.",
)
def models_rps_next_move(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult]:
    world = _world(context, platform)
    planned = _planned(context, world)
    if planned is None:
        return
    data, due = planned
    found: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    for one in due:
        if one.held is not None:
            continue
        learned, fresh = train_due(world.lake, data, one)
        found[f"{one.family} {one.alias}"] = learned.candidate_id
        told = {
            "candidate": learned.candidate_id,
            "learned_now": fresh,
            "graph_differs_by": learned.verified_difference,
        }
        metadata[f"{one.family}_{one.alias}"] = dg.MetadataValue.json({**told, **learned.settings})
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(combined_hash({**found, "data": data.data_version})),
        metadata={
            "games": len(data.chosen.games),
            "rows": data.chosen.rows,
            "judging_games": len(data.chosen.judging),
            "simulated": data.chosen.simulated,
            "held_back": sentences((one.held for one in due if one.held), "nothing"),
            **metadata,
        },
    )


@dg.asset(
    key=EVALUATION,
    deps=[MODELS],
    group_name="evaluation",
    owners=["team:ml"],
    kinds={"mlflow"},
    code_version=EVALUATION_VERSION,
    output_required=False,
    description="Chronological hold-out, production split and cross-validation with whole games, beside majority and a Markov "
    "chain, of every candidate of rps.next_move; and each compared with what it goes on from.",
)
def evaluation_rps_next_move(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult]:
    world = _world(context, platform)
    planned = _planned(context, world)
    if planned is None:
        return
    judgements = _judged(*planned, world)
    metadata: dict[str, Any] = {}
    for told in judgements:
        metrics = told.judged.evaluation.cross_validation.metrics
        metadata |= {
            f"{told.due.family}_{told.due.alias}_{name}": metrics[name].value for name in ("log_loss", "accuracy")
        }
        metadata[f"{told.due.family}_{told.due.alias}_report"] = dg.MetadataValue.md(class_report(told.judged))
    candidates = {
        f"{told.judged.registered_name} v{told.judged.version}": told.judged.candidate_id for told in judgements
    }
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(combined_hash({**candidates, "judged_by": EVALUATION_VERSION})),
        metadata={**metadata, "versions": candidates},
    )


@dg.asset(
    key=PROMOTION,
    deps=[EVALUATION],
    group_name="promotion",
    owners=["team:ml"],
    kinds={"postgres", "mlflow"},
    code_version="1",
    output_required=False,
    description="Which versions hold the four aliases of every family of rps.next_move, with reasons in the ledger.",
)
def promotion_rps_next_move(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult]:
    world = _world(context, platform)
    planned = _planned(context, world)
    if planned is None:
        return
    checks = verdicts(context.instance, (), CHECKS)
    judgements = [held_by_checks(told, checks) for told in _judged(*planned, world)]
    carry_out(world, judgements)
    aliases = {
        name: {alias.value: version for alias, version in slots.items()}
        for name, slots in world.ledger.standing(NEXT_MOVE.name).aliases.items()
    }
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(
            combined_hash({name: repr(sorted(slots.items())) for name, slots in aliases.items()})
        ),
        metadata={
            "aliases": aliases,
            "reasons": sentences((line for told in judgements for line in told.decision.reasons), "nothing was due"),
            "checks": checks,
        },
    )


@dg.asset(
    key=BUNDLES,
    deps=[PROMOTION],
    group_name="bundles",
    owners=["team:ml"],
    kinds={"s3"},
    code_version="1",
    description="Bundles and markers of rps.next_move in the object store, reconciled with the ledger: what serving reads.",
)
def bundles_rps_next_move(platform: Platform) -> dg.MaterializeResult:
    return mirrored(NEXT_MOVE, platform)
