"""Simulated matches as a live source: played into the log as if they were played now, one after the other, without an end.

Every match is written in the source format and read by its adapter, like every simulated match, and marked as simulated. Then its
clock is set: the first event happens at the moment at which it is played.

Belongs here: which matches, their clock, several at once.
Does not belong here: simulating (``simulate/``), playing (``streams/replay.py``), the command line.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from esports_assets.adapters.base import SourceFile
from esports_assets.adapters.registry import adapter_for, read_file
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.simulate.match import simulate
from esports_assets.simulate.write import demo_bytes, file_stem
from esports_assets.streams.errors import ReplayError
from esports_assets.streams.log import EventLog
from esports_assets.streams.replay import Playable, Played, WallClock, play


@dataclass(frozen=True, slots=True)
class Programme:
    """What is played: matches of a seed (None: without an end), so many at once, so many times as fast as it was."""

    seed: int
    matches: int | None = None
    concurrent: int = 1
    speed: float | None = 1.0

    def indices(self) -> Iterator[int]:
        """Numbers of the matches."""
        return iter(range(self.matches)) if self.matches is not None else itertools.count()


class Stopped(Exception):
    """Somebody stopped the programme in the middle of a match."""


def play_programme(
    log: EventLog,
    programme: Programme,
    stop: threading.Event,
    on_played: Callable[[Played], None],
    clock: WallClock | None = None,
) -> None:
    """Play until the programme is over or ``stop`` is set; a match that is stopped is not told.

    ``on_played`` is called from several threads. What one match raises ends the programme.
    """
    wall = _stoppable(clock or WallClock(), stop)
    numbers, guard = programme.indices(), threading.Lock()

    def stage() -> None:
        while not stop.is_set():
            with guard:
                index = next(numbers, None)
            if index is None:
                return
            playable = simulated(programme.seed, index, datetime.fromtimestamp(wall.now(), UTC))
            try:
                on_played(play(log, playable, programme.speed, clock=wall))
            except Stopped:
                return

    with ThreadPoolExecutor(programme.concurrent, "simulated") as pool:
        try:
            for done in as_completed([pool.submit(stage) for _ in range(programme.concurrent)]):
                done.result()
        except BaseException:
            stop.set()
            raise


def _stoppable(wall: WallClock, stop: threading.Event) -> WallClock:
    """The same clock, which wakes up and looks whether to go on."""

    def sleep(seconds: float) -> None:
        wall.sleep(seconds)
        if stop.is_set():
            raise Stopped

    return WallClock(wall.now, sleep)


def simulated(seed: int, index: int, moment: datetime) -> Playable:
    """A simulated match whose first event happens at a moment. ReplayError where the adapter refuses it."""
    match, day = simulate(seed, index), moment.date()
    file = SourceFile(f"{file_stem(match, day)}.zip", demo_bytes(match, day))
    reading, adapter = read_file(file), adapter_for(file)
    if not reading.matches or adapter is None:
        raise ReplayError(f"a simulated match cannot be read: {', '.join(map(str, reading.refusals))}")
    return Playable(beginning_at(reading.matches[0], moment), adapter.version)


def beginning_at(match: CanonicalMatch, moment: datetime) -> CanonicalMatch:
    """The match with its clock set so that its first event happens at a moment."""
    first: datetime = pc.min(match.events["timestamp"]).as_py()
    by = moment.astimezone(UTC) - first
    return replace(
        match,
        header=replace(match.header, day=moment.astimezone(UTC).date()),
        events=_moved(match.events, "timestamp", by),
        rounds=_moved(match.rounds, "started_at", by),
    )


def _moved(table: pa.Table, column: str, by: timedelta) -> pa.Table:
    place = table.schema.get_field_index(column)
    field = table.schema.field(place)
    moved = pc.add(table[column], pa.scalar(by, pa.duration(field.type.unit)))
    return table.set_column(place, field, moved.cast(field.type))
