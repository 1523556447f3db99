"""A match: rounds, sides, score and money from the first pistol to the last overtime.

Belongs here: teams, halves, overtime, rewards between rounds, time-outs.
Does not belong here: a round's inside (``round.py``) and file formats.
"""

from dataclasses import dataclass, field

import numpy as np

from esports_assets.simulate import economy
from esports_assets.simulate.dice import Dice
from esports_assets.simulate.economy import Gear, Ledger
from esports_assets.simulate.geometry import geometry
from esports_assets.simulate.maps import PLANS
from esports_assets.simulate.record import PlayerRound, RoundRecord
from esports_assets.simulate.round import play

HALF_ROUNDS = 12
OVERTIME_HALF = 3
FREEZE_TICKS = 1280
TIMEOUT_TICKS = 1920
"""Freeze time is 20 s, with a time-out 50 s: the two peaks of the real matches (75 % and 7 % of the rounds)."""
TIMEOUT_CHANCE = 0.35
TIMEOUTS = 3
TEAMS = 12
SKILL_SPREAD = 0.09
TEAM_SPREAD = 0.07
FORM_SPREAD = 0.04
"""Spread of skill (a factor on aim) between players, teams and days."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team that does not exist."""

    name: str
    players: tuple[str, ...]
    skills: tuple[float, ...]


@dataclass(slots=True)
class SimulatedMatch:
    """A match as facts."""

    index: int
    seed: int
    map: str
    teams: tuple[Team, Team]
    score: tuple[int, int] = (0, 0)
    rounds: list[RoundRecord] = field(default_factory=list)

    @property
    def team_of(self) -> list[int]:
        """Team index (0, 1) of every player index."""
        return [0] * 5 + [1] * 5


def league(seed: int) -> list[Team]:
    """The teams of a seed: the same in all its matches."""
    dice = Dice(np.random.SeedSequence(seed, spawn_key=(0,)))
    teams = []
    for number in range(1, TEAMS + 1):
        name = f"SIM{number:02d}"
        base = dice.normal(1.0, TEAM_SPREAD)
        players = tuple(f"{name}P{k}" for k in range(1, 6))
        skills = tuple(max(0.6, min(1.5, base + dice.normal(0.0, SKILL_SPREAD))) for _ in players)
        teams.append(Team(name, players, skills))
    return teams


def simulate(seed: int, index: int) -> SimulatedMatch:
    """The match of that number: depends on seed and index only."""
    dice = Dice(np.random.SeedSequence(seed, spawn_key=(1, index)))
    teams = league(seed)
    first, second = dice.shuffled(teams)[:2]
    match = SimulatedMatch(index, seed, PLANS[index % len(PLANS)].name, (first, second))
    geo = geometry(match.map)
    skills = [max(0.55, s + dice.normal(0.0, FORM_SPREAD)) for team in match.teams for s in team.skills]
    awpers = {max(range(k, k + 5), key=lambda i: skills[i]) for k in (0, 5)}
    table = _Table(dice.below(2))
    while not table.decided:
        record = table.open(dice, awpers)
        play(geo, dice, record, table.gears, skills)
        table.close(record)
        match.rounds.append(record)
    match.score = (table.score[0], table.score[1])
    return match


