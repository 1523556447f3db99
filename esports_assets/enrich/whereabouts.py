"""Where players were lately: one question, answered from a tracking table or from the frames of a stream.

Frames of freeze time are left out: nobody can move, and a live source cannot tell their time in the round yet.

Belongs here: the question and its two answers, which a test holds together.
Does not belong here: what follows from a position (``facts.py``).
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping
from ctypes import c_float
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esports_assets.canonical.clock import utc_us
from esports_assets.canonical.event import CanonicalEvent
from esports_assets.canonical.frames import frame_of, frame_times
from esports_assets.enrich.so_far import KNOWN_FOR_US, SPEED_SPAN_US
from esports_assets.enrich.told import Place

_KEPT_US = 3 * KNOWN_FOR_US
"""Frames are kept for so long: a believed position, one believed before it, and events that come late."""

Fix = tuple[int, Place]
"""When (µs) and where."""


class Standing(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One living player of a frame; coordinates in single precision, as in the tracking table."""

    team: str
    place: Place


class Whereabouts(Protocol):
    """Positions of the living at a sampling rate, as of just before an instant (µs) of a round, as long as they are believed."""

    def last_two(self, segment: int, player: str, now_us: int) -> tuple[Fix | None, Fix | None]:
        """When and where a player was seen last, and the latest time before that which a speed can be taken from."""

    def living(self, segment: int, now_us: int) -> Mapping[str, Standing]:
        """Who stood where in the last frame that shows anybody; empty where there is none."""


class _Round(NamedTuple):
    """The frames of a round by time: when, and their first row and the row after their last."""

    times: list[int]
    starts: list[int]
    ends: list[int]


_NO_ROUND = _Round([], [], [])


class Tracks:
    """The whereabouts of a tracking table with the source time of each round's zero."""

    def __init__(self, tracking: pa.Table, zeros: Mapping[int, int]) -> None:
        self._players, self._who = _words(tracking, "player")
        self._teams, self._whose = _words(tracking, "team")
        self._axes = [tracking[name].combine_chunks().to_numpy() for name in ("x_u", "y_u", "z_u")]
        self._alive = tracking["alive"].combine_chunks().to_numpy(zero_copy_only=False)
        self._codes = {player: code for code, player in enumerate(self._players)}
        self._offsets = [0] * len(self._players)
        self._rounds = dict(_rounds(tracking, zeros))

    def last_two(self, segment: int, player: str, now_us: int) -> tuple[Fix | None, Fix | None]:
        """When and where a player was seen last, and the latest time before that which a speed can be taken from."""
        code, of_round = self._codes.get(player), self._rounds.get(segment)
        if code is None or of_round is None:
            return None, None
        times, starts, ends = of_round
        newest: Fix | None = None
        until, since = now_us - 1, now_us - KNOWN_FOR_US
        at = bisect_right(times, until) - 1
        while at >= 0 and times[at] >= since:
            if times[at] <= until:
                row = self._row(code, starts[at], ends[at])
                if row is not None and self._alive[row]:
                    if newest is not None:
                        return newest, (times[at], self._place(row))
                    newest = times[at], self._place(row)
                    until, since = times[at] - SPEED_SPAN_US, times[at] - KNOWN_FOR_US
            at -= 1
        return newest, None

    def living(self, segment: int, now_us: int) -> Mapping[str, Standing]:
        """Who stood where in the last frame that shows anybody; empty where there is none."""
        times, starts, ends = self._rounds.get(segment, _NO_ROUND)
        at = bisect_right(times, now_us - 1) - 1
        found: dict[str, Standing] = {}
        moment, since = None, now_us - KNOWN_FOR_US
        while at >= 0 and times[at] >= since and (not found or times[at] == moment):
            moment = times[at]
            for row in range(starts[at], ends[at]):
                if self._alive[row]:
                    standing = Standing(self._teams[self._whose[row]], self._place(row))
                    found.setdefault(self._players[self._who[row]], standing)
            at -= 1
        return found

    def _row(self, code: int, start: int, end: int) -> int | None:
        """The row of a player in a frame: where he stood in the frame asked for before, else wherever he stands."""
        row = start + self._offsets[code]
        if row < end and self._who.item(row) == code:
            return row
        found = np.flatnonzero(self._who[start:end] == code)
        if not found.size:
            return None
        self._offsets[code] = int(found[0])
        return start + self._offsets[code]

    def _place(self, row: int) -> Place:
        x, y, z = self._axes
        return x.item(row), y.item(row), z.item(row)


