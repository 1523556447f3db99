"""The portable artefact of a model: how it is packed, verified and asked. Nothing in it executes on load.

Belongs here: the three files and their hashes, writing, verified loading, and answering from the graph (ONNX Runtime is
imported inside functions). The contract's shape is ``contract.py``; its names are at home here too.
Does not belong here: training libraries, the registry, which version serves (``promotion/mirror.py``), HTTP.

A bundle is ``bundles/<registered>/<version>/{model.onnx,contract.json,manifest.json}``. The manifest is written last:
without it there is no bundle. A written bundle never changes.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.models.contract import (
    FORMAT_VERSION,
    BundleError,
    Contract,
    Decision,
    Feature,
    Interval,
    Metric,
    TrainingData,
    check_registered,
    check_task,
    check_version,
)

__all__ = [
    "CONTRACT",
    "FORMAT_VERSION",
    "MANIFEST",
    "MODEL",
    "BundleError",
    "Contract",
    "Decision",
    "Feature",
    "FileEntry",
    "Interval",
    "Manifest",
    "Metric",
    "Model",
    "Objects",
    "TrainingData",
    "bundle_prefix",
    "check_registered",
    "check_task",
    "check_version",
    "load_bundle",
    "pack",
    "read_bundle",
    "write_bundle",
]

MODEL, CONTRACT, MANIFEST = "model.onnx", "contract.json", "manifest.json"
MAX_MODEL_BYTES = 512 * 1024 * 1024
"""Larger graphs are refused: the serving process has 250 MB."""

_SUM_TOLERANCE = 1e-3

Floats = npt.NDArray[np.float32]


class Objects(Protocol):
    """What a bundle needs of an object store; ``storage.objects.ObjectStore`` is the real one."""

    def put(self, key: str, data: bytes) -> None:
        """Store atomically."""

    def find(self, key: str) -> bytes | None:
        """The bytes, or None where nothing is stored."""

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""

    def delete(self, key: str) -> bool:
        """Remove; whether something was there."""


class FileEntry(msgspec.Struct, frozen=True):
    """Hash and size of one file of a bundle."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True):
    """The content of ``manifest.json``: every other file of the bundle."""

    format_version: int
    files: dict[str, FileEntry]


def bundle_prefix(registered: str, version: str) -> str:
    """Where a bundle lies in the object store, with the closing slash."""
    return f"bundles/{check_registered(registered)}/{check_version(version)}/"


def pack(contract: Contract, model: bytes) -> dict[str, bytes]:
    """The three files of a bundle, manifest last; the same input gives the same bytes."""
    files = {MODEL: model, CONTRACT: msgspec.json.format(msgspec.json.encode(contract), indent=1)}
    entries = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items())}
    files[MANIFEST] = msgspec.json.format(msgspec.json.encode(Manifest(FORMAT_VERSION, entries)), indent=1)
    return files


def write_bundle(store: Objects, contract: Contract, model: bytes) -> str:
    """Check that the graph keeps the contract, then write the bundle; returns its prefix.

    Writing the same bundle again changes nothing; other content under a version that exists is refused, because serving
    and the ledger take a version for one content.
    """
    Model(contract, model)
    files = pack(contract, model)
    prefix = bundle_prefix(contract.registered_name, contract.version)
    if store.find(prefix + MANIFEST) not in (None, files[MANIFEST]):
        raise BundleError(
            f"{contract.registered_name} v{contract.version} exists with other content; register a new version."
        )
    for name, data in files.items():
        store.put(prefix + name, data)
    return prefix


def read_bundle(store: Objects, registered: str, version: str) -> tuple[Contract, bytes]:
    """Contract and graph of a bundle, with every hash verified and nothing loaded yet."""
    label = f"{registered} v{version}"
    prefix = bundle_prefix(registered, version)
    manifest: Manifest = _decode(_get(store, prefix, MANIFEST, label), Manifest, MANIFEST, label)
    if manifest.format_version != FORMAT_VERSION:
        raise BundleError(
            f"{label} has bundle format {manifest.format_version}; this program reads format {FORMAT_VERSION}."
        )
    files: dict[str, bytes] = {}
    for name in (CONTRACT, MODEL):
        entry = manifest.files.get(name)
        if entry is None:
            raise BundleError(f"{label} is refused: its manifest does not list {name}.")
        if entry.size > MAX_MODEL_BYTES:
            raise BundleError(f"{label} is refused: {name} has {entry.size} bytes, allowed are {MAX_MODEL_BYTES}.")
        files[name] = _get(store, prefix, name, label)
        if len(files[name]) != entry.size or hashlib.sha256(files[name]).hexdigest() != entry.sha256:
            raise BundleError(f"{label} is refused: {name} is not the file whose hash is in the manifest.")
    contract: Contract = _decode(files[CONTRACT], Contract, CONTRACT, label)
    if (contract.registered_name, contract.version) != (registered, version):
        said = f"{contract.registered_name} v{contract.version}"
        raise BundleError(f"{label} is refused: its contract says that it is {said}.")
    return contract, files[MODEL]


