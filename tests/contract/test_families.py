"""What every family owes: one suite, inherited by adding the family to the registry."""

from dataclasses import replace

import numpy as np
import pytest
from unit.models.made import SPEC, rows

from esports_assets.models.export import to_onnx, verify
from esports_assets.models.families.base import Family, probabilities
from esports_assets.models.families.registry import FAMILIES, family_of
from esports_assets.models.rows import Rows, TooLittleData
from esports_assets.models.train import Learned, TrainSettings, fit_with_replicates, learn

FAMILY = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


@pytest.fixture(scope="module")
def taught() -> Rows:
    return rows()


@FAMILY
def test_probabilities_sum_to_one(family: Family, taught: Rows) -> None:
    p = probabilities(family.fit(taught, seed=1).margins(taught.x))
    assert p.shape == (len(taught), 2)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(taught)))
    assert ((p >= 0) & (p <= 1)).all()


@FAMILY
def test_learns_the_law(family: Family, taught: Rows) -> None:
    model = family.fit(taught, seed=1)
    ahead, behind = np.array([[5, 2, 0, 0.5, 0]], dtype=np.float32), np.array([[2, 5, 0, 0.5, 0]], dtype=np.float32)
    assert probabilities(model.margins(ahead))[0, 0] > 0.65
    assert probabilities(model.margins(behind))[0, 0] < 0.35


@FAMILY
def test_same_seed_same_model(family: Family, taught: Rows) -> None:
    first, second = family.fit(taught, seed=4).margins(taught.x), family.fit(taught, seed=4).margins(taught.x)
    assert (first == second).all()


@FAMILY
def test_keeps_the_declared_signs(family: Family, taught: Rows) -> None:
    model = family.fit(taught, seed=1)
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.uniform(0, 4, 500), rng.uniform(0, 4, 500), rng.integers(0, 2, 500), rng.random(500)])
    x = np.column_stack([x, rng.normal(size=500)]).astype(np.float32)
    for i, feature in enumerate(SPEC.features):
        if feature.monotone:
            more = x.copy()
            more[:, i] += 1
            change = feature.monotone * (model.margins(more) - model.margins(x))
            assert change.min() >= -1e-6, feature.name


@FAMILY
def test_contributions_add_up(family: Family, taught: Rows) -> None:
    model = family.fit(taught, seed=1)
    parts = model.contributions(taught.x)
    assert parts.shape == (len(taught), len(SPEC.features) + 1)
    assert parts.sum(axis=1) == pytest.approx(model.margins(taught.x)[:, 0], abs=1e-4)


@FAMILY
def test_graph_equals_trainer_with_missing_values(family: Family, taught: Rows) -> None:
    learned, _, _ = learn(family, taught, TrainSettings(folds=3, replicates=4, every_s=1))
    assert np.isnan(taught.x).any()
    for classes in (("ct", "t"), ("t", "ct")):
        graph = to_onnx(family, learned, classes, "ct")
        assert verify(graph, learned, taught.x, classes[0] == "ct") <= 1e-5


@FAMILY
def test_replicates_differ_from_each_other(family: Family, taught: Rows) -> None:
    _, copies = fit_with_replicates(family, taught, count=3, seed=1)
    said = np.column_stack([copy.margins(taught.x)[:, 0] for copy in copies])
    assert (said.std(axis=1) > 0).mean() > 0.9


@FAMILY
def test_inputs_are_found_by_name(family: Family, taught: Rows) -> None:
    order = [3, 0, 4, 1, 2]
    features = tuple(SPEC.features[i] for i in order)
    turned = replace(taught, features=features, x=np.ascontiguousarray(taught.x[:, order]))
    limited = replace(family, inputs=("t_alive", "ct_alive"))  # type: ignore[type-var]
    one, other = limited.fit(taught, seed=1), limited.fit(turned, seed=1)
    assert other.margins(turned.x) == pytest.approx(one.margins(taught.x), abs=1e-5)
    assert one.params["inputs"]
    changed = taught.x.copy()
    changed[:, 4] += 100
    assert (one.margins(changed) == one.margins(taught.x)).all()


@FAMILY
def test_too_little_data_is_a_sentence(family: Family, taught: Rows) -> None:
    won = taught.take(taught.y == 1)
    with pytest.raises(TooLittleData, match="no row of the 12 matches has the outcome t: nothing can be learned"):
        family.fit(won, seed=1)
    with pytest.raises(TooLittleData, match="a model needs 2 or more matches to learn from, there are 1"):
        family.fit(taught.of_matches(np.array([0])), seed=1)


@FAMILY
def test_learns_three_classes(family: Family, taught: Rows) -> None:
    lead = taught.x[:, 0] - taught.x[:, 1]
    three = replace(taught, classes=("behind", "even", "ahead"), y=(np.sign(lead) + 1).astype(np.int64))
    p = probabilities(family.fit(three, seed=1).margins(three.x))
    assert p.shape == (len(three), 3)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(three)))
    assert (p.argmax(axis=1) == three.y).mean() > 0.8


def test_a_calibrated_model_keeps_the_main_answer_inside_its_replicates(taught: Rows) -> None:
    learned, _, _ = learn(family_of("multinomial_logistic"), taught, TrainSettings(folds=3, replicates=6, every_s=1))
    assert isinstance(learned, Learned)
    copies = learned.replicate_probabilities(taught.x)
    p = learned.probability(taught.x)
    assert ((copies.min(axis=1) <= p) & (p <= copies.max(axis=1))).all()


def test_unknown_family_is_named() -> None:
    with pytest.raises(LookupError, match="there is no family 'forest'"):
        family_of("forest")
