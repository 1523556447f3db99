"""Facts for the events of a live match, one after another.

Belongs here: the state of one match behind ``Enricher``, and its checkpoint.
Does not belong here: the facts themselves (``facts.py``), streams, webhooks, many matches.
"""

import msgspec

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import is_frame
from esports_assets.canonical.space import coordinate_system
from esports_assets.canonical.vocabulary import EventType, Title
from esports_assets.enrich.facts import facts_of
from esports_assets.enrich.so_far import MatchSoFar
from esports_assets.enrich.told import READ, Told
from esports_assets.enrich.whereabouts import Frames, Seen


def metres_per_unit(title: Title) -> float | None:
    """The length of a title's game unit; None where it is played without space."""
    try:
        return coordinate_system(title).metres_per_unit
    except LookupError:
        return None


class _State(msgspec.Struct):
    match_id: str = ""
    match: MatchSoFar = msgspec.field(default_factory=MatchSoFar)
    seen: list[Seen] = []


class Enricher:
    """Adds to each event of one match what is known at its instant; feed events and frames in the source's order.

    What a source takes back is not forgotten, except by a round that starts again: after a single retraction make a new one and
    feed it what stands.
    """

    def __init__(self) -> None:
        self._match_id = ""
        self._match = MatchSoFar()
        self._frames = Frames([])

    @classmethod
    def restored(cls, checkpoint: bytes) -> "Enricher":
        """The enricher that wrote a checkpoint. Raises msgspec.MsgspecError for bytes that are none."""
        state = msgspec.msgpack.decode(checkpoint, type=_State)
        made = cls()
        made._match_id, made._match, made._frames = state.match_id, state.match, Frames(state.seen)
        return made

    def checkpoint(self) -> bytes:
        """All that it knows."""
        return msgspec.msgpack.encode(_State(self._match_id, self._match, self._frames.seen))

    def enrich(self, event: CanonicalEvent) -> CanonicalEvent:
        """The event with its facts; a frame comes back as it is and is remembered.

        Raises ValueError for an event of another match, FrameError (one too) for a frame that does not hold together.
        """
        if event.match_id != (self._match_id or event.match_id):
            raise ValueError(f"event {event.event_id} is of {event.match_id}, not of {self._match_id}")
        self._match_id = event.match_id
        if is_frame(event):
            self._frames.take(event)
            return event
        kind = event.event_type
        if kind not in READ:
            return event
        if kind is EventType.ROUND_START:
            self._frames.forget(event.segment)
        told = Told(kind, event.segment, utc_us(event.timestamp), event.actor, event.target, event.team, event.payload)
        found = facts_of(told, self._match, self._frames, metres_per_unit(event.title))
        return msgspec.structs.replace(event, enriched={**event.enriched, **found}) if found else event
