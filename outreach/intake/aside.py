"""A list of open items that is put aside: sending for its creditor pauses until a list is taken in again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, select

from outreach.casework.stops import NewStop, lift_stop, set_stop, stop
from outreach.casework.tasks import NewTask, finish_subject, open_task
from outreach.correspondence import log
from outreach.intake.run import Terms

ASIDE = "open_items_aside"
"""The kind of the task, and the reason code of the pause."""

TASK_DUE = timedelta(days=1)


def put_aside(conn: Connection, creditor_id: int, code: str, why: str, terms: Terms) -> None:
    """Pause the creditor and ask a person to look; a second list put aside pauses nothing more."""
    entry = log.Entry(type="import_put_aside", at=terms.now, actor=terms.actor, creditor=code, reasons=(why,))
    log.append(conn, [entry])
    if not _pauses(conn, creditor_id):
        pause = NewStop(kind="hold", scope="creditor", creditor_id=creditor_id, reason_code=ASIDE)
        set_stop(conn, pause, terms.actor, terms.now)
    work = NewTask(ASIDE, _subject(creditor_id), terms.now + TASK_DUE, reason_code=why)
    open_task(conn, work, terms.actor, terms.now)


def lift_pause(conn: Connection, creditor_id: int, terms: Terms) -> None:
    """End the pause and its task: a list has been taken in."""
    for pseudonym in _pauses(conn, creditor_id):
        lift_stop(conn, pseudonym, terms.actor, terms.now, ("list_taken",))
    finish_subject(conn, ASIDE, _subject(creditor_id), "list_taken", terms.actor, terms.now)


def _pauses(conn: Connection, creditor_id: int) -> list[str]:
    query = select(stop.c.pseudonym).where(
        stop.c.creditor_id == creditor_id, stop.c.reason_code == ASIDE, stop.c.lifted_at.is_(None)
    )
    return list(conn.execute(query).scalars())


def _subject(creditor_id: int) -> str:
    return f"creditor:{creditor_id}"
