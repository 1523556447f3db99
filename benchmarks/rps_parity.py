"""Rows of rock-paper-scissors: training, stateful and stateless serving compared value by value over many simulated games.

    python benchmarks/rps_parity.py [--rows 100000] [--seed 1] [--json]

Every pair of the eight scripted players plays in turn, with gambits every other time, until there are rows enough.
Belongs here: who plays, and the figures.
Does not belong here: the comparison (``esports_assets/windows/next_move_parity.py``).
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count, product

from esports_assets.games.rps.contract import FIRST_LABELLED_STEP
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.games.rps.record import RecordedGame
from esports_assets.games.rps.simulate import Pairing, simulate_game
from esports_assets.windows.next_move_parity import parity_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def games_with(rows: int, seed: int) -> Iterator[RecordedGame]:
    """Games of all pairs in turn until they have ``rows`` rows."""
    made = 0
    for number in count():
        for user, bot in product(OPPONENTS.values(), OPPONENTS.values()):
            game = simulate_game(Pairing(user, bot, gambits=number % 2 == 1), seed, number, START)
            made += max(0, len(game.rounds) - FIRST_LABELLED_STEP + 1)
            yield game
            if made >= rows:
                return


def main() -> int:
    """Print the figures; the exit code is 1 where a row differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="rows to compare, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    began = time.perf_counter()
    found = parity_of(games_with(asked.rows, asked.seed))
    took_s = time.perf_counter() - began
    if asked.json:
        print(json.dumps(asdict(found)))
    else:
        print(f"{found.rows_compared} rows compared in {took_s:.1f} s, {found.rows_different} different")
        if found.first_difference is not None:
            print(f"first difference: {found.first_difference}")
    return 1 if found.rows_different else 0


if __name__ == "__main__":
    sys.exit(main())
