"""Write placed bookings: payments, allocations, and the tasks of those that a person must place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from outreach.intake.bookings import Booking
from outreach.intake.ledger import allocation, payment
from outreach.intake.reversed_debits import signal_reversals
from outreach.store.bulk import insert_rows
from outreach.store.tables.operations import Task
from outreach.store.types import new_id, table_of

task = table_of(Task)

UNPLACED = "unplaced_payment"
TASK_DUE = timedelta(days=3)

_MOVE = (
    update(payment)
    .where(payment.c.id == bindparam("row_id"))
    .values(unplaced_cents=bindparam("new_unplaced"), debtor_id=bindparam("new_debtor"))
)


def subject_of(payment_id: int) -> str:
    """Return the subject of a payment's task."""
    return f"payment:{payment_id}"


def record(
    conn: Connection, fresh: Sequence[Booking], moved: Sequence[Booking], now: datetime, actor: str
) -> None:
    """Write new bookings and the new placement of known ones.

    Reversals come after the rest, since they name them; tasks follow what is unplaced in the end.
    """
    originals = [booking for booking in fresh if not booking.is_reversal]
    reversals = [booking for booking in fresh if booking.is_reversal]
    for group in (originals, reversals):
        _insert(conn, group)
    if moved:
        conn.execute(
            _MOVE,
            [
                {"row_id": one.payment_id, "new_unplaced": one.unplaced, "new_debtor": one.debtor_id}
                for one in moved
            ],
        )
    rows = [
        {
            "payment_id": booking.payment_id,
            "claim_id": claim_id,
            "booked_on": booking.booked_on,
            "amount_cents": cents,
        }
        for booking in (*fresh, *moved)
        for claim_id, cents in booking.parts.items()
    ]
    if rows:
        insert_rows(conn, allocation, rows)
    signal_reversals(conn, reversals, now, actor)
    _open_tasks(conn, [booking for booking in originals if booking.unplaced], now)
    _close_tasks(conn, [booking for booking in moved if not booking.unplaced], now, actor)


def _insert(conn: Connection, bookings: Sequence[Booking]) -> None:
    if not bookings:
        return
    insert_rows(
        conn,
        payment,
        [
            {
                "creditor_id": one.creditor_id,
                "external_id": one.external_id,
                "kind": one.kind,
                "booked_on": one.booked_on,
                "amount_cents": one.amount,
                "unplaced_cents": one.unplaced,
                "currency": one.currency,
                "debtor_id": one.debtor_id,
                "reverses_id": one.reversed.payment_id if one.reversed is not None else None,
                "reference": one.reference,
                "reason_code": one.reason_code,
            }
            for one in bookings
        ],
    )
    ids = {(row.creditor_id, row.external_id): row.id for row in payments_of(conn, (b.key for b in bookings))}
    for one in bookings:
        one.payment_id = ids[one.key]


def payments_of(conn: Connection, keys: Iterable[tuple[int, str]]) -> Sequence[Any]:
    """Return the payments of these keys; with several creditors perhaps a few more."""
    wanted = set(keys)
    query = select(payment).where(
        payment.c.creditor_id.in_({creditor_id for creditor_id, _ in wanted}),
        payment.c.external_id.in_({external_id for _, external_id in wanted}),
    )
    return conn.execute(query).all()


def waiting_for_someone(conn: Connection, payments: Iterable[int]) -> set[int]:
    """Return those payments whose task nobody has dealt with yet."""
    subjects = {subject_of(payment_id): payment_id for payment_id in payments}
    if not subjects:
        return set()
    query = select(task.c.subject).where(
        task.c.kind == UNPLACED, task.c.subject.in_(subjects), task.c.closed_at.is_(None)
    )
    return {subjects[subject] for subject in conn.execute(query).scalars()}


def _open_tasks(conn: Connection, bookings: Sequence[Booking], now: datetime) -> None:
    rows = [
        {
            "pseudonym": new_id(),
            "kind": UNPLACED,
            "subject": subject_of(booking.payment_id or 0),
            "payment_id": booking.payment_id,
            "reason_code": booking.why,
            "opened_at": now,
            "due_at": now + TASK_DUE,
            "owner": "staff",
        }
        for booking in bookings
    ]
    if rows:
        build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
        conn.execute(build(task).on_conflict_do_nothing(), rows)


def _close_tasks(conn: Connection, bookings: Sequence[Booking], now: datetime, actor: str) -> None:
    subjects = [subject_of(booking.payment_id or 0) for booking in bookings]
    if subjects:
        statement = update(task).where(
            task.c.kind == UNPLACED, task.c.subject.in_(subjects), task.c.closed_at.is_(None)
        )
        conn.execute(statement.values(closed_at=now, closed_by=actor))
