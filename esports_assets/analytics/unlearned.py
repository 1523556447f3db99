"""Whether the learners have missed something that the covariates say about the outcome.

Belongs here: residuals of rows that are alike.
Does not belong here: what follows from it (``verdict.py``).

Noise has no neighbours: if the outcome is learned, the cross-fitted residual of a row says nothing about that of the nearest row of
the same arm (from another cluster), as Moran's I asks of maps. What learners miss is shared by neighbours. Residuals of
learned functions lie slightly below zero, because a row's neighbour is among what it was learned from.
"""

import numpy as np

from esports_assets.analytics.learners import Singles
from esports_assets.analytics.study import Floats, Ints

MOST_ROWS = 5_000
NEIGHBOURS = 20


def neighbours_alike(
    linear: Singles, residual: Floats, treated: Floats, cluster: Ints, arms: tuple[float, ...], rng: np.random.Generator
) -> float:
    """Rank correlation of residuals [n] with those of nearest neighbours in standardised covariates [n, p], the largest over
    the arms; of at most 5,000 rows of each arm.
    """
    found = []
    for arm in arms:
        rows = np.flatnonzero(treated == arm)
        if len(rows) > MOST_ROWS:
            rows = rng.choice(rows, MOST_ROWS, replace=False)
        found.append(_one_arm(linear[rows], residual[rows], cluster[rows]))
    return max(found)


def _one_arm(x: Singles, residual: Floats, cluster: Ints) -> float:
    from scipy.stats import spearmanr
    from sklearn.neighbors import NearestNeighbors

    k = min(NEIGHBOURS, len(x) - 1)
    near = NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False)
    other = cluster[near] != cluster[:, None]
    has = other.any(axis=1)
    if has.sum() < 10 or np.ptp(residual[has]) == 0:
        return 0.0
    neighbour = near[np.arange(len(x)), other.argmax(axis=1)]
    rank = float(spearmanr(residual[has], residual[neighbour[has]]).statistic)
    return rank if np.isfinite(rank) else 0.0
