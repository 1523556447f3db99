"""Declared windows: fingerprints, contrasts, sites, and where the label comes from."""

import ast
import dataclasses
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from future import simulated, tiny
from hypothesis import given
from hypothesis import strategies as st

import esports_assets.windows
from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.vocabulary import Side
from esports_assets.windows.arithmetic import COLUMNS
from esports_assets.windows.batch import match_windows
from esports_assets.windows.contrasts import CONTRASTS, add_contrasts
from esports_assets.windows.features import BASE
from esports_assets.windows.labels import ct_won
from esports_assets.windows.micro.batch import player_micro_table
from esports_assets.windows.next_move import next_moves_table
from esports_assets.windows.next_move_signs import next_move_signs_tables
from esports_assets.windows.player_form import player_form_table
from esports_assets.windows.registry import DERIVED, ROUND_STATE, WINDOWS, complete, window_spec
from esports_assets.windows.sites import SiteBook, plants_of, sites_from_json
from esports_assets.windows.spec import Feature, WindowSpec
from esports_assets.windows.view import Sites

SPEC = WindowSpec("made/window", "1", (Feature("a", "s", "A"), Feature("b", "m", "B")), (("within_s", 5.0),))
RPS_GAME = Path(__file__).parents[2] / "fixtures" / "rps" / "revealed" / "input.rps.jsonl"
SITES = Sites((100.0, 200.0, 0.0), (-300.0, 50.0, 0.0))


def _features(*features: Feature) -> WindowSpec:
    return dataclasses.replace(SPEC, features=features)


def test_the_fingerprint_sees_what_decides_a_rows_values() -> None:
    a, b = SPEC.features
    others = [
        dataclasses.replace(SPEC, name="made/other"),
        dataclasses.replace(SPEC, version="2"),
        dataclasses.replace(SPEC, parameters=(("within_s", 6.0),)),
        _features(b, a),
        _features(a),
        _features(dataclasses.replace(a, name="c"), b),
        _features(dataclasses.replace(a, unit="ms"), b),
        _features(dataclasses.replace(a, nullable=True), b),
    ]
    prints = {spec.fingerprint for spec in others}
    assert len(prints) == len(others)
    assert SPEC.fingerprint not in prints
    assert len(SPEC.fingerprint) == 16
    assert int(SPEC.fingerprint, 16) >= 0


def test_the_fingerprint_does_not_see_documentation() -> None:
    a, b = SPEC.features
    assert _features(dataclasses.replace(a, doc="Another sentence"), b).fingerprint == SPEC.fingerprint


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_windows_are_declared_in_full(name: str) -> None:
    spec = window_spec(name)
    assert spec.name == name
    assert len(set(spec.table.names)) == len(spec.table.names)
    assert set(spec.table.key) <= set(spec.table.names)
    for feature in spec.features:
        assert feature.doc, feature.name
        assert feature.unit, feature.name
        assert feature.monotone in (-1, 0, 1)
    mirrored = spec.mirrored()
    assert all(mirrored[other] == name for name, other in mirrored.items())


def test_an_unknown_window_is_named() -> None:
    with pytest.raises(
        LookupError,
        match="no window 'cs2/aura'; known: cs2/player_form, cs2/player_micro, cs2/round_state, rps/next_move",
    ):
        window_spec("cs2/aura")


# --- contrasts ------------------------------------------------------------------------------------------------------

BASE_NAMES = [feature.name for feature, _ in BASE]


