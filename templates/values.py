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
    """One claim as the reader sees it: `open` is asked, `disputed` is looked into and not asked."""

    invoice_number: str
    description: str
    due_on: date
    open: Amount
    disputed: Amount | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment of an arrangement."""

    due_on: date
    amount: Amount


@dataclass(frozen=True, slots=True)
class Notice:
    """Everything a message may say; which fields a message can't do without stands in `messages.toml`.

    `addressee_kind` is "person" or "business". `lines` are the claims that this message is about and asks
    now, `younger` later bills of the same dossier that stand apart, and `total` the sum of both; None only
    where both are empty. `again` is True from the second message of the same kind on.

    `pay_by_on` is the last day to pay, `payments_until_on` the last day whose payments are counted (None in a
    preview of what may not be sent yet). `paid` came in and `left` is open after it (None: all is paid).
    `until_on` is the last day on which nothing is asked, or by which payment was promised. `parts` are an
    arrangement's instalments and `next_part` the one a message is about.

    `handover_to` and `handover_on` name who may get the claim, and the first day on which it may. `costs`,
    `term_days` and `term_until_on` belong to the fourteen-day letter (art. 6:96 lid 6 BW): the collection
    costs announced, the term counted from the day after delivery, and the safe date. `register_number` is an
    agency's mark in the register of collection services; every message of it shows it (Wki art. 11 lid 1 a).
    """

    addressee_name: str
    addressee_kind: str
    creditor_name: str
    creditor_phone: str
    creditor_email: str
    iban: str
    payment_reference: str
    lines: tuple[Line, ...]
    total: Amount | None
    again: bool
    payments_until_on: date | None
    younger: tuple[Line, ...] = ()
    pay_by_on: date | None = None
    payment_url: str = ""
    handover_to: str = ""
    handover_on: date | None = None
    paid: Amount | None = None
    left: Amount | None = None
    until_on: date | None = None
    parts: tuple[Part, ...] = ()
    next_part: Part | None = None
    department: str = ""
    answer_by_on: date | None = None
    costs: Amount | None = None
    term_days: int = 0
    term_until_on: date | None = None
    register_number: str = ""
