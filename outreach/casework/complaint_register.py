"""The register of complaints: find one, list the open ones, and which are late."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, select

from outreach.casework.days import civil_today, closing_of
from outreach.casework.targets import claim, creditor, debtor, dossier, person
from outreach.errors import NotFound
from outreach.store.tables.law import Complaint
from outreach.store.types import AnyRow, table_of

complaint = table_of(Complaint)

STATES = ("open", "late", "all")

is_open: ColumnElement[bool] = complaint.c.outcome == ""


def late_to_confirm(now: datetime) -> ColumnElement[bool]:
    """Return the condition for complaints whose receipt should have been confirmed by now."""
    return and_(is_open, complaint.c.confirmed_at.is_(None), complaint.c.confirm_by_at <= now)


def late_to_answer(now: datetime) -> ColumnElement[bool]:
    """Return the condition for complaints that should have been answered by now: at closing time of the last day."""
    today = civil_today(now)
    last = complaint.c.answer_by_on
    return and_(is_open, last <= today if now >= closing_of(today) else last < today)


def complaint_of(conn: Connection, beginning: str) -> AnyRow:
    """Return a complaint by its random id or the beginning of it, locked; raises NotFound."""
    query = select(complaint).where(complaint.c.pseudonym.startswith(beginning, autoescape=True)).limit(2)
    rows = conn.execute(query.with_for_update()).all() if beginning else []
    if len(rows) != 1:
        msg = f"there is no single complaint {beginning!r} (outreach complaint list shows them)"
        raise NotFound(msg)
    return rows[0]


def complaints(
    conn: Connection,
    state: str,
    now: datetime,
    creditor_id: int | None = None,
    limit: int = 200,
    key: int | None = None,
) -> list[AnyRow]:
    """Return the open complaints, those that are late, all, or one; what is due first stands first."""
    query = (
        select(
            complaint,
            creditor.c.code.label("creditor"),
            debtor.c.external_id.label("debtor"),
            person.c.pseudonym.label("person"),
            claim.c.invoice_number,
        )
        .join(creditor, creditor.c.id == complaint.c.creditor_id)
        .join(person, person.c.id == complaint.c.person_id)
        .outerjoin(dossier, dossier.c.id == complaint.c.dossier_id)
        .outerjoin(debtor, debtor.c.id == dossier.c.debtor_id)
        .outerjoin(claim, claim.c.id == complaint.c.claim_id)
        .order_by(complaint.c.answer_by_on, complaint.c.id)
    )
    if state == "open":
        query = query.where(is_open)
    if state == "late":
        query = query.where(late_to_confirm(now) | late_to_answer(now))
    if creditor_id is not None:
        query = query.where(complaint.c.creditor_id == creditor_id)
    if key is not None:
        query = query.where(complaint.c.id == key)
    return list(conn.execute(query.limit(limit)))
