"""The fifty inputs: names and order, their meaning against a second definition, and one value whichever way it is asked for."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rps_games import hands

from esports_assets.games.rps.contract import (
    CONTRACT_VERSION,
    EASY_MODE_INDEX,
    FEATURE_NAMES,
    FIRST_LABELLED_STEP,
    INPUTS,
)
from esports_assets.games.rps.features import FeatureState, features_at, labelled_rows
from esports_assets.games.rps.histories import HistoryError, history_of
from esports_assets.games.rps.moves import MOVES, Move, result_of
from esports_assets.games.rps.record import GameSetup, RecordedGame, RecordedRound, played
from esports_assets.games.rps.rules import GameOver, GameState
from esports_assets.games.rps.values import RoundValues
from esports_assets.windows.next_move_parity import parity_of

ROCK, PAPER, SCISSORS = MOVES
Hands = list[tuple[Move, Move, RoundValues]]
NOW = RoundValues(1.0, 1.5, 2.0)

CONTRACT = """
user_-1_rock user_-1_paper user_-1_scissors user_-2_rock user_-2_paper user_-2_scissors user_-3_rock user_-3_paper user_-3_scissors
bot_-1_rock bot_-1_paper bot_-1_scissors bot_-2_rock bot_-2_paper bot_-2_scissors bot_-3_rock bot_-3_paper bot_-3_scissors
res_-1_win res_-1_lose res_-1_draw res_-2_win res_-2_lose res_-2_draw res_-3_win res_-3_lose res_-3_draw
rock_pts paper_pts scissors_pts
points_-1_rock points_-1_paper points_-1_scissors points_-2_rock points_-2_paper points_-2_scissors
points_-3_rock points_-3_paper points_-3_scissors
user_tend_rock user_tend_paper user_tend_scissors tend_favored tend_fav_beater tend_fav_beater_beater
score_diff user_pts_to_win bot_pts_to_win step_no easy_mode
"""
NAMES = CONTRACT.split()


def playable(dealt: Hands) -> Hands:
    """The hands up to the end of the game."""
    state, kept = GameState(), []
    for user, bot, values in dealt:
        try:
            state, _ = state.play(user, bot, values)
        except GameOver:
            break
        kept.append((user, bot, values))
    return kept


def recorded(dealt: Hands, easy_mode: bool = False) -> RecordedGame:
    """The hands up to the end as a recorded game."""
    setup = GameSetup("g", "ann", "cal", datetime(2026, 1, 1, tzinfo=UTC), easy_mode=easy_mode)
    rounds = (RecordedRound(n, *told) for n, told in enumerate(playable(dealt), start=1))
    return RecordedGame(setup, tuple(rounds))


def by_definition(before: Hands, now: RoundValues, easy_mode: bool) -> dict[str, float]:
    """The contract read aloud, from the whole history at once."""
    told: dict[str, float] = {}
    for lag in (1, 2, 3):
        known = before[-lag] if lag <= len(before) else None
        for move in MOVES:
            told[f"user_-{lag}_{move}"] = float(known is not None and known[0] is move)
            told[f"bot_-{lag}_{move}"] = float(known is not None and known[1] is move)
            told[f"points_-{lag}_{move}"] = (known[2] if known else now).by_move[move]
        for result in ("win", "lose", "draw"):
            told[f"res_-{lag}_{result}"] = float(known is not None and result_of(known[0], known[1]) == result)
    users = [user for user, _, _ in before]
    favoured = [max(MOVES, key=lambda move, v=values: v.by_move[move]) for _, _, values in before]
    tiers = {"tend_favored": 0, "tend_fav_beater": 0, "tend_fav_beater_beater": 0}
    for user, best in zip(users, favoured, strict=True):
        name = {best: "tend_favored", best.beaten_by: "tend_fav_beater", best.beats: "tend_fav_beater_beater"}[user]
        tiers[name] += 1
    for move in MOVES:
        told[f"{move}_pts"] = now.by_move[move]
        told[f"user_tend_{move}"] = users.count(move) / len(users) if users else 0.0
    told |= {name: count / len(users) if users else 0.0 for name, count in tiers.items()}
    user = math.fsum(_points(one, other, values) for one, other, values in before)
    bot = math.fsum(_points(other, one, values) for one, other, values in before)
    told |= {"score_diff": user - bot, "user_pts_to_win": max(0.0, 10 - user), "bot_pts_to_win": max(0.0, 10 - bot)}
    return told | {"step_no": len(before) + 1, "easy_mode": float(easy_mode)}


def _points(own: Move, other: Move, values: RoundValues) -> float:
    return 0.5 if own is other else values.by_move[own] if own.beats is other else 0.0


def test_names_and_order_are_those_of_the_contract() -> None:
    assert list(FEATURE_NAMES) == NAMES
    assert len(NAMES) == 50
    assert NAMES[EASY_MODE_INDEX] == "easy_mode"
    assert CONTRACT_VERSION == "2"


@given(hands, st.booleans())
def test_every_row_means_what_the_contract_says(dealt: Hands, easy_mode: bool) -> None:
    state = FeatureState()
    for number, (user, bot, values) in enumerate(dealt):
        row = state.row(values, easy_mode)
        due = by_definition(dealt[:number], values, easy_mode)
        assert row == pytest.approx([due[name] for name in NAMES], abs=2e-5)
        for entry, value in zip(INPUTS, row, strict=True):
            assert entry.minimum is None or value >= entry.minimum, entry.name
            assert entry.maximum is None or value <= entry.maximum, entry.name
        state = state.after(user, bot, values)


def test_the_newest_round_is_minus_one() -> None:
    """Version 1 held the oldest of three rounds there."""
    state = FeatureState()
    for user, bot in ((ROCK, PAPER), (PAPER, PAPER), (SCISSORS, PAPER)):
        state = state.after(user, bot, NOW)
    row = dict(zip(FEATURE_NAMES, state.row(NOW), strict=True))
    assert [row[f"user_-1_{move}"] for move in MOVES] == [0, 0, 1]
    assert [row[f"user_-3_{move}"] for move in MOVES] == [1, 0, 0]
    assert [row[f"res_-1_{result}"] for result in ("win", "lose", "draw")] == [1, 0, 0]
    assert [row[f"res_-3_{result}"] for result in ("win", "lose", "draw")] == [0, 1, 0]
    assert (row["tend_favored"], row["tend_fav_beater"], row["tend_fav_beater_beater"]) == (1 / 3, 1 / 3, 1 / 3)
    assert (row["score_diff"], row["user_pts_to_win"], row["bot_pts_to_win"], row["step_no"]) == (0.5, 7.5, 8.0, 4.0)


@settings(deadline=None, max_examples=20)
@given(st.lists(hands, max_size=3), st.booleans())
def test_training_stateful_and_stateless_rows_are_equal(dealt: list[Hands], easy_mode: bool) -> None:
    games = [recorded(one, easy_mode) for one in dealt]
    found = parity_of(games)
    assert found.rows_compared == sum(max(0, len(game.rounds) - 3) for game in games)
    assert (found.rows_different, found.first_difference) == (0, None)


def test_a_difference_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that forgets the first rounds, as the first platform's did, is caught in its first row."""
    game = recorded([(ROCK, PAPER, NOW), (PAPER, PAPER, NOW), (ROCK, ROCK, NOW), (ROCK, ROCK, NOW), (PAPER, ROCK, NOW)])

    def forgetful(rounds: list, easy_mode: bool) -> list:
        return [row._replace(features=FeatureState().row(NOW)) for row in labelled_rows(rounds, easy_mode)]

    monkeypatch.setattr("esports_assets.windows.next_move.labelled_rows", forgetful)
    found = parity_of([game])
    assert (found.rows_compared, found.rows_different) == (2, 2)
    first = found.first_difference
    assert first is not None
    assert (first.game_id, first.step_no, first.feature) == ("g", 4, "user_-1_rock")
    assert (first.stateful, first.stateless, first.training) == (1.0, 1.0, 0.0)


