"""Metrics for Prometheus: the meters of this process, and what the database tells when it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from outreach.clock import machine_clock
from outreach.store.writer import Store
from outreach.web.figures import Figures, figures


class Metrics:
    """Answers GET /metrics with everything in a registry, of which the database's figures are one collector."""

    def __init__(self, store: Store, registry: CollectorRegistry) -> None:
        self._store = store
        self._registry = registry
        self._figures = _FiguresCollector()
        registry.register(self._figures)

    async def __call__(self, _request: Request) -> Response:
        """Answer in the text format; without the database's figures while it is away."""
        try:
            self._figures.latest = await self._store.read(partial(figures, now=machine_clock()))
        except SQLAlchemyError:
            self._figures.latest = None
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _FiguresCollector:
    """Old figures are left out, not repeated: a monitor shall see that there are none."""

    def __init__(self) -> None:
        self.latest: Figures | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield the figures as gauges."""
        latest = self.latest
        yield _gauge("outreach_database_up", "Whether the database answers", latest is not None)
        if latest is None:
            return
        yield _by("outreach_attempts", "Attempts under way by state", "state", latest.attempts)
        yield _gauge("outreach_ready_age_seconds", "How long the oldest ready one waits", latest.ready_age)
        yield _by("outreach_tasks_open", "Open tasks for people by kind", "kind", latest.tasks)
        yield _gauge("outreach_dossiers_due", "Dossiers that must be looked at now", latest.dossiers_due)
        yield _gauge("outreach_sending", "Whether the sending switch is on", latest.sending)
        yield _gauge("outreach_log_head", "The highest position of the correspondence log", latest.log_head)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _by(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, count in sorted(values.items()):
        family.add_metric([word], count)
    return family
