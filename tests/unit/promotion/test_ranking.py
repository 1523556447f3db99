"""Challengers change places only when paired scores show it."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.promotion.ranking import Paired, Superior, ranked, superiority
from esports_assets.promotion.sequential import Terms


def paired(version: int, other: int, gain: float, games: int = 400, seed: int = 0) -> Paired:
    rng = np.random.default_rng(seed)
    return Paired(version, other, np.clip(rng.normal(gain, 0.08, games), -1, 1))


def duels(order: Sequence[int], skill: dict[int, float], games: int = 600) -> list[Paired]:
    pairs = [(a, b) for a, b in permutations(order, 2) if a < b]
    return [paired(a, b, skill[a] - skill[b], games, seed=k) for k, (a, b) in enumerate(pairs)]


def test_nothing_shown_changes_nothing() -> None:
    assert ranked([5, 6, 7], []) == ranked([5, 6, 7], duels([5, 6, 7], {5: 0, 6: 0, 7: 0.0}))
    assert ranked([5, 6, 7], [paired(7, 5, 0.5, games=3)]).order == (5, 6, 7)
    assert ranked([], []).order == ()


def test_the_better_moves_right_above_the_worse() -> None:
    found = ranked([5, 6, 7], [paired(7, 5, 0.05), paired(6, 5, 0.0), paired(6, 7, 0.0)])
    assert found.order == (7, 5, 6)
    assert len(found.reasons) == 1
    assert found.reasons[0].startswith("v7 predicts better than v5, by 0.0")
    assert found.reasons[0].endswith("over 400 games.")
    assert ranked([5, 6, 7], [paired(5, 7, -0.05)]).order == (7, 5, 6)


def test_full_evidence_gives_the_order_of_skill() -> None:
    skill = {5: 0.0, 6: 0.1, 7: 0.2}
    for order in permutations((5, 6, 7)):
        assert ranked(order, duels(order, skill)).order == (7, 6, 5)


def test_versions_that_are_no_challengers_any_more_say_nothing() -> None:
    assert ranked([5, 6], [paired(9, 5, 0.3), paired(6, 9, 0.3)]).order == (5, 6)


@given(st.permutations([1, 2, 3]), st.lists(st.sampled_from(list(permutations((1, 2, 3), 2))), unique=True))
def test_whoever_moves_up_is_shown_to_be_better_than_whom_he_moves_above(
    order: list[int], shown: list[tuple[int, int]]
) -> None:
    one_way = [pair for pair in shown if (pair[1], pair[0]) not in shown]
    found = ranked(order, [Paired(a, b, np.full(300, 0.2)) for a, b in one_way])
    assert sorted(found.order) == [1, 2, 3]
    if found.order != tuple(order):
        assert found.reasons
        first = found.order[0]
        assert first == order[0] or any(pair[0] == first for pair in one_way)


def test_whatever_is_shown_without_contradiction_holds_in_the_order() -> None:
    """Every order of three, and every set of shown pairs that some order agrees with."""
    for agreed in permutations((1, 2, 3)):
        pairs = [(agreed[0], agreed[1]), (agreed[0], agreed[2]), (agreed[1], agreed[2])]
        for chosen in range(8):
            shown = [pair for k, pair in enumerate(pairs) if chosen >> k & 1]
            paired_games = [Paired(a, b, np.full(300, 0.2)) for a, b in shown]
            for order in permutations((1, 2, 3)):
                found = ranked(order, paired_games).order
                assert all(found.index(a) < found.index(b) for a, b in shown), (order, shown)
                if all(order.index(a) < order.index(b) for a, b in shown):
                    assert found == order


def test_evidence_in_a_circle_moves_nobody_past_his_better() -> None:
    circle = [Paired(a, b, np.full(300, 0.2)) for a, b in ((1, 2), (2, 3), (3, 1))]
    assert ranked([1, 2, 3], circle).order == (1, 2, 3)
    assert ranked([2, 1, 3], circle).order == (1, 2, 3)


def test_the_direction_and_the_size_are_told() -> None:
    found = superiority(Paired(1, 2, np.full(100, -0.25)), 3)
    assert isinstance(found, Superior)
    assert (found.better, found.worse, found.games, found.gain) == (2, 1, 100, 0.25)
    assert found.log_e > np.log(6 / 0.05)


def test_equal_challengers_rarely_change_places() -> None:
    """At a level of 0.2, so that 150 orders can tell; the truth lies below it."""
    terms = Terms(ranking_alpha=0.2)
    moved = 0
    for trial in range(150):
        rng = np.random.default_rng(trial)
        scores = rng.normal(0, 0.06, (120, 3))
        pairs = [Paired(a, b, scores[:, b] - scores[:, a]) for a, b in ((0, 1), (0, 2), (1, 2))]
        moved += ranked([0, 1, 2], pairs, terms).order != (0, 1, 2)
    assert moved / 150 <= 0.2


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="twice in the order"):
        ranked([1, 1], [])
    with pytest.raises(ValueError, match="cannot be compared with itself"):
        Paired(1, 1, np.zeros(1))
    with pytest.raises(ValueError, match="between -1 and 1"):
        Paired(1, 2, np.array([1.5]))
