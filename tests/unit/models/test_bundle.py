"""The bundle: what is written is what is loaded, and nothing else is."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_bundle as tiny
from onnx import helper

from esports_assets.models.bundle import (
    BundleError,
    Interval,
    Model,
    load_bundle,
    pack,
    read_bundle,
    write_bundle,
)
from esports_assets.storage.objects import ObjectStore


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path)


def _sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def test_what_is_written_is_loaded_and_answers(store: ObjectStore) -> None:
    prefix = write_bundle(store, tiny.contract(), tiny.graph())
    assert prefix == f"bundles/{tiny.REGISTERED}/1/"
    assert store.list(prefix.rstrip("/")) == [
        prefix + name for name in ("contract.json", "manifest.json", "model.onnx")
    ]
    model = load_bundle(store, tiny.REGISTERED, "1", lambda window: {"cs2/round_state": tiny.FINGERPRINT}[window])
    assert model.contract == tiny.contract()
    probability, replicates = model.predict(np.array([[5, 3, 20, np.nan]], dtype=np.float32))
    score = 0.8 * 5 - 0.8 * 3 + 0.004 * 20
    assert probability[0] == pytest.approx([_sigmoid(score), 1 - _sigmoid(score)], abs=1e-6)
    assert replicates is not None
    lower, upper = model.bounds(replicates)
    expected = np.quantile([_sigmoid(score + s) for s in tiny.SPREAD], [0.05, 0.95])
    assert [lower[0], upper[0]] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("level", "count"), [(0.9, 2), (0.9, 20), (0.9, 21), (0.5, 7), (0.99, 200)])
def test_bounds_are_the_linear_quantiles(level: float, count: int) -> None:
    spread = tuple(np.linspace(-1, 1, count))
    model = Model(tiny.contract(interval=Interval(level, "match bootstrap", count)), tiny.graph(spread=spread))
    rows = np.random.default_rng(7).random((5, count), dtype=np.float32)
    lower, upper = model.bounds(rows)
    assert np.allclose(lower, np.quantile(rows, (1 - level) / 2, axis=1), atol=1e-6)
    assert np.allclose(upper, np.quantile(rows, 1 - (1 - level) / 2, axis=1), atol=1e-6)
    alone = [model.bounds(rows[i : i + 1]) for i in range(5)]
    assert [low[0] for low, _ in alone] == lower.tolist()
    assert [high[0] for _, high in alone] == upper.tolist()


def _moved_by_company() -> bytes:
    """A graph whose answers depend, a little, on who else is asked about."""
    model = onnx.load_from_string(tiny.graph())
    nodes = list(model.graph.node)
    nodes[3] = helper.make_node("Add", ["product", "mean"], ["score"])
    nodes.insert(3, helper.make_node("ReduceMean", ["product"], ["mean"], axes=[0], keepdims=1))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    data: bytes = model.SerializeToString()
    return data


@pytest.mark.parametrize("graph", [tiny.graph(), _moved_by_company()], ids=["steady", "moved"])
def test_each_row_is_answered_as_if_alone(graph: bytes) -> None:
    model = Model(tiny.contract(), graph)
    rows = np.random.default_rng(7).random((150, 4), dtype=np.float32) * 5
    told, replicates = model.predict_each(rows)
    alone = [model.predict(rows[i : i + 1]) for i in range(len(rows))]
    assert replicates is not None
    assert np.array_equal(told, np.concatenate([p for p, _ in alone]))
    assert np.array_equal(replicates, np.concatenate([r for _, r in alone if r is not None]))


def test_only_a_graph_that_answers_alike_is_asked_about_many_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: dict[str, list[int]] = {}
    for name, graph in (("steady", tiny.graph()), ("moved", _moved_by_company())):
        model, asked = Model(tiny.contract(), graph), sizes.setdefault(name, [])
        model.predict_each(np.ones((150, 4), dtype=np.float32))
        predict = model.predict
        monkeypatch.setattr(model, "predict", lambda x, p=predict, a=asked: (a.append(len(x)), p(x))[1])
        model.predict_each(np.ones((150, 4), dtype=np.float32))
    assert sizes == {"steady": [64, 64, 22], "moved": [1] * 150}


def test_contract_json_has_the_agreed_form() -> None:
    files = pack(tiny.contract(), b"graph")
    contract = json.loads(files["contract.json"])
    assert contract["format_version"] == 1
    assert contract["features"][0] == {
        "name": "ct_alive", "unit": "players", "doc": "Living defenders", "minimum": 0.0, "maximum": 5.0,
    }  # fmt: skip
    assert contract["features"][3]["nullable"] is True
    said = {name: contract["interval"][name] for name in ("level", "method", "replicates")}
    assert said == {"level": 0.9, "method": "match bootstrap", "replicates": 3}
    assert contract["metrics"] == {"log_loss": {"value": 0.47, "lo": 0.45, "hi": 0.49}}
    assert set(json.loads(files["manifest.json"])["files"]) == {"model.onnx", "contract.json"}
    assert pack(tiny.contract(), b"graph") == files


def test_the_same_bundle_again_is_fine_and_another_content_is_not(store: ObjectStore) -> None:
    write_bundle(store, tiny.contract(), tiny.graph())
    write_bundle(store, tiny.contract(), tiny.graph())
    with pytest.raises(BundleError, match="v1 exists with other content"):
        write_bundle(store, tiny.contract(), tiny.graph(bias=1.0))


@pytest.mark.parametrize("name", ["model.onnx", "contract.json"])
def test_a_flipped_byte_is_refused(store: ObjectStore, name: str) -> None:
    prefix = write_bundle(store, tiny.contract(), tiny.graph())
    data = bytearray(store.get(prefix + name))
    data[len(data) // 2] ^= 1
    store.put(prefix + name, bytes(data))
    with pytest.raises(BundleError, match=rf"{name} is not the file whose hash is in the manifest"):
        load_bundle(store, tiny.REGISTERED, "1")


@pytest.mark.parametrize("name", ["model.onnx", "contract.json", "manifest.json"])
def test_a_missing_file_is_refused_by_name(store: ObjectStore, name: str) -> None:
    store.delete(write_bundle(store, tiny.contract(), tiny.graph()) + name)
    with pytest.raises(BundleError, match=f"{name} is missing"):
        read_bundle(store, tiny.REGISTERED, "1")


def test_another_window_definition_is_refused(store: ObjectStore) -> None:
    write_bundle(store, tiny.contract(), tiny.graph())
    with pytest.raises(BundleError, match="fingerprint f1f2f3, this program computes other"):
        load_bundle(store, tiny.REGISTERED, "1", lambda _: "other")

    def unknown(window: str) -> str:
        raise LookupError(window)

    with pytest.raises(BundleError, match="has no window cs2/round_state"):
        load_bundle(store, tiny.REGISTERED, "1", unknown)


def test_a_bundle_moved_to_another_version_is_refused(store: ObjectStore) -> None:
    prefix = write_bundle(store, tiny.contract(), tiny.graph())
    for key in store.list(prefix.rstrip("/")):
        store.put(key.replace("/1/", "/2/"), store.get(key))
    with pytest.raises(BundleError, match=r"v2 is refused: its contract says that it is .* v1"):
        load_bundle(store, tiny.REGISTERED, "2")


def test_a_graph_that_does_not_keep_the_contract_is_never_written(store: ObjectStore) -> None:
    cases = {
        tiny.graph(weights=(1.0, 2.0)): r"features has shape .* the contract says \[N, 4\]",
        tiny.graph(spread=(0.0, 0.1)): r"replicates has shape .* the contract says \[N, 3\]",
        b"not a graph": "ONNX Runtime does not open its graph",
        tiny.graph(bias=float("nan")): "does not answer with probabilities",
    }
    for graph, sentence in cases.items():
        with pytest.raises(BundleError, match=sentence):
            write_bundle(store, tiny.contract(), graph)
    assert store.list() == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"registered_name": "../x"}, "not a registered name"),
        ({"registered_name": "cs2.round_win.xgboost"}, "is not cs2.round_win.multinomial_logistic"),
        ({"version": "0"}, "not a model version"),
        ({"version": "../1"}, "not a model version"),
        ({"title": "csgo"}, "title csgo is not the title"),
        ({"features": ()}, "names no feature"),
        ({"features": tiny.FEATURES[:1] * 2}, "occurs twice"),
        ({"classes": ("ct",)}, "two or more distinct classes"),
        ({"positive_class": "x"}, "positive class x"),
        ({"interval": Interval(1.5, "m", 9)}, "level is not within"),
        ({"format_version": 2}, "format_version is 2"),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BundleError, match=sentence):
        tiny.contract(**changes)


def test_importing_the_format_needs_no_runtime() -> None:
    heavy = "('onnxruntime', 'sklearn', 'pandas')"
    code = f"import sys, esports_assets.models.bundle; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
