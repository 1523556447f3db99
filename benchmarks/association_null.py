"""False discoveries on data that holds no association, rows clustered in matches.

    python benchmarks/association_null.py [--runs 500] [--matches 46] [--features 200] [--signals 0]

Every run draws matches of 16 to 30 rounds. A feature is a normal value of the match plus one of the round, so that a share of its
variance lies between matches; the outcome is won with a chance that differs between matches in the same way, and knows nothing
of any feature. 200 features are tested at a false discovery rate of 5 %; as nothing is there, the rate is the share of runs with
any discovery. Beside the tests by match stand the textbook ones of the same statistics, which take rounds for independent.

With ``--signals 20`` that many features do shift the outcome; told are then the mean share of false ones among the discoveries and
the share of the true ones that are found.

Intervals: Clopper-Pearson, 95 %, over the runs; of means, normal.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from esports_assets.analytics.association import Plan, associate
from esports_assets.analytics.association_family import benjamini_hochberg, benjamini_yekutieli
from esports_assets.analytics.association_matches import Matches
from esports_assets.analytics.association_rows import Layout, RoundRows

ALPHA = 0.05
SHORT, LONG = 16, 30
"""Rounds of a match."""
BETWEEN_X, BETWEEN_Y = 0.3, 0.25
"""Share of a feature's variance between matches; standard deviation of a match's chance of the outcome, on the normal scale the
same share of the latent variance."""
SHIFT = 0.2
"""How much a standard deviation of a feature that matters shifts the outcome, in those of the latent value."""


@dataclass(frozen=True)
class World:
    """One run's data: features [rows, k], outcome [rows], the first row of every match."""

    x: np.ndarray
    y: np.ndarray
    matches: Matches


def draw(random: np.random.Generator, matches: int, features: int, *, tailed: bool, signals: int = 0) -> World:
    """``tailed`` counts instead of normal values, skewed and with many ties; the first ``signals`` features matter."""
    sizes = random.integers(SHORT, LONG + 1, matches)
    match = np.repeat(np.arange(matches), sizes)
    own, shared = np.sqrt(1.0 - BETWEEN_X), np.sqrt(BETWEEN_X)
    x = shared * random.standard_normal((matches, features))[match] + own * random.standard_normal(
        (len(match), features)
    )
    if tailed:
        x = np.floor(np.exp(x))
    latent = np.sqrt(BETWEEN_Y) * random.standard_normal(matches)[match]
    latent += SHIFT * (x[:, :signals] / x[:, :signals].std(axis=0)).sum(axis=1)
    y = (latent + np.sqrt(1.0 - BETWEEN_Y) * random.standard_normal(len(match)) > 0.0).astype(np.float64)
    return World(x, y, Matches.of(match))


def by_match(world: World, metric: str, seed: int) -> np.ndarray:
    """p-values of the analysis itself."""
    columns = {f"f{j:03d}": np.ascontiguousarray(column) for j, column in enumerate(world.x.T)}
    rows = RoundRows(Layout.DIFFERENCE, columns, {"round_win": world.y}, world.matches)
    plan = Plan(tuple(columns), ("round_win",), metrics=(metric,), draws=10_000, splits=4, seed=seed)
    return np.array([1.0 if one.p is None else one.p for one in associate([rows], plan)])


def naive_correlation(world: World) -> np.ndarray:
    """Student's t of r, rounds independent."""
    u, v = world.x - world.x.mean(axis=0), world.y - world.y.mean()
    r = (v @ u) / np.sqrt((u**2).sum(axis=0) * (v**2).sum())
    t = r * np.sqrt((len(v) - 2) / (1.0 - r**2))
    return 2.0 * stats.t.sf(np.abs(t), len(v) - 2)


def naive_ranks(world: World) -> np.ndarray:
    """The same of midranks: Spearman."""
    return naive_correlation(World(stats.rankdata(world.x, axis=0), stats.rankdata(world.y), world.matches))


def naive_chi_square(world: World) -> np.ndarray:
    """Pearson's chi-square of five quantile bins, rounds independent."""
    found = []
    for column in world.x.T:
        bins = np.unique(np.searchsorted(np.quantile(column, (0.2, 0.4, 0.6, 0.8)), column), return_inverse=True)[1]
        cells = np.array([np.bincount(bins[world.y == value], minlength=bins.max() + 1) for value in (0.0, 1.0)])
        found.append(stats.chi2_contingency(cells, correction=False).pvalue)
    return np.array(found)


NAIVE: dict[str, Callable[[World], np.ndarray]] = {
    "point_biserial": naive_correlation,
    "spearman": naive_ranks,
    "chi2": naive_chi_square,
}


def main() -> int:
    """Print the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--runs", type=int, default=500)
    asked.add_argument("--matches", type=int, default=46)
    asked.add_argument("--features", type=int, default=200)
    asked.add_argument("--signals", type=int, default=0)
    given = asked.parse_args()
    what = f"{given.signals} of them associated" if given.signals else "no association"
    print(f"{given.runs} runs, {given.matches} matches of {SHORT} to {LONG} rounds, {given.features} features, {what}.")
    last = "power (BH)" if given.signals else "p <= .05"
    print(f"{'features':9s}{'measure':16s}{'rows':12s}{'FDR (BH) at .05':26s}{'FDR (BY) at .05':26s}{last}")
    for tailed in (False, True):
        for metric, naive in NAIVE.items():
            began, p = time.process_time(), {"by match": [], "independent": []}
            for run in range(given.runs):
                random = np.random.default_rng([run, tailed])
                world = draw(random, given.matches, given.features, tailed=tailed, signals=given.signals)
                p["by match"].append(by_match(world, metric, run))
                p["independent"].append(naive(world))
            for name, values in p.items():
                line = _mixed(values, given.signals) if given.signals else _null(values)
                print(f"{'counts' if tailed else 'normal':9s}{metric:16s}{name:12s}{line}", flush=True)
            print(f"  {(time.process_time() - began) / given.runs:.3f} s of the processor a run", flush=True)
    return 0


def _null(runs: list[np.ndarray]) -> str:
    """Share of runs with any discovery."""
    told = []
    for adjust in (benjamini_hochberg, benjamini_yekutieli):
        hits = sum(bool((adjust(p) <= ALPHA).any()) for p in runs)
        interval = stats.binomtest(hits, len(runs)).proportion_ci(0.95)
        told.append(_cell(hits / len(runs), interval.low, interval.high))
    return "".join(told) + f"{np.mean(np.concatenate(runs) <= ALPHA):.4f}"


def _mixed(runs: list[np.ndarray], signals: int) -> str:
    """Mean share of false discoveries, and the share of the true associations that are found."""
    told, power = [], []
    for adjust in (benjamini_hochberg, benjamini_yekutieli):
        found = [adjust(p) <= ALPHA for p in runs]
        false = np.array([one[signals:].sum() / max(one.sum(), 1) for one in found])
        half = 1.96 * false.std() / np.sqrt(len(runs))
        told.append(_cell(false.mean(), false.mean() - half, false.mean() + half))
        power.append(np.mean([one[:signals].mean() for one in found]))
    return "".join(told) + f"{power[0]:.3f}"


def _cell(value: float, low: float, high: float) -> str:
    return f"{value:.3f} [{low:.3f}, {high:.3f}]".ljust(26)


if __name__ == "__main__":
    sys.exit(main())
