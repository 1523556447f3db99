"""Tables with a known effect, drawn as papers describe them.

Belongs here: one generator per scenario, each with its true average effect.
Does not belong here: estimators, tables of results (``causal.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Covariates [n, p], treatment 0 or 1 [n], outcome [n], clusters [n] or None."""

    x: Floats
    treated: Floats
    outcome: Floats
    cluster: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class World:
    """A scenario: its true average effect on everybody, and how a sample is drawn."""

    name: str
    truth: float
    draw: Callable[[np.random.Generator], Drawn]
    about: str


def expit(z: Floats) -> Floats:
    """1 / (1 + exp(-z))."""
    return np.asarray(1 / (1 + np.exp(-z)))


def linear(rng: np.random.Generator, n: int = 800) -> Drawn:
    """Five normal covariates, logit and outcome linear in them (design of Lunceford and Davidian 2004, without the covariates
    that matter for one of the two only); effect 1, noise 1.
    """
    x = rng.normal(size=(n, 5))
    t = rng.binomial(1, expit(x @ [0.6, -0.4, 0.3, 0.0, 0.2])).astype(float)
    return Drawn(x, t, t + x @ [1.0, 0.5, -0.5, 0.5, 0.0] + rng.normal(size=n))


def kang_schafer(rng: np.random.Generator, n: int = 1000) -> Drawn:
    """Kang and Schafer 2007: four normal covariates decide treatment and outcome, and only transformations of them are seen.
    Effect 10 (theirs is a missing-data problem without one).
    """
    z = rng.normal(size=(n, 4))
    t = rng.binomial(1, expit(z @ [-1.0, 0.5, -0.25, -0.1])).astype(float)
    y = 210 + z @ [27.4, 13.7, 13.7, 13.7] + 10 * t + rng.normal(size=n)
    seen = np.column_stack(
        [
            np.exp(z[:, 0] / 2),
            z[:, 1] / (1 + np.exp(z[:, 0])) + 10,
            (z[:, 0] * z[:, 2] / 25 + 0.6) ** 3,
            (z[:, 1] + z[:, 3] + 20) ** 2,
        ]
    )
    return Drawn(seen, t, y)


def heterogeneous(rng: np.random.Generator, n: int = 1000) -> Drawn:
    """Nie and Wager 2021, setup A: uniform covariates, propensity sin(pi x1 x2) cut to [0.1, 0.9], a curved baseline, and the
    effect (x1 + x2) / 2, on average 0.5; noise 1.
    """
    x = rng.uniform(size=(n, 5))
    bend = np.sin(np.pi * x[:, 0] * x[:, 1])
    t = rng.binomial(1, np.clip(bend, 0.1, 0.9)).astype(float)
    baseline = bend + 2 * (x[:, 2] - 0.5) ** 2 + x[:, 3] + 0.5 * x[:, 4]
    effect = (x[:, 0] + x[:, 1]) / 2
    return Drawn(x, t, baseline + (t - 0.5) * effect + rng.normal(size=n))


def no_overlap(rng: np.random.Generator, n: int = 800) -> Drawn:
    """As ``linear``, with a logit so steep that many rows could hardly have got the other treatment (Crump et al. 2009 and
    Busso, DiNardo and McCrary 2014 study such designs), and an outcome and an effect that bend in the same direction.
    """
    x = rng.normal(size=(n, 5))
    t = rng.binomial(1, expit(2.5 * x[:, 0] + 1.5 * x[:, 1])).astype(float)
    y = t * (1 + 0.5 * x[:, 0]) + x[:, 0] + 0.5 * x[:, 0] ** 2 + x[:, 1] + rng.normal(size=n)
    return Drawn(x, t, y)


def clustered(rng: np.random.Generator, groups: int = 100, size: int = 10) -> Drawn:
    """Rows in clusters (Cameron and Miller 2015): covariates of the cluster and of the row confound; treatment and outcome each
    have a shift of the cluster on top, independent of each other; effect 1.
    """
    cluster = np.repeat(np.arange(groups), size)
    shared = rng.normal(size=(groups, 2))[cluster]
    own = rng.normal(size=(groups * size, 3))
    x = np.column_stack([shared, own])
    leaning = rng.normal(0, 1.0, groups)[cluster]
    t = rng.binomial(1, expit(x @ [0.5, 0.0, 0.5, -0.3, 0.0] + leaning)).astype(float)
    shift = rng.normal(0, 1.0, groups)[cluster]
    y = t + x @ [0.7, 0.3, 0.7, 0.3, 0.0] + shift + rng.normal(size=groups * size)
    return Drawn(x, t, y, cluster)


WORLDS = (
    World("linear", 1.0, linear, "linear confounding"),
    World("kang-schafer", 10.0, kang_schafer, "non-linear confounding"),
    World("heterogeneous", 0.5, heterogeneous, "heterogeneous effects"),
    World("no-overlap", 1.0, no_overlap, "near-violation of overlap"),
    World("clustered", 1.0, clustered, "rows in clusters"),
)
