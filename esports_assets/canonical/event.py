"""The canonical event: one immutable, typed statement about a match, and its wire form.

Belongs here: the event, its deterministic id, and JSON as it stands in the stream's ``data`` field.
Does not belong here: columns (``schema.py``), Arrow and Parquet (``codec.py``), anything about a source.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from esports_assets.canonical.vocabulary import EventType, Side, Title

SCHEMA_VERSION = "1.0"
"""Version of the canonical language; readers refuse another major version."""


class IngestionMeta(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How an event came in: never part of the lake's rows or of any hash, except ``simulated``, which the rounds table keeps."""

    source: str = ""
    grid_seq: int | None = None
    ingested_at: datetime | None = None
    simulated: bool = False


class CanonicalEvent(msgspec.Struct, frozen=True, gc=False):
    """One statement of the language. Nothing that it holds leads back to it, so the garbage collector need not walk through it.

    ``t`` is seconds since the segment's zero (None where the source has no clock), ``segment`` the round, game or hand (0 =
    outside any), ``seq`` the order within the match, dense from 0. ``actor`` and ``target`` are prefixed source ids,
    ``team`` the actor's (or, for team events, the subject's) prefixed team id, ``side`` its role in this segment.
    """

    event_id: str
    match_id: str
    event_type: EventType
    timestamp: datetime
    actor: str | None = None
    target: str | None = None
    team: str | None = None
    side: Side | None = None
    payload: dict[str, Any] = {}
    enriched: dict[str, Any] = {}
    ingestion_meta: IngestionMeta = IngestionMeta()
    title: Title = Title.CS2
    series_id: str = ""
    map: str = ""
    segment: int = 0
    t: float | None = None
    seq: int = 0
    schema_version: str = SCHEMA_VERSION


class WireError(ValueError):
    """A record of the stream that is not a canonical event; the message says where and why."""


def event_id(source: str, match_id: str, source_seq: int | str, index: int = 0) -> str:
    """Deterministic id: the same statement of the same source always gets the same id (20 hex digits, 80 bits)."""
    key = f"{source}\x1f{match_id}\x1f{source_seq}\x1f{index}".encode()
    return hashlib.blake2b(key, digest_size=10).hexdigest()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CanonicalEvent)
_loose_decoder = msgspec.json.Decoder()
_EVENT_TYPES = frozenset(EventType)


def encode(event: CanonicalEvent) -> bytes:
    """The JSON of the stream's ``data`` field."""
    return _encoder.encode(event)


def decode(data: bytes | str) -> CanonicalEvent:
    """Read the stream's ``data`` field.

    An event type that is unknown to the language becomes GENERIC with the raw record in the payload; a timestamp may also be
    a number, seconds since 1970. Anything else that does not fit raises ``WireError`` with the path of the offending field.
    """
    try:
        event = _decoder.decode(data)
    except msgspec.ValidationError:
        event = _second_reading(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from error
    if event.timestamp.tzinfo is None:
        raise WireError(f"event {event.event_id}: timestamp {event.timestamp.isoformat()} has no time zone")
    if event.schema_version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise WireError(
            f"event {event.event_id}: schema_version {event.schema_version} is not readable here (this is {SCHEMA_VERSION})"
        )
    return event


def _second_reading(data: bytes | str) -> CanonicalEvent:
    """What the strict reading does not take: numeric timestamps and event types that the language has no word for."""
    try:
        raw = _loose_decoder.decode(data)
        known = raw
        if isinstance(raw, dict):
            known = {**raw, **_timestamp(raw.get("timestamp"))}
            if isinstance(raw.get("event_type"), str) and raw["event_type"] not in _EVENT_TYPES:
                generic = {"source_type": raw["event_type"], "raw": raw}
                known |= {"event_type": EventType.GENERIC.value, "payload": generic}
        return msgspec.convert(known, CanonicalEvent)
    except msgspec.ValidationError as error:
        raise WireError(f"not a canonical event: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from error


def _timestamp(value: Any) -> dict[str, datetime]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return {}
    try:
        return {"timestamp": datetime.fromtimestamp(value, UTC)}
    except (OverflowError, ValueError, OSError) as error:
        raise WireError(
            f"not a canonical event: {value} is not a time in seconds since 1970 - at `$.timestamp`"
        ) from error
