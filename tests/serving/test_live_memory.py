"""What a match's memory says about the wall clock of a replay, and what it does not believe."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.envelope import Envelope
from serving.live_memory import MatchMemory, loaded, saved

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
BEGIN_US = utc_us(BEGIN)
US = 1e-5
"""Rounding of an offset, in seconds."""


def _envelope(
    at_s: float, *, offset_s: float | None = None, t: float | None = 1.0, kind: EventType = EventType.KILL
) -> Envelope:
    at = BEGIN + timedelta(seconds=at_s)
    return Envelope(CanonicalEvent("e", "m", kind, at, segment=1, t=t), live_offset_s=offset_s)


def _note(memory: MatchMemory, envelope: Envelope) -> None:
    memory.note(envelope, utc_us(envelope.event.timestamp))


@given(
    speed=st.sampled_from([0.5, 0.9, 1.0, 2.0, 10.0, 1e6]),
    batches=st.lists(
        st.lists(st.one_of(st.floats(0.01, 1.5), st.floats(1.5, 200.0)), min_size=1, max_size=12),
        min_size=1,
        max_size=6,
    ),
    within=st.floats(0.0, 1.0),
)
def test_a_replayed_instant_is_never_told_to_be_earlier_than_it_is(
    speed: float, batches: list[list[float]], within: float
) -> None:
    """Whatever the speed, the silence between events, and the span of a batch that a worker takes in at once."""
    memory, at_s = MatchMemory(), 0.0

    def true_s(source_s: float) -> float:
        return 5000.0 + source_s * (1 / speed - 1)

    _note(memory, _envelope(0.0, offset_s=true_s(0.0)))
    for batch in batches:
        awaited_s = max(0.0, at_s - 2.0)
        for step in batch:
            at_s += step
            _note(memory, _envelope(at_s, offset_s=round(true_s(at_s), 6)))
        instant_s = awaited_s + within * (max(awaited_s, at_s - 2.0) - awaited_s)
        told = memory.offset_s(BEGIN_US + round(instant_s * 1e6))
        assert told >= true_s(instant_s) - US
        memory.forget()
        memory = loaded(saved(None, None, memory)).memory


def test_a_replay_at_the_speed_of_life_has_one_offset_and_keeps_a_minute_of_it() -> None:
    memory = MatchMemory()
    for second in range(1000):
        _note(memory, _envelope(float(second), offset_s=42.0))
    memory.forget()
    assert {offset for _, offset in memory.offsets} == {42.0}
    assert len(memory.offsets) <= 62


def test_an_instant_at_which_an_offset_was_told_has_that_one() -> None:
    memory = MatchMemory()
    for second, offset in ((0, 9.0), (1, 8.0), (2, 7.0)):
        _note(memory, _envelope(float(second), offset_s=offset))
    assert memory.offset_s(BEGIN_US + 1_000_000) == 8.0
    assert memory.offset_s(BEGIN_US + 1_500_000) == 8.0


def test_a_time_that_no_round_has_tells_nothing_about_its_zero() -> None:
    memory = MatchMemory()
    for t in (1e12, -1e12, 1e300, 3700.0):
        _note(memory, _envelope(5.0, t=t, kind=EventType.FREEZE_END))
    assert memory.zero_us(1) is None
    _note(memory, _envelope(6.0, t=6.0))
    assert memory.zero_us(1) == BEGIN_US
