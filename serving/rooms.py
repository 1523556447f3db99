"""Live rooms: one reader per match and audience, and the clients that follow it.

A client first reads what has passed with a reader of its own, at its own pace, then follows the room's reader (``Lane``), which
tells every message to all of its clients at once. Both tell the same in the same order (``room_merge.py``), so whoever joins
passes over what it has got, and misses and repeats nothing.

Belongs here: lanes, joining and leaving. Does not belong here: Redis (``room_log.py``), sockets (``room_connection.py``).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from redis import RedisError

from esports_assets.streams.names import shard_of, shard_stream
from serving.gate import Audience, Policy
from serving.metrics import Metrics
from serving.release import channel
from serving.room_access import Limits, Seats
from serving.room_connection import Outbox
from serving.room_ends import Code, End, identified, notice, standing
from serving.room_ids import Position, Source, text_of
from serving.room_log import PROVISIONAL, RoomLog
from serving.room_merge import Look, Merge, Message

_PLENTY = 250
"""A source of which so many entries wait is not read further."""
_TICK_S, _RECHECK_S, _LONGEST_S = 0.05, 1.0, 30.0
_AGAIN_S, _MOST_AGAIN_S = 0.2, 5.0
_AWAY = "The log does not answer; the room goes on where it stands as soon as it is back."
_BACK = "The log answers again; nothing was lost."
_LOST = "The log ends before what was told: its server lost entries. What enters from now on is told."
_log = logging.getLogger("serving.rooms")

Say = Callable[[str, str], None]


class LaneKey(NamedTuple):
    """A reader of a room."""

    match_id: str
    audience: Audience
    provisional: bool

    @property
    def sources(self) -> tuple[Source, ...]:
        """What it reads."""
        return tuple(Source) if self.provisional else (Source.STATE, Source.SIGNAL)


class Viewer:
    """A client as its lane sees it."""

    def __init__(self, outbox: Outbox, key: LaneKey, position: Position, frames: bool) -> None:
        self.outbox = outbox
        self.key = key
        self.position = position
        self.frames = frames
        self.dropped: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    @property
    def token(self) -> str:
        """The id of a message that is no entry."""
        return text_of(self.position, self.key.audience)

    def takes(self, message: Message) -> bool:
        """Whether a message is news to this client, which from now on counts as having got it."""
        entry = message.item.entry
        if entry <= self.position.ids[message.source]:
            return False
        self.position = self.position.after(message.source, entry, message.item.event_id)
        return self.frames or message.item.kind != "frame"

    def text(self, message: Message, shared: str | None = None) -> str:
        """A message with the id that holds for this client."""
        if shared is not None and message.position.ids == self.position.ids:
            return shared
        return identified(self.token, message.item.body)

    def notify(self, code: str, sentence: str) -> None:
        """Tell this client about its connection."""
        self.outbox.offer("notice", notice(self.token, code, sentence))


class Hub:
    """The rooms of this process."""

    def __init__(self, log: RoomLog, policy: Policy, limits: Limits, metrics: Metrics, seats: Seats) -> None:
        self.log = log
        self.policy = policy
        self.limits = limits
        self.metrics = metrics
        self.seats = seats
        self._lanes: dict[LaneKey, Lane] = {}

    def reader(self, key: LaneKey, position: Position) -> Merge:
        """A place in a room."""
        return Merge(key.audience, self.policy, position, key.sources)

    def standing(self, viewer: Viewer, phase: str) -> str:
        """How things stand for a client."""
        key, delay_s = viewer.key, self.policy.state_delay_s(viewer.key.audience)
        told = {"match_id": key.match_id, "audience": key.audience.value, "phase": phase, "state_delay_s": delay_s}
        return standing(viewer.token, **told)

    async def look(self, key: LaneKey, merge: Merge, say: Say, ahead: bool = False) -> Look:
        """Read on; while Redis is away this waits and says so."""
        away, wait_s = False, _AGAIN_S
        while True:
            try:
                ask = self.log.ask_ahead if ahead else self.log.ask
                look = await ask(self.log.look, key.match_id, key.audience, merge.wanted(_PLENTY))
            except RedisError as error:
                if not away:
                    _log.warning("the room of %s waits, Redis does not answer: %s", key.match_id, error)
                    say("log_away", _AWAY)
                away = True
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _MOST_AGAIN_S)
                continue
            if away:
                say("log_back", _BACK)
            merge.feed(look)
            return look

    def join(self, viewer: Viewer, merge: Merge) -> bool:
        """Let a client follow; False as long as the room is ahead of it."""
        lane = self._lanes.get(viewer.key)
        if lane is None:
            lane = self._lanes[viewer.key] = Lane(self, viewer.key, merge, self._lanes.pop)
            lane.start()
        if merge.told_ms < lane.merge.told_ms:
            return False
        lane.viewers.add(viewer)
        return True

    def leave(self, viewer: Viewer) -> None:
        """The inverse of ``join``."""
        lane = self._lanes.get(viewer.key)
        if lane is not None:
            lane.viewers.discard(viewer)
            lane.wake()

    async def close(self) -> None:
        """End every reader; the clients learn that the service stops."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def lanes(self) -> int:
        """How many readers there are."""
        return len(self._lanes)


