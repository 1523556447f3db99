"""How well people's next move is predicted: people in pairs, and people against stable bots, none of them seen before.

    python benchmarks/rps_people.py [--only v1|v2] [--folds 5] [--seed 0]

Data: ``rps_human/*.parquet`` below ESPORTS_REAL_DATA (default ``../shared/data``). A row is one person's move in a round in which
both moved; what is known are the rounds of that game before it, both players' moves. Folds keep games whole, with both people of a
pair, and nobody plays two games. Everything learned is learned on the other folds: calibration, logistic regression, boosted trees.
Intervals: 95 %, a bootstrap over games. Anchors: pooled gradient boosting, games held out, accuracy / log loss: v1 .469 / 1.036,
v2 .685 / .692; uniform: 1.0986.

Online predictors know only the game they are in: order-1 Markov, longest match, the mixture of experts. Pooled models, multinomial
logistic and XGBoost, learn from the signs of ``esports_assets/games/rps/experts/signs.py``, or from the lags alone. "turned": seen
from the person's last move. Hyper-parameters are those below, the same for both data sets; they were set once and not searched.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.rps.human import HumanGame, read_human
from esports_assets.games.rps.experts.calibration import fit_calibration
from esports_assets.games.rps.experts.pooled import INVERSE_PENALTY, PooledExperts, learn_pooled
from esports_assets.games.rps.experts.signs import LAGS, PREDICTORS, SIGNS, PersonSigns, unframed
from esports_assets.models.multiclass.metrics import measure_classes
from esports_assets.models.split import MatchInfo, grouped_folds

FILES = {"v1": "brockbank_v1_human_dyads.parquet", "v2": "brockbank_v2_human_vs_bot.parquet"}
ANCHORS = {"v1": (0.469, 1.036), "v2": (0.685, 0.692)}
XGBOOST = {
    "objective": "multi:softprob",
    "num_class": 3,
    "eta": 0.05,
    "max_depth": 4,
    "min_child_weight": 20,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "reg_lambda": 5.0,
    "tree_method": "hist",
    "nthread": 1,
    "seed": 0,
}
TREES = 200
"""Rounds of boosting."""
ALL = np.arange(len(SIGNS))
LAGS_ONLY = np.arange(6 * LAGS + 1)
"""Moves of the last rounds and how many there were."""
Learner = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class Rows:
    """Every round to predict: signs plain and turned, what online predictors expect, the move, the game, the frame."""

    plain: np.ndarray
    turned: np.ndarray
    expected: dict[str, np.ndarray]
    move: np.ndarray
    game: np.ndarray
    frame: np.ndarray


def main() -> int:
    """Print both tables; 1 where nothing reaches an anchor, 0 also where the data is absent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=FILES)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ESPORTS_REAL_DATA") or beside) / "rps_human"
    if not folder.is_dir():
        print("People's games are absent (rps_human below ESPORTS_REAL_DATA): nothing was measured.")
        return 0
    missed = False
    for name, file in FILES.items():
        if args.only in (None, name):
            rows = rows_of(read_human(SourceFile.open(folder / file)).games)
            folds = _folds(rows.game, args.folds, args.seed)
            missed |= not _print_table(name, rows, folds)
    return int(missed)


def rows_of(games: Sequence[HumanGame]) -> Rows:
    """One row per round in which both moved."""
    plain, turned, expected, move, game, frame = [], [], [], [], [], []
    for played in games:
        signs = PersonSigns()
        for person, opponent in ((own.ordinal, other.ordinal) for own, other in played.moves):
            plain.append(signs.row())
            turned.append(signs.row(signs.last))
            expected.append([signs.predictions()[name] for name in PREDICTORS])
            move.append(person)
            game.append(played.game_id)
            frame.append(signs.last)
            signs.update(opponent, person)
    told = np.array(expected)
    return Rows(
        np.array(plain),
        np.array(turned),
        {name: told[:, place] for place, name in enumerate(PREDICTORS)},
        np.array(move),
        np.unique(np.array(game), return_inverse=True)[1],
        np.array(frame),
    )


