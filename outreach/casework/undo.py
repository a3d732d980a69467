"""Take back what a command of casework did, by its entry in the log; what left cannot be taken back.

An entry names the rows that it is about in its reasons, as `word:key`, or an id that stands alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from outreach.casework import (
    complaints,
    corrections,
    disputes,
    endings,
    parties,
    steps_done,
    stop_effects,
    stop_orders,
)
from outreach.casework.approvals import approval
from outreach.casework.complaint_register import complaint_of
from outreach.casework.conversations import signal
from outreach.casework.stops import entry as stop_entry
from outreach.casework.stops import stop, stop_of
from outreach.casework.targets import party
from outreach.casework.tasks import finish, finish_subject, reopen, task, task_of
from outreach.correspondence import log
from outreach.errors import NotFound, Refused
from outreach.parties.addresses import AddressKeys
from outreach.store.types import AnyRow


@dataclass(frozen=True, slots=True)
class Undoing:
    """One entry to take back. `names` are the rows it is about, by their word; `words` the codes beside them."""

    entry: AnyRow
    names: dict[str, str]
    words: tuple[str, ...]
    keys: AddressKeys
    actor: str
    now: datetime

    @property
    def alone(self) -> str:
        """The id that stands alone, at the end; raises Refused where an entry names no row."""
        if not self.words or len(self.words[-1]) != 32:
            raise Refused("this entry names no row that could be taken back: an import or a job wrote it")
        return self.words[-1]

    def name(self, word: str) -> str:
        """The key of the row that the entry is about; raises Refused where it names none."""
        if word not in self.names:
            raise Refused("this entry names no row that could be taken back: an import or a job wrote it")
        return self.names[word]


def undo(conn: Connection, beginning: str, keys: AddressKeys, actor: str, now: datetime) -> AnyRow:
    """Take back what the entry of this id, or the beginning of it, tells; return that entry.

    Raises NotFound for no such entry, and Refused with the reason for what can't be taken back.
    """
    query = select(log.log_entry).where(log.log_entry.c.id.startswith(beginning, autoescape=True)).limit(2)
    rows = conn.execute(query).all() if beginning else []
    if len(rows) != 1:
        msg = f"there is no single entry {beginning!r} (outreach log show lists them)"
        raise NotFound(msg)
    row = rows[0]
    take_back = _WAYS.get(row.type)
    if take_back is None:
        raise Refused(_why_not(row))
    reasons = [str(reason) for reason in json.loads(row.reasons)]
    named = dict(reason.split(":", 1) for reason in reasons if ":" in reason)
    words = tuple(reason for reason in reasons if ":" not in reason)
    take_back(conn, Undoing(row, named, words, keys, actor, now))
    entry = log.Entry(
        type="undone",
        at=now,
        actor=actor,
        person=row.person,
        dossier=row.dossier,
        creditor=row.creditor,
        reasons=(row.type, f"entry:{row.id}"),
    )
    log.append(conn, [entry])
    return row


_LEFT = {"handed_over", "accepted", "posted", "delivered", "in_doubt", "resolved"}
_SAID = {"noted", "received", "conversation", "previewed"}


def _why_not(row: AnyRow) -> str:
    if row.type in _LEFT:
        return "a message that left can't be taken back: tell the debtor what is right, with a note or a call"
    if row.type in _SAID:
        return "what was said stays as it was said: add a note that puts it right"
    if row.type == "undone":
        return "an undoing is not undone: do again what was taken back"
    if row.type == "payment_booked":
        return "a booking is taken back by a reversal (outreach import payments)"
    return f"an entry of type {row.type} tells of nothing that a person could take back"


def _stop_set(conn: Connection, one: Undoing) -> None:
    row = stop_of(conn, one.alone)
    if row.lifted_at is not None:
        msg = f"that stop was lifted already, by {row.lifted_by}"
        raise Refused(msg)
    if row.arrangement_id is not None:
        raise Refused("that stop belongs to an arrangement: undo the entry that made it")
    if row.kind == "complaint":
        raise Refused("that stop belongs to a complaint: undo the entry that took it in")
    stop_orders.take_off(conn, row, ["undone"], one.actor, one.now)
    if row.kind == "dispute":
        finish_subject(conn, "dispute", row.pseudonym, "undone", one.actor, one.now)


def _stop_lifted(conn: Connection, one: Undoing) -> None:
    """Set a stop again that was lifted; a dispute that was decided with a credit stays decided."""
    row = stop_of(conn, one.alone)
    if row.lifted_at is None:
        raise Refused("that stop is in force")
    if row.arrangement_id is not None:
        raise Refused("that stop belonged to an arrangement: make the arrangement anew (outreach arrange)")
    if row.kind == "complaint":
        raise Refused("that stop belonged to a complaint: undo the entry that answered it")
    if {"upheld", "partly"} & set(one.words):
        raise Refused("that dispute was credited: take the credit back with a reversal, and add it anew")
    if row.until_at is not None and row.until_at <= one.now:
        raise Refused("that stop would have ended by now")
    conn.execute(update(stop).where(stop.c.id == row.id).values(lifted_at=None, lifted_by=None))
    again = stop_of(conn, row.pseudonym)
    reasons = [row.kind, row.scope, "again", row.pseudonym]
    log.append(conn, [stop_entry("stop_set", conn, again, one.actor, one.now, reasons)])
    if row.kind == "dispute":
        disputes.forget_answer(conn, row.id, one.now)
        for work in _tasks(conn, "dispute", row.pseudonym):
            reopen(conn, work, one.actor, one.now)
    else:
        stop_effects.apply(conn, again, None, one.actor, one.now)


def _corrected(conn: Connection, one: Undoing) -> None:
    edits = [
        int(reason.split(":")[1]) for reason in json.loads(one.entry.reasons) if reason.startswith("edit:")
    ]
    for key in edits:
        corrections.withdraw(conn, key, one.keys, one.actor, one.now)


def _approved(conn: Connection, one: Undoing) -> None:
    key = int(one.name("approval"))
    row = conn.execute(select(approval).where(approval.c.id == key).with_for_update()).one()
    if row.until_at <= one.now:
        raise Refused("that answer no longer counts: its time is over or it was taken back")
    conn.execute(update(approval).where(approval.c.id == key).values(until_at=one.now))


def _step_done(conn: Connection, one: Undoing) -> None:
    """Take a step out of the ladder; a call's task is open again, and where its answers led is forgotten."""
    if not steps_done.uncount(conn, one.name("step_done")):
        raise Refused("that step does not count any more, or counted for no claim")
    if "task" not in one.names:
        return
    row = conn.execute(select(task).where(task.c.pseudonym == one.names["task"])).one()
    where = (party.c.dossier_id == row.dossier_id, party.c.person_id == row.person_id)
    conn.execute(update(party).where(*where).values(triage=one.name("was")))
    for work in _tasks(conn, "dispute", f"call:{row.pseudonym}"):
        if work.closed_at is None:
            finish(conn, work, "undone", one.actor, one.now)
    if row.closed_at is not None:
        reopen(conn, row, one.actor, one.now)


