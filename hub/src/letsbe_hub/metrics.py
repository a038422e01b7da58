"""The counters that Prometheus reads. No label's values are chosen by a caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"


class Metrics:
    """One node's metrics; rooms may add their own to ``registry``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "letsbe_hub_requests",
            "Requests answered.",
            ("endpoint", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "letsbe_hub_request_seconds",
            "Seconds from a request's arrival to its answer.",
            ("endpoint",),
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5, 30),
        )
        # To look one up by its labels costs more than to count.
        self._counters = cache(
            lambda name, code: self._requests.labels(name, str(code))
        )
        self._clocks = cache(self._seconds.labels)

    def count(self, endpoint: str, status: int, seconds: float) -> None:
        """Count one answered request.

        Args:
            endpoint: A name from the table of endpoints.
            status: The HTTP status.
            seconds: How long it took.
        """
        self._counters(endpoint, status).inc()
        self._clocks(endpoint).observe(seconds)

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Show a value that is looked up whenever it is asked for."""
        Gauge(name, text, registry=self.registry).set_function(value)

    def by_label(
        self,
        name: str,
        text: str,
        label: str,
        values: Callable[[], Mapping[str, float]],
    ) -> None:
        """Show values by a label, looked up whenever they are asked for."""

        class Looked:
            def collect(self) -> Iterator[GaugeMetricFamily]:
                family = GaugeMetricFamily(name, text, labels=[label])
                for key, value in values().items():
                    family.add_metric([key], value)
                yield family

        self.registry.register(Looked())

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)
