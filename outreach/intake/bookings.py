"""A booking on its way to the database: what a row says of money, and where it was placed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from outreach.intake.rows import ClaimRow, PaymentKind, PaymentRow

OPEN_ITEMS = "open_items"
"""The reason code of every booking that a list of open items made."""

_BETWEEN = re.compile(r"[\s,;|]+")
_AROUND = ".:()#'\"/"
_SHORTEST = 4
_MOST_WORDS = 20


@dataclass(slots=True)
class Booking:
    """One payment, credit, write-off or reversal.

    `parts` are the allocations to write, by claim; `left` what is still placed of it once reversals are taken off,
    and `unplaced` what lies on no claim. `payment_id` is known for a booking that is in the database already.
    """

    line: int
    creditor_id: int
    external_id: str
    kind: str
    booked_on: date
    amount: int
    currency: str
    claim_id: str | None = None
    invoice_number: str | None = None
    reference: str = ""
    words: tuple[str, ...] = ()
    debtor_number: str | None = None
    reverses_id: str | None = None
    reason_code: str = ""
    only_named: bool = False
    payment_id: int | None = None
    debtor_id: int | None = None
    parts: dict[int, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    unplaced: int = 0
    why: str = ""
    reversed: Booking | None = None
    task_id: int | None = None

    @property
    def key(self) -> tuple[int, str]:
        """The creditor and its number of the booking."""
        return self.creditor_id, self.external_id

    @property
    def by_list(self) -> bool:
        """Whether a list of open items made it."""
        return self.reason_code == OPEN_ITEMS

    @property
    def is_reversal(self) -> bool:
        """Whether it restores what another booking reduced."""
        return self.kind == PaymentKind.REVERSAL.value


def booking_of(line: int, row: PaymentRow, creditor_id: int) -> Booking:
    """Make a booking of a payments row."""
    return Booking(
        line=line,
        creditor_id=creditor_id,
        external_id=row.payment_id,
        kind=row.kind.value,
        booked_on=row.booked_on,
        amount=row.amount,
        currency=row.currency,
        claim_id=row.claim_id,
        invoice_number=row.invoice_number,
        # What the payment named is kept: a claim that comes later can then still be found.
        reference=row.reference or row.claim_id or row.invoice_number or "",
        words=words_of(row.reference) if row.reference else (),
        debtor_number=row.debtor_id,
        reverses_id=row.reverses_id,
        reason_code=row.reason_code or "",
    )


def credit_note_of(line: int, row: ClaimRow, creditor_id: int) -> Booking:
    """Make a booking of a credit note in a claims file: it reduces the invoice it names and nothing else first."""
    return Booking(
        line=line,
        creditor_id=creditor_id,
        external_id=row.claim_id,
        kind=PaymentKind.CREDIT_NOTE.value,
        booked_on=row.invoice_on,
        amount=row.principal,
        currency=row.currency,
        invoice_number=row.credits_invoice,
        reference=row.credits_invoice or "",
        debtor_number=row.debtor_id,
        only_named=True,
    )


def words_of(reference: str) -> tuple[str, ...]:
    """Return what may be a number of ours in a reference: all of it, or a word with a digit in it.

    Very short words are left out: the 2 of "invoice 2 of 3" is no invoice number.
    """
    words = [word.strip(_AROUND) for word in _BETWEEN.split(reference)]
    likely = [w for w in words if len(w) >= _SHORTEST and any(char.isdigit() for char in w)]
    return tuple(dict.fromkeys([reference.strip(), *likely[:_MOST_WORDS]]))