def _words(tracking: pa.Table, name: str) -> tuple[list[str], npt.NDArray[Any]]:
    array = tracking[name].combine_chunks()
    return array.dictionary.to_pylist(), array.indices.to_numpy()


def _rounds(tracking: pa.Table, zeros: Mapping[int, int]) -> Iterator[tuple[int, _Round]]:
    starts, times = frame_times(tracking, zeros)
    ends = np.append(starts[1:], tracking.num_rows)
    segments = tracking["segment"].to_numpy()[starts]
    counts = (times >= 0) & (tracking["t_s"].to_numpy()[starts] >= 0)
    for segment in np.unique(segments).tolist():
        mine = np.flatnonzero((segments == segment) & counts)
        mine = mine[np.argsort(times[mine], kind="stable")]
        yield segment, _Round(times[mine].tolist(), starts[mine].tolist(), ends[mine].tolist())


class Seen(msgspec.Struct, array_like=True):
    """A frame of a stream: when, in which round, and who stood where."""

    at_us: int
    segment: int
    living: dict[str, Standing]


class Frames:
    """The whereabouts of the latest frames of a stream; ``seen`` is what is kept of them, by time."""

    def __init__(self, seen: list[Seen]) -> None:
        self.seen = seen

    def take(self, event: CanonicalEvent) -> None:
        """Take in a frame. Raises FrameError where the event is none."""
        frame = frame_of(event)
        if event.t is None or event.t < 0:
            return
        living = {
            row.player: Standing(frame.team(row), (_single(row.x), _single(row.y), _single(row.z)))
            for row in frame.frame
            if row.alive
        }
        insort(self.seen, Seen(utc_us(event.timestamp), event.segment, living), key=_when)
        since = self.seen[-1].at_us - _KEPT_US
        if self.seen[0].at_us < since:
            self.seen = [seen for seen in self.seen if seen.at_us >= since]

    def forget(self, segment: int) -> None:
        """Drop what was seen in this and later rounds: the round starts again."""
        self.seen = [seen for seen in self.seen if seen.segment < segment]

    def last_two(self, segment: int, player: str, now_us: int) -> tuple[Fix | None, Fix | None]:
        """When and where a player was seen last, and the latest time before that which a speed can be taken from."""
        newest = self._fix(segment, player, now_us - KNOWN_FOR_US, now_us - 1)
        if newest is None:
            return None, None
        return newest, self._fix(segment, player, newest[0] - KNOWN_FOR_US, newest[0] - SPEED_SPAN_US)

    def _fix(self, segment: int, player: str, since_us: int, until_us: int) -> Fix | None:
        for seen in self._of(segment, since_us, until_us):
            if player in seen.living:
                return seen.at_us, seen.living[player].place
        return None

    def living(self, segment: int, now_us: int) -> Mapping[str, Standing]:
        """Who stood where in the last frame that shows anybody; empty where there is none."""
        found: dict[str, Standing] = {}
        moment = None
        for seen in self._of(segment, now_us - KNOWN_FOR_US, now_us - 1):
            if found and seen.at_us != moment:
                break
            moment = seen.at_us
            found = {**seen.living, **found}
        return found

    def _of(self, segment: int, since_us: int, until_us: int) -> Iterator[Seen]:
        """The frames of a round between two instants, the latest first."""
        for seen in reversed(self.seen):
            if seen.at_us < since_us:
                return
            if seen.at_us <= until_us and seen.segment == segment:
                yield seen


def _when(seen: Seen) -> int:
    return seen.at_us


def _single(value: float) -> float:
    return c_float(value).value
