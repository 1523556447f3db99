"""Matches of the past into the log as if they were played now: from the lake, else from GRID's files.

Belongs here: finding a match, playing it at full speed, a bounded number at once.
Does not belong here: who waits (``backfill_queue.py``), playing (``streams/replay.py``), requests to GRID (``grid_files.py``).
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from redis import RedisError

from esports_assets.adapters.registry import adapter_for, read_file
from esports_assets.canonical.frames import FrameError
from esports_assets.storage.lake import Lake
from esports_assets.streams.errors import ReplayError
from esports_assets.streams.log import EventLog
from esports_assets.streams.replay import Playable, Played, from_lake, play
from serving.backfill_queue import PARALLEL, BackfillQueue, Job, State
from serving.grid_files import GridFileError, GridFiles

_POLL_S, _AGAIN_S = 0.5, 5.0
_HOLD_EVERY_S = 20.0
_SERIES = re.compile(r"(?:grid:)?(\d{1,20})(?::(\d{1,4}))?")
_log = logging.getLogger("serving.backfill")


class Backfill:
    """Plays what was asked for; ``files`` is None where GRID is not configured."""

    def __init__(self, log: EventLog, queue: BackfillQueue, lake_url: str, files: GridFiles | None) -> None:
        self._log = log
        self.queue = queue
        self._lake_url = lake_url
        self._files = files
        self._asked = threading.Event()

    def ask(self, match_ids: list[str]) -> None:
        """Put matches in the queue."""
        self.queue.ask(match_ids)
        self._asked.set()

    def run(self, stop: threading.Event) -> None:
        """Play what waits until ``stop``; what runs then is gone on with by another process, or by this one later."""
        free = threading.Semaphore(PARALLEL)
        with ThreadPoolExecutor(PARALLEL, "backfill") as pool:
            while not stop.is_set():
                if not free.acquire(timeout=_POLL_S):
                    continue
                match_id = self._next(stop)
                if match_id is None:
                    free.release()
                    self._asked.wait(_POLL_S)
                    self._asked.clear()
                else:
                    pool.submit(self._play, match_id, stop).add_done_callback(lambda _: free.release())

    def _next(self, stop: threading.Event) -> str | None:
        try:
            return self.queue.take()
        except RedisError as error:
            _log.warning("Redis does not answer, backfills wait: %s", error)
            stop.wait(_AGAIN_S)
            return None

    def _play(self, match_id: str, stop: threading.Event) -> None:
        """Play one match and say what became of it. Without Redis its lease ends and somebody takes it again."""
        try:
            self.queue.end(match_id, self.played(match_id, stop))
        except _Stopped:
            _log.info("%s is left to the next process", match_id)
        except RedisError as error:
            _log.warning("%s waits: Redis does not answer: %s", match_id, error)
        except Exception as error:  # noqa: BLE001 - told in the job and logged whole; one match must not end the others
            _log.exception("%s cannot be played", match_id)
            self.queue.end(match_id, Job(State.FAILED, reason=f"{type(error).__name__}: {error}"))

    def played(self, match_id: str, stop: threading.Event | None = None) -> Job:
        """Play a match, or all matches of a series; what became of it."""
        self.queue.note(match_id, Job(State.RUNNING))
        try:
            done = [self._one(match_id, playable, stop) for playable in self.found(match_id, stop)]
        except (ReplayError, FrameError, GridFileError) as error:
            return Job(State.FAILED, reason=str(error))
        return Job(State.DONE, sum(played.sent for played in done), sum(played.appended for played in done))

    def found(self, match_id: str, stop: threading.Event | None = None) -> list[Playable]:
        """What an id names: a match of the lake, else one or all of a series that GRID has. ReplayError for neither."""
        try:
            return [from_lake(Lake(self._lake_url), match_id)]
        except ReplayError as error:
            series = _SERIES.fullmatch(match_id)
            if self._files is None or series is None:
                raise ReplayError(f"{match_id!r} is not in the lake, and {_why_not(self._files)}") from error
        files = self._files if stop is None else replace(self._files, sleep=_pauses_until(stop))
        file = files.events_of(series[1])
        reading, adapter = read_file(file), adapter_for(file)
        wanted = [
            m for m in reading.matches if series[2] is None or m.header.match_id == f"grid:{series[1]}:{series[2]}"
        ]
        if not wanted:
            why = reading.refusals[0] if reading.refusals else f"series {series[1]} has no game {series[2]}"
            raise ReplayError(f"nothing to play: {why}")
        return [Playable(match, adapter.version if adapter else "") for match in wanted]

    def _one(self, asked: str, playable: Playable, stop: threading.Event | None) -> Played:
        held = time.monotonic()

        def progress(_: int) -> None:
            nonlocal held
            if stop is not None and stop.is_set():
                raise _Stopped
            if time.monotonic() - held > _HOLD_EVERY_S:
                held = time.monotonic()
                self.queue.hold(asked)

        return play(self._log, playable, None, on_progress=progress)


class _Stopped(Exception):
    """The service stops; the match is not over."""


def _pauses_until(stop: threading.Event) -> Callable[[float], None]:
    """Sleep that ends with the service."""

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise _Stopped

    return pause


def _why_not(files: GridFiles | None) -> str:
    if files is None:
        return "GRID is not asked without GRID_API_KEY"
    return "it is no series or game of GRID, such as grid:2578928:1"
