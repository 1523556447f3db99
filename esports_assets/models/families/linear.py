"""Logistic regression: missing values to the median, inputs standardised, an L2 penalty, signs as the window declares
them.

Belongs here: the multinomial logistic family and its two-class form, used by the plain baseline too.
Does not belong here: interactions of features (a window declares them as features of their own).

Loss: mean weighted cross-entropy plus ``ridge / 2 * |w|^2`` over standardised inputs. Where a feature's effect on the
positive class is declared monotone, its weight is bounded to that sign so that the model cannot
contradict the game.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from esports_assets.models.families.base import Fitted, Graph, outputs, sigmoid
from esports_assets.models.families.returns import returns
from esports_assets.models.rows import Rows
from esports_assets.windows.spec import Feature

NEWTON_STEPS = 30
REPLICATE_STEPS = 2
"""From the model of all matches a replicate is one or two Newton steps away (the one-step bootstrap)."""
NEWTON_GAIN = 1e-7
"""A step that lowers the mean loss by less is the last one."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights in input units of every feature (zero where unused), constant per output, and the medians for missing
    values.
    """

    features: tuple[Feature, ...]
    fill: np.ndarray
    weights: np.ndarray
    constant: np.ndarray
    scale: np.ndarray
    params: dict[str, Any]

    def _filled(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(x), self.fill, x).astype(np.float64)

    def margins(self, x: np.ndarray) -> np.ndarray:
        """``x @ weights + constant`` after filling."""
        return np.asarray(self._filled(x) @ self.weights + self.constant)

    def contributions(self, x: np.ndarray) -> np.ndarray:
        """Weight times distance from the feature's training mean; the constant is the margin of the mean row."""
        centre = self.params["centre"]
        parts = (self._filled(x) - centre) * self.weights[:, 0]
        base = float(np.asarray(centre) @ self.weights[:, 0] + self.constant[0])
        return np.column_stack([parts, np.full(len(x), base)])


@dataclass(frozen=True, slots=True)
class MultinomialLogistic:
    """The family; ``inputs`` limits it to some features (None: all), ``ridge`` is the penalty, ``signed`` keeps the
    declared signs. After the first fit, ``refits`` more to the returns of its own probabilities (``decay`` per row).
    """

    name: str = "multinomial_logistic"
    inputs: tuple[str, ...] | None = None
    ridge: float = 1e-3
    signed: bool = True
    decay: float = 0.9
    refits: int = 2
    max_iterations: int = 300

    def fit(self, rows: Rows, seed: int) -> Linear:
        """Deterministic: the seed is not needed, the problem is convex."""
        rows.require_learnable()
        used = np.zeros(len(rows.features), dtype=bool)
        used[rows.columns(self.inputs) if self.inputs is not None else slice(None)] = True
        x = rows.x.astype(np.float64)
        fill = np.array([_median(column) for column in x.T])
        x = np.where(np.isnan(x), fill, x)
        centre, scale = x.mean(0), x.std(0)
        used &= scale > 0
        empty = np.zeros((len(rows.features), outputs(len(rows.classes))))
        blank = Linear(
            rows.features,
            fill,
            empty,
            np.zeros(empty.shape[1]),
            np.where(used, scale, 0.0),
            {
                "ridge": self.ridge,
                "centre": centre.tolist(),
                "inputs": [f.name for f, u in zip(rows.features, used, strict=True) if u],
            },
        )
        model = self._solve(blank, rows, NEWTON_STEPS)
        for _ in range(self.refits if len(rows.classes) == 2 else 0):
            target = returns(rows, sigmoid(model.margins(rows.x)[:, 0]), self.decay)
            model = self._solve(model, replace(rows, target=target), NEWTON_STEPS)
        return model

    def replicate(self, fitted: Fitted, rows: Rows, seed: int) -> Linear:
        """The same filling and scaling, weights learned again from where they are."""
        assert isinstance(fitted, Linear)
        return self._solve(fitted, rows, REPLICATE_STEPS)

    def _solve(self, start: Linear, rows: Rows, steps: int) -> Linear:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):  # small matrices: threads cost more than they give
            return self._minimum(start, rows, steps)

    def _minimum(self, start: Linear, rows: Rows, steps: int) -> Linear:
        used = np.flatnonzero(start.scale > 0)
        scale, centre = start.scale[used], np.asarray(start.params["centre"])[used]
        z = np.where(np.isnan(rows.x), start.fill, rows.x)[:, used].astype(np.float64)
        z = np.column_stack([(z - centre) / scale, np.ones(len(z))])
        weight = np.ones(len(rows)) if rows.weight is None else rows.weight.astype(np.float64)
        weight = weight / weight.sum()
        columns = start.weights.shape[1]
        penalty = np.full((z.shape[1], columns), self.ridge)
        penalty[-1] = 0.0
        first = np.vstack([start.weights[used] * scale[:, None], start.constant + centre @ start.weights[used]])
        if columns == 1:
            signs = [start.features[i].monotone if self.signed else 0 for i in used]
            solution = _two_class(first[:, 0], z, rows.goal, weight, penalty[:, 0], _bounds(signs), steps)[:, None]
        else:
            solution = _softmax(first, z, rows.y, weight, penalty, self.max_iterations)
        weights = np.zeros_like(start.weights)
        weights[used] = solution[:-1] / scale[:, None]
        return replace(start, weights=weights, constant=solution[-1] - centre @ weights[used])

    def graph(self, models: Sequence[Fitted]) -> Graph:
        """Fill, one matrix product for all models, constants. All models share the filling."""
        from onnx import helper, numpy_helper

        linear = [model for model in models if isinstance(model, Linear)]
        weights = np.column_stack([model.weights for model in linear])
        constant = np.concatenate([model.constant for model in linear])
        centre = np.asarray(linear[0].params["centre"])
        shifted = constant + centre @ weights
        tensors = {
            "fill": linear[0].fill,
            "centre": centre,
            "weights": weights,
            "constant": shifted,
        }
        return Graph(
            nodes=[
                helper.make_node("IsNaN", ["features"], ["missing"]),
                helper.make_node("Where", ["missing", "fill", "features"], ["filled"]),
                helper.make_node("Sub", ["filled", "centre"], ["centred"]),
                helper.make_node("MatMul", ["centred", "weights"], ["products"]),
                helper.make_node("Add", ["products", "constant"], ["margins"]),
            ],
            initializers=[numpy_helper.from_array(v.astype(np.float32), name=k) for k, v in tensors.items()],
        )


