"""Child processes of a run: each in a process group of its own, stopped by its own id, remembered for ``esports down``.

Belongs here: start, watch and stop; the note in ``children.json``.
Does not belong here: what the children do; the embedded servers (``storage/embedded.py``).
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

NOTES, LIVE_NOTES = "children.json", "children-live.json"
"""Children of ``esports run``, and those of ``esports live`` beside it."""
_POLITE_S = 15.0
_CLOCK_S = 1.0
"""Two readings of a process's start may differ by so much."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running child: its process group has the same number."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process.poll() is not None

    def last_words(self, lines: int = 5) -> str:
        """The end of its log."""
        return " / ".join(self.log.read_text(errors="replace").strip().splitlines()[-lines:])


class Children:
    """The children of one run; leaving the ``with`` block stops them all."""

    def __init__(self, home: Path, root: Path, notes: str = NOTES) -> None:
        self._path = home / notes
        self._home = home
        self._root = root
        self._children: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start a child in the project's folder; its output goes to ``logs/<name>.log``."""
        log = self._home / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(command),
                cwd=self._root,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._children.append(child)
        self._note()
        return child

    def first_ended(self) -> Child | None:
        """A child that ended by itself, or None."""
        return next((child for child in self._children if child.ended), None)

    def stop(self) -> None:
        """Stop every child, the last one first."""
        for child in reversed(self._children):
            stop_group(child.process.pid, child.process)
        self._children.clear()
        self._note()

    def _note(self) -> None:
        notes = {c.name: {"pid": c.process.pid, "started": _started(c.process.pid)} for c in self._children}
        if not notes:
            self._path.unlink(missing_ok=True)
            return
        temporary = self._path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(notes))
        temporary.replace(self._path)


def left_over(home: Path, notes: str = NOTES) -> dict[str, int]:
    """Children of an earlier run that still live (its terminal may have been closed): name to process id."""
    try:
        known = json.loads((home / notes).read_text())
        pairs = [(str(name), int(note["pid"]), float(note["started"] or 0)) for name, note in known.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: pid for name, pid, started in pairs if abs((_started(pid) or -1e9) - started) < _CLOCK_S}


def stop_left_over(home: Path, notes: str = NOTES) -> list[str]:
    """Stop what an earlier run left behind; returns the names."""
    found = left_over(home, notes)
    for pid in found.values():
        stop_group(pid)
    (home / notes).unlink(missing_ok=True)
    return list(found)


def stop_group(pid: int, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Ask a process group to end, and insist after a while."""
    for step in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, step)
        deadline = time.monotonic() + _POLITE_S
        while _group_lives(pid) and time.monotonic() < deadline:
            if process is not None:
                process.poll()
            time.sleep(0.05)
        if not _group_lives(pid):
            break
    if process is not None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)


def _group_lives(pid: int) -> bool:
    for process in psutil.process_iter(["pid", "status"]):
        with suppress(ProcessLookupError):
            if os.getpgid(process.pid) == pid and process.info["status"] != psutil.STATUS_ZOMBIE:
                return True
    return False


def _started(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
