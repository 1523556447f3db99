"""Bets against a hypothesis: capital that cannot grow by chance, looked at as often as one likes.

Belongs here: the e-process of a bounded observation, of two randomised arms, of paired differences, and the interval that
follows from it. Everything takes arrays of any shape beside the single game, so that thousands of trials run at once.
Does not belong here: what is concluded from a capital (``sequential.py``, ``ranking.py``), where games come from (``evidence.py``).

Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024) 1-27, sections 4
and 5.1. Observations x >= -c whose mean, given the past, is at most 0 under the hypothesis, and stakes 0 <= b < 1/c fixed
before x is seen, make the capital K = prod(1 + b x) a non-negative supermartingale from 1; so does a weighted mean of such
capitals. By Ville's inequality P(some K >= 1/alpha, at any time) <= alpha: whoever looks after every game errs no oftener.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BOLDEST = 0.5
"""The largest share of the capital that one observation may cost; the truncation c of the source."""
_PRIOR_GAMES = 10.0
"""Games at an even result that the estimates of the stakes begin with. They shape stakes, never the guarantee."""
_LEAST_VARIANCE = 0.01
_NARROW = 1e-4
"""How closely the ends of an interval are found."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """Effects that are bet on, in units of the observation, and how the capital is shared between them."""

    effects: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.effects) != len(self.weights) or not self.effects:
            raise ValueError("every effect needs a weight")
        if min(self.effects) <= 0 or min(self.weights) <= 0 or not math.isclose(sum(self.weights), 1.0):
            raise ValueError("effects and weights are above zero, and the weights add up to one")

    @classmethod
    def around(cls, effect: float) -> "Stakes":
        """Most of it on one effect, the rest on twice and four times as much: large effects show much sooner."""
        return cls((effect, 2 * effect, 4 * effect), (0.7, 0.2, 0.1))


class Wealth:
    """The capital of bets that the mean of an observation is above zero; its logarithm, so that it stays finite."""

    def __init__(self, stakes: Stakes, shape: tuple[int, ...] = ()) -> None:
        ones = (1,) * len(shape)
        self._effects = np.reshape(np.array(stakes.effects), (-1, *ones))
        self._shares = np.log(np.reshape(np.array(stakes.weights), (-1, *ones)))
        self._logs: Floats = np.zeros((len(stakes.effects), *shape))

    def observe(self, x: Floats, variance: Floats, least: Floats) -> None:
        """One observation x >= -least. Its variance is guessed and ``least`` known before it is seen.

        Each effect d is bet on with d / (variance + d^2), the stake that makes the capital grow fastest if the mean is d.
        """
        self._logs += np.log1p(stakes_on(self._effects, variance, least) * x)

    @property
    def log_e(self) -> Floats:
        """Logarithm of the capital; above log(1/alpha) the hypothesis is rejected at level alpha."""
        total: Floats = np.logaddexp.reduce(self._logs + self._shares, axis=0)
        return total


def stakes_on(effects: Floats, variance: Floats, least: Floats) -> Floats:
    """The stake on every effect, cut where one observation could cost more than ``BOLDEST`` of the capital."""
    stakes: Floats = np.minimum(effects / (variance + effects**2), BOLDEST / least)
    return stakes


@dataclass(frozen=True, slots=True)
class Signal:
    """What one game says of the difference of two arms: a value whose mean is that difference, and its known bounds."""

    value: Floats
    variance: Floats
    below: Floats
    """The value is at least minus this."""
    above: Floats
    """The value is at most this."""


class Arms:
    """Games of two arms, assigned at random, as signals of the difference of their mean results (second minus first).

    A result x in [0, 1] (a tie is 0.5) of the second arm, drawn with probability s, signals (x - m) / s, and of the first
    -(x - m) / (1 - s), with m the mean of all earlier results: the mean over the draw is the difference, whatever m is
    (augmented inverse probability weighting, Robins, Rotnitzky and Zhao 1994), and m close to the truth makes it narrow.
    Since only the draw is random, players may become better and days differ: both arms meet them alike.
    """

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        self.games: Floats = np.zeros((2, *shape))
        self._sums: Floats = np.zeros((2, *shape))
        self._squares: Floats = np.zeros(shape)

    def observe(self, second: Bools, result: Floats, share: Floats) -> Signal:
        """One game; ``share`` is the probability with which it was given to the second arm."""
        games = self.games.sum(axis=0) + _PRIOR_GAMES
        mean = (self._sums.sum(axis=0) + 0.5 * _PRIOR_GAMES) / games
        spread = (self._squares + 0.5 * _PRIOR_GAMES) / games - mean**2
        signal = Signal(
            value=np.where(second, 1 / share, -1 / (1 - share)) * (result - mean),
            variance=np.maximum(spread, _LEAST_VARIANCE) / (share * (1 - share)),
            below=np.maximum(mean / share, (1 - mean) / (1 - share)),
            above=np.maximum((1 - mean) / share, mean / (1 - share)),
        )
        self.games += np.stack([~second, second])
        self._sums += np.stack([np.where(second, 0.0, result), np.where(second, result, 0.0)])
        self._squares += result**2
        return signal

    @property
    def lift(self) -> Floats:
        """Mean result of the second arm minus that of the first; not a number before both have played."""
        with np.errstate(invalid="ignore"):
            means = self._sums / self.games
        difference: Floats = means[1] - means[0]
        return difference


class Pairs:
    """Differences in [-1, 1] between two predictors of the same games, one per game, as bets that their mean is above zero."""

    def __init__(self, stakes: Stakes, shape: tuple[int, ...] = ()) -> None:
        self._wealth = Wealth(stakes, shape)
        self._squares: Floats = np.zeros(shape)
        self._least: Floats = np.ones(shape)
        self._count = 0

    def observe(self, difference: Floats) -> None:
        """One game. Its variance is guessed by the mean square of the earlier ones."""
        guess = (self._squares + 0.5 * _LEAST_VARIANCE * _PRIOR_GAMES) / (self._count + _PRIOR_GAMES)
        self._wealth.observe(difference, np.maximum(guess, _LEAST_VARIANCE / 100), self._least)
        self._squares += difference**2
        self._count += 1

    @property
    def log_e(self) -> Floats:
        """Logarithm of the capital."""
        return self._wealth.log_e


def interval(signals: Sequence[Signal], stakes: Stakes, alpha: float) -> tuple[float, float]:
    """Ends of a confidence sequence for the mean of single signals: each is passed with probability alpha at most, ever.

    A difference d is kept while the bets that the mean is above (below) it have not multiplied their capital by 1/alpha.
    The stakes are the same for every d, so the capital falls as d rises, and halving finds the ends. Without signals: -1, 1.
    """
    if not signals:
        return -1.0, 1.0
    value, variance = (np.array([getattr(s, name) for s in signals]) for name in ("value", "variance"))
    ends = []
    for sign, bound in ((1.0, "below"), (-1.0, "above")):
        least = np.array([getattr(s, bound) for s in signals]) + 1  # of value - d, for every d in [-1, 1]
        bets = stakes_on(np.array(stakes.effects)[:, None], variance, least)
        ends.append(sign * _lowest(sign * value, bets, np.log(stakes.weights), -math.log(alpha)))
    return ends[0], ends[1]


def _lowest(value: Floats, bets: Floats, shares: Floats, enough: float) -> float:
    low, high = -1.0, 1.0
    while high - low > _NARROW:
        middle = (low + high) / 2
        capital = np.logaddexp.reduce(np.log1p(bets * (value - middle)).sum(axis=1) + shares)
        low, high = (middle, high) if capital >= enough else (low, middle)
    return low
