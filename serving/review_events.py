"""From the audit log of reviews to the stream, and from an approval to its release: each once, in order, with nothing left out.

Belongs here: the relay between the two stores.
Does not belong here: what the log says (``reviews.py``), when an approved statement leaves (``gate.py``, ``release.py``).

The stream remembers the last audit id that it holds under a key of its own, and one script appends entries and moves that
key. So a relay that dies, runs twice, or meets a Redis that lost its last second goes on exactly where the stream ends. A Redis
that lost everything goes on from the mark in PostgreSQL instead of repeating history. A release is asked for before its
entry is appended, and asking twice is asking once (``release.py``).
"""

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from serving.database import Database
from serving.errors import ApiError
from serving.gate import Audience
from serving.release import Releases

if TYPE_CHECKING:
    import redis

STREAM = "events:reviews"
"""``data`` holds ``{id, event, review_id, action, actor, actor_role, from_status, to_status, at, ...}``; ``event`` is
``review.created``, ``review.comment`` or ``review.action``. Nothing of what is reviewed stands in it."""
_CURSOR = "esports:reviews:published"
_KEPT = 100_000
_BATCH = 200
_log = logging.getLogger("serving.reviews")

_APPEND = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
for i = 4, #ARGV, 2 do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'event', ARGV[i], 'data', ARGV[i + 1])
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""


class Relay:
    """Carries the audit log of one database to one Redis. Any number of processes may run one."""

    def __init__(self, database: Database, client: "redis.Redis", releases: Releases) -> None:
        self._database = database
        self._redis: Any = client
        self._releases = releases
        self._append = client.register_script(_APPEND)

    def poll(self) -> int:
        """Carry what is new, at most one batch; how many entries were appended by this call."""
        cursor: bytes | None = self._redis.get(_CURSOR)
        with self._database.transaction() as sql:
            last = _mark(sql) if cursor is None else int(cursor)
            sql.execute("SELECT * FROM human_review_audit WHERE id > %s ORDER BY id LIMIT %s", (last, _BATCH))
            rows: list[dict[str, Any]] = sql.fetchall()
            results = _results(sql, rows)
        if not rows:
            return 0
        for row in rows:
            if row["action"] == "approve":
                self._release(row, results[row["review_id"]])
        newest = rows[-1]["id"]
        entries = [part for row in rows for part in (row["event"], _entry(row))]
        if not self._append(keys=[_CURSOR, STREAM], args=[cursor or b"", newest, _KEPT, *entries]):
            return 0
        self._note(newest)
        return len(rows)

    def run(self, stop: threading.Event, interval_s: float = 0.2) -> None:
        """Carry until stopped; a store that is away is asked again, more patiently each time."""
        from redis import RedisError

        wait_s = interval_s
        while not stop.wait(wait_s):
            try:
                wait_s = 0.0 if self.poll() else interval_s
            except (RedisError, ApiError) as error:
                wait_s = min(2 * max(wait_s, interval_s), 5.0)
                _log.warning("review events wait: %s", error)

    def _release(self, row: dict[str, Any], statement: dict[str, Any]) -> None:
        audiences = [Audience(name) for name in row["detail"]["audiences"]]
        for audience, decision in self._releases.schedule(statement, audiences).items():
            if not decision.reason.waits:
                _log.warning("%s stays in for %s: %s", row["review_id"], audience.value, decision.sentence)

    def _note(self, newest: int) -> None:
        with self._database.transaction() as sql:
            sql.execute(
                "INSERT INTO human_review_relay (stream, published_id) VALUES (%s, %s) ON CONFLICT (stream) DO UPDATE "
                "SET published_id = greatest(human_review_relay.published_id, excluded.published_id)",
                (STREAM, newest),
            )


def _mark(sql: Any) -> int:
    sql.execute("SELECT published_id FROM human_review_relay WHERE stream = %s", (STREAM,))
    found = sql.fetchone()
    return 0 if found is None else int(found["published_id"])


def _results(sql: Any, rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the approvals among the rows release."""
    names = [row["review_id"] for row in rows if row["action"] == "approve"]
    sql.execute("SELECT review_id, final_result FROM human_reviews WHERE review_id = ANY(%s)", (names,))
    return {found["review_id"]: found["final_result"] for found in sql.fetchall()}


def _entry(row: dict[str, Any]) -> bytes:
    detail = row["detail"]
    return orjson.dumps({**{name: value for name, value in row.items() if name != "detail"}, **detail})
