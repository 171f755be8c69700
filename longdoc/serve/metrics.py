"""What a server counts and measures, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250)


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        disable_created_metrics()  # a second line for each metric, with the time of its first value
        own = self.registry = CollectorRegistry()
        ProcessCollector(registry=own)
        self.requests = Counter(
            "longdoc_requests", "Requests by route and status.", ("method", "route", "status"), registry=own
        )
        self.documents = Counter(
            "longdoc_documents", "Documents that have ended; error is empty for those that were read.", ("error",),
            registry=own,
        )  # fmt: skip
        self.pages = Counter("longdoc_pages", "Pages of documents that were read.", registry=own)
        self.seconds = Histogram(
            "longdoc_document_seconds", "Seconds from the first byte of a document to its result.", registry=own,
            buckets=_SECONDS,
        )  # fmt: skip
        self.group_size = Histogram(
            "longdoc_group_documents", "Documents that the model read together.", registry=own, buckets=(1, 2, 4, 8)
        )
        self.restarts = Counter("longdoc_model_deaths", "Deaths of the process with the model.", registry=own)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Adds a metric whose value is asked for whenever the metrics are."""
        Gauge(name, text, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """All metrics, as Prometheus reads them."""
        return generate_latest(self.registry)
