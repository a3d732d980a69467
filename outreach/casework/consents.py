"""Take down what people say about the use of their data: consent, withdrawal, objection and restriction.

Each is a row that is only ever added, with its entry and its receipt. What it forbids is a stop, set in the same
transaction, so that it holds at once, also for what is queued.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, insert, or_, select

from consent.record import PURPOSES, REFUSABLE, RESTRICTIONS, Event, EventKind, Status, receipt, status
from outreach.casework.days import civil_today, closing_of
from outreach.casework.grounds import name_of
from outreach.casework.stops import NewStop, lift_stop, set_stop, stop, stop_of
from outreach.casework.targets import Named, creditor, creditor_of, dossiers_of, person_by_id, person_of
from outreach.casework.tasks import NewTask, finish_subject, open_task
from outreach.casework.words import code, keep_text
from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.store.tables.law import ConsentEvent
from outreach.store.types import AnyRow, new_id, table_of

consent_event = table_of(ConsentEvent)

DUNNING = "dunning"
METHODS = ("telephone", "letter", "email", "sms", "page", "counter")
CONFIRMED_AFTER = timedelta(hours=24)
"""A small office has nobody else: it decides once more after a night's sleep."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said: about which purpose, on which channel (None: every one), and how it reached us."""

    named: Named
    purpose: str
    method: str
    channel: str | None = None
    notice_hash: str = ""
    reason: str = ""
    note: str | None = None


def give(conn: Connection, said: Said, actor: str, now: datetime) -> str:
    """Take down a yes; raises UsageError for a purpose that does not rest on consent, or without a notice."""
    _expect_consent(said.purpose)
    if not said.notice_hash:
        raise UsageError("--notice: a yes counts only where it is known which privacy notice was shown")
    return _add(conn, EventKind.GIVEN, said, actor, now)


def withdraw(conn: Connection, said: Said, actor: str, now: datetime) -> str:
    """Take down a no: of consent for a purpose, or, of reminders, on one channel.

    A bill may be reminded of without consent, so a no to all reminders is an objection and has its own command.
    """
    if said.purpose != DUNNING:
        _expect_consent(said.purpose)
        return _add(conn, EventKind.WITHDRAWN, said, actor, now)
    if said.channel is None:
        msg = (
            "reminders of a bill rest on the contract, not on consent: name the --channel that is not wanted, or use "
            "outreach consent object"
        )
        raise UsageError(msg)
    who = person_of(conn, said.named)
    made = set_stop(
        conn,
        NewStop(
            "objection", "channel", person_id=who.id, channel=said.channel, reason_code="channel_not_wanted"
        ),
        actor,
        now,
    )
    return _add(conn, EventKind.WITHDRAWN, said, actor, now, stop_id=stop_of(conn, made).id)


def object_to(conn: Connection, said: Said, actor: str, now: datetime) -> list[str]:
    """Take down an objection: reminders stop at once, and somebody decides within a month (GDPR art. 21, 12(3)).

    Towards one creditor it stops that creditor's dossiers, one by one; without, the person as a whole.
    """
    who = person_of(conn, said.named)
    made = []
    for new in _meant(conn, said.named, "objection", who.id):
        pseudonym = set_stop(conn, new, actor, now)
        event = _add(conn, EventKind.OBJECTED, said, actor, now, stop_id=stop_of(conn, pseudonym).id)
        _open_work(conn, "objection", event, new.dossier_id, who.id, said.reason, actor, now)
        made.append(event)
    return made


def decide(
    conn: Connection,
    beginning: str,
    *,
    upheld: bool,
    reason: str,
    approved_by: str,
    note: str | None,
    actor: str,
    now: datetime,
) -> str:
    """Answer an objection: upheld, its stop stays; rejected, for a reason the law knows, its stop is lifted.

    A rejection takes two people; a small office decides again after 24 hours. Raises Refused without.
    """
    row = _unanswered(conn, beginning, EventKind.OBJECTED, "objection")
    if not upheld:
        if reason not in REFUSABLE:
            msg = f"--reason: an objection is rejected for one of {', '.join(REFUSABLE)}"
            raise UsageError(msg)
        _expect_second(conn, row, approved_by, actor, now)
        _lift_stop(conn, row, ["objection_rejected", reason], actor, now)
    said = Said(Named(), row.purpose, row.method, row.channel, reason=reason, note=note)
    kind = EventKind.OBJECTION_UPHELD if upheld else EventKind.OBJECTION_REJECTED
    made = _add(conn, kind, said, actor, now, about=row)
    finish_subject(conn, "objection", row.pseudonym, "upheld" if upheld else "rejected", actor, now, None)
    return made


