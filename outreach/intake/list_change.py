"""What a list of open items changes of a claim: pure arithmetic in whole cents, whatever the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from outreach.intake.amounts import MINOR_DIGITS, write_amount
from outreach.intake.rejects import Fault
from outreach.intake.rows import PaymentKind

SETTLED = "settled_unknown"


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left of one booking that an earlier list made on a claim."""

    payment_id: int
    booked_on: date
    cents: int


@dataclass(slots=True)
class Standing:
    """A claim as it stands, in cents.

    `principal` is the source's own; a person may have `corrected` it by so much. `open_on` is what is open of it on
    the list's day, `open_now` what is really open after every booking; `taken` is what lists took off, the newest
    first.
    """

    claim_id: int
    debtor_id: int
    currency: str
    principal: int
    corrected: int
    open_on: int
    open_now: int
    taken: list[Taken] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """One booking that a list makes on a claim: money off, or back (`of` is then the booking taken back)."""

    kind: str
    cents: int
    of: Taken | None = None


def change(told: int, there: Standing) -> list[Change] | Fault:
    """Return what brings a claim to the open amount that a list tells, or why it cannot be."""
    less = there.open_on - told
    if less >= 0:
        # Never more than is open: what came in after the list's day may be the same money.
        cents = min(less, there.open_now)
        return [Change(PaymentKind.PAYMENT.value, cents)] if cents > 0 else []
    back = -less
    if back > sum(one.cents for one in there.taken):
        return _too_high(told, there)
    changes = []
    for one in there.taken:
        if back and one.cents > 0:
            changes.append(Change(PaymentKind.REVERSAL.value, min(back, one.cents), one))
            back -= changes[-1].cents
    return changes


def settle(there: Standing) -> list[Change]:
    """Return what settles a claim that is in the list no more, nobody says how: exactly what is open."""
    # What opened again after the list's day is not settled by it.
    cents = min(there.open_on + there.corrected, there.open_now)
    return [Change(SETTLED, cents)] if cents > 0 else []


def _too_high(told: int, there: Standing) -> Fault:
    digits = MINOR_DIGITS.get(there.currency, 2)
    most = write_amount(max(there.open_on + sum(one.cents for one in there.taken), 0), digits)
    expected = f"at most {most}, what is open with what earlier lists took off"
    if told > there.principal:
        whole = write_amount(there.principal, digits)
        expected += f"; the claim itself is {whole}: where that has changed, import it in mode add first"
    else:
        expected += "; where a payment was taken back, import its reversal with the payments first"
    return Fault("principal", write_amount(told, digits), expected)
