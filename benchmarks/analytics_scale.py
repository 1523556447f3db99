"""What the analyses cost at a million rounds: time and peak memory, at three sizes.

    python benchmarks/analytics_scale.py [--part association] [--rows 250000 500000 1000000]

Every size runs in a process of its own, so that the peak is its own (``ru_maxrss``, interpreter and libraries with it). Time is
told by the clock and of the processor, from the data in memory to the results. Matches have 22 rounds.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

ROUNDS = 22
FEATURES = 30


def association(rows: int) -> str:
    """All measures of 30 features (half of them counts) with one outcome of two values and one real one, as one family."""
    from esports_assets.analytics.association import Plan, associate
    from esports_assets.analytics.association_matches import Matches
    from esports_assets.analytics.association_rows import Layout, RoundRows

    random = np.random.default_rng(1)
    match = np.repeat(np.arange(-(-rows // ROUNDS)), ROUNDS)[:rows]
    columns = {}
    for j in range(FEATURES):
        value = random.standard_normal(rows) + 0.5 * random.standard_normal(match[-1] + 1)[match]
        columns[f"f{j:02d}"] = np.floor(np.exp(value)) if j % 2 else value
    latent = 0.2 * columns["f00"] + 0.1 * columns["f01"] + 0.5 * random.standard_normal(match[-1] + 1)[match]
    outcomes = {
        "round_win": (latent + random.standard_normal(rows) > 0.0).astype(np.float64),
        "econ_delta": np.round(20.0 * (latent + random.standard_normal(rows))) * 50.0,
    }
    data = RoundRows(Layout.DIFFERENCE, columns, outcomes, Matches.of(match))
    return _timed(lambda: _discoveries(associate([data], Plan(tuple(columns), tuple(outcomes)))))


def causal(rows: int) -> str:
    """One doubly robust effect on everybody of a treatment with 30 covariates, rows clustered in matches, with all diagnostics."""
    from esports_assets.analytics.causal import causal_effect
    from esports_assets.analytics.study import Study

    random = np.random.default_rng(1)
    match = np.repeat(np.arange(-(-rows // ROUNDS)), ROUNDS)[:rows]
    x = random.standard_normal((rows, FEATURES)) + 0.5 * random.standard_normal((match[-1] + 1, FEATURES))[match]
    leaning = 0.5 * x[:, 0] + 0.3 * np.abs(x[:, 1]) - 0.3
    treated = (random.random(rows) < 1 / (1 + np.exp(-leaning))).astype(np.float64)
    latent = (
        0.2 * treated + 0.5 * leaning + 0.2 * x[:, 2] * x[:, 3] + 0.5 * random.standard_normal(match[-1] + 1)[match]
    )
    outcome = latent + random.standard_normal(rows)
    study = Study(treated, outcome, x, tuple(f"f{j:02d}" for j in range(FEATURES)), match, True)

    def told() -> str:
        found = causal_effect(study)
        return (
            f"effect {found.estimate:.4f} [{found.interval[0]:.4f}, {found.interval[1]:.4f}], true 0.2, {found.verdict}"
        )

    return _timed(told)


def _discoveries(found: list) -> str:
    return f"{len(found)} tests, {sum(one.significant for one in found)} discoveries"


def _timed(work: Callable[[], str]) -> str:
    clock, processor = time.perf_counter(), time.process_time()
    told = work()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{clock:6.1f} s, {processor:6.1f} s of the processor, peak {peak:4.2f} GB ({told})"


PARTS: dict[str, Callable[[int], str]] = {"association": association, "causal": causal}


def main() -> int:
    """Print a line for every part and size."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--part", choices=sorted(PARTS), action="append")
    asked.add_argument("--rows", type=int, nargs="+", default=[250_000, 500_000, 1_000_000])
    asked.add_argument("--here", action="store_true", help="run in this process, and say the figures alone")
    given = asked.parse_args()
    for part in given.part or sorted(PARTS):
        for rows in given.rows:
            if given.here:
                print(PARTS[part](rows))
                continue
            again = [sys.executable, __file__, "--part", part, "--rows", str(rows), "--here"]
            done = subprocess.run(again, capture_output=True, text=True, check=True)
            print(f"{part:12s}{rows:10,d} rows: {done.stdout.strip()}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
