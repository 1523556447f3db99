"""A server process under load: start, kept-alive connections, answers per second, processor time, memory.

Belongs here: asking and measuring one HTTP server. Does not belong here: which servers, and what is compared.
"""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LENGTH = re.compile(rb"content-length: *(\d+)", re.I)


class Server:
    """A server process and how long it took to its first right answer."""

    def __init__(self, name: str, command: list[str], path: str, body: bytes, environment: dict[str, str]) -> None:
        self.name = name
        self.path = path
        self.body = body
        self.port = _free_port()
        bin_folder = Path(sys.executable).parent
        command = [part.replace("{port}", str(self.port)) for part in command]
        started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=os.environ
            | environment
            | {"API_PORT": str(self.port), "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait(started)
        except SystemExit:
            self.stop()
            raise
        self.start_s = time.perf_counter() - started

    def _wait(self, started: float) -> None:
        while True:
            try:
                self._ask()
            except OSError as error:
                if isinstance(error, urllib.error.HTTPError) and error.code != 503:
                    raise SystemExit(f"{self.name} answered {error.code}: {error.read()[:300]!r}") from error
                if self.process.poll() is not None or time.perf_counter() - started > 180:
                    raise SystemExit(f"{self.name} did not start") from error
                time.sleep(0.005)
            else:
                return

    def _ask(self) -> Any:
        url = f"http://127.0.0.1:{self.port}{self.path}"
        request = urllib.request.Request(url, self.body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    @property
    def rss_mb(self) -> float:
        """Resident memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def cpu_s(self) -> float:
        """Processor time spent so far; unlike throughput it hardly depends on what else the machine does."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def load(self, seconds: float, connections: int) -> tuple[float, list[float]]:
        """Answers per second over kept-alive connections, and the seconds that each took."""
        head = f"POST {self.path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        request = f"{head}content-length: {len(self.body)}\r\n\r\n".encode() + self.body
        return asyncio.run(_load(self.port, request, seconds, connections))

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(timeout=30)


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the whole answer is there."""

    def __init__(self, request: bytes, until: float, took: list[float], done: Callable[[], None]) -> None:
        self._request, self._until, self._took, self._done = request, until, took, done
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(self._buffer, 0, end) if end >= 0 else None
        if length is None or len(self._buffer) < end + 4 + int(length[1]):
            return
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"not a 200: {self._buffer[:300]!r}")
        now = time.perf_counter()
        self._took.append(now - self._sent)
        self._buffer = b""
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._done()


async def _load(port: int, request: bytes, seconds: float, connections: int) -> tuple[float, list[float]]:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    started = time.perf_counter()
    waiting = []
    for _ in range(connections):
        closed = loop.create_future()
        waiting.append(closed)
        protocol = _Connection(request, started + seconds, took, lambda closed=closed: closed.set_result(None))
        await loop.create_connection(lambda protocol=protocol: protocol, "127.0.0.1", port)
    await asyncio.gather(*waiting)
    return len(took) / (time.perf_counter() - started), took


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
