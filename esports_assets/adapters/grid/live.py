"""A GRID series as it is played: transactions one by one to the events that enter the log.

The decoder is the one of files (``decoder.py``). What a file is read with and a live feed cannot know yet differs, and only that:

* ``t`` of events before the end of a round's freeze time is None: nobody knows then when the clock will start.
* Positions of freeze time are not sent, for the same reason; ``seq`` of frames counts what was sent.
* ``map`` is "unknown" on events from before the map was told.
* What the source takes back has gone out. A retraction (``canonical/retraction.py``) then names it, and the numbers after it are
  greater than those of a file, which never held what was taken back. So do frames of a round that starts over.

Where nothing is taken back, ids, order, ``seq``, segment, payload and derived facts are those of the file.

Belongs here: what goes out for a transaction, given all before it. Deterministic: the same transactions in the same order give
the same events, however they are cut into calls.
Does not belong here: order and gaps of what arrives, the log, sockets (serving).
"""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from esports_assets.adapters.base import MalformedRecord, Refusal
from esports_assets.adapters.grid import raw
from esports_assets.adapters.grid.decoder import Decoded, GridDecoder
from esports_assets.adapters.grid.ledger import Statement
from esports_assets.adapters.grid.live_frames import frame_of_samples
from esports_assets.adapters.grid.reading import message_of
from esports_assets.adapters.grid.scene import SOURCE, Sample
from esports_assets.canonical.clock import EPOCH_DAY
from esports_assets.canonical.event import CanonicalEvent, IngestionMeta, event_id
from esports_assets.canonical.retraction import MOST_IDS, retraction_payload
from esports_assets.canonical.vocabulary import EventType
from esports_assets.enrich.online import Enricher

_FEED = "grid feed"


@dataclass(slots=True)
class Told:
    """What goes out for one transaction, in order, and what was refused of it."""

    events: list[CanonicalEvent] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(slots=True)
class _Out:
    """What went out of one match so far."""

    enricher: Enricher = field(default_factory=Enricher)
    seq: int = 0
    frames: list[tuple[int, str]] = field(default_factory=list)
    """Round and id of every frame."""
    instant: list[Sample] = field(default_factory=list)
    """Positions of the newest instant: they go out with the next one, as the last word on it counts."""
    numbered: int = 0


def transaction(data: bytes, place: str = "") -> raw.Message:
    """A transaction of the feed from its JSON.

    Raises MalformedRecord saying what is wrong: a single event without an envelope has no place in the order of its series.
    """
    message = message_of(data, place, _FEED)
    if message.occurred_at is None:
        raise MalformedRecord(
            _FEED, place, "an event without its envelope (seriesId, sequenceNumber) has no place in a series"
        )
    return message


class LiveSeries:
    """Translates one series; feed it every transaction once, by sequence number."""

    def __init__(self) -> None:
        self._decoder = GridDecoder(_FEED, EPOCH_DAY)
        self._out: dict[str, _Out] = {}

    def feed(self, message: raw.Message) -> Told:
        """What goes out for a transaction. Bad content is refused in what is returned, never raised."""
        told = Told()
        decoded = self._decoder.feed(message)
        told.refusals += decoded.refusals
        if message.occurred_at is not None:
            self._take_back(decoded, message, message.occurred_at, told)
        for statement in decoded.said:
            self._frames(statement, told)
            for event in statement.events:
                self._say(event, told)
            self._note(statement)
        return told

    def _say(self, event: CanonicalEvent, told: Told) -> None:
        out = self._out.setdefault(event.match_id, _Out())
        numbered = event if event.seq == out.seq else msgspec.structs.replace(event, seq=out.seq)
        out.seq += 1
        told.events.append(out.enricher.enrich(numbered))

    def _note(self, statement: Statement) -> None:
        """Keep the positions of an instant until the next one."""
        known = [sample for sample in statement.samples if sample.t is not None]
        if known:
            self._out[known[0].match_id].instant += known

    def _frames(self, statement: Statement, told: Told) -> None:
        """Send the positions of the instant before, if the statement is of a later one."""
        for match_id, out in self._out.items():
            if not out.instant or out.instant[0].timestamp == statement.occurred_at:
                continue
            game = next((g for g in self._decoder.games.values() if g.header.match_id == match_id), None)
            if game is not None:
                frame = frame_of_samples(out.instant, game.header, out.numbered)
                out.numbered += 1
                out.frames.append((frame.segment, frame.event_id))
                told.events.append(out.enricher.enrich(frame))
            out.instant = []

    def _take_back(self, decoded: Decoded, message: raw.Message, moment: datetime, told: Told) -> None:
        """Name what went out and no longer stands, match by match."""
        gone: dict[str, list[Statement]] = {}
        for statement in decoded.retracted:
            for match_id in {event.match_id for event in statement.events}:
                gone.setdefault(match_id, []).append(statement)
        for match_id, statements in gone.items():
            out = self._out.get(match_id)
            if out is not None:
                ids = [e.event_id for s in statements for e in reversed(s.events) if e.match_id == match_id]
                ids += self._frames_gone(out, statements)
                self._retract(out, ids, statements[-1], message, moment, told)

    @staticmethod
    def _frames_gone(out: _Out, statements: list[Statement]) -> list[str]:
        """Frames of rounds whose beginning was taken back; what was not sent yet is forgotten."""
        begun = (EventType.ROUND_START, EventType.FREEZE_END)
        rounds = {s.segment for s in statements if any(e.event_type in begun for e in s.events)}
        out.instant = [sample for sample in out.instant if sample.segment not in rounds]
        gone = [frame for segment, frame in out.frames if segment in rounds]
        out.frames = [(segment, frame) for segment, frame in out.frames if segment not in rounds]
        return gone[::-1]

    def _retract(
        self, out: _Out, ids: list[str], oldest: Statement, message: raw.Message, moment: datetime, told: Told
    ) -> None:
        sample = oldest.events[0]
        for part, start in enumerate(range(0, len(ids), MOST_IDS)):
            because = next((e.type for e in message.events if e.undone_type), message.events[0].type)
            told.events.append(
                CanonicalEvent(
                    event_id=event_id(SOURCE, sample.match_id, f"{message.number}.retraction", part),
                    match_id=sample.match_id,
                    event_type=EventType.GENERIC,
                    timestamp=moment,
                    payload=retraction_payload(ids[start : start + MOST_IDS], because),
                    ingestion_meta=IngestionMeta(SOURCE, message.number, None, message.simulated),
                    title=sample.title,
                    series_id=sample.series_id,
                    map=sample.map,
                    segment=oldest.segment,
                    seq=out.seq,
                )
            )
            out.seq += 1
        out.enricher = self._fed_again(sample.match_id)

    def _fed_again(self, match_id: str) -> Enricher:
        """An enricher that knows what stands, and the frames of which it is not told again no more."""
        made = Enricher()
        for statement in self._decoder.ledger:
            for event in statement.events:
                if event.match_id == match_id:
                    made.enrich(event)
        return made
