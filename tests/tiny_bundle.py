"""A real but tiny bundle for tests and benchmarks: a logistic model of a few features with three bootstrap replicates.

Belongs here: building the graph and its contract. Does not belong here: any assertion.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from esports_assets.models.bundle import Contract, Feature, Interval, Metric, TrainingData

TASK = "cs2.round_win"
REGISTERED = "cs2.round_win.multinomial_logistic"
FINGERPRINT = "f1f2f3"
FEATURES = (
    Feature("ct_alive", "players", "Living defenders", 0, 5),
    Feature("t_alive", "players", "Living attackers", 0, 5),
    Feature("t_s", "s", "Seconds since freeze end", -30, 200),
    Feature("planted_s", "s", "Seconds since the plant", 0, 60, nullable=True),
)
WEIGHTS = (0.8, -0.8, 0.004, 0.0)
SPREAD = (-0.4, 0.0, 0.4)
"""Logit offsets of the replicates."""


def graph(weights: tuple[float, ...] = WEIGHTS, bias: float = 0.0, spread: tuple[float, ...] = SPREAD) -> bytes:
    """ONNX bytes: NaN becomes 0, then sigmoid of a linear score; probability [N, 2] and replicates [N, len(spread)]."""

    def constant(name: str, value: Any) -> onnx.TensorProto:
        return numpy_helper.from_array(np.asarray(value, dtype=np.float32), name)

    initializers = [
        constant("w", np.array(weights).reshape(-1, 1)),
        constant("b", [[bias]]),
        constant("zero", 0.0),
        constant("one", [[1.0]]),
        constant("offsets", [list(spread)]),
    ]
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "features"], ["filled"]),
        helper.make_node("MatMul", ["filled", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["positive"]),
        helper.make_node("Sub", ["one", "positive"], ["negative"]),
        helper.make_node("Concat", ["positive", "negative"], ["probability"], axis=1),
        helper.make_node("Add", ["score", "offsets"], ["scores"]),
        helper.make_node("Sigmoid", ["scores"], ["replicates"]),
    ]
    body = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(weights)])],
        [
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 2]),
            helper.make_tensor_value_info("replicates", TensorProto.FLOAT, [None, len(spread)]),
        ],
        initializers,
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def contract(version: str = "1", **changes: Any) -> Contract:
    """A contract that fits ``graph()``."""
    values: dict[str, Any] = {
        "registered_name": REGISTERED,
        "task": TASK,
        "family": "multinomial_logistic",
        "version": version,
        "title": "cs2",
        "features": FEATURES,
        "window": "cs2/round_state",
        "window_fingerprint": FINGERPRINT,
        "classes": ("ct", "t"),
        "positive_class": "ct",
        "calibration": {"method": "sigmoid", "fitted_on": "out-of-fold"},
        "interval": Interval(0.9, "match bootstrap", len(SPREAD)),
        "training_data": TrainingData("d0d0", ("demo:alpha:1",)),
        "metrics": {"log_loss": Metric(0.47, 0.45, 0.49)},
        "mlflow_run_id": "run-1",
        "dagster_run_id": "dagster-1",
        "code_version": "1",
        "asset_key": "models/cs2/round_win",
        "created_at": "2026-01-01T00:00:00+00:00",
        "simulated": True,
    }
    return Contract(**(values | changes))


def fingerprint_of(window: str) -> str:
    """The only window of the tiny bundle, with its made-up fingerprint."""
    return {"cs2/round_state": FINGERPRINT}[window]
