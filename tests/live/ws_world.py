"""A real service with WebSockets on a free port, a clock that only the test moves, and a client that collects.

Belongs here: what tests of ``/ws`` share. Does not belong here: any assertion about what is told.
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from esports_assets.canonical.event import CanonicalEvent, event_id
from esports_assets.canonical.vocabulary import EventType
from esports_assets.streams.envelope import Envelope
from serving.app import create_app
from serving.settings import Settings

CONTENT = ("event", "frame", "signal")
PATIENCE_S = 20.0
MATCH = "test:ws:1"


class Clock:
    """Seconds after ``zero`` that only the test moves, as the service and as the log want them."""

    def __init__(self) -> None:
        self.zero = datetime.now(UTC).replace(microsecond=0)
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return self.at(self.seconds)

    def at(self, seconds: float) -> datetime:
        """An instant."""
        return self.zero + timedelta(seconds=seconds)

    def ms(self) -> int:
        """The same in milliseconds since 1970."""
        return round(self().timestamp() * 1000)


@contextmanager
def running(settings: Settings, clock: Callable[[], datetime] | None = None) -> Iterator[str]:
    """The address of a service of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        create_app(settings, clock=clock),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not server.started:
        assert time.monotonic() < deadline
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@asynccontextmanager
async def client(url: str, key: str | None = None, **more: Any) -> AsyncIterator[ClientConnection]:
    """A connection, with an API key where one is given."""
    headers = {} if key is None else {"X-API-Key": key}
    async with connect(url, additional_headers=headers, compression=None, max_size=None, **more) as found:
        yield found


async def message(connection: ClientConnection) -> dict[str, Any]:
    """The next message."""
    async with asyncio.timeout(PATIENCE_S):
        found: dict[str, Any] = json.loads(await connection.recv())
    assert {"id", "kind"} <= set(found)
    return found


async def until(connection: ClientConnection, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Messages up to the first that is wanted, with it."""
    found = [await message(connection)]
    while not wanted(found[-1]):
        found.append(await message(connection))
    return found


async def rest(connection: ClientConnection) -> tuple[list[dict[str, Any]], int, str]:
    """Messages up to the end of a connection, and the code and the reason of that."""
    found: list[dict[str, Any]] = []
    try:
        while True:
            found.append(await message(connection))
    except ConnectionClosed as closed:
        frame = closed.rcvd
    assert frame is not None
    return found, frame.code, frame.reason


async def passed(url: str, key: str | None = None) -> list[dict[str, Any]]:
    """What a client that comes now is told of the past."""
    async with client(url, key) as connection:
        return content(await until(connection, follows))


def follows(found: dict[str, Any]) -> bool:
    """Whether this says that the past is over."""
    return found["kind"] == "state" and found["phase"] == "following"


def content(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what is said about the connection."""
    return [one for one in found if one["kind"] in CONTENT]


def names(found: list[dict[str, Any]]) -> list[str]:
    """Events and signals by their ids."""
    return [one.get("event_id") or one["signal_id"] for one in content(found)]


def happening(number: int, at: datetime, match: str = MATCH, **more: Any) -> Envelope:
    """The number-th kill of a match, which happens at an instant of the wall clock; its source is a day behind."""
    source = at - timedelta(days=1)
    event = CanonicalEvent(
        **{
            "event_id": event_id("test", match, number),
            "match_id": match,
            "event_type": EventType.KILL,
            "timestamp": source,
            "actor": "test:p1",
            "payload": {"weapon": "ak47", "hindsight": {"traded": True}},
            "map": "de_dust2",
            "segment": 1,
            "t": float(number),
            "seq": number,
            **more,
        }
    )
    return Envelope(event, live_offset_s=86_400.0)


def name_of(number: int, match: str = MATCH) -> str:
    """The id of that event."""
    return event_id("test", match, number)
