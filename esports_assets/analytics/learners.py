"""The ways in which propensities and outcomes are learned: each gives several candidates for one training.

Belongs here: the functions of the covariates that linear learners see, ridge paths, logistic paths, boosted trees.
Does not belong here: choosing between candidates, folds, calibration (``nuisance.py``).

Functions of covariates are made once per study from the covariates alone (no treatment, no outcome), so that they carry
nothing from a held-out row's answer into its prediction.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from esports_assets.analytics.study import Floats, Ints

Singles = npt.NDArray[np.float32]
Candidates = dict[str, Floats]
"""Name of a candidate to its predictions for the held-out rows."""

PENALTIES = (1.0, 10.0, 100.0)
"""Ridge and logistic penalties on standardised columns, in rows' worth: their weight falls with the number of rows."""
PRODUCTS_UP_TO = 12
"""With more covariates than this the smooth learners see no products of pairs; trees still find them."""
BENT_PRODUCTS_UP_TO = 8
"""With more covariates than this there are no products of hinges and covariates."""
STEP_PENALTY = 10.0
KNOTS = (0.1, 0.35, 0.65, 0.9)
FARTHEST = 6.0
"""Standard deviations at which covariates are cut for linear learners, so that no single row bends a line."""
ROUNDS = (15, 60)
"""Boosting rounds after which a candidate is taken."""
DEEP_FROM_ROWS = 5_000
ONE_PENALTY_FROM_ROWS = 50_000
"""Where so many rows outweigh any penalty, the middle one is enough."""


@dataclass(frozen=True, slots=True)
class Design:
    """What learners see of every row, as float32: ``raw`` standardised covariates [n, p], ``linear`` the same without far
    values, ``smooth`` [n, q] with hinges at quantiles and products of pairs, and ``wide`` with products of hinges and
    covariates on top, all standardised.
    """

    raw: Singles
    linear: Singles
    smooth: Singles
    wide: Singles


def design_of(covariates: Floats) -> Design:
    """The functions of covariates [n, p]; none of these may be constant."""
    scaled = (covariates - covariates.mean(axis=0)) / covariates.std(axis=0)
    raw = scaled.astype(np.float32)
    linear = np.clip(raw, -FARTHEST, FARTHEST)
    bent = [list(_hinges(column)) for column in linear.T]
    columns = [*linear.T, *(bend for bends in bent for bend in bends), *_products(linear)]
    smooth = _standardised(np.column_stack(columns))
    more = list(_bent_products(linear, bent))
    wide = np.column_stack([smooth, _standardised(np.column_stack(more))]) if more else smooth
    return Design(raw, linear, smooth, wide)


def _standardised(x: Singles) -> Singles:
    """Columns with mean 0 and variance 1, a constant one with 0 throughout. A copy of single precision and no more."""
    scale = np.array([column.std(dtype=np.float64) for column in x.T])
    scale[scale < 1e-6] = np.inf
    shifted = x - x.mean(axis=0, dtype=np.float64).astype(np.float32)
    shifted /= scale.astype(np.float32)
    return np.asarray(shifted)


def _hinges(column: Singles) -> Iterator[Singles]:
    """max(0, x - knot) at distinct inner quantiles; none for columns of two values, which are lines already."""
    low, high = column.min(), column.max()
    for knot in np.unique(np.quantile(column, KNOTS)):
        if low < knot < high and np.any((column > knot) & (column < high)):
            yield np.maximum(column - knot, 0.0).astype(np.float32)


def _products(linear: Singles) -> Iterator[Singles]:
    """Squares, and products of every pair, while there are few enough covariates."""
    columns = range(linear.shape[1]) if linear.shape[1] <= PRODUCTS_UP_TO else ()
    for i in columns:
        for j in columns[i:]:
            yield linear[:, i] * linear[:, j]


