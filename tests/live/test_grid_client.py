"""GRID's live feed over a real WebSocket: nothing lost and nothing twice, however often it breaks."""

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from feeding import feed, grid_match, ids, logged, reasons
from redis import Redis
from websockets.asyncio.server import ServerConnection, serve

from esports_assets.adapters.grid.live import LiveSeries, transaction
from serving.grid_client import Followed, GridClient, GridFeedError
from serving.settings import Settings

KEY = "a key of the test"
SERIES = "5-000"


def transactions(count: int) -> list[bytes]:
    """A series of GRID with an end, as a feed tells it."""
    lines = [line.replace(b'"simulated":true,', b"") for line in grid_match()[:count]]
    last = msgspec.json.decode(lines[-1])
    ended = {"type": "grid-ended-feed", "actor": {"type": "grid", "id": "GRID"}, "target": {"type": "feed", "id": "f"}}
    end = {**last, "sequenceNumber": last["sequenceNumber"] + 1, "events": [ended]}
    return [*lines, msgspec.json.encode(end)]


def told(data: Sequence[bytes]) -> list[str]:
    series = LiveSeries()
    return [event.event_id for line in data for event in series.feed(transaction(line)).events]


class Server:
    """A feed that breaks: after ``patience`` messages of a connection, by turns politely and not."""

    def __init__(self, data: list[bytes], patience: list[int], *, resumes: bool = True) -> None:
        self.data = data
        self.patience = patience
        self.resumes = resumes
        self.keys: list[str | None] = []
        self.after: list[int] = []

    async def __call__(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.keys.append(socket.request.headers.get("Authorization"))
        after = int(socket.request.path.rpartition("=")[2])
        self.after.append(after)
        patience = self.patience.pop(0) if self.patience else len(self.data)
        rest = self.data[after if self.resumes else 0 :]
        for line in rest[:patience]:
            await socket.send(line.decode())
        if patience < len(rest):
            if patience % 2:
                socket.transport.abort()
            else:
                await socket.close(1012)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        async with serve(self, "127.0.0.1", 0, max_size=None, compression=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            yield f"ws://127.0.0.1:{port}/series/{{series}}?after={{after}}"


class Pauses:
    """Waits that are written down and not waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def client(bus: Redis, url: str, pauses: Pauses, **more: Any) -> GridClient:
    settings = Settings(grid_ws_url=url, grid_api_key=KEY, **more)
    return GridClient(feed(bus), settings, pause=pauses, jitter=random.Random(1))


async def followed(bus: Redis, server: Server, pauses: Pauses, **more: Any) -> Followed:
    async with asyncio.timeout(50), server.running() as url:
        return await client(bus, url, pauses, **more).follow(SERIES)


def test_a_feed_that_breaks_and_goes_on_where_it_was(log_client: Redis) -> None:
    data, pauses = transactions(150), Pauses()
    server = Server(data, [0, 7, 1, 30, 0, 0, 0, 41, 12])
    found = asyncio.run(followed(log_client, server, pauses))
    assert found.ended
    assert ids(logged(log_client)) == told(data)
    assert reasons(log_client) == []
    assert set(server.keys) == {f"Bearer {KEY}"}
    assert found.connections == len(server.after) == 10
    assert server.after == sorted(server.after)
    assert server.after[0] == 0
    longest = [1.5, 1.0, 1.0, 1.0, 1.5, 2.25, 3.375, 1.0, 1.0]  # three connections in a row brought nothing
    assert all(top * 0.5 <= wait <= top for top, wait in zip(longest, pauses.seconds, strict=True))


def test_a_feed_that_repeats_everything_enters_once(log_client: Redis) -> None:
    data = transactions(100)
    server = Server(data, [20, 55, 55], resumes=False)
    found = asyncio.run(followed(log_client, server, Pauses()))
    assert found.messages > len(data) + 40  # what was repeated was read and passed over
    assert ids(logged(log_client)) == told(data)
    assert reasons(log_client) == []


def test_another_process_goes_on_with_the_series(log_client: Redis) -> None:
    data = transactions(80)
    feed(log_client).take(b"\n".join(data[:50]))
    server = Server(data, [])
    asyncio.run(followed(log_client, server, Pauses()))
    assert server.after == [50]
    assert ids(logged(log_client)) == told(data)


def test_waits_grow_to_an_end_and_differ(log_client: Redis) -> None:
    waiting = client(log_client, "ws://127.0.0.1:9/{series}", Pauses())
    waits = [waiting.wait_s(attempt) for attempt in (0, 1, 5, 20, 10_000)]
    assert all(0.5 * top <= wait <= top for wait, top in zip(waits, (1.0, 1.5, 7.59375, 60.0, 60.0), strict=True))
    assert waiting.wait_s(20) != waiting.wait_s(20)


def test_a_message_that_is_too_large_is_told_and_passed_over(log_client: Redis) -> None:
    data = transactions(40)
    large = msgspec.json.decode(data[20])
    large["padding"] = "x" * 70_000
    server = Server([*data[:20], msgspec.json.encode(large), *data[21:]], [])
    found = asyncio.run(followed(log_client, server, Pauses(), ws_max_size=65_536, grid_gap_s=0.1))
    assert found.ended
    assert reasons(log_client) == [f"a message of series {SERIES} after sequence number 20 has more than 65,536 bytes"]
    assert ids(logged(log_client)) == told(data[:20])  # the rest waits for the gap to be given up
    assert server.after == [0, 21]


def test_what_is_no_transaction_is_a_dead_letter(log_client: Redis) -> None:
    data = transactions(20)
    server = Server([b'{"type":"hello"}', *data], [], resumes=False)
    asyncio.run(followed(log_client, server, Pauses()))
    assert len(reasons(log_client)) == 1
    assert ids(logged(log_client)) == told(data)


def test_a_refused_key_is_said_and_does_not_end_the_others(log_client: Redis) -> None:
    data = transactions(20)
    server = Server(data, [])

    def refuse(connection: ServerConnection, request: Any) -> Any:
        return connection.respond(403, "no") if "/series/other" in request.path else None

    async def both() -> list[Followed | BaseException]:
        async with asyncio.timeout(50), serve(server, "127.0.0.1", 0, process_request=refuse) as listening:
            port = next(iter(listening.sockets)).getsockname()[1]
            url = f"ws://127.0.0.1:{port}/series/{{series}}?after={{after}}"
            return await client(log_client, url, Pauses()).follow_all(["other", SERIES])

    refused, found = asyncio.run(both())
    assert isinstance(refused, GridFeedError)
    assert str(refused) == "GRID refuses the feed of series other: it answers 403"
    assert isinstance(found, Followed)
    assert found.ended


def test_while_redis_is_away_the_feed_is_held_up(log_client: Redis) -> None:
    data, pauses = transactions(30), Pauses()
    order = f"esports:grid:{SERIES}:order"
    log_client.set(order, "not a list")  # the server refuses to write

    class Mending(Pauses):
        async def __call__(self, seconds: float) -> None:
            await super().__call__(seconds)
            if len(self.seconds) == 3:
                log_client.delete(order)

    pauses = Mending()
    server = Server(data, [])
    asyncio.run(followed(log_client, server, pauses))
    assert len(pauses.seconds) == 3
    assert ids(logged(log_client)) == told(data)


def test_a_peer_that_answers_no_ping_is_left(log_client: Redis) -> None:
    """It accepts the connection and is silent from then on, as behind a cable that was pulled."""
    connections = 0
    data = transactions(10)
    good = Server(data, [])

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(
            line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        await writer.drain()
        await reader.read()  # until the peer has had enough
        writer.close()

    async def scenario() -> Followed:
        async with asyncio.timeout(50), good.running() as url:
            mute = await asyncio.start_server(silent, "127.0.0.1", 0)
            addresses = iter([f"ws://127.0.0.1:{mute.sockets[0].getsockname()[1]}/{{series}}", url])
            following = client(log_client, next(addresses), Pauses(), ws_ping_interval=0.1, ws_ping_timeout=0.1)

            class Turning(Pauses):
                async def __call__(self, seconds: float) -> None:
                    await super().__call__(seconds)
                    following._settings = Settings(grid_ws_url=next(addresses), grid_api_key=KEY)

            following._pause = Turning()
            async with mute:
                return await following.follow(SERIES)

    found = asyncio.run(scenario())
    assert (connections, found.connections, found.ended) == (1, 2, True)
    assert ids(logged(log_client)) == told(data)
