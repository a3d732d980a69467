"""Arrangements with what they are judged by: their instalments, what was paid since, and what is known of payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, func, or_, select

from consent.calendar import ONE_DAY
from outreach.casework.days import civil_today
from outreach.casework.owed import allocation, claims_of, is_part, stop
from outreach.casework.targets import claim, creditor, dossier, person
from outreach.claims.amounts import open_cents
from outreach.claims.schedule import Part
from outreach.store.tables.claims import Arrangement, Instalment, Payment
from outreach.store.types import AnyRow, table_of

arrangement = table_of(Arrangement)
instalment = table_of(Instalment)
payment = table_of(Payment)

REVERSED_WITHIN_DAYS = 14
"""A reversal booked so many days ago may still take a kept arrangement back."""

_origin = payment.alias("origin")
_counts_on = func.coalesce(_origin.c.booked_on, payment.c.booked_on)

_rows = (
    select(
        *arrangement.c,
        dossier.c.debtor_id,
        creditor.c.payments_until_on,
        person.c.time_zone,
    )
    .join(dossier, dossier.c.id == arrangement.c.dossier_id)
    .join(creditor, creditor.c.id == dossier.c.creditor_id)
    .join(person, person.c.id == arrangement.c.person_id)
    .order_by(arrangement.c.id)
)


@dataclass(frozen=True, slots=True)
class Judged:
    """An arrangement and what it is judged by.

    `claims` are those it is limited to, empty for all of the dossier. `known_on` is the last civil day that is over
    and whose payments are all known; None where money of this debtor waits to be placed, or nothing is known.
    """

    row: AnyRow
    parts: tuple[AnyRow, ...]
    claims: tuple[int, ...]
    paid_cents: int
    known_on: date | None

    @property
    def due(self) -> tuple[Part, ...]:
        """The instalments as the arithmetic takes them."""
        return tuple(Part(part.due_on, part.amount_cents) for part in self.parts)


def running(conn: Connection, after: int, limit: int) -> list[int]:
    """Return a page of running arrangements by their keys."""
    query = select(arrangement.c.id).where(arrangement.c.state == "running", arrangement.c.id > after)
    return list(conn.execute(query.order_by(arrangement.c.id).limit(limit)).scalars())


def judged(conn: Connection, keys: Sequence[int], state: str, now: datetime) -> list[Judged]:
    """Load those of these arrangements that are in a state; what another process works on is passed over."""
    query = _rows.where(arrangement.c.id.in_(keys), arrangement.c.state == state)
    rows = conn.execute(query.with_for_update(of=arrangement, skip_locked=True)).all()
    if not rows:
        return []
    parts: dict[int, list[AnyRow]] = defaultdict(list)
    due = select(instalment).where(instalment.c.arrangement_id.in_([row.id for row in rows]))
    for part in conn.execute(due.order_by(instalment.c.arrangement_id, instalment.c.number)):
        parts[part.arrangement_id].append(part)
    limited = _limited(conn, rows)
    paid = _paid(conn, rows, limited, parts, now)
    unplaced = _unplaced(conn, rows)
    today = civil_today(now)
    return [
        Judged(
            row=row,
            parts=tuple(parts[row.id]),
            claims=limited.get(row.id, ()),
            paid_cents=paid[row.id],
            known_on=None
            if row.payments_until_on is None or (row.debtor_id, row.currency) in unplaced
            else min(row.payments_until_on, today - ONE_DAY),
        )
        for row in rows
    ]


def with_reversals(conn: Connection, now: datetime) -> list[int]:
    """Return kept arrangements on whose dossier a payment was reversed of late, and none runs instead."""
    today = civil_today(now)
    other = arrangement.alias("other")
    query = (
        select(arrangement.c.id)
        .join(claim, claim.c.dossier_id == arrangement.c.dossier_id)
        .join(allocation, allocation.c.claim_id == claim.c.id)
        .join(payment, payment.c.id == allocation.c.payment_id)
        .where(
            arrangement.c.state == "kept",
            arrangement.c.kind != "deferral",
            claim.c.currency == arrangement.c.currency,
            payment.c.kind == "reversal",
            payment.c.booked_on.between(today - REVERSED_WITHIN_DAYS * ONE_DAY, today),
            ~select(other.c.id)
            .where(
                other.c.dossier_id == arrangement.c.dossier_id,
                other.c.currency == arrangement.c.currency,
                or_(other.c.state == "running", other.c.id > arrangement.c.id),
            )
            .exists(),
        )
        .distinct()
    )
    return list(conn.execute(query).scalars())


def of_dossiers(conn: Connection, dossiers: Sequence[int]) -> list[tuple[AnyRow, list[AnyRow]]]:
    """Return the arrangements of dossiers with their instalments, for whoever looks; the newest last."""
    rows = conn.execute(_rows.where(arrangement.c.dossier_id.in_(dossiers))).all()
    query = select(instalment).where(instalment.c.arrangement_id.in_([row.id for row in rows]))
    parts: dict[int, list[AnyRow]] = defaultdict(list)
    for part in conn.execute(query.order_by(instalment.c.number)):
        parts[part.arrangement_id].append(part)
    return [(row, parts[row.id]) for row in rows]


def _limited(conn: Connection, rows: Sequence[AnyRow]) -> dict[int, tuple[int, ...]]:
    """Return the claims that arrangements are limited to, as their stops have it, lifted ones too."""
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    query = select(stop.c.arrangement_id, stop.c.claim_id).where(
        stop.c.arrangement_id.in_([row.id for row in rows]), stop.c.claim_id.is_not(None)
    )
    for one in conn.execute(query.distinct()):
        found[one.arrangement_id] += (one.claim_id,)
    return found


def _paid(
    conn: Connection,
    rows: Sequence[AnyRow],
    limited: dict[int, tuple[int, ...]],
    parts: dict[int, list[AnyRow]],
    now: datetime,
) -> dict[int, int]:
    """Return what was paid since each agreement: at least what is no longer open of its instalments.

    A reversal counts where the payment it takes back did. Bills of a later date than the agreement are no part of
    it, and what is paid on them is no instalment.
    """
    dossiers = sorted({row.dossier_id for row in rows})
    bookings: dict[tuple[int, str], list[AnyRow]] = defaultdict(list)
    query = (
        select(
            claim.c.id,
            claim.c.dossier_id,
            claim.c.currency,
            _counts_on.label("counts_on"),
            allocation.c.amount_cents,
        )
        .join(allocation, allocation.c.claim_id == claim.c.id)
        .join(payment, payment.c.id == allocation.c.payment_id)
        .outerjoin(_origin, and_(payment.c.kind == "reversal", _origin.c.id == payment.c.reverses_id))
        .where(
            claim.c.dossier_id.in_(dossiers),
            allocation.c.booked_on <= civil_today(now),
            _counts_on >= min(row.starts_on for row in rows),
        )
    )
    for booked in conn.execute(query):
        bookings[booked.dossier_id, booked.currency].append(booked)
    facts = claims_of(conn, dossiers, now)
    found = {}
    for row in rows:
        unit = (row.dossier_id, row.currency)
        own, agreed_on = limited.get(row.id, ()), civil_today(row.agreed_at)
        about = {fact.id: fact for fact in facts[unit] if is_part(fact, agreed_on, own)}
        since = sum(
            one.amount_cents for one in bookings[unit] if one.id in about and one.counts_on >= row.starts_on
        )
        still_open = sum(max(open_cents(fact), 0) for fact in about.values())
        found[row.id] = max(since, sum(part.amount_cents for part in parts[row.id]) - still_open)
    return found


def _unplaced(conn: Connection, rows: Sequence[AnyRow]) -> set[tuple[int, str]]:
    """Return debtors and currencies whose money waits to be placed: it may be an instalment."""
    query = select(payment.c.debtor_id, payment.c.currency).where(
        payment.c.debtor_id.in_({row.debtor_id for row in rows}), payment.c.unplaced_cents > 0
    )
    return {(row.debtor_id, row.currency) for row in conn.execute(query.distinct())}
