"""STAR_PLAYER: nets over the last rounds, against the quantiles, with an exact bootstrap."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_rounds import LINEUP, PLAYERS, ROUND_US, VOICE, ZERO_US, chances, ev, over, rows

from esports_assets.canonical.clock import from_utc_us
from esports_assets.canonical.signal import AgentSignal, SignalType, decode, encode
from esports_assets.canonical.vocabulary import EventType, Side
from esports_assets.models.swing import player_swings
from esports_assets.signals.momentum import Memory, of_end, of_rows
from esports_assets.signals.star import ORDINARY, ROUNDS, STANDS_OUT, Form, Played

KILL = EventType.KILL


def play(
    memory: Memory, segment: int, p: list[float], *events: object, winner: Side = Side.CT, ct: str = "alpha"
) -> list[AgentSignal]:
    """A round: the chance at its beginning and after each event but the last, which decides."""
    told = rows([0.0, *events[:-1]], segment, ct)  # type: ignore[list-item]
    said = of_rows(memory, told, chances(p))
    return [*said, *of_end(memory, over(20.0, winner, events[-1], segment=segment, ct=ct), VOICE)]  # type: ignore[arg-type]


def stars(said: list[AgentSignal]) -> list[AgentSignal]:
    return [signal for signal in said if signal.type is SignalType.STAR_PLAYER]


def test_who_turns_a_round_alone_stands_out() -> None:
    first, last = ev(10.0, KILL, "a1", "b1"), ev(20.0, KILL, "a1", "b2")
    (signal,) = stars(play(Memory(), 1, [0.1, 0.5], first, last))
    assert (signal.player_id, signal.team, signal.segment, signal.t) == ("a1", "alpha", 1, 20.0)
    assert signal.event_ts == from_utc_us(ZERO_US + ROUND_US + 20_000_000)
    names = ("net", "added", "conceded", "rounds", "threshold", "deeds")
    assert [signal.features[name] for name in names] == pytest.approx([0.9, 0.9, 0.0, 1, STANDS_OUT[0], 2])
    assert [(fact.event_id, fact.delta) for fact in signal.explanation] == [
        (None, pytest.approx(0.9)),
        (last.event_id, pytest.approx(0.5)),
        (first.event_id, pytest.approx(0.4)),
        (None, pytest.approx(0.0)),
    ]
    assert signal.explanation[1].text == "a1 killed b2 at 20.0 s of round 1"
    assert signal.confidence == 1.0  # there is one round to draw
    assert decode(encode(signal)) == signal


def test_what_was_done_to_him_counts_against_him() -> None:
    fall, last = ev(5.0, KILL, "b1", "a1"), ev(20.0, KILL, "a1", "b2")
    memory = Memory()
    assert stars(play(memory, 1, [0.5, 0.2], fall, last)) == []  # 0.8 is more than the threshold, 0.8 - 0.3 is less
    assert memory.form.net.tolist() == pytest.approx([0.5, 0.0, 0.3, -0.8])


def test_sides_decide_whose_gain_it_is() -> None:
    first, last = ev(10.0, KILL, "b1", "a1"), ev(20.0, KILL, "b1", "a2")
    (signal,) = stars(play(Memory(), 1, [0.9, 0.5], first, last, winner=Side.T))
    assert (signal.player_id, signal.team) == ("b1", "beta")
    assert signal.features["net"] == pytest.approx(0.9)


def test_he_is_told_again_only_after_an_ordinary_stretch() -> None:
    memory, told = Memory(), []
    great = (ev(10.0, KILL, "a1", "b1"), ev(20.0, KILL, "a1", "b2"))
    for segment in range(1, 15):
        if segment in (1, 2, 13, 14):
            said = play(memory, segment, [0.1, 0.5], *great)
        else:
            said = play(memory, segment, [0.9], ev(20.0, EventType.DEATH, None, "b2"))
        told += [(signal.segment, signal.player_id) for signal in stars(said)]
    assert told == [
        (1, "a1"),
        (14, "a1"),
    ]  # 0.9 and 1.8 stand out; after the quiet rounds 0.9 over five does not, 1.8 does


def test_rounds_that_no_model_judged_to_the_end_do_not_count() -> None:
    memory = Memory()
    of_rows(memory, rows([0.0]), chances([0.1]))
    assert of_end(memory, over(20.0, Side.CT, ev(20.0, KILL, "a1", "b1")), None) == []
    of_rows(memory, rows([0.0], 2), chances([0.1]))
    assert of_end(memory, over(20.0, None, segment=2), VOICE) == []
    of_rows(memory, rows([0.0], 3), None)
    assert of_end(memory, over(20.0, Side.CT, ev(20.0, KILL, "a1", "b1"), segment=3), VOICE) == []
    assert memory.form.rounds == []


def test_the_thresholds_rise_with_the_rounds() -> None:
    assert len(STANDS_OUT) == len(ORDINARY) == ROUNDS
    assert list(STANDS_OUT) == sorted(STANDS_OUT)
    assert all(low < high for low, high in zip(ORDINARY, STANDS_OUT, strict=True))


@given(st.lists(st.lists(st.integers(-4, 4), min_size=4, max_size=4), min_size=1, max_size=4), st.integers(0, 3))
def test_confidence_is_the_bootstrap_over_all_draws(nets: list[list[int]], player: int) -> None:
    form = Form([Played(i + 1, [float(v) for v in net], [0.0] * 4, [0] * 4) for i, net in enumerate(nets)])
    table, led = np.array(nets, dtype=float), []
    for drawn in itertools.product(range(len(nets)), repeat=len(nets)):
        total = table[list(drawn)].sum(axis=0)
        best = total == total.max()
        led.append(best[player] / best.sum())
    assert form.leads(player) == pytest.approx(np.mean(led))


def test_credits_are_those_of_the_law_of_swings() -> None:
    """The same totals as ``models/swing.py`` over the same rows, and as the API tells them."""
    import pyarrow as pa

    rng = np.random.default_rng(4)
    kinds = [KILL, EventType.DAMAGE, EventType.BLIND, EventType.BOMB_PLANTED, EventType.UTILITY]
    events = [
        ev(float(t), kinds[rng.integers(5)], str(rng.choice(PLAYERS)), str(rng.choice(PLAYERS)), n=t)
        for t in range(1, 40)
    ]
    p = rng.uniform(0.1, 0.9, 40)
    memory = Memory()
    of_rows(memory, rows([0.0, *events]), chances(p.tolist()))
    assert memory.played is not None
    table = pa.table(
        {
            "match_id": ["m"] * 40,
            "segment": [1] * 40,
            "row_kind": ["second"] + ["event"] * 39,
            "event_type": [None, *(event.type.value for event in events)],
            "actor": [None, *(PLAYERS[event.actor] for event in events)],
            "target": [None, *(PLAYERS[event.target] for event in events)],
            "p_ct": p,
        }
    )
    sides = {
        ("m", 1, player): "ct" if team == "alpha" else "t" for player, team in zip(PLAYERS, LINEUP.teams, strict=True)
    }
    for total in player_swings(table, sides):
        seat = PLAYERS.index(total.player)
        assert memory.played.added[seat] == pytest.approx(total.added)
        assert memory.played.conceded[seat] == pytest.approx(total.conceded)
