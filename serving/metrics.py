"""What the service counts about itself, in the Prometheus text format.

Belongs here: metric names, labels (all of them from closed sets) and buckets.
Does not belong here: the route that shows them, what is done with them.
"""

import contextlib
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_LATENCY_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_STATE_DELAY_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 60.0, 120.0, 120.5, 125.0, 180.0, 180.5, 185.0, 240.0, 600.0)


class Metrics:
    """One registry per app, so that several apps of one process never share a number."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        request = ("route", "method", "status")
        self._requests = Counter("http_requests", "Requests answered", request, registry=self.registry)
        self._latency = Histogram(
            "http_request_duration_seconds",
            "Time from a request's head to the end of its answer",
            ("route", "method"),
            buckets=_LATENCY_S,
            registry=self.registry,
        )
        task = ("task", "alias")
        self._predictions = Counter("predictions", "Rows predicted", task, registry=self.registry)
        self._swaps = Counter("model_swaps", "Models put into service", task, registry=self.registry)
        self._failures = Counter(
            "bundle_load_failures", "Bundles or markers refused", ("task",), registry=self.registry
        )
        self._models = Gauge(
            "model_info", "1 for every model in service", (*task, "registered_name", "version"), registry=self.registry
        )
        endpoint = ("endpoint",)
        self._live_clients = Gauge(
            "ws_clients", "Clients connected now", (*endpoint, "audience"), registry=self.registry
        )
        self._live_sent = Counter(
            "ws_messages_sent", "Messages sent to clients", (*endpoint, "kind"), registry=self.registry
        )
        self._live_ended = Counter(
            "ws_connections_closed", "Connections closed by this service", (*endpoint, "reason"), registry=self.registry
        )
        self._live_delay = Histogram(
            "ws_state_delay_seconds",
            "Time from an event to its telling to a room's audience",
            ("audience",),
            buckets=_STATE_DELAY_S,
            registry=self.registry,
        )
        self._request_children: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self._prediction_children: dict[tuple[str, str], Counter] = {}

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request; ``route`` is a template, never a path that a client wrote."""
        key = (route, method if method in _METHODS else "OTHER", f"{status // 100}xx")
        children = self._request_children.get(key)
        if children is None:
            children = (self._requests.labels(*key), self._latency.labels(*key[:2]))
            self._request_children[key] = children
        children[0].inc()
        children[1].observe(seconds)

    def predictions(self, task: str, alias: str, rows: int) -> None:
        """Count predicted rows of a model in service."""
        key = (task, alias)
        child = self._prediction_children.get(key)
        if child is None:
            child = self._prediction_children[key] = self._predictions.labels(*key)
        child.inc(rows)

    def refused(self, task: str) -> None:
        """Count a bundle or marker that was refused."""
        self._failures.labels(task).inc()

    def in_service(self, task: str, alias: str, registered: str, version: str) -> None:
        """A model was put into service."""
        self._swaps.labels(task, alias).inc()
        self._models.labels(task, alias, registered, version).set(1)

    def out_of_service(self, task: str, alias: str, registered: str, version: str) -> None:
        """A model was taken out of service."""
        self._models.remove(task, alias, registered, version)

    @contextlib.contextmanager
    def live_client(self, endpoint: str, audience: str) -> Iterator[None]:
        """Count a client of a WebSocket while it is connected."""
        gauge = self._live_clients.labels(endpoint, audience)
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()

    def live_sent(self, endpoint: str, kind: str) -> None:
        """Count a message to a client."""
        self._live_sent.labels(endpoint, kind).inc()

    def live_ended(self, endpoint: str, reason: str) -> None:
        """Count a connection that this service closed; ``too_slow`` are the dropped ones."""
        self._live_ended.labels(endpoint, reason).inc()

    def live_delay(self, audience: str, seconds: float) -> None:
        """How old an event was when a room told it to those who follow."""
        self._live_delay.labels(audience).observe(seconds)

    def text(self) -> bytes:
        """Everything in the text format."""
        return generate_latest(self.registry)