def _bent_products(linear: Singles, bent: Sequence[Sequence[Singles]]) -> Iterator[Singles]:
    """Products of hinges of one covariate and another covariate, while there are few enough covariates."""
    columns = range(linear.shape[1]) if linear.shape[1] <= BENT_PRODUCTS_UP_TO else ()
    for i in columns:
        for j in columns:
            if i != j:
                yield from (hinge * linear[:, j] for hinge in bent[i])


def learn(design: Design, y: Floats, train: Ints, test: Ints, *, binary: bool, seed: int) -> Candidates:
    """Predictions of every candidate for the rows ``test``, learned on the rows ``train``: means of ``y``, probabilities where
    ``binary``.
    """
    target = y[train]
    found: Candidates = {"mean": np.full(len(test), target.mean())}
    if np.ptp(target) == 0:
        return found
    penalties = PENALTIES if len(train) < ONE_PENALTY_FROM_ROWS else PENALTIES[1:2]
    if binary:
        linear = {"linear": _logistic_path(design.linear, target, train, test, PENALTIES[:1])}
        linear["curved"] = _logistic_path(design.smooth, target, train, test, penalties)
    else:
        linear = {"linear": _ridge_path(design.linear, target, train, test, PENALTIES[:1])}
        linear["curved"] = _ridge_path(design.smooth, target, train, test, penalties)
        linear["bent products"] = _ridge_path(design.wide, target, train, test, penalties)
    for name, path in linear.items():
        found |= {f"{name}, penalty {penalty:g}": predicted for penalty, predicted in path.items()}
    for rounds, predicted in _boosted(design.raw, target, train, test, binary, seed).items():
        found[f"boosted trees, {rounds} rounds"] = predicted
    return found


def left_over(design: Design, residual: Floats, train: Ints, test: Ints) -> Floats:
    """What the widest functions still find in residuals: one step of boosting."""
    return _ridge_path(design.wide, residual[train], train, test, (STEP_PENALTY,))[STEP_PENALTY]


def _ridge_path(x: Singles, y: Floats, train: Ints, test: Ints, penalties: Sequence[float]) -> Mapping[float, Floats]:
    """Ridge regressions for all penalties from one eigendecomposition of the covariance: one pass over the rows."""
    rows = x[train]
    centre, mean = rows.mean(axis=0, dtype=np.float64), y.mean()
    rows = rows - centre.astype(np.float32)
    values, vectors = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    turned = vectors.T @ (rows.T @ (y - mean).astype(np.float32)).astype(np.float64)
    weights = {p: vectors @ (turned / (np.maximum(values, 0.0) + p)) for p in penalties}
    return {p: (x[test] @ w.astype(np.float32)) + (mean - centre @ w) for p, w in weights.items()}


def _logistic_path(
    x: Singles, y: Floats, train: Ints, test: Ints, penalties: Sequence[float]
) -> Mapping[float, Floats]:
    from sklearn.linear_model import LogisticRegression

    found = {}
    for penalty in penalties:
        model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", max_iter=50).fit(x[train], y)
        found[penalty] = model.predict_proba(x[test])[:, 1].astype(np.float64)
    return found


def _boosted(raw: Singles, target: Floats, train: Ints, test: Ints, binary: bool, seed: int) -> Mapping[int, Floats]:
    import xgboost

    params = {
        "objective": "binary:logistic" if binary else "reg:squarederror",
        "tree_method": "hist",
        "eta": 0.15,
        "max_depth": 5 if len(train) >= DEEP_FROM_ROWS else 3,
        "max_bin": 256 if len(train) >= DEEP_FROM_ROWS else 64,
        "subsample": 0.8,
        "colsample_bynode": 0.8,
        "seed": seed,
        "verbosity": 0,
    }
    booster = xgboost.train(params, xgboost.DMatrix(raw[train], label=target), num_boost_round=ROUNDS[-1])
    held_out = xgboost.DMatrix(raw[test])
    return {n: booster.predict(held_out, iteration_range=(0, n)).astype(np.float64) for n in ROUNDS}
