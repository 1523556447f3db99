"""The evaluation on people: who stays together, and that what it reports is what the habit allows."""

import numpy as np
import pytest
from made_moves import HABIT, game, people

from esports_assets.models.rows import TooLittleData
from esports_assets.models.rps.experts import Experts
from esports_assets.models.rps.families import MoveEntry
from esports_assets.models.rps.people import cross_judged, evaluate_people
from esports_assets.models.rps.people_rows import groups_of, people_rows
from esports_assets.models.rps.softmax import Softmax
from esports_assets.models.rps.turned import Turned
from esports_assets.windows.next_move import NEXT_MOVE
from esports_assets.windows.next_move_signs import NEXT_MOVE_SIGNS

ENTRIES = (
    MoveEntry("experts", Turned(Experts(), "experts"), NEXT_MOVE_SIGNS.name),
    MoveEntry("multinomial_logistic", Softmax(), NEXT_MOVE.name),
)


def test_people_and_games_stay_together() -> None:
    games = [game(1, "ann", game_id="a"), game(2, "bea", game_id="a"), game(3, "bea", game_id="c"), game(4, "cy")]
    assert groups_of(games) == {"a": "a", "c": "a", "g004": "g004"}
    rows = people_rows(games)
    assert rows.games == 3
    assert rows.any.n_matches == 2
    ann_and_bea = rows.any.match[rows.any.keys["player"].to_numpy(zero_copy_only=False) != "cy"]
    assert len(np.unique(ann_and_bea)) == 1


def test_the_report_says_what_the_habit_allows() -> None:
    report = evaluate_people(people(15), ENTRIES)
    assert (report["task"], report["games"], report["people"], report["rows"]) == ("rps.next_move", 15, 15, 600)
    assert HABIT - 0.06 < report["metrics"]["accuracy"]["value"] < HABIT + 0.06
    best = -HABIT * np.log(HABIT) - (1 - HABIT) * np.log((1 - HABIT) / 2)
    assert best - 0.1 < report["metrics"]["log_loss"]["value"] < best + 0.12
    assert report["metrics"]["log_loss"]["lo"] < report["metrics"]["log_loss"]["hi"]
    assert set(report["families"]) == {"experts", "multinomial_logistic"}
    assert set(report["chosen_by_fold"]) <= set(report["families"])
    uniform = report["baselines"]["uniform"]
    assert uniform["metrics"]["log_loss"]["value"] == pytest.approx(np.log(3))
    assert uniform["gain"]["log_loss"]["value"] == pytest.approx(np.log(3) - report["metrics"]["log_loss"]["value"])
    assert report["baselines"]["markov1"]["metrics"]["log_loss"]["value"] > report["metrics"]["log_loss"]["value"]


def test_what_a_person_did_never_reaches_their_own_model() -> None:
    """Other labels of one group change the answers about the others only."""
    rows = people(6)
    before = cross_judged(rows, ENTRIES[1:], 3, 0).said["multinomial_logistic"].copy()
    fold = rows.any.folds(3, 0)[0]
    rows.any.y[fold] = (rows.any.y[fold] + 1) % 3
    after = cross_judged(rows, ENTRIES[1:], 3, 0).said["multinomial_logistic"]
    assert np.array_equal(before[fold], after[fold])
    assert not np.allclose(before[~fold], after[~fold])


def test_too_few_people() -> None:
    with pytest.raises(TooLittleData, match="judging needs 3 or more games whose people differ, there are 2"):
        evaluate_people(people(2), ENTRIES)
    with pytest.raises(TooLittleData, match="no round in which both moved"):
        people_rows([])
