"""Results of analyses in a real PostgreSQL: a run stands once, exact zeros stay, and small cells show nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.analytics.association_measure import Caution, Remark
from esports_assets.analytics.association_results import CORRELATION_RESULTS, Association, Provenance, records
from esports_assets.storage.analytics import WITHHELD, without_small_cells, write_correlations, write_effects
from esports_assets.storage.database import connect, migrate

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FOUND = Association(
    *("spearman", "smokes", "round_win", "ct_minus_t", 1010, 46),
    estimate=0.2,
    lo=0.1,
    hi=0.3,
    effect_name="rho",
    effect_size=0.2,
    direction="positive",
    p=0.0,
    p_bh=0.0,
    p_by=0.0,
    family=40,
    significant=True,
    exploratory=False,
    stability=0.9,
    stable=True,
)
GAP = Association(
    *("chi2", "kits", "round_win", "ct_minus_t", 12, 2),
    family=40,
    findings=(Remark(Caution.TOO_FEW, "12 rounds; nothing is estimated from fewer than 20"),),
)


@pytest.fixture
def cursor(fresh_database_url: str) -> Iterator[Any]:
    engine = connect(fresh_database_url)
    migrate(engine)
    engine.dispose()
    connection = psycopg2.connect(fresh_database_url)
    with connection.cursor() as found:
        yield found
    connection.close()


def rows(cursor: Any, table: str) -> list[dict[str, Any]]:
    cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4, filter_map NULLS FIRST")
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def results(run: str = "run-1", **filters: str) -> list[dict[str, Any]]:
    return records([FOUND, GAP], Provenance(run, "data-1", NOW, title="cs2", **filters))


def effect(**changes: Any) -> dict[str, Any]:
    told = {
        "run_id": "run-1",
        "dataset_id": "data-1",
        "treatment": "opening_kill_for",
        "outcome": "round_win",
        "covariates": ("money", "equipment_value"),
        "estimand": "ATE",
        "estimator": "aipw",
        "estimate": 0.3,
        "lo": 0.2,
        "hi": 0.4,
        "se": 0.05,
        "n": 1010,
        "treated": 505,
        "clusters": 46,
        "verdict": "supported",
        "reasons": ["no diagnostic speaks against it"],
        "diagnostics": {"overlap": {"least": 0.2}},
        **dict.fromkeys(("filter_map", "filter_side", "filter_team")),
        "filter_title": "cs2",
        "created_at": NOW,
    }
    return told | changes


def test_the_table_is_the_declared_one(cursor: Any) -> None:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'correlation_results' ORDER BY ordinal_position"
    )
    assert [name for (name,) in cursor.fetchall()] == list(CORRELATION_RESULTS.names)


def test_a_result_is_kept_as_it_was_found(cursor: Any) -> None:
    assert write_correlations(cursor, "run-1", results()) == 2
    gap, found = rows(cursor, "correlation_results")
    told = {
        name: getattr(FOUND, name) for name in ("estimate", "lo", "hi", "p", "p_bh", "p_by", "n", "clusters", "family")
    }
    assert {name: found[name] for name in told} == told
    assert (found["p"], found["significant"], found["findings"], found["filter_map"]) == (0.0, True, [], None)
    assert (gap["estimate"], gap["p"], gap["significant"]) == (None, None, False)
    assert gap["findings"] == [{"code": "too_few", "message": GAP.findings[0].message}]
    assert gap["created_at"] == NOW


def test_a_run_written_again_stands_once_and_no_other_run_is_touched(cursor: Any) -> None:
    write_correlations(cursor, "run-1", results())
    write_correlations(cursor, "run-2", results("run-2"))
    before = rows(cursor, "correlation_results")
    assert write_correlations(cursor, "run-1", results()) == 2
    assert rows(cursor, "correlation_results") == before
    assert write_correlations(cursor, "run-1", results()[:1]) == 1
    assert len(rows(cursor, "correlation_results")) == 3
    assert write_correlations(cursor, "run-1", []) == 0
    assert {row["run_id"] for row in rows(cursor, "correlation_results")} == {"run-2"}


def test_a_run_may_look_at_several_maps_but_says_a_thing_once(cursor: Any) -> None:
    write_correlations(cursor, "run-1", [*results(), *results(map="de_mill")])
    assert [row["filter_map"] for row in rows(cursor, "correlation_results")] == [None, "de_mill", None, "de_mill"]
    with pytest.raises(psycopg2.errors.UniqueViolation):
        write_correlations(cursor, "run-1", [*results(), *results()])


def test_rows_of_another_run_are_refused(cursor: Any) -> None:
    with pytest.raises(ValueError, match="results of run-2 are none of run run-1"):
        write_correlations(cursor, "run-1", results("run-2"))
    with pytest.raises(ValueError, match="results of run-1 are none of run run-2"):
        write_effects(cursor, "run-2", [effect()])


@pytest.mark.parametrize(
    "wrong",
    [
        {"lo": 0.25},
        {"p_bh": None},
        {"p_bh": 0.5, "p_by": 0.4},
        {"exploratory": True},
        {"clusters": 2000},
        {"metric": "mystery"},
        {"filter_side": "both"},
    ],
)
def test_the_database_refuses_results_that_contradict_themselves(cursor: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(psycopg2.errors.CheckViolation):
        write_correlations(cursor, "run-1", [results()[0] | wrong])


def test_an_effect_is_kept_with_its_verdict_and_why(cursor: Any) -> None:
    unknown = dict.fromkeys(("estimate", "lo", "hi", "se"))
    told = [effect(), effect(estimand="ATT", verdict="not_identifiable", **unknown)]
    assert write_effects(cursor, "run-1", told) == write_effects(cursor, "run-1", told) == 2
    found = {row["estimand"]: row for row in rows(cursor, "causal_effects")}
    assert found["ATE"] == effect() | {"covariates": ["money", "equipment_value"]}
    assert (found["ATT"]["estimate"], found["ATT"]["verdict"]) == (None, "not_identifiable")


@pytest.mark.parametrize(
    "wrong", [{"hi": 0.25}, {"se": None}, {"outcome": "opening_kill_for"}, {"treated": 2000}, {"reasons": {}}]
)
def test_the_database_refuses_effects_that_contradict_themselves(cursor: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(psycopg2.errors.CheckViolation):
        write_effects(cursor, "run-1", [effect(**wrong)])


def test_small_cells_show_what_was_asked_and_no_figure() -> None:
    shown, hidden = without_small_cells(results())
    assert shown == results()[0] | {"suppressed": False}
    assert hidden["suppressed"] is True
    assert {name: hidden[name] for name in ("feature", "outcome", "metric", "run_id")} == {
        "feature": "kits",
        "outcome": "round_win",
        "metric": "chi2",
        "run_id": "run-1",
    }
    assert [hidden[name] for name in WITHHELD if name in hidden] == [None] * sum(name in hidden for name in WITHHELD)


@given(st.integers(0, 60), st.integers(0, 10))
def test_a_cell_is_shown_exactly_from_the_least_counts_on(n: int, clusters: int) -> None:
    (row,) = without_small_cells([effect(n=n, clusters=clusters)])
    assert row["suppressed"] == (n < 20 or clusters < 3)
    assert (row["estimate"] is None) == (row["verdict"] is None) == (row["diagnostics"] is None) == row["suppressed"]
