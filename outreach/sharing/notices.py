"""Who was told something that has changed since: exactly those who received an affected field (GDPR art. 19)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from outreach.casework.days import civil_today, closing_of, working_day
from outreach.casework.edits import edit
from outreach.casework.owed import allocation, stop
from outreach.casework.targets import claim, dossier_by_id, party
from outreach.casework.tasks import NewTask, finish_subject, open_task
from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.sharing import tables
from outreach.sharing.agreements import agreement
from outreach.sharing.fields import CORRECTED, PAID
from outreach.sharing.ledger import disclosure, entry
from outreach.store.types import AnyRow, new_id, table_of

notice = table_of(tables.RecipientNotice)

TELL_WITHIN = 5
"""Working days within which a recipient is told."""
OUTCOMES = ("told", "acknowledged", "impossible", "disproportionate")
"""How telling a recipient ended; the last two are the exceptions of art. 19."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed after a disclosure. `fields` are the shared fields it affects; None is all of them."""

    kind: str
    about: str
    fields: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Received:
    """A disclosure, and those of its fields that nothing later told the same recipient anew."""

    row: AnyRow
    fields: frozenset[str]


def noticed(conn: Connection, actor: str, now: datetime) -> list[str]:
    """Find what changed since each disclosure, and ask for every recipient to be told; return the new notices.

    It may run as often as one likes: what was noticed once is not noticed again.
    """
    made: list[str] = []
    for one in _received(conn):
        row = one.row
        for change in (*_corrections(conn, row), *_restrictions(conn, row, now), *_bookings(conn, row)):
            made += _ask(conn, one, change, actor, now)
    return made


def erased(
    conn: Connection, person_id: int, about: str, fields: Iterable[str], actor: str, now: datetime
) -> list[str]:
    """Ask for every recipient of these fields of a person to be told that they must go; return the new notices."""
    change = Change("erased", about, frozenset(fields))
    found = [one for one in _received(conn) if one.row.person_id == person_id]
    return [made for one in found for made in _ask(conn, one, change, actor, now)]


def _ask(conn: Connection, received: Received, change: Change, actor: str, now: datetime) -> list[str]:
    """Ask for the recipient of one disclosure to be told, where it received an affected field, and once."""
    row = received.row
    fields = received.fields if change.fields is None else received.fields & change.fields
    known = select(notice.c.id).where(
        notice.c.disclosure_id == row.id, notice.c.kind == change.kind, notice.c.about == change.about
    )
    if not fields or conn.execute(known).first() is not None:
        return []
    pseudonym = new_id()
    values = {
        "pseudonym": pseudonym,
        "disclosure_id": row.id,
        "kind": change.kind,
        "about": change.about,
        "fields": json.dumps(sorted(fields)),
        "asked_at": now,
        "outcome_code": "",
    }
    conn.execute(insert(notice).values(**values))
    where = dossier_by_id(conn, row.dossier_id)
    reasons = [change.kind, change.about, f"notice:{pseudonym}", f"disclosure:{row.pseudonym}"]
    log.append(conn, [entry("recipient_notice", where, reasons, actor, now)])
    work = NewTask(
        kind="recipient_notice",
        subject=pseudonym,
        due_at=closing_of(working_day(civil_today(now), TELL_WITHIN)),
        dossier_id=row.dossier_id,
        person_id=row.person_id,
        reason_code=change.kind,
    )
    open_task(conn, work, actor, now)
    return [pseudonym]


def tell(conn: Connection, beginning: str, outcome: str, actor: str, now: datetime) -> AnyRow:
    """Keep how telling a recipient ended, and close its work; raises Refused where it was ended already."""
    if outcome not in OUTCOMES:
        msg = f"--outcome: {outcome!r}; expected one of {', '.join(OUTCOMES)}"
        raise UsageError(msg)
    query = select(notice).where(notice.c.pseudonym.startswith(beginning, autoescape=True)).limit(2)
    rows = conn.execute(query.with_for_update()).all() if beginning else []
    if len(rows) != 1:
        msg = f"there is no single notice {beginning!r} (outreach share notices lists them)"
        raise NotFound(msg)
    if rows[0].told_at is not None and not (rows[0].outcome_code == "told" and outcome == "acknowledged"):
        msg = f"notice {rows[0].pseudonym[:8]} ended already: {rows[0].outcome_code}"
        raise Refused(msg)
    _end(conn, rows[0], outcome, actor, now)
    return rows[0]


def tell_all(conn: Connection, disclosure_id: int, outcome: str, actor: str, now: datetime) -> None:
    """End every notice of a disclosure that waits: what took its place has told all of it."""
    query = select(notice).where(notice.c.disclosure_id == disclosure_id, notice.c.told_at.is_(None))
    for row in conn.execute(query.with_for_update()).all():
        _end(conn, row, outcome, actor, now)


