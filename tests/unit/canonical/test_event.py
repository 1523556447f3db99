"""The wire form of an event: nothing is lost, and what does not fit is refused with its place."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from canonical_events import events
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.canonical.event import CanonicalEvent, IngestionMeta, WireError, decode, encode, event_id
from esports_assets.canonical.vocabulary import EventType, Title

SAMPLE: dict[str, Any] = {
    "event_id": "evt_1",
    "match_id": "match_demo_1",
    "event_type": "POSITION_UPDATE",
    "actor": "player:demo_p1",
    "timestamp": 100.0,
    "payload": {"pos": [12.4, 0, 8.9], "objective_pos": [10, 0, 10], "ts": 100.0},
}


def _wire(**changes: Any) -> bytes:
    return json.dumps({**SAMPLE, **changes}).encode()


@given(events)
def test_there_and_back(event: CanonicalEvent) -> None:
    assert decode(encode(event)) == event


def test_ingestion_meta_travels() -> None:
    moment = datetime(2026, 5, 17, 12, tzinfo=UTC)
    event = decode(_wire(timestamp="2026-05-17T12:00:00Z"))
    meta = IngestionMeta("grid", 7, moment, True)
    full = CanonicalEvent(event.event_id, event.match_id, event.event_type, moment, ingestion_meta=meta)
    assert decode(encode(full)).ingestion_meta == meta


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (100.0, datetime(1970, 1, 1, 0, 1, 40, tzinfo=UTC)),
        (1_779_000_000, datetime(2026, 5, 17, 6, 40, tzinfo=UTC)),
        ("2026-05-17T06:40:00Z", datetime(2026, 5, 17, 6, 40, tzinfo=UTC)),
        ("2026-05-17T08:40:00.5+02:00", datetime(2026, 5, 17, 6, 40, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_the_minimal_sample_is_accepted_as_it_stands(told: Any, expected: datetime) -> None:
    event = decode(_wire(timestamp=told))
    assert event.timestamp == expected
    assert event.timestamp.utcoffset() is not None
    assert event.event_type is EventType.POSITION_UPDATE
    assert event.actor == "player:demo_p1"
    assert event.payload["pos"] == [12.4, 0, 8.9]
    assert (event.title, event.segment, event.t, event.seq) == (Title.CS2, 0, None, 0)


def test_an_unknown_type_is_generic_and_keeps_its_record() -> None:
    event = decode(_wire(event_type="BACKFLIP"))
    assert event.event_type is EventType.GENERIC
    assert event.payload == {"source_type": "BACKFLIP", "raw": {**SAMPLE, "event_type": "BACKFLIP"}}
    assert event.actor == "player:demo_p1"


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (_wire(event_type=5), r"\$\.event_type"),
        (_wire(segment="one"), r"\$\.segment"),
        (_wire(payload=[1]), r"\$\.payload"),
        (_wire(side="left"), r"\$\.side"),
        (_wire(event_type="BACKFLIP", seq="x"), r"\$\.seq"),
        (_wire(timestamp="yesterday"), r"\$\.timestamp"),
        (_wire(timestamp=True), r"\$\.timestamp"),
        (_wire(timestamp=1e300), r"\$\.timestamp"),
        (b"{}", "event_id"),
        (b"[1]", "array"),
        (b"7", "int"),
        (b'{"event_id": "a', "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (_wire(timestamp="2026-05-17T06:40:00"), "no time zone"),
        (_wire(timestamp="2026-05-17T06:40:00", event_type="BACKFLIP"), "no time zone"),
        (_wire(schema_version="2.0"), "schema_version 2.0"),
        (_wire(schema_version=""), "schema_version"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(data: bytes, where: str) -> None:
    with pytest.raises(WireError, match=where):
        decode(data)


def test_a_later_minor_version_is_read() -> None:
    assert decode(_wire(schema_version="1.9")).schema_version == "1.9"


def test_a_wrong_field_before_a_cut_is_refused_too() -> None:
    """The strict reader stops at the wrong field; the second reading met the cut and let its own error through."""
    with pytest.raises(WireError, match="not JSON"):
        decode(b'{"event_id": 5, "match_id": "x", "eve')


def test_a_very_deep_record_is_refused() -> None:
    with pytest.raises(WireError):
        decode(b'{"event_type": 5, "payload": ' + b"[" * 100_000)


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_garbage_gives_a_wire_error(data: bytes | str) -> None:
    with pytest.raises(WireError):
        decode(data)


def test_ids_depend_on_every_part_and_on_nothing_else() -> None:
    first = event_id("grid", "m", 7, 0)
    assert first == event_id("grid", "m", "7", 0)
    assert len(first) == 20
    others = {event_id("grid", "m", 7, 1), event_id("grid", "m", 8), event_id("grid", "n", 7), event_id("demo", "m", 7)}
    assert len(others | {first}) == 5
    assert event_id("a", "b\x1fc", 1) != event_id("a", "b", 1)


def test_events_are_immutable() -> None:
    event = decode(_wire())
    with pytest.raises(AttributeError):
        event.seq = 3  # type: ignore[misc]
    assert decode(_wire()).payload is not event.payload
    assert event.timestamp + timedelta(seconds=1) > event.timestamp