class _Table:
    """Score, sides and money between rounds."""

    def __init__(self, t_team: int) -> None:
        self.first_t = t_team
        self.score = [0, 0]
        self.number = 0
        self.gears = [Gear() for _ in range(10)]
        self.ledgers = [Ledger(), Ledger()]
        self.timeouts = [TIMEOUTS, TIMEOUTS]
        self.streak = [0, 0]

    @property
    def decided(self) -> bool:
        """Whether the match is over: 13 of 24, or 4 of 6 in an overtime."""
        high, low = max(self.score), min(self.score)
        if high <= 12:
            return False
        if low < 12:
            return high == 13
        overtime = (high + low - 25) // 6 if high + low > 24 else 0
        return high == 16 + 3 * overtime and low < 15 + 3 * overtime + 1 and high > low

    def _half(self) -> tuple[int, bool, bool]:
        """(half, first round of it, overtime) of the round about to be played."""
        played = self.number
        if played < 2 * HALF_ROUNDS:
            return played // HALF_ROUNDS, played % HALF_ROUNDS == 0, False
        later = played - 2 * HALF_ROUNDS
        return 2 + later // OVERTIME_HALF, later % OVERTIME_HALF == 0, True

    def t_team(self) -> int:
        """Which team attacks now: sides change with every half, and stay when an overtime begins."""
        half = self._half()[0]
        swaps = half if half < 2 else (half - 2 + 1) // 2 + 1 + (half - 2) // 2
        return (self.first_t + swaps) % 2

    def open(self, dice: Dice, awpers: set[int]) -> RoundRecord:
        """Reset what a new half resets, buy, and describe the round to be played."""
        _, fresh, overtime = self._half()
        t_team = self.t_team()
        sides = ["t" if (i // 5) == t_team else "ct" for i in range(10)]
        if fresh:
            money = economy.OVERTIME_MONEY if overtime else economy.START_MONEY
            self.ledgers, self.streak = [Ledger(), Ledger()], [0, 0]
            for gear, side in zip(self.gears, sides, strict=True):
                gear.lose(side)
                gear.money = money
        pistol = fresh and not overtime
        left_in_half = HALF_ROUNDS - self.number % HALF_ROUNDS
        buys = []
        for team in (0, 1):
            gears = self.gears[team * 5 : team * 5 + 5]
            last = (left_in_half == 1 and not overtime) or self.score[1 - team] == 12
            awper = next((i % 5 for i in awpers if i // 5 == team), 0)
            economy.buy(gears, sides[team * 5], pistol=pistol, last_chance=last, awper=awper, dice=dice)
            buys.append(economy.team_type(gears, pistol))
        timeout = self._timeout(dice, fresh)
        self.number += 1
        players = [
            PlayerRound(
                g.start_money,
                g.spent,
                g.value,
                economy.player_type(g, pistol),
                g.armor,
                g.helmet,
                g.kit,
                g.primary,
                g.secondary,
                list(g.grenades),
                list(g.bought),
                list(g.given),
                list(g.received),
                g.money,
            )
            for g in self.gears
        ]
        freeze = FREEZE_TICKS + (TIMEOUT_TICKS if timeout is not None else 0)
        record = RoundRecord(self.number, sides, players, (buys[0], buys[1]), freeze, timeout)
        record.score_before = (self.score[0], self.score[1])
        return record

    def _timeout(self, dice: Dice, fresh: bool) -> int | None:
        for team in (0, 1):
            if not fresh and self.streak[team] >= 3 and self.timeouts[team] and dice.chance(TIMEOUT_CHANCE):
                self.timeouts[team] -= 1
                self.streak[team] = 0
                return team
        return None

    def close(self, record: RoundRecord) -> None:
        """Score and money after a round."""
        planted = any(b.kind == "planted" for b in record.bombs)
        for team in (0, 1):
            side = record.sides[team * 5]
            won = side == record.winner
            bonus = self.ledgers[team].settle(won)
            if won:
                self.score[team] += 1
                bomb = record.reason in ("target_bombed", "bomb_defused")
                bonus = economy.WIN_BOMB if bomb else economy.WIN_ELIMINATION
            elif side == "t" and planted:
                bonus += economy.PLANT_TEAM_BONUS
            self.streak[team] = 0 if won else self.streak[team] + 1
            dead = {k.victim for k in record.kills}
            for index in range(team * 5, team * 5 + 5):
                timed_out = record.reason == "time_ran_out" and side == "t" and index not in dead
                self.gears[index].earn(0 if timed_out else bonus)
        record.money_after = [g.money for g in self.gears]
