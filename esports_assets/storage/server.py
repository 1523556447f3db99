"""What the two embedded servers have in common.

Belongs here: the value that describes a running server and the error that both raise.
Does not belong here: how either is started.
"""

from dataclasses import dataclass


class EmbeddedError(RuntimeError):
    """Why an embedded server does not run, and what to do, in one sentence."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: process id and URL."""

    pid: int
    url: str
