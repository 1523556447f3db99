"""What live rooms read from Redis: one look at the streams of a match, and being woken when something comes.

Looks block, so they run in a few threads of their own; one more thread waits for news of all streams together. Nobody asks
Redis without a reason: a reader looks when it is woken, when the next entry is due, or when an earlier answer was not whole.

Belongs here: Redis. Does not belong here: the order of messages (``room_merge.py``), clients (``rooms.py``).
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import orjson
from redis import RedisError

from esports_assets.canonical.clock import from_utc_us, utc_us
from esports_assets.canonical.event import WireError
from esports_assets.streams.connect import connect
from esports_assets.streams.envelope import Envelope, decode
from esports_assets.streams.errors import GapError, LogLost, millis
from esports_assets.streams.log import EventLog
from esports_assets.streams.names import ids_key, shard_of, shard_stream
from serving.gate import Audience, Pause, Policy
from serving.release import Releases, channel
from serving.room_ids import EntryId, Source, entry_id, entry_text
from serving.room_merge import Batch, Item, Look
from serving.room_messages import signal_body, state_body

PROVISIONAL = "signals:provisional"
AT_ONCE = 500
_THREADS = 2
_BLOCK_MS, _GATHER_S, _AGAIN_S = 1_000, 0.01, 1.0
_log = logging.getLogger("serving.rooms")
T = TypeVar("T")
Clock = Callable[[], datetime]


class RoomLog:
    """Everything that rooms ask of one Redis. ``clock`` replaces the server's own in tests."""

    def __init__(self, url: str, policy: Policy, clock: Clock | None = None) -> None:
        self._url = url
        self._client: Any = connect(url)
        self._log = EventLog(self._client)
        self._releases = Releases(self._client, policy)
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="rooms")
        self._ahead = ThreadPoolExecutor(_THREADS, thread_name_prefix="rooms ahead")
        self.news = News(url)

    async def ask(self, what: Callable[..., T], *args: Any) -> T:
        """Call something that blocks, in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(what, *args))

    async def ask_ahead(self, what: Callable[..., T], *args: Any) -> T:
        """The same for what many wait for: it never stands in line behind those who read the past."""
        return await asyncio.get_running_loop().run_in_executor(self._ahead, partial(what, *args))

    def close(self) -> None:
        """End the threads."""
        self.news.stop()
        for threads in (self._threads, self._ahead):
            threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def now(self) -> datetime:
        """The time by which the gate decides."""
        return self.server_time() if self._clock is None else self._clock()

    def knows(self, match_id: str) -> bool:
        """Whether the log has had events of a match within its retention."""
        return bool(self._client.exists(ids_key(match_id)))

    def look(self, match_id: str, audience: Audience, wanted: Mapping[Source, EntryId]) -> Look:
        """Read what follows in each of the wanted sources. RedisError while Redis does not answer.

        The time is read first: whatever came before it is there to be read then.
        """
        server = self.server_time()
        now = server if self._clock is None else self._clock()
        until_ms = max(utc_us(server) // 1000, 0 if self._clock is None else utc_us(now) // 1000 + 1)
        batches: dict[Source, Batch] = {}
        gap_ms, lost = None, False
        for source, after in wanted.items():
            if source is Source.STATE:
                batches[source], gap_ms, lost = self._state(match_id, after)
            else:
                stream = channel(audience) if source is Source.SIGNAL else PROVISIONAL
                batches[source] = self._signals(stream, match_id, after, audience, source)
        return Look(now, until_ms, self._releases.pauses(match_id), batches, gap_ms, lost)

    def last_played(self, match_id: str, since: datetime) -> datetime | None:
        """When the newest entry of a match came, if that was after ``since``."""
        if not self.knows(match_id):
            return None
        stream, newest, needle = shard_stream(shard_of(match_id)), "+", _needle(match_id)
        oldest = f"{max(0, utc_us(since) // 1000)}-0"
        while True:
            found = self._client.xrevrange(stream, newest, oldest, count=AT_ONCE)
            for raw_id, fields in found:
                if needle in fields.get(b"data", b""):
                    return from_utc_us(entry_id(raw_id.decode())[0] * 1000)
            if len(found) < AT_ONCE:
                return None
            newest = f"({found[-1][0].decode()}"

    def signals_of(self, match_id: str, audience: Audience) -> list[dict[str, Any]]:
        """The gated signals of a match that the channel of an audience still has, in the order of their release."""
        found: list[dict[str, Any]] = []
        after = "-"
        while True:
            entries = self._client.xrange(channel(audience), after, "+", count=AT_ONCE)
            documents = (_gated(fields, match_id, audience) for _, fields in entries)
            found += [document for document in documents if document is not None]
            if len(entries) < AT_ONCE:
                return found
            after = f"({entries[-1][0].decode()}"

    def moment(self, match_id: str) -> tuple[datetime, list[Pause]]:
        """The time, and the technical pauses of a match."""
        return self.now(), self._releases.pauses(match_id)

    def server_time(self) -> datetime:
        """The clock that all processes share."""
        seconds, micros = self._client.time()
        return from_utc_us(seconds * 1_000_000 + micros)

    def _state(self, match_id: str, after: EntryId) -> tuple[Batch, int | None, bool]:
        stream, gap_ms, lost = shard_stream(shard_of(match_id)), None, False
        try:
            entries = self._log.read_after(entry_text(after), AT_ONCE, stream)
        except LogLost:
            entries, lost = [], True
        except GapError as gap:
            gap_ms, after = millis(gap.gone), entry_id(gap.gone)
            entries = self._log.read_after(gap.gone, AT_ONCE, stream)
        needle = _needle(match_id)
        items = [_item(entry.id, entry.data, match_id) for entry in entries if entry.data and needle in entry.data]
        read_to = entry_id(entries[-1].id) if entries else after
        told = [item for item in items if item is not None]
        return Batch(told, read_to, len(entries) < AT_ONCE), gap_ms, lost

    def _signals(self, stream: str, match_id: str, after: EntryId, audience: Audience, source: Source) -> Batch:
        entries = self._client.xrange(stream, f"({entry_text(after)}", "+", count=AT_ONCE)
        read = _gated if source is Source.SIGNAL else _said_early
        found = ((raw_id, read(fields, match_id, audience)) for raw_id, fields in entries)
        items = [
            Item(entry_id(raw_id.decode()), signal_body(told), "signal") for raw_id, told in found if told is not None
        ]
        read_to = entry_id(entries[-1][0].decode()) if entries else after
        return Batch(items, read_to, len(entries) < AT_ONCE)


def _needle(match_id: str) -> bytes:
    """What every entry of a match contains; a match id that JSON may write in several ways is looked for inside."""
    return f'"{match_id}"'.encode() if match_id.isascii() and match_id.isprintable() else b""


def _item(entry: str, data: bytes, match_id: str) -> Item | None:
    """An entry of a match; None for another's, and for what is no event."""
    try:
        envelope = decode(data)
        return item_of(entry_id(entry), envelope) if envelope.event.match_id == match_id else None
    except WireError:
        return None


