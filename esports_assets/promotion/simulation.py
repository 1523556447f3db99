"""How often a promotion errs, and how soon it finds what is there: measured on simulated games.

Belongs here: many races at once between two versions with known win rates, and the earlier rule on the same kind of games.
Does not belong here: the rule in force (``sequential.py``), tables (``commands/promotion.py``, ``benchmarks/promotion.py``).

Every game goes to either version by a coin with the probability ``share``, is won with that version's rate, and is judged at
once: the hardest peeking there is.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from esports_assets.promotion.betting import Bools, Floats
from esports_assets.promotion.sequential import DEFAULT_TERMS, Race, Terms

_QUANTILES = {"median": 0.5, "p10": 0.1, "p90": 0.9}
EARLIER_MINIMUM = 3
"""Games of each arm after which the earlier rule judged."""


class SimulationError(ValueError):
    """Numbers that cannot be simulated; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Duel:
    """Two versions with known win rates: ``effect`` is the challenger's minus Production's, which is ``base_rate``."""

    effect: float
    base_rate: float = 0.5
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.base_rate <= 1:
            raise SimulationError(f"a win rate lies between 0 and 1, and {self.base_rate:g} does not")
        if not 0 <= self.base_rate + self.effect <= 1:
            told = f"an effect of {self.effect:g} on a win rate of {self.base_rate:g}"
            raise SimulationError(f"{told} gives {self.base_rate + self.effect:g}, which is no win rate")
        if not 0 < self.share < 1:
            raise SimulationError(f"the challenger's share of games lies between 0 and 1, and {self.share:g} does not")

    @property
    def after_swap(self) -> "Duel":
        """The same two once the challenger was promoted: now it is Production, and what it replaced challenges it."""
        return Duel(-self.effect, min(max(self.base_rate + self.effect, 0.0), 1.0), 1 - self.share)

    def games(self, games: int, trials: int, seed: int) -> Iterator[tuple[Bools, Floats]]:
        """Game after game of all trials: which of them the challenger plays, and the results, [trials] each."""
        if games < 1 or trials < 1:
            raise SimulationError(f"there must be a game and a trial, not {games} games and {trials} trials")
        return self._games(games, trials, np.random.default_rng(seed))

    def _games(self, games: int, trials: int, rng: np.random.Generator) -> Iterator[tuple[Bools, Floats]]:
        for _ in range(games):
            challenger = rng.random(trials) < self.share
            rate = np.where(challenger, self.base_rate + self.effect, self.base_rate)
            yield challenger, (rng.random(trials) < rate).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of every trial: the swap, and the game that decided (0 where none did)."""

    swapped: Bools
    given_up: Bools
    decided_at: npt.NDArray[np.int64]

    @property
    def games_to_decision(self) -> dict[str, int] | None:
        """Quantiles among trials that evidence decided either way; None if it decided none."""
        games = self.decided_at[self.swapped | self.given_up]
        if not len(games):
            return None
        return {name: int(np.quantile(games, q, method="inverted_cdf")) for name, q in _QUANTILES.items()}


def race(duel: Duel, games: int, trials: int, *, terms: Terms = DEFAULT_TERMS, seed: int = 0) -> Outcomes:
    """The rule in force, looking after every game."""
    played = duel.games(games, trials, seed)
    racing, share = Race(terms, (trials,)), np.asarray(duel.share)
    for challenger, result in played:
        racing.observe(challenger, result, share)
        if racing.outcome.all():
            break
    return Outcomes(racing.outcome == Race.BETTER, racing.outcome == Race.FUTILE, racing.decided_at)


def earlier_rule(duel: Duel, games: int, trials: int, *, level: float = 0.5, seed: int = 0) -> Outcomes:
    """The pooled z of two win rates, swapping where its one-sided p lies below ``level``, looked at after every game.

    From three games of each version on. At 0.5 it is the earlier rule: any higher win rate swaps.
    """
    coming = enumerate(duel.games(games, trials, seed), 1)
    enough = NormalDist().inv_cdf(1 - level)
    played, won = np.zeros((2, trials)), np.zeros((2, trials))
    decided_at = np.zeros(trials, np.int64)
    for number, (challenger, result) in coming:
        played += [~challenger, challenger]
        won += [np.where(challenger, 0, result), np.where(challenger, result, 0)]
        swaps = (decided_at == 0) & (played.min(axis=0) >= EARLIER_MINIMUM) & (_pooled_z(played, won) > enough)
        decided_at[swaps] = number
        if decided_at.all():
            break
    return Outcomes(decided_at > 0, np.zeros(trials, np.bool_), decided_at)


def earlier_rule_once(duel: Duel, games_each: int) -> float:
    """The exact probability that the challenger wins more of ``games_each`` than Production of as many: one look."""
    chances = [
        np.array([math.comb(games_each, k) * rate**k * (1 - rate) ** (games_each - k) for k in range(games_each + 1)])
        for rate in (duel.base_rate, duel.base_rate + duel.effect)
    ]
    return float(np.tril(np.outer(chances[1], chances[0]), -1).sum())


def _pooled_z(played: Floats, won: Floats) -> Floats:
    games = np.maximum(played, 1)
    pooled = won.sum(axis=0) / games.sum(axis=0)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / games).sum(axis=0))
    z: Floats = np.divide(won[1] / games[1] - won[0] / games[0], spread, out=np.zeros(len(spread)), where=spread > 0)
    return z


def summary(duel: Duel, games: int, trials: int, *, terms: Terms = DEFAULT_TERMS, seed: int = 0) -> dict[str, Any]:
    """Rates of a race and of what follows it, for ``esports promotion simulate``.

    ``rollback_rate``: were the challenger promoted, how often it is rolled back within as many games after the swap; in every
    trial, so that it is measured just as well where swaps are rare. With no effect it is the rate of false alarms.
    """
    swaps = race(duel, games, trials, terms=terms, seed=seed)
    rollbacks = race(duel.after_swap, games, trials, terms=terms, seed=seed + 1)
    return {
        "trials": trials,
        "swap_rate": float(swaps.swapped.mean()),
        "rollback_rate": float(rollbacks.swapped.mean()),
        "games_to_decision": swaps.games_to_decision,
    }


def standard_error(rate: float, trials: int) -> float:
    """Of a measured rate."""
    return math.sqrt(rate * (1 - rate) / trials)
