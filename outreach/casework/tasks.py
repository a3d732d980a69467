"""Work for people: open it, find it, give it to somebody, close it and open it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from outreach.casework import targets
from outreach.casework.complaint_register import complaint, is_open
from outreach.casework.days import civil_today, closing_of, working_day
from outreach.casework.open_claims import open_overdue
from outreach.casework.owed import stop
from outreach.casework.words import code, keep_text, owner
from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.store.tables.messages import Attempt
from outreach.store.tables.operations import Task
from outreach.store.types import AnyRow, new_id, table_of

task = table_of(Task)
attempt = table_of(Attempt)

OWN_COMMANDS = {
    "call": "task result",
    "visit": "task result",
    "approve": "task approve or task refuse",
    "handover": "task approve or task refuse",
    "in_doubt": "task resolve",
    "dispute": "dispute decide",
    "complaint": "complaint answer",
    "objection": "consent decide",
    "restriction": "consent lift",
}
"""Kinds of work whose end says something, and the command that asks for it."""

TRIAGED = "triage_department"
"""Why there is work about a dispute of which it is not known yet what it is about."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """Work to open; of one kind and subject there is at most one open."""

    kind: str
    subject: str
    due_at: datetime
    owner: str = "staff"
    dossier_id: int | None = None
    person_id: int | None = None
    currency: str = ""
    reason_code: str = ""
    department: str = ""
    content_id: str | None = None


def open_task(conn: Connection, new: NewTask, actor: str, now: datetime) -> str | None:
    """Open work for somebody; return its random id, None where the same is open already."""
    pseudonym = new_id()
    row = {
        "pseudonym": pseudonym,
        "kind": new.kind,
        "subject": new.subject,
        "due_at": new.due_at,
        "owner": owner(new.owner),
        "dossier_id": new.dossier_id,
        "person_id": new.person_id,
        "currency": new.currency,
        "reason_code": new.reason_code,
        "department": new.department,
        "content_id": new.content_id,
        "opened_at": now,
    }
    build: Any = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    made = build(task).values(**row).on_conflict_do_nothing().returning(task.c.id)
    if conn.execute(made).scalar() is None:
        return None
    _log(conn, "task_opened", _task(conn, pseudonym), actor, now, [new.kind], new.content_id)
    return pseudonym


def task_of(conn: Connection, beginning: str, *, closed: bool = False) -> AnyRow:
    """Return one task by its random id or the beginning of it, locked; raises NotFound, or Refused for a closed one."""
    query = select(task).where(task.c.pseudonym.startswith(beginning, autoescape=True)).limit(2)
    rows = conn.execute(query.with_for_update()).all() if beginning else []
    if len(rows) != 1:
        msg = f"there is no single task {beginning!r} (outreach task list shows them)"
        raise NotFound(msg)
    row = rows[0]
    if closed != (row.closed_at is not None):
        msg = f"task {row.pseudonym[:8]} is {'open' if closed else f'closed already, by {row.closed_by}'}"
        raise Refused(msg)
    return row


def open_tasks(
    conn: Connection,
    *,
    owner: str | None = None,
    kind: str | None = None,
    due_by: datetime | None = None,
    limit: int = 200,
) -> list[AnyRow]:
    """Return open work, the longest overdue first."""
    query = (
        select(
            task,
            targets.debtor.c.external_id.label("debtor"),
            targets.creditor.c.code.label("creditor"),
            targets.person.c.pseudonym.label("person"),
        )
        .outerjoin(targets.dossier, targets.dossier.c.id == task.c.dossier_id)
        .outerjoin(targets.debtor, targets.debtor.c.id == targets.dossier.c.debtor_id)
        .outerjoin(targets.creditor, targets.creditor.c.id == targets.dossier.c.creditor_id)
        .outerjoin(targets.person, targets.person.c.id == task.c.person_id)
        .where(task.c.closed_at.is_(None))
    )
    if owner is not None:
        query = query.where(task.c.owner == owner)
    if kind is not None:
        query = query.where(task.c.kind == kind)
    if due_by is not None:
        query = query.where(task.c.due_at <= due_by)
    return list(conn.execute(query.order_by(task.c.due_at, task.c.id).limit(limit)))


def assign(
    conn: Connection, row: AnyRow, to: str, actor: str, now: datetime, due_at: datetime | None = None
) -> None:
    """Give work to somebody, with another due time where one is told."""
    if due_at is not None and due_at <= now:
        msg = "--due: expected a time ahead"
        raise UsageError(msg)
    values = {"owner": owner(to)} | ({"due_at": due_at} if due_at is not None else {})
    conn.execute(update(task).where(task.c.id == row.id).values(**values))
    _log(conn, "task_assigned", row, actor, now, [row.kind])


def close(conn: Connection, row: AnyRow, closing: str, note: str | None, actor: str, now: datetime) -> None:
    """Close work by hand; raises Refused for work whose outcome is still asked for and has its own command."""
    if row.kind in OWN_COMMANDS and _still_asked(conn, row, now):
        msg = f"a task of kind {row.kind} ends with its outcome: use outreach {OWN_COMMANDS[row.kind]}"
        raise Refused(msg)
    finish(conn, row, code(closing, "--code"), actor, now, keep_text(conn, note, now))


def finish(
    conn: Connection,
    row: AnyRow,
    closing: str,
    actor: str,
    now: datetime,
    content_id: str | None = None,
) -> None:
    """Close work with the code of its outcome."""
    done = {"closed_at": now, "closed_by": actor, "closed_code": closing}
    conn.execute(update(task).where(task.c.id == row.id).values(**done))
    _log(conn, "task_closed", row, actor, now, [row.kind, closing], content_id)


def finish_subject(
    conn: Connection,
    kind: str,
    subject: str,
    closing: str,
    actor: str,
    now: datetime,
    content_id: str | None = None,
) -> None:
    """Close the open work of a kind about a subject, where there is any."""
    query = select(task).where(task.c.kind == kind, task.c.subject == subject, task.c.closed_at.is_(None))
    for row in conn.execute(query.with_for_update()).all():
        finish(conn, row, closing, actor, now, content_id)


def finish_triaged(conn: Connection, dossier_id: int, person_id: int, actor: str, now: datetime) -> None:
    """Close the work of finding out what a debtor disagrees with, which a call had led to: now it is known."""
    query = select(task).where(
        task.c.kind == "dispute",
        task.c.dossier_id == dossier_id,
        task.c.person_id == person_id,
        task.c.reason_code == TRIAGED,
        task.c.closed_at.is_(None),
    )
    for row in conn.execute(query.with_for_update()).all():
        finish(conn, row, "dispute_added", actor, now)


def postpone(conn: Connection, row: AnyRow, due_at: datetime) -> None:
    """Set another due time; whoever asks for it writes the entry."""
    conn.execute(update(task).where(task.c.id == row.id).values(due_at=due_at))


def reopen(conn: Connection, row: AnyRow, actor: str, now: datetime, due_at: datetime | None = None) -> None:
    """Open closed work again; what was due before now is due by the end of the next working day."""
    ahead = due_at or max(row.due_at, closing_of(working_day(civil_today(now))))
    values = {"closed_at": None, "closed_by": None, "closed_code": "", "due_at": ahead}
    try:
        with conn.begin_nested():
            conn.execute(update(task).where(task.c.id == row.id).values(**values))
    except IntegrityError as error:
        msg = f"task {row.pseudonym[:8]} can't be opened again: the same work is open as another task"
        raise Refused(msg) from error
    _log(conn, "task_reopened", row, actor, now, [row.kind])


def _still_asked(conn: Connection, row: AnyRow, now: datetime) -> bool:
    """Return whether the outcome of this work still matters: a dispute stands, a message is in doubt, money is open."""
    if row.kind == "dispute":
        standing = select(stop.c.id).where(stop.c.pseudonym == row.subject, stop.c.lifted_at.is_(None))
        return conn.execute(standing).scalar() is not None
    if row.kind == "complaint":
        waiting = select(complaint.c.id).where(complaint.c.pseudonym == row.subject, is_open)
        return conn.execute(waiting).scalar() is not None
    if row.kind == "in_doubt":
        doubtful = select(attempt.c.id).where(attempt.c.id == row.attempt_id, attempt.c.state == "in_doubt")
        return conn.execute(doubtful).scalar() is not None
    if row.dossier_id is None or row.person_id is None:
        return False
    zone = targets.person_by_id(conn, row.person_id).time_zone
    return bool(open_overdue(conn, row.dossier_id, zone, now, row.currency))


def _task(conn: Connection, pseudonym: str) -> AnyRow:
    return conn.execute(select(task).where(task.c.pseudonym == pseudonym)).one()


def _log(
    conn: Connection,
    type_: str,
    row: AnyRow,
    actor: str,
    now: datetime,
    reasons: Sequence[str],
    content_id: str | None = None,
) -> None:
    log.append(conn, [about(conn, row, type_, actor, now, reasons, content_id)])


def about(
    conn: Connection,
    row: AnyRow,
    type_: str,
    actor: str,
    now: datetime,
    reasons: Sequence[str],
    content_id: str | None = None,
) -> log.Entry:
    """Return an entry about work, under the random ids of whomever and whatever it concerns."""
    where = targets.dossier_by_id(conn, row.dossier_id) if row.dossier_id is not None else None
    who = targets.person_by_id(conn, row.person_id) if row.person_id is not None else None
    return log.Entry(
        type=type_,
        at=now,
        actor=actor,
        person=who.pseudonym if who is not None else None,
        dossier=where.pseudonym if where is not None else None,
        creditor=where.creditor if where is not None else None,
        content_id=content_id,
        reasons=(*reasons, f"task:{row.pseudonym}"),
    )
