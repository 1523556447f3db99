"""The contract of a model: everything that a server and a reader must know about it besides its graph.

Belongs here: the shape of ``contract.json``, names and versions, and refusing a contract that contradicts itself.
Does not belong here: files and hashes, the graph (``bundle.py``), how a model came to be.
"""

import re
from typing import Any

import msgspec

FORMAT_VERSION = 1
"""Version of the bundle format; readers refuse another one."""

_PART = r"[a-z][a-z0-9_]*"
_TASK = re.compile(rf"{_PART}\.{_PART}")
_REGISTERED = re.compile(rf"{_PART}\.{_PART}\.{_PART}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


class BundleError(ValueError):
    """A bundle that may not be written or served; the message is one sentence that says why."""


class Feature(msgspec.Struct, frozen=True, omit_defaults=True):
    """One input of the model; ``nullable`` means that a missing value reaches the model as NaN."""

    name: str
    unit: str
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False


class Interval(msgspec.Struct, frozen=True):
    """How the interval of a probability is made from the graph's ``replicates`` output."""

    level: float
    method: str
    replicates: int
    widen: float = 1.0
    """Measured out of fold and already inside the graph's ``replicates``: who serves them adds nothing."""


class Metric(msgspec.Struct, frozen=True):
    """A measured value with its interval."""

    value: float
    lo: float | None = None
    hi: float | None = None


class TrainingData(msgspec.Struct, frozen=True):
    """What the model was fitted on; served predictions of these matches are their out-of-fold ones."""

    data_version: str
    matches: tuple[str, ...]


class Decision(msgspec.Struct, frozen=True):
    """How a class is named: the largest probability times its class's weight; no name where no probability is large.

    The weights were chosen out of fold for macro-F1, ``abstain_below`` where the risk-coverage curve bends. ``coverage`` is
    the share of out-of-fold rows that are named then, ``risk`` the share of them that are wrong, ``full_risk`` that of all.
    """

    weights: dict[str, float]
    abstain_below: float
    coverage: float
    risk: float
    full_risk: float


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a server and a reader must know about a model besides its graph."""

    format_version: int = FORMAT_VERSION
    registered_name: str
    task: str
    family: str
    version: str
    title: str
    features: tuple[Feature, ...]
    window: str
    window_fingerprint: str
    classes: tuple[str, ...]
    positive_class: str
    """Empty where there are more than two classes."""
    calibration: dict[str, Any]
    interval: Interval | None = None
    training_data: TrainingData
    metrics: dict[str, Metric]
    baselines: dict[str, dict[str, Any]] = {}
    """What the model had to beat, learned from the same matches: scores new data beside it (``baselines.py``)."""
    sites: dict[str, dict[str, list[float]]] = {}
    """Bomb sites by map as the window saw them in training: new matches are windowed with the same ones."""
    decision: Decision | msgspec.UnsetType = msgspec.UNSET
    """Of models of several classes: when which class is named."""
    mlflow_run_id: str
    dagster_run_id: str
    code_version: str
    asset_key: str
    created_at: str
    simulated: bool

    def __post_init__(self) -> None:
        """Refuse a contract that contradicts itself."""
        check_registered(self.registered_name)
        check_task(self.task)
        check_version(self.version)
        names = [feature.name for feature in self.features]
        faults = (
            (
                self.format_version != FORMAT_VERSION,
                f"format_version is {self.format_version}, readable is {FORMAT_VERSION}",
            ),
            (
                self.registered_name != f"{self.task}.{self.family}",
                f"{self.registered_name} is not {self.task}.{self.family}",
            ),
            (self.title != self.task.split(".")[0], f"title {self.title} is not the title of {self.task}"),
            (not names, "it names no feature"),
            (len(set(names)) != len(names), "a feature name occurs twice"),
            (
                len(self.classes) < 2 or len(set(self.classes)) != len(self.classes),
                "it needs two or more distinct classes",
            ),
            (
                self.positive_class not in self.classes and (self.positive_class != "" or len(self.classes) == 2),
                f"positive class {self.positive_class} is not one of its classes",
            ),
            (
                self.decision is not msgspec.UNSET and set(self.decision.weights) != set(self.classes),
                "its decision does not weigh exactly its classes",
            ),
            (
                self.interval is not None and not 0 < self.interval.level < 1,
                "the interval's level is not within (0, 1)",
            ),
            (self.interval is not None and self.interval.replicates < 2, "the interval needs two or more replicates"),
        )
        for fault, sentence in faults:
            if fault:
                raise BundleError(f"The contract of {self.registered_name} v{self.version} is refused: {sentence}.")


def check_registered(name: str) -> str:
    """The name, if it is ``<title>.<task>.<family>``; otherwise BundleError."""
    if not _REGISTERED.fullmatch(name):
        raise BundleError(f"{name!r} is not a registered name of the form <title>.<task>.<family> in lower case.")
    return name


def check_task(name: str) -> str:
    """The name, if it is ``<title>.<task>``; otherwise BundleError."""
    if not _TASK.fullmatch(name):
        raise BundleError(f"{name!r} is not a task of the form <title>.<task> in lower case.")
    return name


def check_version(version: str) -> str:
    """The version, if it is a whole number from 1 as text; otherwise BundleError."""
    if not _VERSION.fullmatch(version):
        raise BundleError(f"{version!r} is not a model version (a whole number from 1).")
    return version
