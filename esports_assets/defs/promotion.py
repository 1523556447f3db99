"""Promotion: the decision, the ledger, the aliases, and the bundles that serving reads.

Belongs here: the assets.
Does not belong here: the policy and the steps (``promotion/``), comparing (``stages/deciding.py``).
"""

import dagster as dg

from esports_assets.defs.conditions import FOLLOWS
from esports_assets.defs.gates import INTENT_SUITES, verdicts
from esports_assets.defs.resources import Platform, Training
from esports_assets.defs.spans import sentences
from esports_assets.models.tasks import INTENT, ROUND_WIN, ModelTask
from esports_assets.promotion import mirror
from esports_assets.promotion.promote import reconcile
from esports_assets.stages.deciding import decide_and_promote
from esports_assets.stages.judging import AnyJudged, load
from esports_assets.stages.training import TrainingSet, candidate_id, training_set


@dg.asset(
    key=["promotion", "cs2", "round_win"],
    deps=[dg.AssetKey(["evaluation", "cs2", "round_win"])],
    group_name="promotion",
    owners=["team:ml"],
    kinds={"postgres", "mlflow"},
    code_version="1",
    automation_condition=FOLLOWS,
    description="Which version serves cs2.round_win, decided on evaluation and checks read again, with reasons in the ledger.",
)
def promotion_cs2_round_win(
    context: dg.AssetExecutionContext, platform: Platform, training: Training
) -> dg.MaterializeResult:
    return _decide(ROUND_WIN, context, platform, training, verdicts(context.instance))


@dg.asset(
    key=["promotion", "cs2", "intent"],
    deps=[dg.AssetKey(["evaluation", "cs2", "intent"])],
    group_name="promotion",
    owners=["team:ml"],
    kinds={"postgres", "mlflow"},
    code_version="1",
    automation_condition=FOLLOWS,
    description="Which version serves cs2.intent, decided on evaluation and checks read again, with reasons in the ledger.",
)
def promotion_cs2_intent(
    context: dg.AssetExecutionContext, platform: Platform, training: Training
) -> dg.MaterializeResult:
    return _decide(INTENT, context, platform, training, verdicts(context.instance, INTENT_SUITES, ()))


def _decide(
    task: ModelTask,
    context: dg.AssetExecutionContext,
    platform: Platform,
    training: Training,
    checks: dict[str, bool],
) -> dg.MaterializeResult:
    data = training_set(platform.lake, task)
    candidates = _reread(task, platform, training, data)
    decided = decide_and_promote(
        platform.lake,
        platform.objects,
        platform.registry,
        platform.ledger,
        task,
        candidates,
        data,
        checks,
        source="dagster",
        dagster_run_id=context.run.run_id,
    )
    current = platform.ledger.standing(task.name).current
    serving = "nothing" if current is None else f"{current.registered_name} v{current.to_version}"
    decision = decided.decision
    return dg.MaterializeResult(
        data_version=dg.DataVersion(serving),
        metadata={
            "decision": decision.kind.value if decision else "unchanged",
            "in_production": serving,
            "reasons": sentences((*decided.family_reasons, *(decision.reasons if decision else ())), "none"),
            "ledger_entry": decided.entry.id,
            "judged": {j.registered_name: {"version": j.version, "candidate": j.candidate_id} for j in candidates},
            "training_data_version": data.data_version,
            "checks": checks,
        },
    )


def _reread(task: ModelTask, platform: Platform, training: Training, data: TrainingSet) -> list[AnyJudged]:
    """The judgement of every family's candidate of today's matches, as evaluation kept it."""
    candidates = []
    for family in task.families:
        name, identity = task.registered_name(family), candidate_id(task, family, data, training.settings)
        judged = load(platform.lake, name, identity)
        if judged is None:
            raise dg.Failure(
                f"{name}: the candidate {identity} of today's matches was never evaluated; materialize evaluation first"
            )
        candidates.append(judged)
    return candidates


@dg.asset(
    key=["bundles", "cs2", "round_win"],
    deps=[dg.AssetKey(["promotion", "cs2", "round_win"])],
    group_name="bundles",
    owners=["team:ml"],
    kinds={"s3"},
    code_version="1",
    automation_condition=FOLLOWS,
    description="Bundles and markers in the object store, reconciled with the ledger: what serving reads.",
)
def bundles_cs2_round_win(platform: Platform) -> dg.MaterializeResult:
    return mirrored(ROUND_WIN, platform)


@dg.asset(
    key=["bundles", "cs2", "intent"],
    deps=[dg.AssetKey(["promotion", "cs2", "intent"])],
    group_name="bundles",
    owners=["team:ml"],
    kinds={"s3"},
    code_version="1",
    automation_condition=FOLLOWS,
    description="Bundles and markers of cs2.intent in the object store, reconciled with the ledger: what serving reads.",
)
def bundles_cs2_intent(platform: Platform) -> dg.MaterializeResult:
    return mirrored(INTENT, platform)


def mirrored(task: ModelTask, platform: Platform) -> dg.MaterializeResult:
    """Reconcile the object store with the ledger, and say what serves the task; dg.Failure for what cannot be had."""
    found = reconcile(registry=platform.registry, ledger=platform.ledger, objects=platform.objects)
    if found.broken:
        raise dg.Failure("; ".join(found.broken))
    champion = mirror.read_champion(platform.objects, task.name)
    aliases = mirror.aliases(platform.objects, champion) if champion else {}
    current = platform.ledger.standing(task.name).current
    return dg.MaterializeResult(
        data_version=dg.DataVersion(f"{champion} {sorted(aliases.items())}"),
        metadata={
            "champion": champion or "none",
            "aliases": aliases,
            "ledger_entry": current.id if current else 0,
            "repaired": sentences(found.repaired, "nothing"),
        },
    )