def load_bundle(
    store: Objects, registered: str, version: str, fingerprint_of: Callable[[str], str] | None = None
) -> "Model":
    """A verified, warmed model.

    With ``fingerprint_of`` (window name -> fingerprint that this process computes; LookupError for an unknown window) a
    bundle that was trained on another definition of its window is refused.
    """
    contract, graph = read_bundle(store, registered, version)
    if fingerprint_of is not None:
        try:
            computed = fingerprint_of(contract.window)
        except LookupError as error:
            raise BundleError(
                f"{registered} v{version} is refused: this program has no window {contract.window}."
            ) from error
        if computed != contract.window_fingerprint:
            raise BundleError(
                f"{registered} v{version} is refused: it was trained on {contract.window} with fingerprint "
                f"{contract.window_fingerprint}, this program computes {computed}."
            )
    return Model(contract, graph)


COMPANY = 64
"""Rows that are asked about together where the order of answers' bits matters."""


class Model:
    """A contract and its ONNX graph, checked against each other and warmed; safe to ask from several threads."""

    def __init__(self, contract: Contract, graph: bytes) -> None:
        self.contract = contract
        self.positive = contract.classes.index(contract.positive_class) if contract.positive_class else -1
        self._label = f"{contract.registered_name} v{contract.version}"
        self._session = self._open(graph)
        self._outputs = ["probability"] if contract.interval is None else ["probability", "replicates"]
        self._check_signature()
        self._warm()

    def predict_each(self, features: Floats) -> tuple[Floats, Floats | None]:
        """The same, with the bits that every row has when it is asked about alone.

        Graphs may answer a row in another company with another last bit. Whether this one does is tried once; if so, rows are
        asked about one by one.
        """
        if len(features) <= self._company:
            return self.predict(features)
        parts = [self.predict(features[at : at + self._company]) for at in range(0, len(features), self._company)]
        replicates = [part[1] for part in parts if part[1] is not None]
        return np.concatenate([part[0] for part in parts]), np.concatenate(replicates) if replicates else None

    def predict(self, features: Floats) -> tuple[Floats, Floats | None]:
        """Calibrated probabilities [N, classes] of rows in contract order, and replicates [N, R] (positive class)."""
        out = self._session.run(self._outputs, {"features": features})
        return out[0], (out[1] if len(out) == 2 else None)

    def bounds(self, replicates: Floats) -> tuple[Floats, Floats]:
        """Lower and upper bound per row: the interval's quantiles of the replicates (linear between neighbours)."""
        interval = self.contract.interval
        if interval is None:
            raise BundleError(f"{self._label} has no interval.")
        tail = (1 - interval.level) / 2 * (interval.replicates - 1)
        low = int(tail)
        high = interval.replicates - 1 - low
        if len(replicates) == 1:  # the same on plain floats: numpy's price per operation is most of a single row's
            row, part = sorted(replicates[0].tolist()), tail - low
            bounds = row[low] + part * (row[low + 1] - row[low]), row[high] - part * (row[high] - row[high - 1])
            return np.array(bounds[:1], dtype=np.float32), np.array(bounds[1:], dtype=np.float32)
        rest = tail - low
        ordered = np.sort(replicates, axis=1).astype(np.float64)  # so that a row has the same bounds in any company
        lower = ordered[:, low] + rest * (ordered[:, low + 1] - ordered[:, low])
        upper = ordered[:, high] - rest * (ordered[:, high] - ordered[:, high - 1])
        return lower.astype(np.float32), upper.astype(np.float32)

    def _open(self, graph: bytes) -> Any:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            return ort.InferenceSession(graph, sess_options=options, providers=["CPUExecutionProvider"])
        except _runtime_errors() as error:
            raise BundleError(
                f"{self._label} is refused: ONNX Runtime does not open its graph ({_one_line(error)})."
            ) from error

    def _check_signature(self) -> None:
        contract = self.contract
        inputs = {node.name: node for node in self._session.get_inputs()}
        if set(inputs) != {"features"} or inputs["features"].type != "tensor(float)":
            raise BundleError(f"{self._label} is refused: its graph must take exactly one float input named features.")
        self._check_width("features", inputs["features"].shape, len(contract.features))
        outputs = {node.name: node for node in self._session.get_outputs()}
        widths = {"probability": len(contract.classes)}
        if contract.interval is not None:
            widths["replicates"] = contract.interval.replicates
        for name, width in widths.items():
            if name not in outputs or outputs[name].type != "tensor(float)":
                raise BundleError(f"{self._label} is refused: its graph has no float output named {name}.")
            self._check_width(name, outputs[name].shape, width)

    def _check_width(self, name: str, shape: list[Any], width: int) -> None:
        if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != width):
            raise BundleError(
                f"{self._label} is refused: {name} has shape {shape} in the graph, the contract says [N, {width}]."
            )

    def _warm(self) -> None:
        """Two rows at the smallest allowed values: shapes and sums must hold before the model may answer anyone."""
        contract = self.contract
        row = [min(max(0.0, _or(f.minimum, -np.inf)), _or(f.maximum, np.inf)) for f in contract.features]
        try:
            probability, replicates = self.predict(np.array([row, row], dtype=np.float32))
        except _runtime_errors() as error:
            raise BundleError(
                f"{self._label} is refused: its graph fails on a plain row ({_one_line(error)})."
            ) from error
        sound = probability.shape == (2, len(contract.classes)) and _is_distribution(probability)
        if replicates is not None and contract.interval is not None:
            sound = (
                sound and replicates.shape == (2, contract.interval.replicates) and bool(np.isfinite(replicates).all())
            )
        if not sound:
            raise BundleError(f"{self._label} is refused: on a plain row its graph does not answer with probabilities.")

    @cached_property
    def _company(self) -> int:
        """So many rows are asked about together where every bit matters: those of ``COMPANY``, if rows from all over the contract's
        ranges have the same answers, to the bit, in companies of every size up to it.
        """
        rows = _from_all_over(self.contract, COMPANY)
        alone = [
            np.concatenate(told) for told in zip(*(self._told(rows[i : i + 1]) for i in range(COMPANY)), strict=True)
        ]
        alike = all(
            np.array_equal(together, single[:size], equal_nan=True)
            for size in range(2, COMPANY + 1)
            for together, single in zip(self._told(rows[:size]), alone, strict=True)
        )
        return COMPANY if alike else 1

    def _told(self, rows: Floats) -> list[Floats]:
        told: list[Floats] = self._session.run(self._outputs, {"features": rows})
        return told


