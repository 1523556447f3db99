"""Loops that run beside the requests of a service until it stops.

Belongs here: their threads, and beginning again after a bug.
Does not belong here: what a loop does, and which a service has (``desk.py``, ``intake.py``).
"""

import logging
import threading
from collections.abc import Callable

Run = Callable[[threading.Event], None]
"""A loop; it returns once the event is set."""

AGAIN_S, JOIN_S = 5.0, 6.0
_log = logging.getLogger("serving.loops")


class Loops:
    """The loops of one part of a service."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, run: Run) -> None:
        """Run a loop in a thread of its own."""
        thread = threading.Thread(target=self._keep, args=(run,), name=run.__qualname__, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """End them all, and wait for each a while."""
        self._stop.set()
        for thread in self._threads:
            thread.join(JOIN_S)

    def _keep(self, run: Run) -> None:
        """Run a loop until the service stops; one that broke is in the log and begins again."""
        while not self._stop.is_set():
            try:
                run(self._stop)
            except Exception:  # noqa: BLE001 - logged whole; what waits must go on even after a bug met one entry
                _log.exception("%s broke and begins again", threading.current_thread().name)
                self._stop.wait(AGAIN_S)
