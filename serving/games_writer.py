"""Moves are written together: whoever plays waits until his move is in the database, and many moves share one transaction.

While the database is away, nobody waits: entries are kept in memory, in order and at most ``MOST`` of them, games go on, every
answer says that it is not stored yet, and everything is written when the database is back. What another process has written
meanwhile wins; the game here is dropped then.

Belongs here: the one thread that writes, what waits for it, and what became of an entry.
Does not belong here: rows (``games_store.py``), games (``games.py``).
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import psycopg2

from serving.database import Database
from serving.errors import ApiError
from serving.games_store import Entry, write

MOST = 20_000
"""Entries that are kept while the database is away: about 2 kB each."""
TOGETHER = 256
AGAIN_S = 1.0
_log = logging.getLogger("serving.games")


class Fate(StrEnum):
    """What became of an entry."""

    STORED = "stored"
    KEPT = "kept"
    """In memory until the database is back."""
    LOST = "lost"
    """Somebody else had played the round."""
    BROKEN = "broken"
    """The database refuses it; a bug, and in the log."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    entry: Entry
    answer: "asyncio.Future[Fate] | None"


class Writer:
    """Writes entries in a thread of its own. ``dropped`` hears, on that thread, of games whose kept entries came too late."""

    def __init__(self, database: Database | None, dropped: Callable[[str], None]) -> None:
        self._database = database
        self._dropped = dropped
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.away: str | None = None
        """Why nothing can be written now, in a sentence."""

    @property
    def kept(self) -> int:
        """How many entries wait."""
        return len(self._waiting)

    def room(self) -> None:
        """ApiError 503 where so much waits that no further move could be kept safely."""
        if len(self._waiting) >= MOST:
            message = (
                "The database has been away for so long that no further game or move can be kept; try again later."
            )
            raise ApiError(503, "no_database", message)

    async def put(self, entry: Entry, wait_s: float) -> Fate:
        """Write an entry; at most ``wait_s`` seconds, after which it is kept and written when that is possible."""
        if self._database is None:
            return Fate.KEPT
        self._loop = asyncio.get_running_loop()
        answer = None if self.away else self._loop.create_future()
        with self._changed:
            self._waiting.append(_Waiting(entry, answer))
            self._changed.notify()
        if answer is None:
            return Fate.KEPT
        done, _ = await asyncio.wait((answer,), timeout=wait_s)
        if not done:
            self.away = f"The database did not take a move within {wait_s:g} s."
        return answer.result() if done else Fate.KEPT

    def run(self, stop: threading.Event) -> None:
        """Write until the event is set and nothing more can be written."""
        while True:
            with self._changed:
                if not self._waiting and not stop.is_set():
                    self._changed.wait(0.2)
                batch = self._batch()
            if batch:
                self._write(batch, stop)
            if stop.is_set() and (not self._waiting or self.away):
                if self._waiting:
                    _log.error("%d entries of games could not be written before the end", len(self._waiting))
                return

    def _batch(self) -> list[_Waiting]:
        """The next entries, at most one of each game; they stay in the queue until they are written."""
        batch: dict[str, _Waiting] = {}
        for waiting in self._waiting:
            batch.setdefault(waiting.entry.setup.game_id, waiting)
            if len(batch) == TOGETHER:
                break
        return list(batch.values())

    def _write(self, batch: Sequence[_Waiting], stop: threading.Event) -> None:
        assert self._database is not None
        try:
            with self._database.transaction() as cursor:
                lost = write(cursor, [waiting.entry for waiting in batch])
        except ApiError as error:
            self._is_away(error.message)
            stop.wait(AGAIN_S)
            return
        except (psycopg2.Error, ValueError, TypeError):
            if len(batch) > 1:
                _log.exception("%d entries could not be written together", len(batch))
                for waiting in batch:
                    self._write([waiting], stop)
                return
            _log.exception("an entry of game %s cannot be written", batch[0].entry.setup.game_id)
            self._settle(batch, {batch[0].entry.token: Fate.BROKEN})
            return
        if self.away is not None:
            _log.info("the database of games is back")
            self.away = None
        self._settle(batch, dict.fromkeys(lost, Fate.LOST))

    def _is_away(self, sentence: str) -> None:
        if self.away is None:
            _log.error("games are kept in memory: %s", sentence)
        self.away = sentence
        with self._changed:
            waiting = [one for one in self._waiting if one.answer is not None]
        self._answer([(one, Fate.KEPT) for one in waiting])

    def _settle(self, batch: Sequence[_Waiting], fates: dict[str, Fate]) -> None:
        """Take written entries out of the queue, with all that builds upon one that was not."""
        broken = {one.entry.setup.game_id: fates[one.entry.token] for one in batch if one.entry.token in fates}
        with self._changed:
            gone = {one for one in self._waiting if one.entry.setup.game_id in broken}.union(batch)
            self._waiting = deque(one for one in self._waiting if one not in gone)
        for game_id in broken:
            self._dropped(game_id)
        self._answer((one, broken.get(one.entry.setup.game_id, Fate.STORED)) for one in gone)

    def _answer(self, told: Iterable[tuple[_Waiting, Fate]]) -> None:
        loop, waiting = self._loop, [(one, fate) for one, fate in told if one.answer is not None]
        if loop is None or not waiting:
            return

        def answer() -> None:
            for one, fate in waiting:
                if one.answer is not None and not one.answer.done():
                    one.answer.set_result(fate)

        try:
            loop.call_soon_threadsafe(answer)
        except RuntimeError:
            _log.debug("nobody waits any more: the loop is closed")
