"""Real servers from wheels: PostgreSQL and Valkey under the project's home, started when no URL points elsewhere.

Belongs here: start, reuse, stop and status of the two, with their state in ``state.json``.
Does not belong here: tables (``database.py``), streams, child processes of a run (``commands/children.py``).
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from esports_assets.settings import Settings
from esports_assets.storage import postgres, valkey
from esports_assets.storage.server import EmbeddedError, Server

__all__ = ["EmbeddedError", "Server", "attach", "down", "status", "up"]


@dataclass(frozen=True, slots=True)
class Status:
    """One server as of now: embedded or somebody else's, and whether it runs."""

    name: str
    url: str | None
    embedded: bool
    running: bool
    pid: int | None = None


def up(settings: Settings) -> Settings:
    """Start what is needed, or reuse what runs; returns the settings with every URL known.

    A URL that the environment gives is used as it is, and nothing is started for it, unless it is the embedded server's own.
    Raises EmbeddedError.
    """
    state = _load(settings.home)
    database_url = _external(settings.database_url, state.get("postgres"))
    redis_url = _external(settings.redis_url, state.get("valkey"))
    if database_url is None or redis_url is None:
        with _locked(settings.home):
            state = _load(settings.home)
            if database_url is None:
                state["postgres"] = postgres.ensure(settings.home / "postgres")
                database_url = state["postgres"].url
            if redis_url is None:
                state["valkey"] = valkey.ensure(settings.home / "valkey")
                redis_url = state["valkey"].url
            _save(settings.home, state)
    postgres.ensure_schemas(database_url, ("dagster", "mlflow"))
    return settings.with_servers(database_url, redis_url)


def _external(given: str | None, known: Server | None) -> str | None:
    """The given URL, if it is not the embedded server's own (as after ``eval "$(esports env)"``)."""
    return None if known is not None and given == known.url else given


def attach(settings: Settings) -> Settings:
    """The settings with the URLs of servers that already run; EmbeddedError where one does not."""
    found = {entry.name: entry for entry in status(settings)}
    for entry in found.values():
        if entry.embedded and not entry.running:
            raise EmbeddedError(
                f"the embedded {entry.name} of {settings.home} does not run: start it with 'esports up'"
            )
    database, redis = found["postgres"].url, found["valkey"].url
    if database is None or redis is None:
        raise EmbeddedError(f"no servers are known in {settings.home}: start them with 'esports up'")
    return settings.with_servers(database, redis)


def status(settings: Settings) -> list[Status]:
    """The two servers as of now. Servers of others are listed without asking them."""
    state = _load(settings.home)
    entries = []
    for name, given, module in (("postgres", settings.database_url, postgres), ("valkey", settings.redis_url, valkey)):
        known = state.get(name)
        external = _external(given, known)
        if external is not None:
            entries.append(Status(name, external, embedded=False, running=True))
            continue
        running = known is not None and module.runs(settings.home / name, known)
        url, pid = (known.url, known.pid if running else None) if known else (None, None)
        entries.append(Status(name, url, embedded=True, running=running, pid=pid))
    return entries


def down(settings: Settings) -> list[str]:
    """Stop the embedded servers that run; returns their names. Data stays."""
    if not settings.home.is_dir():
        return []
    stopped = []
    with _locked(settings.home):
        state = _load(settings.home)
        if "valkey" in state and valkey.stop(settings.home / "valkey", state["valkey"]):
            stopped.append("valkey")
        if "postgres" in state and postgres.stop(settings.home / "postgres"):
            stopped.append("postgres")
    return stopped


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One process at a time starts or stops servers; the lock goes with its holder, however that ends."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        handle = (home / "lock").open("a")
    except OSError as error:
        raise EmbeddedError(
            f"{home} cannot be written ({error.strerror}): set ESPORTS_HOME to a folder of yours"
        ) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _load(home: Path) -> dict[str, Server]:
    try:
        entries = json.loads((home / "state.json").read_text())
        return {name: Server(pid=entry["pid"], url=entry["url"]) for name, entry in entries.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # a half-written file of a crash: servers are found again by their data folders


def _save(home: Path, state: dict[str, Server]) -> None:
    temporary = home / f"state.json.{os.getpid()}"
    temporary.write_text(json.dumps({name: asdict(server) for name, server in state.items()}, indent=1))
    temporary.replace(home / "state.json")
