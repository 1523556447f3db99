"""The service's way to PostgreSQL: a few connections, one transaction at a time, and sentences when it is away.

Belongs here: connecting and transactions through psycopg2 alone, so that the slim service needs no SQLAlchemy; what it can hold.
Does not belong here: tables and migrations (``storage/database.py`` and its ``migrations/``), what is asked.
"""

import json
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson
import psycopg2
from psycopg2 import errors as pg
from psycopg2.extras import RealDictCursor

from serving.errors import ApiError

_CONNECT_S = 5
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_log = logging.getLogger("serving.database")
_STATEMENT_MS = 15_000


class Database:
    """Connections to one database, opened when they are needed and at most ``size`` of them."""

    def __init__(self, url: str, size: int = 8, wait_s: float = 10.0) -> None:
        self._url = url.replace("postgresql+psycopg2://", "postgresql://", 1)
        self._free = threading.BoundedSemaphore(size)
        self._wait_s = wait_s
        self._idle: list[Any] = []
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A cursor whose rows are dictionaries; what it did is committed at the end, or undone if the block fails.

        ApiError 503 in one sentence where the database is away, too busy or not migrated.
        """
        if not self._free.acquire(timeout=self._wait_s):
            raise ApiError(503, "database_busy", "The database is busy; try again in a moment.")
        try:
            connection = self._connection()
            try:
                with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
                    yield cursor
            except (pg.UndefinedTable, pg.UndefinedColumn) as error:
                message = "The database lacks tables of this version: 'esports up' migrates it."
                raise ApiError(503, "not_migrated", message) from error
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                raise _away(error) from error
            finally:
                self._put_back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connection(self) -> Any:
        """An idle connection that still answers, or a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            try:
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return connection
            except psycopg2.Error:
                with suppress(psycopg2.Error):
                    connection.close()

    def _connect(self) -> Any:
        try:
            connection = psycopg2.connect(self._url, connect_timeout=_CONNECT_S, application_name="esports serving")
            with connection, connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = %s", (_STATEMENT_MS,))
                cursor.execute("SET timezone = 'UTC'")
        except psycopg2.Error as error:
            raise _away(error) from error
        return connection

    def _put_back(self, connection: Any) -> None:
        if connection.closed:
            return
        with self._lock:
            self._idle.append(connection)


def storable(name: str, value: Any) -> str:
    """A JSON value as text; ApiError 422 for what JSON or the database cannot hold."""
    try:
        json.dumps(value, allow_nan=False)
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ApiError(422, "bad_json", f"{name} holds a value that JSON has no place for.") from error
    refuse_nul(name, text)
    return text


def refuse_nul(name: str, text: str) -> None:
    """ApiError 422 for JSON text with a NUL character."""
    if "\\u0000" in text and _NUL.search(text):
        raise ApiError(422, "bad_json", f"{name} holds a NUL character, which cannot be stored.")


def _away(error: Exception) -> ApiError:
    _log.warning("the database does not answer: %s", error)
    return ApiError(503, "no_database", "The database does not answer; the log of the service says why.")
