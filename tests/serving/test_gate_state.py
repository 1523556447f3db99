"""Events and positions never reach an audience early, whatever the clocks, offsets and pauses; closed is the default."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gate import Audience, Decision, Pause, Policy, Reason, decide_state, wall_time

ZERO = datetime(2026, 5, 17, 12, tzinfo=UTC)
POLICY = Policy()
TICK = timedelta(microseconds=1)
FLOOR = {Audience.PUBLIC: 180, Audience.EDUCATIONAL: 120, Audience.COACH: 120, Audience.ANALYST: 0}


def _at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


@pytest.mark.parametrize(("audience", "delay_s"), FLOOR.items())
def test_each_audience_waits_its_time_to_the_microsecond(audience: Audience, delay_s: int) -> None:
    early = decide_state(ZERO, 0.0, audience, _at(delay_s) - TICK, POLICY)
    assert (early.open, early.reason, early.opens_at) == (False, Reason.TOO_EARLY, _at(delay_s))
    open_ = decide_state(ZERO, 0.0, audience, _at(delay_s), POLICY)
    assert (open_.open, open_.delay_s, open_.opens_at) == (True, delay_s, _at(delay_s))


def test_the_delay_counts_from_the_wall_time_of_a_replay() -> None:
    assert decide_state(ZERO, 1000.5, Audience.PUBLIC, _at(1180.4), POLICY).opens_at == _at(1180.5)
    assert decide_state(ZERO, 1000.5, Audience.PUBLIC, _at(1180.5), POLICY).open


@pytest.mark.parametrize(
    ("event_ts", "offset", "reason"),
    [
        (None, 0.0, Reason.NO_TIMESTAMP),
        ("yesterday", 0.0, Reason.BAD_TIMESTAMP),
        (datetime(2026, 5, 17), 0.0, Reason.BAD_TIMESTAMP),
        (True, 0.0, Reason.BAD_TIMESTAMP),
        (math.nan, 0.0, Reason.BAD_TIMESTAMP),
        (ZERO, None, Reason.BAD_TIMESTAMP),
        (ZERO, math.inf, Reason.BAD_TIMESTAMP),
        (ZERO, "0", Reason.BAD_TIMESTAMP),
        (_at(1e6 + 2.1), 0.0, Reason.FUTURE_TIMESTAMP),
    ],
)
@pytest.mark.parametrize("audience", Audience)
def test_what_has_no_time_stays_in(event_ts: Any, offset: Any, reason: Reason, audience: Audience) -> None:
    found = decide_state(event_ts, offset, audience, _at(1e6), POLICY)
    assert (found.open, found.reason, found.opens_at) == (False, reason, None)


def test_what_was_ahead_of_the_clock_when_it_came_stays_in_for_ever() -> None:
    """Else the same entry would be passed over by who looks today and shown to who looks tomorrow."""
    told = decide_state(_at(3), 0.0, Audience.ANALYST, _at(1e6), POLICY, came_at=ZERO)
    assert told.reason is Reason.FUTURE_TIMESTAMP
    assert decide_state(_at(2), 0.0, Audience.ANALYST, _at(1), POLICY, came_at=ZERO).reason is Reason.TOO_EARLY
    assert decide_state(_at(2), 0.0, Audience.ANALYST, _at(2), POLICY, came_at=ZERO).open


@pytest.mark.parametrize("audience", Audience)
def test_nobody_gets_state_during_a_technical_pause(audience: Audience) -> None:
    held = decide_state(ZERO, 0.0, audience, _at(9000), POLICY, [Pause(_at(8000))])
    assert (held.open, held.reason) == (False, Reason.TECHNICAL_PAUSE)
    assert decide_state(ZERO, 0.0, audience, _at(9000), POLICY, [Pause(_at(8000), _at(9000))]).open


def test_time_in_a_pause_does_not_make_state_old() -> None:
    over = [Pause(_at(100), _at(400))]
    assert decide_state(ZERO, 0.0, Audience.PUBLIC, _at(479), POLICY, over).opens_at == _at(480)
    assert decide_state(ZERO, 0.0, Audience.PUBLIC, _at(480), POLICY, over).open


def test_an_audience_of_which_a_policy_says_nothing_waits_like_the_public() -> None:
    silent = Policy(state_delays_s={}, public_delay_s=240.0)
    assert {one: silent.state_delay_s(one) for one in Audience} == dict.fromkeys(Audience, 240.0)
    loose = Policy(state_delays_s={Audience.PUBLIC: 0.0})
    assert loose.state_delay_s(Audience.PUBLIC) == 180.0
    closed = Policy(audiences=frozenset((Audience.ANALYST,)))
    assert decide_state(ZERO, 0.0, Audience.PUBLIC, _at(1e6), closed).reason is Reason.AUDIENCE


@pytest.mark.parametrize("delay_s", [-1.0, math.nan, math.inf])
def test_a_delay_that_is_none_is_refused(delay_s: float) -> None:
    with pytest.raises(ValueError):
        Policy(state_delays_s={Audience.COACH: delay_s})


seconds = st.integers(-2000, 2000)
pauses_of = st.lists(st.tuples(seconds, st.none() | st.integers(0, 500)), max_size=4).map(
    lambda found: [Pause(_at(start), None if length is None else _at(start + length)) for start, length in found]
)
audiences = st.sampled_from(Audience)


@given(audiences, seconds, seconds, seconds, st.none() | seconds, pauses_of)
def test_it_is_open_exactly_when_enough_play_lies_between(
    audience: Audience, event: int, offset: int, now: int, came: int | None, pauses: list[Pause]
) -> None:
    came_at = None if came is None else _at(came)
    found = decide_state(_at(event), offset, audience, _at(now), POLICY, pauses, came_at)
    standing = any(pause.holds(_at(now)) for pause in pauses)
    played = sum(not any(pause.holds(_at(s)) for pause in pauses) for s in range(event + offset, now))
    credible = event + offset <= (now if came is None else came) + 2
    assert found.open == (credible and not standing and now >= event + offset and played >= FLOOR[audience])


@given(audiences, seconds, seconds, st.lists(seconds, min_size=1, max_size=12), pauses_of)
def test_once_open_it_only_closes_for_a_pause(
    audience: Audience, event: int, offset: int, clock: list[int], pauses: list[Pause]
) -> None:
    """A clock that only goes forward sees it open from one instant on, which every closed answer before told."""
    opened = False
    for now in sorted(clock):
        found = decide_state(_at(event), offset, audience, _at(now), POLICY, pauses, _at(5000))
        if opened:
            assert found.open or found.reason is Reason.TECHNICAL_PAUSE
        opened = opened or found.open
        if found.opens_at is not None:
            assert decide_state(
                _at(event), offset, audience, max(found.opens_at, _at(now)), POLICY, pauses, _at(5000)
            ).open
            assert (
                found.open
                or not decide_state(_at(event), offset, audience, found.opens_at - TICK, POLICY, pauses, _at(5000)).open
            )


anything: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.datetimes() | st.just([])
)


@given(anything, anything, audiences, st.datetimes(timezones=st.just(UTC)), pauses_of)
def test_nothing_at_all_opens_it_early_or_makes_it_fail(
    event_ts: Any, offset: Any, audience: Audience, now: datetime, pauses: list[Pause]
) -> None:
    found = decide_state(event_ts, offset, audience, now, POLICY, pauses)
    assert isinstance(found, Decision)
    if found.open:
        happened = wall_time(event_ts, offset)
        assert isinstance(happened, datetime)
        assert now - happened >= timedelta(seconds=FLOOR[audience])
        assert not any(pause.holds(now) for pause in pauses)
