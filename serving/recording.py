"""A match of the lake as something to play: events and positions in one order, found by place, made into messages on demand.

The order is that of the log: events as they stand in the lake, a frame after the events of its instant. Positions are thinned to
``FRAMES_HZ`` of match time when a recording is opened, so one holds a fraction of the tracking table.

Belongs here: opening, places, messages of a stretch, and the few recordings that are kept. Making messages blocks.
Does not belong here: clocks and clients (``replay_session.py``), whether something may be told (``gate.py``).
"""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.canonical.codec import events_of
from esports_assets.canonical.frames import frame_of, frames_of, zeros_of
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.storage.lake import Lake
from esports_assets.streams.envelope import Envelope
from serving.errors import ApiError
from serving.match_reader import MatchReader
from serving.room_messages import state_body

FRAMES_HZ = 8.0
_KEPT = 4
Micros = npt.NDArray[np.int64]


class Recording:
    """One match, opened. ``at_us[i]`` is when its i-th entry is played, ``source_us[i]`` what it says itself."""

    def __init__(self, match: CanonicalMatch, version: str) -> None:
        self.header = match.header
        self.version = version
        self._events = match.events
        self._zeros = zeros_of(match)
        timed = pc.is_in(match.tracking["segment"], pa.array(self._zeros.keys(), match.tracking["segment"].type))
        self._tracking, self._first_rows, self._numbers = _thinned(match.tracking.filter(timed))
        events = match.events["timestamp"].cast(pa.int64()).to_numpy()
        frames = self._frame_moments()
        places = np.searchsorted(np.maximum.accumulate(events), np.maximum.accumulate(frames), side="right")
        self._order = np.insert(np.arange(len(events)), places, -1 - np.arange(len(frames)))
        self.source_us: Micros = np.where(
            self._order >= 0,
            events[np.maximum(self._order, 0)] if len(events) else 0,
            frames[np.maximum(-1 - self._order, 0)] if len(frames) else 0,
        )
        self.at_us: Micros = np.maximum.accumulate(self.source_us)
        self._event_ids = match.events["event_id"].to_pylist()
        self._places = {event: int(i) for i, event in enumerate(self._order.tolist()) if event >= 0}

    def __len__(self) -> int:
        return len(self._order)

    def is_frame(self, place: int) -> bool:
        """Whether an entry is a frame."""
        return bool(self._order[place] < 0)

    def place_of(self, event_id: str) -> int | None:
        """Where an event stands."""
        try:
            return self._places[self._event_ids.index(event_id)]
        except ValueError:
            return None

    def place_at(self, at_us: int) -> int:
        """The first entry at or after an instant of the source."""
        return int(np.searchsorted(self.at_us, at_us, side="left"))

    def instant_of(self, segment: int, t_s: float) -> int | None:
        """The source time of an instant of a round; None for a round that is not there."""
        zero = self._zeros.get(segment)
        return None if zero is None else zero + round(t_s * 1_000_000)

    @property
    def segments(self) -> list[int]:
        """The rounds that have a clock."""
        return sorted(self._zeros)

    def bodies(self, start: int, stop: int) -> list[tuple[str, str, bytes]]:
        """Kind, event id and message without its id of every entry of a stretch."""
        order = self._order[start:stop].tolist()
        events = iter(self._made_events([place for place in order if place >= 0]))
        frames = iter(self._made_frames([-1 - place for place in order if place < 0]))
        return [next(events) if place >= 0 else next(frames) for place in order]

    def _made_events(self, places: list[int]) -> list[tuple[str, str, bytes]]:
        if not places:
            return []
        found = events_of(self._events.slice(places[0], places[-1] + 1 - places[0]))
        return [("event", event.event_id, state_body(Envelope(event))) for event in found]

    def _made_frames(self, places: list[int]) -> list[tuple[str, str, bytes]]:
        if not places:
            return []
        first, last = places[0], places[-1] + 1
        rows = slice(int(self._first_rows[first]), int(self._first_rows[last]))
        stretch = self._tracking.slice(rows.start, rows.stop - rows.start)
        made = []
        for event, number in zip(
            frames_of(stretch, self.header, self._zeros), self._numbers[first:last].tolist(), strict=True
        ):
            numbered = msgspec.structs.replace(event, seq=number)
            made.append(("frame", "", state_body(Envelope(numbered, frame=frame_of(event)))))
        return made

    def _frame_moments(self) -> Micros:
        starts = self._first_rows[:-1]
        segments = self._tracking["segment"].to_numpy()[starts]
        t_s = self._tracking["t_s"].to_numpy()[starts].astype(np.float64)
        zeros = np.array([self._zeros.get(segment, 0) for segment in segments.tolist()], dtype=np.int64)
        moments: Micros = zeros + np.round(t_s * 1e6).astype(np.int64)
        return moments


def _thinned(tracking: pa.Table) -> tuple[pa.Table, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The first frame of every ``1 / FRAMES_HZ`` of match time; the first row of each with the number of rows at the end; and
    the number that each had among all."""
    segments, t_s = tracking["segment"].to_numpy(), tracking["t_s"].to_numpy()
    bits = t_s.view(np.int32)  # 0 and -0 are two instants, as they are to ``frames_of``
    changes = (segments[1:] != segments[:-1]) | (bits[1:] != bits[:-1])
    starts = np.concatenate([np.zeros(min(1, len(t_s)), np.intp), np.flatnonzero(changes) + 1])
    steps = np.floor(t_s[starts].astype(np.float64) * FRAMES_HZ)
    new = np.ones(len(starts), bool)
    new[1:] = (steps[1:] != steps[:-1]) | (segments[starts][1:] != segments[starts][:-1])
    frame_of_row = np.zeros(len(t_s), np.intp)
    frame_of_row[starts[1:]] = 1
    kept_rows = new[np.cumsum(frame_of_row)] if len(starts) else np.zeros(0, bool)
    sizes = np.diff(np.append(starts, len(t_s)))[new]
    first_rows = np.concatenate([np.zeros(1, np.intp), np.cumsum(sizes)]).astype(np.intp)
    return tracking.filter(pa.array(kept_rows)).combine_chunks(), first_rows, np.flatnonzero(new)


class Recordings:
    """The recordings that were opened last. One thread opens them, one after the other: each costs memory and a second."""

    def __init__(self, reader: MatchReader, lake_url: str) -> None:
        self._reader = reader
        self._lake_url = lake_url
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recordings")
        self._kept: OrderedDict[tuple[str, str], Recording] = OrderedDict()

    async def opened(self, match_id: str) -> Recording | None:
        """The recording of a match as the lake has it now; None where it has none, or nothing happens in it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._open, match_id)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _open(self, match_id: str) -> Recording | None:
        try:
            record = self._reader.match(match_id)
        except ApiError:
            return None
        key = (match_id, record.data_version)
        found = self._kept.pop(key, None)
        if found is None:
            found = Recording(Lake(self._lake_url).load(record.header), record.data_version)
        self._kept[key] = found
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found if len(found) else None
