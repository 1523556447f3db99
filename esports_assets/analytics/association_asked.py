"""The tests of a set of rows: each feature with each outcome, and all features together in one model.

Belongs here: which measure fits which outcome, minimum samples, what is left out where values are unknown.
Does not belong here: the measures themselves, p-values, families (``association.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from esports_assets.analytics.association_cells import chi_square
from esports_assets.analytics.association_linear import is_two_valued, product_moment
from esports_assets.analytics.association_logistic import logistic
from esports_assets.analytics.association_matches import Flags, Floats, Ints, Matches
from esports_assets.analytics.association_measure import Caution, Measure, NotMeasured, Remark
from esports_assets.analytics.association_ranks import Ranked, kendall, spearman
from esports_assets.analytics.association_rows import RoundRows

LEAST_ROWS, LEAST_MATCHES, LEAST_CASES = 20, 5, 5
"""Below these nothing is estimated: rounds, matches, and rounds of the rarer outcome."""
MOSTLY_THERE = 0.95
"""Share of the rows in which a feature must be known to stand in the common model."""
MODEL = "logistic"
TWO_VALUED_METRICS = ("point_biserial", "spearman", "kendall", "chi2", MODEL)
REAL_METRICS = ("pearson", "spearman")


@dataclass(frozen=True, slots=True)
class Asked:
    """A measured or unmeasured association before it is tested, with the rows that it rests on."""

    feature: str
    outcome: str
    metric: str
    layout: str
    n: int
    clusters: int
    found: Measure | NotMeasured


@dataclass(frozen=True)
class _Outcome:
    """An outcome [rows], where it is known, and what may be measured with it."""

    name: str
    values: Floats
    known: Flags
    two_valued: bool
    metrics: tuple[str, ...]
    ranks: Ranked
    """Of the rows where it is known."""

    @classmethod
    def of(cls, name: str, values: Floats, wanted: Sequence[str] | None) -> "_Outcome":
        known = ~np.isnan(values)
        two_valued = is_two_valued(values[known])
        every = TWO_VALUED_METRICS if two_valued else REAL_METRICS
        metrics = tuple(metric for metric in every if wanted is None or metric in wanted)
        return cls(name, values, known, two_valued, metrics, Ranked.of(values[known]))


def asked_of(rows: RoundRows, wanted: Sequence[str] | None, together: Sequence[str] | None) -> Iterator[Asked]:
    """Every test of the rows: by feature, outcome and metric, then the models.

    ``wanted`` None is every metric that fits an outcome, ``together`` None a common model of all features.
    """
    outcomes = [_Outcome.of(name, values, wanted) for name, values in rows.outcomes.items()]
    for feature, x in rows.columns.items():
        yield from _of_feature(rows, feature, x, outcomes)
    for outcome in outcomes:
        if MODEL in outcome.metrics:
            yield from _of_model(rows, outcome, [name for name in rows.columns if together is None or name in together])


def _of_feature(rows: RoundRows, feature: str, x: Floats, outcomes: Sequence[_Outcome]) -> Iterator[Asked]:
    there = ~np.isnan(x)
    ranks = Ranked.of(x[there])
    for outcome in outcomes:
        both = there & outcome.known
        pair = _Pair(
            x[both],
            outcome.values[both],
            ranks if both.sum() == there.sum() else ranks.some(outcome.known[there]),
            outcome.ranks if both.sum() == outcome.known.sum() else outcome.ranks.some(there[outcome.known]),
            rows.matches.some(both),
            rows.matches.numbers(both),
            outcome.two_valued,
        )
        missing = _missing(int(outcome.known.sum() - both.sum()), int(outcome.known.sum()))
        refusal = pair.refusal()
        for metric in outcome.metrics:
            if metric != MODEL:
                found = pair.measure(metric) if refusal is None else NotMeasured(metric, (refusal,))
                yield _test(feature, outcome.name, rows, len(pair.x), len(pair.matches), _told(found, missing))


@dataclass(frozen=True, slots=True)
class _Pair:
    """A feature and an outcome in the rows where both are known."""

    x: Floats
    y: Floats
    x_ranks: Ranked
    y_ranks: Ranked
    matches: Matches
    number: Ints
    two_valued: bool

    def refusal(self) -> Remark | None:
        """Why nothing can be measured, if so."""
        if len(self.x_ranks.counts) < 2 or len(self.y_ranks.counts) < 2:
            what = "feature" if len(self.x_ranks.counts) < 2 else "outcome"
            return Remark(Caution.CONSTANT, f"the {what} is the same in every round")
        return _too_few(self.y, len(self.matches), self.two_valued)

    def measure(self, metric: str) -> Measure | NotMeasured:
        """The association by one metric."""
        if metric == "spearman":
            return spearman(self.x_ranks, self.y_ranks, self.matches, self.number)
        if metric == "kendall":
            return kendall(self.x_ranks, self.y, self.matches, self.number)
        if metric == "chi2":
            return chi_square(self.x_ranks, self.y, self.matches, self.number)
        return product_moment(self.x, self.y, self.matches, self.number)


def _of_model(rows: RoundRows, outcome: _Outcome, names: Sequence[str]) -> Iterator[Asked]:
    """The common model, of the rows where all of its features are known; features that are often unknown stay outside."""
    known, total = outcome.known, int(outcome.known.sum())
    found: dict[str, Measure | NotMeasured] = {}
    inside = []
    for name in names:
        there = int((~np.isnan(rows.columns[name]) & known).sum())
        if there < MOSTLY_THERE * total:
            found[name] = NotMeasured(MODEL, _missing(total - there, total))
        else:
            inside.append(name)
    for name in inside:
        known = known & ~np.isnan(rows.columns[name])
    matches, y = rows.matches.some(known), outcome.values[known]
    refusal = _too_few(y, len(matches), True)
    if refusal is not None:
        found |= {name: NotMeasured(MODEL, (refusal,)) for name in inside}
    elif inside:
        found |= _modelled(rows, inside, known, y, matches)
    missing = _missing(total - len(y), total)
    for name in names:
        told = found[name] if name not in inside else _told(found[name], missing)
        yield _test(name, outcome.name, rows, len(y), len(matches), told)


def _modelled(
    rows: RoundRows, names: Sequence[str], known: Flags, y: Floats, matches: Matches
) -> dict[str, Measure | NotMeasured]:
    """The model of the features that vary in the rows where all are known."""
    x = np.column_stack([rows.columns[name][known] for name in names])
    varies = np.ptp(x, axis=0) > 0.0
    same = Remark(Caution.CONSTANT, "the feature is the same in every round")
    found: dict[str, Measure | NotMeasured] = {
        name: NotMeasured(MODEL, (same,)) for name, moves in zip(names, varies, strict=True) if not moves
    }
    if varies.any():
        kept = [name for name in names if name not in found]
        found |= logistic(x if varies.all() else x[:, varies], kept, y, matches, rows.matches.numbers(known))
    return found


def _too_few(y: Floats, matches: int, two_valued: bool) -> Remark | None:
    rarer = int(min(y.sum(), len(y) - y.sum())) if two_valued else len(y)
    for count, least, what in (
        (len(y), LEAST_ROWS, "rounds"),
        (matches, LEAST_MATCHES, "matches"),
        (rarer, LEAST_CASES, "rounds of the rarer outcome"),
    ):
        if count < least:
            return Remark(Caution.TOO_FEW, f"{count} {what}; nothing is estimated from fewer than {least}")
    return None


def _missing(missing: int, total: int) -> tuple[Remark, ...]:
    if not missing:
        return ()
    return (Remark(Caution.MISSING, f"{missing} of {total} rounds are left out: a feature is unknown in them"),)


def _told(found: Measure | NotMeasured, more: tuple[Remark, ...]) -> Measure | NotMeasured:
    return replace(found, remarks=(*found.remarks, *more)) if more else found


def _test(feature: str, outcome: str, rows: RoundRows, n: int, clusters: int, found: Measure | NotMeasured) -> Asked:
    return Asked(feature, outcome, found.metric, rows.layout.value, n, clusters, found)
