"""MOMENTUM_SHIFT: which rises are told, once, with what facts and what confidence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_rounds import INFO, PLAYERS, ROUND_US, VOICE, ZERO_US, chances, ev, facts, over, rows

from esports_assets.canonical.clock import from_utc_us
from esports_assets.canonical.signal import AgentSignal, SignalType, decode, encode
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.signals.momentum import Memory, of_end, of_rows
from esports_assets.signals.moves import Move, credits_of, decision_of, merged, moves_of
from esports_assets.signals.shift import SIZE, WITHIN_S
from esports_assets.windows.registry import ROUND_STATE

KILL, DAMAGE = EventType.KILL, EventType.DAMAGE


def shifts(p: list[float], t: list[float] | None = None, half: float = 0.05) -> list[AgentSignal]:
    told = rows([float(s) for s in range(len(p))] if t is None else t)
    return of_rows(Memory(), told, chances(p, half))


def test_a_rise_that_is_large_and_clear_of_the_intervals() -> None:
    hurt, kill = ev(3.0, DAMAGE, "a1", "b1", health_after=0), ev(3.0, KILL, "a1", "b1")
    told = rows([0.0, 1.0, 2.0, hurt, kill, 3.0])
    (signal,) = of_rows(Memory(), told, chances([0.5, 0.4, 0.45, 0.60, 0.85, 0.85]))
    assert (signal.type, signal.team, signal.player_id) == (SignalType.MOMENTUM_SHIFT, "alpha", None)
    assert (signal.segment, signal.t) == (1, 3.0)
    assert signal.event_ts == from_utc_us(ZERO_US + ROUND_US + 3_000_000)
    assert signal.confidence == pytest.approx((0.85 - 0.4) / (1 - 0.4))
    names = ("p_before", "p_before_lo", "p_before_hi", "p_after", "p_after_lo", "p_after_hi", "rise", "took_s")
    assert [signal.features[name] for name in names] == pytest.approx([0.4, 0.35, 0.45, 0.85, 0.80, 0.90, 0.45, 2.0])
    assert [(fact.event_id, fact.delta) for fact in signal.explanation] == [
        (None, pytest.approx(0.45)),
        (kill.event_id, pytest.approx(0.40)),  # the damage that killed is part of the kill
        (None, pytest.approx(0.05)),
    ]
    assert signal.explanation[0].text == (
        "The chance of alpha to win the round rose from 0.40 [0.35, 0.45] to 0.85 [0.80, 0.90] in 2.0 s."
    )
    assert signal.explanation[1].text == "a1 killed b1 at 3.0 s"
    assert signal.entities == ("alpha", "a1", "b1")
    assert (signal.model_info, signal.window_fingerprint) == (INFO, ROUND_STATE.fingerprint)
    assert decode(encode(signal)) == signal


def test_a_fall_is_the_other_teams_rise() -> None:
    plant = ev(1.5, EventType.BOMB_PLANTED, "b2")
    (signal,) = of_rows(Memory(), rows([1.0, plant]), chances([0.8, 0.3]))
    assert signal.team == "beta"
    assert signal.features["p_before"] == pytest.approx(0.2)
    assert signal.features["p_after_lo"] == pytest.approx(0.65)
    assert [fact.delta for fact in signal.explanation] == pytest.approx([0.5, 0.5, 0.0])
    assert signal.explanation[1].text == "b2 planted the bomb at 1.5 s"


@pytest.mark.parametrize(
    ("p", "half", "told"),
    [
        ([0.3, 0.3 + SIZE + 0.001], 0.05, 1),
        ([0.3, 0.3 + SIZE - 0.001], 0.05, 0),  # too small
        ([0.3, 0.8], 0.249, 1),
        ([0.3, 0.8], 0.251, 0),  # the intervals touch
        ([0.3, 0.5, 0.7], 0.05, 1),  # in two steps
        ([0.9, 0.5, 0.3], 0.05, 1),
    ],
)
def test_size_and_intervals_decide(p: list[float], half: float, told: int) -> None:
    assert len(shifts(p, half=half)) == told


def test_only_what_is_near_in_time_is_compared() -> None:
    assert len(shifts([0.3, 0.8], [0.0, WITHIN_S])) == 1
    assert shifts([0.3, 0.8], [0.0, WITHIN_S + 0.01]) == []


def test_an_instant_counts_as_a_whole() -> None:
    """Between the damage and the kill of one instant the chance is nobody's."""
    told = rows([1.0, ev(2.0, DAMAGE, "a1", "b1"), ev(2.0, KILL, "a1", "b1")])
    assert of_rows(Memory(), told, chances([0.3, 0.9, 0.4])) == []


def test_a_swing_is_told_once_and_the_next_needs_its_own_size() -> None:
    assert [s.t for s in shifts([0.1, 0.5, 0.55, 0.6, 0.5, 0.58])] == [1.0]
    assert [s.t for s in shifts([0.1, 0.5, 0.55, 0.95])] == [1.0, 3.0]
    back = shifts([0.1, 0.5, 0.1])
    assert [(s.t, s.team) for s in back] == [(1.0, "alpha"), (2.0, "beta")]
    assert len({s.signal_id for s in back}) == 2


