"""How the fields of one row must fit together, and what is only marked."""

from __future__ import annotations

from typing import Any

import msgspec

from outreach.intake.amounts import MINOR_DIGITS, write_amount
from outreach.intake.rejects import Fault
from outreach.intake.rows import (
    LASTING,
    ClaimKind,
    ClaimRow,
    FactRow,
    Notice,
    PaymentKind,
    PaymentRow,
)
from outreach.parties.contact_values import dutch_postcode, email_looks_right, phone_looks_right

DAYS_OFF = 3_653
"""Ten years: a due date further from the invoice date is a typing or format error, not a term of payment."""


def examine_claim(row: ClaimRow) -> tuple[ClaimRow, list[Fault]]:
    """Look across the fields: the row with tidied postcode and notices, and the faults that refuse it."""
    faults: list[Fault] = []
    days = abs((row.due_on - row.invoice_on).days)
    if days > DAYS_OFF:
        expected = f"a date within ten years of invoice_on {row.invoice_on}: check the date format"
        faults.append(Fault("due_on", str(row.due_on), expected))
    if row.principal == 0 and row.kind in (ClaimKind.SINGLE, ClaimKind.CREDIT_NOTE):
        faults.append(Fault("principal", "0", f"more than zero for the kind {row.kind}"))
    if row.kind is ClaimKind.CREDIT_NOTE:
        if row.credits_invoice is None:
            faults.append(
                Fault("credits_invoice", "", "the number of the invoice that this credit note reduces")
            )
    elif row.credits_invoice is not None:
        faults.append(Fault("credits_invoice", row.credits_invoice, "empty unless kind is credit_note"))
    if row.vat is not None and row.vat > row.principal:
        faults.append(
            Fault("vat", _amount(row.vat, row.currency), "the VAT within principal, so not more than it")
        )
    if row.dispute_amount is not None and row.disputed_on is None:
        value = _amount(row.dispute_amount, row.currency)
        faults.append(Fault("disputed_on", "", f"the day of the dispute, since dispute_amount is {value}"))
    if (row.last_step is None) != (row.last_step_on is None):
        missing = "last_step" if row.last_step is None else "last_step_on"
        faults.append(Fault(missing, "", "last_step and last_step_on together, or neither"))
    if row.last_step_on is not None and row.last_step_on <= row.invoice_on:
        expected = f"a day after invoice_on {row.invoice_on}: nobody is reminded of a bill not sent yet"
        faults.append(Fault("last_step_on", str(row.last_step_on), expected))
    if row.representative is not None and row.representative.debtor_id == row.debtor_id:
        faults.append(Fault("representative", row.debtor_id, "somebody other than the debtor of this row"))
    if any(other.debtor_id == row.debtor_id for other in row.co_debtors):
        faults.append(Fault("co_debtors", row.debtor_id, "somebody other than the debtor of this row"))
    return _tidied(row), faults


def examine_open_item(row: ClaimRow) -> tuple[ClaimRow, list[Fault]]:
    """Look across the fields of a row of a list of open items.

    Its amount is what is left, which may be nothing, and less than the VAT of the whole bill.
    """
    examined, faults = examine_claim(row)
    return examined, [fault for fault in faults if fault.field not in ("principal", "vat")]


def _tidied(row: ClaimRow) -> ClaimRow:
    changes: dict[str, Any] = {}
    notices = list(_contact_notices(row))
    if row.postcode is not None and row.country in (None, "NL"):
        postcode = dutch_postcode(row.postcode)
        # Without a country a foreign postcode is as likely as a wrong Dutch one: kept without a mark.
        if postcode is None and row.country:
            notices.append(Notice.POSTCODE_MALFORMED)
        elif postcode is not None and postcode != row.postcode:
            changes["postcode"] = postcode
    if notices:
        changes["notices"] = tuple(notices)
    return msgspec.structs.replace(row, **changes) if changes else row


def _contact_notices(row: ClaimRow) -> list[Notice]:
    found = []
    if row.email is not None and not email_looks_right(row.email):
        found.append(Notice.EMAIL_MALFORMED)
    if row.phone is not None and not phone_looks_right(row.phone):
        found.append(Notice.PHONE_MALFORMED)
    if row.co_debtors and any(o.email is not None and not email_looks_right(o.email) for o in row.co_debtors):
        found.append(Notice.CO_DEBTOR_EMAIL_MALFORMED)
    other = row.representative
    if other is not None and other.email is not None and not email_looks_right(other.email):
        found.append(Notice.REPRESENTATIVE_EMAIL_MALFORMED)
    number = row.kvk_number
    if number is not None and not (len(number) == 8 and number.isascii() and number.isdigit()):
        found.append(Notice.KVK_NUMBER_MALFORMED)
    if "\ufffd" in row.debtor_name:
        found.append(Notice.NAME_DAMAGED)
    return found


def examine_payment(row: PaymentRow) -> tuple[PaymentRow, list[Fault]]:
    """Look across the fields: the row with its notices, and the faults for which to refuse it."""
    faults: list[Fault] = []
    if row.amount == 0:
        faults.append(Fault("amount", "0", "more than zero"))
    if row.reverses_id is not None and row.kind is not PaymentKind.REVERSAL:
        faults.append(
            Fault("reverses_id", row.reverses_id, f"empty unless kind is reversal (it is {row.kind})")
        )
    if row.reverses_id == row.payment_id:
        faults.append(Fault("reverses_id", row.payment_id, "the payment_id of another row"))
    if row.claim_id or row.invoice_number or row.debtor_id or row.reference or row.reverses_id:
        return row, faults
    return msgspec.structs.replace(row, notices=(Notice.NAMES_NOBODY,)), faults


def examine_fact(row: FactRow) -> tuple[FactRow, list[Fault]]:
    """Look across the fields: the row with its notices, and the faults that refuse it."""
    faults: list[Fault] = []
    if row.until_on is None:
        return row, faults
    if row.kind in LASTING:
        # A death that somebody gave an end is still a death: the row protects, so it is taken.
        return msgspec.structs.replace(row, until_on=None, notices=(Notice.UNTIL_NOT_USED,)), faults
    if row.from_on is not None and row.until_on <= row.from_on:
        expected = f"a day after from {row.from_on}: it is the first day on which it is no longer so"
        faults.append(Fault("until", str(row.until_on), expected))
    return row, faults


def _amount(amount: int, currency: str) -> str:
    return write_amount(amount, MINOR_DIGITS[currency])
