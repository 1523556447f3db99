"""What HTTP costs around a prediction: throughput, latency, start and memory of the real service, as ratios of one run.

Three servers answer the same row: the service itself; its twin, the same app whose model answers a constant; and, with
``--mlflow``, ``mlflow models serve`` of the same graph. Rounds alternate between them, the ratio is the median of the
rounds' ratios. The model is the promoted one of ``--bundles``, or a stand-in with the shape of the real one: 300 boosted
trees and 20 replicates of 80 trees, depth 3, over the features of ``cs2/round_state``.

    python benchmarks/serving_http.py [--bundles PATH] [--mlflow [FORM]] [--seconds 2] [--rounds 5] [--json FILE]
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from http_load import Server
from http_mlflow import FORMS, mlflow_server

from esports_assets.models.bundle import (
    Contract,
    Feature,
    Interval,
    Objects,
    TrainingData,
    load_bundle,
    read_bundle,
    write_bundle,
)
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from serving.derivation import Derivation

TASK = "cs2.round_win"
STATE = Path(__file__).resolve().parents[1] / "docs" / "state.json"
"""What is asked: a real state of a round."""
REPLICATES = 20
NO_LIMIT = {"PREDICT_RATE_PER_S": "1e6", "PREDICT_RATE_BURST": "1000000"}
"""Requests are counted as ever, but no load that is offered here reaches the limit."""
BARS = {"constant": 0.6, "mlflow": 8.0, "start_s": 2.0, "rss_mb": 250.0, "p50_ms": 2.0}


def trees_graph(width: int, seed: int = 0) -> bytes:
    """Random trees in the shape of the real model: target 0 is the model, the others are replicates."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(seed)
    counts = [300] + [80] * REPLICATES
    node: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "featureids", "modes", "values")}
    node |= {name: [] for name in ("truenodeids", "falsenodeids", "missing_value_tracks_true")}
    leaf: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for tree, target in enumerate(np.repeat(range(len(counts)), counts).tolist()):
        for index in range(15):
            inner = index < 7
            columns = (tree, index, int(rng.integers(width)) if inner else 0, "BRANCH_LEQ" if inner else "LEAF")
            rest = (float(rng.normal()), *((2 * index + 1, 2 * index + 2) if inner else (0, 0)), 1)
            for name, value in zip(node, (*columns, *rest), strict=True):
                node[name].append(value)
            if not inner:
                for name, value in zip(leaf, (tree, index, target, float(rng.normal() / 50)), strict=True):
                    leaf[name].append(value)
    attributes = {f"nodes_{name}": values for name, values in node.items()}
    attributes |= {f"target_{name}": values for name, values in leaf.items()}
    nodes = [
        helper.make_node(
            "TreeEnsembleRegressor",
            ["features"],
            ["margins"],
            domain="ai.onnx.ml",
            n_targets=len(counts),
            post_transform="NONE",
            **attributes,
        ),
        helper.make_node("Sigmoid", ["margins"], ["said"]),
        helper.make_node("Split", ["said", "sizes"], ["positive", "replicates"], axis=1),
        helper.make_node("Sub", ["one", "positive"], ["negative"]),
        helper.make_node("Concat", ["positive", "negative"], ["probability"], axis=1),
    ]
    initializers = [
        numpy_helper.from_array(np.array([1, REPLICATES], dtype=np.int64), "sizes"),
        numpy_helper.from_array(np.ones((1, 1), dtype=np.float32), "one"),
    ]
    outputs = (("probability", 2), ("replicates", REPLICATES))
    graph = helper.make_graph(
        nodes,
        "trees",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, size]) for name, size in outputs],
        initializers,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    return data


def stand_in(store: Objects) -> None:
    """A champion with the features and fingerprint of the real window."""
    from esports_assets.windows.registry import window_spec

    spec = window_spec("cs2/round_state")
    features = [Feature(f.name, f.unit, f.doc, f.minimum, f.maximum, f.nullable) for f in spec.features]
    contract = Contract(
        registered_name=f"{TASK}.xgboost",
        task=TASK,
        family="xgboost",
        version="1",
        title="cs2",
        features=tuple(features),
        window=spec.name,
        window_fingerprint=spec.fingerprint,
        classes=("ct", "t"),
        positive_class="ct",
        calibration={"method": "none"},
        interval=Interval(0.9, "match bootstrap", REPLICATES),
        training_data=TrainingData("none", ()),
        metrics={},
        mlflow_run_id="none",
        dagster_run_id="none",
        code_version="1",
        asset_key="models/cs2/round_win",
        created_at="1970-01-01T00:00:00+00:00",
        simulated=True,
    )
    write_bundle(store, contract, trees_graph(len(features)))
    mirror.write_alias(store, contract.registered_name, "Production", "1")
    mirror.write_champion(store, TASK, contract.registered_name)


