"""Typed values that a template may be given; they are formatted for the reader's language when shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Amount:
    """Money as integer cents in one currency (ISO 4217)."""

    cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Line:
    """One claim as the reader sees it."""

    invoice_number: str
    description: str
    due_on: date
    open: Amount


@dataclass(frozen=True, slots=True)
class Reminder:
    """Everything a reminder may say. `payments_until_on` is None in a preview of what may not be sent yet.

    `lines` are the claims to pay now, `total` their sum; `again` is True from the second reminder on.
    `addressee_kind` is "person" or "business"; `form` is "formal" or "informal".
    """

    addressee_name: str
    addressee_kind: str
    creditor_name: str
    creditor_phone: str
    creditor_email: str
    iban: str
    payment_reference: str
    lines: tuple[Line, ...]
    total: Amount
    again: bool
    payments_until_on: date | None
    payment_url: str = ""
