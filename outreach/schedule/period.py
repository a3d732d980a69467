"""Live through a period with the clock set: every tick of it, as if the days went by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import Connection, update

from outreach.delivery.dispatch import Lease
from outreach.planning.load import OPERATOR_ZONE
from outreach.schedule.tick import Ticker, TickReport
from outreach.store.tables.operations import Installation
from outreach.store.types import table_of

installation = table_of(Installation)


class Every(StrEnum):
    """How often a period ticks."""

    DAY = "day"
    HOUR = "hour"


def moments(start: datetime, until: datetime, every: Every) -> Iterator[datetime]:
    """Yield the ticks of [start, until]: each day at the same time on the operator's clock, or each hour."""
    if every is Every.HOUR:
        at = start.astimezone(UTC)
        while at <= until:
            yield at
            at += timedelta(hours=1)
        return
    local = start.astimezone(OPERATOR_ZONE)
    day = 0
    while True:
        # Days are counted on the calendar, so that 10:00 stays 10:00 when the clocks change.
        on = (local.date() + timedelta(days=day)).isoformat()
        at = datetime.fromisoformat(f"{on}T{local.time().isoformat()}").replace(tzinfo=OPERATOR_ZONE)
        if at > until:
            return
        yield at.astimezone(UTC)
        day += 1


class SetClock:
    """A business clock that stands where it was set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Return where the clock stands."""
        return self.at


async def live(
    ticker: Ticker,
    ticks: Iterator[datetime],
    lease_length: timedelta,
    report: Callable[[TickReport], None],
) -> bool:
    """Run every tick with the clock set to it; returns whether every day's account added up."""
    adds_up = True
    clock: SetClock | None = None
    lease: Lease | None = None
    try:
        for at in ticks:
            if clock is None or lease is None:
                clock = SetClock(at)
                lease = await Lease(ticker.store, clock, lease_length).__aenter__()
            clock.at = at
            await ticker.store.write(partial(_set_trial_clock, at=at))
            one = await ticker.tick(at, lease)
            adds_up &= one.adds_up
            report(one)
    finally:
        if lease is not None:
            await lease.__aexit__(None, None, None)
    return adds_up


def _set_trial_clock(conn: Connection, at: datetime) -> None:
    conn.execute(update(installation).values(trial_now=at))
