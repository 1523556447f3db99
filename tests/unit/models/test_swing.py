"""Win probability added, by hand."""

import pyarrow as pa
import pytest

from esports_assets.models.swing import player_swings, swings

TABLE = pa.table(
    {
        "match_id": ["m", "m", "m", "m", "m"],
        "segment": pa.array([1, 1, 1, 2, 2], pa.int16()),
        "row_kind": ["second", "event", "event", "second", "event"],
        "event_type": [None, "KILL", "BOMB_PLANTED", None, "KILL"],
        "actor": [None, "anna", "boris", None, "boris"],
        "target": [None, "boris", None, None, "anna"],
        "p_ct": [0.5, 0.7, 0.55, 0.6, 0.3],
    }
)
SIDES = {("m", s, name): side for s in (1, 2) for name, side in (("anna", "ct"), ("boris", "t"))}


def test_swings_start_anew_in_every_round_and_add_up() -> None:
    assert swings(TABLE) == pytest.approx([0, 0.2, -0.15, 0, -0.3])


def test_players_get_what_helps_their_side() -> None:
    boris, anna = player_swings(TABLE, SIDES)
    assert (boris.player, boris.added, boris.conceded) == ("boris", pytest.approx(0.45), pytest.approx(0.2))
    assert (boris.acted, boris.suffered) == (2, 1)
    assert (anna.player, anna.added, anna.conceded) == ("anna", pytest.approx(0.2), pytest.approx(0.3))
    assert anna.net == pytest.approx(-0.1)


def test_a_player_without_a_side_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        player_swings(TABLE, {})


def test_no_rows_no_swings() -> None:
    assert len(swings(TABLE.slice(0, 0))) == 0
