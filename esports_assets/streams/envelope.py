"""The envelope: what one entry of the log holds in its field ``data``.

It is the JSON of a canonical event (``canonical/event.py``) with optional members beside the event's own, which never enter
the lake's rows or any hash:

    live_offset_s   seconds to add to ``timestamp`` to get the wall clock of a replay
    opening         on the first entry of a match: its header and its players
    round           on the entry that decides a round: the round's row of the ROUNDS table
    closing         on the last entry: how many events and frames there are, rounds not sent before, findings, and the content
                    hash of every table

A source that sends no such records may leave them out: ``collect.py`` derives what can be derived from the events. Rows of
rounds come with the decision and not with the opening, because nobody may know a winner before.

Belongs here: the members, and reading and writing an entry's data.
Does not belong here: the event itself, what consumers make of it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from esports_assets.canonical import event as wire
from esports_assets.canonical.event import SCHEMA_VERSION, CanonicalEvent, WireError
from esports_assets.canonical.frames import Frame, FrameError, fault_of, frame_of, is_frame
from esports_assets.canonical.match import Finding, MatchHeader
from esports_assets.canonical.schema import ROUNDS
from esports_assets.canonical.vocabulary import EventType

RoundRow = dict[str, str | bool | int | float | None]
"""A row of the ROUNDS table, ``started_at`` in microseconds since 1970."""


class Player(msgspec.Struct, frozen=True, array_like=True):
    """A row of the PLAYERS table without the match: ``[player, name, team, team name]``."""

    player: str
    player_name: str
    team: str
    team_name: str


class Opening(msgspec.Struct, frozen=True):
    """What is known when a match begins."""

    header: MatchHeader
    players: tuple[Player, ...]


class Closing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known when a match is over, and how to tell that all of it came.

    ``versions`` is the content hash of each table; ``adapter_version`` and ``raw`` are what the lake's record keeps.
    """

    events: int
    frames: int
    rounds: tuple[RoundRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    versions: dict[str, str] = {}
    adapter_version: str = ""
    raw: str = ""


class _Beside(msgspec.Struct, frozen=True, omit_defaults=True):
    live_offset_s: float | None = None
    opening: Opening | None = None
    round: RoundRow | None = None
    closing: Closing | None = None


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """An event with what stands beside it; ``frame`` is the checked payload where the event is a frame.

    The rows of a frame then stand in the event's payload as the same ``FrameRow`` values, not as lists.
    """

    event: CanonicalEvent
    live_offset_s: float | None = None
    opening: Opening | None = None
    round: RoundRow | None = None
    closing: Closing | None = None
    frame: Frame | None = None

    @property
    def live_at(self) -> datetime:
        """When it happens by the wall clock: source time, plus the offset where it is a replay."""
        return self.event.timestamp + timedelta(seconds=self.live_offset_s or 0.0)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Beside)
_LONGEST_ID = 512
_NEAR_S = 900 * 365 * 86_400.0
"""Less than nine hundred years."""


def encode(envelope: Envelope) -> bytes:
    """The JSON of the field ``data``. Raises WireError for an event that JSON cannot hold."""
    beside = _Beside(envelope.live_offset_s, envelope.opening, envelope.round, envelope.closing)
    try:
        data, more = wire.encode(envelope.event), _encoder.encode(beside)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError(f"event {envelope.event.event_id} cannot be written: {error}") from error
    return data if more == b"{}" else data[:-1] + b"," + more[1:]


def decode(data: bytes) -> Envelope:
    """Read the field ``data``. WireError says what is wrong with it and where; nothing else is raised."""
    envelope = _at_once(data) or _step_by_step(data)
    if envelope.closing is not None:
        for row in envelope.closing.rounds:
            _check_round(row)
    if envelope.round is not None:
        _check_round(envelope.round)
    if envelope.live_offset_s is not None:
        _check_offset(envelope)
    return envelope


class _Whole(CanonicalEvent, frozen=True, gc=False):
    live_offset_s: float | None = None
    opening: Opening | None = None
    round: RoundRow | None = None
    closing: Closing | None = None


