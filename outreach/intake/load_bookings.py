"""Take a batch of bookings in: known ones stay, new ones are placed and written, contradictions are refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select

from outreach.intake.allocate import place_all
from outreach.intake.amounts import MINOR_DIGITS, write_amount
from outreach.intake.bookings import Booking, words_of
from outreach.intake.ledger import Ledger, booking_of_row, payment
from outreach.intake.record_bookings import UNPLACED, payments_of, record, task, waiting_for_someone
from outreach.intake.rejects import Fault
from outreach.intake.report import Fared
from outreach.intake.run import Terms

PAGE = 1_000
_CORRECTION = "a booking stays as it was booked: a correction must be a reversal, and a new booking"


def take_bookings(
    conn: Connection, file: str, bookings: Sequence[Booking], terms: Terms, fared: Fared, *, is_last: bool
) -> list[int]:
    """Write what is new of these bookings; returns the lines of reversals that wait for what they take back."""
    new, retried, stored = _sort_out(conn, file, bookings, fared)
    ledger = Ledger(conn)
    # What waits for a person is tried again: its claim may have come meanwhile.
    ledger.load([*new, *retried])
    outcome = place_all(ledger, [*retried, *new], is_last=is_last)
    for booking, fault in outcome.refused:
        fared.refuse(file, booking.line, *fault)
    fresh = [booking for booking in outcome.placed if booking.payment_id is None]
    moved = {
        booking.payment_id: booking
        for booking in retried
        if booking.parts or booking.debtor_id != stored[booking.payment_id]
    }
    taken_back = [b.reversed for b in fresh if b.reversed is not None and b.reversed.payment_id is not None]
    moved |= {origin.payment_id: origin for origin in taken_back}
    record(conn, fresh, list(moved.values()), terms.now, terms.actor)
    for booking in retried:
        fared.lines[booking.line] = "changed" if booking.payment_id in moved else "unchanged"
    for booking in fresh:
        fared.lines[booking.line] = "added"
        fared.kinds[booking.kind] += 1
        if booking.unplaced and booking.payment_id is not None:
            fared.unplaced.add(booking.payment_id)
    fared.settled |= {key for key, booking in moved.items() if key is not None and not booking.unplaced}
    return [booking.line for booking in outcome.waiting]


def _sort_out(
    conn: Connection, file: str, bookings: Sequence[Booking], fared: Fared
) -> tuple[list[Booking], list[Booking], dict[int | None, int | None]]:
    """Tell new bookings from known ones, and of these those that nobody has placed yet."""
    rows = payments_of(conn, (booking.key for booking in bookings))
    known = {(row.creditor_id, row.external_id): booking_of_row(row) for row in rows}
    loose = [b.payment_id for b in known.values() if b.payment_id and not b.is_reversal and _is_loose(b)]
    waiting = waiting_for_someone(conn, loose)
    new: list[Booking] = []
    retried: list[Booking] = []
    for booking in bookings:
        there = known.get(booking.key)
        if there is None:
            known[booking.key] = booking
            new.append(booking)
        elif fault := _contradiction(booking, there):
            fared.refuse(file, booking.line, *fault)
        else:
            fared.lines[booking.line] = "unchanged"
            if there.payment_id in waiting:
                waiting.discard(there.payment_id)
                booking.payment_id = there.payment_id
                retried.append(booking)
    return new, retried, {booking.payment_id: booking.debtor_id for booking in known.values()}


def _is_loose(booking: Booking) -> bool:
    return booking.unplaced == booking.amount


def _contradiction(booking: Booking, there: Booking) -> Fault | None:
    """Return what a row says otherwise than the booking of its number that is known already."""
    digits = MINOR_DIGITS.get(there.currency, 2)
    for name, told, known in (
        ("amount", booking.amount, there.amount),
        ("currency", booking.currency, there.currency),
        ("booked_on", booking.booked_on, there.booked_on),
        ("kind", booking.kind, there.kind),
    ):
        if told != known:
            shown = [write_amount(v, digits) if isinstance(v, int) else str(v) for v in (told, known)]
            return Fault(name, shown[0], f"{shown[1]}, as it was booked before; {_CORRECTION}")
    return None


def place_waiting(
    conn: Connection, creditors: Collection[int], after: int, terms: Terms
) -> tuple[int | None, set[int]]:
    """Place a page of unplaced bookings whose claim has come since; returns where to go on, and which are placed.

    Only those that name a claim are placed, and only while their task is open: what a person decided stays.
    """
    query = (
        select(task.c.id.label("task_id"), *payment.c)
        .join(payment, payment.c.id == task.c.payment_id)
        .where(
            task.c.kind == UNPLACED,
            task.c.closed_at.is_(None),
            task.c.id > after,
            payment.c.creditor_id.in_(creditors),
            payment.c.unplaced_cents == payment.c.amount_cents,
            payment.c.reference != "",
        )
        .order_by(task.c.id)
        .limit(PAGE)
    )
    rows: Sequence[Any] = conn.execute(query).all()
    if not rows:
        return None, set()
    bookings = []
    for row in rows:
        booking = booking_of_row(row)
        booking.words, booking.only_named = words_of(row.reference), True
        bookings.append(booking)
    ledger = Ledger(conn)
    ledger.load(bookings)
    place_all(ledger, bookings, is_last=True)
    placed = [booking for booking in bookings if booking.parts]
    record(conn, [], placed, terms.now, terms.actor)
    return rows[-1].task_id, {b.payment_id for b in placed if b.payment_id is not None and not b.unplaced}
