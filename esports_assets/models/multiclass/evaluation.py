"""What an evaluation of several classes says, as values that go to JSON and back.

Belongs here: the shape of the report. Does not belong here: how its numbers come about (``evaluate.py``).
"""

import msgspec

from esports_assets.models.metrics import Bin, Metric
from esports_assets.models.multiclass.decide import DecisionRule, RiskPoint
from esports_assets.models.multiclass.metrics import ClassResult
from esports_assets.models.multiclass.scaling import VectorScaling


class NamedResult(msgspec.Struct, frozen=True):
    """A baseline on the same rows, and the paired gain in macro-F1 over it (model minus baseline; above 0: better)."""

    metrics: dict[str, Metric]
    gain: dict[str, Metric]


class ClassStep(msgspec.Struct, frozen=True):
    """One way of holding matches out."""

    name: str
    description: str
    n_training_matches: int
    n_matches: int
    n_rounds: int
    n_rows: int
    metrics: dict[str, Metric]
    baselines: dict[str, NamedResult]

    @property
    def best_baseline(self) -> str:
        """The baseline of the highest macro-F1."""
        return max(self.baselines, key=lambda name: (self.baselines[name].metrics["macro_f1"].value, name))


class ClassFold(msgspec.Struct, frozen=True):
    """One fold of the cross-validation."""

    n_matches: int
    n_rows: int
    log_loss: float
    macro_f1: float


class ClassEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report about one candidate. ``cross_validation`` is the headline; the other steps are its company.

    ``confusion`` has the true class in rows and the named one in columns; ``told`` are macro_f1 and accuracy among the rows above
    the abstain threshold, with the share of rows that they are.
    """

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
    classes: tuple[str, ...]
    chronological: ClassStep
    production: ClassStep
    cross_validation: ClassStep
    folds: tuple[ClassFold, ...]
    per_class: dict[str, ClassResult]
    confusion: tuple[tuple[int, ...], ...]
    told: dict[str, float]
    reliability: tuple[Bin, ...]
    risk_coverage: tuple[RiskPoint, ...]
    calibration: VectorScaling
    decision: DecisionRule

    @property
    def steps(self) -> tuple[ClassStep, ...]:
        """The three steps, in the order of the protocol."""
        return (self.chronological, self.production, self.cross_validation)

    def to_json(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> "ClassEvaluation":
        """The inverse of ``to_json``."""
        return msgspec.json.decode(data, type=cls)
