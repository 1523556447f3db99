"""The envelope on the wire: nothing lost, nothing but WireError."""

import json
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stream_samples import START, envelope
from tiny_match import tiny_match

from esports_assets.canonical import event as wire
from esports_assets.canonical.event import CanonicalEvent, WireError
from esports_assets.canonical.frames import frame_of, frames_of, zeros_of
from esports_assets.canonical.match import Finding, MatchHeader
from esports_assets.canonical.schema import ROUNDS
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.streams import envelope as reading
from esports_assets.streams.entries import Entry, told_apart
from esports_assets.streams.envelope import Closing, Envelope, Opening, Player, decode, encode

ROW = dict.fromkeys(ROUNDS.names) | {"segment": 3, "winner_side": "ct", "simulated": False, "freeze_s": 1.5}
HEADER = MatchHeader("test:m:1", "test:m", Title.CS2, "de_dust2", "test", date(2026, 5, 17), simulated=True)
OPENING = Opening(HEADER, (Player("p1", "One", "t1", "Alpha"), Player("p2", "Zwölf \N{SNOWMAN}", "t2", "Beta")))
CLOSING = Closing(7, 8, (ROW,), (Finding("rule", "where", "what"),), {"events": "ab"}, "4", "raw/x")


def test_without_anything_beside_it_an_envelope_is_the_event() -> None:
    assert encode(envelope(3)) == wire.encode(envelope(3).event)
    assert decode(wire.encode(envelope(3).event)) == envelope(3)


@pytest.mark.parametrize(
    "more",
    [
        {"live_offset_s": 1.25e8},
        {"live_offset_s": 0.0},
        {"opening": OPENING},
        {"round": ROW},
        {"closing": CLOSING},
        {"live_offset_s": -3.5, "opening": OPENING, "round": ROW, "closing": CLOSING},
    ],
)
def test_what_stands_beside_the_event_comes_back(more: dict[str, object]) -> None:
    sent = envelope(1, **more)
    assert decode(encode(sent)) == sent
    assert wire.decode(encode(sent)) == sent.event  # who knows nothing of it reads the event
    assert set(json.loads(encode(sent))) == {*json.loads(encode(envelope(1))), *more}


def test_the_wall_clock_of_a_replay_is_the_source_time_and_the_offset() -> None:
    assert envelope(0).live_at == START
    assert envelope(0, live_offset_s=86_400.5).live_at == datetime(2026, 5, 18, 12, 0, 0, 500_000, tzinfo=UTC)


def test_other_spellings_of_json_are_read_too() -> None:
    spaced = json.dumps(json.loads(encode(envelope(1, live_offset_s=2.5, round=ROW))), indent=2).encode()
    assert decode(spaced) == envelope(1, live_offset_s=2.5, round=ROW)
    escaped = encode(envelope(1, live_offset_s=2.5)).replace(b"live_offset_s", b"live\\u005foffset_s")
    assert decode(escaped).live_offset_s == 2.5


def test_times_come_in_utc() -> None:
    raw = encode(envelope(0)).replace(b"2026-05-17T12:00:00Z", b"2026-05-17T14:00:00+02:00")
    assert decode(raw).event.timestamp == START
    assert decode(raw).event.timestamp.tzinfo is UTC