class _WholeFrame(_Whole, frozen=True, kw_only=True, gc=False):
    payload: Frame  # type: ignore[assignment]


_whole = msgspec.json.Decoder(_Whole).decode
_whole_frame = msgspec.json.Decoder(_WholeFrame).decode


def _at_once(data: bytes) -> Envelope | None:
    """Everything in one pass; None for what needs a closer look, be it wrong or only unusual."""
    try:
        told: Any = (_whole_frame if b'"frame":' in data else _whole)(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if told.timestamp.tzinfo is not UTC or told.schema_version != SCHEMA_VERSION or not _fits(told):
        return None
    payload: Any = told.payload
    frame = payload if isinstance(payload, Frame) else None
    if frame is not None:
        if told.event_type is not EventType.POSITION_UPDATE or fault_of(frame, told.t) is not None:
            return None
        payload = {"frame": frame.frame, "teams": frame.teams}
    event = CanonicalEvent(  # one by one in order: names or unpacking would cost a tenth of the whole reading
        told.event_id,
        told.match_id,
        told.event_type,
        told.timestamp,
        told.actor,
        told.target,
        told.team,
        told.side,
        payload,
        told.enriched,
        told.ingestion_meta,
        told.title,
        told.series_id,
        told.map,
        told.segment,
        told.t,
        told.seq,
        told.schema_version,
    )
    return Envelope(event, told.live_offset_s, told.opening, told.round, told.closing, frame)


def _step_by_step(data: bytes) -> Envelope:
    event = _storable(wire.decode(data))
    try:
        beside = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"what stands beside the event is wrong: {error}") from error
    try:
        frame = frame_of(event) if is_frame(event) else None
    except FrameError as error:
        raise WireError(str(error)) from error
    return Envelope(event, beside.live_offset_s, beside.opening, beside.round, beside.closing, frame)


def _check_round(row: RoundRow) -> None:
    """WireError unless the row has exactly the columns of the ROUNDS table."""
    differ = set(row) ^ set(ROUNDS.names)
    if differ:
        raise WireError(f"the row of a round misses or has too many of these columns: {', '.join(sorted(differ))}")


def _fits(event: CanonicalEvent) -> bool:
    """Whether the lake's columns and the log's keys can hold it."""
    return (
        0 < len(event.event_id) <= _LONGEST_ID
        and 0 < len(event.match_id) <= _LONGEST_ID
        and -(1 << 15) <= event.segment < 1 << 15
        and 0 <= event.seq < 1 << 63
    )


def _storable(event: CanonicalEvent) -> CanonicalEvent:
    """The event, if it fits, with its time in UTC; WireError says what does not fit."""
    for name in ("event_id", "match_id"):
        if not 0 < len(getattr(event, name)) <= _LONGEST_ID:
            raise WireError(f"{name} has {len(getattr(event, name))} characters, which is not 1 to {_LONGEST_ID}")
    if not _fits(event):
        raise WireError(f"event {event.event_id}: segment {event.segment} or seq {event.seq} is out of range")
    try:
        moment = event.timestamp.astimezone(UTC)
    except OverflowError as error:
        raise WireError(f"event {event.event_id}: timestamp {event.timestamp.isoformat()} is out of range") from error
    return msgspec.structs.replace(event, timestamp=moment)


def _check_offset(envelope: Envelope) -> None:
    if -_NEAR_S < (envelope.live_offset_s or 0.0) < _NEAR_S and 1000 < envelope.event.timestamp.year < 9000:
        return  # surely in the calendar
    try:
        _ = envelope.live_at
    except OverflowError as error:
        reason = f"live_offset_s {envelope.live_offset_s} leads out of the calendar"
        raise WireError(f"event {envelope.event.event_id}: {reason}") from error


def round_rows(rounds: Any) -> list[RoundRow]:
    """The rows of a ROUNDS table as records."""
    index = rounds.schema.get_field_index("started_at")
    plain = rounds.set_column(index, "started_at", rounds["started_at"].cast("int64"))
    return list(plain.to_pylist())
