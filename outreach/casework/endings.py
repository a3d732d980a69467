"""How arrangements come to their end: kept, broken or ended; their stops, tasks and unsaid messages end with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from outreach.casework import service, targets
from outreach.casework.stops import entry, stop
from outreach.correspondence import log
from outreach.errors import NotFound, Refused
from outreach.store.tables.claims import Arrangement
from outreach.store.tables.operations import Task
from outreach.store.types import table_of

arrangement = table_of(Arrangement)
task = table_of(Task)

MISSED = "arrangement_missed"
"""The kind of task that a plan gets which a person must decide about."""


def task_subject(arrangement_id: int) -> str:
    """Return the subject of an arrangement's task."""
    return f"arrangement:{arrangement_id}"


def end(conn: Connection, pseudonym: str, actor: str, now: datetime, code: str) -> None:
    """End a running arrangement, for a reason as a code; reminders resume at their step.

    Raises NotFound where there is none of that id, Refused where it is over already.
    """
    query = select(arrangement.c.id, arrangement.c.state).where(arrangement.c.pseudonym == pseudonym)
    row = conn.execute(query.with_for_update()).first()
    if row is None:
        msg = f"there is no arrangement {pseudonym} (outreach arrange show lists them)"
        raise NotFound(msg)
    if row.state != "running":
        msg = f"arrangement {pseudonym} is over already: {row.state}"
        raise Refused(msg)
    finish(conn, [row.id], "ended", "arrangement_ended", code, actor, now)


def finish(
    conn: Connection,
    arrangements: Sequence[int],
    state: str,
    entry_type: str,
    code: str,
    actor: str,
    now: datetime,
) -> None:
    """Bring running arrangements to their end, and with them what hangs on them."""
    if not arrangements:
        return
    over = update(arrangement).where(arrangement.c.id.in_(arrangements))
    conn.execute(over.values(state=state, ended_at=now, ended_by=actor))
    log.append(conn, entries(conn, [(key, entry_type, (code,)) for key in arrangements], actor, now))
    _lift_stops(conn, arrangements, code, actor, now)
    _close_tasks(conn, arrangements, state, actor, now)
    service.close_about(conn, arrangements, f"arrangement_{state}", actor, now)


def entries(
    conn: Connection, told: Iterable[tuple[int, str, tuple[str, ...]]], actor: str, now: datetime
) -> list[log.Entry]:
    """Return entries about arrangements: key, type and codes each; the arrangement's own id stands last."""
    told = list(told)
    query = (
        select(
            arrangement.c.id,
            arrangement.c.pseudonym,
            targets.person.c.pseudonym.label("person"),
            targets.dossier.c.pseudonym.label("dossier"),
            targets.creditor.c.code,
        )
        .join(targets.person, targets.person.c.id == arrangement.c.person_id)
        .join(targets.dossier, targets.dossier.c.id == arrangement.c.dossier_id)
        .join(targets.creditor, targets.creditor.c.id == targets.dossier.c.creditor_id)
        .where(arrangement.c.id.in_({key for key, _, _ in told}))
    )
    rows = {row.id: row for row in conn.execute(query)} if told else {}
    return [
        log.Entry(
            type=type_,
            at=now,
            actor=actor,
            person=rows[key].person,
            dossier=rows[key].dossier,
            creditor=rows[key].code,
            reasons=(*codes, rows[key].pseudonym),
        )
        for key, type_, codes in told
    ]


def _lift_stops(conn: Connection, arrangements: Sequence[int], code: str, actor: str, now: datetime) -> None:
    rows = conn.execute(
        select(stop).where(
            stop.c.arrangement_id.in_(arrangements),
            stop.c.lifted_at.is_(None),
            or_(stop.c.until_at.is_(None), stop.c.until_at > now),
        )
    ).all()
    if not rows:
        return
    lifted = update(stop).where(stop.c.id.in_([row.id for row in rows]))
    conn.execute(lifted.values(lifted_at=now, lifted_by=actor))
    told = [entry("stop_lifted", conn, row, actor, now, (code, row.pseudonym)) for row in rows]
    log.append(conn, told)


def _close_tasks(
    conn: Connection, arrangements: Sequence[int], state: str, actor: str, now: datetime
) -> None:
    """Nobody need decide any more about an arrangement that is over."""
    subjects = {task_subject(key): key for key in arrangements}
    query = select(task.c.id, task.c.subject).where(
        task.c.kind == MISSED, task.c.subject.in_(subjects), task.c.closed_at.is_(None)
    )
    rows = conn.execute(query).all()
    if not rows:
        return
    closed = update(task).where(task.c.id.in_([row.id for row in rows]))
    conn.execute(closed.values(closed_at=now, closed_by=actor, closed_code=f"arrangement_{state}"))
    told = [(subjects[row.subject], "task_closed", (MISSED,)) for row in rows]
    log.append(conn, entries(conn, told, actor, now))
