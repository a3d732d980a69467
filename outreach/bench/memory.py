"""Memory while a long queue is sent: it must not grow with the queue."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop

from outreach import bootstrap
from outreach.bench.book import DUE_NOW, make_book, postgresql_database
from outreach.bench.mail import sink
from outreach.config import Settings
from outreach.delivery.dispatch import Dispatcher, Lease
from outreach.schedule.tick import begin_tick


def measure(ready: int, send: int, database: str) -> dict[str, Any]:
    """Make so many attempts ready, send some of them, and tell how resident memory grew meanwhile."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outreach-bench-")))
        url = stack.enter_context(postgresql_database(database, folder))
        port = stack.enter_context(sink(0))
        relay = f"smtp://127.0.0.1:{port}?connections=8&messages=1000000"
        settings = Settings(data_dir=folder / "data", database_url=url, smtp_url=relay)
        make_book(settings, ready)
        app = stack.enter_context(bootstrap.opened(settings, for_sending=True))
        return uvloop.run(_run(app, send))


async def _run(app: bootstrap.App, send: int) -> dict[str, Any]:
    at_start = resident_mb()
    tick = await app.store.write(lambda conn: begin_tick(conn, DUE_NOW))
    planned = await app.planner().plan_due(DUE_NOW, tick)
    after_planning = resident_mb()
    channel = app.channels()[0]
    async with Lease(app.store, lambda: DUE_NOW, timedelta(seconds=60)) as lease:
        dispatcher = Dispatcher(app.store, channel, lease, lambda: DUE_NOW)
        stop = asyncio.Event()
        watch = asyncio.create_task(_stop_after(dispatcher, send, stop))
        sent = await dispatcher.drain(stop)
        watch.cancel()
    await channel.aclose()
    return {
        "ready_attempts": planned.composed,
        "sent": sent.accepted,
        "mb_at_start": round(at_start, 1),
        "mb_grown_by_planning": round(after_planning - at_start, 1),
        "mb_grown_by_sending": round(resident_mb() - after_planning, 1),
    }


async def _stop_after(dispatcher: Dispatcher, send: int, stop: asyncio.Event) -> None:
    while dispatcher.sent.accepted < send:
        await asyncio.sleep(0.05)
    stop.set()


def resident_mb() -> float:
    """Return this process's resident memory in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
