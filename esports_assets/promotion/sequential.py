"""When a challenger takes Production, and when a promoted version goes back: decided by games, with a stated error.

Belongs here: the terms of a comparison, the games of two versions, the race between them and the ruling. Pure.
Does not belong here: the capital (``betting.py``), guardrails (``guardrails.py``), judging offline (``policy.py``), storage.

The race bets on two things, game by game: that the challenger is better (above zero), and that it is not better by
``minimum_effect``. Whichever capital first stands above its threshold while both arms have ``minimum_games`` decides. So:

* a challenger that is no better is promoted with probability at most ``alpha``, however often one looks;
* one that is better by ``minimum_effect`` is given up too early with probability at most ``futility_alpha``;
* at ``maximum_horizon`` games of both arms together, a race without a winner is over, and Production is retained.

Evidence is bound to two versions. The first game that decides counts, so judging rarely or after every game is the same.
A rollback is the same race between the promoted version and the one that it replaced, on games since the swap.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from esports_assets.promotion.betting import Arms, Bools, Floats, Signal, Stakes, Wealth, interval
from esports_assets.promotion.guardrails import Guardrails, Health, vetoes


class Ruling(StrEnum):
    """What a comparison of two versions in play came to."""

    SWAP = "swap_production_b"
    RETAIN = "retain_production"
    CONTINUE = "continue"
    INSUFFICIENT_DATA = "insufficient_data"
    ROLLBACK = "rollback_production"


OPEN = frozenset({Ruling.CONTINUE, Ruling.INSUFFICIENT_DATA})
"""Rulings after which more games are needed."""


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of a comparison; effects are differences of the mean result (share of games won, ties count half).

    The defaults find a lift of five points with a probability above 0.8 (``benchmarks/promotion.py``).
    """

    alpha: float = 0.03
    futility_alpha: float = 0.03
    minimum_effect: float = 0.05
    maximum_horizon: int = 5000
    """Games of both arms together."""
    minimum_games: int = 50
    """Games of each arm."""
    ranking_alpha: float = 0.05
    ranking_effect: float = 0.01
    """The difference in half the Brier score (0 to 1) that re-ranking is to notice soonest."""
    stale_after_days: float = 7.0
    """A comparison without a game for so long holds up no training."""
    guardrails: Guardrails = msgspec.field(default_factory=Guardrails)

    def __post_init__(self) -> None:
        for name in ("alpha", "futility_alpha", "ranking_alpha", "minimum_effect", "ranking_effect"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1, and is {getattr(self, name)}")
        if self.minimum_games < 1:
            raise ValueError(f"minimum_games must be at least 1, and is {self.minimum_games}")
        if self.maximum_horizon < 2 * self.minimum_games:
            raise ValueError(
                f"maximum_horizon ({self.maximum_horizon}) leaves no room for {self.minimum_games} games of each arm"
            )


DEFAULT_TERMS = Terms()
"""The terms unless a deployment says otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The comparable games of two versions of one registered model, in the order in which they ended.

    ``challenger`` says which games version ``challenger_version`` played; ``results`` are the playing version's: 1 won, 0 lost,
    0.5 tied; ``shares`` is the probability with which each game was given to the challenger.
    """

    registered_name: str
    production_version: int
    challenger_version: int
    challenger: Bools
    results: Floats
    shares: Floats
    last_game_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.production_version == self.challenger_version:
            raise ValueError(f"{self.registered_name} v{self.production_version} cannot be compared with itself")
        if not len(self.challenger) == len(self.results) == len(self.shares):
            raise ValueError("every game has an arm, a result and a share")
        if len(self.results) and not (self.results.min() >= 0 and self.results.max() <= 1):
            raise ValueError("results lie between 0 and 1")
        if len(self.shares) and not (self.shares.min() > 0 and self.shares.max() < 1):
            raise ValueError("a game that could only go to one arm says nothing of the difference: 0 < share < 1")

    @property
    def label(self) -> str:
        """How sentences call the pair."""
        return f"{self.registered_name} v{self.challenger_version} against v{self.production_version}"


@dataclass(frozen=True, slots=True)
class Arm:
    """Games and mean result of one version; no mean without a game."""

    version: int
    games: int
    points: float

    @property
    def mean(self) -> float | None:
        """Points per game."""
        return self.points / self.games if self.games else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The ruling about two versions, why (at least one sentence), and the numbers that it rests on.

    ``lift`` is the challenger's mean result minus Production's; ``bounds`` hold it with ``confidence`` at every time at once.
    ``decided_at`` is the game, counted from one, that decided; later games count in nothing here.
    """

    ruling: Ruling
    reasons: tuple[str, ...]
    production: Arm
    challenger: Arm
    lift: float | None
    bounds: tuple[float, float]
    confidence: float
    log_e_better: float
    log_e_futile: float
    decided_at: int | None = None
    vetoes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The numbers as JSON values, for the ledger."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return value


class Race:
    """The two capitals of a comparison, for one pair of versions or, with a shape, for many trials at once."""

    BETTER, FUTILE, HORIZON = 1, 2, 3

    def __init__(self, terms: Terms, shape: tuple[int, ...] = ()) -> None:
        stakes = Stakes.around(terms.minimum_effect)
        self._terms = terms
        self._better, self._futile = Wealth(stakes, shape), Wealth(stakes, shape)
        self._enough = np.reshape(-np.log([terms.alpha, terms.futility_alpha]), (2, *(1,) * len(shape)))
        self._played = 0
        self.arms = Arms(shape)
        self.outcome: npt.NDArray[np.int8] = np.zeros(shape, np.int8)
        """0 while it is open, then what decided."""
        self.decided_at: npt.NDArray[np.int64] = np.zeros(shape, np.int64)

    def observe(self, challenger: Bools, result: Floats, share: Floats) -> Signal:
        """One more game."""
        signal = self.arms.observe(challenger, result, share)
        self._better.observe(signal.value, signal.variance, signal.below)
        self._futile.observe(self._terms.minimum_effect - signal.value, signal.variance, signal.above)
        self._played += 1
        self._decide()
        return signal

    @property
    def log_e(self) -> Floats:
        """Logarithms of both capitals, [2, ...]: it is better; it is not better by the minimum effect."""
        return np.stack([self._better.log_e, self._futile.log_e])

    @property
    def ready(self) -> Bools:
        """Whether both arms have played enough."""
        enough: Bools = self.arms.games.min(axis=0) >= self._terms.minimum_games
        return enough

    def _decide(self) -> None:
        better, futile = (self.log_e >= self._enough) & self.ready
        over = self._played >= self._terms.maximum_horizon
        now = np.where(better, self.BETTER, np.where(futile, self.FUTILE, self.HORIZON if over else 0))
        fresh = (self.outcome == 0) & (now != 0)
        self.outcome = np.where(fresh, now, self.outcome).astype(np.int8)
        self.decided_at = np.where(fresh, self._played, self.decided_at)


def judge(
    evidence: Evidence,
    terms: Terms = DEFAULT_TERMS,
    *,
    production_health: Health,
    challenger_health: Health,
) -> Judgement:
    """Whether the challenger takes Production; the rule is this module's docstring. Guardrails can veto a swap."""
    found = _race(evidence, terms)
    if found.ruling is not Ruling.SWAP:
        return found
    against = vetoes(challenger_health, production_health, terms.guardrails)
    if not against:
        return found
    kept = (f"The swap is vetoed, {evidence.label}.", *against, *found.reasons)
    return replace(found, ruling=Ruling.RETAIN, reasons=kept, vetoes=against)


def judge_rollback(evidence: Evidence, terms: Terms = DEFAULT_TERMS) -> Judgement:
    """Whether the promoted version (Production of the evidence) goes back to the one that it replaced (the challenger).

    The games are those since the swap. No guardrail holds a rollback back.
    """
    found = _race(evidence, terms)
    ruling = Ruling.ROLLBACK if found.ruling is Ruling.SWAP else found.ruling
    return replace(found, ruling=ruling)


def retraining_waits(
    evidence: Evidence, judgement: Judgement, now: datetime, terms: Terms = DEFAULT_TERMS
) -> str | None:
    """Why neither version may be retrained now, in a sentence; None if nothing speaks against it.

    A new version starts its evidence anew, so training while a comparison is open would throw its games away. A
    comparison that nobody plays any more holds up nothing.
    """
    if judgement.ruling not in OPEN or evidence.last_game_at is None:
        return None
    if now - evidence.last_game_at > timedelta(days=terms.stale_after_days):
        return None
    played = judgement.production.games + judgement.challenger.games
    return (
        f"Training waits: {evidence.label} is compared, {played} of at most {terms.maximum_horizon} games are played."
    )


def _race(evidence: Evidence, terms: Terms) -> Judgement:
    race, signals = Race(terms), []
    for challenger, result, share in _games(evidence):
        signals.append(race.observe(challenger, result, share))
        if race.outcome:
            break
    used = len(signals)
    by = evidence.challenger[:used]
    points = evidence.results[:used]
    production = Arm(evidence.production_version, int((~by).sum()), float(points[~by].sum()))
    challenger_arm = Arm(evidence.challenger_version, int(by.sum()), float(points[by].sum()))
    lift = float(race.arms.lift)
    bounds = interval(signals, Stakes.around(terms.minimum_effect), terms.alpha)
    ruling, reason = _concluded(race, evidence, terms)
    told = "" if math.isnan(lift) else f" The lift is {lift:+.4f} [{bounds[0]:+.4f}, {bounds[1]:+.4f}]."
    return Judgement(
        ruling=ruling,
        reasons=(reason + told,),
        production=production,
        challenger=challenger_arm,
        lift=None if math.isnan(lift) else lift,
        bounds=bounds,
        confidence=1 - 2 * terms.alpha,
        log_e_better=float(race.log_e[0]),
        log_e_futile=float(race.log_e[1]),
        decided_at=int(race.decided_at) or None,
    )


def _games(evidence: Evidence) -> Iterator[tuple[Bools, Floats, Floats]]:
    columns = (evidence.challenger, evidence.results, evidence.shares)
    return ((np.asarray(c), np.asarray(r), np.asarray(s)) for c, r, s in zip(*columns, strict=True))


def _concluded(race: Race, evidence: Evidence, terms: Terms) -> tuple[Ruling, str]:
    production, challenger = (int(n) for n in race.arms.games)
    games = f"{challenger} games of v{evidence.challenger_version} and {production} of v{evidence.production_version}"
    match int(race.outcome):
        case Race.BETTER:
            return Ruling.SWAP, f"v{evidence.challenger_version} is better at level {terms.alpha} after {games}."
        case Race.FUTILE:
            told = f"is not better by {terms.minimum_effect} at level {terms.futility_alpha}"
            return Ruling.RETAIN, f"v{evidence.challenger_version} {told} after {games}."
        case Race.HORIZON:
            return Ruling.RETAIN, f"Nothing is shown within {terms.maximum_horizon} games: {games}."
    if not race.ready:
        return Ruling.INSUFFICIENT_DATA, f"There are {games}; each needs {terms.minimum_games}."
    return Ruling.CONTINUE, f"Nothing is shown yet by {games}."
