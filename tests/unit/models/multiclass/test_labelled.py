"""The labelled table of a match: the label beside the features, and neither leaking into the other."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from unit.models.multiclass.made_players import KNOWN
from unit.windows.future import another_future, simulated

from esports_assets.canonical.match import CanonicalMatch
from esports_assets.models.multiclass.labelled import LABEL, PLAYER_MICRO_LABELLED, labelled_table
from esports_assets.quality.suite import validate
from esports_assets.windows.labels import HORIZON_S
from esports_assets.windows.micro.batch import player_micro_table
from esports_assets.windows.micro.spec import PLAYER_MICRO
from esports_assets.windows.sites import SiteBook, plants_of
from esports_assets.windows.view import Sites

ROUNDS = 6


@pytest.fixture(scope="module")
def match() -> CanonicalMatch:
    return simulated(2, ROUNDS)


@pytest.fixture(scope="module")
def sites() -> Sites:
    whole = simulated(2, 40)
    return SiteBook.learn(plants_of(whole.events)).sites(whole.header.map)


@pytest.fixture(scope="module")
def table(match: CanonicalMatch, sites: Sites) -> pa.Table:
    return labelled_table(match, sites)


def test_it_is_the_window_with_a_label(match: CanonicalMatch, sites: Sites, table: pa.Table) -> None:
    assert table.column_names == [*PLAYER_MICRO.table.names, LABEL]
    assert table.drop([LABEL]).cast(PLAYER_MICRO.table.arrow).equals(player_micro_table(match, sites))
    assert pc.is_valid(table[LABEL]).to_numpy().mean() > 0.95
    assert set(table[LABEL].to_pylist()) > {*KNOWN} - {"plant"}


def test_it_keeps_its_own_declaration(table: pa.Table) -> None:
    report = validate(PLAYER_MICRO_LABELLED, [table])
    assert report.success, report.failed


def test_who_plants_did_plant(match: CanonicalMatch, table: pa.Table) -> None:
    planted = match.events.filter(pc.equal(match.events["event_type"].cast(pa.string()), "BOMB_PLANTED")).to_pylist()
    assert planted
    for event in planted:
        rows = [
            row
            for row in table.select(["segment", "player", "t_s", LABEL]).to_pylist()
            if (row["segment"], row["player"]) == (event["segment"], event["actor"])
            and event["t_s"] - 2.0 <= row["t_s"] < event["t_s"]
        ]
        assert rows
        assert {row[LABEL] for row in rows} == {"plant"}


def test_another_future_changes_labels_within_the_horizon_and_no_feature(
    match: CanonicalMatch, sites: Sites, table: pa.Table
) -> None:
    cut = 12.0
    other = labelled_table(another_future(match, 2, cut, np.random.default_rng(1)), sites)

    def rows(of: pa.Table, until: float) -> pa.Table:
        past = pc.and_(pc.equal(of["segment"], 2), pc.less_equal(of["t_s"], until))
        return of.filter(past)

    before, after = rows(table, cut), rows(other, cut)
    assert before.num_rows == after.num_rows > 100
    for name in PLAYER_MICRO.feature_names:
        assert before[name].to_pylist() == after[name].to_pylist(), name
    settled, again = (rows(of, cut - HORIZON_S - 0.5)[LABEL].to_pylist() for of in (table, other))
    assert settled == again != []
    assert before[LABEL].to_pylist() != after[LABEL].to_pylist(), "labels look ahead"
