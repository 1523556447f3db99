"""Layers of a network, or a single one: what softmax regression and the feed-forward network have in common.

Belongs here: standardising, layers, margins, their ONNX form and their bytes.
Does not belong here: how layers learn (``softmax.py``, ``network.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.models.families.base import Graph

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dense:
    """``(x - mean) / scale`` through layers of weights [inputs, outputs] and constants [outputs], ReLU between them."""

    mean: Floats
    scale: Floats
    weights: tuple[Floats, ...]
    constants: tuple[Floats, ...]
    params: dict[str, Any]

    def margins(self, x: npt.NDArray[Any]) -> Floats:
        """Margins [N, K]."""
        through = self.standardised(x)
        last = len(self.weights) - 1
        for place, (weights, constants) in enumerate(zip(self.weights, self.constants, strict=True)):
            through = through @ weights + constants
            if place < last:
                through = np.maximum(through, 0.0)
        return through

    def standardised(self, x: npt.NDArray[Any]) -> Floats:
        """Inputs as the first layer takes them."""
        return (np.asarray(x, dtype=np.float64) - self.mean) / self.scale

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of inputs, hidden units and outputs."""
        return (len(self.mean), *(len(constants) for constants in self.constants))


class _Stored(msgspec.Struct, frozen=True):
    mean: list[float]
    scale: list[float]
    weights: list[list[list[float]]]
    constants: list[list[float]]
    params: dict[str, Any]


def dumped(model: Dense) -> bytes:
    """As JSON."""
    stored = _Stored(
        *(model.mean.tolist(), model.scale.tolist()),
        [layer.tolist() for layer in model.weights],
        [layer.tolist() for layer in model.constants],
        model.params,
    )
    return msgspec.json.encode(stored)


def loaded(data: bytes) -> Dense:
    """The inverse of ``dumped``."""
    told = msgspec.json.decode(data, type=_Stored)
    return Dense(
        *(np.array(told.mean), np.array(told.scale)),
        tuple(np.array(layer) for layer in told.weights),
        tuple(np.array(layer) for layer in told.constants),
        told.params,
    )


def dense_graph(models: Sequence[Any]) -> Graph:
    """One model as ONNX nodes from ``features`` to ``margins``."""
    from onnx import helper, numpy_helper

    (model,) = models
    tensors = {"mean": model.mean, "scale": model.scale}
    nodes = [
        helper.make_node("Sub", ["features", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["layer_0"]),
    ]
    last = len(model.weights) - 1
    for place, (weights, constants) in enumerate(zip(model.weights, model.constants, strict=True)):
        tensors |= {f"weights_{place}": weights, f"constants_{place}": constants}
        out = "margins" if place == last else f"raw_{place}"
        nodes.append(
            helper.make_node("Gemm", [f"layer_{place}", f"weights_{place}", f"constants_{place}"], [out]),
        )
        if place < last:
            nodes.append(helper.make_node("Relu", [out], [f"layer_{place + 1}"]))
    return Graph(nodes, [numpy_helper.from_array(v.astype(np.float32), name=k) for k, v in tensors.items()])


def scaling_of(x: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of every input; 1 where it never varies."""
    spread = x.std(axis=0, dtype=np.float64)
    return np.asarray(x.mean(axis=0, dtype=np.float64)), np.where(spread > 1e-9, spread, 1.0)
