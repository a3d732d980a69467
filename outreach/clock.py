"""The business clock: the machine's, or one that a trial sets. The machine's own time is read here only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present moment, aware, in UTC."""


def machine_clock() -> datetime:
    """Return the machine's time: for leases, heartbeats and `recorded_at`, whatever the business clock says."""
    return datetime.now(UTC)
