"""Matches in progress without a log: what a rebuild from the lake keeps, and a checkpoint of which only a part reads."""

from itertools import count, islice
from pathlib import Path

import msgspec
import pytest
from live.live_world import playables

from esports_assets.signals.momentum_agent import MomentumAgent
from esports_assets.streams.envelope import Envelope
from esports_assets.streams.replay import Playable, envelopes_of
from esports_assets.windows.micro.online import OnlineMicro
from esports_assets.windows.view import Sites
from serving.live_intents import Intents
from serving.live_memory import MatchMemory, loaded, saved
from serving.live_momentum import Momentum
from serving.live_states import States

OFFSET_S = 1_000_000.0


@pytest.fixture(scope="module")
def match(simulated: list[Path]) -> Playable:
    found: list[Playable] = playables(simulated[:1], 2)
    return found[0]


def _states() -> States:
    return States(
        Intents(lambda: None),
        lambda: Momentum(MomentumAgent(lambda: None, lambda _: Sites())),
        lambda: OnlineMicro(lambda _: Sites()),
        lambda _: None,
        count().__next__,
    )


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
