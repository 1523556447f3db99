"""A family that learns steps from the last move instead of moves, on the window ``rps/next_move_signs``.

Belongs here: turning labels before learning, turning margins back, in numpy and as ONNX nodes.
Does not belong here: turning the inputs, which the window did (``windows/next_move_signs.py``).

A habit such as "the move that beats my last one" is one weight for steps and three for moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from esports_assets.models.families.base import Graph
from esports_assets.models.multiclass.families import ClassFitted
from esports_assets.models.rows import Rows
from esports_assets.models.rps.protocol import Floats, MoveFamily

MOVES = np.arange(3)
_BACK = np.array(
    [[[step == (move - last) % 3 for move in MOVES] for last in MOVES] for step in MOVES], dtype=np.float64
)
"""[step, last move, move]: 1 where the step from the last move leads to the move."""


@dataclass(frozen=True, slots=True)
class TurnedModel:
    """A model of steps; the last column of its inputs is the last move."""

    inner: ClassFitted

    @property
    def params(self) -> dict[str, Any]:
        """Those of the model of steps."""
        return self.inner.params

    def margins(self, x: npt.NDArray[Any]) -> Floats:
        """Margins of moves [N, 3]."""
        steps = self.inner.margins(x[:, :-1])
        back = (MOVES - x[:, -1:].astype(np.int64)) % 3
        return np.take_along_axis(steps, back, axis=1)


@dataclass(frozen=True, slots=True)
class Turned:
    """The family ``name`` that lets another one learn the steps."""

    inner: MoveFamily
    name: str

    def fit(self, rows: Rows, seed: int, start: Any = None) -> TurnedModel:
        """Learn the steps."""
        before = start.inner if isinstance(start, TurnedModel) else None
        return TurnedModel(self.inner.fit(_turned(rows), seed, before))

    def graph(self, models: Sequence[Any]) -> Graph:
        """The inner graph between two slices of the inputs, and its margins sent back by the last move."""
        from onnx import helper, numpy_helper

        inner = self.inner.graph([model.inner for model in models])
        for node in inner.nodes:
            node.input[:] = ["signs" if name == "features" else name for name in node.input]
            node.output[:] = ["steps" if name == "margins" else name for name in node.output]
        constants = {
            "from": np.array([0]),
            "last": np.array([-1]),
            "end": np.array([np.iinfo(np.int64).max]),
            "axis": np.array([1]),
            "back": _BACK.reshape(3, 9).astype(np.float32),
            "square": np.array([-1, 3, 3]),
            "column": np.array([-1, 3, 1]),
            "moves": MOVES.astype(np.float32)[None],
        }
        make = helper.make_node
        nodes = [
            make("Slice", ["features", "from", "last", "axis"], ["signs"]),
            make("Slice", ["features", "last", "end", "axis"], ["last_move"]),
            *inner.nodes,
            make("MatMul", ["steps", "back"], ["everywhere"]),
            make("Reshape", ["everywhere", "square"], ["by_last_move"]),
            make("Equal", ["last_move", "moves"], ["is_last"]),
            make("Cast", ["is_last"], ["chosen"], to=1),
            make("Reshape", ["chosen", "column"], ["choice"]),
            make("Mul", ["by_last_move", "choice"], ["its"]),
            make("ReduceSum", ["its", "axis"], ["margins"], keepdims=0),
        ]
        return Graph(nodes, [*inner.initializers, *(numpy_helper.from_array(v, name=k) for k, v in constants.items())])

    def dumped(self, model: TurnedModel) -> bytes:
        """Of the model of steps."""
        return self.inner.dumped(model.inner)

    def loaded(self, data: bytes, rows: Rows) -> TurnedModel:
        """The inverse of ``dumped``."""
        return TurnedModel(self.inner.loaded(data, _turned(rows)))


def _turned(rows: Rows) -> Rows:
    steps = (rows.y - rows.x[:, -1].astype(np.int64)) % 3
    return replace(rows, features=rows.features[:-1], x=np.ascontiguousarray(rows.x[:, :-1]), y=steps)
