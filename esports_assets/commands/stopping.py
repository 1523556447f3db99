"""Staying up until somebody stops the command, and being stopped.

Belongs here: signals as KeyboardInterrupt, and waiting for Ctrl-C or for a child that ends by itself.
Does not belong here: the children (``children.py``).
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from esports_assets.commands.children import Children
from esports_assets.commands.console import err, give_up


def stay(children: Children) -> None:
    """Wait for Ctrl-C; a child that ends by itself ends the command with the end of its log."""
    ended = None
    try:
        while ended is None:
            time.sleep(0.5)
            ended = children.first_ended()
    except KeyboardInterrupt:
        err.print("Stopping.")
        return
    raise give_up(f"{ended.name} ended by itself. Its log {ended.log} ends: {ended.last_words()}")


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM both interrupt, also where a script's background job was started with SIGINT ignored.

    Dagster lets SIGTERM do whatever SIGINT does: left ignored, neither would stop the run.
    """
    previous = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
