"""Learning a model of several classes that may be promoted: out-of-fold margins, scaling and decision on them, the model on
all matches.

Belongs here: the order of these steps and their seeds.
Does not belong here: families, the scaling (``scaling.py``), the rule (``decide.py``), the graph (``export.py``), judging.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.models.multiclass.decide import DecisionRule, fit_rule
from esports_assets.models.multiclass.families import ClassFamily, ClassFitted
from esports_assets.models.multiclass.rows import thin_players
from esports_assets.models.multiclass.scaling import VectorScaling, fit_scaling
from esports_assets.models.rows import Rows
from esports_assets.models.train import TrainSettings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MOST_FOLDS = 4
"""A million rows of dozens of matches need fewer folds than rounds do, and nine classes cost more of each."""
PLAYERS_EVERY = 3.0
"""A player's rows are thinned to one in so many times ``every_s`` seconds: ten players say ten times as much as a round."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """What turns margins into probabilities and names."""

    scaling: VectorScaling
    rule: DecisionRule

    @classmethod
    def of(cls, z: npt.NDArray[np.float32], y: Ints) -> "Fitting":
        """Fitted on out-of-fold margins: scaling first, then the rule on what it says."""
        scaling = fit_scaling(z, y)
        return cls(scaling, fit_rule(scaling(z), y))


@dataclass(frozen=True, slots=True)
class ClassOutOfFold:
    """Margins [N, K] of every row by a model that never saw its match; ``fold`` says which."""

    z: npt.NDArray[np.float32]
    fold: Ints

    @property
    def folds(self) -> list[Mask]:
        """Masks of rows, one per fold."""
        return [self.fold == k for k in range(int(self.fold.max()) + 1)]

    def to_table(self) -> pa.Table:
        """As columns fold, z0, z1, ...; the rows' order is the caller's to keep."""
        columns = {f"z{k}": np.ascontiguousarray(column) for k, column in enumerate(self.z.T)}
        return pa.table({"fold": self.fold.astype(np.int16), **columns})

    @classmethod
    def from_table(cls, table: pa.Table) -> "ClassOutOfFold":
        """The inverse of ``to_table``."""
        names = [name for name in table.column_names if name.startswith("z")]
        z = np.column_stack([table[name].to_numpy() for name in names]).astype(np.float32)
        return cls(z, table["fold"].to_numpy().astype(np.int64))


@dataclass(frozen=True, slots=True)
class ClassLearned:
    """A calibrated model with its rule."""

    main: ClassFitted
    fitting: Fitting

    def probability(self, x: npt.NDArray[np.float32]) -> Floats:
        """Calibrated probabilities [N, K]."""
        return self.fitting.scaling(self.main.margins(x))


def sample(rows: Rows, settings: TrainSettings) -> Rows:
    """The rows that models, scaling and rule learn from; all of a window without a clock, whose rows are rounds."""
    if "t_s" not in rows.keys.column_names:
        return rows
    return thin_players(rows, settings.every_s * PLAYERS_EVERY)


def sampled(rows: Rows, settings: TrainSettings) -> Ints:
    """The positions of these rows."""
    numbered = Rows(
        rows.features, rows.classes, np.empty((len(rows), 0), np.float32), np.arange(len(rows)), *_rest(rows)
    )
    return np.asarray(sample(numbered, settings).y)


def _rest(rows: Rows) -> tuple[Ints, tuple[str, ...], tuple[str, ...], tuple[str, ...], pa.Table]:
    return rows.match, rows.match_ids, rows.match_maps, rows.match_days, rows.keys


def margins_out_of_fold(family: ClassFamily, rows: Rows, settings: TrainSettings) -> ClassOutOfFold:
    """Every row's margins by a model of the other folds; matches are whole."""
    rows.require_learnable(matches=3)
    z = np.empty((len(rows), len(rows.classes)), dtype=np.float32)
    fold = np.empty(len(rows), dtype=np.int64)
    for k, mask in enumerate(rows.folds(min(settings.folds, MOST_FOLDS), settings.seed)):
        model = family.fit(sample(rows.take(~mask), settings), settings.seed + 100 * k)
        z[mask], fold[mask] = model.margins(rows.x[mask]), k
    return ClassOutOfFold(z, fold)


def cross_fitted(rows: Rows, oof: ClassOutOfFold, settings: TrainSettings) -> list[Fitting]:
    """For every fold the scaling and rule of the other folds: what judging may use."""
    chosen = sampled(rows, settings)
    z, y, fold = oof.z[chosen], rows.y[chosen], oof.fold[chosen]
    return [Fitting.of(z[fold != k], y[fold != k]) for k in range(len(oof.folds))]


def learn_classes(family: ClassFamily, rows: Rows, settings: TrainSettings) -> tuple[ClassLearned, ClassOutOfFold]:
    """The model for promotion, and the out-of-fold margins that its scaling and rule rest on."""
    rows.require_learnable()
    oof = margins_out_of_fold(family, rows, settings)
    chosen = sampled(rows, settings)
    fitting = Fitting.of(oof.z[chosen], rows.y[chosen])
    return ClassLearned(family.fit(sample(rows, settings), settings.seed), fitting), oof


def fit_held_out(family: ClassFamily, rows: Rows, settings: TrainSettings) -> ClassLearned:
    """A calibrated model for a hold-out step: one fold of the training matches is left to scaling and rule."""
    aside = rows.folds(5, settings.seed)[0]
    model = family.fit(sample(rows.take(~aside), settings), settings.seed)
    judged = sample(rows.take(aside), settings)
    return ClassLearned(model, Fitting.of(model.margins(judged.x).astype(np.float32), judged.y))
