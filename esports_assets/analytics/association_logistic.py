"""Logistic regression of an outcome on all features together: odds ratios that each hold the others fixed.

Belongs here: which features can stand in one model, separation, the fit, its influence and scores by match.
Does not belong here: tests (``association_matches.py``).

Features are standardised: a coefficient is the change in log odds per standard deviation, the effect size the odds ratio of it.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from esports_assets.analytics.association_matches import (
    FLIPPED_UP_TO,
    Flags,
    Floats,
    Ints,
    Matches,
    Parts,
    standard_error,
    student,
)
from esports_assets.analytics.association_measure import Caution, Measure, NotMeasured, Remark, sign_of

METRIC = "logistic"
ALIASED_BELOW = 1e-8
"""A feature of which the others leave less than this share of variance unexplained is a combination of them."""
COLLINEAR_FROM = 10.0
"""Variance inflation factor from which on a coefficient is called badly determined."""
CASES_PER_FEATURE = 10
"""Cases of the rarer outcome per feature that a model needs at least (Peduzzi and others 1996)."""
SUSPICIOUS_LOG_ODDS = 15.0
"""Fitted log odds beyond this make separation worth a linear programme."""
_SINGULAR = 1e-10
"""Least eigenvalue of an information matrix over its largest."""
_SEPARATES = 1e-3
"""Sum of margins, in standard deviations, beyond what the programme's rounding makes."""
_PROGRAMME_ROWS = 50_000
"""Rows up to which that programme is solved; beyond, a fit that does not converge says it."""

Found = dict[str, Measure | NotMeasured]


@dataclass(frozen=True)
class _Fit:
    """Standardised columns with a leading 1 [n, k + 1], coefficients, and the inverse information."""

    x: Floats
    beta: Floats
    inverse: Floats
    residual: Floats
    weight: Floats


def logistic(x: Floats, names: Sequence[str], y: Floats, matches: Matches, number: Ints) -> Found:
    """By feature its coefficient in the common model, or why there is none.

    ``x`` [n, k] finite columns that vary, ``y`` 0 or 1 [n], both values there.
    """
    z = np.empty((len(x), len(names) + 1))
    z[:, 0] = 1.0
    np.divide(x - x.mean(axis=0), x.std(axis=0), out=z[:, 1:])
    found, kept, remarks = _independent(z[:, 1:], names)
    rarer = int(min(y.sum(), len(y) - y.sum()))
    if rarer < CASES_PER_FEATURE * len(kept):
        told = f"{rarer} cases of the rarer outcome are too few for a model of {len(kept)} features"
        return found | _none(kept, Caution.TOO_FEW, told)
    while kept:
        columns = [0, *(1 + list(names).index(name) for name in kept)]
        fit, trouble = _fit(z if len(columns) == z.shape[1] else z[:, columns], y, kept)
        if fit is not None:
            return found | _measures(fit, kept, remarks, matches, number)
        found |= trouble
        left = [name for name in kept if name not in trouble]
        if len(left) == len(kept):
            raise RuntimeError("a model that cannot be fitted names no feature")
        kept = left
    return found


def _independent(z: Floats, names: Sequence[str]) -> tuple[Found, list[str], dict[str, tuple[Remark, ...]]]:
    """Features that are no combination of earlier ones, in the order given; remarks on those that nearly are one."""
    correlation = z.T @ z / len(z)
    kept: list[int] = []
    found: Found = {}
    for j, name in enumerate(names):
        own = correlation[np.ix_(kept, kept)]
        solved = np.linalg.solve(own, correlation[kept, j]) if kept else np.empty(0)
        if 1.0 - float(correlation[kept, j] @ solved) < ALIASED_BELOW:
            sources = ", ".join(names[i] for i, weight in zip(kept, solved, strict=True) if abs(weight) > 1e-6)
            found |= _none([name], Caution.ALIASED, f"{name} is a linear combination of {sources}")
        else:
            kept.append(j)
    inflation = np.diag(np.linalg.inv(correlation[np.ix_(kept, kept)]))
    remarks: dict[str, tuple[Remark, ...]] = {
        names[j]: (Remark(Caution.COLLINEAR, f"the other features inflate its variance {factor:.0f} times"),)
        for j, factor in zip(kept, inflation, strict=True)
        if factor >= COLLINEAR_FROM
    }
    return found, [names[j] for j in kept], remarks