@given(hands)
def test_labels_are_the_users_moves_from_the_fourth_round_on(dealt: Hands) -> None:
    game = recorded(dealt)
    rows = list(labelled_rows(played(game)))
    assert [(row.step_no, row.label) for row in rows] == [
        (entry.step_no, entry.user) for entry in game.rounds if entry.step_no >= FIRST_LABELLED_STEP
    ]
    for row in rows:
        assert row.features == features_at(played(game)[: row.step_no - 1], game.rounds[row.step_no - 1].values)


# --- what clients tell ----------------------------------------------------------------------------------------------

VALUES = NOW.by_move


@given(hands)
def test_results_tell_the_bots_moves(dealt: Hands) -> None:
    users, bots = [one[0].value for one in dealt], [one[1].value for one in dealt]
    results = [result_of(one[0], one[1]).value for one in dealt]
    before = [one[2].by_move for one in dealt]
    whole = history_of(users, bots, VALUES, values_before=before)
    assert history_of(users, [], VALUES, results=results, values_before=before) == whole
    assert history_of(users, bots, VALUES, results=results, values_before=before) == whole
    assert whole.assumed == ()


def test_what_is_not_told_is_assumed_and_named() -> None:
    told = history_of(["rock", "paper"], ["scissors", "rock"], VALUES)
    assert told.assumed == ("values_before", "scores")
    row = dict(zip(FEATURE_NAMES, told.row(), strict=True))
    assert (row["score_diff"], row["points_-1_scissors"]) == (2.5, 2.0)
    scored = history_of(["rock", "paper"], ["scissors", "rock"], VALUES, scores=(4.0, 1.5))
    assert scored.assumed == ("values_before",)
    row = dict(zip(FEATURE_NAMES, scored.row(easy_mode=True), strict=True))
    assert (row["score_diff"], row["user_pts_to_win"], row["bot_pts_to_win"], row["easy_mode"]) == (2.5, 6.0, 8.5, 1.0)
    assert history_of([], [], VALUES).assumed == ()


