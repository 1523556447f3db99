"""GRID's live feed: one WebSocket per series, followed until the series is over, into the same log as the webhook.

A connection that breaks is made again after a wait that grows, differs from client to client and has an end. The feed goes on after
the last sequence number that is in order: by ``{after}`` in the address where the feed takes one, else by passing over what it
repeats. A message is kept before the next one is read; while Redis is away nothing is read, and GRID's feed is held up.

Belongs here: connections. Does not belong here: what a message says (``feed.py``).
"""

import asyncio
import logging
import random
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from redis import RedisError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from serving.feed import Feed
from serving.settings import Settings

ORIGIN = "feed:socket"
"""What dead letters of this room say that they come from."""
LONGEST_WAIT_S = 60.0
_TOO_BIG = 1009
_REFUSED = frozenset({400, 401, 403})
_END = b'"grid-ended-feed"'
_log = logging.getLogger("serving.grid")

Pause = Callable[[float], Awaitable[None]]


class GridFeedError(RuntimeError):
    """Why a series cannot be followed, in one sentence."""


@dataclass(slots=True)
class Followed:
    """What came of one series: messages and connections, and whether its feed said that it is over."""

    series: str
    messages: int = 0
    connections: int = 0
    ended: bool = False


class GridClient:
    """Follows series of GRID into a feed."""

    def __init__(
        self, feed: Feed, settings: Settings, *, pause: Pause = asyncio.sleep, jitter: random.Random | None = None
    ) -> None:
        """``pause`` waits between two connections; tests put their own in its place."""
        self._feed = feed
        self._settings = settings
        self._pause = pause
        self._jitter = jitter or random.Random()

    async def follow_all(self, series: Sequence[str]) -> list[Followed | BaseException]:
        """Follow several series at once; one that cannot be followed does not end the others."""
        return await asyncio.gather(*(self.follow(one) for one in series), return_exceptions=True)

    async def follow(self, series: str) -> Followed:
        """Follow a series until its feed is over. GridFeedError where GRID refuses."""
        found = Followed(series)
        attempt, skip, too_big = 0, 0, False
        while not found.ended:
            before = found.messages
            try:
                if too_big:
                    skip, too_big = await self._pass_over(series, skip), False
                await self._connection(found, skip)
                reason = "it was closed"
            except InvalidStatus as error:
                if error.response.status_code in _REFUSED:
                    told = f"GRID refuses the feed of series {series}: it answers {error.response.status_code}"
                    raise GridFeedError(told) from error
                reason = str(error)
            except InvalidURI as error:
                raise GridFeedError(f"there is no feed at {error}") from error
            except ConnectionClosed as error:
                too_big = error.sent is not None and error.sent.code == _TOO_BIG
                reason = str(error)
            except (OSError, TimeoutError, InvalidHandshake, RedisError) as error:
                reason = str(error) or type(error).__name__
            if not found.ended:
                attempt = 0 if found.messages > before else attempt + 1
                wait_s = self.wait_s(attempt)
                _log.warning("the feed of series %s ended (%s); again in %.1f s", series, reason, wait_s)
                await self._pause(wait_s)
        return found

    def wait_s(self, attempt: int) -> float:
        """How long to wait after so many connections in a row that brought nothing."""
        longest = min(self._settings.http_backoff_base ** min(attempt, 50), LONGEST_WAIT_S)
        return longest * self._jitter.uniform(0.5, 1.0)

    async def _connection(self, found: Followed, skip: int) -> None:
        settings = self._settings
        last = await asyncio.to_thread(self._feed.grid.turns.last, found.series)
        key = settings.grid_api_key.get_secret_value()
        async with connect(
            address(settings.grid_ws_url, found.series, max(last or 0, skip)),
            additional_headers={"Authorization": f"Bearer {key}"},
            ping_interval=settings.ws_ping_interval,
            ping_timeout=settings.ws_ping_timeout,
            max_size=settings.ws_max_size,
            open_timeout=settings.http_timeout,
            close_timeout=min(settings.ws_ping_timeout, settings.http_timeout),
        ) as socket:
            found.connections += 1
            await self._read(socket, found)

    async def _read(self, socket: ClientConnection, found: Followed) -> None:
        async for message in socket:
            data = message.encode() if isinstance(message, str) else message
            await self._keep(data)
            found.messages += 1
            if _END in data:
                found.ended = True
                return

    async def _keep(self, data: bytes) -> None:
        """Keep a message, however long Redis is away."""
        attempt = 0
        while True:
            try:
                await asyncio.to_thread(self._feed.take, data, ORIGIN)
                return
            except RedisError as error:
                _log.warning("Redis does not answer, the feed is held up: %s", error)
                await self._pause(self.wait_s(attempt))
                attempt += 1

    async def _pass_over(self, series: str, skip: int) -> int:
        """Tell that a message is larger than is taken; the number after which to go on."""
        last = await asyncio.to_thread(self._feed.grid.turns.last, series) or 0
        missed = max(last, skip) + 1
        size = f"{self._settings.ws_max_size:,}"
        reason = f"a message of series {series} after sequence number {missed - 1} has more than {size} bytes"
        await asyncio.to_thread(self._feed.unread.bury, b"", reason, ORIGIN, f"{series} {missed}")
        return missed


def address(url: str, series: str, after: int) -> str:
    """Where the feed of a series is.

    >>> address("wss://host/series/{series}?after={after}", "2578928", 17)
    'wss://host/series/2578928?after=17'
    """
    return url.replace("{series}", urllib.parse.quote(series, safe="")).replace("{after}", str(after))
