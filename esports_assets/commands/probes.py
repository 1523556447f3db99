"""Whether a place that the settings name can be used right now: folders, stores, databases, MLflow.

Belongs here: one try of each, with short timeouts, that leaves nothing behind; the answer is None or the reason in words.
Does not belong here: what to do about it (``doctor.py``), starting anything, ports (``ports.py``).
"""

import os
import tempfile
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from esports_assets.storage.objects import ObjectStore, StorageError
from esports_assets.storage.urls import without_driver

TIMEOUT_S = 3


def folder_takes_writes(folder: Path) -> str | None:
    """Write below the folder, or below the nearest one that is there, and remove it again."""
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not there.is_dir():
        return f"{there} is no folder"
    try:
        with tempfile.TemporaryDirectory(prefix=".probe-", dir=there) as made:
            Path(made, "probe").write_bytes(b"probe")
    except OSError as error:
        return f"{there}: {error.strerror}"
    return None


def store_takes_writes(url: str) -> str | None:
    """Write an object, read it back and delete it."""
    key, sent = f"probe-{uuid.uuid4().hex}", b"probe"
    try:
        store = ObjectStore(url)
        if store.local_root is not None:
            return folder_takes_writes(store.local_root)
        store.put(key, sent)
        got = store.get(key)
        store.delete(key)
    except (StorageError, OSError) as error:
        return str(error).splitlines()[0]
    return None if got == sent else "what was written reads back as something else"


def database_answers(url: str) -> str | None:
    """Connect and ask."""
    import psycopg2

    try:
        connection = psycopg2.connect(without_driver(url), connect_timeout=TIMEOUT_S)
    except psycopg2.Error as error:
        return _first_line(error)
    connection.close()
    return None


def redis_answers(url: str) -> str | None:
    """Connect and ask."""
    import redis

    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S)
    except ValueError as error:
        return _first_line(error)
    try:
        client.ping()
    except redis.RedisError as error:
        return _first_line(error)
    finally:
        client.close()
    return None


def mlflow_answers(uri: str) -> str | None:
    """Reach the registry: a database, or an MLflow server."""
    scheme = urlsplit(uri).scheme.partition("+")[0]
    if scheme in ("postgresql", "postgres"):
        return database_answers(uri)
    if scheme in ("http", "https"):
        return _http_answers(f"{uri.rstrip('/')}/health")
    if scheme == "sqlite":
        return folder_takes_writes(Path(urlsplit(uri).path[1:] or ".").absolute().parent)
    return "it is neither a database (postgresql://, sqlite:///) nor an MLflow server (http://, https://)"


def _http_answers(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S):
            return None
    except urllib.error.HTTPError as error:
        return f"{url} answers {error.code}"
    except (urllib.error.URLError, OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).strip().splitlines() if line.strip()), type(error).__name__)
