"""Credit a claim by hand: a row of its own, never an edit of what was invoiced."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert

from outreach.casework.days import civil_today
from outreach.casework.open_claims import claim_fact
from outreach.casework.owed import allocation
from outreach.casework.targets import ClaimRef
from outreach.claims.allocation import ClaimPart, place
from outreach.claims.amounts import open_cents
from outreach.correspondence import log
from outreach.errors import Refused
from outreach.store.tables.claims import Payment
from outreach.store.types import table_of

payment = table_of(Payment)


def credit(
    conn: Connection, which: ClaimRef, cents: int, external_id: str, reason: str, actor: str, now: datetime
) -> int:
    """Credit so many cents of a claim from today on; return the booking's inner key.

    Raises Refused for more than is open: what is over would lie unplaced and pause the dossier.
    """
    fact = claim_fact(conn, which.id, now)
    if cents > open_cents(fact):
        msg = f"only {shown(open_cents(fact), which.currency)} is open of claim {which.invoice_number!r}"
        raise Refused(msg)
    placed = place(cents, [ClaimPart(which.id, fact.due_on, open_cents(fact))])
    today = civil_today(now)
    row = {
        "creditor_id": which.dossier.creditor_id,
        "external_id": external_id,
        "kind": "credit_note",
        "booked_on": today,
        "amount_cents": cents,
        "unplaced_cents": placed.unplaced_cents,
        "currency": which.currency,
        "debtor_id": which.dossier.debtor_id,
        "reference": "",
        "reason_code": reason,
    }
    key = int(conn.execute(insert(payment).values(**row).returning(payment.c.id)).scalar_one())
    parts = [
        {"payment_id": key, "claim_id": claim_id, "booked_on": today, "amount_cents": part}
        for claim_id, part in placed.parts.items()
    ]
    conn.execute(insert(allocation), parts)
    entry = log.Entry(
        type="payment_booked",
        at=now,
        actor=actor,
        dossier=which.dossier.pseudonym,
        creditor=which.dossier.creditor,
        reasons=("credit_note", reason, f"payment:{key}"),
    )
    log.append(conn, [entry])
    return key


def shown(cents: int, currency: str) -> str:
    """Return an amount for a message to a person at work."""
    return f"{currency} {cents / 100:.2f}"
