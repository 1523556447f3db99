"""Matches into the log as if they were played now.

Events keep their source time and their order; frames stand where they belong by time, after the events of their instant. The
envelope's ``live_offset_s`` says how far the wall clock is from the source's. Playing a match again appends nothing.

Belongs here: matches from source files or the lake to envelopes, the clock, and sending at speed.
Does not belong here: the log itself, the command line, deciding which matches.
"""

import contextlib
import gc
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import adapter_for, read_file
from esports_assets.canonical.codec import content_hash, events_of
from esports_assets.canonical.event import CanonicalEvent, IngestionMeta
from esports_assets.canonical.frames import count_frames, frames_of, zeros_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import EventType
from esports_assets.storage.lake import Lake
from esports_assets.storage.records import RawFile, safe_name
from esports_assets.streams.envelope import Closing, Envelope, Opening, Player, round_rows
from esports_assets.streams.errors import ReplayError
from esports_assets.streams.log import Appended, EventLog

_BATCH = 500
_AT_ONCE = 2
"""Batches per round trip at full speed."""
_LONGEST_SLEEP_S = 0.25


@dataclass(frozen=True, slots=True)
class Playable:
    """A match to play, with what the lake's record keeps beside it."""

    match: CanonicalMatch
    adapter_version: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a match that was played: events and frames sent, and how many of them were new to the log."""

    match_id: str
    sent: int
    appended: int
    seconds: float

    @property
    def duplicates(self) -> int:
        """How many were in the log before."""
        return self.sent - self.appended

    @property
    def per_s(self) -> float:
        """Events and frames per second."""
        return self.sent / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class WallClock:
    """Time as it is; tests put their own in its place."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


def from_file(path: Path) -> list[Playable]:
    """The matches of a source file. ReplayError where there is none, with the first reason."""
    file = SourceFile(safe_name(path.name), path.read_bytes())
    reading = read_file(file)
    if not reading.matches:
        why = reading.refusals[0] if reading.refusals else f"{path.name}: no match in it"
        raise ReplayError(f"nothing to play: {why}")
    adapter, first = adapter_for(file), reading.matches[0].header
    raw = RawFile(first.title, first.day, file.sha256[:12], file.name).key
    return [Playable(match, adapter.version if adapter else "", raw) for match in reading.matches]


def from_lake(lake: Lake, match_id: str) -> Playable:
    """A match of the lake. ReplayError where it has none of that id."""
    for title in lake.titles():
        record = lake.find(title, match_id)
        if record is not None:
            return Playable(lake.load(record.header), record.adapter_version, record.raw)
    raise ReplayError(f"{match_id!r} is neither a file nor a match of the lake at {lake.url}")


def envelopes_of(playable: Playable, *, tracking: bool = True) -> Iterator[Envelope]:
    """A match as envelopes without an offset, in order: opening on the first, rounds as they are decided, closing on the last.

    Raises ReplayError for a match without anything that happens.
    """
    match = playable.match
    opening: Opening | None = _opening(match)
    rows, in_order = round_rows(match.rounds), _rounds_stand_in_order(match)
    undecided = {row["segment"]: row for row in rows} if in_order else {}
    counts = {False: 0, True: 0}
    held: Envelope | None = None
    for event, is_frame in _merged(match, tracking):
        if held is not None:
            yield held
        counts[is_frame] += 1
        row = undecided.pop(event.segment, None) if event.event_type is EventType.ROUND_END else None
        held = Envelope(event, opening=opening, round=row)
        opening = None
    if held is None:
        raise ReplayError(f"{match.header.match_id}: nothing happens in it")
    closing = Closing(
        events=counts[False],
        frames=counts[True],
        rounds=tuple(undecided.values() if in_order else rows),
        findings=match.findings,
        versions={name: content_hash(table) for name, table in match.tables.items() if tracking or name != "tracking"},
        adapter_version=playable.adapter_version,
        raw=playable.raw,
    )
    yield msgspec.structs.replace(held, closing=closing)


def _opening(match: CanonicalMatch) -> Opening:
    told = (match.players[name].to_pylist() for name in Player.__struct_fields__)
    return Opening(match.header, tuple(Player(*row) for row in zip(*told, strict=True)))


