"""The window rps/next_move from canonical matches."""

from datetime import UTC, datetime
from itertools import product

import msgspec
import pytest
from future import tiny

from esports_assets.games.rps.contract import FEATURE_NAMES
from esports_assets.games.rps.events import match_of
from esports_assets.games.rps.opponents import OPPONENTS
from esports_assets.games.rps.record import RecordError
from esports_assets.games.rps.simulate import Pairing, simulate_game, simulate_games
from esports_assets.windows.next_move import NEXT_MOVE, next_move_table, next_moves_table
from esports_assets.windows.next_move_parity import parity_of

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)


def test_a_row_per_round_from_the_fourth_on() -> None:
    (game,) = simulate_games(Pairing(OPPONENTS["dan"], OPPONENTS["cal"], is_test=True), 1, 3, NOON)
    table = next_move_table(match_of(game))
    rows = table.to_pylist()
    assert table.schema.equals(NEXT_MOVE.table.arrow)
    assert [row["segment"] for row in rows] == list(range(4, len(game.rounds) + 1))
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    assert [row["next_move"] for row in rows] == [entry.user.value for entry in game.rounds[3:]]
    assert {(row["match_id"], row["player"], row["bot"], row["is_test"], row["simulated"]) for row in rows} == {
        ("rps.sim:dan-cal-3:dan-cal-3-0", "dan", "cal", True, True)
    }
    assert [row["step_no"] for row in rows] == [float(row["segment"]) for row in rows]
    assert all(row[name] is not None for row in rows for name in FEATURE_NAMES)


def test_a_game_of_three_rounds_has_no_row() -> None:
    (game,) = simulate_games(Pairing(OPPONENTS["dan"], OPPONENTS["cal"]), 1, 3, NOON)
    short = msgspec.structs.replace(game, rounds=game.rounds[:3])
    assert next_move_table(match_of(short)).num_rows == 0
    assert next_moves_table([]).num_rows == 0


def test_many_matches_are_one_table() -> None:
    matches = [match_of(game) for game in simulate_games(Pairing(OPPONENTS["gus"], OPPONENTS["bob"]), 5, 3, NOON)]
    both = next_moves_table(matches).to_pylist()
    assert both == [row for match in matches for row in next_move_table(match).to_pylist()]


def test_a_match_of_another_title_is_refused() -> None:
    with pytest.raises(RecordError, match="the start tells no game"):
        next_move_table(tiny())


def test_no_row_of_any_pairing_differs() -> None:
    """Small; ``benchmarks/rps_parity.py`` is the same over a hundred thousand rows."""
    pairs = product(OPPONENTS.values(), OPPONENTS.values())
    games = [simulate_game(Pairing(*pair, gambits=bool(n % 2)), 11, n, NOON) for n, pair in enumerate(pairs)]
    found = parity_of(games)
    assert found.rows_compared == sum(len(game.rounds) - 3 for game in games) > 500
    assert (found.rows_different, found.first_difference) == (0, None)
