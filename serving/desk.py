"""Accounts, reviews and releases of one service, put together from its settings, with the loops that carry them on.

Belongs here: which parts exist with which settings, start and stop.
Does not belong here: what a part does.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from serving.auth import Access, Authenticator
from serving.database import Database
from serving.errors import ApiError
from serving.keys import Keys, is_embedded
from serving.loops import Loops, Run
from serving.ratelimit import Limiter, Portions, ProcessLimiter, Rate, RedisLimiter, WithSpare
from serving.release import Releases
from serving.review_events import Relay
from serving.review_figures import ReviewFigures
from serving.reviews import Reviews
from serving.settings import Settings

if TYPE_CHECKING:
    import redis

_REDIS_S = 5.0
_PORTIONS = 20
"""So many portions make a second's predictions: so little is given up where a portion is not used."""
_log = logging.getLogger("serving.desk")


class Desk:
    """One app's accounts and reviews. Without a database there are no reviews and no keys, without Redis no releases."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self.rule, self.policy = settings.rule, settings.policy
        self._database = Database(settings.database_url) if settings.database_url else None
        self._redis = _client(settings.redis_url) if settings.redis_url else None
        self.keys = None if self._database is None else Keys(self._database)
        self._reviews = None if self._database is None else Reviews(self._database, lease_s=settings.review_lease_s)
        self.spare: WithSpare | None = None
        self.access = self._access()
        self.games = self._games_access()
        self._figures = None if self._database is None else ReviewFigures(self._database)
        if self._figures is not None:
            registry.register(self._figures)
        self._loops = Loops()

    def _access(self) -> Access:
        settings, issuer = self._settings, self._settings.issuer
        limiter = self._limiter("", Rate(settings.rate_per_s, settings.rate_burst))
        rate = Rate(settings.predict_rate_per_s, settings.predict_rate_burst)
        portions = Portions(self._limiter("predict:", rate), max(1, int(min(rate.per_s, rate.burst)) // _PORTIONS))
        if issuer is None:
            return Access(Authenticator(self.keys, None), limiter, portions)
        from serving.tokens import Tokens

        return Access(Authenticator(self.keys, Tokens(issuer)), limiter, portions)

    def _games_access(self) -> Access:
        """For games: the rate of predictions in buckets of their own, which go on while Redis is away."""
        settings = self._settings
        rate = Rate(settings.predict_rate_per_s, settings.predict_rate_burst)
        limiter = self._limiter("games:", rate)
        if self._redis is not None:
            limiter = self.spare = WithSpare(limiter, ProcessLimiter(rate))
        size = max(1, int(min(rate.per_s, rate.burst)) // _PORTIONS)
        return Access(self.access.authenticator, self.access.limiter, Portions(limiter, size))

    def _limiter(self, of: str, rate: Rate) -> Limiter:
        return ProcessLimiter(rate) if self._redis is None else RedisLimiter(self._redis, rate, of=of)

    @property
    def reviews(self) -> Reviews:
        """The queue; ApiError 503 where there is none."""
        if self._reviews is None:
            raise ApiError(503, "no_database", "Reviews are kept in a database, and DATABASE_URL is not set.")
        return self._reviews

    def start(self) -> None:
        """Give an embedded installation its first key, and carry on what waits."""
        self._first_key()
        for run in self._carried_on():
            self._loops.start(run)

    def _carried_on(self) -> Iterator[Run]:
        if self._figures is not None:
            yield self._figures.run
        if self._redis is None:
            return
        releases = Releases(self._redis, self.policy)
        yield releases.run
        if self._database is not None:
            yield Relay(self._database, self._redis, releases).run

    def stop(self) -> None:
        """End the loops and close what is open."""
        self._loops.stop()
        if self._database is not None:
            self._database.close()
        if self._redis is not None:
            self._redis.close()

    def _first_key(self) -> None:
        home, url = Path(self._settings.esports_home), self._settings.database_url
        if self.keys is None or not is_embedded(home, url):
            return
        try:
            written = self.keys.ensure_operator(home)
        except (ApiError, OSError) as error:
            _log.warning("no operator key was made: %s", error)
            return
        if written is not None:
            _log.info("the key of the role operator is in %s", written)


def _client(url: str) -> "redis.Redis":
    import redis

    return redis.Redis.from_url(url, socket_timeout=_REDIS_S, socket_connect_timeout=_REDIS_S)
