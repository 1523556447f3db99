"""The algebra of GRID's state tree."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.adapters.grid import raw
from esports_assets.adapters.grid.state import MAX_DEPTH, TooDeep, apply_delta, disagreements, overlay

NAMES = st.sampled_from(["money", "kills", "score", "currentHealth", "clock", "teams", "players"])
COUNTS = st.integers(-(10**9), 10**9)


def _trees(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def elements(child: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        entries = st.dictionaries(st.sampled_from("abcd"), st.dictionaries(NAMES, child, max_size=3), max_size=3)
        return entries.map(lambda found: [{"id": key, **value} for key, value in found.items()])

    return st.recursive(leaf, lambda child: st.dictionaries(NAMES, child, max_size=4) | elements(child), max_leaves=12)


STATES = st.dictionaries(NAMES, _trees(COUNTS), min_size=1, max_size=5)


@st.composite
def _state_and_delta(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A state and a delta that changes some of its numbers, of the same shape."""
    state = draw(STATES)

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {k: v for k, v in value.items() if k == "id" or draw(st.booleans())}
            return {k: v if k == "id" else change(v) for k, v in kept.items()}
        if isinstance(value, list):
            return [change(element) for element in value]
        return draw(COUNTS)

    return state, change(state)


def _inverse(delta: Any) -> Any:
    """The delta of a `!` event: every number with its sign turned."""
    if isinstance(delta, dict):
        return {k: v if k == "id" else _inverse(v) for k, v in delta.items()}
    return [_inverse(element) for element in delta] if isinstance(delta, list) else -delta


@given(_state_and_delta())
def test_a_delta_and_its_inverse_are_the_identity(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    state, delta = pair
    changed = copy.deepcopy(state)
    apply_delta(changed, delta)
    assert list(disagreements(state, delta, changed)) == []
    apply_delta(changed, _inverse(delta))
    assert changed == state


def test_numbers_are_added_and_everything_else_replaces() -> None:
    state = {"money": 800, "side": "attacker", "won": False, "clock": {"currentSeconds": 20}}
    apply_delta(state, {"money": -300, "side": "defender", "won": True, "clock": {"currentSeconds": 95}})
    assert state == {"money": 500, "side": "defender", "won": True, "clock": {"currentSeconds": 115}}


def test_a_sequence_number_names_and_is_never_added() -> None:
    state = {"segments": [{"id": "round-4", "sequenceNumber": 4, "kills": 1}]}
    apply_delta(state, {"segments": [{"id": "round-4", "sequenceNumber": 4, "kills": 1}]})
    assert state == {"segments": [{"id": "round-4", "sequenceNumber": 4, "kills": 2}]}


def test_lists_change_by_id_and_an_empty_state_path_leaves() -> None:
    state = {"items": [{"id": "knife"}, {"id": "hkp2000", "equipped": True}]}
    apply_delta(state, {"items": [{"id": "hkp2000", "statePath": []}, {"id": "elite", "equipped": True}]})
    assert state == {"items": [{"id": "knife"}, {"id": "elite", "equipped": True}]}


def test_a_partial_state_is_laid_over_and_replaces_values() -> None:
    state = {"id": "1", "teams": [{"id": "7", "money": 10, "score": 3}, {"id": "8", "money": 20}]}
    overlay(state, {"teams": [{"id": "7", "money": 15}, {"id": "9", "money": 1}]})
    assert state["teams"] == [{"id": "7", "money": 15, "score": 3}, {"id": "8", "money": 20}, {"id": "9", "money": 1}]


def test_a_disagreement_names_its_place() -> None:
    before, after = {"teams": [{"id": "7", "money": 800}]}, {"teams": [{"id": "7", "money": 600}]}
    found = list(disagreements(before, {"teams": [{"id": "7", "money": -300}]}, after))
    assert found == ["teams[7].money: 800 + -300 is not 600"]


def test_a_ticking_clock_is_not_compared() -> None:
    """A state shows the clock as it ticks; a delta counts from where it was set."""
    assert list(disagreements({"currentSeconds": 1}, {"currentSeconds": 95}, {"currentSeconds": 115})) == []


@pytest.mark.parametrize("change", [apply_delta, overlay])
def test_nesting_beyond_any_real_tree_is_refused(change: Any) -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_DEPTH + 2):
        deep = {"a": deep}
    with pytest.raises(TooDeep, match="deeper than 40"):
        change({}, deep)


def test_names_of_2023_and_2025_read_alike() -> None:
    old = {"inventoryValue": 900, "items": [{"id": "ak47", "equipped": True}], "position": None}
    new = {"loadoutValue": 900, "inventory": {"items": [{"id": "ak47", "equipped": 1}]}, "position": {"x": 1, "y": 2.5}}
    for player in (old, new):
        assert (raw.equipment_value(player), raw.items(player)) == (900, ["ak47"])
    assert (raw.position(old), raw.position(new)) == (None, [1.0, 2.5, 0.0])


def test_weapon_kills_are_a_dict_in_events_and_a_list_in_end_states() -> None:
    assert raw.weapon_kills({"vandal": 2}) == {"vandal": 2}
    assert raw.weapon_kills([{"weaponName": "vandal", "count": 2}]) == {"vandal": 2}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("PT28.568S", 28.568),
        ("PT0S", 0.0),
        ("PT1H2M3S", 3723.0),
        ("P1DT1S", 86401.0),
        ("P", None),
        ("28", None),
        (28, None),
    ],
)
def test_iso_durations(written: Any, seconds: float | None) -> None:
    assert raw.duration_s(written) == seconds


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), "3", None, [1]])
def test_only_finite_numbers_are_numbers(value: Any) -> None:
    assert raw.number(value) is None
