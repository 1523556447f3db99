"""Whole effects with a known truth, refused tables, and the command."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from esports_assets.analytics.causal import Plan, causal_effect
from esports_assets.analytics.estimators import Estimand
from esports_assets.analytics.pretreatment import Order, PostTreatment, check_order, read_order
from esports_assets.analytics.study import BadStudy, Columns, Study, study_of
from esports_assets.cli import app

RUNNER = CliRunner()
QUICK = Plan(repetitions=1)


def drawn(seed: int = 0, n: int = 600, *, steep: float = 0.8, placebo_leak: float = 0.0) -> pa.Table:
    """Effect 1 on everybody, 1 + E[x1 | treated] / 2 on the treated; ``hidden`` moves treatment and outcomes alike."""
    rng = np.random.default_rng(seed)
    x1, x2, hidden = rng.normal(size=(3, n))
    t = (rng.random(n) < 1 / (1 + np.exp(-steep * x1 + 0.5 * x2 - placebo_leak * hidden))).astype(int)
    y = t * (1 + 0.5 * x1) + x1 + x2**2 + placebo_leak * hidden + rng.normal(size=n)
    before = x1 + placebo_leak * hidden + 0.5 * rng.normal(size=n)
    columns = {"t": t, "y": y, "x1": x1, "x2": x2, "before": before, "match": np.arange(n) // 3}
    return pa.table({**columns, "word": ["a"] * n, "same": np.ones(n)})


def asked(table: pa.Table, *, cluster: str | None = None, placebo: str | None = None) -> Study:
    return study_of(table, Columns("t", "y", ("x1", "x2"), cluster, placebo))


def test_an_effect_on_everybody_is_found_and_supported() -> None:
    found = causal_effect(asked(drawn(), placebo="before"))
    assert found.interval[0] < 1 < found.interval[1]
    assert abs(found.diagnostics["other_estimators"]["naive"]["estimate"] - 1) > 4 * found.se
    assert 0.07 < found.se < 0.2
    assert found.verdict == "supported"
    assert abs(found.diagnostics["balance"]["covariates"]["x1"]["after"]) < 0.1
    assert found.diagnostics["placebo_outcome"]["interval"][0] < 0 < found.diagnostics["placebo_outcome"]["interval"][1]


def test_an_effect_on_the_treated_is_another() -> None:
    table = drawn(1, 1000)
    x1, t = (np.asarray(table[name]) for name in ("x1", "t"))
    truth = 1 + 0.5 * x1[t == 1].mean()
    found = causal_effect(asked(table), Plan(estimand=Estimand.ATT, repetitions=1))
    assert truth > 1.1
    assert found.interval[0] < truth < found.interval[1]
    assert abs(found.estimate - truth) < 0.25


def test_a_hidden_cause_shows_in_the_placebo_outcome() -> None:
    found = causal_effect(asked(drawn(2, 800, placebo_leak=1.5), placebo="before"), QUICK)
    assert found.verdict in ("fragile", "refuted")
    assert any("placebo outcome before" in reason for reason in found.reasons)


def test_no_overlap_is_no_answer() -> None:
    found = causal_effect(asked(drawn(3, steep=6.0)), QUICK)
    assert found.verdict in ("not_identifiable", "fragile")
    assert found.diagnostics["overlap"]["edge"] > 0.2


def test_the_same_seed_gives_the_same_document_and_the_order_of_columns_of_clusters_none() -> None:
    study = asked(drawn(4, 300), cluster="match")
    first, second = causal_effect(study, QUICK), causal_effect(study, QUICK)
    assert first == second
    assert first.diagnostics["rows"]["clusters"] == 100
    assert causal_effect(study, Plan(repetitions=1, seed=9)).estimate != first.estimate


def test_rows_written_thrice_are_no_more_certain_in_clusters() -> None:
    """Copies of rows carry no information: clustered standard errors do not shrink by sqrt(3), others do."""
    table = drawn(5, 300)
    thrice = pa.concat_tables([table] * 3)
    row = pa.array(np.tile(np.arange(300), 3))
    thrice = thrice.set_column(thrice.column_names.index("match"), "match", row)
    once = causal_effect(asked(table), QUICK).se
    assert causal_effect(asked(thrice, cluster="match"), QUICK).se == pytest.approx(once, rel=0.25)
    assert causal_effect(asked(thrice), QUICK).se < 0.7 * once


def test_binary_outcomes_stay_probabilities() -> None:
    table = drawn(6, 500)
    won = pa.array((np.asarray(table["y"]) > 1).astype(float))
    found = causal_effect(asked(table.set_column(table.column_names.index("y"), "y", won)), QUICK)
    assert -1 < found.interval[0] < found.estimate < found.interval[1] < 1


def _with(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


BROKEN = {
    "missing": (lambda t: t.drop_columns(["x2"]), "there is no column x2"),
    "text": (lambda t: _with(t, "x2", ["a"] * 600), "x2 holds string, not numbers"),
    "null": (lambda t: _with(t, "x2", [None, *np.zeros(599)]), "x2 is missing in 1 of 600 rows"),
    "nan": (lambda t: _with(t, "y", [np.nan, *np.arange(599)]), "y is not a finite number in 1 of 600 rows"),
    "infinite": (lambda t: _with(t, "x1", [np.inf, *np.arange(599.0)]), "x1 is not a finite number in 1 of 600"),
    "three treatments": (lambda t: _with(t, "t", np.arange(600) % 3), "t must be 0 or 1 and has 3 values (0, 1, 2)"),
    "other codes": (lambda t: _with(t, "t", 1 + np.arange(600) % 2), "t must be 0 or 1"),
    "one arm": (lambda t: _with(t, "t", np.ones(600)), "t is 1 in every row"),
    "constant": (lambda t: _with(t, "y", np.ones(600)), "y is 1 in every row"),
    "few": (lambda t: t.slice(0, 40), "40 rows are too few"),
    "rare": (lambda t: _with(t, "t", [1] * 7 + [0] * 593), "7 treated rows are too few"),
    "empty": (lambda t: t.slice(0, 0), "the table has no row"),
    "flat": (lambda t: _with(_with(t, "x1", np.ones(600)), "x2", np.ones(600)), "every covariate is the same"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_table_that_answers_nothing_is_refused_in_a_sentence(case: str) -> None:
    breaking, said = BROKEN[case]
    with pytest.raises(BadStudy) as caught:
        asked(breaking(drawn()))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (Columns("t", "y", ()), "no covariate is named"),
        (Columns("t", "y", ("x1", "y")), "y is named twice, as outcome and as covariate"),
        (Columns("t", "y", ("x1", "x1")), "x1 is named twice"),
        (Columns("t", "y", ("x1",), None, "y"), "y cannot be the placebo outcome: it is the outcome"),
        (Columns("t", "y", ("x1",), "match", "same"), "same is 1 in every row: it cannot show a placebo effect"),
    ],
)
def test_roles_that_contradict_are_refused(columns: Columns, said: str) -> None:
    with pytest.raises(BadStudy, match=said):
        study_of(drawn(), columns)


def test_a_placebo_outcome_is_no_covariate_of_its_own() -> None:
    study = study_of(drawn(), Columns("t", "y", ("x1", "x2", "before", "same"), None, "before"))
    assert study.names == ("x1", "x2", "before")
    assert study.dropped == ("same",)
    asked_again = study.of_placebo()
    assert asked_again.names == ("x1", "x2")
    assert np.array_equal(asked_again.outcome, study.covariates[:, 2])
    alone = study_of(drawn(), Columns("t", "y", ("before",), None, "before"))
    with pytest.raises(BadStudy, match="no covariate is left"):
        alone.of_placebo()


def test_covariates_must_precede_the_treatment() -> None:
    check_order(Order(20.0, 90.0, {"a": 0.0, "b": 20.0}), ["a", "b"])
    with pytest.raises(PostTreatment, match="b is measured after the treatment"):
        check_order(Order(20.0, 90.0, {"a": 0.0, "b": 20.5}), ["a", "b"])
    with pytest.raises(PostTreatment, match="nobody says when b was measured"):
        check_order(Order(20.0, 90.0, {"a": 0.0}), ["a", "b"])
    with pytest.raises(PostTreatment, match="the outcome begins no later than the treatment"):
        check_order(Order(20.0, 20.0, {"a": 0.0}), ["a"])
    late = np.array([0.0, 5.0, np.nan])
    with pytest.raises(PostTreatment, match="a is measured after the treatment in 2 of 3 rows"):
        check_order(Order(np.array([1.0, 2.0, 3.0]), 90.0, {"a": late}), ["a"])


def test_instants_are_read_from_text() -> None:
    assert read_order("t=20, y=90,a=0", "t", "y", ["a", "b"]) == Order(20.0, 90.0, {"a": 0.0})
    for text, said in (
        ("t=20,a=0", "when y happened"),
        ("t=early,y=1", "'t=early' is no instant"),
        ("t=nan", "finite"),
    ):
        with pytest.raises(PostTreatment, match=said):
            read_order(text, "t", "y", ["a"])


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("causal") / "rows.csv"
    pyarrow.csv.write_csv(drawn(7, 400), path)
    return path


def command(path: Path, *more: str) -> list[str]:
    return ["causal", "--data", str(path), "--treatment", "t", "--outcome", "y", "--covariates", "x1,x2", *more]


def test_the_command_prints_the_document(csv: Path) -> None:
    result = RUNNER.invoke(app, command(csv, "--cluster", "match", "--instants", "t=1,y=2,x1=0,x2=0", "--json"))
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    fields = {"estimate", "interval", "se", "estimator", "estimand", "n", "diagnostics", "verdict", "reasons"}
    assert set(document) == fields
    assert document["interval"][0] < document["estimate"] < document["interval"][1]
    assert (document["estimand"], document["n"], document["estimator"]) == ("ATE", 400, "cross-fitted AIPW")
    assert document["diagnostics"]["covariates"]["before_the_treatment"] == "checked against the declared instants"


def test_the_command_reads_parquet_and_reports(csv: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(csv), path)
    result = RUNNER.invoke(app, command(path, "--estimand", "ATT"))
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("ATT ")
    assert "95% interval" in result.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--cluster", "nothing"), "there is no column nothing"),
        (("--placebo-outcome", "word"), "word holds string, not numbers"),
        (("--instants", "t=1,y=2,x1=0,x2=3"), "x2 is measured after the treatment"),
        (("--outcome", "same"), "same is 1 in every row"),
    ],
)
def test_the_command_refuses_in_a_sentence(csv: Path, more: tuple[str, ...], said: str) -> None:
    result = RUNNER.invoke(app, command(csv, *more))
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_the_command_refuses_files_that_are_no_tables(tmp_path: Path) -> None:
    missing = RUNNER.invoke(app, command(tmp_path / "none.csv"))
    assert (missing.exit_code, "is no file" in missing.stderr) == (2, True)
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"no parquet")
    broken = RUNNER.invoke(app, command(path))
    assert (broken.exit_code, "cannot be read as a table" in broken.stderr) == (2, True)