def item_of(entry: EntryId, envelope: Envelope) -> Item:
    """An entry of state; frames are no places to come back to in the lake, so they keep their id to themselves."""
    event, body = envelope.event, state_body(envelope)
    offset, closing = envelope.live_offset_s or 0.0, envelope.closing is not None
    if envelope.frame is not None:
        return Item(entry, body, "frame", "", event.timestamp, offset, closing)
    return Item(entry, body, "event", event.event_id, event.timestamp, offset, closing)


def _document(fields: Mapping[bytes, bytes], match_id: str) -> dict[str, Any] | None:
    data = fields.get(b"data", b"")
    if _needle(match_id) not in data:
        return None
    try:
        found = orjson.loads(data)
        orjson.dumps(found)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # what nests too deep can be read, but not told
        return None
    return found if isinstance(found, dict) and found.get("match_id") == match_id else None


def _gated(fields: Mapping[bytes, bytes], match_id: str, audience: Audience) -> dict[str, Any] | None:
    """A released signal; None for another match's, and for what does not carry the gate's mark for this audience."""
    found = _document(fields, match_id)
    policy = found.get("policy") if found else None
    marked = isinstance(policy, dict) and policy.get("audience") == audience.value
    return found if marked and found and "gated_at" in found else None


def _said_early(fields: Mapping[bytes, bytes], match_id: str, _: Audience) -> dict[str, Any] | None:
    found = _document(fields, match_id)
    return found if found and found.get("provisional") is True else None


class News:
    """Tells readers when streams grow: one thread and one blocking read for all of them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._heard: dict[str, list[Callable[[], None]]] = {}
        self._cursors: dict[str, str | None] = {}
        self._work, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self, streams: Iterable[str], wake: Callable[[], None]) -> None:
        """Call ``wake`` (from the thread) whenever one of these streams has grown."""
        with self._lock:
            for stream in streams:
                self._heard.setdefault(stream, []).append(wake)
                self._cursors.setdefault(stream, None)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rooms news", daemon=True)
                self._thread.start()
        self._work.set()

    def leave(self, wake: Callable[[], None]) -> None:
        """The inverse of ``listen``."""
        with self._lock:
            for stream, heard in list(self._heard.items()):
                heard[:] = [other for other in heard if other != wake]
                if not heard:
                    del self._heard[stream], self._cursors[stream]

    def stop(self) -> None:
        """End the thread within a second."""
        self._stop.set()
        self._work.set()

    def _run(self) -> None:
        client: Any = connect(self._url)
        while not self._stop.is_set():
            with self._lock:
                cursors = dict(self._cursors)
            try:
                grown = self._grown(client, cursors)
            except RedisError as error:
                _log.warning("rooms wait for news, Redis does not answer: %s", error)
                self._ring(cursors)
                self._stop.wait(_AGAIN_S)
                continue
            self._ring(grown)
            self._stop.wait(_GATHER_S)
        client.close()

    def _grown(self, client: Any, cursors: Mapping[str, str | None]) -> list[str]:
        """The streams that have grown, after at most a second; those that were not read before have, in case."""
        if not cursors:
            self._work.wait()
            self._work.clear()
            return []
        new = [stream for stream, cursor in cursors.items() if cursor is None]
        grown = new or [raw.decode() for raw, _ in client.xread(dict(cursors), count=1, block=_BLOCK_MS) or ()]
        for stream in grown:
            last = client.xrevrange(stream, count=1)
            with self._lock:
                if stream in self._cursors:
                    self._cursors[stream] = last[0][0].decode() if last else "0-0"
        return grown

    def _ring(self, streams: Iterable[str]) -> None:
        with self._lock:
            wakes = dict.fromkeys(wake for stream in streams for wake in self._heard.get(stream, ()))
        for wake in wakes:
            wake()
