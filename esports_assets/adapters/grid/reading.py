"""Bytes of a file to GRID's records: lines, arrays and single objects, each with its place; bad ones become refusals.

Belongs here: decompression, splitting, limits, JSON errors in plain words, the order of messages.
Does not belong here: what a record says (``decoder.py``, ``end_state.py``).
"""

import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from esports_assets.adapters.base import MalformedRecord, RefusalLog, SourceFile, UnreadableFile
from esports_assets.adapters.grid import raw
from esports_assets.adapters.json_fault import not_a_number

MAX_FILE_BYTES = 4 * 1024**3
"""Largest unpacked file: several times a long best-of-five with a full state in every message."""
_CHUNK_BYTES = 1 << 20

T = TypeVar("T")


class _Head(msgspec.Struct):
    """The fields that tell what a record is and where it stands."""

    seriesId: msgspec.Raw = msgspec.Raw()
    sequenceNumber: msgspec.Raw = msgspec.Raw()
    events: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    seriesState: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()


class _Wire(msgspec.Struct):
    """An envelope whose events are still bytes, so that copies can be told from conflicts."""

    seriesId: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    sequenceNumber: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    occurredAt: Annotated[datetime, msgspec.Meta(tz=True)]
    events: msgspec.Raw
    simulated: bool = False
    titleId: str | int | None = None


class _Wrapped(msgspec.Struct):
    seriesState: raw.State


class _GraphQl(msgspec.Struct):
    data: _Wrapped


_events = msgspec.json.Decoder(list[raw.Event])
_event = msgspec.json.Decoder(raw.Event)
_head = msgspec.json.Decoder(_Head)
_wire = msgspec.json.Decoder(_Wire)
_array = msgspec.json.Decoder(list[msgspec.Raw])
_state = msgspec.json.Decoder(_Wrapped)
_graphql = msgspec.json.Decoder(_GraphQl)


@dataclass(frozen=True, slots=True)
class FinalState:
    """An ``end_state`` found in a file."""

    state: raw.State
    place: str


def message_of(data: bytes, place: str, file: str = "grid", ordinal: int = 0) -> raw.Message:
    """One message of the feed (or one event without an envelope, numbered by ``ordinal``) from its JSON.

    Raises MalformedRecord saying what is wrong.
    """
    head = _decoded(_head, data, file, place)
    if not bytes(head.events):
        return _bare(_decoded(_event, data, file, place), place, ordinal, data)
    wire = _decoded(_wire, data, file, place)
    body = bytes(wire.events)
    return raw.Message(
        series=wire.seriesId,
        number=wire.sequenceNumber,
        occurred_at=wire.occurredAt,
        events=_decoded(_events, body, file, f"{place}, sequence number {wire.sequenceNumber}"),
        place=place,
        simulated=wire.simulated,
        title_id=str(wire.titleId or ""),
        body=body,
        digest=hashlib.blake2b(body + wire.occurredAt.isoformat().encode(), digest_size=16).digest(),
    )


