"""Which games of the next move are learned from and which judge, and folds that stay."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_moves import people

from esports_assets.models.rows import TooLittleData
from esports_assets.models.rps.lineage import Lineage, learn_lineage, lineage_from_bytes, lineage_to_bytes
from esports_assets.models.rps.softmax import Softmax
from esports_assets.models.rps.training_rows import FOLDS, PlayedGame, choose_games, fold_of_rows, folds_of
from esports_assets.windows.next_move import NEXT_MOVE


def played(number: int, player: str = "dan", simulated: bool = False, rows: int = 10, test: bool = False) -> PlayedGame:
    return PlayedGame(f"g{number:03d}", player, f"2026-05-{1 + number % 28:02d}", rows, simulated, test)


def ids(games: Sequence[PlayedGame]) -> set[str]:
    return {game.match_id for game in games}


def test_people_first_and_every_fifth_scripted_game_beside_them() -> None:
    people_games = [played(n, f"person {n}") for n in range(4)]
    scripted = [played(n, "cal") for n in range(10, 20)]
    tests = [played(n, "ann", test=True) for n in range(20, 24)]
    chosen = choose_games([*scripted, *people_games, *tests])
    assert ids(chosen.games) == ids(people_games) | {"g019", "g014"}
    assert chosen.judging == ids(people_games)
    assert not chosen.simulated
    alone = choose_games(scripted)
    assert ids(alone.games) == alone.judging == ids(scripted)
    assert not alone.simulated
    assert choose_games([played(1, simulated=True)]).simulated
    assert choose_games(tests).games == ()


@given(st.permutations(range(12)), st.integers(1, 120))
def test_the_newest_whole_games_count(order: list[int], most: int) -> None:
    games = [played(n, f"p{n}") for n in order]
    chosen = choose_games(games, most)
    assert chosen.rows <= most
    assert [game.match_id for game in chosen.games] == [f"g{n:03d}" for n in range(12)][12 - len(chosen.games) :]
    assert len(chosen.games) == min(12, most // 10)


def test_a_persons_games_share_a_fold_and_keep_it() -> None:
    games = [played(n, "ann" if n % 2 else f"person {n}") for n in range(30)]
    folds = folds_of(choose_games(games))
    assert len({folds[f"g{n:03d}"] for n in range(1, 30, 2)}) == 1
    assert set(folds.values()) == set(range(FOLDS))
    fewer = folds_of(choose_games(games[:9]))
    assert fewer == {name: folds[name] for name in fewer}


def test_a_fold_never_meets_its_own_games_however_often_it_goes_on() -> None:
    """Other labels in a fold change every model but that fold's, in the second training as in the first."""
    rows = people(9).any
    fold = fold_of_rows(rows, {name: n % 3 for n, name in enumerate(rows.match_ids)})
    family = Softmax()

    def twice() -> Lineage:
        first = learn_lineage(family, rows, fold, 3, 0, None)
        return learn_lineage(
            family, rows, fold, 3, 0, lineage_from_bytes(family, lineage_to_bytes(family, first), rows)
        )

    before = twice()
    rows.y[fold == 1] = (rows.y[fold == 1] + 1) % 3
    after = twice()
    changed = [
        not np.allclose(a.margins(rows.x), b.margins(rows.x)) for a, b in zip(before.folds, after.folds, strict=True)
    ]
    assert changed == [True, False, True]
    told = after.out_of_fold(rows, fold)
    assert np.allclose(told.z[fold == 2], after.folds[2].margins(rows.x[fold == 2]), atol=1e-5)


def test_an_empty_fold_is_said() -> None:
    rows = people(4).any
    with pytest.raises(TooLittleData, match="each of 3 folds needs a game; there is none in fold 2"):
        learn_lineage(Softmax(), rows, np.zeros(len(rows), dtype=np.int64) + (rows.match % 2), 3, 0, None)
    assert rows.features == NEXT_MOVE.features
