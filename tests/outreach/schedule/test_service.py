"""The loop: one tick at a time, wakes that are one, failures that pass, a stop in good order."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from channels.email.pace import Throttle
from channels.email.relay import Relay
from channels.email.smtp import SmtpChannel
from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.delivery.dispatch import Lease
from outreach.schedule.heartbeat import heartbeat
from outreach.schedule.logs import JsonLines
from outreach.schedule.pulse import Pulse
from outreach.schedule.service import Service
from outreach.schedule.tick import Ticker, TickReport
from outreach.schedule.watched import WatchedChannel, watched
from outreach.store.types import table_of
from outreach.store.writer import Store
from tests import builders as make
from tests.counterparts.smtp_sink import smtp_sink
from tests.installations import initialise
from tests.outreach.schedule.serving import LIMIT, initialise_with_ready, states

LEASE = timedelta(seconds=5)


class SlowTicks:
    """Ticks that last until they are told to end, and that note how many ran at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.began: asyncio.Queue[int] = asyncio.Queue()
        self.may_end: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.running = self.most = self.count = 0
        self.workers: list[str] = []

    async def tick(self, now: datetime, lease: Lease, stop: asyncio.Event | None = None) -> TickReport:
        self.running, self.count = self.running + 1, self.count + 1
        self.most = max(self.most, self.running)
        self.workers.append(lease.worker_id)
        await self.began.put(self.count)
        try:
            error = await self.may_end.get()
            if error is not None:
                raise error
        finally:
            self.running -= 1
        return TickReport(at=now)


@pytest.fixture
async def ticks(tmp_path: Path) -> AsyncIterator[SlowTicks]:
    """Slow ticks on a database of their own."""
    settings = Settings(data_dir=tmp_path / "data")
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    yield SlowTicks(store)
    store.close()


def pulse() -> Pulse:
    return Pulse(60.0, CollectorRegistry())


async def test_wakes_during_a_tick_are_one(ticks: SlowTicks) -> None:
    """However many beats a long tick misses, one tick follows it."""
    service = Service(ticks, pulse(), lease=LEASE)
    running = asyncio.create_task(service.run())
    service.wake.set()
    assert await ticks.began.get() == 1
    for _ in range(100):
        service.wake.set()
        await asyncio.sleep(0)
    await ticks.may_end.put(None)
    assert await ticks.began.get() == 2
    assert not service.wake.is_set()
    service.ask_to_stop()
    await ticks.may_end.put(None)
    await running
    assert (ticks.count, ticks.most) == (2, 1)


async def test_the_heart_goes_on_beating_while_a_tick_lasts(ticks: SlowTicks) -> None:
    """The scheduler wakes at once and then again and again; it never starts a second tick beside the first."""
    service = Service(ticks, pulse(), lease=LEASE)
    running = asyncio.create_task(service.run())
    with heartbeat(0.02, service.wake):
        async with asyncio.timeout(LIMIT):
            assert await ticks.began.get() == 1
            for _ in range(5):
                await service.wake.wait()
                service.wake.clear()
            assert ticks.count == 1
            await service.wake.wait()
            await ticks.may_end.put(None)
            assert await ticks.began.get() == 2
    service.ask_to_stop()
    await ticks.may_end.put(None)
    await running
    assert ticks.most == 1


async def test_a_tick_that_fails_is_told_of_and_the_next_one_mends_it(ticks: SlowTicks) -> None:
    """The loop goes on, with the same worker; only a success makes it healthy."""
    condition = pulse()
    service = Service(ticks, condition, lease=LEASE)
    running = asyncio.create_task(service.run())
    seen = []
    for end in (ZeroDivisionError("x"), KeyError("x"), None):
        service.wake.set()
        await ticks.began.get()
        seen.append(condition.trouble())
        await ticks.may_end.put(end)
    service.wake.set()
    await ticks.began.get()
    seen.append(condition.trouble())
    service.ask_to_stop()
    await ticks.may_end.put(None)
    await running
    assert seen == [None, "tick_failed", "tick_failed", None]
    assert condition.trouble() == "stopping"
    assert len(set(ticks.workers)) == 1


