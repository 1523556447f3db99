"""Entries of a match back to its tables.

Header, players and rounds come from the records beside the events (``envelope.py``) where a source sends them, and from the events
otherwise (``folding.py``). What the source took back (``canonical/retraction.py``) is no part of the match. With a closing
record the match is compared with it: every event and frame must have come, and each table must have the content hash that the
sender computed.

Belongs here: gathering the entries of a match in any order, with repetitions, and making the canonical match.
Does not belong here: writing it (the lake), following a match while it runs (windows).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from esports_assets.canonical.codec import content_hash, events_table, table_of
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import Frame, frame_of, is_frame, tracking_of
from esports_assets.canonical.match import CanonicalMatch, MatchHeader
from esports_assets.canonical.retraction import retracted_by
from esports_assets.canonical.schema import PLAYERS, ROUNDS
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams import folding
from esports_assets.streams.entries import told_apart
from esports_assets.streams.envelope import Closing, Envelope, Opening, Player, RoundRow
from esports_assets.streams.errors import CollectError
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import shard_of, shard_stream


@dataclass(frozen=True, slots=True)
class Collected:
    """A match, what the lake's record keeps beside it, and whether its sender's hashes vouch for it."""

    match: CanonicalMatch
    adapter_version: str = ""
    raw: str = ""
    verified: bool = False


class Collector:
    """What came of one match so far. Order and repetitions do not matter."""

    def __init__(self, match_id: str) -> None:
        self.match_id = match_id
        self._events: dict[str, CanonicalEvent] = {}
        self._frames: dict[str, tuple[CanonicalEvent, Frame]] = {}
        self._rounds: dict[int, RoundRow] = {}
        self._opening: Opening | None = None
        self._closing: Closing | None = None

    def add(self, envelope: Envelope) -> bool:
        """Take an envelope of this match; whether it was new."""
        event = envelope.event
        if event.match_id != self.match_id:
            raise CollectError(f"event {event.event_id} is of {event.match_id}, not of {self.match_id}")
        if event.event_id in self._events or event.event_id in self._frames:
            return False
        if is_frame(event):
            self._frames[event.event_id] = (event, envelope.frame or frame_of(event))
        else:
            self._events[event.event_id] = event
        if envelope.round is not None:
            self._rounds[event.segment] = envelope.round
        self._opening = envelope.opening or self._opening
        self._closing = envelope.closing or self._closing
        return True

    @property
    def over(self) -> bool:
        """Whether the match has ended, as its closing record or its MAP_END says."""
        return self._closing is not None or any(
            event.event_type is EventType.MAP_END for event in self._events.values()
        )

    def missing(self) -> str | None:
        """What has not come yet, in words; None where everything that was announced is there."""
        if not self.over:
            return "its end"
        if self._closing is None:
            return None if self._opening is None else "its closing record"
        events, frames = self._closing.events - len(self._events), self._closing.frames - len(self._frames)
        wanted = [f"{count} {what}" for count, what in ((events, "events"), (frames, "frames")) if count]
        wanted += ["its opening record"] * (self._opening is None)
        return " and ".join(wanted) or None

    def collected(self, *, partial: bool = False) -> Collected:
        """The match. Raises CollectError where something is missing (unless ``partial``) or does not hold together."""
        lacking = self.missing()
        if lacking and not partial:
            raise CollectError(f"{self.match_id} is incomplete: {lacking} did not come (or was trimmed)")
        if not self._events:
            raise CollectError(f"{self.match_id}: no event of it came")
        try:
            match = self._match()
        except (ValueError, TypeError, RecursionError) as error:
            raise CollectError(f"{self.match_id}: its entries do not fit the tables: {error}") from error
        closing = None if lacking else self._closing
        if closing is None:
            return Collected(match)
        for name, version in closing.versions.items():
            if name in match.tables and content_hash(match.tables[name]) != version:
                raise CollectError(f"{self.match_id}: table {name} is not the one that was sent")
        return Collected(match, closing.adapter_version, closing.raw, verified=bool(closing.versions))

    def _match(self) -> CanonicalMatch:
        events, frames = self._standing()
        header = self._opening.header if self._opening else folding.header_of(events)
        players = self._opening.players if self._opening else folding.players_of(events)
        return CanonicalMatch(
            header,
            events_table(events),
            tracking_of(frames),
            table_of(ROUNDS, _columns(ROUNDS.names, self._round_rows(events, header))),
            _players_table(header.match_id, players),
            self._closing.findings if self._closing else (),
        )

    def _standing(self) -> tuple[list[CanonicalEvent], list[tuple[CanonicalEvent, Frame]]]:
        """Events in order and frames, without what the source took back and without the taking back."""
        events = sorted(self._events.values(), key=lambda event: event.seq)
        taken_back = {gone for event in events for gone in retracted_by(event)}
        if not taken_back:
            return events, list(self._frames.values())
        kept = [event for event in events if event.event_id not in taken_back and not retracted_by(event)]
        numbered = [replace(event, seq=seq) for seq, event in enumerate(kept)]
        return numbered, [pair for name, pair in self._frames.items() if name not in taken_back]

    def _round_rows(self, events: list[CanonicalEvent], header: MatchHeader) -> list[RoundRow]:
        """Rows that were sent, in order of their rounds; where none was, what the events tell."""
        late = list(self._closing.rounds) if self._closing else []
        if not self._rounds:
            return late if late or self._closing else folding.rounds_of(events, header)
        told = {**self._rounds, **{_segment(row): row for row in late}}
        return [told[segment] for segment in sorted(told)]


def _segment(row: RoundRow) -> int:
    segment = row["segment"]
    if not isinstance(segment, int):
        raise ValueError(f"the row of a round has segment {segment!r}")
    return segment


def _columns(names: Iterable[str], rows: list[RoundRow]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}


def _players_table(match_id: str, players: Iterable[Player]) -> Any:
    told = list(players)
    columns = {name: [getattr(player, name) for player in told] for name in Player.__struct_fields__}
    return table_of(PLAYERS, {"match_id": [match_id] * len(told), **columns})


def gathered(envelopes: Iterable[Envelope], known: dict[str, Collector] | None = None) -> dict[str, Collector]:
    """Envelopes by match; with ``known``, those go on."""
    collectors = {} if known is None else known
    for envelope in envelopes:
        match_id = envelope.event.match_id
        collectors.setdefault(match_id, Collector(match_id)).add(envelope)
    return collectors


def collected_from(log: EventLog, match_id: str, *, partial: bool = False) -> Collected:
    """A match from what the log still holds of it; malformed entries are passed over."""
    collector = Collector(match_id)
    stream, cursor = shard_stream(shard_of(match_id)), None
    while entries := log.read_after(cursor, stream=stream):
        cursor = entries[-1].id
        for delivery in told_apart(entries)[0]:
            if delivery.envelope.event.match_id == match_id:
                collector.add(delivery.envelope)
    return collector.collected(partial=partial)
