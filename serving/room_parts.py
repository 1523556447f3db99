"""What the WebSockets of one app share, put together when the first client comes.

Imports of what only WebSockets need (the log, Arrow, the lake) stand in functions: a service without viewers never pays for them.

Belongs here: which parts exist with which settings, start and stop. Does not belong here: what a part does.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from serving.desk import Desk
from serving.gate import Audience, Pause, decide_state
from serving.room_access import Limits, Seats
from serving.room_connection import Outbox
from serving.room_ends import Code, Ended
from serving.service import Service

if TYPE_CHECKING:
    from serving.recording import Recordings
    from serving.replay_session import ReplaySession
    from serving.room_session import LiveSession
    from serving.rooms import Hub

_FRESH_S = 0.25
"""A replay asks so often for the time and the pauses; an older time only holds longer."""
Moment = Callable[[], Awaitable[tuple[datetime, Sequence[Pause]]]]
Query = dict[str, str]


class Session(Protocol):
    """A visit, live or of a replay."""

    @property
    def token(self) -> str:
        """The id of what the client got last."""

    async def run(self) -> None:
        """Tell until the visit ends."""

    async def keep_alive(self, every_s: float) -> None:
        """Say something when nothing was said for so long."""

    async def heard(self, text: str) -> None:
        """What the client said."""


class Rooms:
    """The parts. ``clock`` replaces the clock of the log's server in tests."""

    def __init__(self, service: Service, desk: Desk, clock: Callable[[], datetime] | None = None) -> None:
        settings = service.settings
        self.limits = Limits(
            clients=settings.room_clients,
            per_room=settings.room_clients_per_match,
            per_account=settings.room_clients_per_account,
            rooms=settings.room_matches,
            queue=settings.room_queue,
            stall_s=settings.room_stall_s,
            recheck_s=settings.room_recheck_s,
            idle_s=settings.room_idle_s,
            history_s=settings.room_history_s,
        )
        self.seats = Seats(self.limits)
        self.access = desk.access
        self.metrics = service.metrics
        self._service = service
        self._policy = desk.policy
        self._clock = clock
        self._lock = asyncio.Lock()
        self._parts: tuple[Hub | None, Recordings] | None = None

    async def live(self, match_id: str, audience: Audience, query: Query, outbox: Outbox) -> "LiveSession":
        """A visit to a live room. Ended where there is none."""
        hub, recordings = await self._built()
        if hub is None:
            raise Ended(Code.TRY_LATER, "Nothing is live here: this service has no REDIS_URL.")
        from serving.room_ids import position_of
        from serving.room_session import LiveSession, Wish
        from serving.rooms import LaneKey

        provisional = flag(query, "provisional", False)
        if provisional and audience is not Audience.ANALYST:
            raise Ended(Code.NOT_ALLOWED, f"Provisional signals are for {Audience.ANALYST.value} alone.")
        after = query.get("after")
        try:
            position = None if after is None else position_of(after, audience)
        except ValueError as error:
            raise Ended(Code.BAD_REQUEST, str(error)) from error
        wish = Wish(LaneKey(match_id, audience, provisional), position, flag(query, "frames"), flag(query, "history"))
        return await LiveSession.begun(hub, recordings, wish, outbox)

    async def replay(self, match_id: str, audience: Audience, query: Query, outbox: Outbox) -> "ReplaySession":
        """A visit to a replay. Ended where there is none, or while the match is being played and the audience must wait."""
        hub, recordings = await self._built()
        from redis import RedisError

        from serving.replay_clock import speed_of
        from serving.replay_session import ReplaySession, said_of

        try:
            signals = [] if hub is None else await hub.log.ask(hub.log.signals_of, match_id, audience)
            if hub is not None:
                await self._refuse_while_played(hub, match_id, audience)
        except RedisError as error:
            raise Ended(Code.TRY_LATER, "The log does not answer now; try again in a moment.") from error
        recording = await recordings.opened(match_id)
        if recording is None:
            raise Ended(Code.UNKNOWN_MATCH, "The lake has no such match to play; GET /api/v1/matches lists them.")
        moment = self._moment(hub, match_id)
        try:
            speed = speed_of(query.get("speed", "1"))
            session = ReplaySession(
                *(recording, said_of(signals), audience, self._policy, moment, outbox),
                speed=speed,
                frames=flag(query, "frames"),
            )
            start = query.get("after", query.get("from"))
            if start is not None:
                session.go_to(start)
        except ValueError as error:
            raise Ended(Code.BAD_REQUEST, str(error)) from error
        return session

    async def close(self) -> None:
        """End the readers."""
        hub, recordings = self._parts or (None, None)
        if hub is not None:
            await hub.close()
            hub.log.close()
        if recordings is not None:
            recordings.close()

    async def _built(self) -> "tuple[Hub | None, Recordings]":
        async with self._lock:
            if self._parts is None:
                self._parts = await asyncio.to_thread(self._build)
            return self._parts

    def _build(self) -> "tuple[Hub | None, Recordings]":
        from serving.recording import Recordings

        settings, recordings = self._service.settings, Recordings(self._service.matches, self._service.settings.lake)
        if not settings.redis_url:
            return None, recordings
        from serving.room_log import RoomLog
        from serving.rooms import Hub

        log = RoomLog(settings.redis_url, self._policy, self._clock)
        return Hub(log, self._policy, self.limits, self.metrics, self.seats), recordings

    async def _refuse_while_played(self, hub: "Hub", match_id: str, audience: Audience) -> None:
        """The lake knows no wall clock: what is being played now may look old in it."""
        delay_s = self._policy.state_delay_s(audience)
        if not delay_s:
            return
        now, pauses = await hub.log.ask(hub.log.moment, match_id)
        stood = sum((((pause.end or now) - pause.start) for pause in pauses), timedelta())
        played = await hub.log.ask(hub.log.last_played, match_id, now - timedelta(seconds=delay_s) - stood)
        if played is not None and not decide_state(played, 0.0, audience, now, self._policy, pauses).open:
            raise Ended(Code.BEING_PLAYED, "This match is being played; /ws/live follows it with its delay.")

    def _moment(self, hub: "Hub | None", match_id: str) -> Moment:
        asked_at = -1e9
        known: tuple[datetime, Sequence[Pause]] = (datetime.now(UTC), ())

        async def moment() -> tuple[datetime, Sequence[Pause]]:
            nonlocal asked_at, known
            if time.monotonic() - asked_at >= _FRESH_S:
                if hub is not None:
                    known = await hub.log.ask(hub.log.moment, match_id)
                else:
                    known = (datetime.now(UTC) if self._clock is None else self._clock(), ())
                asked_at = time.monotonic()
            return known

        return moment


def flag(query: Query, name: str, default: bool = True) -> bool:
    """A yes or no of a query. Ended for anything else."""
    told = query.get(name)
    if told is None:
        return default
    if told not in ("0", "1"):
        raise Ended(Code.BAD_REQUEST, f"The parameter {name} is 0 or 1.")
    return told == "1"
