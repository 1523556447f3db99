"""The mixture of experts and its parts: what they expect of plain opponents, and what holds for any rounds."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.games.rps.experts.counting import CountingExperts
from esports_assets.games.rps.experts.matching import LONGEST, MatchingExperts
from esports_assets.games.rps.experts.mixture import CAUSES, ROTATED, ExpertMixture
from esports_assets.games.rps.experts.settings import DefenceSettings, MixtureSettings

ROUNDS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=40)


@given(ROUNDS)
@settings(max_examples=60, deadline=None)
def test_probabilities_are_a_distribution_before_every_round(rounds: list[tuple[int, int]]) -> None:
    mixture = ExpertMixture()
    for own, other in rounds:
        mixture.update(own, other)
        told = mixture.predict()
        assert all(0 < p < 1 for p in told)
        assert sum(told) == pytest.approx(1.0, abs=1e-12)


@given(ROUNDS, st.integers(1, 2))
@settings(max_examples=30, deadline=None)
def test_renaming_all_moves_in_a_circle_renames_the_prediction(rounds: list[tuple[int, int]], shift: int) -> None:
    plain, renamed = ExpertMixture(), ExpertMixture()
    for own, other in rounds:
        plain.update(own, other)
        renamed.update((own + shift) % 3, (other + shift) % 3)
    told = plain.predict()
    assert renamed.predict() == pytest.approx([told[(move - shift) % 3] for move in range(3)], abs=1e-9)


def test_nothing_is_known_before_the_first_round() -> None:
    assert ExpertMixture().predict() == pytest.approx((1 / 3, 1 / 3, 1 / 3), abs=1e-12)


@pytest.mark.parametrize(
    ("other", "least"),
    [
        pytest.param(lambda n, own: 1, 0.85, id="always paper"),
        pytest.param(lambda n, own: n % 3, 0.85, id="rotates"),
        pytest.param(lambda n, own: (own[-1] + 1) % 3 if own else 0, 0.85, id="beats the last move"),
        pytest.param(lambda n, own: own[-2] if n > 1 else 0, 0.6, id="copies two rounds back"),
        pytest.param(lambda n, own: (0, 0, 1, 2, 1, 1, 2)[n % 7], 0.85, id="a cycle of seven"),
    ],
)
def test_plain_opponents_are_read_within_forty_rounds(other: Callable[[int, list[int]], int], least: float) -> None:
    rng, mixture, own = random.Random(5), ExpertMixture(), list[int]()
    for n in range(60):
        move = other(n, own)
        if n >= 40:
            assert mixture.predict()[move] > least, n
        own.append(rng.randrange(3))
        mixture.update(own[-1], move)


def test_an_opponent_who_changes_is_read_again() -> None:
    mixture, rng = ExpertMixture(), random.Random(1)
    for n in range(300):
        mixture.update(rng.randrange(3), 0 if n < 270 else 2)
    assert mixture.predict()[2] > 0.8


@pytest.mark.parametrize(("own", "other"), [(3, 0), (0, -1), (None, 1)])
def test_anything_but_a_move_is_refused(own: int, other: int) -> None:
    with pytest.raises(ValueError, match="A move is 0"):
        ExpertMixture().update(own, other)


def test_rotations_say_what_beats_a_move_and_what_it_came_from() -> None:
    rock = np.array([1.0, 0.0, 0.0])
    assert [int(rock[ROTATED[r]].argmax()) for r in range(3)] == [0, 1, 2]
    assert [[(cause + r) % 3 for r, cause in enumerate(causes)] for causes in CAUSES] == [[0] * 3, [1] * 3, [2] * 3]


def test_frequencies_are_smoothed_decayed_shares() -> None:
    plan = MixtureSettings(other_orders=(), own_orders=(), joint_orders=(), count_decays=(1.0, 0.5), smoothing=0.5)
    counting = CountingExperts(plan)
    for own, other in ((2, 0), (2, 0), (0, 1)):
        counting.update(own, other)
    told = counting.probabilities()
    assert told[0, 0] == pytest.approx([2.5 / 4.5, 1.5 / 4.5, 0.5 / 4.5])
    assert told[1, 0] == pytest.approx([1.25 / 3.25, 1.5 / 3.25, 0.5 / 3.25])
    assert told[0, 1] == pytest.approx([1.5 / 4.5, 0.5 / 4.5, 2.5 / 4.5])


def test_a_chain_counts_what_followed_on_the_same_rounds() -> None:
    plan = MixtureSettings(other_orders=(2,), own_orders=(), joint_orders=(1,), count_decays=(1.0,), smoothing=1.0)
    counting = CountingExperts(plan)
    rounds = [(0, 1), (1, 2), (2, 0), (0, 1), (1, 2), (2, 2), (0, 1), (1, 2)]
    for own, other in rounds:
        counting.update(own, other)
    after_paper_scissors, after_own_paper_against_scissors = (
        counting.probabilities()[1, 0],
        counting.probabilities()[2, 0],
    )
    assert after_paper_scissors == pytest.approx([2 / 5, 1 / 5, 2 / 5])
    assert after_own_paper_against_scissors == pytest.approx([2 / 5, 1 / 5, 2 / 5])


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=60), st.sampled_from([5, 16, 200])
)
@settings(max_examples=80, deadline=None)
def test_the_longest_match_is_that_of_a_plain_search(rounds: list[tuple[int, int]], window: int) -> None:
    matching = MatchingExperts(window, decay=1.0)
    for own, other in rounds:
        matching.update(own, other)
    views = ([o for _, o in rounds], [w for w, _ in rounds], rounds)
    assert matching._found == [_searched(view, rounds, window) for view in views]


def _searched(view: list, rounds: list[tuple[int, int]], window: int) -> tuple[int, int, int]:  # type: ignore[type-arg]
    lengths = {}
    for back in range(1, min(len(view), window) + 1):
        then = len(view) - back
        length = 0
        while length < then and view[then - 1 - length] == view[-1 - length]:
            length += 1
        lengths[back] = length
    best = max(lengths, key=lambda back: (lengths[back], -back))
    own, other = rounds[-best]
    return min(lengths[best], LONGEST), other, own


def test_a_match_that_is_always_answered_is_expected_to_be() -> None:
    """The other player avoids its past: after a stretch it plays what beats the move that followed last time."""
    matching = MatchingExperts(64, decay=1.0)
    moves = [0, 1, 2, 2]
    while len(moves) < 60:
        found = MatchingExperts(64, decay=1.0)
        for move in moves:
            found.update(0, move)
        moves.append((found._found[0][1] + 1) % 3)
    for move in moves[:-1]:
        matching.update(0, move)
    assert int(matching.probabilities()[0, 0].argmax()) == moves[-1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"count_decays": ()}, "count_decays must be above 0"),
        ({"evidence_decays": (1.2,)}, "evidence_decays must be above 0 and at most 1"),
        ({"joint_orders": (0,)}, "joint_orders must be 1 or more"),
        ({"smoothing": 0.0}, "smoothing must be above 0"),
        ({"window": 1}, "window must be 2 rounds or more"),
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MixtureSettings(**wrong)  # type: ignore[arg-type]


def test_defence_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="budget must be above 0"):
        DefenceSettings(budget=0)
    with pytest.raises(ValueError, match="credit must not be negative"):
        DefenceSettings(credit=-1)
