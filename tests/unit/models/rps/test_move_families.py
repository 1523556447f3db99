"""Families of the next move: their graphs, real early stopping with the best kept, and going on from an earlier model."""

from typing import Any

import numpy as np
import pytest
from made_moves import HABIT, people

from esports_assets.models.multiclass.export import classes_to_onnx, verify_classes
from esports_assets.models.multiclass.learning import ClassLearned, Fitting
from esports_assets.models.rows import Rows
from esports_assets.models.rps.boosted import Boosted
from esports_assets.models.rps.experts import Experts
from esports_assets.models.rps.network import Network
from esports_assets.models.rps.protocol import aside, cross_entropy
from esports_assets.models.rps.softmax import Softmax
from esports_assets.models.rps.turned import Turned
from esports_assets.windows.next_move import NEXT_MOVE
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS

SMALL = Network(hidden=(16,), learning_rate=0.01, max_epochs=40, patience=8, input_dropout=0.3)
TREES = Boosted(max_rounds=60, eta=0.3, patience=5)
FAMILIES = {
    "xgboost": (TREES, NEXT_MOVE),
    "multinomial_logistic": (Softmax(), NEXT_MOVE),
    "feedforward_nn": (SMALL, NEXT_MOVE),
    "experts": (Turned(Experts(), "experts"), NEXT_MOVE_SIGNS),
    "experts_trees": (Turned(TREES, "experts"), NEXT_MOVE_SIGNS),
}


@pytest.fixture(scope="module")
def rows() -> dict[str, Rows]:
    return dict(people().by_window)


@pytest.mark.parametrize("name", FAMILIES)
def test_graph_bytes_and_habit(name: str, rows: dict[str, Rows]) -> None:
    family, spec = FAMILIES[name]
    own = rows[spec.name]
    model: Any = family.fit(own, 3)
    learned = ClassLearned(model, Fitting.of(model.margins(own.x).astype(np.float32), own.y))
    graph = classes_to_onnx(family, learned, len(own.features), 3)
    assert verify_classes(graph, learned, own.x) < 1e-5
    again = family.loaded(family.dumped(model), own)
    assert np.allclose(again.margins(own.x), model.margins(own.x), atol=1e-5)
    judge = own.take(aside(own, 3))
    right = (model.margins(judge.x).argmax(axis=1) == judge.y).mean()
    assert HABIT - 0.12 < right < HABIT + 0.12


def test_the_best_epoch_is_kept(rows: dict[str, Rows]) -> None:
    """Labels of chance: learning only harms, so an early epoch must be what is kept, and its loss what it says."""
    own = rows[NEXT_MOVE.name]
    blind = own.take(np.arange(len(own)))
    blind.y[:] = np.random.default_rng(0).integers(0, 3, len(own))
    model = Network(hidden=(64,), max_epochs=40, patience=6).fit(blind, 0)
    judge = blind.take(aside(blind, 0))
    assert model.params["epochs"] == model.params["best_epoch"] + 6 < 40
    assert cross_entropy(model.margins(judge.x), judge.y) == pytest.approx(model.params["log_loss_aside"], abs=1e-9)


def test_trees_stop_and_go_on(rows: dict[str, Rows]) -> None:
    own = rows[NEXT_MOVE.name]
    first = TREES.fit(own, 1)
    kept = first.params["rounds"]
    assert first.booster.num_boosted_rounds() == kept < TREES.max_rounds
    judge = own.take(aside(own, 1))
    loss = cross_entropy(first.margins(judge.x), judge.y)
    further = TREES.fit(own, 1, first)
    assert further.params["continued_from"] == kept
    assert further.booster.num_boosted_rounds() >= kept
    assert cross_entropy(further.margins(judge.x), judge.y) <= loss + 1e-6
    before = first.booster.get_dump()
    assert further.booster.get_dump()[: len(before)] == before


def test_a_full_booster_begins_anew(rows: dict[str, Rows]) -> None:
    own = rows[NEXT_MOVE.name]
    few = Boosted(max_rounds=3, eta=0.3)
    again = few.fit(own, 1, few.fit(own, 1))
    assert again.params["continued_from"] == 0
    assert again.booster.num_boosted_rounds() == 3


def test_a_network_goes_on_from_its_weights(rows: dict[str, Rows]) -> None:
    own = rows[NEXT_MOVE.name]
    first = SMALL.fit(own, 1)
    judge = own.take(aside(own, 1))
    further = SMALL.fit(own, 1, first)
    assert further.params["continued"]
    assert not first.params["continued"]
    assert np.array_equal(further.mean, first.mean)
    assert cross_entropy(further.margins(judge.x), judge.y) <= cross_entropy(first.margins(judge.x), judge.y) + 1e-12
    assert not Network(hidden=(9,), max_epochs=1).fit(own, 1, first).params["continued"]


def test_earlier_weights_do_not_change_a_convex_minimum(rows: dict[str, Rows]) -> None:
    own = rows[NEXT_MOVE.name]
    fresh = Softmax(l2=5.0).fit(own, 1)
    further = Softmax(l2=5.0).fit(own, 1, Softmax(l2=50.0).fit(own, 1))
    assert further.params["continued"]
    p, q = (np.exp(m.margins(own.x)) for m in (fresh, further))
    assert np.abs(p / p.sum(1, keepdims=True) - q / q.sum(1, keepdims=True)).max() < 2e-3


def test_margins_of_steps_turn_with_the_last_move(rows: dict[str, Rows]) -> None:
    own = rows[NEXT_MOVE_SIGNS.name]
    model = Turned(Experts(), "experts").fit(own, 1)
    x = np.repeat(own.x[5:6], 3, axis=0)
    x[:, -1] = (0, 1, 2)
    told = model.margins(x)
    assert np.allclose(told[1], np.roll(told[0], 1))
    assert np.allclose(told[2], np.roll(told[0], 2))


def test_a_game_aside_stays_aside(rows: dict[str, Rows]) -> None:
    """More games change nothing about those that there were: an earlier model never learned from what stops a later one."""
    own = rows[NEXT_MOVE.name]
    few = own.of_matches(np.arange(8))
    before, after = aside(few, 1), aside(own, 1)
    assert np.array_equal(before, after[np.isin(own.match, np.arange(8))])
    assert 0 < after.mean() < 0.5
    assert not np.array_equal(after, aside(own, 2))
    two = own.of_matches(np.arange(2))
    assert aside(two, 1).sum() in (np.sum(two.match == 0), np.sum(two.match == 1))
