"""What the worker counts about itself, in the Prometheus text format (rows 000-01 and 001-30).

Belongs here: names, labels (all of them from closed sets) and buckets.
Does not belong here: serving them (``live.py``), what the API counts (``metrics.py``).
"""

from collections import Counter as Counts
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from esports_assets.streams.commit import Committed
from esports_assets.streams.errors import millis
from serving.live_work import Work

_LATENCY_S = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0)


class LiveMetrics:
    """One registry per worker."""

    def __init__(self, group: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._group = group
        self._entries = Counter("live_entries", "Entries of the log that were done with", registry=registry)
        self._dead = Counter("live_dead_letters", "Entries that became dead letters", registry=registry)
        self._late = Counter("late_events", "Events that came after the watermark of their match", registry=registry)
        self._intents = Counter(
            "intents_predicted", "Statements of intent of record", ("intent", "source"), registry=registry
        )
        self._signals = Counter("agent_signals", "Signals of record", ("type", "status"), registry=registry)
        self._provisional = Counter("provisional_signals", "Provisional statements", registry=registry)
        self._reviews = Counter("live_reviews", "Reviews that signals asked for", ("cause",), registry=registry)
        self._kept_in = Counter(
            "live_kept_in", "Signals for which the gate will never open", ("reason",), registry=registry
        )
        self._failures = Counter("live_failures", "Batches that failed and came again", registry=registry)
        self._gaps = Counter("live_gaps", "Gaps of the log that were met", registry=registry)
        self._lag = Gauge(
            "stream_lag_ms", "Age of the last batch at its commit", ("consumer_group",), registry=registry
        )
        self._latency = Histogram(
            "ingest_latency_seconds",
            "Time from an entry's append to the commit of what it led to",
            buckets=_LATENCY_S,
            registry=registry,
        )
        self._matches = Gauge("live_matches", "Matches in progress", registry=registry)
        self._shards = Gauge("live_shards", "Shards that are held", registry=registry)

    def committed(self, work: Work, committed: Committed, now: datetime) -> None:
        """Count a batch that was committed; what had been told before is not counted again."""
        self._entries.inc(len(work.entries))
        self._dead.inc(len(work.dead))
        self._late.inc(len(work.late))
        told = [signal for signal, new in zip(work.signals, committed.published, strict=False) if new]
        for labels, count in Counts((signal.type.value, signal.status.value) for signal in told).items():
            self._signals.labels(*labels).inc(count)
        named = (
            (s.intent.value, str(s.model_info.get("probability_source", ""))) for s in told if s.intent is not None
        )
        for labels, count in Counts(named).items():
            self._intents.labels(*labels).inc(count)
        for cause, count in Counts(cause.value for review in work.reviews for cause in review.causes).items():
            self._reviews.labels(cause).inc(count)
        for reason, count in Counts(work.kept_in.values()).items():
            self._kept_in.labels(reason.value).inc(count)
        if work.entries:
            now_ms = now.timestamp() * 1000
            ages = [max(0.0, now_ms - millis(entry.id)) for entry in (work.entries[0], work.entries[-1])]
            self._lag.labels(self._group).set(ages[1])
            self._latency.observe(ages[0] / 1000)

    def announced(self, statements: int) -> None:
        """Count provisional statements."""
        self._provisional.inc(statements)

    def buried(self, entries: int) -> None:
        """Count entries that were delivered too often."""
        self._dead.inc(entries)

    def failed(self) -> None:
        """Count a batch that failed."""
        self._failures.inc()

    def gap(self) -> None:
        """Count a gap."""
        self._gaps.inc()

    def holding(self, shards: int, matches: int) -> None:
        """How much is held now."""
        self._shards.set(shards)
        self._matches.set(matches)
