"""Stage: candidates evaluated in three steps, logged and registered as versions with their bundle.

Belongs here: from a stored candidate to a registered version with its report, plots and out-of-fold predictions.
Does not belong here: metrics and steps (``models/evaluate.py``), whether it may serve (``deciding.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Protocol

import msgspec
import pyarrow as pa

from esports_assets.canonical.vocabulary import Title
from esports_assets.models import bundle as bundles
from esports_assets.models.candidate import CODE_VERSION
from esports_assets.models.evaluate import evaluate
from esports_assets.models.evaluation import Evaluation
from esports_assets.models.multiclass.candidate import CLASSES_CODE_VERSION
from esports_assets.models.multiclass.evaluate import evaluate_classes
from esports_assets.models.multiclass.evaluation import ClassEvaluation
from esports_assets.models.multiclass.families import class_family
from esports_assets.models.multiclass.plots import class_report_pngs
from esports_assets.models.plots import report_pngs
from esports_assets.models.tasks import ModelTask, task_of
from esports_assets.models.train import TrainSettings
from esports_assets.promotion.registry import Registry, RunRecord
from esports_assets.promotion.terms import Estimate
from esports_assets.stages.training import Learned, TrainingSet, class_out_of_fold_of, graph_of, out_of_fold_of
from esports_assets.storage.lake import Lake
from esports_assets.windows.registry import window_spec

EVALUATION_VERSION = "1"
"""Code version of the judgement: bump it when the same candidate would be judged otherwise, or its bundle be another."""


class Measured(Protocol):
    """A value with its interval, of an evaluation or of a contract."""

    @property
    def value(self) -> float: ...
    @property
    def lo(self) -> float | None: ...
    @property
    def hi(self) -> float | None: ...


class Registered(msgspec.Struct, frozen=True):
    """A registered version of a judged candidate."""

    registered_name: str
    version: int
    run_id: str
    candidate_id: str
    learned: Learned


class Judged(Registered, frozen=True):
    """A registered version with its report."""

    evaluation: Evaluation


class ClassJudged(Registered, frozen=True):
    """A registered version of a model of several classes with its report."""

    evaluation: ClassEvaluation


AnyJudged = Judged | ClassJudged


@dataclass(frozen=True, slots=True)
class Judgement:
    """The version, its plots as PNG by name, and whether it had to be judged."""

    judged: AnyJudged
    plots: Mapping[str, bytes]
    fresh: bool


def judge(
    lake: Lake,
    registry: Registry,
    task: ModelTask,
    learned: Learned,
    data: TrainingSet,
    settings: TrainSettings,
    dagster_run_id: str,
    asset_key: str,
) -> Judgement:
    """Evaluate, log and register a candidate; the same candidate is judged once by the same code.

    The judgement is kept last. Where a crash came before that, the run that was logged is found by its tags, and its version
    is completed instead of a second one made.
    """
    known = load(lake, learned.registered_name, learned.candidate_id)
    if known is not None:
        return Judgement(known, _stored_plots(lake, learned), False)
    evaluation, predictions, pngs = _evaluated(lake, task, learned, data, settings)
    plots = {f"{name}.png": png for name, png in pngs.items()}
    tags = {"candidate_id": learned.candidate_id, "evaluation_version": EVALUATION_VERSION}
    run_id = registry.find_run(task.name, tags) or registry.log_run(
        run_record(task, learned, evaluation, plots, {**tags, "dagster_run_id": dagster_run_id})
    )

    def pack(version: int) -> Mapping[str, bytes]:
        contract = contract_of(task, learned, evaluation, str(version), run_id, dagster_run_id, asset_key)
        return bundles.pack(contract, graph_of(lake, learned))

    version = registry.register(learned.registered_name, run_id, pack, tags)
    facts = (learned.registered_name, version, run_id, learned.candidate_id, learned)
    judged = Judged(*facts, evaluation) if isinstance(evaluation, Evaluation) else ClassJudged(*facts, evaluation)
    _keep_predictions(lake, task, judged, predictions)
    for name, png in plots.items():
        lake.store.put(f"{_prefix(learned)}plots/{name}", png)
    key = judged_key(learned.registered_name, learned.candidate_id)
    lake.store.put(key, msgspec.json.encode(judged))
    return Judgement(judged, plots, True)


def _evaluated(
    lake: Lake, task: ModelTask, learned: Learned, data: TrainingSet, settings: TrainSettings
) -> tuple[Evaluation | ClassEvaluation, pa.Table, dict[str, bytes]]:
    """The report of a candidate, its out-of-fold predictions, and its pictures."""
    spec = window_spec(task.window)
    if task.several:
        family, margins = class_family(task, learned.family), class_out_of_fold_of(lake, learned)
        report, named = evaluate_classes(task, family, data.rows, spec, settings, margins)
        return report, named, class_report_pngs(report)
    oof = out_of_fold_of(lake, learned)
    evaluation, predictions = evaluate(
        task, data.family(task, learned.family), data.rows, spec, settings=settings, oof=oof
    )
    return evaluation, predictions, report_pngs(evaluation, predictions, f"p_{task.positive}")


def load(lake: Lake, registered_name: str, candidate_id: str) -> AnyJudged | None:
    """The judgement of a candidate by today's code, or None."""
    data = lake.store.find(judged_key(registered_name, candidate_id))
    if data is None:
        return None
    if task_of(registered_name.rpartition(".")[0]).several:
        return msgspec.json.decode(data, type=ClassJudged)
    return msgspec.json.decode(data, type=Judged)