def restrict(conn: Connection, said: Said, actor: str, now: datetime) -> list[str]:
    """Keep somebody's data and use it for nothing (GDPR art. 18), for one of the reasons that the law names.

    A task sees to it that somebody ends it: by itself a restriction would be silence for ever.
    """
    if said.reason not in RESTRICTIONS:
        msg = f"--reason: expected one of {', '.join(RESTRICTIONS)}"
        raise UsageError(msg)
    who = person_of(conn, said.named)
    made = []
    for new in _meant(conn, said.named, "restriction", who.id):
        pseudonym = set_stop(conn, new, actor, now)
        event = _add(conn, EventKind.RESTRICTED, said, actor, now, stop_id=stop_of(conn, pseudonym).id)
        _open_work(conn, "restriction", event, new.dossier_id, who.id, said.reason, actor, now)
        made.append(event)
    return made


def lift(conn: Connection, beginning: str, informed_on: date, actor: str, now: datetime) -> str:
    """End a restriction, after the person was told that it ends (GDPR art. 18(3))."""
    row = _unanswered(conn, beginning, EventKind.RESTRICTED, "restriction")
    if informed_on > civil_today(now):
        msg = f"--informed-on: {informed_on} is still to come; the person is told before the restriction ends"
        raise UsageError(msg)
    _lift_stop(conn, row, ["informed"], actor, now)
    said = Said(Named(), row.purpose, row.method, row.channel, reason="informed")
    made = _add(conn, EventKind.RESTRICTION_LIFTED, said, actor, now, about=row)
    finish_subject(conn, "restriction", row.pseudonym, "lifted", actor, now, None)
    return made


def events_of(conn: Connection, person_id: int) -> list[AnyRow]:
    """Return all that a person said, oldest first, with the code of the creditor it was said to."""
    query = (
        select(consent_event, creditor.c.code.label("creditor"))
        .outerjoin(creditor, creditor.c.id == consent_event.c.creditor_id)
        .where(consent_event.c.person_id == person_id)
    )
    return list(conn.execute(query.order_by(consent_event.c.at, consent_event.c.id)).all())


def status_of(
    conn: Connection, person_id: int, creditor_id: int, purpose: str, channel: str | None, now: datetime
) -> Status:
    """Return whether consent holds towards a creditor, on a channel, now."""
    query = select(consent_event).where(
        consent_event.c.person_id == person_id,
        or_(consent_event.c.creditor_id.is_(None), consent_event.c.creditor_id == creditor_id),
    )
    return status([_fact(row) for row in conn.execute(query)], purpose, channel, now)


def receipt_of(conn: Connection, beginning: str) -> dict[str, object]:
    """Return the receipt that was kept with what somebody said."""
    row = _event(conn, beginning)
    body = log.content_of(conn, row.content_id) if row.content_id else None
    if body is None:
        msg = f"the receipt of {row.pseudonym[:8]} was erased"
        raise NotFound(msg)
    found: dict[str, object] = json.loads(body)
    return found


def _add(
    conn: Connection,
    kind: EventKind,
    said: Said,
    actor: str,
    now: datetime,
    *,
    stop_id: int | None = None,
    about: AnyRow | None = None,
) -> str:
    """Write one fact with its receipt and its entry; return its random id."""
    if said.method not in METHODS:
        msg = f"--method: {said.method!r}; expected one of {', '.join(METHODS)}"
        raise UsageError(msg)
    who = person_by_id(conn, about.person_id) if about is not None else person_of(conn, said.named)
    whom = _creditor(conn, said.named) if about is None else _creditor_by_id(conn, about.creditor_id)
    event = Event(
        id=new_id(),
        kind=kind.value,
        purpose=said.purpose,
        at=now,
        channel=said.channel,
        notice_hash=said.notice_hash,
        method=said.method,
        answers=about.pseudonym if about is not None else None,
    )
    controller = whom.name if whom is not None else "every creditor of this installation"
    made = receipt(
        event, who.pseudonym, controller, "the same way, in one step; or any other way we can be reached"
    )
    content_id = new_id()
    log.keep(conn, [(content_id, "json", json.dumps(made, sort_keys=True).encode())], now)
    note_id = keep_text(conn, said.note, now)
    conn.execute(
        insert(consent_event).values(
            pseudonym=event.id,
            person_id=who.id,
            creditor_id=whom.id if whom is not None else None,
            kind=event.kind,
            purpose=event.purpose,
            channel=event.channel,
            at=now,
            method=event.method,
            notice_hash=event.notice_hash,
            answers=event.answers,
            stop_id=stop_id,
            reason_code=code(said.reason, "--reason") if said.reason else "",
            content_id=content_id,
            actor=actor,
        )
    )
    entry = log.Entry(
        type="consent_event",
        at=now,
        actor=actor,
        person=who.pseudonym,
        creditor=whom.code if whom is not None else None,
        channel=said.channel,
        content_id=note_id or content_id,
        reasons=(kind.value, said.purpose, *((said.reason,) if said.reason else ()), event.id),
    )
    log.append(conn, [entry])
    return event.id


