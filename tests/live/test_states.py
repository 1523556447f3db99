"""Matches in progress without a log: what a rebuild from the lake keeps, and a checkpoint of which only a part reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from live.live_world import playables

from esports_assets.signals.momentum_agent import MomentumAgent
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.replay import Playable, envelopes_of
from esports_assets.windows.micro.online import OnlineMicro
from esports_assets.windows.registry import ROUND_STATE
from esports_assets.windows.view import Sites
from serving.live_intents import Intents
from serving.live_memory import MatchMemory, loaded, saved
from serving.live_momentum import Momentum
from serving.live_states import MOMENTUM_EVERY_S, States

OFFSET_S = 1_000_000.0


@pytest.fixture(scope="module")
def match(simulated: list[Path]) -> Playable:
    found: list[Playable] = playables(simulated[:1], 2)
    return found[0]


@dataclass(frozen=True)
class Promised:
    classes: tuple[str, ...] = ("ct", "t")
    positive_class: str = "ct"
    window_fingerprint: str = ROUND_STATE.fingerprint


class Even:
    """Gives both sides the same chance."""

    contract = Promised()
    names = ("diff_alive",)
    info: Mapping[str, str] = {"model_name": "made", "model_version": "1"}

    def predict_each(self, matrix: Any) -> tuple[Any, None, None]:
        return np.full((len(matrix), 2), 0.5), None, None


def _states(monotonic: Callable[[], float] | None = None) -> States:
    model = Even()
    return States(
        Intents(lambda: None),
        lambda: Momentum(MomentumAgent(lambda: model, lambda _: Sites())),
        lambda: OnlineMicro(lambda _: Sites()),
        lambda _: None,
        monotonic or count().__next__,
    )


def test_momentum_is_computed_now_and_then_and_says_the_same(match: Playable) -> None:
    match_id, envelopes = match.match.header.match_id, list(islice(envelopes_of(match), 1200))
    always = _states()
    expected = [point for k in range(0, 1200, 100) for point in always.take(envelopes[k : k + 100]).extra]
    now = [0.0]
    states, found, spoke = _states(lambda: now[0]), [], []
    for k in range(0, 1200, 100):
        now[0] += 0.3
        found += (points := states.take(envelopes[k : k + 100]).extra)
        spoke.append(bool(points))
    assert not any(one and other for one, other in pairwise(spoke))
    assert len(found) < len(expected)
    assert states.lagging == []
    now[0] += MOMENTUM_EVERY_S
    assert states.lagging == [match_id]
    rest = states.catch_up(match_id)
    assert rest.touched == [match_id]
    assert found + rest.extra == expected
    assert states.lagging == []


def test_matches_that_began_together_are_not_computed_together(match: Playable) -> None:
    envelopes = list(islice(envelopes_of(match), 900))
    names = [f"match-{n}" for n in range(8)]
    now = [0.0]
    states = _states(lambda: now[0])
    for begin, end in ((0, 400), (400, 450)):
        for name in names:
            states.take([_renamed(envelope, name) for envelope in envelopes[begin:end]])
    now[0] += MOMENTUM_EVERY_S
    lagging = states.lagging
    assert sorted(lagging) == names
    told = states.take([_renamed(envelope, names[0]) for envelope in envelopes[450:]])
    assert set(told.touched) == {names[0], *lagging[:2]}
    assert states.lagging == lagging[2:]


def _renamed(envelope: Envelope, match_id: str) -> Envelope:
    event = msgspec.structs.replace(envelope.event, match_id=match_id, event_id=f"{match_id}/{envelope.event.event_id}")
    return Envelope(event, frame=envelope.frame)


def _replayed(match: Playable, count: int) -> list[Envelope]:
    return [msgspec.structs.replace(one, live_offset_s=OFFSET_S) for one in islice(envelopes_of(match), count)]


def test_a_replay_that_is_rebuilt_from_the_lake_keeps_its_wall_clock(match: Playable) -> None:
    """At source time the match is long over: without the offset the gate would open at once."""
    states, match_id = _states(), match.match.header.match_id
    states.take(_replayed(match, 500))
    told = states.again(match_id, match)
    assert len(told.said) > 20
    assert {signal.live_offset_s for _, signal in told.said} == {OFFSET_S}


def test_of_a_checkpoint_that_reads_in_part_nothing_stays(match: Playable) -> None:
    states, match_id = _states(), match.match.header.match_id
    states.take(_replayed(match, 500))
    kept = loaded(states.saved(match_id))
    other = _states()
    with pytest.raises(ValueError):
        other.restore(match_id, saved(kept.micro, b"no momentum", kept.memory))
    assert other.matches == ()
    other.take(_replayed(match, 1))
    assert loaded(other.saved(match_id)).micro != kept.micro
    assert loaded(other.saved(match_id)).memory.zeros == MatchMemory().zeros


def test_what_straggles_in_after_the_end_begins_no_match(match: Playable) -> None:
    states, match_id = _states(), match.match.header.match_id
    envelopes = list(envelopes_of(match))
    told = states.take(envelopes)
    if match_id in states.matches:
        told = states.finish(match_id)
    assert told.over == [match_id]
    again = states.take(envelopes[-1:])
    assert again.over == [match_id]
    assert states.matches == ()


def test_what_the_log_still_holds_of_a_match_from_the_lake_is_passed_over_until_its_end(match: Playable) -> None:
    states, match_id = _states(), match.match.header.match_id
    envelopes = list(envelopes_of(match))
    states.take(envelopes[:500])
    states.again(match_id, match)
    told = states.take(envelopes[500:-1])
    assert (told.said, told.late, told.over) == ([], [], [])
    assert not states.ended(match_id)
    states.take(envelopes[-1:])
    assert states.ended(match_id)
