"""What a measure of association hands over, and what may be wrong with it.

Belongs here: the values that all measures share.
Does not belong here: how they come about, the record that is kept (``association_results.py``).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from esports_assets.analytics.association_matches import Parts


class Caution(StrEnum):
    """What a reader of an association must know; each is told with a sentence."""

    CONSTANT = "constant"
    """The feature or the outcome does not vary: there is nothing to associate."""
    TOO_FEW = "too_few"
    """Too few rows, matches or cases of the rarer outcome for any estimate."""
    MISSING = "missing"
    """Rows without the feature were left out; the association is that of the others."""
    BINS_MERGED = "bins_merged"
    """Neighbouring bins were merged until every cell could expect five rows."""
    SMALL_CELLS = "small_cells"
    """No two bins could expect five rows in every cell: there is no chi-square."""
    ALIASED = "aliased"
    """The feature is a linear combination of others in the model and was left out of it."""
    COLLINEAR = "collinear"
    """The feature is nearly a linear combination of others: its own coefficient is badly determined."""
    SEPARATED = "separated"
    """Features tell the outcome of all rows apart: no finite odds ratio fits best."""
    NOT_CONVERGED = "not_converged"
    """The fit found no best coefficients."""
    ONE_MATCH_DECIDES = "one_match_decides"
    """Without a certain match the coefficients could not be told; intervals are the plain cluster-robust ones."""
    KNOWN_WITH_OUTCOME = "known_with_outcome"
    """The feature is counted over the whole round, and so partly follows from the outcome."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A caution with its sentence."""

    code: Caution
    message: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured association, with an interval; ``parts`` is what its test rests on."""

    metric: str
    estimate: float
    lo: float
    hi: float
    effect_name: str
    effect_size: float | None
    direction: str
    parts: Parts
    remarks: tuple[Remark, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """An association that could not be measured, and why."""

    metric: str
    remarks: tuple[Remark, ...]


def sign_of(value: float) -> str:
    """``positive``, ``negative`` or ``none``."""
    return "positive" if value > 0 else "negative" if value < 0 else "none"