def test_completing_base_values_gives_the_batch_row() -> None:
    """A client who tells the state gets the very numbers that training saw."""
    table = match_windows(simulated(3, 5), SITES)
    derived = DERIVED["cs2/round_state"]
    assert derived == set(ROUND_STATE.feature_names) - set(BASE_NAMES)
    for row in table.slice(0, 400).select(list(ROUND_STATE.feature_names)).to_pylist()[::23]:
        told = {name: row[name] for name in BASE_NAMES if row[name] is not None}
        completed = complete("cs2/round_state", told)
        assert list(completed) == list(ROUND_STATE.feature_names)
        for name, value in row.items():
            if value is None:
                assert math.isnan(completed[name]), name
            else:
                assert completed[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name


def test_a_window_without_derived_features_is_completed_too() -> None:
    completed = complete("cs2/player_form", {"rating": 0.5})
    assert completed["rating"] == 0.5
    assert math.isnan(completed["kills_per_round"])


def test_some_contrasts_by_hand() -> None:
    told = {name: np.array([0.0, 0.0]) for name in BASE_NAMES}
    told |= {"ct_alive": np.array([3.0, 1.0]), "t_alive": np.array([2.0, 0.0]), "planted": np.array([0.0, 1.0])}
    told |= {"ct_hp": np.array([250.0, 100.0]), "t_hp": np.array([120.0, 0.0]), "t_s_clock": np.array([90.0, 60.0])}
    told |= {"time_left_s": np.array([25.0, 4.0]), "defuse_slack_s": np.array([np.nan, -3.0])}
    told |= {"ct_near_enemy": np.array([np.nan, 1.0])}
    found = add_contrasts(told)
    assert found["diff_alive"].tolist() == [1.0, 1.0]
    assert found["log_alive"].tolist() == [math.log(3.3 / 2.3), math.log(1.3 / 0.3)]
    assert found["alive_share"].tolist() == [3.3 / 5.6, 1.3 / 1.6]
    assert found["late_before_plant_s"].tolist() == [15.0, 0.0]
    assert found["late_after_plant_s"].tolist() == [0.0, 11.0]
    assert found["no_defuse_possible"].tolist() == [0.0, 1.0]
    assert found["planted_no_t"].tolist() == [0.0, 1.0]
    assert found["diff_near_enemy"].tolist() == [0.0, 1.0]  # unknown: says nothing
    assert found["planted_x_diff_alive"].tolist() == [0.0, 1.0]
    assert found["planted_no_t_slack"].tolist() == [0.0, 0.0]  # three seconds short is no time to spare


VALUES = {
    "cs2/round_state": ("efc2a003f2cafc38", "9a9bad6ad0600f18"),
    "cs2/player_form": ("0618a8498d3d38bc", "b6b350c494c0443e"),
    "cs2/player_micro": ("4f4e37727cad5883", "ab4c35a701da19be"),
    "rps/next_move": ("485e3f329edfd058", "a39bb06590c00c69"),
    "rps/next_move_signs": ("a82083e12fa92345", "f11a56d00cc4001f"),
}
"""Fingerprint of each window, and hash of its values on the tiny match, or on the recorded game."""


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_other_values_need_another_fingerprint(name: str) -> None:
    made = {
        "cs2/round_state": lambda match: match_windows(match, SITES),
        "cs2/player_form": player_form_table,
        "cs2/player_micro": lambda match: player_micro_table(match, SITES),
        "rps/next_move": lambda _: next_moves_table(read_file(SourceFile.open(RPS_GAME)).matches),
        "rps/next_move_signs": lambda _: next_move_signs_tables(read_file(SourceFile.open(RPS_GAME)).matches),
    }
    digest = hashlib.sha256()
    for version in (2, 3):
        table = made[name](tiny(version))
        for feature in window_spec(name).feature_names:
            values = (
                np.round(table[feature].to_numpy().astype(np.float64), 4) + 0.0
            )  # the last digits are the machine's
            digest.update(np.where(np.isnan(values), -1e9, values).tobytes())
    assert (window_spec(name).fingerprint, digest.hexdigest()[:16]) == VALUES[name], (
        "values of the window have changed: give it another version, then put the new pair here"
    )


def test_contrasts_depend_on_what_stands_before_them_only() -> None:
    known = {name: np.array([1.0]) for name in BASE_NAMES}
    for feature, compute in CONTRASTS:
        known[feature.name] = np.asarray(compute(dict(known), COLUMNS))
        assert known[feature.name].shape == (1,), feature.name


@given(st.dictionaries(st.sampled_from(BASE_NAMES), st.floats(-1e6, 1e6), max_size=20))
def test_contrasts_are_pure(told: dict[str, float]) -> None:
    values = {name: np.array([told.get(name, np.nan)]) for name in BASE_NAMES}
    before = {name: array.copy() for name, array in values.items()}
    with np.errstate(invalid="ignore"):  # a client may tell nonsense, such as negative players
        once, again = add_contrasts(values), add_contrasts(values)
    for name in once:
        np.testing.assert_array_equal(once[name], again[name])
    for name in before:
        np.testing.assert_array_equal(values[name], before[name])


# --- sites ----------------------------------------------------------------------------------------------------------

PLANTS = [
    ("m1", "de_x", "a", 0.0, 0.0, 0.0),
    ("m1", "de_x", "a", 10.0, 2.0, 1.0),
    ("m2", "de_x", "a", 500.0, 4.0, 2.0),
    ("m2", "de_x", "b", -7.0, -8.0, -9.0),
    ("m3", "de_y", "b", 1.0, 1.0, 1.0),
]


def test_a_site_is_the_median_of_its_plants() -> None:
    book = SiteBook.learn(PLANTS)
    assert book.sites("de_x") == Sites((10.0, 2.0, 1.0), (-7.0, -8.0, -9.0))
    assert book == SiteBook.learn(reversed(PLANTS))


def test_leaving_the_match_out() -> None:
    book = SiteBook.learn(PLANTS)
    assert book.sites("de_x", without="m1").a == (500.0, 4.0, 2.0)
    assert book.sites("de_x", without="m2").a == (5.0, 1.0, 0.5)
    assert all(math.isnan(value) for value in book.sites("de_x", without="m2").b)
    assert all(math.isnan(value) for value in book.sites("de_nowhere").a)


def test_sites_travel_as_json() -> None:
    book = SiteBook.learn(PLANTS)
    again = json.loads(json.dumps(book.centres()))
    assert sites_from_json(again, "de_x") == book.sites("de_x")
    assert sites_from_json(again, "de_y").b == (1.0, 1.0, 1.0)
    assert all(math.isnan(value) for value in sites_from_json(again, "de_y").a)
    assert all(math.isnan(value) for value in sites_from_json(again, "de_z").b)


def test_plants_of_a_match() -> None:
    match = tiny()
    assert plants_of(match.events) == [
        (match.header.match_id, "de_tiny", "a", 100.0, 200.0, 0.0),
        (match.header.match_id, "de_tiny", "b", -300.0, 50.0, 0.0),
    ]


# --- the label ------------------------------------------------------------------------------------------------------


def test_the_label() -> None:
    assert (ct_won(Side.CT), ct_won(Side.T)) == (1, 0)


def test_only_labels_looks_ahead() -> None:
    """The winner of a round is read by the facts that carry it, the label, and the history of later rounds. By nobody else."""
    folder = Path(esports_assets.windows.__file__).parent
    readers = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("winner", "winner_team", "end_reason"):
                readers.add(path.stem)
            if isinstance(node, ast.Constant) and node.value in (
                "winner_side",
                "winner_team",
                "end_reason",
                "hindsight",
            ):
                readers.add(path.stem)
    assert readers == {"fill", "batch", "tally"}
    batch = (folder / "batch.py").read_text(encoding="utf-8")
    assert batch.count(".winner") == batch.count("ct_won(facts.winner)") == 1
    assert (folder / "fill.py").read_text(encoding="utf-8").count(
        "winner"
    ) == 3  # declared, filled from the row, and said
