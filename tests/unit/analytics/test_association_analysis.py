"""The analysis as a whole: one row per round, one family, claims only where there is enough, and a reason for every gap."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from made_round_match import actions, made_match

from esports_assets.analytics.association import STANDARD, Plan, analyse, associate
from esports_assets.analytics.association_matches import Matches
from esports_assets.analytics.association_measure import Caution
from esports_assets.analytics.association_results import (
    CORRELATION_RESULTS,
    Association,
    Provenance,
    records,
    results_table,
)
from esports_assets.analytics.association_rows import Filters, Layout, RoundRows, round_rows
from esports_assets.analytics.rounds import dataset_of, round_features
from esports_assets.analytics.rounds_columns import FEATURES as FEATURE_COLUMNS
from esports_assets.analytics.rounds_columns import Known
from esports_assets.canonical.codec import read_parquet, write_parquet
from esports_assets.stages.publishing import outcomes_of

PLAN = Plan(("strong", "nothing"), ("round_win",), draws=2_000, splits=20)


def data(matches: int = 40, rounds: int = 20, **columns: np.ndarray) -> RoundRows:
    random = np.random.default_rng(3)
    match = np.repeat(np.arange(matches), rounds)
    strong = random.standard_normal(len(match))
    y = (strong + random.standard_normal(len(match)) > 0.0).astype(float)
    own = {"strong": strong, "nothing": random.standard_normal(len(match)), **columns}
    return RoundRows(Layout.DIFFERENCE, own, {"round_win": y}, Matches.of(match))


def by_key(found: list[Association]) -> dict[tuple[str, str], Association]:
    return {(one.feature, one.metric): one for one in found}


def test_every_measure_finds_what_is_there_and_says_how_sure_it_is() -> None:
    found = by_key(associate([data()], PLAN))
    metrics = ("point_biserial", "spearman", "kendall", "chi2", "logistic")
    assert set(found) == {(feature, metric) for feature in ("strong", "nothing") for metric in metrics}
    for metric in metrics:
        strong, nothing = found["strong", metric], found["nothing", metric]
        assert strong.lo is not None
        assert strong.hi is not None
        assert strong.estimate is not None
        assert 0.0 < strong.lo < strong.estimate < strong.hi
        assert (strong.significant, strong.stable, strong.exploratory, strong.direction) == (
            True,
            True,
            False,
            "positive",
        )
        assert (strong.n, strong.clusters, strong.family, strong.p) == (800, 40, 10, pytest.approx(1 / 2001))
        assert strong.p_bh is not None
        assert strong.p_by is not None
        assert strong.p <= strong.p_bh < strong.p_by
        assert not nothing.significant
        assert not nothing.stable


def test_few_matches_are_exploratory_and_claim_nothing() -> None:
    found = associate([data(matches=19)], PLAN)
    assert all(one.exploratory and not one.significant for one in found)
    assert by_key(found)["strong", "spearman"].p_bh == pytest.approx(2 / 2001)
    assert not any(one.exploratory for one in associate([data(matches=20)], PLAN))


def test_what_cannot_be_measured_is_a_reason_and_counts_in_the_family() -> None:
    constant = np.ones(800)
    found = by_key(associate([data(constant=constant)], replace(PLAN, features=("strong", "nothing", "constant"))))
    one = found["constant", "point_biserial"]
    assert (one.estimate, one.p, one.significant, one.family) == (None, None, False, 15)
    assert [remark.message for remark in one.findings] == ["the feature is the same in every round"]
    assert found["constant", "logistic"].findings[0].code is Caution.CONSTANT
    assert found["strong", "logistic"].estimate is not None


def test_a_single_test_of_a_large_family_can_be_a_discovery() -> None:
    random = np.random.default_rng(12)
    noise = {f"noise{j}": random.standard_normal(800) for j in range(98)}
    plan = replace(PLAN, metrics=("point_biserial",), draws=100)
    found = by_key(associate([data(**noise)], plan))
    assert found["strong", "point_biserial"].family == 100
    assert found["strong", "point_biserial"].p == pytest.approx(1 / 4001)  # 2 flips per test and level, not 100 in all
    assert [one.feature for one in found.values() if one.significant] == ["strong"]


def test_too_little_of_anything_gives_no_estimate() -> None:
    for rows in (data(matches=4), data(matches=6, rounds=3)):
        for one in associate([rows], PLAN):
            assert one.estimate is None
            assert one.findings[0].code is Caution.TOO_FEW


def test_unknown_values_are_left_out_and_told_and_never_filled() -> None:
    random = np.random.default_rng(5)
    rows = data()
    gaps = rows.columns["strong"].copy()
    gaps[random.random(800) < 0.3] = np.nan
    known = ~np.isnan(gaps)
    found = by_key(associate([replace(rows, columns={"gaps": gaps, "strong": rows.columns["strong"]})], PLAN))
    one = found["gaps", "point_biserial"]
    assert one.n == known.sum()
    assert one.estimate == pytest.approx(np.corrcoef(gaps[known], rows.outcomes["round_win"][known])[0, 1])
    assert one.findings[0].message == f"{800 - one.n} of 800 rounds are left out: a feature is unknown in them"
    assert found["gaps", "logistic"].estimate is None  # too often unknown to decide which rounds the model sees
    assert found["strong", "logistic"].n == 800


def test_the_same_plan_gives_the_same_results() -> None:
    assert associate([data()], PLAN) == associate([data()], PLAN)


def rounds_table(matches: int = 25, rounds: int = 16) -> pa.Table:
    """Both teams of rounds of many matches: Ts throw more smokes where they plant; the CT's lead in money decides."""
    match = made_match()
    base = round_features(match, outcomes_of(match.rounds.to_pylist()), actions()).table.to_pylist()
    random, rows = np.random.default_rng(1), []
    for m in range(matches):
        for segment in range(1, rounds + 1):
            money, planted = random.normal(0.0, 1000.0, 2), float(random.random() < 0.5)
            won = float(money[0] - money[1] + random.normal(0.0, 800.0) > 0.0)
            for place, (side, team) in enumerate((("ct", "red"), ("t", "blue"))):
                said: dict[str, Any] = {
                    "match_id": f"test:many:{m:02d}",
                    "segment": segment,
                    "side": side,
                    "team": team if m % 2 else f"{team}-{m}",
                    "is_ct": float(side == "ct"),
                    "money": 20_000.0 + money[place],
                    "smokes": float(random.poisson(1.0 + 2.0 * planted * (side == "t"))),
                    "round_win": won if side == "ct" else 1.0 - won,
                    "site_executed": planted,
                    "econ_delta": None
                    if segment == rounds
                    else 100.0 * won * (1.0 if side == "ct" else -1.0) + money[place],
                }
                rows.append({**base[0], **said})
    random.shuffle(rows)  # type: ignore[arg-type]
    columns = {name: [row[name] for row in rows] for name in base[0]}
    return dataset_of([pa.table(columns).cast(base_schema())])[0]


