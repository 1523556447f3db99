"""Taken in at once or message by message, both windows hear the same: in good order, and in any other."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from future import first_rounds, simulated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from micro_made import MATCH, SITES, Story, stands

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.windows.micro.match_log import MatchLog
from esports_assets.windows.micro.online import OnlineMicro
from esports_assets.windows.micro.parity import messages_of
from esports_assets.windows.micro.spec import MicroWindow
from esports_assets.windows.state.online import OnlineRounds
from esports_assets.windows.streamed import match as streamed
from esports_assets.windows.streamed.arrival import arrivals
from esports_assets.windows.streamed.lineup import Lineup
from esports_assets.windows.streamed.message import Message, Positions, time_of

Online = OnlineMicro | OnlineRounds
WINDOWS: dict[str, Callable[[], Online]] = {
    "player_micro": lambda: OnlineMicro(lambda _: SITES),
    "every frame": lambda: OnlineMicro(lambda _: SITES, MicroWindow(rate_hz=None)),
    "round_state": lambda: OnlineRounds(lambda _: SITES),
}


@functools.cache
def _in_time() -> Sequence[Message]:
    """Two rounds with every fourth of their frames."""
    messages = sorted(messages_of(first_rounds(simulated(8, 6), 2)), key=lambda message: time_of(message)[2])
    return [message for k, message in enumerate(messages) if k % 4 == 0 or not isinstance(message, Positions)]


def _disturbed(messages: Sequence[Message], rng: np.random.Generator, share: float) -> list[Message]:
    """Some messages swapped, told twice, late, by a stranger, partly, at no time, or of another round."""
    found = list(messages)
    for at in np.flatnonzero(rng.random(len(found)) < share).tolist():
        message, kind = found[at], int(rng.integers(8))
        other = (at + int(rng.integers(1, 40))) % len(found)
        if kind == 0:
            found[at], found[other] = found[other], message
        elif kind == 1:
            found[other] = message
        elif kind == 2:
            found.append(message)
        elif isinstance(message, Positions):
            some = dict(list(message.players.items())[: kind - 3])
            stranger = {"nobody": stands(0.0, 0.0)} if kind % 2 else {}
            moved = msgspec.structs.replace(message, players={**some, **stranger})
            found[at] = msgspec.structs.replace(moved, t_s=float("nan")) if kind == 7 else moved
        elif kind > 5:
            found[at] = msgspec.structs.replace(message, segment=message.segment + 1)
    return found


def _heard(make: Callable[[], Online], messages: Sequence[Message], sizes: Sequence[int]) -> list[Any]:
    """Everything that a window says of messages that come in batches of these sizes."""
    online, told, begin, k = make(), [], 0, 0
    while begin < len(messages):
        fed = online.feed(messages[begin : begin + sizes[k % len(sizes)]])
        begin, k = begin + sizes[k % len(sizes)], k + 1
        told.append(_plain(fed))
    return [*told, *(_plain(online.finish(match_id)) for match_id in online.matches)]


def _plain(fed: Any) -> Any:
    provisional = getattr(fed, "provisional", [])
    rows = [[list(part.records()) for part in parts] for parts in (fed.final, provisional)]
    return repr(rows), fed.late, fed.refused, fed.duplicates, fed.over


def _one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "placed", lambda arrival, match: None)


@pytest.mark.parametrize("window", WINDOWS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=3),
    share=st.sampled_from([0.0, 0.001, 0.01, 0.1]),
)
def test_at_once_is_one_by_one(window: str, seed: int, sizes: list[int], share: float) -> None:
    messages = _disturbed(_in_time(), np.random.default_rng(seed), share)
    at_once = _heard(WINDOWS[window], messages, sizes)
    with pytest.MonkeyPatch.context() as patch:
        _one_by_one(patch)
        assert _heard(WINDOWS[window], messages, sizes) == at_once


def _log(story: Story) -> tuple[MatchLog, list[Message]]:
    """A match whose players are known, and what came after its beginning."""
    log = MatchLog(MATCH, 2_000_000, window=MicroWindow())
    log.introduce(Lineup.of(MATCH, "made:one", "de_made", False, {"a1": "alpha", "b1": "beta"}), SITES)
    return log, story.messages[1:]


def _story() -> Story:
    story = Story()
    story.begin(1)
    for t in (1.0, 1.5, 2.0):
        story.frame(1, t, a1=(t, 0.0), b1=(0.0, t))
    return story


def test_what_is_in_good_order_is_taken_in_at_once() -> None:
    log, messages = _log(_story())
    (arrival,) = arrivals(messages)
    assert log.take_all(arrival) == 0
    assert log.rounds[1].frames.t.tolist() == [1.0, 1.5, 2.0]
    assert log.rounds[1].frames.data[:, 0, 0].tolist() == [1.0, 1.5, 2.0]
    assert log.rounds[1].ids == {m.event_id for m in messages if isinstance(m, CanonicalEvent)}


def _swap(messages: list[Message]) -> list[Message]:
    return [*messages[:1], messages[2], messages[1], *messages[3:]]


def _again(messages: list[Message]) -> list[Message]:
    return [*messages, messages[-1]]


def _stranger(messages: list[Message]) -> list[Message]:
    last = messages[-1]
    assert isinstance(last, Positions)
    return [*messages[:-1], msgspec.structs.replace(last, players={**last.players, "c9": stands(0.0, 0.0)})]


def _nobody(messages: list[Message]) -> list[Message]:
    return [*messages[:-1], msgspec.structs.replace(messages[-1], players={})]


def _late(messages: list[Message]) -> list[Message]:
    first = messages[1]
    assert isinstance(first, Positions)
    early = msgspec.structs.replace(first, t_s=-4.0, at_us=first.at_us - 5_000_000)
    return [*messages, early]


@pytest.mark.parametrize("disorder", [_swap, _again, _stranger, _nobody, _late])
def test_what_is_not_comes_message_by_message_and_nothing_is_taken_before(
    disorder: Callable[[list[Message]], list[Message]],
) -> None:
    log, messages = _log(_story())
    (arrival,) = arrivals(disorder(messages))
    assert log.take_all(arrival) is None
    assert not log.rounds
    assert log.latest_us == streamed.NO_TIME_US


def test_nothing_is_placed_before_the_players_are_known() -> None:
    log = MatchLog(MATCH, 2_000_000, window=MicroWindow())
    (arrival,) = arrivals(_story().messages)
    assert log.take_all(arrival) is None
