"""Splits that keep a match whole: a match (game, replay) is in exactly one part, whatever its rows are.

Belongs here: choosing matches for parts, deterministic by seed.
Does not belong here: what is learned or measured on the parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class MatchInfo:
    """What a split may look at: the match, its map, its day (ISO date) and how many rows it has."""

    match_id: str
    map: str
    day: str
    rows: int


def chronological(matches: Sequence[MatchInfo], fractions: Sequence[float] = (0.6, 0.2, 0.2)) -> list[np.ndarray]:
    """Matches in order of (day, match id), cut at the fractions of their number; every part gets at least one match."""
    if len(matches) < len(fractions):
        raise ValueError(f"{len(matches)} matches cannot be cut into {len(fractions)} parts that are not empty")
    if abs(sum(fractions) - 1) > 1e-9:
        raise ValueError(f"fractions {tuple(fractions)} do not add up to 1")
    order = sorted(range(len(matches)), key=lambda i: (matches[i].day, matches[i].match_id))
    cuts = [round(len(order) * share) for share in np.cumsum(fractions)[:-1]]
    for i in range(len(cuts)):
        cuts[i] = min(max(cuts[i], i + 1), len(order) - (len(cuts) - i))
    return [np.array(sorted(part), dtype=np.int64) for part in np.split(np.array(order), cuts)]


def grouped_folds(matches: Sequence[MatchInfo], k: int, seed: int) -> list[np.ndarray]:
    """``k`` sets of matches, balanced by rows and, where the numbers allow, by map; their union is all matches.

    Greedy: map by map (largest first), its matches by falling row count, each to the fold that has fewest matches of
    this map and then fewest rows. The seed decides between equals and shuffles the start.
    """
    if not 2 <= k <= len(matches):
        raise ValueError(f"{len(matches)} matches cannot be cut into {k} folds")
    rng = np.random.default_rng(seed)
    luck = rng.permutation(len(matches))
    fold_luck = rng.permutation(k)
    by_map: dict[str, list[int]] = {}
    for i, info in enumerate(matches):
        by_map.setdefault(info.map, []).append(i)
    rows = np.zeros(k)
    folds: list[list[int]] = [[] for _ in range(k)]
    for name in sorted(by_map, key=lambda m: (-len(by_map[m]), m)):
        here = np.zeros(k)
        for i in sorted(by_map[name], key=lambda j: (-matches[j].rows, luck[j])):
            fold = min(range(k), key=lambda f: (here[f], rows[f], fold_luck[f]))
            folds[fold].append(i)
            here[fold] += 1
            rows[fold] += matches[i].rows
    if not all(folds):
        return _refill(folds)
    return [np.array(sorted(fold), dtype=np.int64) for fold in folds]


def _refill(folds: list[list[int]]) -> list[np.ndarray]:
    """Many maps with few matches each can leave a fold empty: it takes one match of the fold with most."""
    for fold in folds:
        if not fold:
            fold.append(max(folds, key=len).pop())
    return [np.array(sorted(fold), dtype=np.int64) for fold in folds]


def production(matches: Sequence[MatchInfo], seed: int, validation: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation matches of the production split: one of round(1 / validation) balanced folds is held
    out.
    """
    k = min(max(2, round(1 / validation)), len(matches))
    held_out = grouped_folds(matches, k, seed)[0]
    kept = np.setdiff1d(np.arange(len(matches)), held_out)
    return kept, held_out
