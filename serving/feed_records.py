"""What somebody posts to the records in it: one JSON value, a list, or lines, each known for a transaction or an event.

Belongs here: splitting a body and judging what each part claims to be.
Does not belong here: reading transactions (``adapters/grid``) and events (``streams/envelope.py``) to the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

_NEITHER = (
    "neither a GRID transaction (seriesId, sequenceNumber, occurredAt, events) nor a canonical event (event_id, match_id, "
    "event_type, timestamp)"
)


class Claim(StrEnum):
    """What a record says that it is."""

    TRANSACTION = "transaction"
    """A transaction of a GRID series."""
    EVENT = "event"
    """A canonical event."""


@dataclass(frozen=True, slots=True)
class Record:
    """One part of a body and its place in it; ``claim`` is None for what is neither, ``reason`` says why then."""

    data: bytes
    place: str
    claim: Claim | None
    reason: str = ""


class _Head(msgspec.Struct):
    seriesId: msgspec.Raw = msgspec.Raw()
    events: msgspec.Raw = msgspec.Raw()
    event_id: msgspec.Raw = msgspec.Raw()
    event_type: msgspec.Raw = msgspec.Raw()


_head = msgspec.json.Decoder(_Head).decode
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_any = msgspec.json.Decoder(msgspec.Raw).decode
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def records(body: bytes, largest: int) -> Iterator[Record]:
    """The records of a body in order; whatever it holds, every byte that is not white space is part of one."""
    text = body.strip()
    if not text:
        return
    for place, data in _parts(text):
        if len(data) > largest:
            reason = f"it is {len(data):,} bytes long; an event has at most {largest:,}"
            yield Record(data, place, None, reason)
        else:
            yield _judged(data, place)


def _parts(text: bytes) -> Iterator[tuple[str, bytes]]:
    if text[:1] == b"[":
        try:
            elements = _array(text)
        except _BROKEN:
            elements = None
        if elements is not None:
            yield from ((f"element {k}", bytes(element)) for k, element in enumerate(elements, start=1))
            return
    lines = text.split(b"\n")
    if len(lines) == 1 or _fault(text) is None or not any(_is_object(line) for line in lines):
        yield "", text  # one value over several lines, be it whole or damaged
        return
    yield from ((f"line {k}", line.strip()) for k, line in enumerate(lines, start=1) if line.strip())


def _is_object(line: bytes) -> bool:
    return line.lstrip()[:1] == b"{" and _fault(line) is None


def _fault(text: bytes) -> str | None:
    """Why a text is no JSON; None where it is."""
    try:
        _any(text)
    except RecursionError:
        return "not JSON: it is nested too deep"
    except _BROKEN as error:
        return f"not JSON: {error}"
    return None


def _judged(data: bytes, place: str) -> Record:
    try:
        head = _head(data)
    except msgspec.ValidationError:
        return Record(data, place, None, _fault(data) or f"it is {_NEITHER}")
    except _BROKEN as error:
        return Record(data, place, None, _fault(data) or f"not JSON: {error}")
    if bytes(head.events) or bytes(head.seriesId):
        return Record(data, place, Claim.TRANSACTION)
    if bytes(head.event_id) or bytes(head.event_type):
        return Record(data, place, Claim.EVENT)
    return Record(data, place, None, f"it is {_NEITHER}")
