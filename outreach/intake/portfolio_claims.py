"""What a fictitious debtor is asked to pay, and what they do: the claims and payments of one debtor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from outreach.intake.amounts import write_amount
from outreach.intake.portfolio_debtors import Behaviour, Debtor, Oddity, Sector

MONTHS = 6
"""How long the period is in which the claims of a portfolio fall due, unless told otherwise."""

Row = dict[str, str]


class Entry(NamedTuple):
    """One claim: its own row, that of a credit note if there is one, and what was booked for it."""

    claims: list[Row]
    payments: list[Row]


class _Bill(NamedTuple):
    """A claim before it becomes a row. `amount` is in cents."""

    kind: str
    invoice_on: date
    due_on: date
    amount: int
    columns: Row


def entries_of(debtor: Debtor, start_on: date, months: int = MONTHS) -> Iterator[Entry]:
    """Yield the claims of a debtor, the first due first, with their payments.

    They fall due in the `months` from `start_on`, a final bill soon after.
    The oddity of a debtor shows in their last claim.
    """
    bills = sorted(_bills(debtor, start_on, months), key=lambda bill: bill.due_on)
    for place, bill in enumerate(bills, 1):
        number = f"{debtor.creditor.code[:2]}{debtor.number}-{place:02d}"
        oddity = debtor.oddity if place == len(bills) else Oddity.NONE
        yield _entry(debtor, bill, number, oddity)


def _bills(debtor: Debtor, start_on: date, months: int) -> list[_Bill]:
    rng = debtor.rng
    contract = f"C-{debtor.number}"
    if debtor.creditor.sector is Sector.HOUSING:
        rent = rng.randrange(41_000, 87_900)
        own = {"contract_id": contract, "ground": "huurovereenkomst", "due_is_agreed": "true"}
        return [
            _Bill("recurring", due - timedelta(12), due, rent, own | {"description": f"Huur {due:%Y-%m}"})
            for due in _monthly(start_on, 1, months)
        ]
    if debtor.creditor.sector is Sector.ENERGY:
        monthly = rng.randrange(6_500, 31_000)
        own = {"contract_id": contract, "ground": "energieleveringsovereenkomst"}
        bills = [
            _Bill(
                "instalment", due - timedelta(14), due, monthly, own | {"description": f"Termijn {due:%Y-%m}"}
            )
            for due in _monthly(start_on, 15, months)
        ]
        if rng.random() < 0.25:
            due = bills[-1].due_on + timedelta(20)
            final = own | {"description": "Eindafrekening"}
            bills.append(_Bill("final_bill", due - timedelta(21), due, rng.randrange(1_500, 64_000), final))
        return bills
    own = {"ground": "koopovereenkomst"}
    bills = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        due = start_on + timedelta(rng.randrange(months * 30))
        order = own | {"description": f"Bestelling {rng.randrange(10_000, 99_999)}"}
        bills.append(_Bill("single", due - timedelta(14), due, rng.randrange(750, 24_900), order))
    return bills


def _monthly(start_on: date, day: int, months: int) -> list[date]:
    first = start_on.year * 12 + start_on.month - 1 + (start_on.day > day)
    return [date(month // 12, month % 12 + 1, day) for month in range(first, first + months)]


def _entry(debtor: Debtor, bill: _Bill, number: str, oddity: Oddity) -> Entry:
    claim = {
        **debtor.columns,
        "claim_id": number,
        "invoice_number": f"F{number}",
        "invoice_on": bill.invoice_on.isoformat(),
        "due_on": bill.due_on.isoformat(),
        "principal": write_amount(bill.amount),
        "currency": "EUR",
        "kind": bill.kind,
        **bill.columns,
    }
    if debtor.creditor.sector is not Sector.HOUSING:
        claim["vat"] = write_amount(bill.amount * 21 // 121)
    claims, payments = [claim], _Payments(claim)
    credited = 0
    if oddity is Oddity.DISPUTE:
        claim["disputed_on"] = (bill.invoice_on + timedelta(debtor.rng.randrange(3, 12))).isoformat()
        claim["dispute_amount"] = write_amount(bill.amount // 2)
    elif oddity is Oddity.HOLD:
        claim["hold_until"] = (bill.due_on + timedelta(21)).isoformat()
    elif oddity is Oddity.CREDIT_NOTE:
        credited = bill.amount // 3
        credit_on = bill.invoice_on + timedelta(4)
        if debtor.creditor.sector is Sector.WEBSHOP:
            claims.append(_credit_note(claim, credited, credit_on))
        else:
            payments.book(credit_on, credited, kind="credit_note")
    _pay(debtor, bill, bill.amount - credited, oddity, payments)
    return Entry(claims, payments.rows)


def _credit_note(claim: Row, amount: int, on: date) -> Row:
    note = {name: text for name, text in claim.items() if name != "vat"}
    return note | {
        "claim_id": f"{claim['claim_id']}C",
        "invoice_number": f"{claim['invoice_number']}C",
        "invoice_on": on.isoformat(),
        "due_on": on.isoformat(),
        "principal": write_amount(amount),
        "kind": "credit_note",
        "credits_invoice": claim["invoice_number"],
        "description": "Retour",
    }


class _Payments:
    """The bookings of one claim; each names the claim in another way, as those of a real bank do."""

    def __init__(self, claim: Row) -> None:
        self._claim = claim
        self.rows: list[Row] = []

    def book(self, on: date, amount: int, kind: str = "payment", **more: str) -> str:
        """Add a booking of an amount in cents and give back its number."""
        number = f"{self._claim['claim_id']}-P{len(self.rows) + 1}"
        self.rows.append(
            {
                "payment_id": number,
                "creditor": self._claim["creditor"],
                "booked_on": on.isoformat(),
                "amount": write_amount(amount),
                "currency": "EUR",
                "claim_id": self._claim["claim_id"],
                "invoice_number": self._claim["invoice_number"],
                "debtor_id": self._claim["debtor_id"],
                "kind": kind,
                **more,
            }
        )
        return number


def _pay(debtor: Debtor, bill: _Bill, amount: int, oddity: Oddity, payments: _Payments) -> None:
    rng, due = debtor.rng, bill.due_on
    if oddity is Oddity.WRITE_OFF:
        payments.book(due + timedelta(75), amount, kind="write_off", reason_code="small_balance")
    elif oddity is Oddity.DISPUTE:
        payments.book(due + timedelta(rng.randrange(25, 45)), amount)
    elif oddity is Oddity.REVERSAL:
        first = payments.book(due, amount)
        back = due + timedelta(rng.randrange(2, 6))
        payments.book(back, amount, kind="reversal", reverses_id=first, reason_code="AM04")
        payments.book(back + timedelta(rng.randrange(6, 15)), amount)
    elif debtor.behaviour is Behaviour.STRUGGLING:
        part = amount * rng.randrange(30, 60) // 100
        payments.book(due + timedelta(rng.randrange(2, 9)), part)
        if rng.random() < 0.6:
            payments.book(due + timedelta(rng.randrange(25, 50)), amount - part)
    elif debtor.behaviour is not Behaviour.SILENT:
        payments.book(_paid_on(debtor, bill), amount, **_how_named(debtor))


def _paid_on(debtor: Debtor, bill: _Bill) -> date:
    """The day on which somebody pays a claim in full, never before the invoice."""
    rng = debtor.rng
    if debtor.behaviour is Behaviour.SLOW:
        return bill.due_on + timedelta(rng.randrange(9, 18))
    if debtor.behaviour is Behaviour.FORGETFUL and rng.random() < 0.5:
        return bill.due_on + timedelta(rng.randrange(2, 7))
    return max(bill.invoice_on, bill.due_on - timedelta(rng.randrange(0, 10)))


def _how_named(debtor: Debtor) -> Row:
    """Most payments name the claim; some only the invoice, or only the debtor."""
    chance = debtor.rng.random()
    if chance < 0.90:
        return {}
    if chance < 0.97:
        return {"claim_id": ""}
    return {"claim_id": "", "invoice_number": ""}
