"""Live through ticks in a test: the service as a command would run it, over the channels it was set up with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.schedule.period import live
from outreach.schedule.tick import TickReport

LEASE = timedelta(seconds=20)


def lived(settings: Settings, moments: Iterable[datetime]) -> list[TickReport]:
    """Run a tick at each of these moments, with the clock set; every day's account must add up."""
    reports: list[TickReport] = []

    async def go() -> bool:
        with opened(settings, for_sending=True) as app:
            channels = app.channels()
            try:
                return await live(app.ticker(channels), iter(moments), LEASE, reports.append)
            finally:
                for channel in channels:
                    await channel.aclose()

    assert asyncio.run(go())
    return reports
