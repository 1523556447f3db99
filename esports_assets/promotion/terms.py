"""The words of a promotion: what was measured about a candidate, what it is compared with, and what was decided.

Belongs here: immutable values, the numbers of the rule, and how sentences call things.
Does not belong here: the rule itself (``policy.py``), anything that does something.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What was decided about a candidate."""

    PROMOTE = "promote"
    RETAIN = "retain"
    REFUSE = "refuse"
    INSUFFICIENT_DATA = "insufficient_data"


class Alias(StrEnum):
    """The slots of a registered model. A task is served by the Production version of its champion."""

    PRODUCTION = "Production"
    B = "B"
    SHADOW1 = "shadow1"
    SHADOW2 = "shadow2"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured number and its confidence interval, clustered by match."""

    value: float
    lo: float
    hi: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.value, self.lo, self.hi))):
            raise ValueError(f"interval {self.value} [{self.lo}, {self.hi}] is not finite: the metric was not measured")
        if self.lo > self.hi:
            raise ValueError(f"interval [{self.lo}, {self.hi}] is upside down")

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.lo:.4f}, {self.hi:.4f}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paired difference in log loss, this model minus the other, on the same rows. Below zero: this model is better."""

    log_loss_difference: Estimate
    n_matches: int
    confidence: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the evaluation of any model version says."""

    registered_name: str
    version: int
    log_loss: Estimate
    ece: Estimate
    accuracy: Estimate
    n_matches: int
    n_training_matches: int
    simulated: bool
    calibrated: bool
    window_fingerprint: str
    checks: Mapping[str, bool] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """The last word of ``<title>.<task>.<family>``."""
        return self.registered_name.rsplit(".", 1)[-1]

    @property
    def label(self) -> str:
        """How sentences call it."""
        return f"{self.registered_name} v{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Measured):
    """A model of two classes. Gains are paired, baseline minus model in log loss: above zero, it is better."""

    brier: Estimate
    auc: Estimate
    gain_over_prior: Estimate
    gain_over_logistic: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCandidate(Measured):
    """A model of several classes. The gain is paired, model minus the best baseline in macro-F1: above zero, it is better."""

    macro_f1: Estimate
    best_baseline: str
    gain_over_best: Estimate


AnyCandidate = Candidate | ClassCandidate


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The version that serves the task now. ``ece`` is measured on the rows of the comparison."""

    registered_name: str
    version: int
    ece: Estimate
    n_training_matches: int
    simulated: bool
    window_fingerprint: str

    @property
    def label(self) -> str:
        """How sentences call it."""
        return f"{self.registered_name} v{self.version}"


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """The numbers of the rule."""

    min_matches: int = 5
    max_ece: float = 0.08
    min_effect: float = 0.0
    margin: float = 0.005
    ece_tolerance: float = 0.0
    alpha: float = 0.05
    require_gain_over_prior: bool = True
    require_not_worse_than_logistic: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about which slot, why (at least one sentence), and the numbers it rests on (JSON values)."""

    kind: Kind
    alias: Alias
    reasons: tuple[str, ...]
    evidence: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a decision without a reason is not a decision")


@dataclass(frozen=True, slots=True)
class FamilyChoice:
    """Which family's candidate stands for the task, and why; None if no family passes its gates."""

    candidate: AnyCandidate | None
    reasons: tuple[str, ...]


DEFAULT_POLICY = PolicyConfig()
"""The rule's numbers unless a deployment says otherwise."""
