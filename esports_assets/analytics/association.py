"""The association analysis: every feature against every outcome, by several measures, as one family of tests.

Belongs here: the plan, p-values and their family, which results are claims and which are exploratory.
Does not belong here: the measures (``association_asked.py`` and what it uses), where rows come from
(``association_rows.py``), causes.

An association is no effect: what is counted over a round is known with its outcome. Intervals and effect sizes come first; a
p-value says whether a difference could be chance, never how large it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from esports_assets.analytics.association_asked import Asked, asked_of
from esports_assets.analytics.association_family import benjamini_hochberg, benjamini_yekutieli
from esports_assets.analytics.association_matches import Flips, Halves
from esports_assets.analytics.association_measure import Caution, Measure, Remark
from esports_assets.analytics.association_results import Association
from esports_assets.analytics.association_rows import Filters, RoundRows, round_rows
from esports_assets.analytics.rounds_columns import FEATURES, OUTCOMES, Known, quantity

ASSOCIATION_VERSION = "1"
"""Code version: bump it when the same rows give other results."""
CLAIM_ROWS, CLAIM_MATCHES = 100, 20
"""Below these an estimate is exploratory and never significant: errors by match are too rough with fewer."""
_DRAWS_PER_TEST = 2
"""Flips per test of the family and unit of level: with so many a single test can be a discovery, its least p-value being small
enough."""
REPEATS_FROM = 0.8
"""Share of splits from which on an association is called stable."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked, before the data is looked at: with it the family of tests is declared.

    ``metrics`` None: all that an outcome allows; ``together``: features of the common model, None all. ``draws`` is how many
    flips at least, ``splits`` how many halves, both from ``seed``; ``alpha`` is the false discovery rate.
    """

    features: tuple[str, ...]
    outcomes: tuple[str, ...]
    metrics: tuple[str, ...] | None = None
    together: tuple[str, ...] | None = None
    alpha: float = 0.05
    draws: int = 20_000
    splits: int = 50
    seed: int = 7


STANDARD = Plan(
    features=tuple(one.name for one in FEATURES),
    outcomes=tuple(one.name for one in OUTCOMES),
    together=tuple(one.name for one in FEATURES if one.known < Known.DURING),
)
"""Everything with everything; together in one model what is known before the outcome."""


def analyse(table: pa.Table, plan: Plan, filters: Filters | None = None) -> list[Association]:
    """All associations of a plan in a table of ``ROUND_FEATURES``, those that could not be measured among them.

    Raises ValueError where a round has not one team on either side, and KeyError for a column that is none.
    """
    found = associate(round_rows(table, plan.features, plan.outcomes, filters or Filters()), plan)
    return [_marked(one) for one in found]


def associate(sets: Sequence[RoundRows], plan: Plan) -> list[Association]:
    """The same of rows that are there already; all sets and outcomes are one family."""
    asked = [(rows, list(asked_of(rows, plan.metrics, plan.together))) for rows in sets]
    family = sum(len(own) for _, own in asked)
    draws = max(plan.draws, math.ceil(_DRAWS_PER_TEST * family / plan.alpha))
    tests: list[Asked] = []
    p: list[float | None] = []
    repeats: list[float | None] = []
    for rows, own in asked:
        made, measures = _measured(own)
        parts = [measure.parts for measure in measures]
        halves = Halves.draw(len(rows.matches), plan.splits, plan.seed)
        tests += own
        p += _placed(len(own), made, Flips(len(rows.matches), draws, plan.seed).p_values(parts))
        repeats += _placed(len(own), made, halves.agreement(parts, [measure.estimate for measure in measures]))
    return _as_family(tests, p, repeats, plan.alpha)


def _marked(one: Association) -> Association:
    """With the remark that a feature is known no earlier than its outcome, where it is."""
    if quantity(one.feature).known < Known.DURING:
        return one
    told = (
        f"{one.feature} is counted over the whole round: who wins and lives on has more of it, whatever it brings about"
    )
    return replace(one, findings=(*one.findings, Remark(Caution.KNOWN_WITH_OUTCOME, told)))


def _measured(tests: Sequence[Asked]) -> tuple[list[int], list[Measure]]:
    """Places and measures of the tests that could be made."""
    found = [(i, test.found) for i, test in enumerate(tests) if isinstance(test.found, Measure)]
    return [i for i, _ in found], [measure for _, measure in found]


def _placed(count: int, places: Sequence[int], values: Sequence[float | None]) -> list[float | None]:
    found: list[float | None] = [None] * count
    for place, value in zip(places, values, strict=True):
        found[place] = value
    return found


def _as_family(
    tests: Sequence[Asked], p: Sequence[float | None], repeats: Sequence[float | None], alpha: float
) -> list[Association]:
    made = [value for value in p if value is not None]
    adjusted = iter(zip(benjamini_hochberg(made, len(p)), benjamini_yekutieli(made, len(p)), strict=True))
    both = [(None, None) if value is None else tuple(map(float, next(adjusted))) for value in p]
    return [
        _association(test, value, bh, by, repeated, len(p), alpha)
        for test, value, (bh, by), repeated in zip(tests, p, both, repeats, strict=True)
    ]


def _association(
    test: Asked, p: float | None, bh: float | None, by: float | None, repeated: float | None, family: int, alpha: float
) -> Association:
    exploratory = test.n < CLAIM_ROWS or test.clusters < CLAIM_MATCHES
    told = Association(
        metric=test.metric,
        feature=test.feature,
        outcome=test.outcome,
        layout=test.layout,
        n=test.n,
        clusters=test.clusters,
        family=family,
        exploratory=exploratory,
        findings=test.found.remarks,
    )
    if not isinstance(test.found, Measure):
        return told
    found = test.found
    return replace(
        told,
        estimate=found.estimate,
        lo=found.lo,
        hi=found.hi,
        effect_name=found.effect_name,
        effect_size=found.effect_size,
        direction=found.direction,
        p=p,
        p_bh=bh,
        p_by=by,
        significant=not exploratory and bh is not None and bh <= alpha,
        stability=repeated,
        stable=repeated is not None and repeated >= REPEATS_FROM,
    )
