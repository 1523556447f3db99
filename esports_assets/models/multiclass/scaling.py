"""Vector scaling: probabilities of several classes that come true as often as they say.

Belongs here: the map, fitting it on out-of-fold margins, its ONNX form.
Does not belong here: two-class maps (``models/calibrate.py``), making the margins (``learning.py``).

``p = softmax(scale * z + bias)`` with one scale and a bias per class (Guo et al. 2017, with one temperature): the scale cools
overconfident margins, the biases set the frequencies of the classes right. The log loss is convex in both.
"""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.models.families.base import Graph, probabilities

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RIDGE = 1e-5
"""Keeps the bias of a class that never occurs finite."""


class VectorScaling(msgspec.Struct, frozen=True):
    """``softmax(scale * z + bias)``."""

    scale: float
    bias: tuple[float, ...]
    kind: str = "vector"

    def __call__(self, z: npt.NDArray[Any]) -> Floats:
        """Calibrated probabilities [N, K] of margins."""
        return probabilities(self.scale * np.asarray(z, dtype=np.float64) + np.asarray(self.bias))

    def graph(self, source: str, target: str) -> Graph:
        """ONNX nodes from the tensor ``source`` to ``target``."""
        from onnx import helper, numpy_helper

        constants = {"scaling_scale": np.float32(self.scale), "scaling_bias": np.array([self.bias], dtype=np.float32)}
        nodes = [
            helper.make_node("Mul", [source, "scaling_scale"], ["scaled"]),
            helper.make_node("Add", ["scaled", "scaling_bias"], ["moved"]),
            helper.make_node("Softmax", ["moved"], [target], axis=1),
        ]
        return Graph(nodes, [numpy_helper.from_array(np.asarray(v), name=name) for name, v in constants.items()])


def fit_scaling(z: npt.NDArray[Any], y: Ints) -> VectorScaling:
    """The scale (never negative) and biases of least log loss; ``z`` must be out-of-fold margins."""
    from scipy.optimize import minimize

    n, classes = z.shape
    z = np.asarray(z, dtype=np.float64)
    rows = np.arange(n)

    def objective(w: Floats) -> tuple[float, Floats]:
        p = probabilities(w[0] * z + w[1:])
        loss = -float(np.log(np.maximum(p[rows, y], 1e-300)).mean()) + 0.5 * RIDGE * float(w[1:] @ w[1:])
        p[rows, y] -= 1.0
        slope = np.concatenate([[(p * z).sum() / n], p.mean(0) + RIDGE * w[1:]])
        return loss, slope

    start = np.concatenate([[1.0], np.zeros(classes)])
    bounds = [(0.0, None), *[(None, None)] * classes]
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100})
    bias = found.x[1:] - found.x[1:].mean()
    return VectorScaling(float(found.x[0]), tuple(float(b) for b in bias))
