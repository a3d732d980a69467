"""What does not go on by itself: work for people, hand-overs in doubt, stops without an end, sending switched off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from consent.calendar import ONE_DAY
from outreach.casework.days import start_of
from outreach.planning import queries as q
from outreach.store.tables.operations import ImportRun, Task
from outreach.store.types import AnyRow, table_of

task = table_of(Task)
import_run = table_of(ImportRun)

LISTS_WITHIN = timedelta(days=31)
"""How far back lists of open items that were put aside are shown."""


@dataclass(frozen=True, slots=True)
class Work:
    """Open tasks of one kind; `due_at` is the earliest."""

    kind: str
    tasks: int
    overdue: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class OneTask:
    """One open task; `task` is its random id."""

    task: str
    kind: str
    creditor: str
    debtor: str
    owner: str
    due_at: datetime
    overdue: bool


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A hand-over of which nobody knows whether it was taken."""

    creditor: str
    debtor: str
    channel: str
    handed_over_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndlessStops:
    """Stops of one kind and scope that hold now and have no end; those of running arrangements are left out."""

    kind: str
    scope: str
    stops: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Off:
    """A creditor for whom nothing can go, and why: `sending_off`, `payments_unknown` or `payments_stale`."""

    creditor: str
    code: str
    payments_until_on: date | None


@dataclass(frozen=True, slots=True)
class Aside:
    """A list of open items that was not used. Its file names no creditor in the database; its task does."""

    file_name: str
    at: datetime
    as_of_on: date | None
    why: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """All of it: the totals are whole, the rows are the first ones."""

    sending_off: bool
    work: list[Work]
    tasks: list[OneTask]
    in_doubt_total: int
    in_doubt: list[InDoubt]
    stops: list[EndlessStops]
    off: list[Off]
    aside: list[Aside]


def stuck(conn: Connection, now: datetime, creditor_id: int | None, limit: int) -> Stuck:
    """Find what needs a person before it goes on, for all creditors or for one."""
    return Stuck(
        sending_off=not conn.execute(q.INSTALLED).one().sending,
        work=_work(conn, now, creditor_id),
        tasks=_tasks(conn, now, creditor_id, limit),
        **_in_doubt(conn, creditor_id, limit),
        stops=_stops(conn, now, creditor_id),
        off=_off(conn, now, creditor_id),
        aside=_aside(conn, now),
    )


def open_tasks(creditor_id: int | None) -> list[ColumnElement[bool]]:
    """Return the condition for open tasks, of one creditor where one is named; for a query from TASKS."""
    found: list[ColumnElement[bool]] = [task.c.closed_at.is_(None)]
    if creditor_id is not None:
        of = func.coalesce(q.dossier.c.creditor_id, q.attempt.c.creditor_id, q.payment.c.creditor_id)
        found.append(or_(of == creditor_id, task.c.subject == f"creditor:{creditor_id}"))
    return found


TASKS = (
    task.outerjoin(q.dossier, q.dossier.c.id == task.c.dossier_id)
    .outerjoin(q.attempt, q.attempt.c.id == task.c.attempt_id)
    .outerjoin(q.payment, q.payment.c.id == task.c.payment_id)
)


def _work(conn: Connection, now: datetime, creditor_id: int | None) -> list[Work]:
    overdue = func.count().filter(task.c.due_at <= now)
    query = (
        select(task.c.kind, func.count(), overdue, func.min(task.c.due_at))
        .select_from(TASKS)
        .where(*open_tasks(creditor_id))
        .group_by(task.c.kind)
    )
    rows = conn.execute(query.order_by(overdue.desc(), task.c.kind))
    return [Work(*row) for row in rows]


def _tasks(conn: Connection, now: datetime, creditor_id: int | None, limit: int) -> list[OneTask]:
    rows = conn.execute(
        select(
            task.c.pseudonym,
            task.c.kind,
            q.creditor.c.code,
            q.debtor.c.external_id,
            task.c.owner,
            task.c.due_at,
        )
        .select_from(
            TASKS.outerjoin(q.debtor, q.debtor.c.id == q.dossier.c.debtor_id).outerjoin(
                q.creditor, q.creditor.c.id == q.dossier.c.creditor_id
            )
        )
        .where(*open_tasks(creditor_id))
        .order_by(task.c.due_at, task.c.id)
        .limit(limit)
    )
    return [
        OneTask(
            task=row.pseudonym,
            kind=row.kind,
            creditor=row.code or "",
            debtor=row.external_id or "",
            owner=row.owner,
            due_at=row.due_at,
            overdue=row.due_at <= now,
        )
        for row in rows
    ]