def _bare(event: raw.Event, place: str, ordinal: int, data: bytes) -> raw.Message:
    told = (raw.text(raw.tree(tree).get("id")) for tree in (event.seriesState, event.seriesStateDelta))
    series = next((s for s in told if s), None) or "unknown"
    digest = hashlib.blake2b(data, digest_size=16).digest()
    return raw.Message(series, ordinal, None, [event], place, body=b"[" + data + b"]", digest=digest)


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes, file: str, place: str) -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise MalformedRecord(file, place, f"not a GRID record: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        found = not_a_number(data)
        if found is None:
            raise MalformedRecord(file, place, f"not JSON: {error}") from error
        raise MalformedRecord(file, f"{place} {found[0]}".strip(), found[1]) from error
    except RecursionError as error:
        raise MalformedRecord(file, place, "not JSON that can be read: it is nested too deep") from error


def _is_json(data: bytes) -> bool:
    try:
        _head.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


class Reader:
    """The records of one file; ``log`` fills up while they are read."""

    def __init__(self, file: SourceFile) -> None:
        """Raises UnreadableFile for a container that cannot be unpacked."""
        self._name = file.name
        self._data = unpacked(file)
        self.log = RefusalLog(file.name)

    def records(self) -> Iterator[raw.Message | FinalState]:
        """Every record that can be read, messages of a series by sequence number."""
        order: list[tuple[str, int, int, str, int, int]] = []
        for ordinal, (place, start, end) in enumerate(self._slices()):
            try:
                series, number = self._judge(self._data[start:end], place)
            except MalformedRecord as error:
                self.log.add(error)
                continue
            order.append((series, ordinal if number is None else number, ordinal, place, start, end))
        for series, _, ordinal, place, start, end in sorted(order):
            piece = self._data[start:end]
            try:
                yield self._final(piece, place) if not series else message_of(piece, place, self._name, ordinal)
            except MalformedRecord as error:
                self.log.add(error)

    def _slices(self) -> Iterator[tuple[str, int, int]]:
        """Place, start and end of every record: array elements, else the whole document, else lines."""
        if self._data.lstrip()[:1] == b"[":
            try:
                elements = _array.decode(self._data)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                elements = None
            if elements is not None:
                yield from self._elements(elements)
                return
        if self._is_document():
            yield "", 0, len(self._data)
            return
        yield from self._lines()

    def _elements(self, elements: list[msgspec.Raw]) -> Iterator[tuple[str, int, int]]:
        at = 0
        for k, element in enumerate(elements):
            piece = bytes(element)
            at = self._data.index(piece, at)
            if self._fits(f"element {k + 1}", len(piece)):
                yield f"element {k + 1}", at, at + len(piece)
            at += len(piece)

    def _is_document(self) -> bool:
        """Whether the file is one JSON value over several lines; a damaged one still is, and is refused once."""
        first, _, rest = self._data.strip().partition(b"\n")
        if not rest:
            return False
        if _is_json(self._data):
            return True
        return ".json" in self._name and ".jsonl" not in self._name and not _is_json(first)

    def _lines(self) -> Iterator[tuple[str, int, int]]:
        start, line = 0, 0
        while start < len(self._data):
            line += 1
            end = self._data.find(b"\n", start)
            end = len(self._data) if end < 0 else end
            if self._fits(f"line {line}", end - start) and self._data[start:end].strip():
                yield f"line {line}", start, end
            start = end + 1

    def _fits(self, place: str, size: int) -> bool:
        if size <= raw.MAX_LINE_BYTES:
            return True
        reason = f"it is {size:,} bytes long; a GRID message has at most {raw.MAX_LINE_BYTES:,}"
        self.log.add(MalformedRecord(self._name, place, reason))
        return False

    def _judge(self, data: bytes, place: str) -> tuple[str, int | None]:
        """The series of a record (empty for an end state), and its sequence number where it has one."""
        head = _decoded(_head, data, self._name, place)
        if bytes(head.events):
            message = _decoded(_wire, data, self._name, place)
            return message.seriesId, message.sequenceNumber
        if bytes(head.type):
            return "~", None
        if bytes(head.seriesState) or bytes(head.data):
            return "", None
        reason = "neither a GRID message (events), an event (type) nor an end state (seriesState)"
        raise MalformedRecord(self._name, place, reason)

    def _final(self, data: bytes, place: str) -> FinalState:
        head = _decoded(_head, data, self._name, place)
        if bytes(head.seriesState):
            return FinalState(_decoded(_state, data, self._name, place).seriesState, place)
        return FinalState(_decoded(_graphql, data, self._name, place).data.seriesState, place)


def unpacked(file: SourceFile, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a file without its compression.

    Raises UnreadableFile for a damaged container or more than ``limit`` bytes.
    """
    data = b"".join(pieces(file, limit + 1))
    if len(data) > limit:
        raise UnreadableFile(file.name, container(file) or "", f"unpacks to more than {limit:,} bytes")
    return data


def pieces(file: SourceFile, limit: int = MAX_FILE_BYTES) -> Iterator[bytes]:
    """The unpacked bytes of a file, piece by piece, ``limit`` bytes at most.

    Raises UnreadableFile where a damaged container ends.
    """
    left = limit
    try:
        stream = _opened(file)
        while left and (piece := stream.read(min(left, _CHUNK_BYTES))):
            left -= len(piece)
            yield piece
    except EOFError as error:
        reason = f"truncated: the data ends after {len(file.data)} bytes without an end marker"
        raise UnreadableFile(file.name, container(file) or "", reason) from error
    except (OSError, lzma.LZMAError, zlib.error) as error:
        raise UnreadableFile(file.name, container(file) or "", f"cannot be unpacked: {error}") from error


def container(file: SourceFile) -> str | None:
    """What a file is packed in, by its name; None where it is not."""
    return {".gz": "gzip container", ".xz": "xz container"}.get(file.name[-3:])


def _opened(file: SourceFile) -> io.BufferedIOBase:
    stream = io.BytesIO(file.data)
    if file.name.endswith(".gz"):
        return gzip.open(stream)
    if file.name.endswith(".xz"):
        return lzma.open(stream)
    return stream
