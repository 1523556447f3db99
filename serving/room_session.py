"""One client of a live room: from where it comes in, through what has passed, to following.

Belongs here: a visit to ``/ws/live`` from its beginning to its end. Does not belong here: what all clients of a room share
(``rooms.py``), sockets (``room_connection.py``), accounts (``room_access.py``).
"""

import asyncio
from dataclasses import dataclass

from redis import RedisError

from esports_assets.canonical.clock import from_utc_us, utc_us
from serving.errors import quoted
from serving.gate import decide_state
from serving.recording import Recording, Recordings
from serving.room_connection import Outbox
from serving.room_ends import Code, Ended, identified
from serving.room_ids import Position, Source, before
from serving.room_merge import Merge
from serving.rooms import Hub, LaneKey, Viewer

_CHUNK = 100
"""So many messages are decided about at once: a pause that begins while a client is slow holds the next ones."""
_RECHECK_S = 1.0
_TRIMMED = "What came after that id has left the log; its events come from the lake as far as they are there, positions do not."
_NO_LAKE = "The lake does not have this match yet: what has left the log is missing here."


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asked for."""

    key: LaneKey
    after: Position | None
    frames: bool
    history: bool


class LiveSession:
    """A visit. RedisError where the log does not answer at its beginning."""

    @classmethod
    async def begun(cls, hub: Hub, recordings: Recordings, wish: Wish, outbox: Outbox) -> "LiveSession":
        """Find the place to begin at. Ended for a match that the log does not know."""
        try:
            if not await hub.log.ask(hub.log.knows, wish.key.match_id):
                raise await _unknown(recordings, wish.key.match_id)
            position = wish.after or await cls._beginning(hub, wish)
        except RedisError as error:
            raise Ended(Code.TRY_LATER, "The log does not answer now; try again in a moment.") from error
        return cls(hub, recordings, wish, Viewer(outbox, wish.key, position, wish.frames))

    def __init__(self, hub: Hub, recordings: Recordings, wish: Wish, viewer: Viewer) -> None:
        self._hub = hub
        self._recordings = recordings
        self._wish = wish
        self._viewer = viewer
        self._outbox = viewer.outbox
        self._asked_lake = False

    @property
    def token(self) -> str:
        """The id of what the client got last."""
        return self._viewer.token

    async def heard(self, text: str) -> None:
        """Nothing that a client says changes a live room."""
        sentence = f"A live room takes no orders, so {quoted(text)} changes nothing; /ws/replay can be wound."
        self._viewer.notify("unknown_message", sentence)

    async def run(self) -> None:
        """Tell what has passed, then follow until the room ends."""
        await self._stand("history")
        try:
            await self._catch_up()
            await self._stand("following")
            end = await self._viewer.dropped
            raise Ended(end.code, end.sentence)
        finally:
            self._hub.leave(self._viewer)

    async def keep_alive(self, every_s: float) -> None:
        """Say where the client stands whenever nothing else was said for a while."""
        while True:
            await asyncio.sleep(every_s)
            if self._outbox.quiet_s() >= every_s:
                await self._stand("idle")

    async def _catch_up(self) -> None:
        """Tell what has passed and join the room; what was read ahead for that is let go of."""
        merge = self._hub.reader(self._viewer.key, self._viewer.position)
        while not (await self._read_on(merge) and self._hub.join(self._viewer, merge)):
            pass

    async def _read_on(self, merge: Merge) -> bool:
        """Tell one stretch of what has passed; whether that was the last one."""
        hub, viewer = self._hub, self._viewer
        look = await hub.look(viewer.key, merge, viewer.notify)
        if look.gap_ms is not None and not self._asked_lake:
            self._asked_lake = True
            while merge.first(Source.STATE) is None and merge.hungry:
                await hub.look(viewer.key, merge, viewer.notify)
            await self._from_lake(merge, look.gap_ms)
            return False
        messages = merge.due(look, _CHUNK)
        for message in messages:
            if viewer.takes(message):
                await self._outbox.put(message.item.kind, viewer.text(message))
            if message.item.closing:
                await self._stand("over")
        if merge.told_ms == look.until_ms:
            return True
        if not messages and not merge.hungry:
            await asyncio.sleep(_RECHECK_S)  # a technical pause holds what is due
        return False

    async def _from_lake(self, merge: Merge, gap_ms: int) -> None:
        """Tell the events that have left the log, up to those that it still has."""
        viewer = self._viewer
        recording = await self._recordings.opened(viewer.key.match_id)
        if self._wish.after is not None:
            viewer.notify("trimmed", _TRIMMED if recording else _NO_LAKE)
        if recording is None:
            return
        first = merge.first(Source.STATE)
        stop = len(recording)
        if first is not None and first.event_ts is not None:
            known = recording.place_of(first.event_id)
            stop = recording.place_at(utc_us(first.event_ts) + 1) if known is None else known
        bookmark = recording.place_of(viewer.position.event_id)
        start = 0 if bookmark is None else bookmark + 1
        while start < stop:
            end = min(start + _CHUNK, stop)
            await self._until_open(recording, end - 1, gap_ms)
            for kind, event_id, body in await asyncio.to_thread(recording.bodies, start, end):
                if kind == "event":
                    viewer.position = Position(viewer.position.ids).after(
                        Source.STATE, viewer.position.ids[Source.STATE], event_id
                    )
                    await self._outbox.put(kind, identified(viewer.token, body))
            start = end

    async def _until_open(self, recording: Recording, place: int, gap_ms: int) -> None:
        """Wait until the gate is open for a stretch: by source time, and as long after it left the log as after it came."""
        hub, key = self._hub, self._viewer.key
        told = from_utc_us(int(recording.at_us[place])), from_utc_us(gap_ms * 1000)
        while True:
            now, pauses = await hub.log.ask(hub.log.moment, key.match_id)
            if all(decide_state(at, 0.0, key.audience, now, hub.policy, pauses).open for at in told):
                return
            await asyncio.sleep(_RECHECK_S)

    async def _stand(self, phase: str) -> None:
        await self._outbox.put("state", self._hub.standing(self._viewer, phase))

    @staticmethod
    async def _beginning(hub: Hub, wish: Wish) -> Position:
        """So far back as rooms remember, or about what is told at this moment."""
        now_ms = utc_us(await hub.log.ask(hub.log.server_time)) // 1000
        delay_s = hub.policy.state_delay_s(wish.key.audience)
        past_s = hub.limits.history_s if wish.history else 0.0
        state_ms, signals_ms = now_ms - round((past_s + delay_s) * 1000), now_ms - round(past_s * 1000)
        return Position((before(state_ms), before(signals_ms), before(now_ms)))


async def _unknown(recordings: Recordings, match_id: str) -> Ended:
    """Why there is no room."""
    if await recordings.opened(match_id) is not None:
        return Ended(Code.UNKNOWN_MATCH, "This match is not being played; /ws/replay plays it from the lake.")
    return Ended(
        Code.UNKNOWN_MATCH, "Neither the log nor the lake knows this match; GET /api/v1/matches lists the lake's."
    )
