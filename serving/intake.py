"""The ways into the log of one service, put together from its settings, with the loops that carry them on.

Imports of what only a log needs (Redis, adapters, Arrow) stand in functions: a service without one never pays for them.

Belongs here: which parts exist with which settings, start and stop.
Does not belong here: what a part does.
"""

from typing import TYPE_CHECKING

from serving.errors import ApiError
from serving.loops import Loops
from serving.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

    from serving.backfill import Backfill
    from serving.feed import Feed
    from serving.grid_files import GridFiles


class Intake:
    """One app's ways into the log. Without Redis there is no log."""

    def __init__(self, settings: Settings) -> None:
        self._client = _client(settings.redis_url) if settings.redis_url else None
        self._feed = None if self._client is None else feed_of(self._client, settings)
        self._backfill = None if self._client is None else backfill_of(self._client, settings)
        self._loops = Loops()

    @property
    def feed(self) -> "Feed":
        """What takes bodies; ApiError 503 where there is no log."""
        if self._feed is None:
            raise ApiError(503, "no_log", "Events are kept in Redis, and REDIS_URL is not set.")
        return self._feed

    @property
    def backfill(self) -> "Backfill":
        """What plays matches of the past; ApiError 503 where there is no log."""
        if self._backfill is None:
            raise ApiError(503, "no_log", "Events are kept in Redis, and REDIS_URL is not set.")
        return self._backfill

    def start(self) -> None:
        """Carry on what waits."""
        if self._feed is None or self._backfill is None:
            return
        for run in (self._feed.grid.run, self._backfill.run):
            self._loops.start(run)

    def stop(self) -> None:
        """End the loops and close what is open."""
        self._loops.stop()
        if self._client is not None:
            self._client.close()


def _client(url: str) -> "Redis":
    from esports_assets.streams.connect import connect

    return connect(url)


def feed_of(client: "Redis", settings: Settings) -> "Feed":
    """What takes bodies into the log of a server."""
    from esports_assets.streams.log import EventLog
    from serving.feed import Feed
    from serving.grid_intake import GridIntake
    from serving.grid_turns import Turns
    from serving.unread import Unread

    log = EventLog(client, retention_h=settings.stream_retention_h)
    unread = Unread(client, log.retention_ms)
    turns = Turns(client, retention_ms=log.retention_ms, gap_s=settings.grid_gap_s)
    return Feed(log, GridIntake(log, turns, unread), unread, settings.max_event_bytes)


def backfill_of(client: "Redis", settings: Settings) -> "Backfill":
    """What plays matches of the past into the log of a server; GRID is asked only with a key."""
    from esports_assets.streams.log import EventLog
    from serving.backfill import Backfill
    from serving.backfill_queue import BackfillQueue

    log = EventLog(client, retention_h=settings.stream_retention_h)
    return Backfill(log, BackfillQueue(client), settings.lake, files_of(settings))


def files_of(settings: Settings) -> "GridFiles | None":
    """GRID's files, if there is a key for them."""
    from serving.grid_files import GridFiles

    key = settings.grid_api_key.get_secret_value()
    if not key:
        return None
    return GridFiles(
        settings.grid_rest_base,
        key,
        timeout_s=settings.http_timeout,
        retries=settings.http_max_retries,
        backoff=settings.http_backoff_base,
    )
