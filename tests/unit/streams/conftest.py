"""A database of the session's Valkey for these tests alone, emptied before each."""

from collections.abc import Iterator

import pytest
from redis import Redis

from esports_assets.streams.connect import connect

DATABASE = 9


@pytest.fixture(scope="session")
def stream_url(redis_url: str) -> str:
    """Where the tests of streams keep their keys."""
    return f"{redis_url.removesuffix('/0')}/{DATABASE}"


@pytest.fixture
def client(stream_url: str) -> Iterator[Redis]:
    """A client of an empty database."""
    client = connect(stream_url)
    client.flushdb()
    yield client
    client.close()
