"""Workers: processes that hand over under a lease, and what becomes of what a dead one left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, insert, select, update

from outreach.correspondence import log
from outreach.delivery.entries import entry, insert_tasks, task_row
from outreach.planning import queries as q
from outreach.store.tables.operations import Worker
from outreach.store.types import AnyRow, new_id, table_of

worker = table_of(Worker)

_LOST = (
    select(
        q.attempt,
        q.person.c.pseudonym.label("person"),
        q.creditor.c.code.label("creditor"),
        q.dossier.c.pseudonym.label("dossier"),
    )
    .join(q.person, q.person.c.id == q.attempt.c.person_id)
    .join(q.creditor, q.creditor.c.id == q.attempt.c.creditor_id)
    .join(q.message, q.message.c.id == q.attempt.c.message_id)
    .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
    .where(q.attempt.c.worker_id.in_(bindparam("workers", expanding=True)), q.attempt.c.state == "sending")
    .order_by(q.attempt.c.person_id)
    .with_for_update(of=q.attempt)
)


def register(conn: Connection, host: str, pid: int, lease: timedelta, machine_now: datetime) -> str:
    """Register a worker with a lease; return its id."""
    key = new_id()
    conn.execute(
        insert(worker).values(
            id=key, host=host, pid=pid, started_at=machine_now, lease_until=machine_now + lease
        )
    )
    return key


def count_alive(conn: Connection, machine_now: datetime) -> int:
    """Return how many workers hold a lease."""
    alive = (worker.c.stopped_at.is_(None), worker.c.declared_dead_at.is_(None))
    statement = select(func.count()).select_from(worker).where(*alive, worker.c.lease_until > machine_now)
    return int(conn.execute(statement).scalar_one())


def renew(conn: Connection, worker_id: str, lease: timedelta, machine_now: datetime) -> bool:
    """Renew a lease; False when the worker was declared dead meanwhile."""
    done = conn.execute(
        update(worker)
        .where(worker.c.id == worker_id, worker.c.declared_dead_at.is_(None))
        .values(lease_until=machine_now + lease)
    )
    return bool(done.rowcount)


def retire(conn: Connection, worker_id: str, machine_now: datetime) -> None:
    """Note that a worker stopped by itself; one that left something in `sending` is reaped like a dead one."""
    left = conn.execute(
        select(q.attempt.c.id)
        .where(q.attempt.c.worker_id == worker_id, q.attempt.c.state == "sending")
        .limit(1)
    ).scalar()
    stopped_at = machine_now if left is None else None
    conn.execute(
        update(worker).where(worker.c.id == worker_id).values(stopped_at=stopped_at, lease_until=machine_now)
    )


def reap(conn: Connection, now: datetime, machine_now: datetime) -> int:
    """Declare workers dead whose lease ran out, and put in doubt what they left in `sending`.

    Returns how many attempts were put in doubt. None of them is sent again by itself.
    """
    dead = list(
        conn.execute(
            select(worker.c.id)
            .where(
                worker.c.stopped_at.is_(None),
                worker.c.declared_dead_at.is_(None),
                worker.c.lease_until <= machine_now,
            )
            .with_for_update(skip_locked=True)
        ).scalars()
    )
    if not dead:
        return 0
    conn.execute(update(worker).where(worker.c.id.in_(dead)).values(declared_dead_at=machine_now))
    log.append(conn, [log.Entry(type="worker_declared_dead", at=now, actor="job:reap") for _ in dead])
    return _put_in_doubt(conn, conn.execute(_LOST, {"workers": dead}).all(), "worker_died", now)


def abandon(conn: Connection, worker_id: str, channel: str, now: datetime) -> int:
    """Put in doubt what a living worker has in `sending` on a channel where nothing is under way any more."""
    rows = conn.execute(_LOST.where(q.attempt.c.channel == channel), {"workers": [worker_id]}).all()
    return _put_in_doubt(conn, rows, "answer_lost", now)


def _put_in_doubt(conn: Connection, rows: Sequence[AnyRow], code: str, now: datetime) -> int:
    if rows:
        conn.execute(
            update(q.attempt)
            .where(q.attempt.c.id.in_([row.id for row in rows]), q.attempt.c.state == "sending")
            .values(
                state="in_doubt",
                facts_version=q.attempt.c.facts_version + 1,
                settled_at=now,
                outcome_code=code,
            )
        )
    log.append(conn, [entry("in_doubt", row, now, reasons=(code,)) for row in rows])
    insert_tasks(conn, [task_row("in_doubt", row.token, row, now, code) for row in rows])
    return len(rows)
