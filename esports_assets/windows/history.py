"""What earlier rounds of the match say about teams and players: rows 000-20 and 000-21 without their constants and leaks.

Belongs here: running tallies that a round reads before it is played and adds to only when it is over.
Does not belong here: the round in progress (``view.py``).
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

WINDOW_ROUNDS = 5
"""Rounds that the team features look back on."""
STREAK_ROUNDS = 10
"""Longest streak that is counted."""
ECO_EQUIPMENT_PER_PLAYER = 2000.0
"""A team whose players carry less than this on average plays an eco, in game money."""
PRIOR_ROUNDS = 6.0
"""Rounds of average play that a player's rating starts from: with none played it is 0, after six it is half his own."""
DAMAGE_PER_KILL = 100.0
"""Health points that weigh as much as a kill in the rating: a full health bar."""


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """One finished round of one team."""

    won: bool
    kills: int
    trades: int
    equipment: float
    """NaN where the source does not tell; such a round is no eco."""
    eco: bool
    objective: bool


@dataclass(frozen=True, slots=True)
class TeamForm:
    """Row 000-20 as of the start of a round; NaN where no earlier round tells."""

    avg_kills_last_5: float
    eco_win_rate: float
    round_win_streak: float
    econ_delta: float
    trade_efficiency: float
    objective_success_rate: float


@dataclass(slots=True)
class TeamHistory:
    """Finished rounds of a team in this match."""

    rounds: deque[RoundSummary] = field(default_factory=lambda: deque(maxlen=STREAK_ROUNDS))
    eco_played: int = 0
    eco_won: int = 0

    def add(self, summary: RoundSummary) -> None:
        """Take in a finished round."""
        self.rounds.append(summary)
        self.eco_played += summary.eco
        self.eco_won += summary.eco and summary.won

    def form(self, equipment_now: float) -> TeamForm:
        """As of a round that starts with this equipment value."""
        window = list(self.rounds)[-WINDOW_ROUNDS:]
        kills = sum(r.kills for r in window)
        return TeamForm(
            avg_kills_last_5=kills / len(window) if window else np.nan,
            eco_win_rate=self.eco_won / self.eco_played if self.eco_played else np.nan,
            round_win_streak=float(self._streak()),
            econ_delta=equipment_now - window[0].equipment if window else np.nan,
            trade_efficiency=sum(r.trades for r in window) / kills if kills else np.nan,
            objective_success_rate=sum(r.objective for r in window) / len(window) if window else np.nan,
        )

    def _streak(self) -> int:
        """Rounds won in a row up to now (at most ten); lost ones count negative."""
        streak = 0
        for summary in reversed(self.rounds):
            if streak and (streak > 0) != summary.won:
                break
            streak += 1 if summary.won else -1
        return streak


@dataclass(slots=True)
class PlayerHistory:
    """Running tallies of one player in this match."""

    rounds: int = 0
    kills: int = 0
    deaths: int = 0
    damage_dealt: float = 0.0
    damage_taken: float = 0.0
    opening_kills: int = 0
    opening_deaths: int = 0
    time_alive_s: float = 0.0
    utility: int = 0

    @property
    def rating(self) -> float:
        """Kills and damage given minus taken per round, shrunk towards an average player."""
        duel = (self.kills - self.deaths) + (self.damage_dealt - self.damage_taken) / DAMAGE_PER_KILL
        return duel / 2.0 / (self.rounds + PRIOR_ROUNDS)

    def form(self) -> Mapping[str, float]:
        """Row 000-21: NaN where no earlier round tells."""
        duels = self.opening_kills + self.opening_deaths
        rounds = self.rounds or np.nan
        return {
            "kills_per_round": self.kills / rounds,
            "opening_duel_success": self.opening_kills / duels if duels else np.nan,
            "time_alive_avg_s": self.time_alive_s / rounds,
            "utility_per_round": self.utility / rounds,
            "rating": self.rating,
        }
