"""Calibration maps: from a model's log-odds to log-odds that come true as often as they say.

Belongs here: the maps, fitting them on out-of-fold log-odds with matches whole, choosing between them, and their ONNX
form.
Does not belong here: making the out-of-fold log-odds (``train.py``), measuring calibration (``metrics.py``).

Both maps are logistic regressions on functions of the log-odds z. Platt (1999): ``a z + b``. Beta (Kull, Silva Filho,
Flach 2017): ``a ln p - b ln(1 - p) + c`` with p = sigmoid(z), that is ``-a softplus(-z) + b softplus(z) + c``. a and
b are never negative, so a calibrated model keeps its order and its declared signs.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from esports_assets.models.families.base import Graph

KINDS = ("identity", "platt", "beta")


class Calibration(msgspec.Struct, frozen=True):
    """One map by its kind: ``a``, ``b``, ``c`` as in the formulas above; ``loss`` is its log loss by grouped folds."""

    kind: str = "identity"
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    loss: dict[str, float] = {}

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Calibrated log-odds."""
        if self.kind == "identity":
            return z
        if self.kind == "platt":
            return self.a * z + self.b
        return np.asarray(-self.a * np.logaddexp(0, -z) + self.b * np.logaddexp(0, z) + self.c)

    def graph(self, source: str, target: str) -> Graph:
        """ONNX nodes from the tensor ``source`` to ``target``."""
        from onnx import helper, numpy_helper

        if self.kind == "identity":
            return Graph([helper.make_node("Identity", [source], [target])])
        constants = [
            numpy_helper.from_array(np.array(v, dtype=np.float32), name=f"calibration_{k}")
            for k, v in (("a", self.a), ("b", self.b), ("c", self.c))
        ]
        if self.kind == "platt":
            nodes = [
                helper.make_node("Mul", [source, "calibration_a"], ["scaled"]),
                helper.make_node("Add", ["scaled", "calibration_b"], [target]),
            ]
            return Graph(nodes, constants[:2])
        nodes = [
            helper.make_node("Neg", [source], ["negative"]),
            helper.make_node("Softplus", ["negative"], ["log_p"]),
            helper.make_node("Softplus", [source], ["log_q"]),
            helper.make_node("Mul", ["log_p", "calibration_a"], ["part_p"]),
            helper.make_node("Mul", ["log_q", "calibration_b"], ["part_q"]),
            helper.make_node("Sub", ["part_q", "part_p"], ["difference"]),
            helper.make_node("Add", ["difference", "calibration_c"], [target]),
        ]
        return Graph(nodes, constants)


def fit_calibration(z: np.ndarray, y: np.ndarray, folds: Sequence[np.ndarray]) -> Calibration:
    """Choose the map with the lowest log loss over the folds (masks of rows) and fit it on all rows.

    ``z`` must be out-of-fold: log-odds of a model on its own training rows are too good and would teach overconfidence.
    A simpler map is kept unless the other gains more than 1e-4 and more than the standard error of its gain over the folds.
    """
    loss: dict[str, float] = {}
    by_fold: dict[str, np.ndarray] = {}
    for kind in KINDS:
        out = np.empty(len(z))
        for fold in folds:
            out[fold] = _fit(kind, z[~fold], y[~fold])(z[fold])
        rows = np.logaddexp(0, out) - y * out
        loss[kind] = float(np.mean(rows))
        by_fold[kind] = np.array([rows[fold].mean() for fold in folds])
    chosen = KINDS[0]
    for kind in KINDS[1:]:
        gain = by_fold[chosen] - by_fold[kind]
        doubt = float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else 0.0
        if loss[chosen] - loss[kind] > max(1e-4, doubt):
            chosen = kind
    return msgspec.structs.replace(_fit(chosen, z, y), loss=loss)


def _fit(kind: str, z: np.ndarray, y: np.ndarray) -> Calibration:
    from scipy.optimize import minimize

    if kind == "identity":
        return Calibration()
    platt = kind == "platt"
    basis = np.column_stack(
        [z, np.ones(len(z))] if platt else [-np.logaddexp(0, -z), np.logaddexp(0, z), np.ones(len(z))]
    )
    bounds = [(0.0, None)] * (basis.shape[1] - 1) + [(None, None)]
    start = np.array([1.0, 0.0] if platt else [1.0, 1.0, 0.0])

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = basis @ w
        loss = float(np.mean(np.logaddexp(0, margin) - y * margin))
        return loss, basis.T @ (0.5 * (1 + np.tanh(0.5 * margin)) - y) / len(y)

    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds)
    w = [float(v) for v in found.x]
    return Calibration(kind, w[0], w[1], 0.0 if platt else w[2])
