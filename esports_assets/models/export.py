"""A learned model as one ONNX graph that answers with calibrated probabilities, proven equal to the trainer before use.

Belongs here: putting the family's margins, the replicates' spread, the calibration and the classes into one graph.
Does not belong here: the bundle's files (``bundle.py``), learning.

The graph: ``features`` [N, n] float32 -> family -> ``margins`` [N, 1 + R] -> one matrix product that leaves the model's own
log-odds and turns the replicates into ``z + widen * (z_r - mean)`` (see ``interval.py``) -> calibration -> sigmoid ->
``probability`` [N, classes] and ``replicates`` [N, R]. Widening and calibration are inside: who serves it adds nothing.
"""

from typing import Any

import numpy as np

from esports_assets.models.families.base import Family
from esports_assets.models.train import Learned

OPSET, ML_OPSET, IR_VERSION = 17, 3, 8
TOLERANCE = 1e-5


class ExportError(RuntimeError):
    """The graph does not say what the trained model says; nothing may be written."""


def to_onnx(family: Family, learned: Learned, classes: tuple[str, ...], positive: str) -> bytes:
    """The graph's bytes; two classes only."""
    from onnx import TensorProto, checker, helper, numpy_helper

    if len(classes) != 2:
        raise ExportError(f"a graph with an interval needs two classes, there are {len(classes)}")
    count = len(learned.replicates)
    width = len(learned.main.features)
    part = family.graph([learned.main, *learned.replicates])
    calibration = learned.calibration.graph("spread", "log_odds")
    both = [1.0, -1.0] if classes.index(positive) == 0 else [-1.0, 1.0]
    constants = {
        "mixing": _mixing(count, learned.widen),
        "signs": np.array([both], dtype=np.float32),
        "zero": np.array([0], dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
        "end": np.array([1 + count], dtype=np.int64),
    }
    nodes = [
        *part.nodes,
        helper.make_node("MatMul", ["margins", "mixing"], ["spread"]),
        *calibration.nodes,
        helper.make_node("Slice", ["log_odds", "zero", "one", "one"], ["own"]),
        helper.make_node("Mul", ["own", "signs"], ["both"]),
        helper.make_node("Sigmoid", ["both"], ["probability"]),
    ]
    outputs = [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 2])]
    if count:
        nodes.append(helper.make_node("Slice", ["log_odds", "one", "end", "one"], ["others"]))
        nodes.append(helper.make_node("Sigmoid", ["others"], ["replicates"]))
        outputs.append(helper.make_tensor_value_info("replicates", TensorProto.FLOAT, [None, count]))
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        outputs,
        [
            *part.initializers,
            *calibration.initializers,
            *(numpy_helper.from_array(value, name=name) for name, value in constants.items()),
        ],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
        ir_version=IR_VERSION,
    )
    checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _mixing(count: int, widen: float) -> np.ndarray:
    """[1 + R, 1 + R]: column 0 keeps z, column r is ``z + widen * (z_r - mean over r)``."""
    mixing = np.zeros((1 + count, 1 + count))
    mixing[0] = 1.0
    mixing[1:, 1:] = widen * (np.eye(count) - 1 / max(count, 1))
    return mixing.astype(np.float32)


def open_graph(graph: bytes) -> Any:
    """An ONNX Runtime session on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def verify(graph: bytes, learned: Learned, x: np.ndarray, positive_first: bool) -> float:
    """The largest distance between graph and trainer on these rows; ExportError above 1e-5."""
    session = open_graph(graph)
    probability = learned.probability(x)
    expected = [np.column_stack([probability, 1 - probability] if positive_first else [1 - probability, probability])]
    if learned.replicates:
        expected.append(learned.replicate_probabilities(x))
    answered = session.run(None, {"features": x.astype(np.float32)})
    worst = max(float(np.abs(a - e).max()) for a, e in zip(answered, expected, strict=True))
    if not worst <= TOLERANCE:
        raise ExportError(f"the graph differs from the trained model by {worst:.2e} (allowed {TOLERANCE:.0e})")
    return worst
