"""Disputes: what a debtor disagrees with waits for its department, the rest goes on; the answer ends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, or_, select, update

from outreach.casework.credits import credit, shown
from outreach.casework.days import civil_today, closing_of
from outreach.casework.open_claims import claim_fact, lock_claim
from outreach.casework.service import Wish, ask, service_message
from outreach.casework.stops import NewStop, lift_stop, set_stop, stop, stop_of
from outreach.casework.targets import ClaimRef, Named, claim, claim_by_id, claim_of, party, party_of, person
from outreach.casework.tasks import NewTask, finish_subject, finish_triaged, open_task
from outreach.casework.words import code, keep_text
from outreach.claims.amounts import asked_cents, open_cents
from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.store.types import AnyRow

ANSWER_DAYS = 14
"""Within so many days a dispute is answered, unless told otherwise."""
TELL_WITHIN = timedelta(days=7)

REJECTED, UPHELD, PARTLY = "rejected", "upheld", "partly"


@dataclass(frozen=True, slots=True)
class Dispute:
    """What is disputed. `cause` is a code; without an amount all that is open of the claim is disputed."""

    named: Named
    cause: str
    department: str
    amount_cents: int | None = None
    answer_by_on: date | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """How a dispute ended: what was credited, and what is open of the claim now."""

    stop: str
    word: str
    credited_cents: int
    open_cents: int
    currency: str


def add(conn: Connection, new: Dispute, actor: str, now: datetime) -> str:
    """Hold what is disputed, give it to its department and tell the debtor; return the stop's random id.

    Raises Refused where nothing is open, or all of it is disputed already, and UsageError for a wrong amount.
    """
    which = claim_of(conn, new.named)
    whose = party_of(conn, which.dossier, new.named, now)
    part = _part(conn, which, new.amount_cents, now)
    answer_by = new.answer_by_on or civil_today(now) + timedelta(days=ANSWER_DAYS)
    if answer_by < civil_today(now):
        msg = f"--answer-by: {answer_by} has passed; expected a day from today on"
        raise UsageError(msg)
    content_id = keep_text(conn, new.note, now)
    pseudonym = set_stop(
        conn,
        NewStop(
            kind="dispute",
            scope="claim" if part is None else "claim_part",
            claim_id=which.id,
            amount_cents=part,
            reason_code=code(new.cause, "--cause"),
            department=new.department,
            answer_by_on=answer_by,
            content_id=content_id,
        ),
        actor,
        now,
    )
    open_task(
        conn,
        NewTask(
            kind="dispute",
            subject=pseudonym,
            due_at=closing_of(answer_by),
            owner=f"department:{new.department}",
            dossier_id=which.dossier.id,
            person_id=whose.person_id,
            currency=which.currency,
            reason_code=new.cause,
            department=new.department,
            content_id=content_id,
        ),
        actor,
        now,
    )
    finish_triaged(conn, which.dossier.id, whose.person_id, actor, now)
    _tell(conn, "dispute_received", pseudonym, which, whose.person_id, actor, now)
    return pseudonym


def decide(
    conn: Connection,
    row: AnyRow,
    word: str,
    amount_cents: int | None,
    note: str | None,
    actor: str,
    now: datetime,
) -> Decided:
    """Answer a dispute: credit what was right, lift the stop so that the ladder resumes, tell the debtor.

    `amount_cents` is what is credited of a dispute that is upheld in part. Raises Refused where the dispute was
    decided already or more would be credited than is open.
    """
    if row.kind != "dispute" or row.lifted_at is not None:
        msg = f"stop {row.pseudonym[:8]} is no dispute that waits for its answer"
        raise Refused(msg)
    if row.claim_id is None:
        msg = f"dispute {row.pseudonym[:8]} names no claim to credit: lift it with outreach stop lift"
        raise Refused(msg)
    which = claim_by_id(conn, row.claim_id)
    lock_claim(conn, which.id)
    lift_stop(conn, row.pseudonym, actor, now, [word])
    fact = claim_fact(conn, which.id, now)
    cents = _credited(row, word, amount_cents, open_cents(fact), which)
    if cents:
        credit(conn, which, cents, f"dispute:{row.pseudonym}", "dispute_upheld", actor, now)
    finish_subject(conn, "dispute", row.pseudonym, word, actor, now, keep_text(conn, note, now))
    _resume(conn, which, actor, now)
    told = _told(conn, which, row, now)
    _tell(conn, "dispute_answered", row.pseudonym, which, told, actor, now)
    return Decided(row.pseudonym, word, cents, open_cents(fact) - cents, which.currency)


def _resume(conn: Connection, which: ClaimRef, actor: str, now: datetime) -> None:
    """Let those whom a call had sent to a department go on, once it has answered all that they disagreed with."""
    waits = (
        select(stop.c.id)
        .join(claim, claim.c.id == stop.c.claim_id)
        .where(
            claim.c.dossier_id == which.dossier.id,
            stop.c.kind == "dispute",
            stop.c.lifted_at.is_(None),
            or_(stop.c.until_at.is_(None), stop.c.until_at > now),
        )
    )
    if conn.execute(waits.limit(1)).first() is not None:
        return
    there = (party.c.dossier_id == which.dossier.id, party.c.triage == "department")
    rows = conn.execute(
        select(person.c.pseudonym).join(party, party.c.person_id == person.c.id).where(*there)
    ).all()
    conn.execute(update(party).where(*there).values(triage="open"))
    log.append(
        conn,
        [
            log.Entry(
                type="triaged",
                at=now,
                actor=actor,
                person=row.pseudonym,
                dossier=which.dossier.pseudonym,
                creditor=which.dossier.creditor,
                reasons=("open",),
            )
            for row in rows
        ],
    )


def dispute_of(conn: Connection, beginning: str | None, named: Named) -> AnyRow:
    """Return the dispute that is meant: by its stop's id, or the only one in force on the claim that is named."""
    if beginning is not None:
        return stop_of(conn, beginning)
    which = claim_of(conn, named)
    query = select(stop).where(
        stop.c.claim_id == which.id, stop.c.kind == "dispute", stop.c.lifted_at.is_(None)
    )
    rows = conn.execute(query.with_for_update()).all()
    if not rows:
        msg = f"there is no dispute about claim {which.invoice_number!r} that waits for its answer"
        raise NotFound(msg)
    if len(rows) > 1:
        ids = ", ".join(row.pseudonym[:8] for row in rows)
        msg = f"{len(rows)} parts of {which.invoice_number!r} are disputed: name one by its id ({ids})"
        raise UsageError(msg)
    return rows[0]


