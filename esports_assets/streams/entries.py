"""Entries of a stream as they are read, and the good ones among them told from the bad.

Belongs here: the values of reading.
Does not belong here: how entries are fetched (``log.py``, ``groups.py``).
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from esports_assets.canonical.event import WireError
from esports_assets.streams.envelope import Envelope, decode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry: ``data`` is None where it has no such field, ``fields`` then tells what it has instead."""

    stream: str
    id: str
    data: bytes | None
    deliveries: int = 1
    fields: tuple[bytes, ...] = ()

    def envelope(self) -> Envelope:
        """The envelope; WireError where there is none."""
        if self.data is None:
            raise WireError("the entry has no field 'data'")
        return decode(self.data)

    @property
    def kept(self) -> bytes:
        """What a dead letter keeps of it: its data, else its fields as JSON."""
        if self.data is not None:
            return self.data
        return msgspec.json.encode([field.decode(errors="backslashreplace") for field in self.fields])


class Delivery(msgspec.Struct, frozen=True):
    """A good entry with its envelope."""

    entry: Entry
    envelope: Envelope


class Refused(msgspec.Struct, frozen=True):
    """An entry that holds no canonical event, and why."""

    entry: Entry
    reason: str


def told_apart(entries: Iterable[Entry]) -> tuple[list[Delivery], list[Refused]]:
    """Entries with their envelopes, and the malformed ones beside them."""
    good: list[Delivery] = []
    bad: list[Refused] = []
    for entry in entries:
        try:
            good.append(Delivery(entry, entry.envelope()))
        except WireError as error:
            bad.append(Refused(entry, str(error)))
    return good, bad


def entry_of(stream: str, raw: Any, deliveries: int = 1) -> Entry:
    """An entry from ``[id, [field, value, ...]]``."""
    entry_id, flat = raw
    if len(flat) == 2 and flat[0] == b"data":
        return Entry(stream, entry_id.decode(), flat[1], deliveries)
    data = next((flat[i + 1] for i in range(0, len(flat), 2) if flat[i] == b"data"), None)
    return Entry(stream, entry_id.decode(), data, deliveries, () if data is not None else tuple(flat))