async def test_a_lease_that_is_no_longer_renewed_is_replaced(ticks: SlowTicks) -> None:
    """Its renewal may have died with a database that was away for a moment."""
    service = Service(ticks, pulse(), lease=LEASE)
    running = asyncio.create_task(service.run())
    worker = table_of(tables.operations.Worker)
    for _ in range(2):
        service.wake.set()
        await ticks.began.get()
        with ticks.store.transaction() as conn:
            conn.execute(update(worker).values(declared_dead_at=datetime(2026, 1, 1).astimezone()))
        await ticks.may_end.put(None)
    service.ask_to_stop()
    await running
    assert len(set(ticks.workers)) == 2


async def test_after_the_grace_time_a_tick_is_cut_off(ticks: SlowTicks) -> None:
    """The worker is retired all the same."""
    service = Service(ticks, pulse(), lease=LEASE, grace=timedelta(0))
    running = asyncio.create_task(service.run())
    service.wake.set()
    await ticks.began.get()
    service.ask_to_stop()
    await running
    assert ticks.running == 0
    with ticks.store.reading() as conn:
        assert [row.stopped_at is None for row in make.rows(conn, tables.operations.Worker)] == [False]


async def test_a_stop_sends_slots_home_that_wait_for_their_turn(settings: Settings) -> None:
    """A slot that the relay's rate holds back claims nothing any more, though its turn would come."""
    await initialise_with_ready(settings, 3)
    async with smtp_sink() as sink:
        condition = pulse()
        with opened(settings) as app:
            # One connection, and half a minute between two mails.
            relay = Relay(sink.host, sink.port, connections=1, rate=0.03)
            channel = WatchedChannel(SmtpChannel(relay, throttle=Throttle(relay.rate)), condition)
            service = Service(
                Ticker(app.store, watched(app.planner(), condition), [channel]),
                condition,
                channels=[channel],
                lease=LEASE,
                grace=timedelta(hours=1),
            )
            running = asyncio.create_task(service.run())
            service.wake.set()
            async with asyncio.timeout(LIMIT):
                while not sink.accepted:  # noqa: ASYNC110 - the sink has no event for an accepted mail
                    await asyncio.sleep(0.01)
                service.ask_to_stop()
                await running
            await channel.aclose()
        assert len(sink.accepted) == 1
    assert states(settings) == {"accepted": 1, "ready": 2}


async def test_a_closed_door_lends_nothing() -> None:
    """Neither to those who come later nor to those who wait already."""
    async with smtp_sink() as sink:
        relay = Relay(sink.host, sink.port, connections=1)
        channel = WatchedChannel(SmtpChannel(relay), pulse())

        async def ask() -> None:
            async with channel.slot():
                raise AssertionError("a slot was lent")

        async with channel.slot():
            waiting = asyncio.create_task(ask())
            await asyncio.sleep(0)
            channel.close_door()
            ended, _ = await asyncio.wait({waiting}, timeout=LIMIT)
            assert [type(task.exception()) for task in ended] == [TimeoutError]
        with pytest.raises(TimeoutError):
            await ask()
        await channel.aclose()


def test_old_is_a_loop_without_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three intervals and a minute without a hand-over, a batch or an end; any of them makes it young."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    condition = pulse()
    clock[0] = 240.0
    assert condition.trouble() is None
    clock[0] = 240.1
    assert condition.trouble() == "tick_too_old"
    condition.handed_over("email", "accepted")
    assert condition.trouble() is None


def test_a_log_line_holds_no_text_of_an_error() -> None:
    """An error may quote a row; the line names its type and where it came from."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    record = logging.getLogger("test")
    record.addHandler(handler)
    try:
        raise LookupError("jan@example.net")
    except LookupError:
        record.exception("it failed:\n%s", "a reason")
    finally:
        record.removeHandler(handler)
    line = json.loads(out.getvalue())
    assert out.getvalue().count("\n") == 1
    assert (line["level"], line["logger"], line["message"]) == ("error", "test", "it failed:\na reason")
    assert line["error"] == "LookupError"
    assert line["where"][0].startswith("test_service.py:")
    assert "jan@" not in out.getvalue()