def _rounds_stand_in_order(match: CanonicalMatch) -> bool:
    """Whether rows can be sent one by one: in the order of the rounds, each once."""
    segments = match.rounds["segment"].to_pylist()
    return bool(segments == sorted(set(segments)))


def _merged(match: CanonicalMatch, tracking: bool) -> Iterator[tuple[CanonicalEvent, bool]]:
    """Events in their order and frames in theirs, by source time; events first at one instant."""
    header = match.header
    meta = IngestionMeta(source=header.source, simulated=header.simulated)
    frames = frames_of(match.tracking, header, zeros_of(match)) if tracking else iter(())
    frame = next(frames, None)
    for event in events_of(match.events):
        while frame is not None and frame.timestamp < event.timestamp:
            yield frame, True
            frame = next(frames, None)
        yield msgspec.structs.replace(event, ingestion_meta=meta), False
    while frame is not None:
        yield frame, True
        frame = next(frames, None)


def play(
    log: EventLog,
    playable: Playable,
    speed: float | None = 1.0,
    *,
    tracking: bool = True,
    on_progress: Callable[[int], None] | None = None,
    clock: WallClock | None = None,
) -> Played:
    """Play a match into the log, ``speed`` times as fast as it was; None means as fast as the log takes it.

    ``on_progress`` is told the number sent so far. Raises ReplayError and FrameError before anything is sent.
    """
    if speed is not None and not 0 < speed < float("inf"):
        raise ReplayError(f"a speed of {speed} is no speed: give a number above 0, or max")
    wall = clock or WallClock()
    envelopes = envelopes_of(playable, tracking=tracking)
    sending = _Sending(log, on_progress)
    started = wall.now()
    if speed is None:
        _at_full_speed(sending, envelopes, wall)
    else:
        _at_speed(sending, envelopes, wall, speed)
    return Played(playable.match.header.match_id, sending.sent, sending.appended, wall.now() - started)


def length(playable: Playable, *, tracking: bool = True) -> int:
    """How many events and frames a match has."""
    return int(playable.match.events.num_rows) + (count_frames(playable.match.tracking) if tracking else 0)


class _Sending:
    """What was sent so far."""

    def __init__(self, log: EventLog, on_progress: Callable[[int], None] | None) -> None:
        self.log = log
        self.sent = 0
        self.appended = 0
        self._on_progress = on_progress

    def count(self, results: Iterable[list[Appended]]) -> None:
        """Take note of what became of some batches."""
        for batch in results:
            self.sent += len(batch)
            self.appended += sum(not result.duplicate for result in batch)
        if self._on_progress is not None:
            self._on_progress(self.sent)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Envelopes hold no cycles, so the cyclic collector would search in vain: a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _at_full_speed(sending: _Sending, envelopes: Iterator[Envelope], wall: WallClock) -> None:
    """Make the next batches while the server takes the last ones."""
    with _uncollected(), ThreadPoolExecutor(1) as sender:
        under_way: Future[list[list[Appended]]] | None = None
        while found := list(islice(envelopes, _AT_ONCE * _BATCH)):
            now = wall.now()
            stamped = [_stamped(envelope, now) for envelope in found]
            batches = [stamped[start : start + _BATCH] for start in range(0, len(stamped), _BATCH)]
            if under_way is not None:
                sending.count(under_way.result())
            under_way = sender.submit(sending.log.append_pipelined, batches)
        if under_way is not None:
            sending.count(under_way.result())


def _at_speed(sending: _Sending, envelopes: Iterator[Envelope], wall: WallClock, speed: float) -> None:
    """Send every event when it is due, those that are due together in one batch."""
    start, first, due = wall.now(), None, 0.0
    batch: list[Envelope] = []

    def flush() -> None:
        if batch:
            sending.count([sending.log.append(batch)])
            batch.clear()

    for envelope in envelopes:
        moment = envelope.event.timestamp.timestamp()
        first = moment if first is None else first
        due = max(due, start + (moment - first) / speed)
        while (wait := due - wall.now()) > 0:
            flush()
            wall.sleep(min(wait, _LONGEST_SLEEP_S))
        batch.append(_stamped(envelope, due))
        if len(batch) == _BATCH:
            flush()
    flush()


def _stamped(envelope: Envelope, wall_s: float) -> Envelope:
    return msgspec.structs.replace(envelope, live_offset_s=round(wall_s - envelope.event.timestamp.timestamp(), 6))
