"""People's games from studies: both layouts, gaps, and rows that cannot be."""

import io
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esports_assets.adapters.base import SourceFile, UnreadableFile, WrongFormat
from esports_assets.adapters.rps.human import HumanRound, read_human
from esports_assets.games.rps.moves import MOVES

ROCK, PAPER, SCISSORS = MOVES


def _file(**columns: list[Any]) -> SourceFile:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return SourceFile("people.parquet", sink.getvalue())


def _bots(**changed: list[Any]) -> SourceFile:
    columns: dict[str, list[Any]] = {
        "game_id": ["g", "g", "g", "h"],
        "round_index": [2.0, 1.0, 3.0, 1.0],
        "player_id": ["ann", "ann", "ann", "bob"],
        "bot_strategy": ["copy", "copy", "copy", "win_stay"],
        "human_move": ["rock", "paper", "none", "scissors"],
        "bot_move": ["paper", "rock", "rock", None],
        "player_rt": [1, 2, 3, 4],
    }
    return _file(**(columns | changed))


def test_people_against_bots() -> None:
    reading = read_human(_bots())
    assert reading.refusals == ()
    ann, bob = reading.games
    assert (ann.game_id, ann.player, ann.opponent) == ("g", "ann", "copy")
    assert ann.rounds == (HumanRound(1, PAPER, ROCK), HumanRound(2, ROCK, PAPER), HumanRound(3, None, ROCK))
    assert ann.moves == ((PAPER, ROCK), (ROCK, PAPER))
    assert (bob.opponent, bob.rounds, bob.moves) == ("win_stay", (HumanRound(1, SCISSORS, None),), ())


def test_people_in_pairs_are_two_sequences_of_one_game() -> None:
    file = _file(
        game_id=["g", "g"],
        round_index=[1, 2],
        player1_id=["ann", "ann"],
        player2_id=["bob", "bob"],
        player1_move=["rock", "paper"],
        player2_move=["scissors", "paper"],
    )
    ann, bob = read_human(file).games
    assert (ann.game_id, ann.player, ann.opponent) == ("g", "ann", "human")
    assert (bob.game_id, bob.player, bob.opponent) == ("g", "bob", "human")
    assert ann.moves == ((ROCK, SCISSORS), (PAPER, PAPER))
    assert bob.moves == ((SCISSORS, ROCK), (PAPER, PAPER))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"human_move": ["rock", "well", "none", "rock"]},
            "'well' is no move; there are rock, paper, scissors and none",
        ),
        ({"round_index": [2.0, 2.0, 3.0, 1.0]}, "round 2 of game g stands in the file already"),
        ({"round_index": [2.0, 1.5, 3.0, 1.0]}, "round_index 1.5 is no number of a round"),
        ({"round_index": [2.0, float("inf"), 3.0, 1.0]}, "round_index inf is no number of a round"),
        ({"round_index": [2.0, None, 3.0, 1.0]}, "round_index None is no number of a round"),
        ({"player_id": ["ann", None, "ann", "bob"]}, "game, player or opponent is missing"),
    ],
)
def test_a_row_that_cannot_be_is_refused_alone(changed: dict[str, list[Any]], sentence: str) -> None:
    reading = read_human(_bots(**changed))
    assert [(refusal.place, refusal.reason) for refusal in reading.refusals] == [("row 1", sentence)]
    assert [len(game.rounds) for game in reading.games] == [2, 1]


def test_other_tables_are_refused_by_their_columns() -> None:
    with pytest.raises(
        WrongFormat, match=r"has the columns game_id, round_index, player1_id, .* or game_id, .*one has a"
    ):
        read_human(_file(a=[1]))
    with pytest.raises(UnreadableFile, match=r"people\.parquet: not a Parquet file that can be read"):
        read_human(SourceFile("people.parquet", b"PAR1 and no more"))


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "games", "people", "rounds", "complete"),
    [
        ("brockbank_v1_human_dyads", 62, 124, 36_030, 35_938),
        ("brockbank_v2_human_vs_bot", 217, 217, 65_100, None),
    ],
)
def test_the_real_files(real_data: Path, name: str, games: int, people: int, rounds: int, complete: int | None) -> None:
    reading = read_human(SourceFile.open(real_data / "rps_human" / f"{name}.parquet"))
    assert reading.refusals == ()
    assert len({game.game_id for game in reading.games}) == games
    assert len({game.player for game in reading.games}) == people
    assert sum(len(game.rounds) for game in reading.games) == rounds
    moves = Counter(own for game in reading.games for own, _ in game.moves)
    assert set(moves) == set(MOVES)
    assert complete is None or moves.total() == complete
    assert min(moves.values()) > 0.29 * moves.total()
