"""A reversed direct debit is a signal: the claim is open again, and something is wrong at the debtor's bank."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from outreach.correspondence import log
from outreach.intake.bookings import Booking
from outreach.intake.ledger import claim, dossier
from outreach.store.tables.claims import Signal
from outreach.store.types import table_of

signal = table_of(Signal)

REVERSED = "direct_debit_reversed"
TOLD_BY = frozenset({REVERSED, "direct_debit", "storno"})
BANK_CODES = frozenset(
    {"AC01", "AC04", "AC06", "AC13", "AG01", "AG02", "AM04", "AM05", "BE05", "FF05", "MD01", "MD06", "MS02"}
    | {"MS03", "RC01", "RR01", "RR02", "RR03", "RR04", "SL01"}
)
"""Why a bank sends a direct debit back: the codes of ISO 20022 (ExternalReturnReason1Code) that the SEPA core direct
debit rulebook uses. MD07, the end customer is deceased, is no matter of money and is left out."""


def signal_reversals(conn: Connection, bookings: Sequence[Booking], now: datetime, actor: str) -> None:
    """Set a signal on each claim that a reversed direct debit opened again, once a day.

    It is one where the claim is collected by direct debit, or where the reversal's reason code says so. What a list
    of open items takes back is none: nobody says why it is open again.
    """
    told = {
        claim_id: booking
        for booking in bookings
        if booking.is_reversal and not booking.by_list and booking.reason_code.upper() != "MD07"
        for claim_id in booking.parts
    }
    if not told:
        return
    query = (
        select(claim.c.id, claim.c.dossier_id, claim.c.direct_debit, dossier.c.pseudonym)
        .join(dossier, dossier.c.id == claim.c.dossier_id)
        .where(claim.c.id.in_(told))
        .order_by(claim.c.id)
    )
    rows = [row for row in conn.execute(query) if row.direct_debit or _tells_so(told[row.id].reason_code)]
    if not rows:
        return
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    conn.execute(
        build(signal).on_conflict_do_nothing(),
        [
            {
                "kind": REVERSED,
                "dossier_id": row.dossier_id,
                "claim_id": row.id,
                "on_date": told[row.id].booked_on,
                "set_by": actor,
                "at": now,
            }
            for row in rows
        ],
    )
    log.append(
        conn,
        [
            log.Entry(type="signal_set", at=now, actor=actor, dossier=pseudonym, reasons=(REVERSED,))
            for pseudonym in dict.fromkeys(row.pseudonym for row in rows)
        ],
    )


def _tells_so(reason_code: str) -> bool:
    return reason_code.lower() in TOLD_BY or reason_code.upper() in BANK_CODES
