"""Calibration, intervals, evaluation and candidate on made-up rounds with a known law."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import tiny_bundle as tiny
from unit.models.made import SPEC, TASK, days, rows, tables

from esports_assets.models.baselines import score_baselines
from esports_assets.models.bundle import Feature, Interval, Model
from esports_assets.models.calibrate import Calibration, fit_calibration
from esports_assets.models.candidate import Candidate, train_candidate
from esports_assets.models.evaluate import evaluate
from esports_assets.models.evaluation import Evaluation
from esports_assets.models.explain import NotAdditive, contributions
from esports_assets.models.export import ExportError, verify
from esports_assets.models.families.base import sigmoid
from esports_assets.models.families.registry import family_of
from esports_assets.models.interval import LEVEL, band, covered, measure_widening
from esports_assets.models.plots import report_pngs
from esports_assets.models.rows import Rows, TooLittleData, rows_of
from esports_assets.models.train import OutOfFold, TrainSettings, bootstrap, thin

SETTINGS = TrainSettings(folds=4, replicates=5, every_s=1)
FAMILY = "multinomial_logistic"


@pytest.fixture(scope="module")
def data() -> Rows:
    return rows()


@pytest.fixture(scope="module")
def candidate(data: Rows) -> Candidate:
    return train_candidate(TASK, FAMILY, data, SPEC, SETTINGS)


@pytest.fixture(scope="module")
def judged(candidate: Candidate) -> tuple[Evaluation, pa.Table]:
    return evaluate(TASK, family_of(FAMILY), candidate.rows, SPEC, settings=SETTINGS, oof=candidate.oof)


def test_overconfident_log_odds_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1.5, 20_000)
    y = (rng.random(20_000) < sigmoid(z)).astype(int)
    folds = [np.arange(20_000) % 4 == k for k in range(4)]
    found = fit_calibration(3 * z + 1, y, folds)
    assert found.kind == "platt"
    assert found(3 * z + 1) == pytest.approx(z, abs=0.1)
    assert fit_calibration(z, y, folds).kind == "identity"
    bent = np.where(z > 0, 3 * z, z)
    assert fit_calibration(bent, y, folds).kind == "beta"
    assert found.loss["platt"] < found.loss["identity"]


def test_maps_keep_the_order() -> None:
    z = np.linspace(-8, 8, 50)
    for calibration in (Calibration(), Calibration("platt", 0.7, 0.2), Calibration("beta", 0.5, 1.4, -0.1)):
        assert (np.diff(calibration(z)) > 0).all()


def test_bands_widen_with_the_factor_and_hold_the_centre() -> None:
    rng = np.random.default_rng(0)
    z, replicates = rng.normal(size=50), rng.normal(3, 0.5, (50, 20))
    lo1, hi1 = band(z, replicates, 1.0, Calibration())
    lo2, hi2 = band(z, replicates, 2.0, Calibration())
    assert (lo2 < lo1).all()
    assert (hi1 < hi2).all()
    assert ((lo1 < sigmoid(z)) & (sigmoid(z) < hi1)).all()


def test_widening_is_measured() -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(size=6000)
    y = (rng.random(6000) < sigmoid(z)).astype(int)
    folds = [np.arange(6000) % 4 == k for k in range(4)]
    narrow = measure_widening(y, z, z[:, None] + rng.normal(0, 0.1, (6000, 20)), Calibration(), folds)
    broad = measure_widening(y, z, z[:, None] + rng.normal(0, 1, (6000, 20)), Calibration(), folds)
    assert narrow.raw < 0.9 <= narrow.widened
    assert narrow.widen > 1
    assert abs(narrow.unseen - 0.9) < 0.06
    assert (broad.widen, broad.raw, broad.unseen, broad.reached) == (1.0, 1.0, 1.0, True)
    p = sigmoid(z)
    assert covered(y, p, p - 1, p + 1) == 1.0
    assert covered(y, p, p + 0.9, p + 1) == 0.0


def test_a_band_that_cannot_be_widened_enough_says_so() -> None:
    z = np.linspace(-3, 3, 4000)
    y = (np.random.default_rng(0).random(4000) < sigmoid(-z)).astype(
        int
    )  # wrong by far, and the replicates are sure of it
    folds = [np.arange(4000) % 4 == k for k in range(4)]
    sure = measure_widening(y, z, z[:, None] + np.linspace(-1e-3, 1e-3, 20), Calibration(), folds)
    assert (sure.widen, sure.reached) == (6.0, False)
    assert sure.unseen < 0.2


def test_thinning_keeps_the_share_and_only_seconds(data: Rows) -> None:
    third = thin(data, 3)
    assert len(third) == len(data) / 3
    assert len(np.unique(third.keys["t_s"].to_numpy())) == 15


def test_bootstrap_weighs_whole_matches(data: Rows) -> None:
    for sample in bootstrap(data, 3, seed=1):
        assert sample.weight is not None
        per_match = {m: set(sample.weight[sample.match == m].tolist()) for m in np.unique(sample.match)}
        assert all(len(weights) == 1 for weights in per_match.values())
        assert sum(weights.pop() for weights in per_match.values()) == 12


def test_every_row_is_predicted_by_a_model_of_other_matches(data: Rows, candidate: Candidate) -> None:
    for mask in candidate.oof.folds:
        assert not set(data.match[mask]) & set(data.match[~mask])
    again = OutOfFold.from_table(candidate.oof.to_table())
    assert (again.z == candidate.oof.z).all()
    assert again.replicates == pytest.approx(candidate.oof.replicates, abs=1e-6)


def test_evaluation_goes_to_json_and_back(judged: tuple[Evaluation, pa.Table], data: Rows) -> None:
    report, predictions = judged
    assert Evaluation.from_json(report.to_json()) == report
    assert (report.n_matches, report.n_rounds, report.n_rows) == (12, 144, len(data))
    assert [step.name for step in report.steps] == ["chronological", "production", "cross_validation"]
    assert (report.chronological.n_training_matches, report.chronological.n_matches) == (7, 2)
    assert (report.production.n_training_matches, report.production.n_matches) == (10, 2)
    assert predictions.num_rows == len(data)
    assert predictions["match_id"].to_pylist() == data.keys["match_id"].to_pylist()
    p, lo, hi = (predictions[name].to_numpy() for name in ("p_ct", "lo", "hi"))
    assert ((lo <= p) & (p <= hi)).mean() > 0.95
    assert sum(fold.n_rows for fold in report.folds) == len(data)
    assert {s.by for s in report.slices} == {"time_s", "planted", "map"}
    assert report.contributions[0].feature in ("ct_alive", "t_alive")


def test_the_model_beats_the_prior(judged: tuple[Evaluation, pa.Table]) -> None:
    gain = judged[0].cross_validation.baselines["prior"].gain["log_loss"]
    assert gain.lo is not None
    assert gain.lo > 0
    assert judged[0].cross_validation.metrics["log_loss"].value < np.log(2)


def test_the_graph_answers_as_the_trainer(candidate: Candidate) -> None:
    contract = tiny.contract(
        features=tuple(Feature(f.name, f.unit, f.doc, f.minimum, f.maximum, f.nullable) for f in SPEC.features),
        interval=Interval(LEVEL, "match bootstrap", len(candidate.learned.replicates)),
    )
    model = Model(contract, candidate.graph)
    x = candidate.rows.x[:20]
    p, replicates = model.predict(x)
    assert p[:, 0] == pytest.approx(candidate.learned.probability(x), abs=1e-5)
    assert replicates is not None
    lo, hi = model.bounds(replicates)
    expected = candidate.learned.bounds(x)
    assert lo == pytest.approx(expected[0], abs=1e-5)
    assert hi == pytest.approx(expected[1], abs=1e-5)


def test_stored_baselines_score_new_rows(candidate: Candidate) -> None:
    x = candidate.rows.x[:20]
    columns = {f.name: x[:, i] for i, f in enumerate(candidate.rows.features)}
    scores = score_baselines(candidate.baselines, columns, len(x))
    assert scores["prior"] == pytest.approx(np.full(20, candidate.rows.y.mean()))
    assert scores["plain_logistic"].std() > 0


def test_a_graph_that_differs_is_refused(candidate: Candidate) -> None:
    other = replace(candidate.learned, calibration=Calibration("platt", 1.0, 0.5))
    with pytest.raises(ExportError, match="the graph differs from the trained model by"):
        verify(candidate.graph, other, candidate.rows.x, positive_first=True)


def test_contributions_that_do_not_sum_are_refused(candidate: Candidate) -> None:
    class Wrong:
        features = candidate.learned.main.features
        params: dict[str, object] = {}  # noqa: RUF012

        def margins(self, x: np.ndarray) -> np.ndarray:
            return candidate.learned.main.margins(x) + 1

        def contributions(self, x: np.ndarray) -> np.ndarray:
            return candidate.learned.main.contributions(x)

    with pytest.raises(NotAdditive, match="miss the prediction by up to"):
        contributions(Wrong(), candidate.rows.x)


def test_same_data_same_bytes(candidate: Candidate, data: Rows) -> None:
    assert train_candidate(TASK, FAMILY, data, SPEC, SETTINGS).graph == candidate.graph


def test_pictures_are_png(judged: tuple[Evaluation, pa.Table]) -> None:
    pictures = report_pngs(*judged)
    assert set(pictures) == {"reliability", "loss_by_time", "contributions", "round"}
    assert all(picture.startswith(b"\x89PNG") and len(picture) > 5000 for picture in pictures.values())


def test_simulated_and_real_are_never_mixed() -> None:
    mixed = tables(4)
    at = mixed[0].column_names.index("simulated")
    mixed[0] = mixed[0].set_column(at, "simulated", pa.array([True] * mixed[0].num_rows))
    with pytest.raises(ValueError, match="simulated and real matches are mixed"):
        train_candidate(TASK, FAMILY, rows_of(mixed, TASK, SPEC, days(4)), SPEC, SETTINGS)


def test_tables_that_lack_something_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="lacks the columns noise"):
        rows_of([tables(1)[0].drop_columns(["noise"])], TASK, SPEC, days(1))
    with pytest.raises(ValueError, match="no day is known for the matches m00"):
        rows_of(tables(1), TASK, SPEC, {})
    with pytest.raises(TooLittleData, match="there is no window table"):
        rows_of([], TASK, SPEC, {})
