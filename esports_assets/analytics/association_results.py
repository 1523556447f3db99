"""The record of an association, and the table that holds them.

Belongs here: the declaration of ``correlation_results``.
Does not belong here: how a record comes about (``association.py``), the database (``storage/analytics.py``).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from esports_assets.analytics.association_measure import Remark
from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.codec import table_of
from esports_assets.canonical.schema import Column, Kind, Table

METRICS = ("point_biserial", "pearson", "spearman", "kendall", "chi2", "logistic")
DIRECTIONS = ("positive", "negative", "mixed", "none")


@dataclass(frozen=True, slots=True)
class Association:
    """One association of a run. What could not be measured has findings and neither estimate nor p-value.

    ``lo``, ``hi``: 95 % interval of ``estimate``, by match. ``p`` is the test by flipping matches; ``p_bh`` and ``p_by`` hold
    for the ``family`` tests of the run together. ``stability`` is the share of random splits of the matches in which both
    halves show it on their own. ``layout`` says how a round gave one row.
    """

    metric: str
    feature: str
    outcome: str
    layout: str
    n: int
    clusters: int
    estimate: float | None = None
    lo: float | None = None
    hi: float | None = None
    effect_name: str | None = None
    effect_size: float | None = None
    direction: str | None = None
    p: float | None = None
    p_bh: float | None = None
    p_by: float | None = None
    family: int = 0
    significant: bool = False
    exploratory: bool = True
    stability: float | None = None
    stable: bool = False
    findings: tuple[Remark, ...] = ()


CORRELATION_RESULTS = Table(
    "correlation_results",
    "Associations of round features with outcomes: one row per test of a run.",
    (
        Column("run_id", Kind.TEXT, "The analysis that says it"),
        Column("dataset_id", Kind.TEXT, "Hash of the rows that it rests on"),
        Column("metric", Kind.CATEGORY, "How the association is measured", allowed=METRICS),
        Column("feature", Kind.CATEGORY, "What is associated"),
        Column("outcome", Kind.CATEGORY, "With what"),
        Column("layout", Kind.CATEGORY, "How a round gives one row", allowed=("ct_minus_t", "ct", "t", "team")),
        Column("n", Kind.INTEGER, "Rounds", unit="count", minimum=0),
        Column("clusters", Kind.INTEGER, "Matches that they come from", unit="count", minimum=0),
        Column("estimate", Kind.REAL, "Coefficient; a logistic one in log odds per standard deviation", nullable=True),
        Column("lo", Kind.REAL, "Lower end of its 95 % interval, by match", nullable=True),
        Column("hi", Kind.REAL, "Upper end", nullable=True),
        Column("effect_name", Kind.CATEGORY, "What the effect size is", nullable=True),
        Column("effect_size", Kind.REAL, "How large the association is", nullable=True),
        Column("direction", Kind.CATEGORY, "Which way", nullable=True, allowed=DIRECTIONS),
        Column("p", Kind.REAL, "p-value by flipping matches", nullable=True, minimum=0.0, maximum=1.0),
        Column("p_bh", Kind.REAL, "Benjamini-Hochberg", nullable=True, minimum=0.0, maximum=1.0),
        Column("p_by", Kind.REAL, "Benjamini-Yekutieli", nullable=True, minimum=0.0, maximum=1.0),
        Column("family", Kind.INTEGER, "Tests that were declared together", unit="count", minimum=1),
        Column("significant", Kind.FLAG, "Discovery at the level of the run, and not exploratory"),
        Column("exploratory", Kind.FLAG, "Too few rounds or matches for a claim"),
        Column("stability", Kind.REAL, "Splits that repeat it", unit="share", nullable=True, minimum=0.0, maximum=1.0),
        Column("stable", Kind.FLAG, "Whether at least four of five splits repeat it"),
        Column("findings", Kind.TEXT, "JSON list of what a reader must know: code and message"),
        *(
            Column(f"filter_{name}", Kind.CATEGORY, f"Only of this {name}; null is all", nullable=True)
            for name in ("title", "map", "side", "team")
        ),
        Column("created_at", Kind.TIME, "When the run was made"),
    ),
    key=("run_id", "metric", "feature", "outcome", "filter_title", "filter_map", "filter_side", "filter_team"),
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What all results of a run share; ``created_at`` with a time zone."""

    run_id: str
    dataset_id: str
    created_at: datetime
    title: str | None = None
    map: str | None = None
    side: str | None = None
    team: str | None = None


def records(found: Sequence[Association], of: Provenance) -> list[dict[str, Any]]:
    """Rows of ``correlation_results`` as plain values; findings as a list of code and message."""
    filters = {f"filter_{name}": getattr(of, name) for name in ("title", "map", "side", "team")}
    shared = {"run_id": of.run_id, "dataset_id": of.dataset_id, **filters, "created_at": of.created_at}
    return [
        {**asdict(one), **shared, "findings": [{"code": r.code.value, "message": r.message} for r in one.findings]}
        for one in found
    ]


def results_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The declared table of ``records``, for export."""
    columns = {name: [row[name] for row in rows] for name in CORRELATION_RESULTS.names}
    columns["findings"] = [msgspec.json.encode(value).decode() for value in columns["findings"]]
    columns["created_at"] = [utc_us(moment) for moment in columns["created_at"]]
    return table_of(CORRELATION_RESULTS, columns)