def _meant(conn: Connection, named: Named, kind: str, person_id: int) -> Sequence[NewStop]:
    """Return the stops of what somebody said to one creditor, or to all."""
    if named.creditor is None:
        return [NewStop(kind, "person", person_id=person_id)]
    return [NewStop(kind, "dossier", dossier_id=one.id) for one in dossiers_of(conn, named)]


def _open_work(
    conn: Connection,
    kind: str,
    event: str,
    dossier_id: int | None,
    person_id: int,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """Open the work of answering, due within a month (GDPR art. 12(3))."""
    due_at = closing_of(_month_after(civil_today(now)))
    work = NewTask(kind, event, due_at, dossier_id=dossier_id, person_id=person_id, reason_code=reason)
    open_task(conn, work, actor, now)


def _unanswered(conn: Connection, beginning: str, kind: EventKind, word: str) -> AnyRow:
    """Return the fact that is to be answered; raises Refused for another kind, or one that was."""
    row = _event(conn, beginning)
    if row.kind != kind:
        msg = f"{row.pseudonym[:8]} is no {word}: it is of kind {row.kind}"
        raise Refused(msg)
    if conn.execute(select(consent_event.c.id).where(consent_event.c.answers == row.pseudonym)).first():
        msg = f"{word} {row.pseudonym[:8]} was answered already"
        raise Refused(msg)
    return row


def _lift_stop(conn: Connection, row: AnyRow, reasons: list[str], actor: str, now: datetime) -> None:
    held = conn.execute(select(stop).where(stop.c.id == row.stop_id)).one()
    if held.lifted_at is None:
        lift_stop(conn, held.pseudonym, actor, now, reasons)


def _expect_consent(purpose: str) -> None:
    if purpose not in PURPOSES:
        msg = f"--purpose: {purpose!r} does not rest on consent; expected one of {', '.join(PURPOSES)}"
        raise UsageError(msg)


def _expect_second(conn: Connection, row: AnyRow, approved_by: str, actor: str, now: datetime) -> None:
    if approved_by and name_of(approved_by) != name_of(actor):
        return
    whom = _creditor_by_id(conn, row.creditor_id)
    if whom is not None and whom.is_small_office:
        if now - row.at >= CONFIRMED_AFTER:
            return
        raise Refused("a small office decides this 24 hours after the objection came in, not sooner")
    raise Refused("an objection is rejected by two people: name a colleague (--approved-by NAME)")


def _creditor(conn: Connection, named: Named) -> AnyRow | None:
    return creditor_of(conn, named.creditor) if named.creditor is not None else None


def _creditor_by_id(conn: Connection, creditor_id: int | None) -> AnyRow | None:
    return conn.execute(select(creditor).where(creditor.c.id == creditor_id)).first() if creditor_id else None


def _event(conn: Connection, beginning: str) -> AnyRow:
    query = select(consent_event).where(consent_event.c.pseudonym.startswith(beginning, autoescape=True))
    rows = conn.execute(query.limit(2)).all()
    if len(rows) != 1:
        msg = f"there is no single fact {beginning!r} (outreach consent show lists them)"
        raise NotFound(msg)
    return rows[0]


def _fact(row: AnyRow) -> Event:
    return Event(
        id=row.pseudonym,
        kind=row.kind,
        purpose=row.purpose,
        at=row.at,
        channel=row.channel,
        notice_hash=row.notice_hash,
        method=row.method,
        answers=row.answers,
    )


def _month_after(on: date) -> date:
    """Return the same day of the next month, or its last day."""
    year, month = (on.year + 1, 1) if on.month == 12 else (on.year, on.month + 1)
    for day in range(on.day, 27, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    return date(year, month, min(on.day, 28))
