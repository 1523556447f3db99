"""What an evaluation says, as values that go to JSON and back.

Belongs here: the shape of the report. Does not belong here: how its numbers come about (``evaluate.py``).
"""

import msgspec

from esports_assets.models.calibrate import Calibration
from esports_assets.models.interval import Coverage
from esports_assets.models.metrics import Bin, Metric


class BaselineResult(msgspec.Struct, frozen=True):
    """A baseline on the same rows, and the paired gain over it (baseline's loss minus the model's; above 0: better)."""

    metrics: dict[str, Metric]
    gain: dict[str, Metric]


class Slice(msgspec.Struct, frozen=True):
    """Some of the rows: by time, phase or map."""

    by: str
    value: str
    n_rows: int
    n_matches: int
    positive_rate: float
    mean_probability: float
    metrics: dict[str, Metric]
    baselines: dict[str, float]
    """Log loss of every baseline on these rows."""


class Step(msgspec.Struct, frozen=True):
    """One way of holding matches out."""

    name: str
    description: str
    n_training_matches: int
    n_matches: int
    n_rounds: int
    n_rows: int
    metrics: dict[str, Metric]
    baselines: dict[str, BaselineResult]


class FoldResult(msgspec.Struct, frozen=True):
    """One fold of the cross-validation."""

    n_matches: int
    n_rows: int
    log_loss: float
    accuracy: float


class Contribution(msgspec.Struct, frozen=True):
    """How much a feature moves predictions: mean of |contribution| in log-odds, over all rows and within slices."""

    feature: str
    mean_absolute: float
    by_slice: dict[str, float]


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report about one candidate. ``cross_validation`` is the headline; the other steps are its company."""

    task: str
    registered_name: str
    family: str
    window: str
    window_fingerprint: str
    simulated: bool
    seed: int
    n_matches: int
    n_rounds: int
    n_rows: int
    chronological: Step
    production: Step
    cross_validation: Step
    folds: tuple[FoldResult, ...]
    slices: tuple[Slice, ...]
    reliability: tuple[Bin, ...]
    calibration: Calibration
    interval: Coverage
    contributions: tuple[Contribution, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The three steps, in the order of the protocol."""
        return (self.chronological, self.production, self.cross_validation)

    def to_json(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> "Evaluation":
        """The inverse of ``to_json``."""
        return msgspec.json.decode(data, type=cls)
