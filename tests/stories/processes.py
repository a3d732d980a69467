"""The service and a relay as real processes, to kill, stall and count; and the accounts they must leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

from sqlalchemy import func, or_, select, text

from outreach import tables
from outreach.clock import machine_clock
from outreach.config import Settings
from outreach.schedule.tick import day_account
from outreach.store.types import table_of
from outreach.store.writer import Store
from tests import builders as make
from tests.installations import initialise

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)
CONNECTIONS = 8
GENEROUS = 120.0
"""Seconds after which a condition that is waited for counts as never."""

attempt = table_of(tables.messages.Attempt)
message = table_of(tables.messages.Message)
tick = table_of(tables.messages.Tick)
try_ = table_of(tables.messages.Try)
entry = table_of(tables.correspondence.LogEntry)
worker = table_of(tables.operations.Worker)
task = table_of(tables.operations.Task)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition; fail after a generous while."""
    end = time.monotonic() + GENEROUS
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


@cache
def _bytecode() -> str:
    """One folder of compiled modules for all processes of a test run: starting one costs a second less."""
    return tempfile.mkdtemp(prefix="pyc-")


def _environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": _bytecode()} | more


@dataclass
class Relay:
    """A relay process and what its log says."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def url(self, options: str = "") -> str:
        """Where to send, with `connections` and other options."""
        return f"smtp://127.0.0.1:{self.port}?connections={CONNECTIONS}{options}"

    def accepted(self) -> list[tuple[str, str]]:
        """Every mail that the relay took responsibility for: its token and recipient."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(token, recipient) for token, _, recipient in (line.partition(" ") for line in lines)]

    def count(self) -> int:
        """How many mails were accepted."""
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0


@contextmanager
def relay(folder: Path, *options: str) -> Iterator[Relay]:
    """A relay in a process of its own, until the block ends."""
    log = folder / "accepted.log"
    command = [sys.executable, "-m", "tests.counterparts.smtp_sink", "--log", str(log), *options]
    with subprocess.Popen(
        command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Relay(process, int(process.stdout.readline()), log)
        finally:
            process.terminate()


@dataclass
class Installation:
    """A trial installation whose sender runs as a process."""

    settings: Settings
    store: Store
    folder: Path
    lease_seconds: float = 1.0

    def start(self, at: str = "2026-11-23T10:00") -> subprocess.Popen[bytes]:
        """Start `outreach run --at`."""
        environment = _environment(
            OUTREACH_DATA_DIR=str(self.settings.data_dir),
            OUTREACH_SMTP_URL=self.settings.smtp_url,
            OUTREACH_LEASE_SECONDS=str(self.lease_seconds),
        )
        if self.settings.database_url:
            environment["OUTREACH_DATABASE_URL"] = self.settings.database_url
        with (self.folder / "sender.log").open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "outreach", "run", "--at", at],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=out,
            )

    def said(self) -> str:
        """What the senders printed, for a failing test."""
        path = self.folder / "sender.log"
        return path.read_text() if path.exists() else ""

    def finish(self) -> None:
        """Run to the end: wait out the leases of the dead, and run again, later that day, until nothing is ready."""
        for number in range(27):
            until(lambda: not self._leases(), "the leases of dead senders to run out")
            sender = self.start(f"2026-11-23T{10 + number // 3}:{number % 3 * 2}0")
            assert sender.wait(GENEROUS * 2) == 0, self.said()
            if not self.unfinished():
                return
        raise AssertionError(f"never finished: {self.states()}\n{self.said()}")

    def _leases(self) -> int:
        with self.store.reading() as conn:
            return conn.execute(
                select(func.count())
                .select_from(worker)
                .where(
                    worker.c.stopped_at.is_(None),
                    worker.c.declared_dead_at.is_(None),
                    worker.c.lease_until > machine_clock(),
                )
            ).scalar_one()

    def unfinished(self) -> int:
        """How many attempts may still be sent or settled now."""
        with self.store.reading() as conn:
            return conn.execute(
                select(func.count()).where(or_(attempt.c.state == "sending", attempt.c.state == "ready"))
            ).scalar_one()

    def ticks(self) -> int:
        """How many ticks have begun."""
        with self.store.reading() as conn:
            return conn.execute(select(func.count()).select_from(tick)).scalar_one()

    def states(self) -> Counter[str]:
        """How many attempts are in each state."""
        with self.store.reading() as conn:
            rows = conn.execute(select(attempt.c.state, func.count()).group_by(attempt.c.state))
            return Counter({row[0]: row[1] for row in rows})


