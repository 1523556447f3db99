"""Evaluation: candidates judged in three steps with whole matches, registered in MLflow with report, plots and bundle.

Belongs here: the asset with its blocking quality check, metadata that plots over time.
Does not belong here: the judgement (``stages/judging.py``), whether it may serve (``promotion.py``).
"""

import base64
from collections.abc import Iterator

import dagster as dg

from esports_assets.canonical.codec import combined_hash
from esports_assets.defs.conditions import FOLLOWS
from esports_assets.defs.resources import Platform, Training
from esports_assets.models.metrics import Metric
from esports_assets.models.tasks import INTENT, ROUND_WIN, ModelTask
from esports_assets.promotion.policy import failed_gates, too_little_data
from esports_assets.promotion.terms import DEFAULT_POLICY
from esports_assets.stages.deciding import candidate_of
from esports_assets.stages.judging import EVALUATION_VERSION, ClassJudged, Judged, Judgement, judge
from esports_assets.stages.training import train, training_set

_INTENT = dg.AssetKey(["evaluation", "cs2", "intent"])
_KEY = dg.AssetKey(["evaluation", "cs2", "round_win"])


@dg.asset(
    key=_KEY,
    deps=[dg.AssetKey(["models", "cs2", "round_win"])],
    group_name="evaluation",
    owners=["team:ml"],
    kinds={"mlflow"},
    code_version=EVALUATION_VERSION,
    check_specs=[
        dg.AssetCheckSpec(
            "quality",
            asset=_KEY,
            blocking=True,
            description="One family at least beats the prior with its whole interval, is calibrated and no worse than logistic.",
        )
    ],
    automation_condition=FOLLOWS,
    description="Chronological hold-out, grouped production split and grouped cross-validation, beside prior and plain logistic.",
)
def evaluation_cs2_round_win(
    context: dg.AssetExecutionContext, platform: Platform, training: Training
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    yield from _evaluate(ROUND_WIN, _KEY, context, platform, training)


@dg.asset(
    key=_INTENT,
    deps=[dg.AssetKey(["models", "cs2", "intent"])],
    group_name="evaluation",
    owners=["team:ml"],
    kinds={"mlflow"},
    code_version=EVALUATION_VERSION,
    check_specs=[
        dg.AssetCheckSpec(
            "quality",
            asset=_INTENT,
            description="One family at least beats every baseline in macro-F1 with its whole interval, and is calibrated. "
            "It blocks nothing: a candidate that fails is refused by the promotion, with the reason in the ledger.",
        )
    ],
    automation_condition=FOLLOWS,
    description="Chronological hold-out, grouped production split and grouped cross-validation of cs2.intent, beside "
    "majority, persistence and heuristics.",
)
def evaluation_cs2_intent(
    context: dg.AssetExecutionContext, platform: Platform, training: Training
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    yield from _evaluate(INTENT, _INTENT, context, platform, training)


def _evaluate(
    task: ModelTask, key: dg.AssetKey, context: dg.AssetExecutionContext, platform: Platform, training: Training
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    data = training_set(platform.lake, task)
    judgements: list[Judgement] = []
    for family in task.families:
        learned, _ = train(platform.lake, task, family, data, training.settings)
        judgements.append(
            judge(
                platform.lake,
                platform.registry,
                task,
                learned,
                data,
                training.settings,
                context.run.run_id,
                key.to_user_string(),
            )
        )
    metadata: dict[str, dg.MetadataValue | float | int] = {}
    trouble = {}
    for judgement in judgements:
        judged = judgement.judged
        metadata |= _metadata(judgement)
        candidate = candidate_of(judged, {})
        objections = (
            *too_little_data(candidate, DEFAULT_POLICY),
            *failed_gates(candidate, judged.evaluation.window_fingerprint, DEFAULT_POLICY),
        )
        trouble[judged.learned.family] = list(objections)
    candidates = {j.judged.registered_name: j.judged.candidate_id for j in judgements}
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(combined_hash({**candidates, "judged_by": EVALUATION_VERSION})),
        metadata={
            **metadata,
            "training_data_version": data.data_version,
            "matches": data.rows.n_matches,
            "candidates": candidates,
            "versions": {j.judged.registered_name: f"{j.judged.version}" for j in judgements},
        },
    )
    passed = any(not objections for objections in trouble.values())
    yield dg.AssetCheckResult(
        passed=passed,
        check_name="quality",
        asset_key=key,
        severity=dg.AssetCheckSeverity.WARN if task.several else dg.AssetCheckSeverity.ERROR,
        description=None if passed else "; ".join(sentence for lines in trouble.values() for sentence in lines),
        metadata={"objections": trouble},
    )


def _metadata(judgement: Judgement) -> dict[str, dg.MetadataValue | float | int]:
    judged = judgement.judged
    family, step = judged.learned.family, judged.evaluation.cross_validation
    found: dict[str, dg.MetadataValue | float | int] = {
        f"{family}_{name}": metric.value for name, metric in step.metrics.items()
    }
    if isinstance(judged, ClassJudged):
        steps = judged.evaluation.steps
        found |= {f"{family}_gain_over_{n}": r.gain["macro_f1"].value for n, r in steps[-1].baselines.items()}
        found[f"{family}_report"] = dg.MetadataValue.md(class_report(judged))
    else:
        found[f"{family}_gain_over_logistic"] = step.baselines["plain_logistic"].gain["log_loss"].value
        found[f"{family}_report"] = dg.MetadataValue.md(_report(judged))
    for name, png in sorted(judgement.plots.items()):
        image = base64.b64encode(png).decode()
        found[f"{family}_{name.removesuffix('.png')}"] = dg.MetadataValue.md(
            f"![{name}](data:image/png;base64,{image})"
        )
    return found


def _report(judged: Judged) -> str:
    lines = [
        "| step | matches | log loss | Brier | ECE | AUC | accuracy | gain over logistic |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for step in judged.evaluation.steps:
        measured = [step.metrics[name] for name in ("log_loss", "brier", "ece", "auc", "accuracy")]
        cells = [_cell(metric) for metric in (*measured, step.baselines["plain_logistic"].gain["log_loss"])]
        lines.append(f"| {step.name} | {step.n_matches} | {' | '.join(cells)} |")
    return "\n".join(lines)


def class_report(judged: ClassJudged) -> str:
    """Steps with every baseline, then every class."""
    evaluation = judged.evaluation
    names = list(evaluation.cross_validation.baselines)
    lines = [
        f"| step | matches | macro-F1 | log loss | ECE | accuracy | {' | '.join(f'gain over {n}' for n in names)} |",
        "|---" * (6 + len(names)) + "|",
    ]
    for step in evaluation.steps:
        measured = [step.metrics[name] for name in ("macro_f1", "log_loss", "ece", "accuracy")]
        cells = [_cell(metric) for metric in (*measured, *(step.baselines[n].gain["macro_f1"] for n in names))]
        lines.append(f"| {step.name} | {step.n_matches} | {' | '.join(cells)} |")
    lines += ["", "| class | rows | precision | recall | F1 |", "|---|---|---|---|---|"]
    for name, found in evaluation.per_class.items():
        lines.append(f"| {name} | {found.rows} | {found.precision:.3f} | {found.recall:.3f} | {found.f1:.3f} |")
    return "\n".join(lines)


def _cell(metric: Metric) -> str:
    """A metric with its interval where there is one: a step that tests on one match has none."""
    if metric.lo is None or metric.hi is None:
        return f"{metric.value:.4f}"
    return f"{metric.value:.4f} [{metric.lo:.4f}, {metric.hi:.4f}]"
