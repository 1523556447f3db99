"""Real but tiny models of the next move, and games with known models: for tests and benchmarks of live games.

Belongs here: building graphs, contracts and a promoted store. Does not belong here: any assertion.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from esports_assets.games.rps.contract import FEATURE_NAMES
from esports_assets.games.rps.features import CLASSES
from esports_assets.models.bundle import Contract, Feature, Metric, TrainingData, write_bundle
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.next_move import NEXT_MOVE

TASK = "rps.next_move"
XGBOOST = f"{TASK}.xgboost"


def graph(strength: float = 1.0, bias: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> bytes:
    """ONNX bytes: softmax of ``strength`` times the user's habits (``user_tend_*``) plus ``bias``; probability [N, 3]."""
    weights = np.zeros((len(FEATURE_NAMES), 3), dtype=np.float32)
    for column, move in enumerate(CLASSES):
        weights[FEATURE_NAMES.index(f"user_tend_{move}"), column] = strength
    initializers = [
        numpy_helper.from_array(weights, "w"),
        numpy_helper.from_array(np.array([bias], dtype=np.float32), "b"),
    ]
    nodes = [
        helper.make_node("MatMul", ["features", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["score"]),
        helper.make_node("Softmax", ["score"], ["probability"], axis=1),
    ]
    body = helper.make_graph(
        nodes,
        "tiny_rps",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(FEATURE_NAMES)])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 3])],
        initializers,
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def contract(version: str = "1", family: str = "xgboost", **changes: Any) -> Contract:
    """A contract that fits ``graph()``."""
    values: dict[str, Any] = {
        "registered_name": f"{TASK}.{family}",
        "task": TASK,
        "family": family,
        "version": version,
        "title": "rps",
        "features": tuple(Feature(f.name, f.unit, f.doc, f.minimum, f.maximum) for f in NEXT_MOVE.features),
        "window": NEXT_MOVE.name,
        "window_fingerprint": NEXT_MOVE.fingerprint,
        "classes": CLASSES,
        "positive_class": "",
        "calibration": {"method": "none"},
        "training_data": TrainingData("d0d0", ()),
        "metrics": {"log_loss": Metric(1.05)},
        "mlflow_run_id": f"run-of-version-{version}",
        "dagster_run_id": "dagster-1",
        "code_version": "1",
        "asset_key": "models/rps/next_move",
        "created_at": "2026-01-01T00:00:00+00:00",
        "simulated": True,
    }
    return Contract(**(values | changes))


def promote(store: ObjectStore, aliases: dict[str, str], family: str = "xgboost") -> None:
    """Write a bundle per version and let the aliases mean them: version n leans on habits with strength n."""
    for alias, version in aliases.items():
        write_bundle(store, contract(version, family), graph(float(version)))
        mirror.write_alias(store, f"{TASK}.{family}", alias, version)
