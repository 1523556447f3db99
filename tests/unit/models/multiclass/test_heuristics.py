"""The four rules: which fires when, and that a rule answers with what happened, not with its score."""

import numpy as np
import pytest
from unit.models.multiclass.made_players import made

from esports_assets.models.families.base import probabilities
from esports_assets.models.families.heuristics import NONE, RULES, Heuristics, fired
from esports_assets.windows.micro.spec import PLAYER_MICRO

NAMES = {name for rule in RULES for name, _, _ in rule.tests}
QUIET = {
    **dict.fromkeys(NAMES, 0.0),
    "dist_to_objective_min": 50.0,
    "speed_mean": 1.0,
    "approach_velocity": -1.0,
}
NULL = float("nan")


def _intent(**told: float) -> str | None:
    code = int(fired({name: np.array([value]) for name, value in (QUIET | told).items()})[0])
    return None if code == NONE else RULES[code].intent.value


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, None),
        ({"approach_velocity": 0.03}, "advance"),
        ({"approach_velocity": 0.02}, None),
        ({"approach_velocity": 0.03, "dist_to_objective_min": NULL}, None),
        ({"abilities_used": 2.0, "dist_to_objective_min": 2.9}, "plant"),
        ({"abilities_used": 2.0, "dist_to_objective_min": NULL}, None),
        ({"abilities_used": 1.0, "dist_to_objective_min": 2.9}, None),
        ({"speed_max": 3.1, "kills_last_window": 1.0}, "engage"),
        ({"speed_max": NULL, "kills_last_window": 1.0}, None),
        ({"nearby_enemies_max": 2.0, "speed_mean": 0.4}, "hold"),
        ({"nearby_enemies_max": NULL, "speed_mean": NULL}, None),
        ({"approach_velocity": 1.0, "speed_max": 4.0, "kills_last_window": 2.0}, "advance"),
        ({"speed_max": 4.0, "kills_last_window": 2.0, "abilities_used": 3.0, "dist_to_objective_min": 1.0}, "engage"),
    ],
)
def test_the_rule_with_the_highest_score_counts_and_the_unknown_fires_none(
    told: dict[str, float], expected: str | None
) -> None:
    assert _intent(**told) == expected


def test_the_rules_read_features_of_the_window() -> None:
    assert set(PLAYER_MICRO.feature_names) >= NAMES


def test_a_rule_answers_with_the_frequencies_behind_it() -> None:
    rows = made()
    model = Heuristics(prior_rows=1e-9).fit(rows, seed=0)
    code = fired({name: rows.x[:, rows.columns((name,))[0]] for name in NAMES})
    p = probabilities(model.margins(rows.x))
    for k in np.unique(code):
        shares = np.bincount(rows.y[code == k], minlength=len(rows.classes)) / (code == k).sum()
        np.testing.assert_allclose(p[code == k], np.tile(shares, ((code == k).sum(), 1)), atol=1e-9)
    assert model.params["rows_by_rule"]["advance"] == (code == 0).sum() > 0


def test_a_rule_that_never_fired_answers_with_the_overall_frequencies() -> None:
    rows = made()
    model = Heuristics().fit(rows, seed=0)
    counts = np.bincount(rows.y, minlength=len(rows.classes)) + 1.0
    overall = counts / counts.sum()
    hold = next(k for k, rule in enumerate(RULES) if rule.intent.value == "hold")
    assert model.params["rows_by_rule"]["hold"] == 0
    np.testing.assert_allclose(np.exp(model.log_frequency[hold]), overall, atol=1e-12)
