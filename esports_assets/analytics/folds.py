"""Splits of rows into folds that keep clusters whole and give every fold both arms.

Belongs here: dealing clusters out.
Does not belong here: what is learned on the folds (``nuisance.py``).
"""

import numpy as np

from esports_assets.analytics.study import Floats, Ints


def deal(treated: Floats, cluster: Ints, folds: int, rng: np.random.Generator) -> Ints:
    """The fold 0 ... folds - 1 of every row [n]. Clusters lie in a row by their share of treated rows, equal ones
    shuffled, and each run of ``folds`` neighbours is dealt one to each fold.
    """
    rows = np.bincount(cluster)
    share = np.bincount(cluster, weights=treated) / rows
    order = np.lexsort((rng.random(len(rows)), share))
    runs = -(-len(rows) // folds)
    dealt = rng.permuted(np.tile(np.arange(folds), (runs, 1)), axis=1).ravel()[: len(rows)]
    of_cluster = np.empty(len(rows), dtype=np.int64)
    of_cluster[order] = dealt
    return np.asarray(of_cluster[cluster])
