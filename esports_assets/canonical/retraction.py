"""Taking back what was said: how the stream tells that earlier events of a match no longer stand.

A source may take back what it told (a rolled-back round, an undone kill). What entered the log stays in it, so the taking back
is an event too: GENERIC, with ``source_type`` "retraction" and ``raw`` as

    {"retracts": [event id, ...], "because": "the source's word for it"}

A match gathered without the events that its retractions name, and without the retractions, is what stands.

Belongs here: this one convention, writing and reading it.
Does not belong here: when a source takes something back (adapters), what a consumer does about it.
"""

from collections.abc import Sequence
from typing import Any

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.vocabulary import EventType

RETRACTION = "retraction"
MOST_IDS = 500
"""Ids in one retraction; more take several."""


def retraction_payload(event_ids: Sequence[str], because: str) -> dict[str, Any]:
    """The payload of the GENERIC event that takes back ``event_ids``."""
    return {"source_type": RETRACTION, "raw": {"retracts": list(event_ids), "because": because}}


def retracted_by(event: CanonicalEvent) -> tuple[str, ...]:
    """Ids of the events that an event takes back; empty for any other event."""
    if event.event_type is not EventType.GENERIC or event.payload.get("source_type") != RETRACTION:
        return ()
    raw = event.payload.get("raw")
    ids = raw.get("retracts") if isinstance(raw, dict) else None
    return tuple(found for found in ids if isinstance(found, str)) if isinstance(ids, list) else ()
