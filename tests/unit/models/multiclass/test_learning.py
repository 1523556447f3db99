"""Several classes from rows to a verified graph and an honest report, on made-up players with a known law."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from unit.models.multiclass.made_players import KNOWN, days, made, table

from esports_assets.models.bundle import Decision
from esports_assets.models.export import ExportError
from esports_assets.models.multiclass.baselines import fit_class_baselines, name_baselines
from esports_assets.models.multiclass.candidate import ClassCandidate, decision_of, rule_of, train_class_candidate
from esports_assets.models.multiclass.evaluate import evaluate_classes
from esports_assets.models.multiclass.evaluation import ClassEvaluation
from esports_assets.models.multiclass.export import verify_classes
from esports_assets.models.multiclass.families import class_family
from esports_assets.models.multiclass.learning import ClassOutOfFold, Fitting, cross_fitted, sampled
from esports_assets.models.multiclass.plots import class_report_pngs
from esports_assets.models.multiclass.rows import label_ago, player_rows, thin_players
from esports_assets.models.rows import Rows, TooLittleData
from esports_assets.models.tasks import INTENT
from esports_assets.models.train import TrainSettings
from esports_assets.windows.labels import HORIZON_S
from esports_assets.windows.micro.spec import PLAYER_MICRO

SETTINGS = TrainSettings(folds=3, every_s=1)


@pytest.fixture(scope="module", params=INTENT.families)
def candidate(request: pytest.FixtureRequest) -> ClassCandidate:
    return train_class_candidate(INTENT, request.param, made(), SETTINGS)


@pytest.fixture(scope="module")
def logistic() -> ClassCandidate:
    return train_class_candidate(INTENT, "multinomial_logistic", made(), SETTINGS)


@pytest.fixture(scope="module")
def judged(logistic: ClassCandidate) -> tuple[ClassEvaluation, pa.Table]:
    family = class_family(INTENT, "multinomial_logistic")
    return evaluate_classes(INTENT, family, made(), PLAYER_MICRO, SETTINGS, logistic.oof)


def test_rows_hold_each_match_once_in_order_and_know_their_place() -> None:
    tables = [table(m) for m in range(3)]
    forward, backward = (player_rows(order, INTENT, PLAYER_MICRO, days(3)) for order in (tables, tables[::-1]))
    assert forward.match_ids == backward.match_ids == ("m0", "m1", "m2")
    np.testing.assert_array_equal(forward.x, backward.x)
    first = forward.keys["seq"].to_numpy()[forward.match == 1]
    assert first.tolist() == list(range(tables[1].num_rows))
    assert [forward.classes[k] for k in forward.y[:50]] == tables[0]["intent"].to_pylist()[:50]


def test_rows_without_a_label_are_left_out_and_keep_the_numbers_of_the_others() -> None:
    whole = table(0)
    mask = np.arange(whole.num_rows) % 3 == 0
    column = pa.array(whole["intent"].to_pylist(), mask=mask)
    holes = whole.set_column(whole.column_names.index("intent"), "intent", column)
    rows = player_rows([holes], INTENT, PLAYER_MICRO, days(1))
    assert rows.keys["seq"].to_pylist() == np.flatnonzero(~mask).tolist()


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(TooLittleData, match="positions of players are needed"):
        player_rows([table(0).slice(0, 0)], INTENT, PLAYER_MICRO, days(1))


def test_thinning_keeps_every_player_of_every_match_alike() -> None:
    rows = made()
    thin = thin_players(rows, 4.0)
    assert len(thin) == pytest.approx(len(rows) / 8, rel=0.05)
    counts = np.bincount(thin.match)
    assert counts.max() - counts.min() <= 0.15 * counts.mean()
    for player in ("p0", "p3"):
        times = np.array(_times(thin, player))
        assert len(times) > 3
        assert set(np.diff(times).tolist()) == {4.0}
    chosen = sampled(rows, SETTINGS)
    np.testing.assert_array_equal(rows.x[chosen], thin_players(rows, 3.0).x)


def _times(rows: Rows, player: str) -> list[float]:
    keys = rows.take(rows.match == 0).keys.to_pylist()
    return [row["t_s"] for row in keys if row["player"] == player and row["segment"] == 2]


def test_the_label_of_a_while_ago_is_of_the_same_player_in_the_same_round() -> None:
    rows = made()
    said = label_ago(rows, HORIZON_S)
    places = {
        (m, row["segment"], row["player"], row["t_s"]): i
        for i, (m, row) in enumerate(zip(rows.match.tolist(), rows.keys.to_pylist(), strict=True))
    }
    for (match, segment, player, t), i in places.items():
        before = places.get((match, segment, player, t - HORIZON_S))
        assert said[i] == (-1 if before is None else rows.y[before])
    shuffled = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_array_equal(label_ago(rows.take(shuffled), HORIZON_S), said[shuffled])


def test_baselines_name_what_they_promise() -> None:
    rows = made()
    said = name_baselines(fit_class_baselines(INTENT, rows), rows)
    majority = int(np.bincount(rows.y).argmax())
    assert (said["majority"] == majority).all()
    before = label_ago(rows, HORIZON_S)
    np.testing.assert_array_equal(said["persistence"], np.where(before < 0, majority, before))
    distance, approach = (
        rows.x[:, rows.columns((name,))[0]] for name in ("dist_to_objective_min", "approach_velocity")
    )
    advances = ~np.isnan(distance) & (approach > 0.02)
    assert advances.any()
    assert (said["heuristics"][advances] == INTENT.classes.index("advance")).all()


def test_the_graph_says_what_the_trainer_says(candidate: ClassCandidate) -> None:
    assert candidate.graph_error < 1e-5
    nothing = np.full((3, len(PLAYER_MICRO.features)), np.nan, dtype=np.float32)
    assert verify_classes(candidate.graph, candidate.learned, nothing) < 1e-5


def test_another_graph_is_refused(candidate: ClassCandidate, logistic: ClassCandidate) -> None:
    if candidate.graph == logistic.graph:
        pytest.skip("the same model")
    with pytest.raises(ExportError, match="differs from the trained model"):
        verify_classes(logistic.graph, candidate.learned, made().x)


def test_out_of_fold_margins_survive_their_table(logistic: ClassCandidate) -> None:
    back = ClassOutOfFold.from_table(logistic.oof.to_table())
    np.testing.assert_array_equal(back.z, logistic.oof.z)
    np.testing.assert_array_equal(back.fold, logistic.oof.fold)


def test_no_row_is_scaled_by_its_own_fold(logistic: ClassCandidate) -> None:
    rows = made()
    fittings = cross_fitted(rows, logistic.oof, SETTINGS)
    broken = logistic.oof.z.copy()
    broken[logistic.oof.fold == 1] = 0.0
    again = cross_fitted(rows, ClassOutOfFold(broken, logistic.oof.fold), SETTINGS)
    assert again[1] == fittings[1]
    assert again[0] != fittings[0]
    for mask in logistic.oof.folds:
        assert not set(rows.match[mask].tolist()) & set(rows.match[~mask].tolist())


def test_the_report_is_honest_about_a_learnable_law(judged: tuple[ClassEvaluation, pa.Table]) -> None:
    evaluation, _ = judged
    assert [step.name for step in evaluation.steps] == ["chronological", "production", "cross_validation"]
    step = evaluation.cross_validation
    assert step.n_rows == len(made())
    for metric in step.metrics.values():
        assert metric.lo is not None
        assert metric.hi is not None
        assert metric.lo <= metric.value <= metric.hi
    assert step.metrics["accuracy"].value > 0.9
    assert step.metrics["ece"].value < 0.03
    assert set(step.baselines) == {"majority", "persistence", "heuristics"}
    assert step.best_baseline == "persistence"
    assert step.baselines["persistence"].gain["macro_f1"].lo > 0.05  # type: ignore[operator]
    named = {name for name, found in evaluation.per_class.items() if found.rows}
    assert named == set(KNOWN)
    assert sum(map(sum, evaluation.confusion)) == len(made())
    assert evaluation.told["accuracy"] >= step.metrics["accuracy"].value
    assert ClassEvaluation.from_json(evaluation.to_json()) == evaluation


def test_labels_that_mean_nothing_gain_nothing() -> None:
    rows = made()
    rng = np.random.default_rng(0)
    noise = replace(rows, y=rng.choice([0, 2], len(rows), p=[0.6, 0.4]))
    found = train_class_candidate(INTENT, "multinomial_logistic", noise, SETTINGS)
    family = class_family(INTENT, "multinomial_logistic")
    evaluation, _ = evaluate_classes(INTENT, family, noise, PLAYER_MICRO, SETTINGS, found.oof)
    assert evaluation.cross_validation.metrics["ece"].value < 0.05
    gain = evaluation.cross_validation.baselines["persistence"].gain["macro_f1"]
    assert abs(gain.value) < 0.02


def test_predictions_are_the_rows_with_probabilities_and_names(judged: tuple[ClassEvaluation, pa.Table]) -> None:
    _, predictions = judged
    p = np.column_stack([predictions[f"p_{name}"].to_numpy() for name in INTENT.classes])
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-5)
    assert predictions.num_rows == len(made())
    assert set(predictions["named"].to_pylist()) <= set(INTENT.classes)


def test_pictures_are_png(judged: tuple[ClassEvaluation, pa.Table]) -> None:
    pictures = class_report_pngs(judged[0])
    assert set(pictures) == {"confusion", "reliability", "per_class", "risk_coverage"}
    assert all(png.startswith(b"\x89PNG") and len(png) > 3000 for png in pictures.values())


def test_the_contract_tells_the_rule(logistic: ClassCandidate) -> None:
    rule = logistic.learned.fitting.rule
    told = decision_of(INTENT, rule)
    assert isinstance(told, Decision)
    assert rule_of(INTENT.classes, told) == rule
    assert rule == Fitting.of(logistic.oof.z[sampled(made(), SETTINGS)], made().y[sampled(made(), SETTINGS)]).rule