def base_schema() -> pa.Schema:
    match = made_match()
    return round_features(match, outcomes_of(match.rounds.to_pylist()), actions()).table.schema


TABLE = rounds_table()
FEATURES = ("money", "smokes", "is_ct", "opening_kill_against")
OUTCOMES = ("round_win", "site_executed", "econ_delta")


def test_a_round_gives_one_row_by_a_stated_rule() -> None:
    difference, attackers = round_rows(TABLE, FEATURES, OUTCOMES, Filters())
    assert (difference.layout, attackers.layout) == (Layout.DIFFERENCE, Layout.T)
    assert set(difference.columns) == {"money", "smokes"}  # what mirrors itself says nothing as a difference
    assert len(difference.outcomes["round_win"]) == 25 * 16
    frame = TABLE.to_pandas()
    ct, t = (frame[frame["side"] == side].reset_index(drop=True) for side in ("ct", "t"))
    assert difference.columns["money"].tolist() == (ct["money"] - t["money"]).tolist()
    assert difference.outcomes["round_win"].tolist() == ct["round_win"].tolist()
    assert (
        np.nan_to_num(difference.outcomes["econ_delta"]).tolist()
        == (ct["econ_delta"] - t["econ_delta"]).fillna(0).tolist()
    )
    assert attackers.columns["smokes"].tolist() == t["smokes"].tolist()
    assert len(difference.matches) == 25
    (shared, _) = round_rows(TABLE, ("time_to_contact_s",), OUTCOMES, Filters())
    assert (
        shared.columns["time_to_contact_s"].tolist() == ct["time_to_contact_s"].tolist()
    )  # of the round, no difference


