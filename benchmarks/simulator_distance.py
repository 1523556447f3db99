"""How far simulated CS2 matches are from real ones: quantiles, shares, rates, and a distance for each.

    python benchmarks/simulator_distance.py [--matches 60] [--seed 1] [--real 46] [--out DIR]

Real matches are found through ESPORTS_REAL_DATA or at ../shared/data; without them the script says so and ends well.
Belongs here: distances between two collections of measures, and the tables.
Does not belong here: reading matches (``simulator_measures.py``), anything that the simulator uses; its constants were set by
hand from this table.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from simulator_measures import Measures, collect

ROOT = Path(__file__).resolve().parent.parent
ADVANTAGES = ("5v5", "5v4", "4v5", "4v4", "5v3", "3v5", "4v3", "3v4", "3v3", "3v2", "2v3", "2v2", "2v1", "1v2", "1v1")
"""T players alive against CT players alive."""
WIN_RATES = {
    "by players alive": tuple(("T wins", advantage) for advantage in ADVANTAGES),
    "after a plant, by gap of players alive": tuple(
        ("T wins after plant, alive gap", gap) for gap in ("-2", "-1", "+0", "+1", "+2")
    ),
    "by gap of equipment": tuple(
        ("T wins by equipment gap k$", band) for band in ("<-12", "-12..-4", "-4..4", "4..12", ">12")
    ),
}
"""Families of rates at which T wins, as (group, key)."""
RATES = (
    ("T wins", "round"),
    ("T wins", "after plant"),
    *(case for cases in WIN_RATES.values() for case in cases),
    ("rounds with", "plant"),
    ("rounds with", "damage"),
    ("kills that are", "headshots"),
    ("kills that are", "answers within 5 s"),
)
SHARES = ("end reason", "buy t", "buy ct", "site", "weapon")


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Earth mover's distance of two samples, in their unit."""
    q = (np.arange(400) + 0.5) / 400
    return float(np.abs(np.quantile(a, q) - np.quantile(b, q)).mean())


def kolmogorov(a: np.ndarray, b: np.ndarray) -> float:
    """Largest gap between two empirical distribution functions."""
    grid = np.concatenate([a, b])
    left = np.searchsorted(np.sort(a), grid, side="right") / len(a)
    right = np.searchsorted(np.sort(b), grid, side="right") / len(b)
    return float(np.abs(left - right).max())


def total_variation(a: Counter[str], b: Counter[str]) -> float:
    """Half the sum of absolute differences of two shares: 0 for the same distribution, 1 for nothing in common."""
    total_a, total_b = a.total() or 1, b.total() or 1
    return sum(abs(a[key] / total_a - b[key] / total_b) for key in a | b) / 2


def mean_gap(real: Measures, sim: Measures, cases: Sequence[tuple[str, str]]) -> float:
    """Mean absolute difference of rates, each weighted by the real cases behind it; NaN where none is in both."""
    pairs = [(real.rate(*case), sim.rate(*case)) for case in cases]
    both = [(n, abs(a - b)) for (a, n), (b, k) in pairs if n and k]
    return sum(n * gap for n, gap in both) / sum(n for n, _ in both) if both else float("nan")


def report(real: Measures, sim: Measures) -> None:
    """Print the tables, and the distances of whole distributions at the end."""
    print(
        f"real: {real.matches} matches, {real.rounds} rounds; simulated: {sim.matches} matches, {sim.rounds} rounds\n"
    )
    report_samples(real, sim)
    report_rates(real, sim)
    report_shares(real, sim)
    report_distances(real, sim)


def report_samples(real: Measures, sim: Measures) -> None:
    """Quantiles of both with Wasserstein and Kolmogorov distances."""
    columns = ("p05", "p25", "p50", "p75", "p95", "mean", "W1", "W1/sd", "KS")
    print(f"{'quantity':34s} " + " ".join(f"{c:>7s}" for c in columns))
    for name in sorted(set(real.samples) | set(sim.samples)):
        pair = [np.asarray(m.samples[name], float) for m in (real, sim)]
        for label, values in zip(("real", "sim"), pair, strict=True):
            if not len(values):
                continue
            cells = [*np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95)), values.mean()]
            line = f"{name if label == 'real' else '':28s} {label:5s} " + " ".join(f"{c:7.1f}" for c in cells)
            if label == "sim" and len(pair[0]):
                distance = wasserstein(*pair)
                line += f" {distance:7.2f} {distance / (pair[0].std() or 1):7.2f} {kolmogorov(*pair):7.2f}"
            print(line)


def report_rates(real: Measures, sim: Measures) -> None:
    """Rates of both with their absolute difference."""
    print(f"\n{'rate':44s} {'real':>7s} {'n':>6s} {'sim':>7s} {'n':>6s} {'|diff|':>7s}")
    for group, key in RATES:
        (a, n), (b, k) = real.rate(group, key), sim.rate(group, key)
        print(f"{group + ': ' + key:44s} {a:7.3f} {n:6d} {b:7.3f} {k:6d} {abs(a - b):7.3f}")


def report_shares(real: Measures, sim: Measures) -> None:
    """Shares of both, real|simulated, the most frequent first."""
    for name in SHARES:
        total = [max(1, sum(m.shares[name].values())) for m in (real, sim)]
        members = [w for w, _ in (real.shares[name] + sim.shares[name]).most_common(22)]
        print(
            f"\n{name}: "
            + "  ".join(
                f"{w} {real.shares[name][w] / total[0]:.3f}|{sim.shares[name][w] / total[1]:.3f}" for w in members
            )
        )


def report_distances(real: Measures, sim: Measures) -> None:
    """One number per distribution of shares, and per family of win rates."""
    print("\ntotal variation distance of shares (0 the same, 1 nothing in common)")
    for name in SHARES:
        print(f"  {name:42s} {total_variation(real.shares[name], sim.shares[name]):7.3f}")
    print("mean absolute difference of win rates, weighted by real cases")
    for name, cases in WIN_RATES.items():
        print(f"  {name:42s} {mean_gap(real, sim, cases):7.3f}")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--matches", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=int, default=46, help="how many real matches to read at most")
    parser.add_argument("--out", type=Path, help="keep the simulated files here")
    options = parser.parse_args()
    data = Path(os.environ.get("ESPORTS_REAL_DATA", ROOT.parent / "shared" / "data")) / "cs2_demos"
    files = sorted(data.glob("pro/*.zip")) + sorted(data.glob("amateur/*.json.xz"))
    if not files:
        print(f"No real matches under {data}: set ESPORTS_REAL_DATA to compare. Nothing was measured.")
        return 0
    sys.path.insert(0, str(ROOT))
    from esports_assets.simulate.write import simulate_matches

    real = collect(files[: options.real])
    with tempfile.TemporaryDirectory() as scratch:
        sim = collect(simulate_matches(options.out or Path(scratch), options.matches, options.seed))
    report(real, sim)
    return 0


if __name__ == "__main__":
    sys.exit(main())
