"""Events, positions and signals as messages, without the id that comes in front of each.

Belongs here: the form of messages, and what is taken out of an event before it leaves.
Does not belong here: whether something may be said (``gate.py``), when, and to whom.
"""

from typing import Any

import msgspec
import orjson

from esports_assets.canonical.event import CanonicalEvent
from esports_assets.streams.envelope import Envelope, encode

HINDSIGHT = "hindsight"
"""What a source knew only later; told at once it would be younger than its event."""


def state_body(envelope: Envelope) -> bytes:
    """An event or a frame without its id."""
    kind = b'{"kind":"event",' if envelope.frame is None else b'{"kind":"frame",'
    return kind + encode(msgspec.structs.replace(envelope, event=without_hindsight(envelope.event)))[1:]


def without_hindsight(event: CanonicalEvent) -> CanonicalEvent:
    """The event as one could tell it at its own instant."""
    if HINDSIGHT not in event.payload:
        return event
    payload = {name: value for name, value in event.payload.items() if name != HINDSIGHT}
    return msgspec.structs.replace(event, payload=payload)


def signal_body(document: dict[str, Any]) -> bytes:
    """A signal without its id; what kind of signal it is stands in ``signal_type``."""
    said = {**document, "kind": "signal", "type": "AGENT_SIGNAL", "signal_type": document.get("type")}
    said.pop("id", None)
    return orjson.dumps(said)