def _part(conn: Connection, which: ClaimRef, amount_cents: int | None, now: datetime) -> int | None:
    """Return which part is disputed, None for all of it; all that is left of an unheld claim is all of it."""
    lock_claim(conn, which.id)
    fact = claim_fact(conn, which.id, now)
    if open_cents(fact) <= 0:
        msg = f"nothing is open of claim {which.invoice_number!r}: there is nothing to dispute"
        raise Refused(msg)
    standing = select(stop.c.id).where(
        stop.c.claim_id == which.id,
        stop.c.kind == "dispute",
        stop.c.scope == "claim",
        stop.c.lifted_at.is_(None),
        or_(stop.c.until_at.is_(None), stop.c.until_at > now),
    )
    left = asked_cents(fact)
    if conn.execute(standing).first() is not None or left <= 0:
        msg = f"all of claim {which.invoice_number!r} is disputed already"
        raise Refused(msg)
    if amount_cents is None:
        return None if left == open_cents(fact) else left
    if not 0 < amount_cents <= left:
        msg = (
            f"--amount: expected more than 0 and at most {shown(left, which.currency)}, what is open of "
            f"{which.invoice_number!r} and not disputed yet"
        )
        raise UsageError(msg)
    return None if amount_cents == open_cents(fact) else amount_cents


def _credited(row: AnyRow, word: str, amount_cents: int | None, there: int, which: ClaimRef) -> int:
    """Return what is credited; raises UsageError or Refused for more than is disputed or open."""
    disputed = row.amount_cents if row.amount_cents is not None else there
    if word == REJECTED:
        return 0
    cents = disputed if word == UPHELD else (amount_cents or 0)
    if word == PARTLY and not 0 < cents < disputed:
        msg = f"--partly: expected more than 0 and less than {shown(disputed, which.currency)}, what is disputed"
        raise UsageError(msg)
    if not 0 < cents <= there:
        msg = (
            f"{shown(cents, which.currency)} can't be credited: {shown(max(there, 0), which.currency)} is open of "
            f"{which.invoice_number!r}. Credit what is open with --partly, or decide --rejected, and import the "
            "credit note of your bookkeeping for the rest"
        )
        raise Refused(msg)
    return cents


def _told(conn: Connection, which: ClaimRef, row: AnyRow, now: datetime) -> int:
    """Return who is told the answer: the one who was told that the dispute was received, else the debtor."""
    told = select(service_message.c.person_id).where(
        service_message.c.template == "dispute_received", service_message.c.subject == row.pseudonym
    )
    person_id = conn.execute(told).scalar()
    return person_id if person_id is not None else int(party_of(conn, which.dossier, Named(), now).person_id)


def forget_answer(conn: Connection, stop_id: int, now: datetime) -> None:
    """Drop an answer that was taken back before it was told."""
    untold = update(service_message).where(
        service_message.c.stop_id == stop_id,
        service_message.c.template == "dispute_answered",
        service_message.c.closed_at.is_(None),
    )
    conn.execute(untold.values(closed_at=now, closed_code="undone"))


def _tell(
    conn: Connection,
    template: str,
    pseudonym: str,
    which: ClaimRef,
    person_id: int,
    actor: str,
    now: datetime,
) -> None:
    stop_id = conn.execute(select(stop.c.id).where(stop.c.pseudonym == pseudonym)).scalar_one()
    asked = select(func.count()).where(
        service_message.c.stop_id == stop_id, service_message.c.template == template
    )
    # A dispute is answered anew where its first answer was taken back.
    again = conn.execute(asked).scalar_one()
    wish = Wish(
        template=template,
        purpose="confirmation",
        subject=f"{pseudonym}:{again}" if again else pseudonym,
        dossier_id=which.dossier.id,
        person_id=person_id,
        currency=which.currency,
        until_at=now + TELL_WITHIN,
        stop_id=stop_id,
    )
    ask(conn, [wish], actor, now)
