"""The counters that Prometheus reads. No label's values are chosen by a caller."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from letsbe.wrapper.answers import Answer
from letsbe.wrapper.capacity import Capacity

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"


class Metrics:
    """One wrapper's metrics.

    Args:
        capacity: Whose load is shown.
    """

    def __init__(self, capacity: Capacity) -> None:
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "letsbe_tool_calls",
            "Tool calls answered.",
            ("tool", "tier", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "letsbe_tool_call_seconds",
            "Seconds from a call's arrival to its answer.",
            ("tool",),
            registry=self._registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5, 30, 120),
        )
        running = Gauge(
            "letsbe_running_calls", "Calls executing now.", registry=self._registry
        )
        running.set_function(lambda: capacity.running)
        waiting = Gauge(
            "letsbe_waiting_calls",
            "Calls waiting for a place.",
            registry=self._registry,
        )
        waiting.set_function(lambda: capacity.waiting)

    def count(self, tool: str, answer: Answer, seconds: float) -> None:
        """Count one answered call.

        Args:
            tool: A name from the catalog, never one that a caller made up.
            answer: Its answer.
            seconds: How long it took.
        """
        self._calls.labels(tool, answer.tier or "none", answer.status.value).inc()
        self._seconds.labels(tool).observe(seconds)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