def test_nothing_is_compared_across_rounds_or_models() -> None:
    memory = Memory()
    of_rows(memory, rows([1.0]), chances([0.1]))
    assert of_rows(memory, rows([0.0], segment=2), chances([0.9])) == []
    other = chances([0.1]).voice.__class__({**INFO, "model_version": "4"}, "v4", VOICE.fingerprint)
    assert of_rows(memory, rows([1.0], segment=2), chances([0.1], voice=other)) == []
    (signal,) = of_rows(memory, rows([2.0], segment=2), chances([0.9], voice=other))
    assert signal.model_info["model_version"] == "4"


def test_a_model_without_an_interval_shifts_nothing() -> None:
    wide = chances([0.1, 0.9])
    bare = type(wide)(wide.p, None, None, wide.voice)
    assert of_rows(Memory(), rows([1.0, 2.0]), bare) == []


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0.02, 0.98)), min_size=2, max_size=40),
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
)
def test_parts_of_any_length_say_the_same(steps: list[tuple[int, float]], sizes: list[int]) -> None:
    t = np.cumsum([step for step, _ in steps]).astype(float).tolist()
    events = [ev(s, KILL, PLAYERS[i % 4], PLAYERS[(i + 1) % 4], n=i) for i, s in enumerate(t)]
    p = [chance for _, chance in steps]
    whole = of_rows(Memory(), rows(events), chances(p))
    memory, parts, begin, k = Memory(), [], 0, 0
    while begin < len(t):
        end = min(begin + sizes[k % len(sizes)], len(t))
        while end < len(t) and t[end] == t[end - 1]:  # an instant becomes final as a whole
            end += 1
        parts += of_rows(memory, rows(events[begin:end]), chances(p[begin:end]))
        begin, k = end, k + 1
    assert [encode(signal) for signal in parts] == [encode(signal) for signal in whole]
    for signal in whole:
        total, *facts_ = (fact.delta or 0.0 for fact in signal.explanation)
        assert sum(facts_) == pytest.approx(total, abs=1e-9)
        assert 0.0 < (signal.confidence or 0.0) <= 1.0
        assert signal.features["p_after_lo"] > signal.features["p_before_hi"] - 1e-6


# --- moves ------------------------------------------------------------------------------------------------------------


def test_a_move_is_the_difference_to_the_row_before() -> None:
    told = rows([0.0, ev(0.5, KILL, "a1", "b1"), 1.0])
    assert [move.delta for move in moves_of(told, np.array([0.4, 0.6, 0.55]), None)] == pytest.approx([0.0, 0.2, -0.05])
    assert [move.delta for move in moves_of(told, np.array([0.4, 0.6, 0.55]), 0.5)] == pytest.approx([-0.1, 0.2, -0.05])


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (Move(1.0, 0.2, "e", KILL, 0, 2), [(0, 0.2, True), (2, -0.2, False)]),
        (Move(1.0, -0.3, "e", KILL, 2, 0), [(2, 0.3, True), (0, -0.3, False)]),
        (Move(1.0, -0.1, "e", KILL, 0, 1), [(0, -0.1, True), (1, 0.1, False)]),  # his own mate
        (Move(1.0, 0.1, "e", EventType.BOMB_DEFUSED, 1), [(1, 0.1, True)]),
        (Move(1.0, 0.1, "e", EventType.BLIND, 1, 2), [(1, 0.1, True)]),
        (Move(1.0, -0.1, "e", EventType.DEATH, -1, 0), []),
        (Move(1.0, -0.1, "e", EventType.BOMB_EXPLODED, 2), []),
        (Move(1.0, -0.1), []),
    ],
)
def test_who_is_credited(move: Move, expected: list[tuple[int, float, bool]]) -> None:
    assert list(credits_of(move, facts())) == expected


def test_the_damage_that_killed_is_part_of_the_kill() -> None:
    moves = [
        Move(1.0, 0.1, "d1", DAMAGE, 0, 2),
        Move(2.0, 0.2, "d2", DAMAGE, 0, 2),
        Move(2.0, 0.05, "d3", DAMAGE, 1, 3),
        Move(2.0, 0.3, "k", KILL, 0, 2),
        Move(2.0, 0.01),
    ]
    assert [(move.event_id, round(move.delta, 6)) for move in merged(moves)] == [("d1", 0.1), ("d3", 0.05), ("k", 0.5)]


def test_the_decision_moves_the_rest_and_belongs_to_what_decided() -> None:
    kill, boom = ev(9.0, KILL, "a1", "b1"), ev(9.0, EventType.BOMB_EXPLODED)
    assert decision_of(over(9.0, Side.CT, kill), 0.7) == Move(9.0, pytest.approx(0.3), kill.event_id, KILL, 0, 2)
    lost = decision_of(over(9.0, Side.T, boom, kill, reason="bomb_exploded"), 0.25)
    assert (lost.delta, lost.event_id) == (-0.25, boom.event_id)
    assert decision_of(over(9.0, Side.CT, kill, reason="time_expired"), 0.7).event_id is None
    with pytest.raises(ValueError, match="not decided"):
        decision_of(over(9.0, None), 0.7)
    assert of_end(Memory(), over(9.0, Side.CT, kill), VOICE) == []