def _told_elsewhere(conn: Connection, one: Undoing) -> None:
    if "step_done" not in one.names:
        raise Refused("what was said elsewhere stays as it was said; it counted for no step")
    _step_done(conn, one)


def _task_closed(conn: Connection, one: Undoing) -> None:
    row = task_of(conn, one.name("task"), closed=True)
    reopen(conn, row, one.actor, one.now)


def _task_opened(conn: Connection, one: Undoing) -> None:
    row = task_of(conn, one.name("task"))
    if row.kind != "note":
        raise Refused("this task came of something else: undo that, or close it (outreach task close)")
    finish(conn, row, "undone", one.actor, one.now)


def _signal_set(conn: Connection, one: Undoing) -> None:
    gone = conn.execute(delete(signal).where(signal.c.id == int(one.name("signal"))))
    if not gone.rowcount:
        raise Refused("that signal was taken back already")


def _arrangement_made(conn: Connection, one: Undoing) -> None:
    endings.end(conn, one.alone, one.actor, one.now, code="undone")


def _party_changed(conn: Connection, one: Undoing) -> None:
    parties.undo(conn, one.words[0], int(one.name("party")), one.names.get("was"), one.now)


def _tasks(conn: Connection, kind: str, subject: str) -> list[AnyRow]:
    """Return the newest task of a kind about a subject, where there is one."""
    query = select(task).where(task.c.kind == kind, task.c.subject == subject)
    return list(conn.execute(query.order_by(task.c.id.desc()).limit(1)))


def _complaint_received(conn: Connection, one: Undoing) -> None:
    complaints.undo_received(conn, complaint_of(conn, one.alone), one.actor, one.now)


def _complaint_confirmed(conn: Connection, one: Undoing) -> None:
    complaints.undo_confirmed(conn, complaint_of(conn, one.alone))


def _complaint_answered(conn: Connection, one: Undoing) -> None:
    complaints.undo_answered(conn, complaint_of(conn, one.alone), one.actor, one.now)


_WAYS: dict[str, Callable[[Connection, Undoing], None]] = {
    "stop_set": _stop_set,
    "stop_lifted": _stop_lifted,
    "corrected": _corrected,
    "approved": _approved,
    "approval_refused": _approved,
    "step_done": _step_done,
    "told_elsewhere": _told_elsewhere,
    "task_closed": _task_closed,
    "task_opened": _task_opened,
    "signal_set": _signal_set,
    "arrangement_made": _arrangement_made,
    "party_changed": _party_changed,
    "complaint_received": _complaint_received,
    "complaint_confirmed": _complaint_confirmed,
    "complaint_answered": _complaint_answered,
}
