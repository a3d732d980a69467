"""The heartbeat: a scheduler that only wakes the loop; what is due is asked of the tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from outreach.clock import machine_clock


@contextmanager
def heartbeat(every: float, wake: asyncio.Event) -> Iterator[None]:
    """Set `wake` at once and then every so many seconds; beats that come too late or together are one."""

    # A coroutine, because the scheduler runs plain functions in a thread, where an Event may not be set.
    async def beat() -> None:
        wake.set()

    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_job(
        beat,
        IntervalTrigger(seconds=every, timezone=UTC),
        id="tick",
        next_run_time=machine_clock(),
        max_instances=1,
        coalesce=True,
        # However late a beat is, it counts: the default would drop those more than a second late.
        misfire_grace_time=None,
    )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
