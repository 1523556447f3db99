"""The honest evaluation: three ways of holding whole matches out, each beside the baselines on the same rows.

Belongs here: the protocol. Does not belong here: metrics, splits, learning (their own modules), plots.

1. Chronological: matches in order of day, learn on the first 60 %, judge on the last 20 % (the middle 20 % are never
   learned from; they are the distance between past and future). 2. Production split: 80/20, balanced by map. 3. Grouped
   cross-validation: every match judged once by a model that never saw it; calibration cross-fitted over the folds.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from esports_assets.models.baselines import fit_baselines, score_baselines
from esports_assets.models.calibrate import Calibration, fit_calibration
from esports_assets.models.evaluation import BaselineResult, Contribution, Evaluation, FoldResult, Slice, Step
from esports_assets.models.explain import summarise
from esports_assets.models.families.base import Family, sigmoid
from esports_assets.models.interval import band, measure_widening
from esports_assets.models.metrics import Sample, losses, measure, paired_gain, reliability
from esports_assets.models.rows import Rows, simulated_only
from esports_assets.models.split import chronological, production
from esports_assets.models.tasks import ModelTask
from esports_assets.models.train import OutOfFold, TrainSettings, fit_calibrated, out_of_fold, thin
from esports_assets.windows.spec import WindowSpec

TIME_EDGES_S = (0, 20, 40, 60, 80, 100)
SLICE_REPLICATES = 100
EXPLAINED_ROWS = 4000


def evaluate(
    task: ModelTask,
    family: Family,
    rows: Rows,
    spec: WindowSpec,
    *,
    settings: TrainSettings | None = None,
    oof: OutOfFold | None = None,
) -> tuple[Evaluation, pa.Table]:
    """The report, judged on 1 Hz rows, and out-of-fold predictions of all rows (their keys, p_<positive>, lo, hi).

    ``oof`` saves the third step's learning where ``train.learn`` has done it already with the same rows and settings.
    """
    settings = settings or TrainSettings()
    rows.require_learnable(matches=5)
    whole, everything = (out_of_fold(family, rows, settings) if oof is None else oof), rows
    rows, oof = everything.take(everything.seconds), whole.take(everything.seconds)
    maps = oof.calibrations(rows.y)
    calibration = fit_calibration(oof.z, rows.y, oof.folds)
    coverage = measure_widening(rows.y, oof.z, oof.replicates, calibration, oof.folds)
    predictions = _predictions(task, everything, whole, maps, coverage.widen)
    p = predictions[f"p_{task.positive}"].to_numpy()[everything.seconds]
    base = _out_of_fold_baselines(task, rows, oof)
    masks = dict(slices_of(task, rows))
    evaluation = Evaluation(
        task=task.name,
        registered_name=task.registered_name(family.name),
        family=family.name,
        window=spec.name,
        window_fingerprint=spec.fingerprint,
        simulated=simulated_only(rows),
        seed=settings.seed,
        n_matches=rows.n_matches,
        n_rounds=rows.n_segments,
        n_rows=len(rows),
        chronological=_chronological(task, family, rows, settings),
        production=_production(task, family, rows, settings),
        cross_validation=_step(
            "cross_validation", f"{len(oof.folds)} folds of whole matches", rows.n_matches, rows, p, base
        ),
        folds=tuple(_fold(rows, p, mask) for mask in oof.folds),
        slices=tuple(_slice(key, rows, p, base, mask) for key, mask in masks.items()),
        reliability=reliability(rows.y, p),
        calibration=calibration,
        interval=coverage,
        contributions=_contributions(task, family, rows, settings),
    )
    return evaluation, predictions


def named_columns(rows: Rows) -> Mapping[str, np.ndarray]:
    """Feature name to its column."""
    return {feature.name: rows.x[:, i] for i, feature in enumerate(rows.features)}


def slices_of(task: ModelTask, rows: Rows) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    """(kind, value) and mask of rows: by seconds since the round's start, by phase, by map."""
    t = rows.keys["t_s"].to_numpy()
    for low, high in zip(TIME_EDGES_S, (*TIME_EDGES_S[1:], None), strict=True):
        yield ("time_s", f"{low}-{high}" if high else f"{low}+"), (t >= low) & (t < (high or np.inf))
    if task.phase is not None:
        on = named_columns(rows)[task.phase] > 0
        yield (task.phase, "no"), ~on
        yield (task.phase, "yes"), on
    maps = np.asarray(rows.match_maps)[rows.match]
    for name in np.unique(maps).tolist():
        yield ("map", name), maps == name