def _fit(z: Floats, y: Floats, names: Sequence[str]) -> tuple[_Fit | None, Found]:
    """The fit, or which features make it impossible and why."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns about is told below, by name
            result = Logit(y, z, check_rank=False).fit(method="newton", maxiter=50, disp=0)
    except (np.linalg.LinAlgError, PerfectSeparationError):
        result = None
    doubtful = result is None or not result.mle_retvals["converged"] or not np.isfinite(result.params).all()
    beta = np.zeros(z.shape[1]) if result is None else np.asarray(result.params, dtype=np.float64)
    log_odds = z @ beta
    if doubtful or np.abs(log_odds).max() > SUSPICIOUS_LOG_ODDS:
        guilty = _separating(z, y)
        if guilty.any():
            told = "together these features tell the outcome of all rows apart: " + ", ".join(_named(names, guilty))
            return None, _none(_named(names, guilty), Caution.SEPARATED, told)
    if doubtful:
        return None, _none(names, Caution.NOT_CONVERGED, "the fit found no best coefficients")
    p = 1.0 / (1.0 + np.exp(-log_odds))
    weight = p * (1.0 - p)
    information = z.T @ (z * weight[:, None])
    return _Fit(z, beta, np.asarray(np.linalg.inv(information), dtype=np.float64), y - p, weight), {}


def _separating(z: Floats, y: Floats) -> Flags:
    """Which features tell the outcomes apart: those that do so alone, else those of a combination [k].

    The combination is found by linear programme (Konis 2007).
    """
    from scipy.optimize import linprog

    one, other = z[y == 1.0, 1:], z[y == 0.0, 1:]
    alone = (other.max(axis=0) <= one.min(axis=0)) | (one.max(axis=0) <= other.min(axis=0))
    if alone.any() or len(z) > _PROGRAMME_ROWS:
        return np.asarray(alone)
    signed = np.where(y == 1.0, 1.0, -1.0)[:, None] * z
    solved = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(z)), bounds=(-1.0, 1.0), method="highs")
    if solved.status != 0 or -solved.fun < _SEPARATES:
        return np.zeros(z.shape[1] - 1, dtype=bool)
    return np.asarray(np.abs(solved.x[1:]) > 1e-7)


def _measures(
    fit: _Fit, names: Sequence[str], remarks: Mapping[str, tuple[Remark, ...]], matches: Matches, number: Ints
) -> Found:
    influence, alone = _influence(fit, matches)
    extra = (Remark(Caution.ONE_MATCH_DECIDES, "without a certain match some coefficient cannot be told"),) * alone
    quantile = student(len(matches))
    found: Found = {}
    for j, name in enumerate(names, start=1):
        beta, own = float(fit.beta[j]), np.ascontiguousarray(influence[:, j])
        half = quantile * standard_error(own)
        found[name] = Measure(
            metric=METRIC,
            estimate=beta,
            lo=beta - half,
            hi=beta + half,
            effect_name="odds_ratio",
            effect_size=float(np.exp(beta)),
            direction=sign_of(beta),
            parts=Parts(_score(fit, j, own, matches)[:, None], number, own),
            remarks=(*remarks.get(name, ()), *extra),
        )
    return found


def _influence(fit: _Fit, matches: Matches) -> tuple[Floats, bool]:
    """By match and coefficient, and whether some coefficient rests on one match alone.

    With few matches what each takes away when it is left out (one step; CR3 of Cameron and Miller 2015), which does not
    understate the error; with many, where both agree, the plain parts.
    """
    groups = len(matches)
    scores = np.column_stack([matches.sums(column * fit.residual) for column in fit.x.T])
    if groups > FLIPPED_UP_TO:
        return scores @ fit.inverse, False
    information = np.linalg.inv(fit.inverse)
    bounds = np.r_[matches.starts, matches.rows]
    left = np.stack([information - fit.x[a:b].T @ (fit.x[a:b] * fit.weight[a:b, None]) for a, b in pairwise(bounds)])
    spectrum = np.linalg.eigvalsh(left)
    if (spectrum[:, 0] < _SINGULAR * spectrum[:, -1]).any():
        return scores @ fit.inverse, True
    without = np.linalg.solve(left, scores[:, :, None])[:, :, 0]
    return np.asarray(without * (groups - 1) / groups), False


def _score(fit: _Fit, j: int, influence: Floats, matches: Matches) -> Floats:
    """By match its part of the coefficient's effective score where the coefficient is zero and the others are free [G].

    One step from the fit: the influence without its mean, and the match's share of the information times the coefficient. Both in
    units of the coefficient, so that few matches count with what leaving them out shows.
    """
    rest = fit.x @ (fit.inverse[:, j] / fit.inverse[j, j])
    share = matches.sums(fit.weight * rest * rest) * fit.inverse[j, j]
    return np.asarray(influence - influence.mean() + fit.beta[j] * share)


def _named(names: Sequence[str], chosen: Flags) -> list[str]:
    return [name for name, is_one in zip(names, chosen, strict=True) if is_one]


def _none(names: Sequence[str], code: Caution, told: str) -> Found:
    return {name: NotMeasured(METRIC, (Remark(code, told),)) for name in names}