@contextmanager
def installation(
    settings: Settings, to: Relay, people: int, *, options: str = "", lease_seconds: float = 1.0
) -> Iterator[Installation]:
    """A trial database with `people` debtors of one creditor, each with one claim past due."""
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    try:
        with store.transaction() as conn:
            creditor_id = make.a_creditor(conn)
            for number in range(people):
                whose = make.a_debtor(
                    conn, creditor_id, f"D{number}", email=address(number), name=f"Debiteur {number}"
                )
                make.a_claim(conn, whose, f"F{number}", due=date(2026, 11, 20))
        if store.dialect == "postgresql":
            with store.transaction() as conn:
                conn.execute(text("ANALYZE"))
        over = replace(settings, smtp_url=to.url(options))
        yield Installation(over, store, settings.data_dir.parent, lease_seconds)
    finally:
        store.close()


def address(number: int) -> str:
    """The first address of the debtor with this number."""
    return f"d{number}@example.net"


@dataclass
class Books:
    """What a run left behind, after everything that must hold has been asserted."""

    accepted: int
    in_doubt: int
    others: Counter[str]
    tries: int
    account: Counter[str]


def reconcile(place: Installation, to: Relay) -> Books:
    """Assert what must hold between the relay's log, attempts, tries, the log, the tasks and the account."""
    heard = Counter(token for token, _ in to.accepted())
    twice = {token: count for token, count in heard.items() if count > 1}
    assert not twice, "mails that the relay accepted more than once"
    with place.store.reading() as conn:
        rows = conn.execute(
            select(attempt.c.token, attempt.c.message_id, attempt.c.state, attempt.c.tries)
        ).all()
        tries = conn.execute(select(func.count()).select_from(try_)).scalar_one()
        entries = conn.execute(select(entry.c.type, entry.c.token)).all()
        doubts = set(
            conn.execute(
                select(task.c.subject).where(task.c.kind == "in_doubt", task.c.closed_at.is_(None))
            ).scalars()
        )
        account = day_account(conn, TODAY)
        units = conn.execute(select(func.count()).select_from(make.dossier)).scalar_one()
    by_state: dict[str, set[str]] = {}
    for row in rows:
        by_state.setdefault(row.state, set()).add(row.token)
    accepted, in_doubt = by_state.get("accepted", set()), by_state.get("in_doubt", set())
    assert accepted <= heard.keys(), "said to be accepted, and the relay knows nothing of it"
    assert heard.keys() <= accepted | in_doubt, "sent, and the ledger says neither accepted nor in doubt"
    assert not by_state.keys() & {"ready", "sending"}, "left behind"
    live = Counter(row.message_id for row in rows if row.state in {"accepted", "in_doubt"})
    assert set(live.values()) <= {1}, "messages with more than one live attempt"
    of = {
        type_: Counter(row.token for row in entries if row.type == type_)
        for type_ in ("handed_over", "accepted")
    }
    assert of["handed_over"] == Counter({row.token: row.tries for row in rows if row.tries})
    assert of["handed_over"].total() == tries
    assert of["accepted"] == Counter(accepted)
    assert doubts == in_doubt, "each attempt in doubt has one open task, and nothing else has"
    assert account.total() == units, f"the day's account: {account}"
    others = Counter(row.state for row in rows if row.state not in {"accepted", "in_doubt"})
    return Books(len(accepted), len(in_doubt), others, tries, account)


def kill(process: subprocess.Popen[bytes]) -> bool:
    """SIGKILL a sender; False where it had ended by itself."""
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive
