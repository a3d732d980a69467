"""Who was reminded more than once and does not react: nothing paid, nothing arranged, nothing said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from outreach.correspondence.tables import LogEntry
from outreach.planning import queries as q
from outreach.planning.load import civil_today
from outreach.store.types import AnyRow, table_of

entry = table_of(LogEntry)

MESSAGES = 2
"""After so many messages without any reaction somebody counts as one who does not respond."""

_PAGE = 500
_READ = ("accepted", "posted", "delivered")
_CONTACT = ("conversation", "received")


@dataclass(frozen=True, slots=True)
class Silent:
    """A party of a dossier that was reminded of claims that are still open, and of which nothing came since."""

    creditor: str
    debtor: str
    person: str
    """The random id of the party; co-debtors share the debtor's number."""
    currency: str
    messages: int
    first_on: date
    last_on: date


def silent(conn: Connection, now: datetime, creditor_id: int | None) -> list[Silent]:
    """Return who does not respond, the longest silent first.

    A reaction is a payment, an arrangement, a call or visit in which the person was reached, a conversation or a
    letter from them, on or after the day of the first message about what is open now.
    """
    rows = _told(conn, now, creditor_id)
    found: list[Silent] = []
    for start in range(0, len(rows), _PAGE):
        page = rows[start : start + _PAGE]
        reacted = _reacted(conn, page)
        for row in page:
            first_on = civil_today(row.first_at)
            if reacted.get(row.dossier_id, date.min) < first_on:
                found.append(
                    Silent(
                        creditor=row.code,
                        debtor=row.external_id,
                        person=row.person,
                        currency=row.currency,
                        messages=row.messages,
                        first_on=first_on,
                        last_on=civil_today(row.last_at),
                    )
                )
    return found


def _told(conn: Connection, now: datetime, creditor_id: int | None) -> list[AnyRow]:
    """Return dossiers with as many messages about claims that are open today."""
    reduced = (
        select(func.coalesce(func.sum(q.allocation.c.amount_cents), 0))
        .where(q.allocation.c.claim_id == q.claim.c.id, q.allocation.c.booked_on <= civil_today(now))
        .scalar_subquery()
    )
    messages = func.count(q.message.c.id.distinct())
    first = func.min(q.attempt.c.handed_over_at)
    query = (
        select(
            q.message.c.dossier_id,
            q.dossier.c.pseudonym,
            q.creditor.c.code,
            q.debtor.c.external_id,
            q.person.c.pseudonym.label("person"),
            q.message.c.currency,
            messages.label("messages"),
            first.label("first_at"),
            func.max(q.attempt.c.handed_over_at).label("last_at"),
        )
        .select_from(q.message_claim)
        .join(q.message, q.message.c.id == q.message_claim.c.message_id)
        .join(q.attempt, q.attempt.c.message_id == q.message.c.id)
        .join(q.claim, q.claim.c.id == q.message_claim.c.claim_id)
        .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
        .join(q.debtor, q.debtor.c.id == q.dossier.c.debtor_id)
        .join(q.creditor, q.creditor.c.id == q.dossier.c.creditor_id)
        .join(q.person, q.person.c.id == q.message.c.person_id)
        .where(
            q.message.c.purpose == "dunning",
            q.message_claim.c.counts,
            q.message_claim.c.step != "listed",
            q.attempt.c.state.in_(_READ),
            q.attempt.c.handed_over_at <= now,
            q.claim.c.principal_cents > reduced,
        )
        .group_by(
            q.message.c.dossier_id,
            q.message.c.person_id,
            q.dossier.c.pseudonym,
            q.creditor.c.code,
            q.debtor.c.external_id,
            q.person.c.pseudonym,
            q.message.c.currency,
        )
        .having(messages >= MESSAGES)
        .order_by(first, q.message.c.dossier_id, q.message.c.person_id)
    )
    if creditor_id is not None:
        query = query.where(q.message.c.creditor_id == creditor_id)
    return list(conn.execute(query))


def _reacted(conn: Connection, page: list[AnyRow]) -> dict[int, date]:
    """Return the last day on which something came of a dossier; of one party is of all."""
    dossiers = {row.dossier_id for row in page}
    known = {row.pseudonym: row.dossier_id for row in page}
    last: dict[int, date] = {}

    def learn(rows: Iterable[tuple[int, date]]) -> None:
        for key, on in rows:
            last[key] = max(last.get(key, on), on)

    paid = (
        select(q.claim.c.dossier_id, func.max(q.allocation.c.booked_on))
        .join(q.allocation, q.allocation.c.claim_id == q.claim.c.id)
        .join(q.payment, q.payment.c.id == q.allocation.c.payment_id)
        .where(
            q.claim.c.dossier_id.in_(dossiers),
            q.allocation.c.amount_cents > 0,
            q.payment.c.kind.in_(["payment", "settled_unknown"]),
        )
        .group_by(q.claim.c.dossier_id)
    )
    learn(conn.execute(paid))
    agreed = (
        select(q.arrangement.c.dossier_id, func.max(q.arrangement.c.agreed_at))
        .where(q.arrangement.c.dossier_id.in_(dossiers))
        .group_by(q.arrangement.c.dossier_id)
    )
    reached = (
        select(q.claim.c.dossier_id, func.max(q.step_done.c.at))
        .join(q.claim, q.claim.c.id == q.step_done.c.claim_id)
        .where(q.claim.c.dossier_id.in_(dossiers), q.step_done.c.reached, q.step_done.c.how != "elsewhere")
        .group_by(q.claim.c.dossier_id)
    )
    for query in (agreed, reached):
        learn((key, civil_today(at)) for key, at in conn.execute(query))
    spoken = (
        select(entry.c.dossier, func.max(entry.c.at))
        .where(entry.c.dossier.in_(known), entry.c.type.in_(_CONTACT))
        .group_by(entry.c.dossier)
    )
    learn((known[name], civil_today(at)) for name, at in conn.execute(spoken))
    return last
