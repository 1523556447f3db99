"""Tests and intervals whose unit is the match: rows of one match belong together and are never counted as independent.

Belongs here: sums by match, the sign-flip test, standard errors, random halves of the matches.
Does not belong here: what is measured (``association_linear.py``, ``association_ranks.py``, ``association_cells.py``,
``association_logistic.py``), many tests at once (``association_family.py``).

A measure hands over, for every match, its part of the estimate's influence function (from which the standard error follows)
and its part of the score under the null hypothesis (from which the test follows). Under the null the parts of the score have
mean zero whatever the correlation within a match; the test flips their signs, match by match (Hemerik, Goeman and Finos 2020,
"Robust testing in generalized linear models by sign flipping score contributions"). The statistic is divided by a root
of the sum of squares that no flip changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FLIPPED_UP_TO = 1_000
"""Matches up to which flips are drawn. With more, no match weighs enough for the flips' distribution to differ from its normal
limit, whose tails are the heavier ones."""
_AT_ONCE = 2_048


@dataclass(frozen=True)
class Matches:
    """Which rows belong together: the first row of every match, rows of a match standing in one piece."""

    starts: Ints
    rows: int

    @classmethod
    def of(cls, codes: npt.NDArray[np.integer]) -> "Matches":
        """From the code of each row's match; ValueError where the rows of a match are apart."""
        if not len(codes):
            return cls(np.empty(0, np.int64), 0)
        new = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
        if len(np.unique(codes[new])) != len(new):
            raise ValueError("the rows of a match do not stand together")
        return cls(new.astype(np.int64), len(codes))

    def __len__(self) -> int:
        return len(self.starts)

    def sums(self, values: Floats) -> Floats:
        """Sums over the rows of each match, of values [rows] or [rows, columns]."""
        return np.add.reduceat(values, self.starts, axis=0)

    @cached_property
    def of_row(self) -> Ints:
        """Number of each row's match."""
        return np.repeat(np.arange(len(self)), np.diff(np.r_[self.starts, self.rows]))

    def some(self, kept: Flags) -> "Matches":
        """The matches of some of the rows, which keep their order; matches of which none is kept are gone."""
        return self if kept.all() else Matches.of(self.of_row[kept])

    def numbers(self, kept: Flags) -> Ints:
        """The numbers of the matches that ``some`` leaves [G]."""
        return np.arange(len(self)) if kept.all() else np.unique(self.of_row[kept])


@dataclass(frozen=True)
class Parts:
    """What the matches (G) say of one quantity.

    ``influence`` [G]: parts of estimate minus truth, so that the sum of their squares estimates the variance; None where the
    quantity has no sign. ``score`` [G, d]: parts of the score under the null hypothesis, d its degrees of freedom. ``match``
    [G]: numbers of these matches among all.
    """

    score: Floats
    match: Ints
    influence: Floats | None = None

    @cached_property
    def whitened(self) -> Floats:
        """Scores turned so that their sum of outer products is the identity; the squared length of their sum is the test."""
        root = np.linalg.cholesky(self.score.T @ self.score)
        return np.asarray(self.score @ np.linalg.inv(root).T)

    @property
    def has_score(self) -> bool:
        """Whether the score varies in all of its directions."""
        gram = self.score.T @ self.score
        return bool(np.isfinite(gram).all() and np.linalg.matrix_rank(gram, hermitian=True) == len(gram))


def standard_error(influence: Floats) -> float:
    """Root of the variance over matches, with the correction G / (G - 1) for their number."""
    count = len(influence)
    return float(np.sqrt((influence**2).sum() * count / (count - 1))) if count > 1 else float("nan")


def student(count: int, level: float = 0.95) -> float:
    """Quantile of Student's t with as many degrees of freedom as matches less one."""
    from scipy import stats

    return float(stats.t.ppf(0.5 + level / 2, max(count - 1, 1)))


def correlation_interval(estimate: float, influence: Floats) -> tuple[float, float]:
    """Interval of a coefficient between -1 and 1 on Fisher's scale; the coefficient itself at either end."""
    if abs(estimate) >= 1.0 - 1e-12:
        return estimate, estimate
    centre = np.arctanh(estimate)
    half = student(len(influence)) * standard_error(influence) / (1.0 - estimate**2)
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


