"""The order of challengers, by what each of them would have predicted on the same games.

Belongs here: paired differences of two versions, what they show, and the order that follows. Pure.
Does not belong here: who takes Production (``sequential.py``), reading scores (``evidence.py``).

All aliases predict every round in shadow, so any two are compared on the same rounds. A game is one observation, the mean
difference of its rounds, because rounds of one game share what made them; the score is half the Brier score (0 to 1). A bet in
each direction of each pair (``betting.py``) is held against ``ranking_alpha`` divided by the number of directions: the
probability that equal challengers ever change places is at most ``ranking_alpha``. Mere volume or a higher share of hits
changes nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from esports_assets.promotion.betting import Floats, Pairs, Stakes
from esports_assets.promotion.sequential import DEFAULT_TERMS, Terms


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Games that two versions of one registered model both predicted.

    ``gains``: per game, in the order in which they ended, the mean over its rounds of the other's score minus this one's,
    between -1 and 1. Above zero this one predicted better.
    """

    version: int
    other: int
    gains: Floats

    def __post_init__(self) -> None:
        if self.version == self.other:
            raise ValueError(f"v{self.version} cannot be compared with itself")
        if len(self.gains) and not float(np.abs(self.gains).max()) <= 1:
            raise ValueError("differences of scores lie between -1 and 1")


@dataclass(frozen=True, slots=True)
class Superior:
    """What is shown of two challengers: ``better`` predicts better than ``worse``."""

    better: int
    worse: int
    games: int
    gain: float
    log_e: float

    def __str__(self) -> str:
        return f"v{self.better} predicts better than v{self.worse}, by {self.gain:.4f} over {self.games} games."


@dataclass(frozen=True, slots=True)
class Ranking:
    """Versions from first to last, and why the order is another than before; no reason where it is the same."""

    order: tuple[int, ...]
    reasons: tuple[str, ...]


def stakes_of(terms: Terms) -> Stakes:
    """Bets on the difference to be noticed soonest, and on larger ones."""
    effect = terms.ranking_effect
    return Stakes((effect, 2 * effect, 4 * effect, 8 * effect), (0.4, 0.3, 0.2, 0.1))


def superiority(paired: Paired, challengers: int, terms: Terms = DEFAULT_TERMS) -> Superior | None:
    """Which of the two is shown to be the better among so many challengers; None while neither is.

    Where the evidence once showed both, one after the other, the direction with the larger capital now counts.
    """
    both = Pairs(stakes_of(terms), (2,))
    best = np.zeros(2)
    for gain in paired.gains:
        both.observe(np.array([gain, -gain]))
        best = np.maximum(best, both.log_e)
    enough = -math.log(terms.ranking_alpha / (challengers * (challengers - 1)))
    shown = np.flatnonzero(best >= enough)
    if not len(shown):
        return None
    way = int(shown[np.argmax(both.log_e[shown])])
    pair = (paired.version, paired.other)
    gain = float(paired.gains.mean()) * (1 - 2 * way)
    return Superior(pair[way], pair[1 - way], len(paired.gains), gain, float(both.log_e[way]))


def ranked(order: Sequence[int], paired: Sequence[Paired], terms: Terms = DEFAULT_TERMS) -> Ranking:
    """The order that the evidence says: a challenger moves right above the first one that it is shown to be better than.

    Better than a third who is better than another counts as better than that other. Everybody else stays where he was; with
    nothing shown the order is as before. Pairs of versions outside the order say nothing. ValueError for a version that
    stands in the order twice.
    """
    if len(set(order)) != len(order):
        raise ValueError(f"a version stands twice in the order {list(order)}")
    among = [pair for pair in paired if pair.version in order and pair.other in order]
    found = [superiority(pair, len(order), terms) for pair in among]
    shown = _followed({(one.better, one.worse): str(one) for one in found if one is not None})
    now, reasons = list(order), []
    for version in order:
        place = _place(now, version, shown)
        if place is not None:
            reasons.append(shown[version, now[place]])
            now.remove(version)
            now.insert(place, version)
    return Ranking(tuple(now), tuple(reasons))


def _followed(shown: Mapping[tuple[int, int], str]) -> dict[tuple[int, int], str]:
    """What is shown, and what follows of two of it unless the opposite is shown."""
    chains = {
        (better, worst): f"{first} {second}"
        for (better, middle), first in shown.items()
        for (other, worst), second in shown.items()
        if middle == other and better != worst and (worst, better) not in shown
    }
    return chains | dict(shown)


def _place(now: Sequence[int], version: int, shown: Mapping[tuple[int, int], str]) -> int | None:
    """Where a version moves up to, past nobody who is shown to be better than it; None where it stays."""
    at = now.index(version)
    above = [place for place in range(at) if (now[place], version) in shown]
    first = above[-1] + 1 if above else 0
    return next((place for place in range(first, at) if (version, now[place]) in shown), None)
