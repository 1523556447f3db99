"""CS:GO round snapshots: what a random split and wrong labels do to the figures.

    python benchmarks/round_snapshots.py

Data: ``csgo_round_snapshots/csgo_round_snapshots.csv.xz`` below ESPORTS_REAL_DATA (default ``../shared/data``). One table: a random
forest under a random split of rows and with matches kept whole, raw and repaired labels; boosted trees with matches kept
whole. Intervals: bootstrap over matches. Rows are in the order of play: a match begins where the map changes or the score falls.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from esports_assets.models.label_checks import find_label_carryover, repaired
from esports_assets.models.metrics import measure

FILE = Path("csgo_round_snapshots") / "csgo_round_snapshots.csv.xz"
LIVE_S = 170
"""Snapshots with more time left are taken in freeze time."""
COLUMNS = ("log_loss", "brier", "ece", "auc", "accuracy")


def main() -> int:
    """Print the table; 0 also where the data is absent."""
    root = Path(os.environ.get("ESPORTS_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not (root / FILE).is_file():
        print(f"The CS:GO round snapshots are absent ({FILE} below ESPORTS_REAL_DATA): nothing was measured.")
        return 0
    frame = pd.read_csv(root / FILE)
    match, segment, first = rounds_of(frame)
    raw = (frame["round_winner"] == "CT").to_numpy().astype(int)
    found = find_label_carryover(pa.table({"match": match, "segment": segment, "label": raw}))
    print(f"{len(frame)} snapshots, {match.max() + 1} matches. Label check: {found}.")
    fixed = repaired(raw, first)
    x = features(frame)
    live = (frame["time_left"] < LIVE_S).to_numpy()
    everything = np.ones(len(frame), dtype=bool)
    print(f"{'model, split, labels':58s}" + "".join(f"{name:>26s}" for name in COLUMNS))
    for model, split, labels, y, rows in (
        ("random forest", "random rows", "raw", raw, everything),
        ("random forest", "matches whole", "raw", raw, everything),
        ("boosted trees", "matches whole", "raw", raw, everything),
        ("boosted trees", "matches whole", "repaired", fixed, everything),
        ("boosted trees", "matches whole", "repaired, live only", fixed, live),
    ):
        start = time.perf_counter()
        held_out = fold_of(match, split == "random rows")[rows] == 0
        p = fitted(model, x[rows][~held_out], y[rows][~held_out]).predict_proba(x[rows][held_out])[:, 1]
        metrics = measure(y[rows][held_out], p, match[rows][held_out])
        cells = [f"{m.value:.3f} [{m.lo:.3f}, {m.hi:.3f}]" for m in (metrics[name] for name in COLUMNS)]
        took = f"{time.perf_counter() - start:.0f} s"
        print(
            f"{f'{model}, {split}, {labels}':58s}" + "".join(f"{cell:>26s}" for cell in cells) + f"  {took}", flush=True
        )
    return 0


def rounds_of(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Match and round of every row, rebuilt from map and score, and where rounds begin."""
    played = (frame["ct_score"] + frame["t_score"]).to_numpy()
    name = frame["map"].to_numpy()
    fresh = np.r_[True, (name[1:] != name[:-1]) | (played[1:] < played[:-1])]
    new_round = fresh | np.r_[True, played[1:] != played[:-1]]
    return np.cumsum(fresh) - 1, np.cumsum(new_round) - 1, np.flatnonzero(new_round)


def features(frame: pd.DataFrame) -> np.ndarray:
    """All columns but the label; maps as numbers."""
    table = frame.drop(columns=["round_winner"])
    table["map"] = table["map"].astype("category").cat.codes
    return table.to_numpy(dtype=np.float32)


def fold_of(match: np.ndarray, random_rows: bool) -> np.ndarray:
    """One of five parts of every row: 0 is held out."""
    rng = np.random.default_rng(7)
    if random_rows:
        return rng.integers(0, 5, len(match))
    return rng.integers(0, 5, match.max() + 1)[match]


def fitted(model: str, x: np.ndarray, y: np.ndarray):  # type: ignore[no-untyped-def]
    """A scikit-learn or XGBoost classifier with ordinary settings."""
    if model == "random forest":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(n_estimators=100, random_state=7, n_jobs=2).fit(x, y)
    from xgboost import XGBClassifier

    settings = {"n_estimators": 250, "max_depth": 6, "learning_rate": 0.06, "subsample": 0.7, "colsample_bytree": 0.7}
    return XGBClassifier(**settings, n_jobs=1, random_state=7).fit(x, y)


if __name__ == "__main__":
    sys.exit(main())