@dataclass(frozen=True)
class Flips:
    """The same drawn signs for every test of an analysis, so that tests are compared on equal terms."""

    matches: int
    draws: int
    seed: int

    def p_values(self, parts: Sequence[Parts]) -> list[float]:
        """Two-sided p-values of many tests. Drawn: the share of flips, the data's own signs among them, with a statistic at
        least as large; with more than ``FLIPPED_UP_TO`` matches their limit, chi-square.
        """
        if not parts:
            return []
        white = [part.whitened for part in parts]
        observed = np.array([(part.sum(axis=0) ** 2).sum() for part in white])
        ends = np.cumsum([part.shape[1] for part in white])
        if self.matches > FLIPPED_UP_TO:
            return self._limit(observed, np.diff(np.r_[0, ends]))
        laid = np.zeros((self.matches, int(ends[-1])))
        for end, part, own in zip(ends, parts, white, strict=True):
            laid[part.match, end - own.shape[1] : end] = own
        return self._drawn(laid, np.r_[0, ends[:-1]], observed)

    def _drawn(self, laid: Floats, begins: Ints, observed: Floats) -> list[float]:
        random = np.random.default_rng(self.seed)
        least = observed * (1.0 - 1e-9)  # a flip that is the data again must count, whatever the rounding
        beyond = np.ones(len(observed))
        left = self.draws
        while left:
            count = min(left, _AT_ONCE)
            signs = random.integers(0, 2, (count, self.matches), dtype=np.int8) * 2.0 - 1.0
            squares = np.add.reduceat((signs @ laid) ** 2, begins, axis=1)
            beyond += (squares >= least).sum(axis=0)
            left -= count
        return [float(p) for p in beyond / (self.draws + 1)]

    @staticmethod
    def _limit(observed: Floats, freedom: Ints) -> list[float]:
        from scipy import stats

        return [float(p) for p in stats.chi2.sf(observed, freedom)]


@dataclass(frozen=True)
class Halves:
    """Random halves of the matches: 1 where a match is in the first half, by split [splits, matches]."""

    first: Floats

    @classmethod
    def draw(cls, matches: int, splits: int, seed: int) -> "Halves":
        """Half of the matches each time, all halves equally likely."""
        random = np.random.default_rng(seed)
        rank = np.argsort(random.random((splits, matches)), axis=1)
        return cls((rank < matches // 2).astype(np.float64))

    def agreement(self, parts: Sequence[Parts], estimates: Sequence[float]) -> list[float | None]:
        """Of every quantity the share of splits in which both halves, each on its own, show at one-sided 5 % what the whole shows.

        A quantity with a sign: the estimate's sign, at the normal quantile. One without: scores that point the same way, each
        at chi-square. None with fewer than four matches.
        """
        found: list[float | None] = [None] * len(parts)
        enough = [i for i, part in enumerate(parts) if len(part.match) >= 4]
        signed = [i for i in enough if parts[i].influence is not None]
        for begin in range(0, len(signed), _COLUMNS):
            some = signed[begin : begin + _COLUMNS]
            for i, share in zip(
                some, self._signed([parts[i] for i in some], [estimates[i] for i in some]), strict=True
            ):
                found[i] = share
        for i in enough:
            if parts[i].influence is None:
                found[i] = self._same_way(parts[i])
        return found

    def _signed(self, parts: Sequence[Parts], estimates: Sequence[float]) -> list[float]:
        influence = np.zeros((self.first.shape[1], len(parts)))
        there = np.zeros_like(influence)
        for j, part in enumerate(parts):
            influence[part.match, j] = part.influence
            there[part.match, j] = 1.0
        sums, squares, counts = (self._both(values) for values in (influence, influence**2, there))
        whole = np.asarray(estimates)
        scale = counts.sum(axis=0) / np.maximum(counts, 1.0)
        t = np.sign(whole) * (whole + scale * sums) / np.maximum(scale * np.sqrt(squares), 1e-300)
        return [float(share) for share in (t.min(axis=0) > _ONE_SIDED).mean(axis=0)]

    def _both(self, values: Floats) -> Floats:
        """Sums of values [matches, k] over the first and the second half of every split [2, splits, k]."""
        one = self.first @ values
        return np.stack([one, values.sum(axis=0) - one])

    def _same_way(self, part: Parts) -> float:
        from scipy import stats

        white = part.whitened
        first, free = self.first[:, part.match], white.shape[1]
        halves = Halves(first)
        totals = halves._both(white)
        spread = halves._both((white[:, :, None] * white[:, None, :]).reshape(len(white), -1))
        inverse = np.linalg.pinv(spread.reshape(2, -1, free, free), hermitian=True)
        size = np.einsum("hsi,hsij,hsj->hs", totals, inverse, totals)
        along = (totals[0] * totals[1]).sum(axis=1) > 0.0
        return float((along & (size.min(axis=0) >= stats.chi2.ppf(0.95, free))).mean())


_ONE_SIDED = 1.645
"""Normal quantile of 95 %."""
_COLUMNS = 64
"""Quantities whose halves are summed at once."""
