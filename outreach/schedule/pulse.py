"""What the loop knows of itself: whether its ticks succeed and go on, and how much they did."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

GRACE_SECONDS = 60.0
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)


class Pulse:
    """The loop's condition and its meters, which are kept in the registry it is given.

    Old is a loop without progress, not one with a long tick: a morning's batch through a slow relay takes
    an hour, and whoever restarted the service for that would leave messages in doubt.
    """

    def __init__(self, interval: float, registry: CollectorRegistry) -> None:
        """`interval` is how many seconds lie between two ticks."""
        self._limit = 3 * interval + GRACE_SECONDS
        self._progress_at = time.monotonic()
        self._failing = False
        self.stopping = False
        self._ticks = Counter("outreach_ticks", "Ticks by result", ["result"], registry=registry)
        for result in ("done", "failed"):
            self._ticks.labels(result)
        self._wrong_sums = Counter(
            "outreach_tick_sums_wrong", "Ticks whose account did not add up", registry=registry
        )
        self._seconds = Histogram(
            "outreach_tick_seconds", "How long a tick took", buckets=BUCKETS, registry=registry
        )
        self._last = Gauge(
            "outreach_last_tick_timestamp_seconds", "When a tick last succeeded", registry=registry
        )
        self._handed_over = Counter(
            "outreach_handed_over", "Hand-overs by outcome", ["channel", "outcome"], registry=registry
        )

    def progressed(self) -> None:
        """Note that work goes on; may be called from any thread."""
        self._progress_at = time.monotonic()

    def handed_over(self, channel: str, outcome: str) -> None:
        """Count one hand-over."""
        self.progressed()
        self._handed_over.labels(channel, outcome).inc()

    def succeeded(self, seconds: float, *, adds_up: bool) -> None:
        """Note that a tick came to its end."""
        self.progressed()
        self._failing = False
        self._ticks.labels("done").inc()
        self._seconds.observe(seconds)
        self._last.set_to_current_time()
        if not adds_up:
            self._wrong_sums.inc()

    def failed(self, seconds: float) -> None:
        """Note that a tick broke off; only a tick that succeeds makes up for it."""
        self._failing = True
        self._ticks.labels("failed").inc()
        self._seconds.observe(seconds)

    def trouble(self) -> str | None:
        """Return the word for what is wrong with the loop, or None."""
        if self.stopping:
            return "stopping"
        if self._failing:
            return "tick_failed"
        return "tick_too_old" if time.monotonic() - self._progress_at > self._limit else None
