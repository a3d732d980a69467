"""`outreach serve` as a process of its own, and messages for it to send at any hour of any day."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select, update

from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.secrets import secret
from outreach.store.types import table_of
from outreach.store.writer import Store
from tests import builders as make
from tests.installations import initialise

ROOT = Path(__file__).parents[3]
OPEN_DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday within contact hours, before any day on which these tests run."""
FAR = datetime(2100, 1, 1, tzinfo=UTC)
LIMIT = 90.0
"""Seconds within which a condition must come true; only a broken service ever waits that long."""

attempt = table_of(tables.messages.Attempt)
dossier = table_of(tables.parties.Dossier)


async def initialise_with_ready(settings: Settings, count: int) -> None:
    """A trial database with messages composed on an open day, made good until far away.

    The service has the machine's clock, and the gate says no on Sundays: here the planning is done already.
    """
    initialise(settings, is_trial=True)
    with opened(settings) as app:
        with app.store.transaction() as conn:
            creditor = make.a_creditor(conn)
            for number in range(count):
                whose = make.a_debtor(conn, creditor, f"D{number}", email=f"d{number}@example.net")
                make.a_claim(conn, whose, f"F{number}", due=date(2026, 1, 2))
            tick_id = make.insert_row(
                conn, table_of(tables.messages.Tick), at=OPEN_DAY, started_at=OPEN_DAY, selected=count
            )
        planned = await app.planner().plan_due(OPEN_DAY, tick_id)
        assert planned.composed == count
        with app.store.transaction() as conn:
            conn.execute(update(attempt).values(good_until=FAR))
            conn.execute(update(dossier).values(next_look_at=None))


def states(settings: Settings) -> Counter[str]:
    """How many attempts are in each state."""
    store = Store(settings.url)
    try:
        with store.reading() as conn:
            found = conn.execute(
                select(attempt.c.state, func.count().label("many")).group_by(attempt.c.state)
            )
            return Counter({row.state: row.many for row in found})
    finally:
        store.close()


def tokens(settings: Settings, *wanted: str) -> set[str]:
    """The tokens of the attempts in these states."""
    store = Store(settings.url)
    try:
        with store.reading() as conn:
            return set(conn.execute(select(attempt.c.token).where(attempt.c.state.in_(wanted))).scalars())
    finally:
        store.close()


@dataclass
class Serving:
    """A running service and what it logged so far."""

    process: asyncio.subprocess.Process
    settings: Settings
    lines: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a condition while it runs; it is asked in a thread, as it may read the database."""
        async with asyncio.timeout(LIMIT):
            while not await asyncio.to_thread(holds):
                assert self.process.returncode is None, f"ended with {self.process.returncode}"
                await asyncio.sleep(0.1)

    async def line(self, start: str) -> str:
        """Wait for a log line that starts like this, and return its message."""
        async with asyncio.timeout(LIMIT):
            while True:
                for line in self.lines:
                    if line["message"].startswith(start):
                        return str(line["message"])
                assert self.process.returncode is None, f"ended with {self.process.returncode}"
                await asyncio.sleep(0.02)

    async def url(self) -> str:
        """Wait until it listens, and return where."""
        return (await self.line("listening on ")).removeprefix("listening on ")

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page."""
        async with httpx.AsyncClient() as client:
            return await client.get(await self.url() + path, headers=headers)

    async def metrics(self) -> str:
        """Ask for the metrics with the token that was made."""
        token = secret(self.settings.data_dir / "keys", "metrics").hex()
        answer = await self.get("/metrics", authorization=f"Bearer {token}")
        assert answer.status_code == 200
        return answer.text

    async def health(self, status: int, reason: str | None = None) -> None:
        """Wait until /health says this."""
        expected = {"status": "ok"} if reason is None else {"status": "failing", "reason": reason}
        async with asyncio.timeout(LIMIT):
            while True:
                answer = await self.get("/health")
                if (answer.status_code, answer.json()) == (status, expected):
                    return
                await asyncio.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end and return its exit status."""
        async with asyncio.timeout(LIMIT):
            return await self.process.wait()


@asynccontextmanager
async def serving(
    settings: Settings, *options: str, lease: float = 5.0, bind: str = "127.0.0.1:0"
) -> AsyncIterator[Serving]:
    """Run `outreach serve` on a free port, with a tick every 0.2 s; killed where the block leaves it running."""
    environ = {
        "PATH": "/usr/bin:/bin",
        "OUTREACH_DATA_DIR": str(settings.data_dir),
        "OUTREACH_DATABASE_URL": settings.database_url,
        "OUTREACH_SMTP_URL": settings.smtp_url,
        "OUTREACH_METRICS_TOKEN": settings.metrics_token,
        "OUTREACH_TICK_SECONDS": "0.2",
        "OUTREACH_LEASE_SECONDS": str(lease),
        "OUTREACH_BIND": bind,
    }
    # A line of its own, so that no output is lost with a pipe that nobody reads.
    with tempfile.TemporaryFile() as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "outreach",
            "serve",
            *options,
            cwd=ROOT,
            env=environ,
            stdout=out,
            stderr=asyncio.subprocess.PIPE,
        )
        served = Serving(process, settings)
        reading = asyncio.create_task(_read(process, served.lines))
        try:
            yield served
        except BaseException:
            print("\n".join(json.dumps(line) for line in served.lines[-30:]))
            raise
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await reading


async def _read(process: asyncio.subprocess.Process, lines: list[dict[str, Any]]) -> None:
    assert process.stderr is not None
    async for raw in process.stderr:
        try:
            lines.append(json.loads(raw))
        except ValueError:
            lines.append({"message": raw.decode().rstrip(), "plain": True})