def _median(column: np.ndarray) -> float:
    present = column[~np.isnan(column)]
    return float(np.median(present)) if len(present) else 0.0


def _bounds(signs: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of every weight, and of the constant, which has none."""
    sign = np.array([*signs, 0])
    return np.where(sign > 0, 0.0, -np.inf), np.where(sign < 0, 0.0, np.inf)


def _two_class(
    start: np.ndarray,
    z: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    penalty: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    steps: int,
) -> np.ndarray:
    """Projected Newton: each step minimises the quadratic model of the loss within the bounds, then halves if needed."""
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import lsq_linear

    def loss_at(w: np.ndarray, margin: np.ndarray) -> float:
        return float(weight @ (np.logaddexp(0, margin) - y * margin) + 0.5 * (penalty * w) @ w)

    single = z.astype(np.float32)
    w = np.clip(start, *bounds)
    margin = z @ w
    loss = loss_at(w, margin)
    for _ in range(steps):
        p = sigmoid(margin)
        gradient = z.T @ (weight * (p - y)) + penalty * w
        scaled = single * np.sqrt(weight * p * (1 - p)).astype(np.float32)[:, None]
        curvature = (scaled.T @ scaled).astype(np.float64) + np.diag(penalty + 1e-7)
        root = cholesky(curvature)
        aim = root @ w - solve_triangular(root, gradient, trans="T")
        step = lsq_linear(root, aim, bounds, method="bvls", tol=1e-10).x - w
        change = z @ step
        share, best = 1.0, loss_at(w + step, margin + change)
        while best > loss and share > 1e-4:
            share /= 2
            best = loss_at(w + share * step, margin + share * change)
        if best >= loss - NEWTON_GAIN:
            break
        w, margin, loss = w + share * step, margin + share * change, best
    return np.asarray(np.clip(w, *bounds))


def _softmax(
    start: np.ndarray, z: np.ndarray, y: np.ndarray, weight: np.ndarray, penalty: np.ndarray, iterations: int
) -> np.ndarray:
    from scipy.optimize import minimize

    rows = np.arange(len(y))

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(penalty.shape)
        margin = z @ w
        margin -= margin.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(margin).sum(axis=1))
        slope = np.exp(margin - log_sum[:, None])
        slope[rows, y] -= 1
        loss = weight @ (log_sum - margin[rows, y]) + 0.5 * (penalty * w * w).sum()
        return float(loss), (z.T @ (weight[:, None] * slope) + penalty * w).ravel()

    found = minimize(objective, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    return np.asarray(found.x.reshape(start.shape))
