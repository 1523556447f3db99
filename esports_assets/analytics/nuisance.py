"""Propensities and outcomes of rows by learners that never saw them: cross-fitted, stacked, calibrated.

Belongs here: learning on the other folds, convex weights of candidates, calibration of propensities, their quality.
Does not belong here: the candidates (``learners.py``), effects (``estimators.py``).

Weights of candidates are found on the cross-fitted predictions of all folds at once (short-stacking: Ahrens, Hansen,
Schaffer and Wiemann 2025, "Model averaging and double machine learning"). For probabilities they are the maximum likelihood
weights of a mixture, for means the least-squares weights; both are non-negative and sum to one.
"""

from dataclasses import dataclass

import numpy as np

from esports_assets.analytics.learners import Candidates, Design, learn, left_over
from esports_assets.analytics.study import Bools, Floats, Ints, Study
from esports_assets.models.calibrate import fit_calibration

EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class Nuisances:
    """Cross-fitted predictions [n]: ``propensity`` of treatment, ``untreated`` outcome, ``treated`` outcome (None where the
    estimand needs none). ``weights`` say what each is made of, ``calibration`` which map the propensities went through.
    """

    propensity: Floats
    untreated: Floats
    treated: Floats | None
    weights: dict[str, dict[str, float]]
    calibration: str


def cross_fit(study: Study, design: Design, fold: Ints, seed: int, *, both: bool) -> Nuisances:
    """Predict every row from the other folds; ``both``: the treated outcome as well."""
    weights: dict[str, dict[str, float]] = {}
    everybody = np.ones(len(study), dtype=bool)
    candidates = _held_out(design, study.treated, everybody, fold, seed, binary=True)
    raw, weights["propensity"] = stack(candidates, study.treated, everybody, binary=True)
    propensity, calibration = _calibrated(raw, study.treated, fold)
    arms: dict[str, Floats] = {}
    for arm, name in ((0.0, "untreated"), (1.0, "treated")):
        if arm and not both:
            continue
        rows = study.treated == arm
        binary = bool(np.isin(study.outcome, (0.0, 1.0)).all())
        candidates = _held_out(design, study.outcome, rows, fold, seed, binary=binary)
        mixed, weights[name] = stack(candidates, study.outcome, rows, binary=binary)
        mixed = mixed + _left_over(design, study.outcome - mixed, rows, fold)
        arms[name] = np.clip(mixed, study.outcome[rows].min(), study.outcome[rows].max())
    return Nuisances(propensity, arms["untreated"], arms.get("treated"), weights, calibration)


def _held_out(design: Design, y: Floats, among: Bools, fold: Ints, seed: int, *, binary: bool) -> Candidates:
    """Candidates for all rows, each learned on the rows ``among`` of the other folds."""
    found: Candidates = {}
    for number in range(int(fold.max()) + 1):
        test = np.flatnonzero(fold == number)
        train = np.flatnonzero((fold != number) & among)
        for name, predicted in learn(design, y, train, test, binary=binary, seed=seed + number).items():
            found.setdefault(name, np.full(len(y), np.nan))[test] = predicted
    return {name: predicted for name, predicted in found.items() if not np.isnan(predicted).any()}


def _left_over(design: Design, residual: Floats, among: Bools, fold: Ints) -> Floats:
    """What is left in the cross-fitted residuals of the rows ``among``, for all rows, learned on the other folds."""
    found = np.empty(len(residual))
    for number in range(int(fold.max()) + 1):
        test = np.flatnonzero(fold == number)
        found[test] = left_over(design, residual, np.flatnonzero((fold != number) & among), test)
    return found


def stack(candidates: Candidates, y: Floats, rows: Bools, *, binary: bool) -> tuple[Floats, dict[str, float]]:
    """The mixture of candidates that does best on ``rows``, for all rows, and the weights of those that count."""
    matrix = np.column_stack(list(candidates.values()))
    weights = (_mixture if binary else _least_squares)(matrix[rows], y[rows])
    shown = {name: round(float(w), 3) for name, w in zip(candidates, weights, strict=True) if w >= 0.0005}
    return matrix @ weights, shown


def _mixture(p: Floats, y: Floats, steps: int = 200) -> Floats:
    """Weights [K] of probabilities [n, K] with the highest likelihood, by expectation and maximisation."""
    likelihood = np.clip(np.where(y[:, None] == 1, p, 1 - p), EPSILON, None)
    weights = np.full(p.shape[1], 1 / p.shape[1])
    for _ in range(steps):
        before = weights
        weights = weights * (likelihood / (likelihood @ weights)[:, None]).mean(axis=0)
        if np.abs(weights - before).max() < 1e-4:
            break
    return np.asarray(weights / weights.sum())


def _least_squares(p: Floats, y: Floats) -> Floats:
    """Non-negative weights [K] that sum to one with the least squared error, through the Gram matrix of [errors]."""
    from scipy.optimize import nnls

    errors = p - y[:, None]
    gram = errors.T @ errors / len(y)
    ridge = 1e-9 * np.trace(gram) + 1e-300
    root = np.linalg.cholesky(gram + ridge * np.eye(len(gram))).T
    heavy = 1e3 * np.sqrt(np.trace(gram)) + 1e-150
    weights, _ = nnls(np.vstack([root, np.full(len(gram), heavy)]), np.r_[np.zeros(len(gram)), heavy])
    return np.asarray(weights / weights.sum())


def _calibrated(p: Floats, treated: Floats, fold: Ints) -> tuple[Floats, str]:
    """Propensities through the calibration map that does best over the folds."""
    inside = np.clip(p, EPSILON, 1 - EPSILON)
    z = np.log(inside / (1 - inside))
    calibration = fit_calibration(z, treated, [fold == k for k in range(int(fold.max()) + 1)])
    return np.asarray(1 / (1 + np.exp(-calibration(z)))), calibration.kind
