"""Stage: candidates of the next move judged in three steps, registered as versions with their bundle, beside what they go on from.

Belongs here: from a stored candidate to a registered version and to a ruling about its alias.
Does not belong here: the steps (``models/multiclass/evaluate.py``), aliases (``move_promotion.py``).

Only rows that may judge are judged on: people's, where there are any. A version takes its alias where its probabilities come true
(calibration error at most ``PolicyConfig.max_ece``, less what chance alone makes of so few rows), where it says more than chance
(the interval of its log loss below that of three equal probabilities), and where it is no worse than the version that holds the
alias: the interval of the paired difference in log loss below ``PolicyConfig.margin``. Both are asked by models that never saw the
fold of the row (``models/rps/lineage.py``).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec
import numpy as np

from esports_assets.models import bundle as bundles
from esports_assets.models.metrics import BINS, paired_gain
from esports_assets.models.multiclass.evaluate import evaluate_classes
from esports_assets.models.multiclass.evaluation import ClassEvaluation
from esports_assets.models.multiclass.learning import ClassOutOfFold
from esports_assets.models.multiclass.plots import class_report_pngs
from esports_assets.models.multiclass.scaling import VectorScaling
from esports_assets.models.rps.families import WINDOWS
from esports_assets.models.rps.training_rows import fold_of_rows
from esports_assets.models.tasks import NEXT_MOVE, ModelTask
from esports_assets.models.train import TrainSettings
from esports_assets.promotion.registry import Registry
from esports_assets.promotion.terms import DEFAULT_POLICY, Alias, Comparison, Decision, Estimate, Kind, PolicyConfig
from esports_assets.stages.judging import (
    EVALUATION_VERSION,
    ClassJudged,
    contract_of,
    estimate,
    judged_key,
    load,
    run_record,
)
from esports_assets.stages.move_games import MoveSet
from esports_assets.stages.move_training import SEED, Due, continues, judging_rows, lineage_of
from esports_assets.stages.training import Learned, class_out_of_fold_of, graph_of
from esports_assets.storage.lake import Lake
from esports_assets.windows.registry import window_spec


@dataclass(frozen=True, slots=True)
class MoveJudgement:
    """A registered version, whether it had to be judged, and what becomes of its alias."""

    due: Due
    judged: ClassJudged
    fresh: bool
    decision: Decision


def task_of_family(family: str) -> ModelTask:
    """The task with the window that a family reads."""
    return replace(NEXT_MOVE, window=WINDOWS[family])


def judge_due(
    lake: Lake, registry: Registry, data: MoveSet, due: Due, learned: Learned, dagster_run_id: str, asset_key: str
) -> MoveJudgement:
    """Evaluate, log and register a candidate, once by the same code; then rule about its alias."""
    known = load(lake, learned.registered_name, learned.candidate_id)
    if isinstance(known, ClassJudged):
        return MoveJudgement(due, known, False, ruling(lake, data, due, known))
    task = task_of_family(due.family)
    evaluation = evaluated(lake, data, due, learned)
    plots = {f"{name}.png": png for name, png in class_report_pngs(evaluation).items()}
    tags = {"candidate_id": learned.candidate_id, "evaluation_version": EVALUATION_VERSION}
    record = run_record(task, learned, evaluation, plots, {**tags, "dagster_run_id": dagster_run_id})
    run_id = registry.find_run(task.name, tags) or registry.log_run(record)

    def pack(version: int) -> dict[str, bytes]:
        contract = contract_of(task, learned, evaluation, str(version), run_id, dagster_run_id, asset_key)
        return bundles.pack(contract, graph_of(lake, learned))

    version = registry.register(learned.registered_name, run_id, pack, tags)
    judged = ClassJudged(learned.registered_name, version, run_id, learned.candidate_id, learned, evaluation)
    lake.store.put(judged_key(learned.registered_name, learned.candidate_id), msgspec.json.encode(judged))
    return MoveJudgement(due, judged, True, ruling(lake, data, due, judged))


def evaluated(lake: Lake, data: MoveSet, due: Due, learned: Learned) -> ClassEvaluation:
    """The three steps on the rows that judge."""
    rows = data.by_window[WINDOWS[due.family]]
    chosen = judging_rows(rows, data)
    oof = class_out_of_fold_of(lake, learned)
    fold = np.unique(oof.fold[chosen], return_inverse=True)[1]
    told = ClassOutOfFold(oof.z[chosen], fold)
    task, spec = task_of_family(due.family), window_spec(WINDOWS[due.family])
    settings = TrainSettings(seed=SEED)
    return evaluate_classes(task, due.config.learner, rows.take(chosen), spec, settings, told)[0]


def ruling(lake: Lake, data: MoveSet, due: Due, judged: ClassJudged, config: PolicyConfig = DEFAULT_POLICY) -> Decision:
    """Whether a version takes its alias; the rule is this module's docstring."""
    label = f"{judged.registered_name} v{judged.version}"
    failed = failed_move_gates(label, judged.evaluation, config)
    comparison = None if due.parent is None else compared(lake, data, due, judged.learned)
    evidence = {
        "configuration": due.config.name,
        "continues": judged.learned.settings["continues"],
        "holder": due.parent_version,
        "comparison": None if comparison is None else asdict(comparison),
        "metrics": msgspec.to_builtins(judged.evaluation.cross_validation.metrics),
        "simulated": judged.learned.simulated,
    }
    kind, reasons = _ruled(label, due, judged, failed, comparison, config)
    return Decision(kind, Alias(due.alias), reasons, evidence)