def _step(
    name: str, description: str, training: int, rows: Rows, p: np.ndarray, baselines: Mapping[str, np.ndarray]
) -> Step:
    return Step(
        name=name,
        description=description,
        n_training_matches=training,
        n_matches=rows.n_matches,
        n_rounds=rows.n_segments,
        n_rows=len(rows),
        metrics=measure(rows.y, p, rows.match),
        baselines={
            key: BaselineResult(measure(rows.y, q, rows.match), paired_gain(rows.y, p, q, rows.match))
            for key, q in baselines.items()
        },
    )


def _hold_out(
    name: str, description: str, task: ModelTask, family: Family, train: Rows, test: Rows, settings: TrainSettings
) -> Step:
    learned = fit_calibrated(family, train, settings)
    baselines = score_baselines(fit_baselines(task, train), named_columns(test), len(test))
    return _step(name, description, train.n_matches, test, learned.probability(test.x), baselines)


def _chronological(task: ModelTask, family: Family, rows: Rows, settings: TrainSettings) -> Step:
    present = np.unique(rows.match)
    past, _, future = (rows.of_matches(present[part]) for part in chronological(rows.infos))
    return _hold_out("chronological", "first 60 % of matches -> last 20 %", task, family, past, future, settings)


def _production(task: ModelTask, family: Family, rows: Rows, settings: TrainSettings) -> Step:
    present = np.unique(rows.match)
    kept, held_out = (rows.of_matches(present[part]) for part in production(rows.infos, settings.seed))
    return _hold_out("production", "80 % of matches -> 20 %, balanced by map", task, family, kept, held_out, settings)


def _predictions(task: ModelTask, rows: Rows, oof: OutOfFold, maps: Sequence[Calibration], widen: float) -> pa.Table:
    """Out-of-fold probability and band of every row, event rows too."""
    p, lo, hi = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
    for mask, calibration in zip(oof.folds, maps, strict=True):
        p[mask] = sigmoid(calibration(oof.z[mask]))
        lo[mask], hi[mask] = band(oof.z[mask], oof.replicates[mask], widen, calibration)
    table = rows.keys
    for name, values in ((f"p_{task.positive}", p), ("lo", lo), ("hi", hi)):
        table = table.append_column(name, pa.array(values))
    return table


def _out_of_fold_baselines(task: ModelTask, rows: Rows, oof: OutOfFold) -> dict[str, np.ndarray]:
    scores = {name: np.empty(len(rows)) for name in task.baselines}
    for mask in oof.folds:
        test = rows.take(mask)
        found = score_baselines(fit_baselines(task, rows.take(~mask)), named_columns(test), len(test))
        for name, p in found.items():
            scores[name][mask] = p
    return scores


def _fold(rows: Rows, p: np.ndarray, mask: np.ndarray) -> FoldResult:
    log_loss, _, accuracy = losses(rows.y[mask], p[mask]).mean(axis=0)
    return FoldResult(len(np.unique(rows.match[mask])), int(mask.sum()), float(log_loss), float(accuracy))


def _slice(
    key: tuple[str, str], rows: Rows, p: np.ndarray, baselines: Mapping[str, np.ndarray], mask: np.ndarray
) -> Slice:
    if not mask.any():
        return Slice(*key, 0, 0, 0.0, 0.0, {}, {})
    y, match = rows.y[mask], rows.match[mask]
    return Slice(
        *key,
        n_rows=int(mask.sum()),
        n_matches=len(np.unique(match)),
        positive_rate=float(y.mean()),
        mean_probability=float(p[mask].mean()),
        metrics=measure(y, p[mask], match, replicates=SLICE_REPLICATES),
        baselines={name: Sample(y, q[mask], match).values()["log_loss"] for name, q in baselines.items()},
    )


def _contributions(task: ModelTask, family: Family, rows: Rows, settings: TrainSettings) -> tuple[Contribution, ...]:
    """Contributions of a model learned on all matches, on a sample of rows spread evenly."""
    model = family.fit(thin(rows, settings.every_s), settings.seed)
    chosen = rows.take(np.unique(np.linspace(0, len(rows) - 1, min(EXPLAINED_ROWS, len(rows))).astype(np.int64)))
    masks = {f"{kind} {value}": mask for (kind, value), mask in slices_of(task, chosen) if kind != "map"}
    return summarise(model, chosen.x, masks)
