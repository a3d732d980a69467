"""One installation worked by hand: plan, register, turn, answer and reap at times of the test's choosing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, select

from channels.kinds import Kind
from channels.protocol import Outcome, OutcomeKind
from outreach import tables
from outreach.bootstrap import App, opened
from outreach.config import Settings
from outreach.delivery import ledger, workers
from outreach.delivery.ledger import Turned
from outreach.delivery.settle import Claimed, Settled
from outreach.planning.batch import Batch
from outreach.planning.load import civil_today, load
from outreach.planning.plan import Planned
from outreach.store.types import table_of
from tests import builders as make
from tests.installations import initialise

T = TypeVar("T")

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday morning."""
DUE = date(2026, 11, 20)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=20)

attempt = table_of(tables.messages.Attempt)
message = table_of(tables.messages.Message)
tick = table_of(tables.messages.Tick)
task = table_of(tables.operations.Task)


@dataclass(frozen=True)
class Desk:
    """An opened installation and the steps of its work."""

    app: App

    def run(self, work: Callable[[Connection], T]) -> T:
        """Write in a transaction of its own."""
        return self.app.store.run(work)

    def plan(self, now: datetime = NOW) -> Planned:
        """Look at everything due."""
        tick_id = self.run(lambda conn: new_tick(conn, now))
        return asyncio.run(self.app.planner().plan_due(now, tick_id))

    def look(self, dossier_id: int, now: datetime = NOW) -> Batch:
        """Load and decide about one dossier without storing it yet, as another planner would at the same time."""
        tick_id = self.run(lambda conn: new_tick(conn, now))
        with self.app.store.reading() as conn:
            found = load(conn, [dossier_id], now, (Kind.EMAIL,))
        decided = self.app.planner().decide_all(found.units, now)
        return Batch(now=now, today=civil_today(now), tick_id=tick_id, rows=found.rows, decided=decided)

    def register(self, at: datetime = NOW) -> str:
        """Register a worker with a lease from this moment of the machine."""
        return self.run(lambda conn: workers.register(conn, "host", 1, LEASE, at))

    def turn(
        self,
        worker: str,
        *settled: Settled,
        places: int = 8,
        now: datetime = NOW,
        machine: datetime = NOW,
    ) -> Turned:
        """Settle and claim."""
        return self.run(lambda conn: ledger.turn(conn, worker, settled, "email", places, now, machine))

    def reap(self, machine: datetime) -> int:
        """Put in doubt what the dead left behind."""
        return self.run(lambda conn: workers.reap(conn, NOW, machine))

    def attempts(self) -> list[Any]:
        """Every attempt, oldest first."""
        return self.rows(tables.messages.Attempt)

    def states(self) -> list[str]:
        """The states of all attempts, oldest first."""
        return [row.state for row in self.attempts()]

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """The rows of a table."""
        with self.app.store.reading() as conn:
            return make.rows(conn, model, **where)

    def entries(self) -> list[str]:
        """The types of all entries, in order."""
        return [row.type for row in self.rows(tables.correspondence.LogEntry)]

    def tasks(self) -> list[tuple[str, str]]:
        """The open tasks: kind and reason."""
        return [(row.kind, row.reason_code) for row in self.rows(tables.operations.Task, closed_at=None)]

    def outcomes(self) -> list[tuple[str, str]]:
        """The day's account: outcome and code of each unit."""
        return [(row.outcome, row.code) for row in self.rows(tables.messages.DayAccount)]

    def version(self, person_id: int) -> int:
        """A person's version."""
        (row,) = self.rows(tables.parties.Person, id=person_id)
        return int(row.facts_version)

    def due(self, now: datetime = NOW) -> set[int]:
        """The dossiers that must be looked at."""
        with self.app.store.reading() as conn:
            return set(
                conn.execute(select(make.dossier.c.id).where(make.dossier.c.next_look_at <= now)).scalars()
            )


def new_tick(conn: Connection, now: datetime) -> int:
    """A tick, ended at once: only its key is needed."""
    row = insert(tick).values(at=now, started_at=now, ended_at=now, selected=0).returning(tick.c.id)
    return int(conn.execute(row).scalar_one())


def answer(
    claimed: Claimed,
    kind: OutcomeKind = OutcomeKind.ACCEPTED,
    code: str = "250",
    *,
    ended_at: datetime = NOW,
) -> Settled:
    """What the other side said to a hand-over."""
    return Settled(claimed, Outcome(kind, code, "as it was said"), ended_at)


@contextmanager
def a_desk(settings: Settings) -> Iterator[Desk]:
    """A new installation."""
    initialise(settings, is_trial=True)
    with opened(settings) as app:
        yield Desk(app)


def debtors(conn: Connection, count: int, creditor_id: int | None = None) -> Sequence[make.Debtor]:
    """Debtors of one creditor, each with one claim past due."""
    owner = make.a_creditor(conn) if creditor_id is None else creditor_id
    found = []
    for number in range(count):
        whose = make.a_debtor(conn, owner, f"D{number}", email=f"d{number}@example.net")
        make.a_claim(conn, whose, f"F{number}", due=DUE)
        found.append(whose)
    return found