def _ruled(
    label: str,
    due: Due,
    judged: ClassJudged,
    failed: tuple[str, ...],
    comparison: Comparison | None,
    config: PolicyConfig,
) -> tuple[Kind, tuple[str, ...]]:
    slot = f"{due.alias} of {judged.registered_name}"
    if failed:
        return Kind.REFUSE, failed
    if due.parent is None:
        return Kind.PROMOTE, (f"{label} is the first version for {slot}, by the configuration {due.config.name}.",)
    if judged.learned.simulated and not due.parent.simulated:
        return Kind.REFUSE, (f"{label} was trained on simulated games and never replaces a version of people's games.",)
    if comparison is None:
        return Kind.PROMOTE, (f"{label} takes {slot} from v{due.parent_version}, which cannot be compared with it.",)
    difference = comparison.log_loss_difference
    measured = f"difference in log loss {difference} on {comparison.n_matches} games"
    if difference.hi < config.margin:
        return Kind.PROMOTE, (
            f"{label} is no worse than v{due.parent_version}, which it follows as {slot}: {measured}.",
        )
    return Kind.RETAIN, (f"{label} may be worse than v{due.parent_version}, which stays {slot}: {measured}.",)


def held_by_checks(judgement: MoveJudgement, checks: Mapping[str, bool]) -> MoveJudgement:
    """The same, refused where a check of the graph upstream failed or was never evaluated."""
    failed = tuple(name for name, passed in sorted(checks.items()) if not passed)
    if not failed:
        return judgement
    label = f"{judgement.judged.registered_name} v{judgement.judged.version}"
    reasons = tuple(f"{label} failed the check {name}." for name in failed)
    evidence = {**judgement.decision.evidence, "checks": dict(checks)}
    return replace(judgement, decision=Decision(Kind.REFUSE, judgement.decision.alias, reasons, evidence))


def failed_move_gates(label: str, evaluation: ClassEvaluation, config: PolicyConfig) -> tuple[str, ...]:
    """The absolute gates that a version fails, one sentence each."""
    metrics, failed = evaluation.cross_validation.metrics, []
    if evaluation.n_matches < config.min_matches:
        failed.append(f"{label} was judged on {evaluation.n_matches} games; {config.min_matches} are needed.")
    noise = ece_of_chance(evaluation.cross_validation.n_rows, metrics["accuracy"].value)
    off = math.sqrt(max(0.0, metrics["ece"].value ** 2 - noise**2))
    if off > config.max_ece:
        told = f"ECE {metrics['ece'].value:.4f}, of which chance makes {noise:.4f}"
        failed.append(f"{label} is off in its probabilities: {told}; at most {config.max_ece:.4f} is allowed.")
    chance, loss = math.log(len(evaluation.classes)), estimate(metrics["log_loss"])
    if not loss.hi < chance:
        failed.append(f"{label} does not say more than chance: log loss {loss}, that of chance is {chance:.4f}.")
    return tuple(failed)


def ece_of_chance(rows: int, accuracy: float) -> float:
    """The calibration error that true probabilities show on so many rows: the mean of |share - probability| over bins of equal
    count, each share binomial and taken as normal.
    """
    return math.sqrt(2 / math.pi * accuracy * (1 - accuracy) * BINS / rows)


def compared(lake: Lake, data: MoveSet, due: Due, learned: Learned) -> Comparison | None:
    """The candidate minus the version that it goes on from, both out of fold, on the rows that judge; None where it goes on
    from nothing.
    """
    parent = due.parent
    if parent is None or not continues(parent, data, due.family):
        return None
    rows = data.by_window[WINDOWS[due.family]]
    chosen = judging_rows(rows, data)
    earlier = lineage_of(lake, parent, rows).out_of_fold(rows, fold_of_rows(rows, data.folds))
    ours, theirs = (
        _true_class(out.z[chosen], rows.y[chosen], its.calibration)
        for out, its in ((class_out_of_fold_of(lake, learned), learned), (earlier, parent))
    )
    gain = estimate(paired_gain(np.ones(len(ours), dtype=np.int64), ours, theirs, rows.match[chosen])["log_loss"])
    return Comparison(Estimate(-gain.value, -gain.hi, -gain.lo), len(np.unique(rows.match[chosen])))


def _true_class(z: Any, y: Any, calibration: dict[str, Any]) -> Any:
    p = msgspec.convert(calibration, type=VectorScaling)(z)
    return p[np.arange(len(y)), y]
