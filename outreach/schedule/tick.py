"""One tick: look at what is due, send what is ready, and close the day's account to the last one."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from sqlalchemy import Connection, bindparam, exists, func, insert, select, update

from channels.protocol import Channel, OutcomeKind, Reporting
from outreach.casework.review import Seen, review
from outreach.clock import machine_clock
from outreach.delivery.dispatch import Dispatcher, Lease
from outreach.delivery.receipts import poll
from outreach.planning import queries as q
from outreach.planning.plan import Planned, Planner
from outreach.store.tables.messages import DayAccount, Tick
from outreach.store.types import table_of
from outreach.store.writer import Store

account = table_of(DayAccount)
tick_table = table_of(Tick)

MOST_ROUNDS = 50

log = logging.getLogger(__name__)


@dataclass(slots=True)
class TickReport:
    """What one tick came to; `adds_up` is the exact sum of the day's account."""

    at: datetime
    selected: int = 0
    composed: int = 0
    handed_over: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    @property
    def adds_up(self) -> bool:
        """Whether every unit that was looked at ended in exactly one outcome."""
        return sum(self.outcomes.values()) == self.selected

    @property
    def sent(self) -> int:
        """How many messages the other side took."""
        return self.handed_over[OutcomeKind.ACCEPTED.value]


@dataclass(frozen=True)
class Ticker:
    """Runs ticks with one planner and the channels that are configured; `reporting` are those that can be asked."""

    store: Store
    planner: Planner
    channels: Sequence[Channel]
    reporting: Sequence[Reporting] = ()
    seen: Seen = field(default_factory=Seen)

    async def tick(self, now: datetime, lease: Lease, stop: asyncio.Event | None = None) -> TickReport:
        """Plan and send until nothing more is due at `now`; a round may make the next one needed."""
        report = TickReport(at=now)
        # First what came back and what was paid: it decides what is said next, and over which channel.
        for channel in self.reporting:
            await poll(self.store, channel, now)
        await review(self.store, now, self.seen)
        tick_id = await self.store.write(partial(self._begin, now=now))
        for _ in range(MOST_ROUNDS):
            planned = await self.planner.plan_due(now, tick_id, stop, lease.rank)
            sent = await self._send(lease, report, stop)
            _add(report, planned)
            await self.store.write(lambda conn: close_accounts(conn))
            if (not planned.selected and not sent) or (stop is not None and stop.is_set()):
                break
        else:
            log.warning("a tick ended after %d rounds with work left; the next one goes on", MOST_ROUNDS)
        await self.store.write(lambda conn: _end(conn, tick_id, report))
        return report

    def _begin(self, conn: Connection, now: datetime) -> int:
        self.planner.versions.take_confirmed(conn, now)
        return begin_tick(conn, now)

    async def _send(self, lease: Lease, report: TickReport, stop: asyncio.Event | None) -> int:
        moved = 0
        for channel in self.channels:
            sent = await Dispatcher(self.store, channel, lease, lease.clock).drain(stop)
            for kind, count in sent.outcomes.items():
                report.handed_over[kind.value] += count
            moved += sum(sent.outcomes.values()) + sent.passed_over
        return moved


def _add(report: TickReport, planned: Planned) -> None:
    report.selected += planned.selected - planned.again
    report.composed += planned.composed


def reporting(channels: Sequence[Channel]) -> list[Reporting]:
    """Return those of the channels that can be asked what became of what they took."""
    return [channel for channel in channels if isinstance(channel, Reporting)]


def begin_tick(conn: Connection, now: datetime) -> int:
    """Note that a pass begins; return its key."""
    key = conn.execute(
        insert(tick_table).values(at=now, started_at=machine_clock(), selected=0).returning(tick_table.c.id)
    ).scalar_one()
    return int(key)


def _end(conn: Connection, tick_id: int, report: TickReport) -> None:
    conn.execute(
        update(tick_table)
        .where(tick_table.c.id == tick_id)
        .values(ended_at=machine_clock(), selected=report.selected)
    )
    rows = conn.execute(
        select(account.c.outcome, account.c.code, func.count())
        .where(account.c.tick_id == tick_id)
        .group_by(account.c.outcome, account.c.code)
    )
    for outcome, code, count in rows:
        report.outcomes[outcome] += count
        report.codes[f"{outcome}/{code}"] += count


def _has_attempt(states: Sequence[str]):  # type: ignore[no-untyped-def]
    return exists().where(q.attempt.c.message_id == account.c.message_id, q.attempt.c.state.in_(states))


_CLOSE = [
    update(account)
    .where(account.c.queued, _has_attempt(states))
    .values(outcome=outcome, code=outcome, queued=False, until_at=None)
    for outcome, states in (
        ("sent", ["accepted", "posted", "delivered", "bounced", "returned"]),
        ("in_doubt", ["in_doubt"]),
    )
]


def close_accounts(conn: Connection) -> None:
    """Turn what was queued and has left into its outcome."""
    for statement in _CLOSE:
        conn.execute(statement)


def day_account(conn: Connection, on: date) -> Counter[str]:
    """Return a civil date's account: how many units ended in each outcome."""
    rows = conn.execute(
        select(account.c.outcome, func.count())
        .where(account.c.on_date == bindparam("on"))
        .group_by(account.c.outcome),
        {"on": on},
    )
    return Counter({row[0]: row[1] for row in rows})