def with_field(name: str, value: object) -> bytes:
    return json.dumps({**json.loads(encode(envelope(1))), name: value}).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "Expected `object`"),
        (b'{"event_id":"x"}', "missing required field `match_id`"),
        (with_field("event_id", ""), "event_id has 0 characters"),
        (with_field("match_id", "m" * 513), "match_id has 513 characters"),
        (with_field("segment", 1 << 15), "segment 32768"),
        (with_field("seq", -1), "seq -1"),
        (with_field("timestamp", "2026-05-17T12:00:00"), "no time zone"),
        (with_field("timestamp", "9999-12-31T23:59:59-14:00"), "out of range"),
        (with_field("schema_version", "2.0"), "schema_version 2.0"),
        (with_field("live_offset_s", "1"), "beside the event.*live_offset_s"),
        (with_field("live_offset_s", 1e300), "out of the calendar"),
        (with_field("live_offset_s", -1e11), "out of the calendar"),
        (with_field("round", {"segment": 1}), "misses or has too many.*winner_side"),
        (with_field("round", {**ROW, "more": 1}), "too many of these columns: more"),
        (with_field("closing", {"events": 1, "frames": 0, "rounds": [{}]}), "misses"),
        (with_field("closing", {"events": "1"}), r"beside the event.*\$\.closing"),
        (with_field("opening", {"header": {}, "players": []}), r"\$\.opening\.header"),
    ],
)
def test_what_is_wrong_is_told(data: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        decode(data)


def test_an_unknown_event_type_becomes_generic_and_keeps_its_record() -> None:
    got = decode(with_field("event_type", "DANCE")).event
    assert got.event_type is EventType.GENERIC
    assert got.payload["source_type"] == "DANCE"
    assert got.payload["raw"]["actor"] == "test:p1"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = (
    *("event_id", "match_id", "event_type", "timestamp", "actor", "target", "team", "side", "payload", "enriched"),
    *("ingestion_meta", "title", "segment", "t", "seq", "schema_version"),
    *("live_offset_s", "opening", "round", "closing"),
)
_FRAMES = st.fixed_dictionaries({"frame": st.lists(st.lists(_JSON, max_size=17), max_size=3), "teams": _JSON})


@st.composite
def almost_envelopes(draw: st.DrawFn) -> bytes:
    """A good envelope with some members replaced, or with bytes cut out or put in."""
    whole = json.loads(encode(envelope(2, live_offset_s=1.0, opening=OPENING, round=ROW, closing=CLOSING)))
    for name in draw(st.sets(st.sampled_from(_NAMES), max_size=3)):
        whole[name] = draw(_JSON)
    if draw(st.booleans()):
        whole |= {"event_type": "POSITION_UPDATE", "payload": draw(_FRAMES)}
    data = json.dumps(whole).encode()
    start, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
    return draw(st.sampled_from([data, data[:start], data[:start] + draw(st.binary(max_size=6)) + data[end:]]))


@given(st.one_of(st.binary(max_size=200), _JSON.map(lambda value: json.dumps(value).encode()), almost_envelopes()))
def test_whatever_the_data_is_the_good_beside_it_is_read(data: bytes) -> None:
    entries = [Entry("s", "1-0", encode(envelope(0))), Entry("s", "2-0", data), Entry("s", "3-0", encode(envelope(1)))]
    good, bad = told_apart(entries)
    assert [d.entry.id for d in good if d.entry.id != "2-0"] == ["1-0", "3-0"]
    assert [refused.entry.id for refused in bad] == [e.id for e in entries if e.id not in {d.entry.id for d in good}]
    assert all(refused.reason for refused in bad)
    for delivery in good:  # what was read can be written, and is the same again
        assert decode(encode(delivery.envelope)) == delivery.envelope


def test_the_common_case_is_read_in_one_pass() -> None:
    match = tiny_match()
    (frame,) = frames_of(match.tracking, match.header, zeros_of(match))
    for event in (envelope(1, live_offset_s=1.0).event, frame):
        data = encode(Envelope(event, live_offset_s=1.0))
        assert reading._at_once(data) is not None
        assert decode(data).event.timestamp == event.timestamp


def test_a_frame_that_does_not_hold_together_is_refused() -> None:
    match = tiny_match()
    (frame,) = frames_of(match.tracking, match.header, zeros_of(match))
    good = json.loads(encode(Envelope(frame)))
    read = decode(json.dumps(good).encode())
    assert read.frame is not None
    assert frame_of(read.event) == read.frame == frame_of(frame)  # whoever has the event alone reads the same
    nobodys = {**good, "payload": {**good["payload"], "teams": good["payload"]["teams"][:1]}}
    for bad, reason in ((nobodys, "test:p6 is in team 1 of 1"), ({**good, "t": None}, "no instant")):
        with pytest.raises(WireError, match=reason):
            decode(json.dumps(bad).encode())
    other = decode(json.dumps({**good, "event_type": "KILL"}).encode())
    assert other.frame is None  # a strange kill, but no frame
    assert other.event.payload == good["payload"]


@given(almost_envelopes())
def test_the_quick_way_and_the_careful_way_read_the_same(data: bytes) -> None:
    quick = reading._at_once(data)
    if quick is not None:
        careful = reading._step_by_step(data)
        assert encode(quick) == encode(msgspec.structs.replace(careful, event=with_rows(careful)))
        assert quick.frame == careful.frame


def with_rows(careful: Envelope) -> CanonicalEvent:
    """The event with its frame's rows as values, as the quick way leaves them."""
    if careful.frame is None:
        return careful.event
    payload = {"frame": careful.frame.frame, "teams": careful.frame.teams}
    return msgspec.structs.replace(careful.event, payload=payload)


def test_an_entry_without_data_is_refused_and_keeps_its_fields() -> None:
    entry = Entry("s", "1-0", None, fields=(b"what", b"\xffever"))
    good, bad = told_apart([entry])
    assert good == []
    assert "no field 'data'" in bad[0].reason
    assert json.loads(entry.kept) == ["what", "\\xffever"]
