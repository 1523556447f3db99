"""A match is whole in every split, whatever the matches are."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.models.split import MatchInfo, chronological, grouped_folds, production

MATCHES = st.lists(
    st.tuples(st.sampled_from(["dust2", "nuke", "mirage"]), st.integers(1, 28), st.integers(1, 3000)),
    min_size=5,
    max_size=60,
).map(lambda found: [MatchInfo(f"m{i}", name, f"2026-06-{day:02d}", n) for i, (name, day, n) in enumerate(found)])


@given(MATCHES, st.integers(2, 5), st.integers(0, 1000))
def test_folds_hold_every_match_exactly_once(matches: list[MatchInfo], k: int, seed: int) -> None:
    folds = grouped_folds(matches, k, seed)
    assert len(folds) == k
    assert sorted(np.concatenate(folds).tolist()) == list(range(len(matches)))
    assert all(len(fold) for fold in folds)
    again = grouped_folds(matches, k, seed)
    assert all((a == b).all() for a, b in zip(folds, again, strict=True))


@given(MATCHES, st.integers(0, 1000))
def test_production_split_is_disjoint_and_complete(matches: list[MatchInfo], seed: int) -> None:
    kept, held_out = production(matches, seed)
    assert len(kept)
    assert len(held_out)
    assert sorted([*kept.tolist(), *held_out.tolist()]) == list(range(len(matches)))


@given(MATCHES)
def test_chronological_parts_never_go_back_in_time(matches: list[MatchInfo]) -> None:
    parts = chronological(matches)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(matches)))
    for before, after in pairwise(parts):
        latest = max((matches[i].day, matches[i].match_id) for i in before)
        assert latest < min((matches[i].day, matches[i].match_id) for i in after)


def test_chronological_cuts_at_the_shares() -> None:
    matches = [MatchInfo(f"m{i}", "nuke", f"2026-06-{10 - i:02d}", 5) for i in range(10)]
    assert [part.tolist() for part in chronological(matches)] == [[4, 5, 6, 7, 8, 9], [2, 3], [0, 1]]


def test_folds_spread_maps_and_rows() -> None:
    matches = [MatchInfo(f"m{i}", ("nuke", "dust2")[i % 2], "2026-06-01", 100 + i) for i in range(16)]
    for fold in grouped_folds(matches, 4, seed=3):
        assert sorted(matches[i].map for i in fold) == ["dust2", "dust2", "nuke", "nuke"]


def test_too_few_matches_are_refused() -> None:
    one = [MatchInfo("m", "nuke", "2026-06-01", 5)]
    with pytest.raises(ValueError, match="1 matches cannot be cut into 2 folds"):
        grouped_folds(one, 2, 0)
    with pytest.raises(ValueError, match="cannot be cut into 3 parts"):
        chronological(one)
