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
from esports_assets.canonical.event import CanonicalEvent, WireError
from esports_assets.canonical.frames import Frame, FrameError, frame_of, is_frame
from esports_assets.canonical.match import Finding, MatchHeader
from esports_assets.canonical.schema import ROUNDS

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


class Envelope(msgspec.Struct, frozen=True):
    """An event with what stands beside it; ``frame`` is the checked payload where the event is a frame."""

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
_MEMBERS = (*(f'"{name}"'.encode() for name in _Beside.__struct_fields__), b"\\u")
"""Where none of these is in the bytes, nothing stands beside the event (a name may also be written with escapes)."""
_LONGEST_ID = 512


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
    event = _storable(wire.decode(data))
    beside = _beside(data)
    frame = None
    if is_frame(event):
        try:
            frame = frame_of(event)
        except FrameError as error:
            raise WireError(str(error)) from error
    envelope = Envelope(event, beside.live_offset_s, beside.opening, beside.round, beside.closing, frame)
    if envelope.live_offset_s is not None:
        _check_offset(envelope)
    return envelope


_NOTHING = _Beside()


def _beside(data: bytes) -> _Beside:
    if not any(member in data for member in _MEMBERS):
        return _NOTHING
    try:
        beside = _decoder.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"what stands beside the event is wrong: {error}") from error
    if beside.round is not None:
        check_round(beside.round)
    for row in beside.closing.rounds if beside.closing else ():
        check_round(row)
    return beside


def check_round(row: RoundRow) -> None:
    """WireError unless the row has exactly the columns of the ROUNDS table."""
    differ = set(row) ^ set(ROUNDS.names)
    if differ:
        raise WireError(f"the row of a round misses or has too many of these columns: {', '.join(sorted(differ))}")


def _storable(event: CanonicalEvent) -> CanonicalEvent:
    """The event, if the lake's columns and the log's keys can hold it; its time in UTC."""
    for name in ("event_id", "match_id"):
        if not 0 < len(getattr(event, name)) <= _LONGEST_ID:
            raise WireError(f"{name} has {len(getattr(event, name))} characters, which is not 1 to {_LONGEST_ID}")
    if not -(1 << 15) <= event.segment < 1 << 15 or not 0 <= event.seq < 1 << 63:
        raise WireError(f"event {event.event_id}: segment {event.segment} or seq {event.seq} is out of range")
    if event.timestamp.tzinfo is UTC:
        return event
    try:
        moment = event.timestamp.astimezone(UTC)
    except OverflowError as error:
        raise WireError(f"event {event.event_id}: timestamp {event.timestamp.isoformat()} is out of range") from error
    return msgspec.structs.replace(event, timestamp=moment)


def _check_offset(envelope: Envelope) -> None:
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
