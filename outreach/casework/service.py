"""Wishes to tell a party something that is no reminder: asked once each, closed when told or no longer true.

Planning composes and sends what is open; here it is only said what is wanted, and noticed what came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from outreach.casework.targets import creditor, dossier, person
from outreach.correspondence import log
from outreach.store.tables import claims, messages
from outreach.store.types import AnyRow, new_id, table_of

service_message = table_of(messages.ServiceMessage)
message = table_of(messages.Message)
attempt = table_of(messages.Attempt)
arrangement = table_of(claims.Arrangement)
instalment = table_of(claims.Instalment)
allocation = table_of(claims.Allocation)
payment = table_of(claims.Payment)
stop = table_of(claims.Stop)

HANDED_OVER = ("accepted", "posted", "delivered")
"""States of an attempt that has left for good, as far as is known."""

CLOSED_AT_ONCE = 500

PAYMENT = "payment_confirmed"
"""The template that confirms payments."""

TOLD = "told"
"""Why a wish was closed that was fulfilled; every other code is of one that was dropped."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to tell one party before `until_at`; `subject` is what it is about, told once per template.

    `purpose` is 'confirmation' of what the debtor did, or 'service' for an arrangement that runs.
    """

    template: str
    purpose: str
    subject: str
    dossier_id: int
    person_id: int
    currency: str
    until_at: datetime
    arrangement_id: int | None = None
    instalment_id: int | None = None
    stop_id: int | None = None
    payment_id: int | None = None


def ask(conn: Connection, wishes: Sequence[Wish], actor: str, now: datetime) -> int:
    """Ask for messages; one that was asked before, or has no time left, is passed over. Returns how many are new."""
    rows = [asdict(wish) | {"pseudonym": new_id(), "asked_at": now} for wish in wishes if wish.until_at > now]
    if not rows:
        return 0
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    new = build(service_message).on_conflict_do_nothing().returning(service_message.c.id)
    keys = conn.execute(new, rows).scalars().all()
    log.append(conn, _entries(conn, "service_message_asked", keys, actor, now))
    return len(keys)


def close_past(conn: Connection, actor: str, now: datetime) -> int:
    """Close what was told, what is no longer true, and what came too late; returns how many.

    At most `CLOSED_AT_ONCE` of each. What is being handed over, or may have been, is left until that is known.
    """
    return (
        _close(conn, _WAS_TOLD, TOLD, actor, now)
        + _close(conn, _UNTRUE & ~_UNDER_WAY, "no_longer_true", actor, now)
        + _close(conn, (service_message.c.until_at <= now) & ~_UNDER_WAY, "too_late", actor, now)
    )


def close_about(conn: Connection, arrangements: Sequence[int], code: str, actor: str, now: datetime) -> None:
    """Close what is still to be told about arrangements that have come to their end."""
    _close(conn, service_message.c.arrangement_id.in_(arrangements) & ~_UNDER_WAY, code, actor, now)


def _close(conn: Connection, when: ColumnElement[bool], code: str, actor: str, now: datetime) -> int:
    query = select(service_message.c.id).where(service_message.c.closed_at.is_(None), when)
    keys = conn.execute(query.order_by(service_message.c.id).limit(CLOSED_AT_ONCE)).scalars().all()
    if not keys:
        return 0
    closed = update(service_message).where(service_message.c.id.in_(keys))
    conn.execute(closed.values(closed_at=now, closed_code=code))
    if code != TOLD:
        log.append(conn, _entries(conn, "service_message_dropped", keys, actor, now, code))
    return len(keys)


def has_attempt(states: Sequence[str]) -> ColumnElement[bool]:
    """Return whether a message that answers a wish has an attempt in one of these states.

    Payments that wait together are confirmed in one message, which hangs on the oldest of their wishes.
    """
    together = service_message.alias("together")
    tried = (
        select(attempt.c.id)
        .join(message, message.c.id == attempt.c.message_id)
        .where(attempt.c.state.in_(states))
        .correlate(service_message)
    )
    return or_(
        tried.where(message.c.service_message_id == service_message.c.id).exists(),
        and_(
            service_message.c.template == PAYMENT,
            tried.join(together, together.c.id == message.c.service_message_id)
            .where(
                together.c.template == PAYMENT,
                together.c.dossier_id == service_message.c.dossier_id,
                together.c.person_id == service_message.c.person_id,
                together.c.currency == service_message.c.currency,
                # A message may be older than what was put into it when it was composed anew.
                attempt.c.good_from >= service_message.c.asked_at,
            )
            .exists(),
        ),
    )


_WAS_TOLD = has_attempt(HANDED_OVER)
_UNDER_WAY = has_attempt(("sending", "in_doubt"))

_reversal = payment.alias("reversal")
_taken_back = allocation.alias("taken_back")

# A reversal is found through the claims that its payment was placed on: `reverses_id` has no index.
_UNTRUE = or_(
    select(arrangement.c.id)
    .where(arrangement.c.id == service_message.c.arrangement_id, arrangement.c.state != "running")
    .exists(),
    select(instalment.c.id)
    .where(
        instalment.c.id == service_message.c.instalment_id,
        or_(
            instalment.c.state == "paid",
            and_(service_message.c.template == "instalment_soon", instalment.c.state != "open"),
        ),
    )
    .exists(),
    select(stop.c.id)
    .where(
        stop.c.id == service_message.c.stop_id,
        stop.c.lifted_at.is_not(None),
        # The answer to a dispute or complaint comes when its stop is over; these only while it holds.
        service_message.c.template.in_(("dispute_received", "complaint_received", "pause_confirmed")),
    )
    .exists(),
    select(allocation.c.id)
    .join(_taken_back, _taken_back.c.claim_id == allocation.c.claim_id)
    .join(_reversal, _reversal.c.id == _taken_back.c.payment_id)
    .where(
        allocation.c.payment_id == service_message.c.payment_id,
        _reversal.c.reverses_id == service_message.c.payment_id,
    )
    .exists(),
)


def _entries(
    conn: Connection, type_: str, keys: Sequence[int], actor: str, now: datetime, code: str = ""
) -> list[log.Entry]:
    rows: Sequence[AnyRow] = conn.execute(
        select(
            service_message.c.template,
            service_message.c.pseudonym,
            person.c.pseudonym.label("person"),
            dossier.c.pseudonym.label("dossier"),
            creditor.c.code,
        )
        .join(person, person.c.id == service_message.c.person_id)
        .join(dossier, dossier.c.id == service_message.c.dossier_id)
        .join(creditor, creditor.c.id == dossier.c.creditor_id)
        .where(service_message.c.id.in_(keys))
        .order_by(service_message.c.id)
    ).all()
    return [
        log.Entry(
            type=type_,
            at=now,
            actor=actor,
            person=row.person,
            dossier=row.dossier,
            creditor=row.code,
            reasons=(row.template, *([code] if code else ()), row.pseudonym),
        )
        for row in rows
    ]
