"""Complaints: receipt is confirmed in writing in time, what a complaint is about waits, and the answer ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, func, insert, select, update

from outreach.casework.complaint_register import complaint, complaint_of, is_open
from outreach.casework.days import civil_today, closing_of, working_day
from outreach.casework.service import HANDED_OVER, Wish, ask, attempt, message, service_message
from outreach.casework.stops import NewStop, lift_stop, set_stop, stop
from outreach.casework.stops import entry as stop_entry
from outreach.casework.targets import (
    Named,
    claim,
    claim_of,
    dossier_by_id,
    dossier_of,
    party_of,
    person_by_id,
)
from outreach.casework.tasks import NewTask, finish_subject, open_task, postpone, reopen, task
from outreach.casework.words import code, keep_text, owner
from outreach.correspondence import log
from outreach.errors import Refused, UsageError
from outreach.store.types import AnyRow, new_id

CONFIRM_DAYS = 2
"""Within so many working days receipt is confirmed in writing (Bki art. 6.1)."""
ANSWER_DAYS = 14
"""Within so many days a complaint is answered, unless told otherwise."""
TELL_WITHIN = timedelta(days=7)

CHANNELS = ("telephone", "email", "letter", "counter", "page", "sms")
WRITTEN = ("email", "letter")
"""What confirms in writing: a text message has no room for how it goes on, who, and what is kept."""

WITHDRAWN = "withdrawn"
OUTCOMES = ("upheld", "partly", "rejected", WITHDRAWN)
UNDONE = "undone"
"""The outcome of what was no complaint after all."""

RECEIVED, ANSWERED = "complaint_received", "complaint_answered"

_DEPARTMENT = "department:"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint as it came in: about the claim that is named, else about a whole dossier; `cause` is a code."""

    named: Named
    cause: str
    channel: str
    owner: str = "staff"
    received_on: date | None = None
    answer_by_on: date | None = None
    note: str | None = None


def add(conn: Connection, new: Complaint, actor: str, now: datetime) -> AnyRow:
    """Take a complaint in: pause what it is about, give it to its owner, ask to confirm receipt.

    Raises UsageError for a day or a word that can't be, and NotFound for nothing of that name.
    """
    if new.channel not in CHANNELS:
        msg = f"--channel: {new.channel!r}; expected one of {', '.join(CHANNELS)}"
        raise UsageError(msg)
    received_at, answer_by = _days(new, now)
    where = dossier_of(conn, new.named)
    whose = party_of(conn, where, new.named, now)
    content_id = keep_text(conn, new.note, now)
    row = {
        "pseudonym": new_id(),
        "creditor_id": where.creditor_id,
        "dossier_id": where.id,
        "claim_id": claim_of(conn, new.named).id if new.named.names_claim else None,
        "person_id": whose.person_id,
        "channel": new.channel,
        "cause": code(new.cause, "--cause"),
        "received_at": received_at,
        "confirm_by_at": closing_of(working_day(civil_today(received_at), CONFIRM_DAYS)),
        "answer_by_on": answer_by,
        "owner": owner(new.owner),
        "content_id": content_id,
        "set_by": actor,
    }
    stop_id = _pause(conn, row, actor, now)
    conn.execute(insert(complaint).values(**row, stop_id=stop_id, outcome=""))
    made = complaint_of(conn, str(row["pseudonym"]))
    _log(conn, "complaint_received", made, [made.channel, made.cause], actor, now, content_id)
    _open_work(conn, made, actor, now)
    _tell(conn, RECEIVED, made, closing_of(answer_by), actor, now)
    return made


def confirm(conn: Connection, row: AnyRow, on: date | None, actor: str, now: datetime) -> None:
    """Note that somebody confirmed receipt in writing by themselves; ours is not sent any more."""
    _check_open(row)
    if row.confirmed_at is not None:
        msg = f"receipt of complaint {row.pseudonym[:8]} was confirmed already"
        raise Refused(msg)
    first, today = civil_today(row.received_at), civil_today(now)
    if on is not None and not first <= on <= today:
        msg = f"--on: {on}; expected a day from {first}, when it came in, to today"
        raise UsageError(msg)
    _confirmed(conn, row, min(now, closing_of(on or today)), actor, now)
    _forget(conn, RECEIVED, row, "told_elsewhere", now)


def answer(conn: Connection, row: AnyRow, outcome: str, note: str | None, actor: str, now: datetime) -> None:
    """Answer a complaint: lift the pause so that reminders resume, close its work, tell who complained.

    Who withdrew it is told nothing. Raises Refused where it was answered already.
    """
    _check_open(row)
    if outcome not in OUTCOMES:
        msg = f"--outcome: {outcome!r}; expected one of {', '.join(OUTCOMES)}"
        raise UsageError(msg)
    content_id = keep_text(conn, note, now)
    if content_id is None and outcome != WITHDRAWN:
        raise UsageError("--note: expected what was found and why, so that the answer can be shown later")
    _end(conn, row, outcome, content_id, actor, now)
    _log(conn, "complaint_answered", row, [outcome], actor, now, content_id)
    if outcome != WITHDRAWN:
        _tell(conn, ANSWERED, row, now + TELL_WITHIN, actor, now)