def _in_doubt(conn: Connection, creditor_id: int | None, limit: int) -> dict[str, Any]:
    where = [q.attempt.c.state == "in_doubt"]
    if creditor_id is not None:
        where.append(q.attempt.c.creditor_id == creditor_id)
    rows = conn.execute(
        select(q.creditor.c.code, q.debtor.c.external_id, q.attempt.c.channel, q.attempt.c.handed_over_at)
        .join(q.message, q.message.c.id == q.attempt.c.message_id)
        .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
        .join(q.debtor, q.debtor.c.id == q.dossier.c.debtor_id)
        .join(q.creditor, q.creditor.c.id == q.dossier.c.creditor_id)
        .where(*where)
        .order_by(q.attempt.c.id)
        .limit(limit)
    )
    total = conn.execute(select(func.count()).select_from(q.attempt).where(*where)).scalar_one()
    return {"in_doubt_total": total, "in_doubt": [InDoubt(*row) for row in rows]}


def _stops(conn: Connection, now: datetime, creditor_id: int | None) -> list[EndlessStops]:
    where = [
        q.stop.c.lifted_at.is_(None),
        q.stop.c.until_at.is_(None),
        q.stop.c.from_at <= now,
        or_(q.stop.c.arrangement_id.is_(None), q.arrangement.c.state != "running"),
    ]
    if creditor_id is not None:
        theirs = select(q.debtor.c.person_id).where(q.debtor.c.creditor_id == creditor_id)
        dossiers = select(q.dossier.c.id).where(q.dossier.c.creditor_id == creditor_id)
        claims = select(q.claim.c.id).where(q.claim.c.creditor_id == creditor_id)
        where.append(
            or_(
                q.stop.c.creditor_id == creditor_id,
                q.stop.c.creditor_id.is_(None)
                & or_(
                    q.stop.c.dossier_id.in_(dossiers),
                    q.stop.c.claim_id.in_(claims),
                    q.stop.c.person_id.in_(theirs),
                ),
            )
        )
    rows = conn.execute(
        select(q.stop.c.kind, q.stop.c.scope, func.count(), func.min(q.stop.c.from_at))
        .outerjoin(q.arrangement, q.arrangement.c.id == q.stop.c.arrangement_id)
        .where(*where)
        .group_by(q.stop.c.kind, q.stop.c.scope)
        .order_by(q.stop.c.kind, q.stop.c.scope)
    )
    return [EndlessStops(*row) for row in rows]


def _off(conn: Connection, now: datetime, creditor_id: int | None) -> list[Off]:
    query = select(q.creditor).order_by(q.creditor.c.code)
    if creditor_id is not None:
        query = query.where(q.creditor.c.id == creditor_id)
    return [
        Off(row.code, code, row.payments_until_on)
        for row in conn.execute(query)
        for code in why_off(row, now)
    ]


def why_off(row: AnyRow, now: datetime) -> list[str]:
    """Return why nothing can go for a creditor now, as codes."""
    found = [] if row.sending else ["sending_off"]
    if row.payments_until_on is None:
        return [*found, "payments_unknown"]
    # As the gate has it, by the operator's day: debtors in another zone may differ by hours.
    stale_at = start_of(row.payments_until_on + ONE_DAY) + timedelta(hours=row.freshness_hours)
    return [*found, "payments_stale"] if now >= stale_at else found


def _aside(conn: Connection, now: datetime) -> list[Aside]:
    rows = conn.execute(
        select(import_run.c.file_name, import_run.c.at, import_run.c.as_of_on, import_run.c.put_aside)
        .where(import_run.c.put_aside != "", import_run.c.at > now - LISTS_WITHIN, import_run.c.at <= now)
        .order_by(import_run.c.at.desc(), import_run.c.id.desc())
    )
    return [Aside(*row) for row in rows]
