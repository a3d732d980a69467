"""Place bookings on claims, one after the other as the file has them, in memory; `record` writes the outcome."""

from __future__ import annotations

from collections.abc import Sequence

from outreach.claims.allocation import ClaimPart, place, take_back
from outreach.intake.amounts import MINOR_DIGITS, write_amount
from outreach.intake.bookings import Booking
from outreach.intake.ledger import Ledger, OpenClaim
from outreach.intake.rejects import Fault
from outreach.intake.rows import PaymentKind

UNKNOWN, OVER, CURRENCY = "nothing_known_is_named", "more_than_is_open", "another_currency"
"""Why a person must place a booking."""


def place_all(ledger: Ledger, bookings: Sequence[Booking], *, is_last: bool) -> Outcome:
    """Place every booking in turn; reversals of bookings not seen yet wait, and are refused when it is the last."""
    outcome = Outcome()
    for booking in bookings:
        if not booking.is_reversal:
            _place(ledger, booking)
            ledger.booked[booking.key] = booking
            outcome.placed.append(booking)
            continue
        origin = ledger.booked.get((booking.creditor_id, booking.reverses_id or ""))
        if origin is None and booking.reverses_id and not is_last:
            outcome.waiting.append(booking)
            continue
        fault = _reverse(ledger, booking, origin)
        if fault is None:
            outcome.placed.append(booking)
            # A reversal cannot be reversed, but it must be known as one to say so.
            ledger.booked[booking.key] = booking
        else:
            outcome.refused.append((booking, fault))
    return outcome


class Outcome:
    """What became of a batch of bookings."""

    def __init__(self) -> None:
        self.placed: list[Booking] = []
        self.waiting: list[Booking] = []
        self.refused: list[tuple[Booking, Fault]] = []


def _place(ledger: Ledger, booking: Booking) -> None:
    named = ledger.named(booking)
    own = ledger.debtor_of(booking)
    # The claim that is named says whose debt is paid, also where somebody else paid it.
    debtors = {one.debtor_id for one in named}
    if named and own not in debtors:
        own = debtors.pop() if len(debtors) == 1 else None
    booking.debtor_id = own
    same = [one for one in named if one.currency == booking.currency]
    if named and not same:
        booking.unplaced, booking.why = booking.amount, CURRENCY
        return
    there = sum(max(one.open_cents, 0) for one in same)
    others: Sequence[OpenClaim] = ()
    if own is not None and there < booking.amount and _may_spill(booking, named):
        others = tuple(ledger.open_of(own, booking.currency))
    agreed = [one.part() for one in others if one.id in ledger.in_plan]
    placement = place(booking.amount, [one.part() for one in same], agreed, [one.part() for one in others])
    for claim_id, cents in placement.parts.items():
        ledger.claims[claim_id].open_cents -= cents
    booking.parts, booking.left = placement.parts, dict(placement.parts)
    booking.unplaced = placement.unplaced_cents
    if booking.unplaced:
        booking.why = OVER if named or own is not None else UNKNOWN


def _may_spill(booking: Booking, named: Sequence[OpenClaim]) -> bool:
    """Return whether a booking may reach claims that it does not name.

    A write-off forgives what it names and nothing else; a credit note of a claims file waits for its invoice.
    """
    if named:
        return booking.kind != PaymentKind.WRITE_OFF.value
    return not booking.only_named


def _reverse(ledger: Ledger, booking: Booking, origin: Booking | None) -> Fault | None:
    """Mirror what a booking did; the fault where that cannot be."""
    named = booking.reverses_id or ""
    if origin is None:
        return Fault("reverses_id", named, "the payment_id of the booking that is taken back, known by now")
    if origin.is_reversal:
        return Fault("reverses_id", named, "a booking that is no reversal itself")
    if origin.currency != booking.currency:
        return Fault("currency", booking.currency, f"{origin.currency}, as the booking that is taken back")
    there = origin.unplaced + sum(origin.left.values())
    if booking.amount > there:
        digits = MINOR_DIGITS.get(booking.currency, 2)
        return Fault(
            "amount",
            write_amount(booking.amount, digits),
            f"at most what is left of the booking that is taken back, {write_amount(max(there, 0), digits)}",
        )
    placed = [ClaimPart(key, ledger.claims[key].due_on, cents) for key, cents in origin.left.items()]
    taken = take_back(booking.amount, placed, origin.unplaced)
    for claim_id, cents in taken.parts.items():
        origin.left[claim_id] -= cents
        ledger.claims[claim_id].open_cents += cents
        booking.parts[claim_id] = -cents
    origin.unplaced -= taken.unplaced_cents
    booking.reversed, booking.debtor_id = origin, origin.debtor_id
    return None