@pytest.mark.parametrize(
    ("users", "bots", "changed", "sentence"),
    [
        (["well"], ["rock"], {}, "'well' is no move; there are rock, paper, scissors"),
        (["rock"], [], {}, "0 moves of the bot are told for 1 of the user"),
        (["rock"], ["rock", "rock"], {}, "2 moves of the bot are told for 1 of the user"),
        (["rock"], ["rock"], {"results": ["won"]}, "'won' is no result; there are win, lose, draw"),
        (["rock"], ["rock"], {"results": ["win"]}, "round 1 is told as a win, but rock against rock is a draw"),
        (["rock"], [], {"results": ["win", "win"]}, "2 results are told for 1 moves of the user"),
        (["rock"], ["rock"], {"values_before": [VALUES, VALUES]}, "values of 2 earlier rounds are told for 1 moves"),
        (["rock"], ["rock"], {"values_now": {"rock": 1.0}}, "values of a round name rock, paper, scissors, not rock"),
        (
            ["rock"],
            ["rock"],
            {"scores": (math.nan, 0.0)},
            "the user has nan points: a score is a finite number of at least 0",
        ),
        (["rock"], ["rock"], {"scores": (0.0, -1.0)}, "the bot has -1.0 points"),
    ],
)
def test_histories_that_cannot_be(users: list[str], bots: list[str], changed: dict, sentence: str) -> None:
    with pytest.raises(HistoryError, match=sentence):
        history_of(users, bots, **{"values_now": VALUES, **changed})