@dataclass(eq=False)
class Lane:
    """The reader of a match for one audience; it lives as long as somebody follows."""

    hub: Hub
    key: LaneKey
    merge: Merge
    forget: Callable[[LaneKey], object]

    def __post_init__(self) -> None:
        self.viewers: set[Viewer] = set()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lost = False
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self.task = self._loop.create_task(self._run(), name=f"room {self.key.match_id}")

    def wake(self) -> None:
        """Look soon."""
        self._news.set()

    async def _run(self) -> None:
        news = self.hub.log.news
        signals = [channel(self.key.audience), *([PROVISIONAL] if self.key.provisional else [])]
        news.listen([shard_stream(shard_of(self.key.match_id))], self._shard_grew)
        news.listen(signals, self._signals_grew)
        end = End(
            Code.TRY_LATER, "The room broke; the log of the service says how. Resume after the last id that came."
        )
        try:
            while self.viewers:
                self._news.clear()
                look = await self.hub.look(self.key, self.merge, self._say, ahead=True)
                told = self._tell(look)
                await self._breathe()
                if not told and not self.merge.hungry:
                    await self._rest(look)
        except asyncio.CancelledError:
            end = End(Code.RESTART, "The service stops. Resume after the last id that came.")
            raise
        except Exception:  # noqa: BLE001 - logged whole; its clients are told, other rooms go on
            _log.exception("the room of %s broke", self.key.match_id)
        finally:
            news.leave(self._shard_grew)
            news.leave(self._signals_grew)
            self.forget(self.key)
            for viewer in self.viewers:
                if not viewer.dropped.done():
                    viewer.dropped.set_result(end)

    def _tell(self, look: Look) -> int:
        """Tell one stretch of what is due; how many messages that were."""
        if look.gap_ms is not None:
            self._say("gap", "Entries left the log before they could be told to this audience; they are in the lake.")
        if self.merge.lost and not self._lost:
            self._say("log_lost", _LOST)
        self._lost = self.merge.lost
        messages = self.merge.due(look, max(1, self.hub.limits.queue // 4))
        for message in messages:
            shared = identified(text_of(message.position, self.key.audience), message.item.body)
            if message.source is Source.STATE and message.item.event_ts is not None:
                age_s = (look.now - message.item.event_ts).total_seconds() - message.item.live_offset_s
                self.hub.metrics.live_delay(self.key.audience.value, age_s)
            for viewer in self.viewers:
                if viewer.takes(message):
                    viewer.outbox.offer(message.item.kind, viewer.text(message, shared))
                    if message.item.closing:
                        viewer.outbox.offer("state", self.hub.standing(viewer, "over"))
        return len(messages)

    async def _breathe(self) -> None:
        """Go no faster than the fastest client can; who is slower than that is dropped."""
        half = self.hub.limits.queue // 2
        while self.viewers:
            fastest = min((viewer.outbox for viewer in self.viewers), key=len)
            if len(fastest) <= half:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await fastest.roomy(half)

    def _say(self, code: str, sentence: str) -> None:
        for viewer in self.viewers:
            viewer.notify(code, sentence)

    async def _rest(self, look: Look) -> None:
        """Sleep until something comes or is due; a pause of which nobody knows the end is asked about each second."""
        wait_s = self.merge.wait_s(look)
        if wait_s is None:
            wait_s = _RECHECK_S if self.merge.first(Source.STATE) else _LONGEST_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(wait_s, _TICK_S), _LONGEST_S)):
                await self._news.wait()

    def _shard_grew(self) -> None:
        self._hear(self._if_it_matters)

    def _signals_grew(self) -> None:
        self._hear(self._news.set)

    def _hear(self, what: Callable[[], None]) -> None:
        """Called from the thread of news."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what)

    def _if_it_matters(self) -> None:
        """What comes in behind an entry that is not due yet is no news."""
        if self.merge.first(Source.STATE) is None or not self.hub.policy.state_delay_s(self.key.audience):
            self._news.set()
