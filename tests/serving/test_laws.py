"""What cannot be a state of a round is refused in one sentence that names the feature; what was a state never is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tiny_bundle as tiny
from fastapi.testclient import TestClient
from tiny_state import FEATURES, SPEC, state

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import read_file
from esports_assets.canonical.vocabulary import Title
from esports_assets.ingest import ingest_paths
from esports_assets.simulate.write import simulate_matches
from esports_assets.stages.maps import learn_maps
from esports_assets.stages.windowing import window_day
from esports_assets.storage.lake import Lake
from esports_assets.windows.batch import match_windows
from esports_assets.windows.sites import sites_from_json
from serving.checks import Checks
from serving.laws import laws_of

ROUTE = f"/api/v1/predict/{tiny.TASK}"
ROOT = Path(__file__).parents[2]
PLANTED = {"planted": 1, "since_plant_s": 10, "time_left_s": 31}


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"ct_alive": 3.5}, "not_whole", "ct_alive is 3.5; it must be a whole number, its unit is players."),
        ({"t_grenades": 0.25}, "not_whole", "t_grenades is 0.25; it must be a whole number, its unit is grenades."),
        ({"round_number": 1.5}, "not_whole", "round_number is 1.5; it must be a whole number, its unit is round."),
        ({"ct_near_enemy": 1.5}, "not_whole", "ct_near_enemy is 1.5; it must be a whole number, its unit is players."),
        ({"planted": 0.4}, "not_a_flag", "planted is 0.4; it must be 0 or 1."),
        ({"planted": 2}, "not_a_flag", "planted is 2; it must be 0 or 1."),
        ({"no_t_alive": 0.5}, "not_a_flag", "no_t_alive is 0.5; it must be 0 or 1."),
        ({"t_s_clock": 1e9}, "out_of_range", "t_s_clock is 1e+09; it must be at most 160 s."),
        ({"t_s_clock": 160.5}, "out_of_range", "t_s_clock is 160.5; it must be at most 160 s."),
        ({"ct_spread": 1e9}, "out_of_range", "ct_spread is 1e+09; it must be at most 57000 game units."),
        ({"ct_rating": -1e9}, "out_of_range", "ct_rating is -1e+09; it must be at least -25 kills per round."),
        ({"ct_alive": 0}, "contradiction", "ct_hp is 320; it must be at most 0 where ct_alive is 0."),
        ({"t_alive": 1}, "contradiction", "t_hp is 150; it must be at most 100 where t_alive is 1."),
        ({"t_hp": 0}, "contradiction", "t_hp is 0; it must be at least 2 where t_alive is 2."),
        ({"t_helmets": 3}, "contradiction", "t_helmets is 3; it must be at most 2 where t_alive is 2."),
        ({"ct_on_site": 5}, "contradiction", "ct_on_site is 5; it must be at most 4 where ct_alive is 4."),
        ({"ct_kits": 5}, "contradiction", "ct_kits is 5; it must be at most 4 where ct_alive is 4."),
        ({"t_money": 40_000}, "contradiction", "t_money is 40000; it must be at most 32000 where t_alive is 2."),
        (
            {"ct_rifles": 3, "ct_snipers": 2},
            "contradiction",
            "ct_other_primaries is 0; it must be at most -1 where ct_rifles is 3 and ct_snipers is 2 and ct_alive is 4.",
        ),
        ({"t_effective_hp": 100}, "contradiction", "t_effective_hp is 100; it must be at least 150 where t_hp is 150."),
        (
            {"t_effective_hp": 263},
            "contradiction",
            "t_effective_hp is 263; it must be at most 262.5 where t_hp is 150.",
        ),
        (
            {"ct_living_equipment": 900},
            "contradiction",
            "ct_living_equipment is 900; it must be at most 0 where ct_start_equipment is 0.",
        ),
        (
            {"t_s_clock": 130, "time_left_s": 0},
            "contradiction",
            "t_s_clock is 130; it must be at most 119 where planted is 0.",
        ),
        ({"since_plant_s": 5}, "contradiction", "since_plant_s is 5; it must be at most 0 where planted is 0."),
        (
            PLANTED | {"since_plant_s": 60},
            "contradiction",
            "since_plant_s is 60; it must be at most 45 where planted is 1.",
        ),
        (
            PLANTED | {"t_s_clock": 3},
            "contradiction",
            "since_plant_s is 10; it must be at most 7 where t_s_clock is 3.",
        ),
        ({"planted_at_a": 1}, "contradiction", "planted_at_a is 1; it must be at most 0 where planted is 0."),
        (PLANTED | {"bomb_dropped": 1}, "contradiction", "bomb_dropped is 1; it must be at most 0 where planted is 1."),
        (
            {"time_left_s": 20},
            "contradiction",
            "time_left_s is 20; it must be at least 61 where t_s_clock is 50 and planted is 0.",
        ),
        (
            {"time_left_s": 80},
            "contradiction",
            "time_left_s is 80; it must be at most 69 where t_s_clock is 50 and planted is 0.",
        ),
        (
            PLANTED | {"time_left_s": 5},
            "contradiction",
            "time_left_s is 5; it must be at least 27 where since_plant_s is 10 and planted is 1.",
        ),
        (
            PLANTED | {"time_left_s": 65},
            "contradiction",
            "time_left_s is 65; it must be at most 35 where since_plant_s is 10 and planted is 1.",
        ),
        (
            {"ct_alive": 0, "ct_hp": 500, "planted": 0.4, "t_s_clock": 1e9},
            "out_of_range",
            "t_s_clock is 1e+09; it must be at most 160 s.",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    state_client: TestClient, changes: dict[str, float], code: str, sentence: str
) -> None:
    answer = state_client.post(ROUTE, json={"features": state(**changes)})
    expected = {"error": {"code": code, "message": f"Feature {sentence}"}}
    assert (answer.status_code, answer.json()) == (422, expected)
    batch = state_client.post(f"{ROUTE}/batch", json={"rows": [state(), state(**changes)]})
    name, rest = sentence.split(" ", 1)
    assert (batch.status_code, batch.json()["error"]["message"]) == (422, f"Feature {name} in row 1 {rest}")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        PLANTED,
        PLANTED | {"planted_at_a": 1, "bomb_dropped": 0},
        {"ct_near_enemy": 4, "t_near_enemy": 2},
        {"t_alive": 0, "t_hp": 0, "t_effective_hp": 0},
        {"t_effective_hp": 262.5},
        {"t_s_clock": 50.4, "time_left_s": 64.7},
        {"t_s_clock": 117, "time_left_s": 0},
        {"t_s_clock": 156, "planted": 1, "since_plant_s": 41, "time_left_s": 0},
        {"ct_rifles": 2, "ct_snipers": 1, "ct_other_primaries": 1},
    ],
)
def test_what_can_be_is_answered(state_client: TestClient, changes: dict[str, float]) -> None:
    answer = state_client.post(ROUTE, json={"features": state(**changes)})
    assert answer.status_code == 200, answer.text


def test_the_state_that_the_readme_sends_is_answered(state_client: TestClient) -> None:
    answer = state_client.post(ROUTE, content=(ROOT / "docs" / "state.json").read_bytes())
    assert answer.status_code == 200, answer.text
    told = json.loads((ROOT / "docs" / "state.json").read_text())["features"]
    derived = state_client.get("/models").json()["tasks"][0]["models"][0]["derived"]
    assert set(told) == set(SPEC.feature_names) - set(derived)


def test_a_law_that_the_window_was_renamed_away_from_is_missed() -> None:
    laws = laws_of(SPEC.name, {feature.name: feature for feature in FEATURES})
    ruled = {name for law in laws for name, _ in law.terms}
    sided = (
        *("alive", "hp", "armor", "effective_hp", "helmets", "grenades", "rifles", "snipers", "other_primaries"),
        *("money", "start_equipment", "living_equipment", "carried_value", "blind", "near_enemy", "aiming", "exposed"),
        *("cover_target", "on_site", "near_bomb"),
    )
    assert {f"{side}_{name}" for side in ("ct", "t") for name in sided} <= ruled
    assert {"ct_kits", "t_s_clock", "time_left_s", "planted", "since_plant_s", "planted_at_a", "bomb_dropped"} <= ruled


def test_laws_are_told_with_the_model(state_client: TestClient) -> None:
    told = state_client.get("/models").json()["tasks"][0]["models"][0]["laws"]
    assert "ct_hp is at most 100 for each of ct_alive" in told
    assert "before a plant, time_left_s is 115 s less t_s_clock" in told
    assert len(told) == len(set(told))


def _matrix(table: pa.Table) -> Any:
    return np.column_stack([table[feature.name].cast(pa.float64()).to_numpy() for feature in FEATURES])


def test_every_row_of_simulated_matches_keeps_the_laws(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    report = ingest_paths(simulate_matches(tmp_path / "simulated", 1, seed=11, formats=("demo", "grid")), lake)
    assert {header.source for header in report.matches} == {"cs2_demo", "grid"}
    checks = Checks(tiny.contract(features=FEATURES))
    for day in report.days[Title.CS2]:
        window_day(lake, Title.CS2, day, learn_maps(lake, Title.CS2))
    rows = 0
    for header in report.matches:
        matrix = _matrix(lake.read_windows(header, "round_state"))
        checks.check(matrix)
        rows += len(matrix)
    assert rows > 3000


@pytest.mark.realdata
def test_every_row_of_real_matches_keeps_the_laws(real_data: Path) -> None:
    checks = Checks(tiny.contract(features=FEATURES))
    files = sorted(file for file in (real_data / "cs2_demos").rglob("*.json.xz"))[::15]
    assert len(files) >= 3
    for file in files:
        for match in read_file(SourceFile.open(file)).matches:
            checks.check(_matrix(match_windows(match, sites_from_json({}, match.header.map))))
