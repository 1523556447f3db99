"""Which entries the worker takes in by their time, whatever a replay adds to it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.entries import Entry
from esports_assets.streams.envelope import Envelope, decode, encode
from serving.live_reading import AHEAD_S, read_into
from serving.live_work import Work

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _entry(number: int, at: datetime, offset_s: float | None) -> Entry:
    event = CanonicalEvent(f"e{number}", "m", EventType.KILL, at, segment=1, t=1.0)
    return Entry("s", f"1-{number}", encode(Envelope(event, live_offset_s=offset_s)))


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
            st.none() | st.floats(-3e11, 3e11),
        ),
        min_size=1,
        max_size=6,
    )
)
@example([(NOW + timedelta(seconds=AHEAD_S), None), (NOW + timedelta(seconds=AHEAD_S, microseconds=1), None)])
@example([(NOW, AHEAD_S), (NOW, AHEAD_S + 1e-6), (NOW - timedelta(days=800), 69_120_060.0)])
def test_what_has_not_come_on_the_wall_clock_is_refused_and_nothing_else(
    told: list[tuple[datetime, float | None]],
) -> None:
    entries = [_entry(number, at, offset_s) for number, (at, offset_s) in enumerate(told)]
    readable, expected = [], []
    for entry in entries:
        try:
            envelope = decode(entry.kept)
        except ValueError:
            continue  # leads out of the calendar: malformed before anybody asks whether it has come
        readable.append(entry)
        if envelope.live_at <= NOW + timedelta(seconds=AHEAD_S):
            expected.append(entry.id)
    work = Work()
    read_into(work, entries, NOW)
    assert [entry.id for entry in work.entries] == expected
    refused = {entry.id for entry, reason in work.dead if "a clock is wrong" in reason}
    assert refused == {entry.id for entry in readable} - set(expected)


@pytest.mark.parametrize("offset_s", [None, 0.0, -5.0])
def test_the_limit_is_a_minute_ahead(offset_s: float | None) -> None:
    at = NOW + timedelta(seconds=AHEAD_S - (offset_s or 0.0))
    work = Work()
    read_into(work, [_entry(1, at, offset_s), _entry(2, at + timedelta(microseconds=1), offset_s)], NOW)
    assert [entry.id for entry in work.entries] == ["1-1"]
    assert [entry.id for entry, _ in work.dead] == ["1-2"]
