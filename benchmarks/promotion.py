"""What the rule of promotion is worth, beside the earlier one: errors and power under looking after every game.

    python benchmarks/promotion.py [--trials 2000] [--games 5000]

Every row is that many comparisons of two versions whose win rates are known; a game goes to either version by a fair coin.
``swap``: the challenger is promoted. ``given up``: shown not to be better by the minimum effect. ``rollback``: were it
promoted, it goes back within as many games again. ``earlier``: any higher win rate swaps, from three games of each version
on, after every game, and (``once``, exact) at one look after three games of each. ``z``: the same at a one-sided p below .05.
Exit code 1 where the bar is missed: an equal challenger promoted in more than 5 % or a lift of .05 found in less than 80 %.
"""

import argparse
import sys
import time

import numpy as np

from esports_assets.promotion.betting import Pairs
from esports_assets.promotion.ranking import stakes_of
from esports_assets.promotion.sequential import DEFAULT_TERMS
from esports_assets.promotion.simulation import EARLIER_MINIMUM, Duel, earlier_rule, earlier_rule_once, race

BASES = (0.35, 0.5, 0.65)
EFFECTS = (0.0, 0.02, 0.05, 0.1, -0.05)
UNEVEN = 0.2
MOST_FALSE, LEAST_POWER = 0.05, 0.8
ROUNDS, PLAYERS_SD, NOISE_SD = 20, 0.05, 0.25
"""Rounds per game, and how the difference in half the Brier score varies between games and within one."""


def main() -> int:
    """Print the tables."""
    options = argparse.ArgumentParser(description="Errors and power of the rule of promotion.")
    options.add_argument("--trials", type=int, default=2000)
    options.add_argument("--games", type=int, default=5000)
    asked = options.parse_args()
    print(f"{asked.trials} trials, at most {asked.games} games of both versions together; {DEFAULT_TERMS}\n")
    header = f"{'base':>5} {'effect':>6} {'share':>5} | {'swap':>6} {'given up':>8} {'rollback':>8} {'median':>6} {'p10':>5} "
    print(header + f"{'p90':>5} | {'earlier':>7} {'once':>5} {'z':>6}")
    began, kept = time.perf_counter(), True
    duels = [Duel(effect, base) for base in BASES for effect in EFFECTS]
    for number, duel in enumerate([*duels, Duel(0.0, share=UNEVEN), Duel(0.05, share=UNEVEN)]):
        swap = _row(duel, asked.games, asked.trials, seed=100 * number)
        if duel.share == 0.5:
            kept &= swap <= MOST_FALSE if duel.effect <= 0 else duel.effect < 0.05 or swap >= LEAST_POWER
    print(f"\nRe-ranking by paired scores, games of {ROUNDS} rounds (share of pairs put in another order, games):")
    for gain in (0.0, 0.005, 0.01, 0.02):
        _ranked(gain, min(asked.games, 2000), asked.trials)
    print(f"\n{time.perf_counter() - began:.0f} s; the bar is {'kept' if kept else 'MISSED'}.")
    return 0 if kept else 1


def _row(duel: Duel, games: int, trials: int, seed: int) -> float:
    found = race(duel, games, trials, seed=seed)
    back = race(duel.after_swap, games, trials, seed=seed + 1).swapped.mean()
    told = found.games_to_decision or {"median": 0, "p10": 0, "p90": 0}
    earlier = earlier_rule(duel, games, trials, seed=seed + 2).swapped.mean()
    z = earlier_rule(duel, games, trials, level=0.05, seed=seed + 3).swapped.mean()
    swap = float(found.swapped.mean())
    print(
        f"{duel.base_rate:5.2f} {duel.effect:+6.2f} {duel.share:5.2f} | {swap:6.4f} {found.given_up.mean():8.4f} {back:8.4f} "
        f"{told['median']:6d} {told['p10']:5d} {told['p90']:5d} | {earlier:7.4f} "
        f"{earlier_rule_once(duel, EARLIER_MINIMUM):5.3f} {z:6.4f}",
        flush=True,
    )
    return swap


def _ranked(gain: float, games: int, trials: int) -> None:
    """Pairs of challengers whose scores differ by ``gain`` on average, each played on until one direction is shown."""
    rng = np.random.default_rng(int(gain * 1e6))
    enough = -np.log(DEFAULT_TERMS.ranking_alpha / 6)
    pairs, decided = Pairs(stakes_of(DEFAULT_TERMS), (trials,)), np.zeros(trials)
    for number in range(1, games + 1):
        spread = np.hypot(PLAYERS_SD, NOISE_SD / np.sqrt(ROUNDS))
        pairs.observe(np.clip(rng.normal(gain, spread, trials), -1, 1))
        decided[(decided == 0) & (pairs.log_e >= enough)] = number
    shown = decided[decided > 0]
    median = f"{np.median(shown):.0f}" if len(shown) else "-"
    print(f"gain {gain:.3f}: {len(shown) / trials:6.4f} within {games} games, median {median}")


if __name__ == "__main__":
    sys.exit(main())
