"""Learning a model that may be promoted: out-of-fold log-odds, calibration on them, the model on all matches,
replicates.

Belongs here: the order of these steps and their seeds.
Does not belong here: families, the ONNX graph (``export.py``), judging (``evaluate.py``).
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from esports_assets.models.calibrate import Calibration, fit_calibration
from esports_assets.models.families.base import Family, Fitted, sigmoid
from esports_assets.models.interval import Coverage, band, measure_widening, spread
from esports_assets.models.metrics import draws
from esports_assets.models.rows import Rows

REPLICATE_EVERY_S = 4
"""Replicates learn from every fourth second: what makes them differ is which matches they saw."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """``every_s``: learn from one row in so many seconds (neighbouring seconds say nearly the same; scoring uses
    all).
    """

    seed: int = 7
    folds: int = 8
    replicates: int = 20
    every_s: int = 2


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Log-odds of every row by models that never saw its match, before calibration; ``fold`` says which model."""

    z: np.ndarray
    replicates: np.ndarray
    fold: np.ndarray

    @property
    def folds(self) -> list[np.ndarray]:
        """Masks of rows, one per fold."""
        return [self.fold == k for k in range(int(self.fold.max()) + 1)]

    def calibrations(self, y: np.ndarray) -> list[Calibration]:
        """For every fold the map that was fitted on the other folds only."""
        found = []
        for mask in self.folds:
            rest = self.fold[~mask]
            inner = [rest == k for k in np.unique(rest)]
            found.append(fit_calibration(self.z[~mask], y[~mask], inner))
        return found

    def take(self, mask: np.ndarray) -> "OutOfFold":
        """The same for some of the rows."""
        return OutOfFold(self.z[mask], self.replicates[mask], self.fold[mask])

    def to_table(self) -> pa.Table:
        """As columns z, fold, replicates (fixed-size list); the rows' order is the caller's to keep."""
        flat = pa.array(self.replicates.astype(np.float32).ravel())
        listed = pa.FixedSizeListArray.from_arrays(flat, self.replicates.shape[1])
        return pa.table({"z": self.z, "fold": self.fold.astype(np.int16), "replicates": listed})

    @classmethod
    def from_table(cls, table: pa.Table) -> "OutOfFold":
        """The inverse of ``to_table`` (replicates as float32 know them)."""
        listed = table["replicates"].combine_chunks()
        flat = listed.flatten().to_numpy().astype(np.float64)
        return cls(
            table["z"].to_numpy(),
            flat.reshape(table.num_rows, -1),
            table["fold"].to_numpy().astype(np.int64),
        )


@dataclass(frozen=True, slots=True)
class Learned:
    """A calibrated model with its replicates; what ``export.py`` writes as one graph."""

    main: Fitted
    replicates: tuple[Fitted, ...]
    calibration: Calibration
    widen: float

    def margin(self, x: np.ndarray) -> np.ndarray:
        """Log-odds before calibration."""
        return np.asarray(self.main.margins(x)[:, 0])

    def probability(self, x: np.ndarray) -> np.ndarray:
        """Calibrated probability of the positive class."""
        return sigmoid(self.calibration(self.margin(x)))

    def replicate_margins(self, x: np.ndarray) -> np.ndarray:
        """Log-odds of the replicates as they were learned, [N, R]."""
        return np.column_stack([model.margins(x)[:, 0] for model in self.replicates])

    def replicate_probabilities(self, x: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of the replicates around the model's own, [N, R]."""
        return sigmoid(self.calibration(spread(self.margin(x), self.replicate_margins(x), self.widen)))

    def bounds(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The interval of the calibrated probability."""
        return band(self.margin(x), self.replicate_margins(x), self.widen, self.calibration)


def thin(rows: Rows, every_s: int) -> Rows:
    """The 1 Hz rows, of them one in ``every_s`` seconds of every round, with another phase from round to round."""
    second = np.floor(rows.keys["t_s"].to_numpy()).astype(np.int64)
    phase = rows.keys["segment"].to_numpy().astype(np.int64) + rows.match
    return rows.take(rows.seconds & ((second + phase) % every_s == 0))


def bootstrap(rows: Rows, count: int, seed: int) -> list[Rows]:
    """Rows reweighted by how often their match is drawn; matches not drawn are left out."""
    present = np.unique(rows.match)
    place = np.searchsorted(present, rows.match)
    samples = []
    for drawn in draws(len(present), count, seed):
        weight = drawn[place]
        if rows.weight is not None:
            weight = weight * rows.weight
        samples.append(replace(rows, weight=weight.astype(np.float32)).take(weight > 0))
    return samples


def fit_with_replicates(family: Family, rows: Rows, count: int, seed: int) -> tuple[Fitted, tuple[Fitted, ...]]:
    """A model and its match-bootstrap replicates."""
    main = family.fit(rows, seed)
    samples = bootstrap(thin(rows, REPLICATE_EVERY_S), count, seed + 1)
    return main, tuple(family.replicate(main, sample, seed + 2 + i) for i, sample in enumerate(samples))


def out_of_fold(family: Family, rows: Rows, settings: TrainSettings, replicates: int | None = None) -> OutOfFold:
    """Every row's log-odds by a model (and replicates) of the other folds; matches are whole."""
    rows.require_learnable(matches=3)
    count = settings.replicates if replicates is None else replicates
    z = np.empty(len(rows))
    spread_z = np.empty((len(rows), count))
    fold = np.empty(len(rows), dtype=np.int64)
    for k, mask in enumerate(rows.folds(settings.folds, settings.seed)):
        main, copies = fit_with_replicates(
            family, thin(rows.take(~mask), settings.every_s), count, settings.seed + 100 * k
        )
        x = rows.x[mask]
        z[mask], fold[mask] = main.margins(x)[:, 0], k
        for i, copy in enumerate(copies):
            spread_z[mask, i] = copy.margins(x)[:, 0]
    return OutOfFold(z, spread_z, fold)


def fit_calibrated(family: Family, rows: Rows, settings: TrainSettings) -> Learned:
    """A calibrated model without replicates: for hold-out steps of an evaluation."""
    small = replace(settings, folds=min(5, settings.folds))
    oof = out_of_fold(family, rows, small, replicates=0)
    judged, seconds = oof.take(rows.seconds), rows.y[rows.seconds]
    calibration = fit_calibration(judged.z, seconds, judged.folds)
    return Learned(family.fit(thin(rows, settings.every_s), settings.seed), (), calibration, 1.0)


def learn(
    family: Family, rows: Rows, settings: TrainSettings, oof: OutOfFold | None = None
) -> tuple[Learned, OutOfFold, Coverage]:
    """The model for promotion, the out-of-fold log-odds that its calibration rests on, and the coverage of its band."""
    rows.require_learnable()
    oof = out_of_fold(family, rows, settings) if oof is None else oof
    judged, seconds = oof.take(rows.seconds), rows.y[rows.seconds]
    calibration = fit_calibration(judged.z, seconds, judged.folds)
    coverage = measure_widening(seconds, judged.z, judged.replicates, calibration, judged.folds)
    main, copies = fit_with_replicates(family, thin(rows, settings.every_s), settings.replicates, settings.seed)
    return Learned(main, copies, calibration, coverage.widen), oof, coverage