def notices(conn: Connection, *, all_of_them: bool = False) -> list[AnyRow]:
    """Return the notices that wait, or all, with whom they are for."""
    query = (
        select(
            notice,
            agreement.c.recipient,
            agreement.c.code.label("agreement"),
            disclosure.c.pseudonym.label("disclosure"),
            disclosure.c.dossier_id,
        )
        .join(disclosure, disclosure.c.id == notice.c.disclosure_id)
        .join(agreement, agreement.c.id == disclosure.c.agreement_id)
        .order_by(notice.c.id)
    )
    if not all_of_them:
        query = query.where(notice.c.told_at.is_(None))
    return list(conn.execute(query))


def _end(conn: Connection, row: AnyRow, outcome: str, actor: str, now: datetime) -> None:
    done = {"told_at": now, "told_by": actor, "outcome_code": outcome}
    conn.execute(update(notice).where(notice.c.id == row.id).values(**done))
    finish_subject(conn, "recipient_notice", row.pseudonym, outcome, actor, now)
    key = select(disclosure.c.dossier_id).where(disclosure.c.id == row.disclosure_id)
    where = dossier_by_id(conn, conn.execute(key).scalar_one())
    log.append(conn, [entry("recipient_told", where, [outcome, f"notice:{row.pseudonym}"], actor, now)])


def _received(conn: Connection) -> list[Received]:
    """Return what recipients have: each shared field with the disclosure that told it last, and nothing taken back."""
    rows = conn.execute(
        select(disclosure, agreement.c.recipient, agreement.c.recipient_kind, agreement.c.purpose)
        .join(agreement, agreement.c.id == disclosure.c.agreement_id)
        .where(disclosure.c.dossier_id.is_not(None))
        .order_by(disclosure.c.id.desc())
    )
    found = []
    later: dict[tuple[Any, ...], set[str] | None] = {}
    for row in rows:
        whose = (row.dossier_id, row.recipient_kind, row.recipient, row.purpose)
        told = later.setdefault(whose, set())
        if told is None or row.kind == "withdrawal":
            later[whose] = None
            continue
        fields = frozenset(json.loads(row.fields)) - told
        told |= fields
        found.append(Received(row, fields))
    return list(reversed(found))


def _corrections(conn: Connection, row: AnyRow) -> Iterator[Change]:
    """Yield the corrections since, of the persons in the disclosure and its claims; also those taken back.

    A trial's clock may stand still: of two things at one moment the correction counts as the later one.
    """
    persons = select(party.c.person_id).where(party.c.dossier_id == row.dossier_id)
    claims = select(claim.c.id).where(claim.c.dossier_id == row.dossier_id)
    of_person = edit.c.entity_id == row.person_id
    if row.kind != "early_signal":
        of_person = or_(of_person, edit.c.entity_id.in_(persons))
    query = select(edit).where(
        or_(
            (edit.c.entity == "person") & of_person, (edit.c.entity == "claim") & edit.c.entity_id.in_(claims)
        ),
        or_(edit.c.at >= row.at, edit.c.withdrawn_at >= row.at),
    )
    for one in conn.execute(query.order_by(edit.c.id)):
        fields = frozenset(CORRECTED.get((one.entity, one.field), ()))
        if one.at >= row.at:
            yield Change("rectified", f"edit:{one.id}", fields)
        elif one.withdrawn_at is not None:
            yield Change("rectified", f"edit:{one.id}:withdrawn", fields)


def _restrictions(conn: Connection, row: AnyRow, now: datetime) -> Iterator[Change]:
    """Yield the restrictions since, of the person, the dossier or one of its claims: of all that was shared."""
    claims = select(claim.c.id).where(claim.c.dossier_id == row.dossier_id)
    query = select(stop.c.pseudonym).where(
        stop.c.kind == "restriction",
        or_(
            stop.c.person_id == row.person_id,
            stop.c.dossier_id == row.dossier_id,
            stop.c.claim_id.in_(claims),
        ),
        stop.c.channel.is_(None),
        stop.c.from_at >= row.at,
        stop.c.from_at <= now,
        stop.c.lifted_at.is_(None),
    )
    for pseudonym in conn.execute(query.order_by(stop.c.id)).scalars():
        yield Change("restricted", pseudonym, None)


def _bookings(conn: Connection, row: AnyRow) -> Iterator[Change]:
    """Yield what was booked since; a reversal puts right what was told, and what a payment told."""
    claims = select(claim.c.id).where(claim.c.dossier_id == row.dossier_id)
    query = select(allocation.c.id, allocation.c.amount_cents).where(
        allocation.c.claim_id.in_(claims), allocation.c.id > row.upto_allocation_id
    )
    for one in conn.execute(query.order_by(allocation.c.id)):
        kind = "paid" if one.amount_cents > 0 else "rectified"
        yield Change(kind, f"allocation:{one.id}", frozenset(PAID))
