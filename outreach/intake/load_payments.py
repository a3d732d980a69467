"""Take a batch of payments rows in, in one transaction and with a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from outreach.intake.bookings import OPEN_ITEMS, Booking, booking_of
from outreach.intake.load_bookings import take_bookings
from outreach.intake.load_creditors import EXPECTED, resolve, the_only_one
from outreach.intake.report import Fared
from outreach.intake.rows import PaymentKind, PaymentRow
from outreach.intake.run import Terms

_LENGTHS = {"payment_id": 100, "reverses_id": 100, "reason_code": 40}


@dataclass(slots=True)
class PaymentsTaken(Fared):
    """How a batch of payments fared; `waiting` are lines of reversals of what is not known yet."""

    creditors: dict[str, int] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)


def take_payments(
    conn: Connection,
    file: str,
    rows: Sequence[tuple[int, PaymentRow]],
    terms: Terms,
    known: Mapping[str, int],
    *,
    is_last: bool,
) -> PaymentsTaken:
    """Write what is new of these rows, refuse what contradicts."""
    taken = PaymentsTaken()
    only = the_only_one(conn) if any(row.creditor is None for _, row in rows) else None
    codes = {code for _, row in rows if (code := row.creditor or only)}
    taken.creditors = resolve(conn, codes, known, is_trial=terms.is_trial)
    bookings: list[Booking] = []
    for line, row in rows:
        creditor_id = taken.creditors.get(row.creditor or only or "")
        if creditor_id is None:
            expected = (
                EXPECTED if row.creditor else "a value: there is more than one creditor (--creditor CODE)"
            )
            taken.refuse(file, line, "creditor", row.creditor or "", expected)
        elif not _is_unfit(taken, file, line, row):
            bookings.append(booking_of(line, row, creditor_id))
    if bookings:
        taken.waiting = take_bookings(conn, file, bookings, terms, taken, is_last=is_last)
    return taken


def _is_unfit(taken: Fared, file: str, line: int, row: PaymentRow) -> bool:
    for name, length in _LENGTHS.items():
        if len(getattr(row, name) or "") > length:
            taken.refuse(file, line, name, getattr(row, name), f"at most {length} characters")
            return True
    if row.reason_code == OPEN_ITEMS:
        expected = "another word: this one marks what a list of open items booked"
        taken.refuse(file, line, "reason_code", row.reason_code, expected)
        return True
    if row.kind is PaymentKind.REVERSAL and row.reverses_id is None:
        taken.refuse(file, line, "reverses_id", "", "the payment_id of the booking that is taken back")
        return True
    return False
