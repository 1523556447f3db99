"""A learned model of several classes as one ONNX graph that answers with calibrated probabilities, proven equal to the trainer.

Belongs here: margins, scaling and softmax in one graph. The rule that names a class stays in the contract: it is not a
probability.
Does not belong here: two-class graphs with their intervals (``models/export.py``), the bundle's files.
"""

import numpy as np
import numpy.typing as npt

from esports_assets.models.export import IR_VERSION, ML_OPSET, OPSET, TOLERANCE, ExportError, open_graph
from esports_assets.models.multiclass.families import ClassFamily
from esports_assets.models.multiclass.learning import ClassLearned

VERIFIED_ROWS = 50_000
"""Rows that graph and trainer are compared on, spread evenly over all."""


def classes_to_onnx(family: ClassFamily, learned: ClassLearned, width: int, classes: int) -> bytes:
    """The graph's bytes: ``features`` [N, width] to ``probability`` [N, classes]."""
    from onnx import TensorProto, checker, helper

    part = family.graph([learned.main])
    scaling = learned.fitting.scaling.graph("margins", "probability")
    graph = helper.make_graph(
        [*part.nodes, *scaling.nodes],
        "model",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, classes])],
        [*part.initializers, *scaling.initializers],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
        ir_version=IR_VERSION,
    )
    checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def verify_classes(graph: bytes, learned: ClassLearned, x: npt.NDArray[np.float32]) -> float:
    """The largest distance between graph and trainer; ExportError above 1e-5."""
    chosen = x[np.unique(np.linspace(0, len(x) - 1, min(len(x), VERIFIED_ROWS)).astype(np.int64))]
    (answered,) = open_graph(graph).run(None, {"features": chosen})
    worst = float(np.abs(answered - learned.probability(chosen)).max())
    if not worst <= TOLERANCE:
        raise ExportError(f"the graph differs from the trained model by {worst:.2e} (allowed {TOLERANCE:.0e})")
    return worst
