"""What is known of the claims of a list of open items, and what the list's amounts change of it.

A list says what is open of a claim at the end of its day. It is compared with what is open here on that day: what
is booked later is no concern of the list's. What a list itself booked always counts, so that a list which is taken
in again, or one that corrects it, finds what it needs to find.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from outreach.intake.bookings import OPEN_ITEMS, Booking
from outreach.intake.ledger import allocation, claim, dossier, payment
from outreach.intake.list_change import Change, Standing, Taken
from outreach.intake.load_edits import corrections
from outreach.intake.rows import PaymentKind


def booking(
    key: str, number: int, line: int, creditor_id: int, there: Standing, one: Change, on: date
) -> Booking:
    """Make the booking of a change. `key` and `number` make its number unlike any other of the creditor."""
    made = Booking(
        line=line,
        creditor_id=creditor_id,
        external_id=f"{key}:{there.claim_id}:{number}",
        kind=one.kind,
        booked_on=on,
        amount=one.cents,
        currency=there.currency,
        reason_code=OPEN_ITEMS,
        debtor_id=there.debtor_id,
        parts={there.claim_id: one.cents},
    )
    if one.of is not None:
        # A list of an earlier day that a person accepts takes back nothing before it was there.
        made.booked_on = max(on, one.of.booked_on)
        made.parts = {there.claim_id: -one.cents}
        made.reversed = Booking(
            line,
            creditor_id,
            "",
            "",
            one.of.booked_on,
            one.of.cents,
            there.currency,
            payment_id=one.of.payment_id,
        )
    return made


def standings(
    conn: Connection,
    creditor_id: int,
    numbers: Collection[str],
    as_of: date,
    credits_listed: Mapping[str, int],
) -> dict[str, Standing]:
    """Return the known ones among these claims by the creditor's number, locked until the commit.

    A credit note that is in the list itself is open there, and its claims are listed without it.
    """
    found = _standings(conn, claim.c.external_id.in_(numbers), creditor_id, as_of, credits_listed)
    return dict(found)


def open_standings(
    conn: Connection, creditor_id: int, ids: Collection[int], as_of: date
) -> dict[str, Standing]:
    """Return these claims by the creditor's number, locked until the commit."""
    return dict(_standings(conn, claim.c.id.in_(ids), creditor_id, as_of, {}))


def open_claims(
    conn: Connection, creditor_id: int, as_of: date, after: int, upto: int, size: int
) -> tuple[int | None, list[int]]:
    """Look at a page of a creditor's claims; return where to go on, and those open on the list's day and still now.

    A claim of a later day cannot be in the list, and says nothing by its absence.
    """
    page = (
        select(claim.c.id)
        .where(
            claim.c.creditor_id == creditor_id,
            claim.c.id > after,
            claim.c.id <= upto,
            claim.c.invoice_on <= as_of,
        )
        .order_by(claim.c.id)
        .limit(size)
    )
    ids = conn.execute(page).scalars().all()
    if not ids:
        return None, []
    reduced = func.coalesce(func.sum(allocation.c.amount_cents), 0)
    counts = (allocation.c.booked_on <= as_of) | (payment.c.reason_code == OPEN_ITEMS)
    then = func.coalesce(func.sum(allocation.c.amount_cents).filter(counts), 0)
    query = (
        select(claim.c.id)
        .outerjoin(allocation, allocation.c.claim_id == claim.c.id)
        .outerjoin(payment, payment.c.id == allocation.c.payment_id)
        .where(claim.c.id.in_(ids))
        .group_by(claim.c.id)
        .having(claim.c.principal_cents > reduced, claim.c.principal_cents > then)
        .order_by(claim.c.id)
    )
    return ids[-1], list(conn.execute(query).scalars())


def _standings(
    conn: Connection,
    which: ColumnElement[bool],
    creditor_id: int,
    as_of: date,
    credits_listed: Mapping[str, int],
) -> Iterator[tuple[str, Standing]]:
    query = (
        select(
            claim.c.id, claim.c.external_id, claim.c.currency, claim.c.principal_cents, dossier.c.debtor_id
        )
        .join(dossier, dossier.c.id == claim.c.dossier_id)
        .where(claim.c.creditor_id == creditor_id, which)
        .order_by(claim.c.id)
        .with_for_update(key_share=True, of=claim)
    )
    rows = conn.execute(query).all()
    ids = [row.id for row in rows]
    sources = corrections(conn, "claim", ids)
    parts = _parts(conn, ids)
    for row in rows:
        own = parts.get(row.id, [])
        source = sources.get((row.id, "principal_cents"))
        principal = int(source.source_value) if source else row.principal_cents
        then = sum(
            part.amount_cents - _still_listed(part, credits_listed)
            for part in own
            if part.booked_on <= as_of or part.reason_code == OPEN_ITEMS
        )
        yield (
            row.external_id,
            Standing(
                claim_id=row.id,
                debtor_id=row.debtor_id,
                currency=row.currency,
                principal=principal,
                corrected=row.principal_cents - principal,
                open_on=principal - then,
                open_now=row.principal_cents - sum(part.amount_cents for part in own),
                taken=_taken(own),
            ),
        )


def _parts(conn: Connection, ids: Collection[int]) -> dict[int, list[Any]]:
    query = (
        select(
            allocation.c.claim_id,
            allocation.c.amount_cents,
            allocation.c.booked_on,
            payment.c.id,
            payment.c.external_id,
            payment.c.kind,
            payment.c.reason_code,
            payment.c.reverses_id,
        )
        .join(payment, payment.c.id == allocation.c.payment_id)
        .where(allocation.c.claim_id.in_(ids))
        .order_by(payment.c.id)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in conn.execute(query):
        found[row.claim_id].append(row)
    return found


def _still_listed(part: Any, credits_listed: Mapping[str, int]) -> int:
    if part.kind != PaymentKind.CREDIT_NOTE.value:
        return 0
    return min(int(part.amount_cents), credits_listed.get(part.external_id, 0))


def _taken(parts: list[Any]) -> list[Taken]:
    """Return what is left of the bookings that lists made, the newest first."""
    back: dict[int, int] = defaultdict(int)
    for part in parts:
        if part.reverses_id is not None:
            back[part.reverses_id] += part.amount_cents
    left = [
        Taken(part.id, part.booked_on, part.amount_cents + back[part.id])
        for part in parts
        if part.reason_code == OPEN_ITEMS and part.reverses_id is None
    ]
    return sorted(
        (one for one in left if one.cents > 0), key=lambda one: (one.booked_on, one.payment_id), reverse=True
    )