def _from_all_over(contract: Contract, count: int) -> Floats:
    """Rows that a seed draws between the smallest and largest allowed values, unknown ones among them."""
    rng, unbounded = np.random.default_rng(0), 1000.0
    low = np.array([max(_or(feature.minimum, -unbounded), -unbounded) for feature in contract.features])
    high = np.array([min(_or(feature.maximum, unbounded), unbounded) for feature in contract.features])
    rows = low + (high - low) * rng.random((count, len(low)))
    absent = rng.random(rows.shape) < 0.1
    rows[absent & np.array([feature.nullable for feature in contract.features])] = np.nan
    return np.asarray(rows, dtype=np.float32)


def _is_distribution(probability: Floats) -> bool:
    sums = probability.sum(axis=1)
    return bool(((probability >= 0) & (probability <= 1)).all() and (np.abs(sums - 1) <= _SUM_TOLERANCE).all())


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for a graph or a run that it refuses."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
    )
    return (*(getattr(state, name) for name in names), ValueError)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else text[:200] + "…"


def _get(store: Objects, prefix: str, name: str, label: str) -> bytes:
    data = store.find(prefix + name)
    if data is None:
        raise BundleError(f"{label} is refused: {name} is missing in the object store.")
    return data


def _decode(data: bytes, kind: Any, name: str, label: str) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"{label} is refused: {name} does not read ({_one_line(error)}).") from error
