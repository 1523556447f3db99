"""Whatever is sent: no crash, every record counted, and the good ones among the bad in the log."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from feeding import feed, grid_match, logged, reasons
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from esports_assets.adapters.grid.live import LiveSeries, transaction
from serving.feed_records import records
from serving.feed_schemas import EVENT

FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "\x00", "\ud800", "../..", "KILL", "1e999", "round-1", "player", "2026-01-01T00:00:00Z", "x" * 600]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
)
events = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(values, st.just(told))
        for name, told in {**EVENT, "segment": 1, "seq": 3, "t": 0.5, "live_offset_s": 1.0, "title": "cs2"}.items()
    },
)


def text_of(value: Any) -> bytes:
    """JSON as careless writers write it: with NaN, and with halves of characters."""
    return json.dumps(value).encode()


def good(number: int) -> bytes:
    return msgspec.json.encode({**EVENT, "event_id": f"good-{number}"})


@FEW
@given(body=st.one_of(st.binary(max_size=200), values.map(text_of), events.map(text_of)))
def test_any_body_is_counted_and_a_good_event_beside_it_enters(log_client: Redis, body: bytes) -> None:
    log_client.flushdb()
    taking = feed(log_client)
    counts = taking.take(body)
    assert counts.accepted + counts.duplicates + counts.dead == len(list(records(body, 1 << 23)))
    assert len(reasons(log_client)) <= counts.dead
    assert bool(counts.dead) == bool(reasons(log_client))
    line = body.replace(b"\n", b" ").replace(b"\r", b" ")
    taking.take(b"\n".join([good(1), line, good(2)]))
    assert {"good-1", "good-2"} <= {event.event_id for event in logged(log_client)}


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


LINES = [msgspec.json.decode(line) for line in [*grid_match()[:4], *grid_match()[120:124]]]
FOR_NUMBERS = [{**line, "sequenceNumber": number} for number, line in enumerate(LINES, start=1)]
PLACES = [list(paths(line)) for line in FOR_NUMBERS]


@st.composite
def damaged(draw: st.DrawFn) -> list[bytes]:
    """A short series in which one value is another."""
    at = draw(st.integers(0, len(FOR_NUMBERS) - 1))
    line = copy.deepcopy(FOR_NUMBERS[at])
    *way, last = draw(st.sampled_from(PLACES[at]))
    place: Any = line
    for key in way:
        place = place[key]
    place[last] = draw(values)
    return [text_of(line if k == at else other) for k, other in enumerate(FOR_NUMBERS)]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=damaged())
def test_a_series_with_a_damaged_transaction_goes_on(log_client: Redis, lines: list[bytes]) -> None:
    log_client.flushdb()
    counts = feed(log_client, gap_s=0.001).take(b"\n".join([*lines, good(1)]))
    assert counts.accepted + counts.duplicates + counts.dead == len(lines) + 1
    assert all("cannot be translated" not in reason for reason in reasons(log_client))
    assert logged(log_client)[0].event_id == "good-1"


@settings(max_examples=150)
@given(lines=damaged())
def test_the_translator_never_raises(lines: list[bytes]) -> None:
    series = LiveSeries()
    for line in lines:
        try:
            message = transaction(line)
        except ValueError:
            continue
        for event in series.feed(message).events:
            assert event.match_id


def test_a_bug_in_the_translator_stops_nothing(log_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    data = grid_match()[:30]
    feed_of_file = LiveSeries.feed

    def stumble(self: LiveSeries, message: Any) -> Any:
        if message.number == 12:
            raise KeyError("a bug")
        return feed_of_file(self, message)

    monkeypatch.setattr(LiveSeries, "feed", stumble)
    counts = feed(log_client).take(b"\n".join(data))
    assert (counts.accepted, counts.dead) == (30, 0)
    assert reasons(log_client) == ["it cannot be translated: KeyError: 'a bug'"]
    assert logged(log_client)[-1].ingestion_meta.grid_seq == 30