class ConstantModel:
    """A loaded model that is never asked: every row gets the same answer, in the same form."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.positive = contract.classes.index(contract.positive_class)
        self._probability = np.full((1, len(contract.classes)), 1 / len(contract.classes), dtype=np.float32)
        self._bound = np.array([0.5], dtype=np.float32)

    def predict(self, features: Any) -> tuple[Any, Any]:
        """The constant."""
        return self._probability, None if self.contract.interval is None else self._probability

    def bounds(self, replicates: Any) -> tuple[Any, Any]:
        """The constant."""
        return self._bound, self._bound


def serve_constant() -> None:
    """The twin: the same app, the same verified bundle, a model that answers a constant."""
    import uvicorn

    from serving.app import create_app
    from serving.settings import Settings

    settings = Settings()
    app = create_app(settings, load=lambda *arguments: ConstantModel(load_bundle(*arguments).contract))
    port = settings.api_port
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="error")


def full_row(state: dict[str, float | None], derivation: Derivation) -> dict[str, float | None]:
    """The state with the features that follow from it, as a client would send that computes them itself."""
    told = {name: value for name, value in state.items() if value is not None}
    computed = derivation.compute_row(dict.fromkeys(derivation.base, math.nan) | told)
    return state | {name: computed[name] for name in derivation.derived}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve-constant", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--bundles", help="object store with a promoted model; a stand-in without it")
    parser.add_argument(
        "--mlflow", nargs="?", const="dataframe", choices=FORMS, help="also measure mlflow models serve"
    )
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--json", type=Path, help="also write the result here")
    arguments = parser.parse_args()
    if arguments.serve_constant:
        serve_constant()
        return
    with tempfile.TemporaryDirectory() as folder:
        result = measure(arguments, Path(folder))
    report(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))
    print(json.dumps(result))


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Every figure, of one run."""
    from serving.derivation import derivation_of

    store = ObjectStore(arguments.bundles or folder / "bundles")
    if not arguments.bundles:
        stand_in(store)
    registered = mirror.read_champion(store, TASK)
    version = None if registered is None else mirror.read_alias(store, registered, "Production")
    if registered is None or version is None:
        raise SystemExit(f"{store!r} has no promoted {TASK}")
    contract, graph = read_bundle(store, registered, version)
    state: dict[str, float | None] = json.loads(STATE.read_text())["features"]
    full = full_row(state, derivation_of(contract.window))
    environment = {"BUNDLES_URL": store.url, "ESPORTS_HOME": str(folder), **NO_LIMIT}
    root = str(Path(__file__).resolve().parents[1])
    environment["PYTHONPATH"] = root
    path = f"/api/v1/predict/{TASK}"
    real = [sys.executable, "-m", "serving.app"]
    twin = [sys.executable, __file__, "--serve-constant"]
    result: dict[str, Any] = {
        "model": f"{registered} v{version}",
        "features": len(full),
        "stand_in": not arguments.bundles,
        "mlflow": FORMS.get(arguments.mlflow),
    }
    servers: list[Server] = []
    try:
        servers.append(Server("predict", real, path, _body(state), environment))
        servers.append(Server("constant", twin, path, _body(state), environment))
        if arguments.mlflow:
            servers.append(mlflow_server(graph, full, arguments.mlflow, folder))
        result["start_s"] = servers[0].start_s
        result["state_row"] = rounds(servers, arguments)
        servers[0].body = servers[1].body = _body(full)
        result["full_row"] = rounds(servers, arguments)
        result["rss_mb"] = servers[0].rss_mb
        _, took = servers[0].load(arguments.seconds, 1)
        result["p50_ms"], result["p99_ms"] = (float(np.quantile(took, q)) * 1000 for q in (0.5, 0.99))
    finally:
        for server in servers:
            server.stop()
    return result


def _body(row: dict[str, float | None]) -> bytes:
    return json.dumps({"features": row}).encode()


def rounds(servers: list[Server], arguments: argparse.Namespace) -> dict[str, Any]:
    """Alternating rounds: median throughput of every server, and the median ratio of the first to each other."""
    for server in servers:
        server.load(0.3, arguments.connections)
    seen: dict[str, list[float]] = {server.name: [] for server in servers}
    spent = {server.name: -server.cpu_s for server in servers}
    answers = dict.fromkeys(seen, 0)
    for _ in range(arguments.rounds):
        for server in servers:
            per_s, took = server.load(arguments.seconds, arguments.connections)
            seen[server.name].append(per_s)
            answers[server.name] += len(took)
    cpu_us = {s.name: (spent[s.name] + s.cpu_s) / answers[s.name] * 1e6 for s in servers}
    first = seen[servers[0].name]
    ratios = {
        name: statistics.median(mine / other for mine, other in zip(first, values, strict=True))
        for name, values in seen.items()
        if name != servers[0].name
    }
    per_second = {name: statistics.median(values) for name, values in seen.items()}
    return {"per_s": per_second, "ratio_to": ratios, "cpu_us": cpu_us}


def report(result: dict[str, Any]) -> None:
    """The figures as a table, each with its bar."""
    lines = [("start to first answer", f"{result['start_s']:.2f} s", f"< {BARS['start_s']:g} s", result["start_s"] < 2)]
    lines.append(("resident memory", f"{result['rss_mb']:.0f} MB", "< 250 MB", result["rss_mb"] < BARS["rss_mb"]))
    p50 = f"{result['p50_ms']:.2f} / {result['p99_ms']:.2f} ms"
    lines.append(("latency p50 / p99, one connection", p50, "p50 < 2 ms", result["p50_ms"] < BARS["p50_ms"]))
    for row in ("state_row", "full_row"):
        per_s, ratio_to = result[row]["per_s"], result[row]["ratio_to"]
        for name, ratio in ratio_to.items():
            bar = BARS["mlflow" if name.startswith("mlflow") else name]
            figures = f"{per_s['predict']:.0f}/s : {per_s[name]:.0f}/s = {ratio:.2f}"
            label = f"{row.replace('_', ' ')}, predict : {name}"
            lines.append((label, figures, f">= {bar:g}", ratio >= bar))
            if name == "constant":
                mine, other = result[row]["cpu_us"]["predict"], result[row]["cpu_us"][name]
                figures = f"{mine:.0f} us : {other:.0f} us = {other / mine:.2f}"
                lines.append(("  the same by processor time", figures, f">= {bar:g}", other / mine >= bar))
    print(f"{result['model']}, {result['features']} features{', stand-in' if result['stand_in'] else ''}")
    if result["mlflow"]:
        print(f"mlflow models serve: {result['mlflow']}")
    for label, figure, bar, met in lines:
        print(f"{label:45} {figure:32} {bar:12} {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
