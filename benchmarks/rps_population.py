"""Mean return per 1,000 rounds of plain rock-paper-scissors (+1, 0, -1) against the 43 published bots of OpenSpiel.

    pip install open_spiel                     (in an environment of its own: no dependency of this project)
    python benchmarks/rps_population.py [--matches 10] [--seed 0] [--players NAME,NAME] [--half tuned|unseen] [--bots]

The bots are those of the First International RoShamBo Programming Competition with later additions, as the wheel carries them
(``pyspiel.make_roshambo_bot``), played through ``repeated_game(stage_game=matrix_rps(),num_repetitions=1000)``.
Per bot: the average of its matches. Per player: the mean over bots with its standard error (from the spread of matches within
bots: the population is fixed, chance is in the matches), and the worst bot with the standard error of its average.

What was tuned: on every second bot in the order of names (``tuned``) with three or four matches each, sixteen variants of the
mixture (which histories, decays, smoothing) and nine of the defence. Two kinds of experts that gained nothing were left out and one
decay was changed; everything else stayed as first written, since the variants differed by less than chance or were worse. The other
half (``unseen``) was played by the first version and by the last ones, and nothing was chosen by it. Both halves are printed.

A further player is added by one line in ``PLAYERS``: anything with ``predict``, ``play`` and ``update`` of
``esports_assets/games/rps/experts/protocol.py``; a predictor alone plays through ``BestResponse``.
"""

import argparse
import random
import statistics
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esports_assets.games.rps.experts.player import MixturePlayer
from esports_assets.games.rps.experts.protocol import Player
from esports_assets.games.rps.experts.simple import BestResponse, LongestMatch, Markov, Uniform

ROUNDS = 1000
GAME = f"repeated_game(stage_game=matrix_rps(),num_repetitions={ROUNDS})"
PLAYERS: dict[str, Callable[[], Player]] = {
    "uniform": lambda: BestResponse(Uniform()),
    "frequency": lambda: BestResponse(Markov(0)),
    "markov_1": lambda: BestResponse(Markov(1)),
    "longest_match": lambda: BestResponse(LongestMatch()),
    "mixture": MixturePlayer,
}
MEAN_BAR, WORST_BAR = 265.0, -40.0


@dataclass(frozen=True)
class Standing:
    """Returns per match of one player against every bot."""

    returns: Mapping[str, Sequence[int]]

    def mean(self, bots: Sequence[str]) -> tuple[float, float]:
        """Mean over the bots' averages and its standard error."""
        averages = [statistics.fmean(self.returns[bot]) for bot in bots]
        errors = [statistics.variance(self.returns[bot]) / len(self.returns[bot]) for bot in bots]
        return statistics.fmean(averages), sum(errors) ** 0.5 / len(bots)

    def worst(self, bots: Sequence[str]) -> tuple[str, float, float]:
        """The bot with the lowest average, the average and its standard error."""
        bot = min(bots, key=lambda name: statistics.fmean(self.returns[name]))
        played = self.returns[bot]
        return bot, statistics.fmean(played), statistics.stdev(played) / len(played) ** 0.5


def main() -> int:
    """Print the table; 1 where the mixture misses its bar, 0 also where the bots are absent."""
    try:
        import pyspiel
    except ImportError:
        print("open_spiel is not installed in this environment (pip install open_spiel): nothing was measured.")
        return 0
    args = _arguments()
    names = sorted(pyspiel.roshambo_bot_names())
    halves = {"tuned": names[0::2], "unseen": names[1::2]}
    bots = halves.get(args.half, names)
    shown = {half: kept for half, kept in {"all": names, **halves}.items() if set(kept) <= set(bots)}
    print(
        f"{len(bots)} bots, {args.matches} matches of {ROUNDS} rounds each; return per {ROUNDS} rounds, +- standard error"
    )
    print(f"{'player':16s}{'bots':>8s}{'mean':>18s}{'worst':>34s}{'us per round':>14s}")
    missed = False
    for name in args.players.split(","):
        start = time.process_time()
        standing = measure(pyspiel, PLAYERS[name], bots, args.matches, args.seed)
        cost = (time.process_time() - start) / (len(bots) * args.matches * ROUNDS) * 1e6
        for half, kept in shown.items():
            mean, error = standing.mean(kept)
            bot, worst, spread = standing.worst(kept)
            last = f"{bot} {worst:.0f} +- {spread:.0f}"
            print(f"{name:16s}{half:>8s}{f'{mean:.1f} +- {error:.1f}':>18s}{last:>34s}{cost:14.0f}", flush=True)
            missed |= name == "mixture" and half == "all" and (mean < MEAN_BAR or worst < WORST_BAR)
        if args.bots:
            _print_bots(standing)
    return int(missed)


def measure(spiel: Any, make: Callable[[], Player], bots: Sequence[str], matches: int, seed: int) -> Standing:
    """Every match with a new player and a new bot."""
    game = spiel.load_game(GAME)
    returns = {
        bot: [play_match(game, spiel.make_roshambo_bot(1, bot), make(), _rng(seed, bot, n)) for n in range(matches)]
        for bot in bots
    }
    return Standing(returns)


def play_match(game: Any, bot: Any, player: Player, rng: random.Random) -> int:
    """One match; the player's wins less its losses."""
    state = game.new_initial_state()
    gained = 0
    while not state.is_terminal():
        theirs = bot.step(state)
        own = player.play(rng)
        state.apply_actions([own, theirs])
        player.update(own, theirs)
        gained += (0, 1, -1)[(own - theirs) % 3]
    return gained


def _rng(seed: int, bot: str, match: int) -> random.Random:
    return random.Random(zlib.crc32(f"{seed}:{bot}:{match}".encode()))


def _print_bots(standing: Standing) -> None:
    averages = {bot: statistics.fmean(played) for bot, played in standing.returns.items()}
    for bot in sorted(averages, key=averages.__getitem__):
        print(f"    {bot:20s}{averages[bot]:8.1f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matches", type=int, default=10, help="per bot, two or more")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--players", default=",".join(PLAYERS))
    parser.add_argument("--half", choices=("tuned", "unseen"), help="only these bots")
    parser.add_argument("--bots", action="store_true", help="print every bot's average")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
