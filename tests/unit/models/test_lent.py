"""What another title lends: the mixture adds up, keeps signs, exports exactly, and changes who a candidate is."""

import numpy as np
import pyarrow as pa
import pytest
from unit.models.made import SPEC, rows

from esports_assets.models.export import to_onnx, verify
from esports_assets.models.families.lent import Lent
from esports_assets.models.families.linear import MultinomialLogistic
from esports_assets.models.families.trees import Trees, XGBoost
from esports_assets.models.rows import Rows
from esports_assets.models.tasks import ROUND_WIN
from esports_assets.models.train import TrainSettings, learn
from esports_assets.stages.prior import learn_prior, load_prior, shared_features, snapshot_rows
from esports_assets.storage.lake import Lake
from esports_assets.windows.registry import window_spec

SHARE = 0.35


@pytest.fixture(scope="module")
def taught() -> Rows:
    return rows()


@pytest.fixture(scope="module")
def lender() -> Trees:
    return XGBoost(inputs=("ct_alive", "t_alive"), max_rounds=25).fit(rows(seed=9), seed=1)


@pytest.fixture(scope="module")
def family(lender: Trees) -> Lent:
    return Lent(MultinomialLogistic(), lender, SHARE)


def test_log_odds_are_mixed_by_the_share(family: Lent, taught: Rows, lender: Trees) -> None:
    own = MultinomialLogistic().fit(taught, seed=1)
    mixed = family.fit(taught, seed=1).margins(taught.x)
    assert mixed == pytest.approx((1 - SHARE) * own.margins(taught.x) + SHARE * lender.margins(taught.x))


def test_contributions_sum_to_the_mixture(family: Lent, taught: Rows) -> None:
    model = family.fit(taught, seed=1)
    assert model.contributions(taught.x).sum(axis=1) == pytest.approx(model.margins(taught.x)[:, 0], abs=1e-4)


def test_declared_signs_hold(family: Lent, taught: Rows) -> None:
    model = family.fit(taught, seed=1)
    for i, feature in enumerate(SPEC.features):
        if feature.monotone:
            more = taught.x.copy()
            more[:, i] += 1
            change = feature.monotone * (model.margins(more) - model.margins(taught.x))
            assert change.min() >= -1e-6, feature.name


def test_the_graph_says_what_the_mixture_says(family: Lent, taught: Rows) -> None:
    learned, _, _ = learn(family, taught, TrainSettings(folds=3, replicates=4))
    graph = to_onnx(family, learned, taught.classes, "ct")
    assert verify(graph, learned, taught.x, positive_first=True) < 1e-5


def snapshots(matches: int = 6, rounds: int = 12) -> pa.Table:
    """Made-up snapshots: 175 s and 60 s of each round; the first carries the winner of the round before."""
    rng = np.random.default_rng(1)
    columns: dict[str, list[object]] = {
        name: [] for name in ("match", "segment", "label", "map", "time_left", "bomb_planted")
    }
    numbers = ("players_alive", "health", "armor", "helmets", "weapon_ak47", "weapon_awp", "grenade_flashbang")
    columns |= {f"{side}_{name}": [] for side in ("ct", "t") for name in numbers}
    columns["ct_defuse_kits"] = []
    for match in range(matches):
        before = 1
        for number in range(rounds):
            alive = {"ct": int(rng.integers(1, 6)), "t": int(rng.integers(1, 6))}
            won = int(alive["ct"] + rng.normal() > alive["t"])
            for time_left, label in ((175.0, before), (60.0, won)):
                first = (match, match * rounds + number, label, "de_a", time_left, False)
                for name, value in zip(columns, first, strict=False):
                    columns[name].append(value)
                columns["ct_defuse_kits"].append(1)
                for side in ("ct", "t"):
                    n = alive[side] if time_left < 170 else 5
                    for name, value in zip(numbers, (n, 100 * n, 100 * n, n, n, 0, 2 * n), strict=True):
                        columns[f"{side}_{name}"].append(value)
            before = won
    return pa.table(columns)


def test_snapshots_become_live_rows_with_their_own_outcome() -> None:
    table = snapshots()
    made = snapshot_rows(ROUND_WIN, table)
    assert len(made) == 6 * 12, "the snapshots of freeze time are left out"
    names = window_spec(ROUND_WIN.window).feature_names
    known = {name for i, name in enumerate(names) if not np.isnan(made.x[:, i]).all()}
    assert known == set(shared_features())
    column = {name: made.x[:, i] for i, name in enumerate(names)}
    assert column["t_carried_value"] == pytest.approx(column["t_alive"] * (2700 + 650 + 350 + 500))
    assert column["ct_carried_value"] == pytest.approx(column["ct_alive"] * (2700 + 650 + 350 + 500) + 400)
    own = table.filter(pa.compute.equal(table["time_left"], 60.0))["label"].to_numpy()
    assert made.y.tolist() == own.tolist()


def test_a_prior_is_learned_once_and_read_back(tmp_path: object) -> None:
    lake = Lake(str(tmp_path))
    assert load_prior(lake, ROUND_WIN) is None
    first = learn_prior(lake, ROUND_WIN, snapshots())
    again = load_prior(lake, ROUND_WIN)
    assert again is not None
    assert again.version == first.version
    x = snapshot_rows(ROUND_WIN, snapshots()).x
    assert (again.trees.margins(x) == first.trees.margins(x)).all()
    ahead = first.trees.margins(x)[:, 0][x[:, 0] > x[:, 1]]
    behind = first.trees.margins(x)[:, 0][x[:, 0] < x[:, 1]]
    assert ahead.mean() > behind.mean()
