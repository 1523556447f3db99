"""The connection that this room works with.

Belongs here: a synchronous client with bytes in and out, time-outs, and no retry behind the caller's back.
Does not belong here: where the server is (settings), starting one (``storage/valkey.py``).
"""

import contextlib
from collections.abc import Iterator

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from esports_assets.storage.urls import without_password
from esports_assets.streams.errors import StreamError

_ANSWER_S = 15.0
LONGEST_BLOCK_MS = 5_000
"""A blocking read stays below the time-out of the socket."""


def connect(url: str) -> Redis:
    """A client of the server at ``url``.

    redis-py would send a command again when its answer is lost. For a read of a consumer group that hides a delivery until
    somebody reclaims it, out of order; so the error comes to the caller, who looks at its pending entries first. Everything
    else of this room may be called again after an error: it happens once.
    """
    return Redis.from_url(url, socket_timeout=_ANSWER_S, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0))


@contextlib.contextmanager
def connected(url: str) -> Iterator[Redis]:
    """A client for one command of a person: it is closed at the end, and what the server refuses becomes a StreamError."""
    client = connect(url)
    try:
        yield client
    except RedisError as error:
        raise StreamError(f"{without_password(url)} does not answer as it should: {error}") from error
    finally:
        client.close()
