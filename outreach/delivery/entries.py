"""What sending writes beside the attempts themselves: log entries, and tasks for a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from outreach.correspondence import log
from outreach.store.tables.operations import Task
from outreach.store.types import AnyRow, new_id, table_of

task = table_of(Task)

ACTOR = "job:send"
TASK_DUE = timedelta(days=3)


def task_row(kind: str, subject: str, refs: AnyRow | None, now: datetime, code: str) -> dict[str, Any]:
    """Return a task about an attempt, or about a whole channel (no refs)."""
    return {
        "pseudonym": new_id(),
        "kind": kind,
        "subject": subject,
        "attempt_id": refs.id if refs is not None else None,
        "person_id": refs.person_id if refs is not None else None,
        "reason_code": code[:60],
        "opened_at": now,
        "due_at": now + TASK_DUE,
        "owner": "staff",
    }


def insert_tasks(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Open tasks; an open one of the same kind and subject stays the one."""
    if rows:
        build: Any = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
        conn.execute(build(task).on_conflict_do_nothing(), rows)


def entry(type_: str, row: AnyRow, now: datetime, **more: Any) -> log.Entry:
    """Return a log entry about an attempt."""
    return log.Entry(
        type=type_,
        at=now,
        actor=ACTOR,
        person=row.person,
        dossier=row.dossier,
        creditor=row.creditor,
        channel=row.channel,
        token=row.token,
        **more,
    )
