"""The gate never opens early, whatever the clocks, offsets, pauses, statuses and audiences; closed is the default."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.canonical.signal import SignalStatus, SignalType
from serving.gate import (
    Audience,
    Decision,
    Pause,
    Policy,
    Reason,
    Statement,
    decide,
    opening,
    outward,
    statement_of,
    wall_time,
)

ZERO = datetime(2026, 5, 17, 12, tzinfo=UTC)
POLICY = Policy()


def _at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


def _statement(**changes: Any) -> Statement:
    return Statement(**{"kind": "MOMENTUM_SHIFT", "event_ts": ZERO, "status": "APPROVED", **changes})


@pytest.mark.parametrize(
    ("kind", "audience", "delay_s"),
    [
        ("MOMENTUM_SHIFT", Audience.ANALYST, 120),
        ("STAR_PLAYER", Audience.ANALYST, 60),
        ("STAR_PLAYER", Audience.COACH, 60),
        ("ECONOMY_CRASH", Audience.EDUCATIONAL, 90),
        ("MOTION_SYNTHESIS", Audience.ANALYST, 120),
        ("NARRATIVE", Audience.ANALYST, 120),
        ("STAR_PLAYER", Audience.PUBLIC, 180),
        ("NARRATIVE", Audience.PUBLIC, 180),
    ],
)
def test_each_type_waits_its_time_to_the_microsecond(kind: str, audience: Audience, delay_s: float) -> None:
    statement = _statement(kind=kind)
    tick = timedelta(microseconds=1)
    early = decide(statement, audience, _at(delay_s) - tick, POLICY)
    assert (early.open, early.reason, early.opens_at, early.delay_s) == (False, Reason.TOO_EARLY, _at(delay_s), delay_s)
    assert decide(statement, audience, _at(delay_s), POLICY).open


def test_the_delay_counts_from_the_event_as_the_replay_shifts_it() -> None:
    statement = _statement(live_offset_s=1000.5)
    assert decide(statement, Audience.ANALYST, _at(1120.4), POLICY).reason is Reason.TOO_EARLY
    assert decide(statement, Audience.ANALYST, _at(1120.5), POLICY).open
    assert decide(statement, Audience.ANALYST, _at(500), POLICY).reason is Reason.FUTURE_TIMESTAMP


def test_a_longer_delay_of_a_type_holds_for_the_public_too() -> None:
    slow = Policy(delays_s={"STAR_PLAYER": 600.0})
    assert decide(_statement(kind="STAR_PLAYER"), Audience.PUBLIC, _at(599), slow).opens_at == _at(600)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"event_ts": None}, Reason.NO_TIMESTAMP),
        ({"event_ts": "yesterday"}, Reason.BAD_TIMESTAMP),
        ({"event_ts": ""}, Reason.BAD_TIMESTAMP),
        ({"event_ts": "2026-05-17T12:00:00"}, Reason.BAD_TIMESTAMP),
        ({"event_ts": datetime(2026, 5, 17)}, Reason.BAD_TIMESTAMP),
        ({"event_ts": True}, Reason.BAD_TIMESTAMP),
        ({"event_ts": math.nan}, Reason.BAD_TIMESTAMP),
        ({"event_ts": 1e300}, Reason.BAD_TIMESTAMP),
        ({"event_ts": [2026]}, Reason.BAD_TIMESTAMP),
        ({"live_offset_s": None}, Reason.BAD_TIMESTAMP),
        ({"live_offset_s": "0"}, Reason.BAD_TIMESTAMP),
        ({"live_offset_s": math.nan}, Reason.BAD_TIMESTAMP),
        ({"live_offset_s": math.inf}, Reason.BAD_TIMESTAMP),
        ({"live_offset_s": -1e18}, Reason.BAD_TIMESTAMP),
        ({"event_ts": _at(10_000_002.1)}, Reason.FUTURE_TIMESTAMP),
        ({"status": "REJECTED"}, Reason.REJECTED),
        ({"status": "PENDING_REVIEW"}, Reason.NOT_REVIEWED),
        ({"status": None}, Reason.NOT_REVIEWED),
        ({"status": "approved"}, Reason.NOT_REVIEWED),
        ({"status": ["APPROVED"]}, Reason.NOT_REVIEWED),
        ({"status": "AUTO_APPROVED", "review_required": True}, Reason.NOT_REVIEWED),
        ({"status": "AUTO_APPROVED", "review_required": None}, Reason.NOT_REVIEWED),
    ],
)
def test_what_cannot_be_read_or_was_not_approved_stays_in(changes: dict[str, Any], reason: Reason) -> None:
    found = decide(_statement(**changes), Audience.ANALYST, _at(10_000_000), POLICY)
    assert (found.open, found.reason, found.opens_at) == (False, reason, None)
    assert found.sentence.endswith(".")


@pytest.mark.parametrize("status", [SignalStatus.APPROVED, "APPROVED", SignalStatus.AUTO_APPROVED])
def test_what_was_approved_leaves(status: Any) -> None:
    assert decide(_statement(status=status), Audience.ANALYST, _at(500), POLICY).open


@pytest.mark.parametrize("told", [ZERO, ZERO.isoformat(), "2026-05-17T14:00:00+02:00", ZERO.timestamp()])
def test_a_time_may_be_told_in_several_ways(told: Any) -> None:
    assert decide(_statement(event_ts=told), Audience.ANALYST, _at(1), POLICY).opens_at == _at(120)


def test_a_small_difference_of_clocks_waits_its_whole_delay() -> None:
    ahead = decide(_statement(event_ts=_at(2)), Audience.ANALYST, ZERO, POLICY)
    assert (ahead.reason, ahead.opens_at) == (Reason.TOO_EARLY, _at(122))


def test_an_audience_that_is_not_named_receives_nothing() -> None:
    closed = Policy(audiences=frozenset((Audience.ANALYST,)))
    assert decide(_statement(), Audience.PUBLIC, _at(1e6), closed).reason is Reason.AUDIENCE
    assert decide(_statement(), Audience.ANALYST, _at(1e6), closed).open


def test_time_in_a_technical_pause_does_not_count_and_nothing_leaves_during_it() -> None:
    statement = _statement()
    lasting = [Pause(_at(100))]
    assert decide(statement, Audience.ANALYST, _at(99), POLICY, lasting).reason is Reason.TOO_EARLY
    held = decide(statement, Audience.ANALYST, _at(5000), POLICY, lasting)
    assert (held.open, held.reason, held.opens_at) == (False, Reason.TECHNICAL_PAUSE, None)
    over = [Pause(_at(100), _at(400))]
    assert decide(statement, Audience.ANALYST, _at(419), POLICY, over).opens_at == _at(420)
    assert decide(statement, Audience.ANALYST, _at(420), POLICY, over).open
    later = [Pause(_at(130), _at(140))]
    assert decide(statement, Audience.ANALYST, _at(125), POLICY, later).open
    assert decide(statement, Audience.ANALYST, _at(135), POLICY, later).opens_at == _at(140)


def test_a_pause_runs_forwards() -> None:
    with pytest.raises(ValueError, match="runs backwards"):
        Pause(_at(1), _at(0))


@pytest.mark.parametrize(
    "values",
    [
        {"public_delay_s": 179.9},
        {"public_delay_s": math.nan},
        {"default_delay_s": -1.0},
        {"delays_s": {"STAR_PLAYER": math.inf}},
        {"clock_skew_s": math.nan},
    ],
)
def test_a_policy_that_would_let_state_out_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Policy(**values)


seconds = st.integers(-2000, 2000)
kinds = st.sampled_from([*SignalType, "NARRATIVE", ""])
statuses = st.sampled_from([*SignalStatus, None, "approved", 1])
pauses_of = st.lists(st.tuples(seconds, st.none() | st.integers(0, 500)), max_size=4).map(
    lambda found: [Pause(_at(start), None if length is None else _at(start + length)) for start, length in found]
)


def _counted(begin: int, end: int, pauses: list[Pause]) -> int:
    """Whole seconds of play between two instants, counted one by one."""
    return sum(not any(pause.holds(_at(second)) for pause in pauses) for second in range(begin, end))


@given(kinds, statuses, st.booleans(), st.sampled_from(Audience), seconds, seconds, seconds, pauses_of)
def test_it_is_open_exactly_when_enough_play_lies_between(
    kind: str,
    status: Any,
    required: bool,
    audience: Audience,
    event: int,
    offset: int,
    now: int,
    pauses: list[Pause],
) -> None:
    statement = Statement(kind, _at(event), offset, status, required)
    found = decide(statement, audience, _at(now), POLICY, pauses)
    delay_s = POLICY.delay_s(kind, audience)
    assert delay_s >= (180 if audience is Audience.PUBLIC else 60)
    approved = status == "APPROVED" or (status == "AUTO_APPROVED" and not required)
    standing = any(pause.holds(_at(now)) for pause in pauses)
    played = _counted(event + offset, now, pauses)
    assert found.open == (approved and not standing and now >= event + offset and played >= delay_s)


@given(kinds, st.sampled_from(Audience), seconds, seconds, seconds, pauses_of)
def test_opens_at_is_the_first_instant_at_which_it_is_open(
    kind: str, audience: Audience, event: int, offset: int, now: int, pauses: list[Pause]
) -> None:
    statement = Statement(kind, _at(event), offset, "APPROVED")
    found = decide(statement, audience, _at(now), POLICY, pauses)
    if found.opens_at is None:
        return
    moment = found.opens_at
    assert decide(statement, audience, max(moment, _at(now)), POLICY, pauses).open
    if not found.open:
        assert moment > _at(now)
        assert not decide(statement, audience, moment - timedelta(microseconds=1), POLICY, pauses).open


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.datetimes() | st.just([])


@given(anything, anything, anything, anything, st.sampled_from(Audience), st.datetimes(timezones=st.just(UTC)))
def test_nothing_at_all_opens_it_early_or_makes_it_fail(
    event_ts: Any, offset: Any, status: Any, required: Any, audience: Audience, now: datetime
) -> None:
    found = decide(Statement("x", event_ts, offset, status, required), audience, now, POLICY)
    assert isinstance(found, Decision)
    if found.open:
        happened = wall_time(event_ts, offset)
        assert isinstance(happened, datetime)
        assert now - happened >= timedelta(seconds=120)
        assert status in ("APPROVED", "AUTO_APPROVED")


@given(st.integers(0, 300), pauses_of)
def test_a_longer_pause_never_opens_earlier(delay_s: int, pauses: list[Pause]) -> None:
    ordered = sorted(pauses, key=lambda pause: pause.start)
    without = opening(ZERO, delay_s, [])
    held = opening(ZERO, delay_s, ordered)
    assert without == _at(delay_s)
    assert held is None or held >= without


def test_an_outward_copy_says_what_it_may_be_used_for() -> None:
    document = {
        "signal_id": "s",
        "type": "STAR_PLAYER",
        "event_ts": ZERO.isoformat(),
        "status": "APPROVED",
        "policy": None,
    }
    decision = decide(statement_of(document), Audience.PUBLIC, _at(200), POLICY)
    copy = outward(document, Audience.PUBLIC, decision, _at(200))
    assert copy["policy"] == {
        "audience": "PUBLIC",
        "delay_s": 180.0,
        "review_state": "approved",
        "policy_version": "2",
        "label": "ANALYSIS_ONLY",
        "purpose": "research/ops",
    }
    assert (copy["label"], copy["gated_at"], document["policy"]) == ("ANALYSIS_ONLY", _at(200).isoformat(), None)


def test_there_is_no_outward_copy_through_a_closed_gate() -> None:
    closed = decide(_statement(), Audience.PUBLIC, ZERO, POLICY)
    with pytest.raises(ValueError, match="the gate is closed"):
        outward({"status": "APPROVED"}, Audience.PUBLIC, closed, ZERO)


@pytest.mark.parametrize("document", [{}, {"event_ts": ZERO.isoformat()}, {"status": "APPROVED"}])
def test_a_document_that_says_too_little_stays_in(document: dict[str, Any]) -> None:
    assert not decide(statement_of(document), Audience.ANALYST, _at(1e6), POLICY).open
