"""The read queries of service messages: which wait in a batch, and what they are about."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from outreach.casework.service import has_attempt
from outreach.planning.queries import (
    TOLD_STATES,
    allocation,
    among,
    arrangement,
    instalment,
    payment,
    service_message,
    stop,
)

WAITING = (
    select(
        service_message.c.id,
        service_message.c.template,
        service_message.c.purpose,
        service_message.c.dossier_id,
        service_message.c.person_id,
        service_message.c.currency,
        service_message.c.arrangement_id,
        service_message.c.instalment_id,
        service_message.c.stop_id,
        service_message.c.payment_id,
        service_message.c.until_at,
    )
    .where(
        service_message.c.dossier_id.in_(among("dossiers")),
        service_message.c.closed_at.is_(None),
        service_message.c.until_at > bindparam("now"),
        ~has_attempt(TOLD_STATES),
    )
    .order_by(service_message.c.id)
)
ARRANGEMENTS = select(arrangement.c.id, arrangement.c.ends_on, arrangement.c.total_cents).where(
    arrangement.c.id.in_(among("keys"))
)
INSTALMENTS = (
    select(
        instalment.c.id,
        instalment.c.arrangement_id,
        instalment.c.number,
        instalment.c.due_on,
        instalment.c.amount_cents,
    )
    .where(instalment.c.arrangement_id.in_(among("keys")))
    .order_by(instalment.c.arrangement_id, instalment.c.number)
)
STOPS = select(
    stop.c.id,
    stop.c.claim_id,
    stop.c.until_at,
    stop.c.amount_cents,
    stop.c.department,
    stop.c.answer_by_on,
).where(stop.c.id.in_(among("keys")))
PAYMENTS = (
    select(payment.c.id, payment.c.amount_cents, allocation.c.claim_id)
    .outerjoin(allocation, allocation.c.payment_id == payment.c.id)
    .where(payment.c.id.in_(among("keys")))
)
