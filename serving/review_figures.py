"""Figures about reviews (rows 000-01 and 001-30), read from the audit log as it grows.

Every process tells the same figures, those of the database from its first review on, and a new process goes on with them.

Belongs here: following the log, and what is shown of it.
Does not belong here: keeping reviews (``reviews.py``), what the service counts itself (``metrics.py``).
"""

import logging
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.database import Database
from serving.errors import ApiError
from serving.review_terms import Kind, Status

LATENCY_S = (1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0)
MOST_AGENTS = 16
"""So many agents have a rate of their own: whoever asks for a review writes the agent's name."""
OTHER_AGENTS = "other"
_PAGE = 2000
_LONGEST_WAIT_S = 60.0
_DECIDED = (Status.APPROVED.value, Status.REJECTED.value)
_NEWS = """
SELECT a.id, a.event, a.to_status, r.kind, r.agent_name, extract(epoch FROM r.finished_at - r.created_at) AS took_s
FROM human_review_audit a JOIN human_reviews r USING (review_id)
WHERE a.id > %s AND (a.event = 'review.created' OR (a.event = 'review.action' AND a.action IN ('approve', 'reject')))
ORDER BY a.id LIMIT %s
"""
_log = logging.getLogger("serving.reviews")


class ReviewFigures(Collector):
    """Follows the audit log of one database; a registry may ask it at any time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._last = 0
        self._created: Counter[str] = Counter()
        self._decided: Counter[tuple[str, str]] = Counter()
        self._buckets = [0] * (len(LATENCY_S) + 1)
        self._took_s = 0.0

    def poll(self) -> int:
        """Take in what is new, at most one page; how many entries those were. ApiError 503 while the database is away."""
        with self._database.transaction() as cursor:
            cursor.execute(_NEWS, (self._last, _PAGE))
            rows: list[dict[str, Any]] = cursor.fetchall()
        with self._lock:
            for row in rows:
                self._take(row)
        return len(rows)

    def _take(self, row: dict[str, Any]) -> None:
        self._last = row["id"]
        if row["event"] == "review.created":
            self._created[row["kind"]] += 1
            return
        took_s = max(0.0, float(row["took_s"]))
        self._decided[row["agent_name"], row["to_status"]] += 1
        self._buckets[bisect_left(LATENCY_S, took_s)] += 1
        self._took_s += took_s

    def run(self, stop: threading.Event, interval_s: float = 5.0) -> None:
        """Follow until stopped; a database that is away is asked again, more patiently each time."""
        wait_s = 0.0
        while not stop.wait(wait_s):
            try:
                wait_s = 0.0 if self.poll() == _PAGE else interval_s
            except ApiError as error:
                wait_s = min(2 * max(wait_s, interval_s), _LONGEST_WAIT_S)
                _log.warning("figures about reviews wait: %s", error.message)

    def describe(self) -> Iterator[Metric]:
        """The names, for a registry that must not ask for figures yet."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """The figures as of the last look at the log."""
        with self._lock:
            created, decided = Counter(self._created), Counter(self._decided)
            buckets, took_s = list(self._buckets), self._took_s
        done = {status: sum(n for (_, to), n in decided.items() if to == status) for status in _DECIDED}
        depth = sum(created.values()) - sum(done.values())
        yield GaugeMetricFamily("review_queue_depth", "Reviews that are not decided", value=depth)
        told = CounterMetricFamily("hitl_reviews", "Reviews that were asked for", labels=("kind",))
        for kind in Kind:
            told.add_metric((kind.value,), created[kind.value])
        yield told
        completed = CounterMetricFamily("review_completed", "Reviews that were decided", labels=("decision",))
        for status, count in done.items():
            completed.add_metric((status,), count)
        yield completed
        yield _latency(buckets, took_s)
        yield _rates(decided)


def _latency(buckets: list[int], took_s: float) -> Metric:
    """The histogram, each bucket with all below it."""
    bounds = [*(str(bound) for bound in LATENCY_S), "+Inf"]
    below = [sum(buckets[: n + 1]) for n in range(len(buckets))]
    told = HistogramMetricFamily("review_latency_seconds", "Time from asking for a review to its decision")
    told.add_metric((), list(zip(bounds, below, strict=True)), took_s)
    return told


def _rates(decided: Counter[tuple[str, str]]) -> Metric:
    """Share of approvals by agent: those with most decisions by name, the rest together."""
    totals: Counter[str] = Counter()
    for (agent, _), count in decided.items():
        totals[agent] += count
    named = {agent for agent, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:MOST_AGENTS]}
    approved: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for (agent, status), count in decided.items():
        shown = agent if agent in named else OTHER_AGENTS
        total[shown] += count
        approved[shown] += count if status == Status.APPROVED.value else 0
    told = GaugeMetricFamily("approval_rate", "Share of decisions that approve", labels=("agent",))
    for agent, count in sorted(total.items()):
        told.add_metric((agent,), approved[agent] / count)
    return told
