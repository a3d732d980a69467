"""What the database or the history of a claim cannot take: the faults that only an import knows."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from outreach.intake.rejects import Fault
from outreach.intake.rows import ClaimRow

NUMBER_LENGTH = 100
SEGMENT_LENGTH = 60
_NUMBERS = ("debtor_id", "claim_id", "invoice_number", "contract_id", "credits_invoice")


class Place(NamedTuple):
    """Where a claim stands: it never moves to another debtor, contract or currency."""

    debtor_number: str
    contract_id: str
    currency: str


def unfit(row: ClaimRow, today: date | None) -> Fault | None:
    """Return what of a row cannot be taken. `today` is None on a trial, whose files may be of any day."""
    for name in _NUMBERS:
        if len(getattr(row, name) or "") > NUMBER_LENGTH:
            expected = f"a number of at most {NUMBER_LENGTH} characters"
            return Fault(name, getattr(row, name), expected)
    for name in ("co_debtors", "representative"):
        others = row.co_debtors if name == "co_debtors" else filter(None, (row.representative,))
        for other in others:
            if len(other.debtor_id) > NUMBER_LENGTH:
                return Fault(name, other.debtor_id, f"numbers of at most {NUMBER_LENGTH} characters")
    if len(row.segment or "") > SEGMENT_LENGTH:
        return Fault("segment", row.segment or "", f"a word of at most {SEGMENT_LENGTH} characters")
    if today is not None and row.last_step_on is not None and row.last_step_on >= today:
        return Fault("last_step_on", str(row.last_step_on), f"a day before today, {today}")
    if row.principal == 0:
        expected = (
            "more than zero: what was paid or credited is a payment, and a claim of nothing asks nothing"
        )
        return Fault("principal", "0", expected)
    return None


def moved(row: ClaimRow, place: Place) -> Fault | None:
    """Return the fault where a row would move a claim: its history belongs to who owed it."""
    reason = "a claim does not move; credit this one and give the other a claim_id of its own"
    if row.debtor_id != place.debtor_number:
        expected = f"{place.debtor_number}, whose claim {row.claim_id} is: {reason}"
        return Fault("debtor_id", row.debtor_id, expected)
    if row.contract_id is not None and row.contract_id != place.contract_id:
        there = place.contract_id or "no contract"
        expected = f"{there}, where claim {row.claim_id} belongs: {reason}"
        return Fault("contract_id", row.contract_id, expected)
    if row.currency != place.currency:
        expected = f"{place.currency}, the currency of claim {row.claim_id}: {reason}"
        return Fault("currency", row.currency, expected)
    return None
