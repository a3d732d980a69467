"""Confirm payments: to those whom a message had asked for them, once for each payment and party.

While a plan runs its payments are its own way and are not confirmed one by one; the one that leaves nothing open is.
A promise that was kept, and a payment during a deferral, are confirmed as any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, String, and_, cast, func, literal, or_, select, text

from consent.calendar import ONE_DAY, civil_date, zone_of
from outreach.casework.days import civil_today
from outreach.casework.owed import Unit, claims_of
from outreach.casework.service import (
    HANDED_OVER,
    PAYMENT,
    Wish,
    allocation,
    arrangement,
    ask,
    attempt,
    payment,
    service_message,
)
from outreach.casework.targets import claim, creditor, party, person
from outreach.claims.amounts import open_cents
from outreach.store.tables.messages import MessageClaim
from outreach.store.types import AnyRow, table_of
from outreach.store.writer import Store

message_claim = table_of(MessageClaim)

PAGE = 500

BOOKED_WITHIN_DAYS = 14
"""An older booking is no news any more."""
TOLD_WITHIN = timedelta(days=7)


async def confirm_payments(store: Store, now: datetime, actor: str) -> int:
    """Ask for a confirmation of every payment that was asked for and booked of late; returns how many are new."""
    new = 0
    after = (0, 0)
    while rows := await store.read(partial(_booked, now=now, after=after)):
        after = (rows[-1].id, rows[-1].person_id)
        wishes = await store.read(partial(_wishes, rows=rows, now=now))
        if wishes:
            new += await store.write(partial(ask, wishes=wishes, actor=actor, now=now))
    return new


_SUBJECT = literal("payment:") + cast(payment.c.id, String) + ":" + cast(message_claim.c.person_id, String)

# Written out as the index of told steps has it, which both databases then use.
_A_STEP = text("message_claim.counts and message_claim.step <> 'listed'")


def _booked(conn: Connection, now: datetime, after: tuple[int, int]) -> Sequence[AnyRow]:
    """Return a page of payments of late on claims that a party was told, and that were not confirmed to it."""
    today = civil_today(now)
    query = (
        select(
            payment.c.id,
            payment.c.booked_on,
            payment.c.currency,
            message_claim.c.person_id,
            func.min(claim.c.dossier_id).label("dossier_id"),
            func.max(person.c.time_zone).label("time_zone"),
            func.min(attempt.c.handed_over_at).label("told_at"),
        )
        .join(allocation, allocation.c.payment_id == payment.c.id)
        .join(message_claim, and_(message_claim.c.claim_id == allocation.c.claim_id, _A_STEP))
        .join(
            attempt,
            and_(attempt.c.message_id == message_claim.c.message_id, attempt.c.state.in_(HANDED_OVER)),
        )
        .join(claim, claim.c.id == allocation.c.claim_id)
        .join(
            party,
            and_(
                party.c.dossier_id == claim.c.dossier_id,
                party.c.person_id == message_claim.c.person_id,
                or_(party.c.until_at.is_(None), party.c.until_at > now),
            ),
        )
        .join(person, person.c.id == message_claim.c.person_id)
        .join(creditor, creditor.c.id == payment.c.creditor_id)
        .where(
            payment.c.kind == "payment",
            # What a full list no longer asks came in somehow; nobody knows that it was a payment.
            payment.c.reason_code != "open_items",
            payment.c.booked_on.between(today - BOOKED_WITHIN_DAYS * ONE_DAY, today),
            creditor.c.confirm_payments,
            ~select(service_message.c.id)
            .where(service_message.c.template == PAYMENT, service_message.c.subject == _SUBJECT)
            .exists(),
            or_(
                payment.c.id > after[0],
                and_(payment.c.id == after[0], message_claim.c.person_id > after[1]),
            ),
        )
        .group_by(payment.c.id, message_claim.c.person_id)
        .order_by(payment.c.id, message_claim.c.person_id)
        .limit(PAGE)
    )
    return conn.execute(query).all()


def _wishes(conn: Connection, rows: Sequence[AnyRow], now: datetime) -> list[Wish]:
    """Keep those that were told before the booking, that stand, and that are no instalment of a plan."""
    told = [row for row in rows if civil_date(row.told_at, zone_of(row.time_zone)) <= row.booked_on]
    reversed_ = _reversed(conn, {row.id for row in told})
    standing = [row for row in told if row.id not in reversed_]
    in_plan = _in_plan(conn, standing, now)
    return [
        Wish(
            template=PAYMENT,
            purpose="confirmation",
            subject=f"payment:{row.id}:{row.person_id}",
            dossier_id=row.dossier_id,
            person_id=row.person_id,
            currency=row.currency,
            until_at=now + TOLD_WITHIN,
            payment_id=row.id,
        )
        for row in standing
        if row.id not in in_plan
    ]


def _reversed(conn: Connection, payments: Collection[int]) -> set[int]:
    """Return those payments that were taken back; found through their claims, since `reverses_id` has no index."""
    if not payments:
        return set()
    back, reversal = allocation.alias("back"), payment.alias("reversal")
    query = (
        select(reversal.c.reverses_id)
        .join(back, back.c.payment_id == reversal.c.id)
        .join(allocation, allocation.c.claim_id == back.c.claim_id)
        .where(allocation.c.payment_id.in_(payments), reversal.c.reverses_id.in_(payments))
    )
    return set(conn.execute(query).scalars())


def _in_plan(conn: Connection, rows: Sequence[AnyRow], now: datetime) -> set[int]:
    """Return the payments that came while a plan ran, but for the last one where nothing is open any more."""
    plans: dict[Unit, list[tuple[date, date]]] = defaultdict(list)
    query = select(arrangement).where(
        arrangement.c.dossier_id.in_({row.dossier_id for row in rows}), arrangement.c.kind == "plan"
    )
    for plan in conn.execute(query) if rows else ():
        over_on = date.max if plan.ended_at is None else civil_today(plan.ended_at)
        plans[plan.dossier_id, plan.currency].append((plan.starts_on, over_on))
    if not plans:
        return set()
    found = {
        row.id: (row.dossier_id, row.currency)
        for row in rows
        if any(first <= row.booked_on <= last for first, last in plans[row.dossier_id, row.currency])
    }
    return set(found) - _closing(conn, {unit[0] for unit in found.values()}, now)


def _closing(conn: Connection, dossiers: Collection[int], now: datetime) -> set[int]:
    """Return the last payment of each of these dossiers of which nothing is open any more, by currency."""
    facts = claims_of(conn, sorted(dossiers), now)
    settled = {unit for unit, claims in facts.items() if all(open_cents(fact) <= 0 for fact in claims)}
    query = (
        select(claim.c.dossier_id, claim.c.currency, payment.c.booked_on, payment.c.id)
        .join(allocation, allocation.c.claim_id == claim.c.id)
        .join(payment, payment.c.id == allocation.c.payment_id)
        .where(
            claim.c.dossier_id.in_(dossiers),
            payment.c.kind == "payment",
            # What a full list no longer asks came in somehow; nobody knows that it was a payment.
            payment.c.reason_code != "open_items",
            payment.c.booked_on <= civil_today(now),
        )
    )
    last: dict[Unit, tuple[date, int]] = {}
    for row in conn.execute(query):
        unit = (row.dossier_id, row.currency)
        last[unit] = max(last.get(unit, (row.booked_on, row.id)), (row.booked_on, row.id))
    return {key for unit, (_, key) in last.items() if unit in settled}
