"""What can go wrong with the log, in sentences.

Belongs here: the error tree of this room.
Does not belong here: records that are no canonical events (``canonical.event.WireError``).

    StreamError
    ├── GapError      entries are gone that a reader has not read
    │   └── LogLost   the stream ends before what the reader has read: it was lost or is another one
    ├── LostLease     somebody else works on the shard now
    ├── CollectError  the entries of a match do not make a match (yet)
    ├── ReplayError   there is nothing to play
    └── RetryError    a dead letter that cannot go back
"""


class StreamError(RuntimeError):
    """Why the log cannot do what was asked, in one sentence."""


class GapError(StreamError):
    """Entries are gone that a reader has not read: it must rebuild from the lake, then go on after ``gone``.

    ``cursor`` is what the reader read last, ``gone`` the last entry that is no longer there, ``oldest`` the first that is (None
    for an empty stream), ``behind_s`` how much time lies between the cursor and the last entry that is gone.
    """

    def __init__(self, stream: str, cursor: str, gone: str, oldest: str | None) -> None:
        self.stream, self.cursor, self.gone, self.oldest = stream, cursor, gone, oldest
        self.behind_s = None if cursor == "0-0" else (millis(gone) - millis(cursor)) / 1000
        far = "from the beginning on" if self.behind_s is None else f"{self.behind_s:.3f} s of them"
        rest = "nothing is left" if oldest is None else f"the oldest left is {oldest}"
        super().__init__(
            f"{stream}: the reader is at {cursor}, but entries up to {gone} are gone, {far}; {rest}. "
            "Take what is missing from the lake."
        )


class LogLost(GapError):
    """The stream ends before what the reader has read: the server lost entries, or the stream is another one.

    ``gone`` is the cursor itself; ``oldest`` is unknown.
    """

    def __init__(self, stream: str, cursor: str, last: str) -> None:
        super().__init__(stream, cursor, cursor, None)
        self.last = last
        self.args = (
            f"{stream}: the reader is at {cursor}, but the stream ends at {last}: the server lost entries, or this is another "
            "log. Compare with the lake, then begin again from the oldest entry.",
        )


class LostLease(StreamError):
    """Somebody else works on the shard now, or nobody: nothing was written."""

    def __init__(self, shard: int, holder: str, token: int) -> None:
        self.shard, self.holder, self.token = shard, holder, token
        super().__init__(f"shard {shard} is no longer held by {holder} with token {token}: nothing was written")


class CollectError(StreamError):
    """The entries of a match do not make a match, or not yet."""


class ReplayError(StreamError):
    """There is nothing to play."""


class RetryError(StreamError):
    """A dead letter that cannot go back into the log."""


def millis(entry_id: str) -> int:
    """The time of an entry id, milliseconds since 1970 by the server's clock."""
    return int(entry_id.partition("-")[0])