def test_filters_choose_rounds_and_their_one_team() -> None:
    (side,) = round_rows(TABLE, FEATURES, ("round_win",), Filters(side="ct"))
    assert (side.layout, len(side.columns["money"])) == (Layout.CT, 400)
    (team,) = round_rows(TABLE, FEATURES, ("round_win",), Filters(team="blue"))
    assert (team.layout, len(team.matches), len(team.columns["money"])) == (Layout.TEAM, 12, 12 * 16)
    assert "is_ct" in team.columns
    assert round_rows(TABLE, FEATURES, ("round_win",), Filters(map="de_none"))[0].matches.rows == 0
    with pytest.raises(ValueError, match="side 'both' is neither ct nor t"):
        Filters(side="both")
    with pytest.raises(KeyError, match="no column speed_mean"):
        round_rows(TABLE, ("speed_mean",), ("round_win",), Filters())


def test_simulated_matches_are_looked_at_only_where_there_is_no_real_one() -> None:
    place = TABLE.column_names.index("simulated")
    made = [match_id == "test:many:03" for match_id in TABLE["match_id"].to_pylist()]
    mixed = TABLE.set_column(place, "simulated", pa.array(made))
    assert len(round_rows(mixed, FEATURES, ("round_win",), Filters())[0].matches) == 24
    (team,) = round_rows(mixed, FEATURES, ("round_win",), Filters(map="de_mill", team="red"))
    assert len(team.matches) == 11
    simulated = TABLE.set_column(place, "simulated", pa.array([True] * TABLE.num_rows))
    assert len(round_rows(simulated, FEATURES, ("round_win",), Filters())[0].matches) == 25


def test_a_round_with_one_team_is_refused() -> None:
    with pytest.raises(ValueError, match="not exactly one team on either side"):
        round_rows(TABLE.slice(1), FEATURES, OUTCOMES, Filters())
    twice = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(0, 1)])
    with pytest.raises(ValueError, match="not exactly one team on either side"):
        round_rows(twice, FEATURES, OUTCOMES, Filters())


def test_an_analysis_of_rounds_is_one_family_of_all_outcomes() -> None:
    found = analyse(TABLE, Plan(FEATURES, OUTCOMES, draws=2_000, splits=10))
    at = {(one.feature, one.outcome, one.metric): one for one in found}
    # Two features as differences with two outcomes of 5 and 2 measures, three of the attackers with one of 5.
    assert len(found) == 2 * 5 + 2 * 2 + 3 * 5 == found[0].family
    assert at["money", "round_win", "spearman"].direction == "positive"
    assert at["money", "round_win", "spearman"].significant
    assert at["smokes", "site_executed", "chi2"].significant
    assert at["smokes", "site_executed", "chi2"].layout == "t"
    assert not at["money", "site_executed", "spearman"].significant
    assert at["money", "econ_delta", "pearson"].n == 25 * 15
    told = [remark.code for remark in at["smokes", "round_win", "chi2"].findings]
    assert Caution.KNOWN_WITH_OUTCOME in told
    assert Caution.KNOWN_WITH_OUTCOME not in [r.code for r in at["money", "round_win", "chi2"].findings]


def test_the_standard_plan_models_together_only_what_is_known_before_the_outcome() -> None:
    assert set(STANDARD.together or ()) == {one.name for one in FEATURE_COLUMNS if one.known < Known.DURING}
    found = associate([data()], replace(PLAN, together=("strong",)))
    assert [one.feature for one in found if one.metric == "logistic"] == ["strong"]
    assert found[0].family == 9


def test_an_analysis_of_nothing_says_so() -> None:
    found = analyse(TABLE, Plan(("money",), OUTCOMES), Filters(map="de_none"))
    assert found
    assert all(one.estimate is None and one.findings[0].code in (Caution.CONSTANT, Caution.TOO_FEW) for one in found)


def test_results_keep_their_run_their_data_and_their_filters(tmp_path: Path) -> None:
    of = Provenance("run-1", "data-1", datetime(2026, 5, 1, tzinfo=UTC), title="cs2", map="de_mill")
    rows = records(associate([data(constant=np.ones(800))], PLAN), of)
    table = results_table(rows)
    write_parquet(table, tmp_path / "results.parquet")
    read = read_parquet(tmp_path / "results.parquet", CORRELATION_RESULTS).to_pylist()
    assert {(row["run_id"], row["dataset_id"], row["filter_map"], row["filter_team"]) for row in read} == {
        ("run-1", "data-1", "de_mill", None)
    }
    gap = next(row for row in read if row["feature"] == "constant")
    assert gap["findings"] == '[{"code":"constant","message":"the feature is the same in every round"}]'
    assert gap["estimate"] is None