def _folds(game: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of every row; games are kept whole."""
    sizes = np.bincount(game)
    matches = [MatchInfo(str(number), "", "", int(rows)) for number, rows in enumerate(sizes)]
    fold = np.empty(len(sizes), dtype=int)
    for number, members in enumerate(grouped_folds(matches, folds, seed)):
        fold[members] = number
    return fold[game]


def _print_table(name: str, rows: Rows, fold: np.ndarray) -> bool:
    """Whether some model reaches both figures of the anchor."""
    accuracy, loss = ANCHORS[name]
    print(f"{name}: {len(rows.move)} rounds of {rows.game.max() + 1} games; anchor {accuracy} / {loss}")
    print(f"{'':38s}{'accuracy':>24s}{'log loss':>24s}{'ece':>8s}{'s':>7s}")
    reached = False
    start = time.process_time()
    for model, p in predictions(rows, fold):
        took = time.process_time() - start
        found = measure_classes(rows.move, p, p.argmax(axis=1), rows.game)
        right, lost = found["accuracy"], found["log_loss"]
        cells = [f"{m.value:.4f} [{m.lo:.4f}, {m.hi:.4f}]" for m in (right, lost)]
        print(f"{model:38s}{cells[0]:>24s}{cells[1]:>24s}{found['ece'].value:8.4f}{took:7.0f}", flush=True)
        reached |= right.value >= accuracy and lost.value <= loss
        start = time.process_time()
    return reached


def predictions(rows: Rows, fold: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Of every model its name and its probabilities, each fold's from what the other folds taught."""
    yield "uniform", np.full((len(rows.move), 3), 1 / 3)
    yield "order-1 Markov, online", rows.expected["chain_1"]
    yield "longest match, online", rows.expected["longest_match"]
    yield "mixture of experts, online", rows.expected["mixture"]
    yield "mixture of experts, calibrated", crossed(_calibrated, rows.expected["mixture"], rows.move, fold)
    steps = (rows.move - rows.frame) % 3
    yield "multinomial logistic", crossed(logistic, rows.plain, rows.move, fold)
    yield "multinomial logistic, turned (pooled)", pooled(rows, fold)
    for name, columns in (("xgboost on lags", LAGS_ONLY), ("xgboost", ALL)):
        yield name, crossed(boosted, rows.plain[:, columns], rows.move, fold)
        turned = crossed(boosted, rows.turned[:, columns], steps, fold)
        yield f"{name}, turned", unframed(turned, rows.frame)


def crossed(learn: Learner, x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Probabilities of every row from a model that learned on the other folds."""
    p = np.empty((len(y), 3))
    for number in np.unique(fold):
        held_out = fold == number
        p[held_out] = learn(x[~held_out], y[~held_out])(x[held_out])
    return p


def pooled(rows: Rows, fold: np.ndarray) -> np.ndarray:
    """The mixture for people, ``esports_assets/games/rps/experts/pooled.py``, learned on the other folds."""
    p = np.empty((len(rows.move), 3))
    for number in np.unique(fold):
        held_out = fold == number
        learned = learn_pooled(rows.turned[~held_out], rows.frame[~held_out], rows.move[~held_out])
        p[held_out] = PooledExperts(learned)(rows.turned[held_out], rows.frame[held_out])
    return p


def _calibrated(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return fit_calibration(x, y)


def logistic(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Softmax regression with an L2 penalty."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=INVERSE_PENALTY, max_iter=500))
    model.fit(x, y)
    return model.predict_proba


def boosted(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Gradient-boosted trees."""
    import xgboost

    model = xgboost.train(XGBOOST, xgboost.DMatrix(x, y), TREES)
    return lambda held_out: model.predict(xgboost.DMatrix(held_out))


if __name__ == "__main__":
    sys.exit(main())