def settle(conn: Connection, actor: str, now: datetime) -> int:
    """Notice which confirmations left in writing, and which of those came back; return how many changed.

    One that came back confirms nothing: it is said again on the next channel, and the work is due as before.
    """
    left_at = _left_at()
    standing = select(complaint, left_at.label("left_at")).where(is_open)
    fresh = conn.execute(standing.where(complaint.c.confirmed_at.is_(None), left_at.is_not(None))).all()
    for row in fresh:
        _confirmed(conn, row, row.left_at, actor, now)
    gone = conn.execute(standing.where(complaint.c.confirmed_by == actor, left_at.is_(None))).all()
    for row in gone:
        _unconfirmed(conn, row)
    return len(fresh) + len(gone)


def undo_received(conn: Connection, row: AnyRow, actor: str, now: datetime) -> None:
    """Take back a complaint that was none: its pause is lifted and its work closed."""
    _check_open(row)
    _end(conn, row, UNDONE, None, actor, now)


def undo_confirmed(conn: Connection, row: AnyRow) -> None:
    """Take back that somebody confirmed receipt by themselves; what left by itself can't be taken back."""
    _check_open(row)
    if row.confirmed_by is None or row.confirmed_by.startswith("job:"):
        raise Refused("no person noted that confirmation: a message that left can't be taken back")
    _unconfirmed(conn, row)


def undo_answered(conn: Connection, row: AnyRow, actor: str, now: datetime) -> None:
    """Open a complaint again: what it is about is paused again, and an answer not told yet is dropped."""
    if row.outcome not in OUTCOMES:
        raise Refused("that complaint is open, or was taken back")
    opened = {"outcome": "", "answered_at": None, "answered_by": None, "answer_content_id": None}
    conn.execute(update(complaint).where(complaint.c.id == row.id).values(**opened))
    conn.execute(update(stop).where(stop.c.id == row.stop_id).values(lifted_at=None, lifted_by=None))
    paused = conn.execute(select(stop).where(stop.c.id == row.stop_id)).one()
    reasons = [paused.kind, paused.scope, "again", paused.pseudonym]
    log.append(conn, [stop_entry("stop_set", conn, paused, actor, now, reasons)])
    _forget(conn, ANSWERED, row, UNDONE, now)
    if row.confirmed_at is None:
        _tell_again(conn, row)
    done = select(task).where(task.c.kind == "complaint", task.c.subject == row.pseudonym)
    for work in conn.execute(done.order_by(task.c.id.desc()).limit(1)).all():
        reopen(conn, work, actor, now)


def _days(new: Complaint, now: datetime) -> tuple[datetime, date]:
    """Return when it came in, and the last day for the answer."""
    today = civil_today(now)
    on = new.received_on or today
    if on > today:
        msg = f"--received-on: {on} is yet to come; expected today or earlier"
        raise UsageError(msg)
    last = new.answer_by_on or max(on + timedelta(days=ANSWER_DAYS), today)
    if last < today:
        msg = f"--answer-by: {last} has passed; expected a day from today on"
        raise UsageError(msg)
    return min(now, closing_of(on)), last


def _check_open(row: AnyRow) -> None:
    if row.outcome:
        msg = f"complaint {row.pseudonym[:8]} is closed already: {row.outcome}"
        raise Refused(msg)


def _pause(conn: Connection, row: dict[str, Any], actor: str, now: datetime) -> int:
    """Stop asking for what the complaint is about, for everybody who owes it; return the stop's key."""
    is_claim = row["claim_id"] is not None
    new = NewStop(
        kind="complaint",
        scope="claim" if is_claim else "dossier",
        claim_id=row["claim_id"],
        dossier_id=None if is_claim else row["dossier_id"],
        reason_code=row["cause"],
        department=_department(row["owner"]),
        answer_by_on=row["answer_by_on"],
        content_id=row["content_id"],
    )
    pseudonym = set_stop(conn, new, actor, now)
    return int(conn.execute(select(stop.c.id).where(stop.c.pseudonym == pseudonym)).scalar_one())


def _department(owner: str) -> str:
    """Return the department that has it; a person's name is not told to others."""
    return owner.removeprefix(_DEPARTMENT) if owner.startswith(_DEPARTMENT) else ""


