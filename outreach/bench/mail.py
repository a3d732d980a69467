"""Mails a second through the whole ledger, beside a plain pool that composes the same mails and logs nothing."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import uvloop

from outreach import bootstrap
from outreach.bench.book import DUE_NOW, make_book, postgresql_database
from outreach.config import Settings
from outreach.delivery.dispatch import Lease
from outreach.planning.plan import Planner
from outreach.schedule.tick import Ticker
from outreach.store.types import new_id


@dataclass(frozen=True)
class Load:
    """One measurement's size."""

    mails: int
    processes: int
    connections: int
    delay_ms: float
    database: str


@dataclass(frozen=True)
class Figure:
    """What one run took: mails a second by the clock, and CPU seconds per thousand over all its processes."""

    rate: float
    cpu_per_thousand: float


def compare(load: Load, rounds: int) -> dict[str, Any]:
    """Run ledger and plain pool in turn; return medians and their ratio."""
    ledger, plain = [], []
    for _ in range(rounds):
        ledger.append(_measure(load, run_ledger))
        plain.append(_measure(load, run_plain))
    ours, theirs = _median(ledger), _median(plain)
    pairs = [a.rate / b.rate for a, b in zip(ledger, plain, strict=True)]
    return {
        "mails": load.mails,
        "processes": load.processes,
        "connections": load.connections,
        "delay_ms": load.delay_ms,
        "database": load.database,
        "ledger_per_second": round(ours.rate),
        "plain_per_second": round(theirs.rate),
        "ratio": round(statistics.median(pairs), 2),
        "ledger_cpu_per_1000": round(ours.cpu_per_thousand, 3),
        "plain_cpu_per_1000": round(theirs.cpu_per_thousand, 3),
        "cpu_above_plain": round(ours.cpu_per_thousand - theirs.cpu_per_thousand, 3),
    }


def _median(figures: list[Figure]) -> Figure:
    return Figure(
        statistics.median(figure.rate for figure in figures),
        statistics.median(figure.cpu_per_thousand for figure in figures),
    )


Run = Callable[[Settings, Load, int, Any], None]


def _measure(load: Load, run: Run) -> Figure:
    """Set up a fresh book and a fresh sink, then time all processes from a common start."""
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as name, sink(load.delay_ms) as port:
        folder = Path(name)
        with postgresql_database(load.database, folder) as url:
            relay = f"smtp://127.0.0.1:{port}?connections={load.connections}&messages=1000000"
            settings = Settings(data_dir=folder / "data", database_url=url, smtp_url=relay)
            make_book(settings, load.mails)
            context = multiprocessing.get_context("spawn")
            barrier = context.Barrier(load.processes + 1)
            workers = [
                context.Process(target=run, args=(settings, load, place, barrier))
                for place in range(load.processes)
            ]
            for worker in workers:
                worker.start()
            barrier.wait()
            before, began = _children_cpu(workers), time.perf_counter()
            barrier.wait()
            took, used = time.perf_counter() - began, _children_cpu(workers) - before
            for worker in workers:
                worker.join()
            _expect(port, load.mails)
    return Figure(load.mails / took, used / load.mails * 1000)


def _children_cpu(workers: list[Any]) -> float:
    """Return the CPU seconds that running processes have used so far, of all their threads."""
    total = 0.0
    for worker in workers:
        fields = Path(f"/proc/{worker.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


@contextmanager
def sink(delay_ms: float) -> Iterator[int]:
    """Start the server that takes the mails; yield its port."""
    command = [sys.executable, "-m", "outreach.bench.sink", str(delay_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _expect(port: int, mails: int) -> None:
    """Stop with an error unless the sink took every mail exactly once: a fast loss is no speed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as conn, conn.makefile("rb") as lines:
        lines.readline()
        conn.sendall(b"COUNT\r\n")
        taken, different = (int(word) for word in lines.readline().split())
    if (taken, different) != (mails, mails):
        msg = f"the sink took {taken} mails, {different} of them different, where {mails} were due"
        raise RuntimeError(msg)


def run_ledger(settings: Settings, load: Load, place: int, barrier: Any) -> None:
    """Do what the service does: look, decide, compose, store, claim, send, settle, log."""

    async def go(app: bootstrap.App) -> None:
        channels = app.channels()
        planner = Planner(app.store, app.versions, app.composer, tuple(bootstrap.BUILDERS))
        ticker = Ticker(app.store, planner, channels)
        async with Lease(app.store, lambda: DUE_NOW, timedelta(seconds=60)) as lease:
            barrier.wait()
            await ticker.tick(DUE_NOW, lease)
            while _left(app):
                await ticker.tick(DUE_NOW, lease)
            barrier.wait()
        for channel in channels:
            await channel.aclose()

    with bootstrap.opened(settings, for_sending=True) as app:
        uvloop.run(go(app))


def _left(app: bootstrap.App) -> bool:
    """Return whether another process still has something under way."""
    with app.store.reading() as conn:
        return bool(
            conn.exec_driver_sql("SELECT 1 FROM attempt WHERE state IN ('ready', 'sending') LIMIT 1").scalar()
            or conn.exec_driver_sql(
                "SELECT 1 FROM dossier WHERE next_look_at < '1970-01-02' LIMIT 1"
            ).scalar()
        )


def run_plain(settings: Settings, load: Load, place: int, barrier: Any) -> None:
    """Compose the same mails and send them over kept aiosmtplib connections; keep and log nothing."""
    with bootstrap.opened(settings) as app:
        planner = app.planner()
        with app.store.reading() as conn:
            ids = list(conn.exec_driver_sql("SELECT id FROM dossier ORDER BY id").scalars())
            mine = ids[place :: load.processes]
            decided = []
            for start in range(0, len(mine), 200):
                decided += _units(planner, conn, mine[start : start + 200])

        def mails() -> Iterator[tuple[str, str, bytes]]:
            for facts, plan in decided:
                template = app.versions.template(plan.template)
                composed = app.composer.compose(facts, plan, template, new_id(), datetime.now(UTC))
                yield composed.return_path, composed.address, composed.payload

        port = int(settings.smtp_url.partition("127.0.0.1:")[2].partition("?")[0])
        uvloop.run(_pool(mails(), port, load.connections, barrier))


def _units(planner: Planner, conn: Any, dossiers: list[int]) -> list[tuple[Any, Any]]:
    from outreach.planning.decide import decide
    from outreach.planning.load import load

    units = load(conn, dossiers, DUE_NOW, planner.channels).units
    return [(unit, decide(unit, planner.versions.rules(unit), DUE_NOW).plan) for unit in units]


async def _pool(mails: Iterator[tuple[str, str, bytes]], port: int, connections: int, barrier: Any) -> None:
    clients = [aiosmtplib.SMTP(hostname="127.0.0.1", port=port) for _ in range(connections)]
    for client in clients:
        await client.connect()

    async def work(client: aiosmtplib.SMTP) -> None:
        for sender, recipient, payload in mails:
            await client.sendmail(sender, [recipient], payload)

    barrier.wait()
    await asyncio.gather(*(work(client) for client in clients))
    barrier.wait()
    for client in clients:
        client.close()
