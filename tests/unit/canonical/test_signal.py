"""Signals keep their identity and lose nothing on the wire; what is no signal is refused with its place."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from canonical_events import optional, payloads, reals, text
from hypothesis import given
from hypothesis import strategies as st

from esports_assets.canonical.signal import (
    AgentSignal,
    Fact,
    SignalError,
    SignalPolicy,
    SignalStatus,
    SignalType,
    decode,
    document,
    encode,
    of_document,
    signal_id,
)
from esports_assets.canonical.vocabulary import Intent, Title

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))
facts = st.builds(Fact, text=text, event_id=optional, delta=st.none() | reals)
signals = st.builds(
    AgentSignal,
    signal_id=text,
    type=st.sampled_from(SignalType),
    match_id=text,
    event_ts=st.none() | moments,
    live_offset_s=reals,
    series_id=text,
    title=st.sampled_from(Title),
    map=text,
    segment=st.integers(-(2**15), 2**15 - 1),
    t=st.none() | reals,
    team=optional,
    player_id=optional,
    intent=st.none() | st.sampled_from(Intent),
    confidence=st.none() | st.floats(0, 1),
    explanation=st.lists(facts, max_size=3).map(tuple),
    features=payloads,
    entities=st.lists(text, max_size=3).map(tuple),
    model_info=payloads,
    window_fingerprint=text,
    artifact_url=optional,
    review_required=st.booleans(),
    review_id=optional,
    error=optional,
    generated_at=st.none() | moments,
    status=st.sampled_from(SignalStatus),
    policy=st.none()
    | st.builds(SignalPolicy, audience=text, delay_s=st.floats(0, 1e6), review_state=text, policy_version=text),
)


@given(signals)
def test_there_and_back(signal: AgentSignal) -> None:
    assert decode(encode(signal)) == signal
    assert of_document(document(signal)) == signal
    assert json.loads(encode(signal)) == document(signal)


IDENTITY: dict[str, Any] = {
    "kind": SignalType.MOMENTUM_SHIFT,
    "match_id": "cs2:1",
    "map_name": "de_nuke",
    "segment": 3,
    "subject": "team:a",
    "event_ids": ("e2", "e1"),
    "instant": NOON,
    "window_fingerprint": "f00d",
    "model_version": "7",
}


def _id(**changes: Any) -> str:
    values = IDENTITY | changes
    return signal_id(values.pop("kind"), **values)


def test_the_id_is_the_same_in_every_process() -> None:
    assert _id() == "876f3c225f0b3e8f550fd085fd93ce18"
    assert _id(event_ids=()) == "ebb70a472fa9177c8ed389bf81347eea"


def test_order_and_repetition_of_events_do_not_matter_and_with_events_neither_does_the_instant() -> None:
    assert _id(event_ids=("e1", "e2", "e1")) == _id() == _id(instant=NOON + timedelta(seconds=9)) == _id(instant=None)


def test_an_instant_is_the_same_in_every_time_zone() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5)))
    assert _id(event_ids=(), instant=there) == _id(event_ids=())


@pytest.mark.parametrize(
    "change",
    [
        {"kind": SignalType.STAR_PLAYER},
        {"match_id": "cs2:2"},
        {"map_name": "de_dust2"},
        {"segment": 4},
        {"subject": "team:b"},
        {"event_ids": ("e1",)},
        {"event_ids": ()},
        {"window_fingerprint": "beef"},
        {"model_version": "8"},
    ],
)
def test_every_part_of_the_identity_counts(change: dict[str, Any]) -> None:
    assert _id(**change) != _id()


@given(st.lists(text, min_size=3, max_size=3), st.lists(text, min_size=3, max_size=3))
def test_neighbouring_parts_never_run_into_each_other(one: list[str], other: list[str]) -> None:
    names = ("match_id", "map_name", "subject")
    same = _id(**dict(zip(names, one, strict=True))) == _id(**dict(zip(names, other, strict=True)))
    assert same == (one == other)


def test_without_events_and_instant_there_is_no_identity() -> None:
    with pytest.raises(ValueError, match="no identity"):
        _id(event_ids=(), instant=None)


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 1.01},
        {"confidence": -0.01},
        {"confidence": float("nan")},
        {"live_offset_s": float("inf")},
        {"t": float("nan")},
        {"features": {"speed": float("nan")}},
        {"event_ts": datetime(2026, 5, 17, 12)},
        {"generated_at": datetime(2026, 5, 17, 12)},
    ],
)
def test_what_has_no_meaning_cannot_be_said(change: dict[str, Any]) -> None:
    values = {"signal_id": "s", "type": SignalType.STAR_PLAYER, "match_id": "m", **change}
    with pytest.raises(ValueError, match=next(iter(change))):
        AgentSignal(**values)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[1]", "array"),
        (b"{}", "signal_id"),
        (b'{"signal_id": "s", "type": "PROPHECY", "match_id": "m"}', r"\$\.type"),
        (b'{"signal_id": "s", "type": "STAR_PLAYER", "match_id": "m", "event_ts": "soon"}', r"\$\.event_ts"),
        (b'{"signal_id": "s", "type": "STAR_PLAYER", "match_id": "m", "event_ts": "2026-05-17T12:00:00"}', "time zone"),
        (b'{"signal_id": "s", "type": "STAR_PLAYER", "match_id": "m", "confidence": 2}', "between 0 and 1"),
        (b'{"signal_id": "s", "type": "STAR_PLAYER", "match_id": "m", "intent": "nap"}', r"\$\.intent"),
    ],
)
def test_what_is_no_signal_is_refused_with_its_place(data: bytes, where: str) -> None:
    with pytest.raises(SignalError, match=where):
        decode(data)


def test_a_signal_is_about_the_player_or_else_the_team() -> None:
    signal = AgentSignal(signal_id="s", type=SignalType.STAR_PLAYER, match_id="m", team="t", player_id="p")
    assert signal.subject == "p"
    assert msgspec.structs.replace(signal, player_id=None).subject == "t"
    assert msgspec.structs.replace(signal, player_id=None, team=None).subject == ""