def _open_work(conn: Connection, row: AnyRow, actor: str, now: datetime) -> None:
    """Open its work: due when receipt must be confirmed, and once it was, when the answer is due."""
    new = NewTask(
        kind="complaint",
        subject=row.pseudonym,
        due_at=min(row.confirm_by_at, closing_of(row.answer_by_on)),
        owner=row.owner,
        dossier_id=row.dossier_id,
        person_id=row.person_id,
        reason_code=row.cause,
        department=_department(row.owner),
        content_id=row.content_id,
    )
    open_task(conn, new, actor, now)


def _end(
    conn: Connection, row: AnyRow, outcome: str, content_id: str | None, actor: str, now: datetime
) -> None:
    pseudonym = conn.execute(select(stop.c.pseudonym).where(stop.c.id == row.stop_id)).scalar_one()
    lift_stop(conn, pseudonym, actor, now, [outcome])
    ended = {"outcome": outcome, "answered_at": now, "answered_by": actor, "answer_content_id": content_id}
    conn.execute(update(complaint).where(complaint.c.id == row.id).values(**ended))
    finish_subject(conn, "complaint", row.pseudonym, outcome, actor, now, content_id)


def _confirmed(conn: Connection, row: AnyRow, at: datetime, actor: str, now: datetime) -> None:
    conn.execute(
        update(complaint).where(complaint.c.id == row.id).values(confirmed_at=at, confirmed_by=actor)
    )
    _work_due(conn, row, closing_of(row.answer_by_on))
    _log(conn, "complaint_confirmed", row, [], actor, now)


def _unconfirmed(conn: Connection, row: AnyRow) -> None:
    conn.execute(
        update(complaint).where(complaint.c.id == row.id).values(confirmed_at=None, confirmed_by=None)
    )
    _work_due(conn, row, min(row.confirm_by_at, closing_of(row.answer_by_on)))
    _tell_again(conn, row)


def _work_due(conn: Connection, row: AnyRow, due_at: datetime) -> None:
    work = select(task).where(
        task.c.kind == "complaint", task.c.subject == row.pseudonym, task.c.closed_at.is_(None)
    )
    for one in conn.execute(work).all():
        postpone(conn, one, due_at)


def _left_at() -> ScalarSelect[Any]:
    """Return when a confirmation of the complaint in the row left in writing, as far as is known."""
    return (
        select(func.min(attempt.c.handed_over_at))
        .join(message, message.c.id == attempt.c.message_id)
        .join(service_message, service_message.c.id == message.c.service_message_id)
        .where(
            service_message.c.template == RECEIVED,
            service_message.c.stop_id == complaint.c.stop_id,
            attempt.c.channel.in_(WRITTEN),
            attempt.c.state.in_(HANDED_OVER),
        )
        .correlate(complaint)
        .scalar_subquery()
    )


def _tell(
    conn: Connection, template: str, row: AnyRow, until_at: datetime, actor: str, now: datetime
) -> None:
    """Ask to tell who complained, once: in a currency of what it is about, for no amount is named."""
    asked = conn.execute(
        select(func.count()).select_from(service_message).where(_wish(template, row))
    ).scalar_one()
    of_it = claim.c.id == row.claim_id if row.claim_id else claim.c.dossier_id == row.dossier_id
    currency = conn.execute(
        select(claim.c.currency).where(of_it).order_by(claim.c.id.desc()).limit(1)
    ).scalar()
    if currency is None:
        return
    wish = Wish(
        template=template,
        purpose="confirmation",
        # A complaint is answered anew where its first answer was taken back.
        subject=f"{row.pseudonym}:{asked}" if asked else row.pseudonym,
        dossier_id=row.dossier_id,
        person_id=row.person_id,
        currency=currency,
        until_at=until_at,
        stop_id=row.stop_id,
    )
    ask(conn, [wish], actor, now)


def _wish(template: str, row: AnyRow) -> ColumnElement[bool]:
    return and_(service_message.c.template == template, service_message.c.stop_id == row.stop_id)


def _tell_again(conn: Connection, row: AnyRow) -> None:
    """Let the confirmation go out after all."""
    closed = update(service_message).where(_wish(RECEIVED, row))
    conn.execute(closed.values(closed_at=None, closed_code=""))


def _forget(conn: Connection, template: str, row: AnyRow, closing: str, now: datetime) -> None:
    """Drop what is still to be told."""
    untold = update(service_message).where(_wish(template, row), service_message.c.closed_at.is_(None))
    conn.execute(untold.values(closed_at=now, closed_code=closing))


def _log(
    conn: Connection,
    type_: str,
    row: AnyRow,
    reasons: Sequence[str],
    actor: str,
    now: datetime,
    content_id: str | None = None,
) -> None:
    where = dossier_by_id(conn, row.dossier_id)
    entry = log.Entry(
        type=type_,
        at=now,
        actor=actor,
        person=person_by_id(conn, row.person_id).pseudonym,
        dossier=where.pseudonym,
        creditor=where.creditor,
        content_id=content_id,
        reasons=(*reasons, row.pseudonym),
    )
    log.append(conn, [entry])
