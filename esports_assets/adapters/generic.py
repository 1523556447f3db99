"""What a GENERIC event keeps of the record that the language has no word for.

Belongs here: the payload of such an event and the bound on its size.
Does not belong here: which records have no word (each adapter's mapping).
"""

from typing import Any

import msgspec

MAX_PART_BYTES = 16_384
"""Largest part of a record that is kept as it is. The state of one player takes 3 kB, that of a whole series 30 to 100."""

_encode = msgspec.json.Encoder().encode


def generic_payload(source_type: str, record: Any) -> dict[str, Any]:
    """Their word for it, and the raw record."""
    return {"source_type": source_type, "raw": record}


def kept(part: Any) -> Any:
    """A part of a record, or how large it is where it is too large to keep: the raw file holds it then."""
    try:
        size = len(_encode(part))
    except RecursionError:
        return {"left_out": "nested too deep"}
    return part if size <= MAX_PART_BYTES else {"left_out": f"{size} bytes"}