def judged_key(registered_name: str, candidate_id: str) -> str:
    return f"candidates/{registered_name}/{candidate_id}/judged-{EVALUATION_VERSION}.json"


def _prefix(learned: Learned) -> str:
    return f"candidates/{learned.registered_name}/{learned.candidate_id}/"


def _stored_plots(lake: Lake, learned: Learned) -> dict[str, bytes]:
    folder = f"{_prefix(learned)}plots"
    return {key.rsplit("/", 1)[-1]: lake.store.get(key) for key in lake.store.list(folder)}


def _keep_predictions(lake: Lake, task: ModelTask, judged: AnyJudged, predictions: pa.Table) -> None:
    """Out-of-fold predictions per match: what analyses of training matches use instead of the model itself."""
    title = Title(task.title)
    headers = {record.header.match_id: record.header for record in lake.matches(title)}
    ids = predictions["match_id"].cast(pa.string()).to_pylist()
    starts = [i for i in range(len(ids)) if i == 0 or ids[i] != ids[i - 1]] + [len(ids)]
    for start, end in pairwise(starts):
        part = predictions.slice(start, end - start)
        facts = {"kind": "out_of_fold", "candidate_id": judged.candidate_id}
        short = task.name.split(".", 1)[1]
        lake.write_predictions(headers[ids[start]], short, judged.registered_name, judged.version, part, facts)


def run_record(
    task: ModelTask,
    learned: Learned,
    evaluation: Evaluation | ClassEvaluation,
    plots: Mapping[str, bytes],
    tags: Mapping[str, str],
) -> RunRecord:
    metrics: dict[str, float | Estimate] = {}
    for step in evaluation.steps:
        for name, metric in step.metrics.items():
            metrics[f"{step.name}.{name}"] = metric.value if metric.lo is None else estimate(metric)
        for baseline, result in step.baselines.items():
            gain = result.gain["macro_f1" if task.several else "log_loss"]
            metrics[f"{step.name}.gain_over_{baseline}"] = gain.value if gain.lo is None else estimate(gain)
    return RunRecord(
        experiment=task.name,
        name=f"{learned.family} {learned.candidate_id}",
        params={**learned.params, **learned.settings},
        metrics=metrics,
        tags={
            **tags,
            "data_version": learned.data_version,
            "window_fingerprint": evaluation.window_fingerprint,
            "code_version": CLASSES_CODE_VERSION if task.several else CODE_VERSION,
            "simulated": str(learned.simulated).lower(),
        },
        files={"evaluation.json": evaluation.to_json(), **{f"plots/{name}": png for name, png in plots.items()}},
    )


def estimate(metric: Measured) -> Estimate:
    """A measured metric as the policy takes it; ValueError where too few matches gave it no interval."""
    if metric.lo is None or metric.hi is None:
        raise ValueError(f"a metric of {metric.value:.4f} has no interval: there are too few matches to resample")
    return Estimate(metric.value, metric.lo, metric.hi)


def contract_of(
    task: ModelTask,
    learned: Learned,
    evaluation: Evaluation | ClassEvaluation,
    version: str,
    run_id: str,
    dagster_run_id: str,
    asset_key: str,
) -> bundles.Contract:
    """What the bundle of a registered version says about it; the metrics are those of the cross-validation."""
    spec = window_spec(task.window)
    headline = evaluation.cross_validation.metrics
    return bundles.Contract(
        registered_name=learned.registered_name,
        task=task.name,
        family=learned.family,
        version=version,
        title=task.title,
        features=tuple(bundles.Feature(f.name, f.unit, f.doc, f.minimum, f.maximum, f.nullable) for f in spec.features),
        window=spec.name,
        window_fingerprint=spec.fingerprint,
        classes=task.classes,
        positive_class=task.positive,
        calibration=learned.calibration,
        interval=None if task.several else _interval(learned),
        baselines=learned.baselines,
        sites=learned.sites,
        training_data=bundles.TrainingData(learned.data_version, tuple(learned.matches)),
        metrics={name: bundles.Metric(m.value, m.lo, m.hi) for name, m in headline.items()},
        decision=msgspec.UNSET
        if learned.decision is None
        else msgspec.convert(learned.decision, type=bundles.Decision),
        mlflow_run_id=run_id,
        dagster_run_id=dagster_run_id,
        code_version=CLASSES_CODE_VERSION if task.several else CODE_VERSION,
        asset_key=asset_key,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        simulated=learned.simulated,
    )


def _interval(learned: Learned) -> bundles.Interval:
    return bundles.Interval(
        level=learned.interval_level,
        method="quantiles of match-bootstrap replicates, widened out of fold",
        replicates=learned.replicates,
        widen=learned.widen,
    )
