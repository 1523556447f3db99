"""One client's connection: what waits for it, what it says, and how it ends. The same for live rooms and replays.

What cannot be sent waits in a bounded outbox. Whoever tells news to many (``offer``) never waits: a full outbox ends that
connection alone. Whoever serves one client (``put``) waits for room, so a client reads history at its own pace.

Belongs here: sending, receiving, limits of one connection. Does not belong here: what is told, and to whom.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi.websockets import WebSocket, WebSocketDisconnect

from serving.metrics import Metrics
from serving.room_access import Limits
from serving.room_ends import Code, End, Ended, notice

_GRACE_S = 5.0
_FEW = 100
_BURST, _BURST_S = 30, 10.0
_SLOW = "The connection is too slow: resume after the last id that came."
_log = logging.getLogger("serving.rooms")

Heard = Callable[[str], Awaitable[None]]


class Outbox:
    """Messages that wait for one client: kind and text."""

    def __init__(self, limits: Limits) -> None:
        self._most, self._most_bytes = limits.queue, limits.queue_bytes
        self._waiting: deque[tuple[str, str]] = deque()
        self._bytes = 0
        self._said_at = time.monotonic()
        self._filled, self._room = asyncio.Event(), asyncio.Event()
        self.overflown: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def offer(self, kind: str, text: str) -> None:
        """Let a message wait; one too many ends the connection."""
        if len(self._waiting) >= self._most or self._bytes >= self._most_bytes:
            if not self.overflown.done():
                self.overflown.set_result(None)
            return
        self._add(kind, text)

    async def put(self, kind: str, text: str) -> None:
        """Let a message wait as soon as few others do."""
        while self._bytes > self._most_bytes // 2:
            await self.roomy(len(self._waiting) - 1)
        await self.roomy(_FEW - 1)
        self._add(kind, text)

    async def roomy(self, most: int) -> None:
        """Wait until no more messages than that wait."""
        while len(self._waiting) > most:
            self._room.clear()
            await self._room.wait()

    async def take(self) -> tuple[str, str]:
        """The oldest message."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self.taken()

    def taken(self) -> tuple[str, str]:
        """The oldest message, which there must be."""
        kind, text = self._waiting.popleft()
        self._bytes -= len(text)
        self._room.set()
        return kind, text

    def __len__(self) -> int:
        return len(self._waiting)

    def quiet_s(self) -> float:
        """How long nothing was said."""
        return time.monotonic() - self._said_at

    def _add(self, kind: str, text: str) -> None:
        self._waiting.append((kind, text))
        self._bytes += len(text)
        self._said_at = time.monotonic()
        self._filled.set()


class Connection:
    """An accepted WebSocket with its outbox."""

    def __init__(self, websocket: WebSocket, endpoint: str, limits: Limits, metrics: Metrics) -> None:
        self._websocket = websocket
        self._endpoint = endpoint
        self._limits = limits
        self._metrics = metrics
        self.outbox = Outbox(limits)
        self.token: Callable[[], str] = str
        """The id of what the client got last."""

    async def run(self, *work: Coroutine[Any, Any, None], heard: Heard) -> None:
        """Send, receive and work until one of it ends; then close with the reason, or quietly if the client went away."""
        tasks = [asyncio.create_task(each) for each in (self._send(), self._receive(heard), self._overflow(), *work)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        failures = [task.exception() for task in done if not task.cancelled()]
        if any(isinstance(failure, WebSocketDisconnect) for failure in failures):
            return
        ended = next((failure for failure in failures if isinstance(failure, Ended)), None)
        broken = next((failure for failure in failures if failure is not None and failure is not ended), None)
        if broken is not None and ended is None:
            _log.error("a connection of %s broke", self._endpoint, exc_info=broken)
        await self.close(ended.end if ended else End(Code.TRY_LATER, "Something went wrong here; the log has it."))

    async def close(self, end: End) -> None:
        """Say what still waits, unless the client is too slow for it, then why the connection ends."""
        self._metrics.live_ended(self._endpoint, end.code.name.lower())
        with contextlib.suppress(WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                while len(self.outbox) and end.code is not Code.TOO_SLOW:
                    await self._websocket.send_text(self.outbox.taken()[1])
                if end.code is not Code.TOO_SLOW:
                    await self._websocket.send_text(notice(self.token(), end.code.name.lower(), end.sentence))
                await self._websocket.close(end.code, end.reason)

    async def _send(self) -> None:
        while True:
            kind, text = await self.outbox.take()
            try:
                async with asyncio.timeout(self._limits.stall_s):
                    await self._websocket.send_text(text)
            except TimeoutError as error:
                raise Ended(Code.TOO_SLOW, _SLOW) from error
            self._metrics.live_sent(self._endpoint, kind)

    async def _overflow(self) -> None:
        await self.outbox.overflown
        raise Ended(Code.TOO_SLOW, _SLOW)

    async def _receive(self, heard: Heard) -> None:
        said: deque[float] = deque(maxlen=_BURST)
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1006))
            text = message.get("text") or (message.get("bytes") or b"").decode(errors="replace")
            if len(text) > self._limits.message_bytes:
                most = self._limits.message_bytes
                raise Ended(Code.TOO_BIG, f"A message of a client has at most {most} bytes.")
            if len(said) == _BURST and time.monotonic() - said[0] < _BURST_S:
                raise Ended(Code.POLICY, f"More than {_BURST} messages of a client in {_BURST_S:g} s are too many.")
            said.append(time.monotonic())
            await heard(text)
