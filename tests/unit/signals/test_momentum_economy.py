"""ECONOMY_CRASH: who could afford a full buy and no longer can; what is unknown is no zero."""

import pytest
from made_rounds import ROUND_US, ZERO_US, rows

from esports_assets.canonical.clock import from_utc_us
from esports_assets.canonical.signal import AgentSignal, SignalType, decode, encode
from esports_assets.canonical.vocabulary import Side
from esports_assets.signals.economy import LOST, VOICE, Bank, crashes, full_buy
from esports_assets.signals.momentum import Memory, of_rows
from esports_assets.windows.state.rows import StateRows

Holdings = dict[str, tuple[float | None, float | None]]
RICH: Holdings = {"a1": (3000, 4200), "a2": (500, 5100), "b1": (4000, 3700), "b2": (2500, 4700)}


def round_of(segment: int, ct: str = "alpha", **changed: tuple[float | None, float | None]) -> StateRows:
    return rows([0.0, 1.0], segment, ct, {**RICH, **changed})


def said(*rounds: StateRows) -> list[AgentSignal]:
    bank = Bank()
    return [signal for one in rounds for signal in crashes(bank, one)]


def test_a_full_buy_is_rifle_armour_and_helmet() -> None:
    assert (full_buy(Side.CT), full_buy(Side.T)) == (3900.0, 3700.0)


def test_a_team_that_no_longer_can() -> None:
    (signal,) = said(round_of(1), round_of(2, a1=(100, 900), a2=(6000, 200)))
    assert (signal.type, signal.team, signal.player_id) == (SignalType.ECONOMY_CRASH, "alpha", None)
    assert (signal.segment, signal.t, signal.confidence) == (2, 0.0, LOST)
    assert signal.event_ts == from_utc_us(ZERO_US + 2 * ROUND_US)
    assert signal.features == {
        "power": 7200.0,
        "power_before": 12800.0,
        "fall": 5600.0,
        "need": 7800.0,
        "players_short": 1,
    }
    assert [(fact.text, fact.delta) for fact in signal.explanation] == [
        (
            "alpha holds 7200 in money and equipment after 12800 in the round before; a full buy of 2 players costs 7800.",
            -5600.0,
        ),
        ("a1 holds 1000, 2900 short of 3900", -6200.0),
        ("a2 holds 6200, enough for 3900", 600.0),
    ]
    assert [fact.event_id for fact in signal.explanation] == [
        None,
        "ECONOMY_UPDATE@0:a1:None",
        "ECONOMY_UPDATE@0:a2:None",
    ]
    assert signal.entities == ("alpha", "a1", "a2")
    assert signal.model_info["probability_source"] == "measured"
    assert decode(encode(signal)) == signal


def test_saving_is_no_crash() -> None:
    assert said(round_of(1), round_of(2, a1=(7000, 200), a2=(5400, 200))) == []


def test_it_is_told_once_until_the_team_can_buy_again() -> None:
    poor: Holdings = {"b1": (50, 300), "b2": (0, 1000)}
    found = said(round_of(1), round_of(2, **poor), round_of(3, **poor), round_of(4), round_of(5, **poor))
    assert [(signal.segment, signal.team) for signal in found] == [(2, "beta"), (5, "beta")]
    assert len({signal.signal_id for signal in found}) == 2


def test_who_never_could_buy_has_lost_nothing() -> None:
    poor: Holdings = {"a1": (0, 800), "a2": (0, 800)}
    assert said(round_of(1, **poor), round_of(2, **poor)) == []


@pytest.mark.parametrize("unknown", [(None, 4000), (4000, None), (None, None)])
def test_an_unknown_is_no_zero(unknown: tuple[float | None, float | None]) -> None:
    poor: Holdings = {"a1": (0, 800), "a2": (0, 800)}
    assert said(round_of(1), round_of(2, a1=unknown)) == []
    assert [signal.segment for signal in said(round_of(1), round_of(2, a1=unknown), round_of(3, **poor))] == [3]
    assert said(round_of(1, a1=unknown), round_of(2, **poor)) == []


def test_a_player_of_whom_nothing_is_told_is_unknown_too() -> None:
    told = {player: held for player, held in RICH.items() if player != "a2"}
    assert said(round_of(1), rows([0.0], 2, "alpha", {**told, "a1": (0, 200)})) == []


def test_nothing_is_compared_across_a_change_of_sides() -> None:
    poor: Holdings = {"a1": (0, 800), "a2": (0, 800)}
    assert said(round_of(12), round_of(13, ct="beta", **poor)) == []
    assert [s.segment for s in said(round_of(12), round_of(13, ct="beta"), round_of(14, ct="beta", **poor))] == [14]


def test_only_the_first_rows_of_a_round_count() -> None:
    crash = round_of(2, a1=(0, 800), a2=(0, 800))
    assert len(said(round_of(1), crash, crash)) == 1


def test_it_needs_no_model_and_is_the_same_with_one() -> None:
    memory = Memory()
    of_rows(memory, round_of(1), None)
    (signal,) = of_rows(memory, round_of(2, a1=(0, 800), a2=(0, 800)), None)
    assert signal.model_info == VOICE.info
