"""The honest evaluation of several classes: three ways of holding whole matches out, each beside the baselines on the same rows.

Belongs here: the protocol, the same as that of two classes (``models/evaluate.py``).
Does not belong here: metrics, splits, learning (their own modules), plots.

In the cross-validation scaling and decision rule are cross-fitted: a row is scaled and named by what the other folds taught. In
the two hold-out steps a fifth of the training matches is left to scaling and rule.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.models.metrics import reliability
from esports_assets.models.multiclass.baselines import fit_class_baselines, name_baselines
from esports_assets.models.multiclass.decide import risk_coverage
from esports_assets.models.multiclass.evaluation import ClassEvaluation, ClassFold, ClassStep, NamedResult
from esports_assets.models.multiclass.families import ClassFamily
from esports_assets.models.multiclass.learning import (
    ClassOutOfFold,
    Fitting,
    cross_fitted,
    fit_held_out,
    sampled,
)
from esports_assets.models.multiclass.metrics import (
    confusion,
    macro_f1,
    macro_f1_gain,
    measure_classes,
    measure_names,
    per_class,
)
from esports_assets.models.rows import Rows, simulated_only
from esports_assets.models.split import chronological, production
from esports_assets.models.tasks import ModelTask
from esports_assets.models.train import TrainSettings
from esports_assets.windows.spec import WindowSpec

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def evaluate_classes(
    task: ModelTask, family: ClassFamily, rows: Rows, spec: WindowSpec, settings: TrainSettings, oof: ClassOutOfFold
) -> tuple[ClassEvaluation, pa.Table]:
    """The report over all rows, and their out-of-fold predictions (keys, p_<class>, intent as named, told)."""
    rows.require_learnable(matches=5)
    fittings = cross_fitted(rows, oof, settings)
    p, named, told = _cross_validated(oof, fittings)
    table = confusion(rows.y, named, len(task.classes))
    chosen = sampled(rows, settings)
    whole = Fitting.of(oof.z[chosen], rows.y[chosen])
    evaluation = ClassEvaluation(
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
        classes=task.classes,
        chronological=_chronological(task, family, rows, settings),
        production=_production(task, family, rows, settings),
        cross_validation=step_of(
            *("cross_validation", f"{len(oof.folds)} folds of whole matches", rows.n_matches, rows, p, named),
            _out_of_fold_baselines(task, rows, oof),
        ),
        folds=tuple(_fold(rows, p, named, mask) for mask in oof.folds),
        per_class=per_class(rows.y, named, task.classes),
        confusion=tuple(tuple(int(count) for count in line) for line in table),
        told=_told(rows, named, told),
        reliability=reliability((p.argmax(axis=1) == rows.y).astype(np.int64), p.max(axis=1)),
        risk_coverage=tuple(risk_coverage(p, rows.y, named)),
        calibration=whole.scaling,
        decision=whole.rule,
    )
    return evaluation, _predictions(task, rows, p, named, told)


def _cross_validated(oof: ClassOutOfFold, fittings: Sequence[Fitting]) -> tuple[Floats, Ints, npt.NDArray[np.bool_]]:
    """Probability, name and whether it is told, of every row by the scaling and rule of the other folds."""
    p = np.empty(oof.z.shape)
    named, told = np.empty(len(p), dtype=np.int64), np.empty(len(p), dtype=bool)
    for mask, fitting in zip(oof.folds, fittings, strict=True):
        p[mask] = fitting.scaling(oof.z[mask])
        named[mask], told[mask] = fitting.rule.name(p[mask]), fitting.rule.speaks(p[mask])
    return p, named, told


def step_of(
    name: str, description: str, training: int, rows: Rows, p: Floats, named: Ints, baselines: Mapping[str, Ints]
) -> ClassStep:
    """Metrics of names and probabilities beside the baselines' names, on the same rows."""
    return ClassStep(
        name=name,
        description=description,
        n_training_matches=training,
        n_matches=rows.n_matches,
        n_rounds=rows.n_segments,
        n_rows=len(rows),
        metrics=measure_classes(rows.y, p, named, rows.match),
        baselines={
            key: NamedResult(
                measure_names(rows.y, said, rows.match, len(rows.classes)),
                {"macro_f1": macro_f1_gain(rows.y, named, said, rows.match, len(rows.classes))},
            )
            for key, said in baselines.items()
        },
    )


def _hold_out(
    name: str, description: str, task: ModelTask, family: ClassFamily, train: Rows, test: Rows, settings: TrainSettings
) -> ClassStep:
    learned = fit_held_out(family, train, settings)
    p = learned.probability(test.x)
    baselines = name_baselines(fit_class_baselines(task, train), test)
    return step_of(name, description, train.n_matches, test, p, learned.fitting.rule.name(p), baselines)


def _chronological(task: ModelTask, family: ClassFamily, rows: Rows, settings: TrainSettings) -> ClassStep:
    present = np.unique(rows.match)
    past, _, future = (rows.of_matches(present[part]) for part in chronological(rows.infos))
    return _hold_out("chronological", "first 60 % of matches -> last 20 %", task, family, past, future, settings)


def _production(task: ModelTask, family: ClassFamily, rows: Rows, settings: TrainSettings) -> ClassStep:
    present = np.unique(rows.match)
    kept, held_out = (rows.of_matches(present[part]) for part in production(rows.infos, settings.seed))
    return _hold_out("production", "80 % of matches -> 20 %, balanced by map", task, family, kept, held_out, settings)


def _out_of_fold_baselines(task: ModelTask, rows: Rows, oof: ClassOutOfFold) -> dict[str, Ints]:
    said = {name: np.empty(len(rows), dtype=np.int64) for name in task.baselines}
    for mask in oof.folds:
        for name, names in name_baselines(fit_class_baselines(task, rows.take(~mask)), rows.take(mask)).items():
            said[name][mask] = names
    return said


def _fold(rows: Rows, p: Floats, named: Ints, mask: npt.NDArray[np.bool_]) -> ClassFold:
    y = rows.y[mask]
    loss = -np.log(np.maximum(p[mask][np.arange(len(y)), y], 1e-7)).mean()
    f1 = float(macro_f1(confusion(y, named[mask], p.shape[1])))
    return ClassFold(len(np.unique(rows.match[mask])), len(y), float(loss), f1)


def _told(rows: Rows, named: Ints, told: npt.NDArray[np.bool_]) -> dict[str, float]:
    if not told.any():
        return {"coverage": 0.0}
    table = confusion(rows.y[told], named[told], len(rows.classes))
    return {
        "coverage": float(told.mean()),
        "macro_f1": float(macro_f1(table)),
        "accuracy": float(np.trace(table) / table.sum()),
    }


def _predictions(task: ModelTask, rows: Rows, p: Floats, named: Ints, told: npt.NDArray[np.bool_]) -> pa.Table:
    """Keys with probabilities (in single precision), the name by the rule, and whether it would be told."""
    table = rows.keys
    for k, name in enumerate(task.classes):
        table = table.append_column(f"p_{name}", pa.array(p[:, k].astype(np.float32)))
    words = pa.DictionaryArray.from_arrays(pa.array(named, pa.int32()), pa.array(task.classes))
    return table.append_column("named", words).append_column("told", pa.array(told))
