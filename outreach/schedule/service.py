"""The loop of `outreach serve`: a tick at every wake, by one worker, until it is asked to stop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from outreach.clock import Clock, machine_clock
from outreach.delivery.dispatch import Lease
from outreach.errors import Refused
from outreach.schedule.pulse import Pulse
from outreach.schedule.tick import TickReport
from outreach.schedule.watched import WatchedChannel
from outreach.store import schema
from outreach.store.tables.operations import Installation, Worker
from outreach.store.types import table_of
from outreach.store.writer import Store

installation = table_of(Installation)
worker = table_of(Worker)

GRACE = timedelta(seconds=20)
"""How long slots may take, after a stop, to finish what they began."""

log = logging.getLogger(__name__)


class Ticks(Protocol):
    """What the loop runs: `outreach.schedule.tick.Ticker` does."""

    @property
    def store(self) -> Store:
        """The database."""
        ...

    async def tick(self, now: datetime, lease: Lease, stop: asyncio.Event | None = None) -> TickReport:
        """Do everything that is due at `now`; break off soon after `stop`."""
        ...


def refuse_unfit(conn: Connection, now: datetime) -> None:
    """Raise Refused for a database that may not be served now: asked at the start and before every tick."""
    problems = schema.problems(conn)
    if problems:
        raise Refused("; ".join(problems))
    is_trial, trial_now = conn.execute(select(installation.c.is_trial, installation.c.trial_now)).one()
    if is_trial and trial_now is not None and trial_now > now:
        # Its messages carry dates that have not come yet: caps and intervals would count backwards.
        msg = (
            f"this trial has been lived up to {trial_now:%Y-%m-%d %H:%M} UTC, later than the machine's clock; "
            "go on with outreach run --at, or serve another trial database"
        )
        raise Refused(msg)


class Service:
    """Runs ticks one after another and keeps this process's place among the workers.

    Set `wake` for a tick; wakes that come during a tick are one. After `ask_to_stop` nothing new begins.
    """

    def __init__(
        self,
        ticks: Ticks,
        pulse: Pulse,
        clock: Clock = machine_clock,
        *,
        channels: Sequence[WatchedChannel] = (),
        lease: timedelta,
        grace: timedelta = GRACE,
    ) -> None:
        self.wake = asyncio.Event()
        self.stop = asyncio.Event()
        self.ticks = ticks
        self.pulse = pulse
        self.clock = clock
        self.grace = grace
        self._channels = channels
        self._lease_length = lease
        self._lease: Lease | None = None

    def ask_to_stop(self) -> None:
        """Begin nothing new; `run` returns when what was begun is finished."""
        self.pulse.stopping = True
        self.stop.set()
        self.wake.set()
        for channel in self._channels:
            channel.close_door()

    async def run(self) -> None:
        """Tick until asked to stop, then wait for the slots, settle, and retire the worker."""
        ticking = asyncio.create_task(self._tick_at_every_wake())
        asked = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({ticking, asked}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({ticking}, timeout=self.grace.total_seconds())
            if not ticking.done():
                log.warning("the grace time is over; what is in the middle of a hand-over is in doubt")
        finally:
            for task in (ticking, asked):
                task.cancel()
            ended, _ = await asyncio.gather(ticking, asked, return_exceptions=True)
            await self._leave()
        if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
            raise ended

    async def _tick_at_every_wake(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            if self.stop.is_set():
                return
            await self._tick()

    async def _tick(self) -> None:
        began = time.monotonic()
        self.pulse.progressed()
        try:
            now = self.clock()
            await self.ticks.store.read(lambda conn: refuse_unfit(conn, now))
            report = await self.ticks.tick(now, await self._hold_lease(), self.stop)
        except Exception as error:
            # The one place that takes everything: the service outlives whatever breaks one tick. A database
            # that is away comes back, and until then health and metrics say so.
            self.pulse.failed(time.monotonic() - began)
            log.error("a tick failed: %s", type(error).__name__, exc_info=True)
            return
        self.pulse.succeeded(time.monotonic() - began, adds_up=report.adds_up)
        if not report.adds_up:
            log.warning("the account of a tick does not add up: %d looked at", report.selected)
        if report.selected or report.handed_over:
            log.info(
                "tick: %d looked at, %d composed, %d sent", report.selected, report.composed, report.sent
            )

    async def _hold_lease(self) -> Lease:
        """Return this process's lease; a new one where the old one is no longer renewed."""
        if self._lease is not None:
            # Its renewal ends for good when the database is away at the wrong moment.
            if await self.ticks.store.read(partial(_is_alive, self._lease.worker_id)):
                return self._lease
            await self._leave()
        lease = Lease(self.ticks.store, self.clock, self._lease_length)
        await lease.__aenter__()
        self._lease = lease
        return lease

    async def _leave(self) -> None:
        """Retire the worker; what a claim that was cut off left in `sending` goes in doubt at once."""
        lease, self._lease = self._lease, None
        if lease is None:
            return
        try:
            await lease.__aexit__(None, None, None)
            await lease.reap()
        except SQLAlchemyError as error:
            log.warning("the worker could not be retired (%s); its lease runs out", type(error).__name__)


def _is_alive(worker_id: str, conn: Connection) -> bool:
    found = conn.execute(
        select(worker.c.id).where(
            worker.c.id == worker_id,
            worker.c.declared_dead_at.is_(None),
            worker.c.lease_until > machine_clock(),
        )
    )
    return found.scalar() is not None
