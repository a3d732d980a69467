"""The named read queries of planning: each takes a whole batch."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, func, or_, select

from outreach.store.tables import claims, messages, operations, parties
from outreach.store.tables.messages import HANDED_OVER as HANDED_OVER_STATES
from outreach.store.types import table_of

creditor = table_of(parties.Creditor)
person = table_of(parties.Person)
debtor = table_of(parties.Debtor)
dossier = table_of(parties.Dossier)
party = table_of(parties.DossierParty)
point = table_of(parties.ContactPoint)
claim = table_of(claims.Claim)
payment = table_of(claims.Payment)
allocation = table_of(claims.Allocation)
stop = table_of(claims.Stop)
message = table_of(messages.Message)
message_claim = table_of(messages.MessageClaim)
attempt = table_of(messages.Attempt)
decision = table_of(messages.Decision)
installation = table_of(operations.Installation)

_told = [state.value for state in HANDED_OVER_STATES]


def _among(name: str):  # type: ignore[no-untyped-def]
    return bindparam(name, expanding=True)


INSTALLED = select(installation.c.sending, installation.c.is_trial).where(installation.c.id == 1)

DUE = (
    select(dossier.c.id)
    .where(dossier.c.next_look_at <= bindparam("now"))
    .order_by(dossier.c.next_look_at, dossier.c.id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)

PARTIES = (
    select(
        party.c.dossier_id,
        party.c.role,
        person.c.id.label("person_id"),
        person.c.pseudonym,
        person.c.kind,
        person.c.name,
        person.c.language,
        person.c.form_of_address,
        person.c.preferred_channel,
        person.c.country,
        person.c.time_zone,
        person.c.deceased_on,
        person.c.facts_version,
    )
    .join(person, person.c.id == party.c.person_id)
    .where(
        party.c.dossier_id.in_(_among("dossiers")),
        or_(party.c.from_at.is_(None), party.c.from_at <= bindparam("now")),
        or_(party.c.until_at.is_(None), party.c.until_at > bindparam("now")),
    )
    .order_by(party.c.id)
)

DOSSIERS = (
    select(
        dossier.c.id,
        dossier.c.pseudonym,
        dossier.c.contract_id,
        dossier.c.debtor_id,
        dossier.c.next_look_at,
        debtor.c.external_id,
        dossier.c.creditor_id,
        creditor.c.code,
        creditor.c.name.label("creditor_name"),
        creditor.c.iban,
        creditor.c.phone,
        creditor.c.email,
        creditor.c.sending,
        creditor.c.strategy,
        creditor.c.interval_days,
        creditor.c.freshness_hours,
        creditor.c.payments_until_on,
        creditor.c.policy_epoch,
    )
    .join(creditor, creditor.c.id == dossier.c.creditor_id)
    .join(debtor, debtor.c.id == dossier.c.debtor_id)
    .where(dossier.c.id.in_(_among("dossiers")))
    .order_by(dossier.c.id)
)

CURRENCIES = (
    select(claim.c.dossier_id, claim.c.currency)
    .where(claim.c.dossier_id.in_(_among("dossiers")))
    .distinct()
    .order_by(claim.c.dossier_id, claim.c.currency)
)

_reduced = func.coalesce(func.sum(allocation.c.amount_cents), 0)

OPEN_CLAIMS = (
    select(
        claim.c.id,
        claim.c.pseudonym,
        claim.c.dossier_id,
        claim.c.external_id,
        claim.c.invoice_number,
        claim.c.kind,
        claim.c.description,
        claim.c.payment_url,
        claim.c.invoice_on,
        claim.c.due_on,
        claim.c.currency,
        claim.c.principal_cents,
        _reduced.label("reduced_cents"),
    )
    .outerjoin(
        allocation,
        and_(allocation.c.claim_id == claim.c.id, allocation.c.booked_on <= bindparam("today")),
    )
    .where(claim.c.dossier_id.in_(_among("dossiers")))
    .group_by(claim.c.id)
    .having(claim.c.principal_cents > _reduced)
    .order_by(claim.c.due_on, claim.c.id)
)

TOLD = (
    select(
        message_claim.c.claim_id,
        message_claim.c.person_id,
        message_claim.c.step,
        attempt.c.state,
        attempt.c.handed_over_at,
    )
    .join(attempt, attempt.c.message_id == message_claim.c.message_id)
    .where(
        message_claim.c.claim_id.in_(_among("claims")),
        message_claim.c.counts,
        message_claim.c.step != "listed",
        attempt.c.state.in_(_told),
    )
    .order_by(attempt.c.handed_over_at)
)

POINTS = (
    select(point.c.id, point.c.person_id, point.c.kind, point.c.value, point.c.address_key, point.c.certainty)
    .where(
        point.c.person_id.in_(_among("persons")),
        or_(point.c.until_at.is_(None), point.c.until_at > bindparam("now")),
    )
    .order_by(point.c.id)
)

HANDED_OVER = (
    select(
        attempt.c.person_id,
        attempt.c.handed_over_at,
        attempt.c.channel,
        attempt.c.creditor_id,
        message.c.purpose,
    )
    .join(message, message.c.id == attempt.c.message_id)
    .where(
        attempt.c.person_id.in_(_among("persons")),
        attempt.c.state.in_(_told),
        attempt.c.handed_over_at > bindparam("since"),
        message.c.copy_of.is_(None),
    )
    .order_by(attempt.c.handed_over_at)
)

READY_ELSEWHERE = (
    select(attempt.c.person_id, attempt.c.good_until, message.c.dossier_id, message.c.currency)
    .join(message, message.c.id == attempt.c.message_id)
    .where(
        attempt.c.person_id.in_(_among("persons")),
        attempt.c.state == "ready",
        attempt.c.good_until > bindparam("now"),
    )
)

_handed_over = (
    select(attempt.c.id).where(attempt.c.message_id == message.c.id, attempt.c.state.in_(_told)).exists()
)

OPEN_MESSAGES = (
    select(
        message.c.id,
        message.c.dossier_id,
        message.c.person_id,
        message.c.currency,
        message.c.pseudonym,
        message.c.template,
        message.c.tone,
        message.c.strategy_hash,
        message_claim.c.claim_id,
        message_claim.c.step,
    )
    .join(message_claim, message_claim.c.message_id == message.c.id)
    .where(
        message.c.dossier_id.in_(_among("dossiers")),
        message.c.withdrawn_at.is_(None),
        message_claim.c.counts,
        ~_handed_over,
    )
)

ATTEMPTS = (
    select(
        attempt.c.id,
        attempt.c.message_id,
        attempt.c.token,
        attempt.c.channel,
        attempt.c.contact_point_id,
        attempt.c.state,
        attempt.c.facts_version,
        attempt.c.policy_epoch,
        attempt.c.good_until,
        attempt.c.tries,
    )
    .where(attempt.c.message_id.in_(_among("messages")))
    .order_by(attempt.c.id)
)

UNPLACED = (
    select(payment.c.debtor_id, payment.c.currency, func.sum(payment.c.unplaced_cents).label("cents"))
    .where(payment.c.debtor_id.in_(_among("debtors")), payment.c.unplaced_cents > 0)
    .group_by(payment.c.debtor_id, payment.c.currency)
)

STOPS = select(stop).where(
    stop.c.lifted_at.is_(None),
    or_(stop.c.until_at.is_(None), stop.c.until_at > bindparam("now")),
    or_(
        stop.c.person_id.in_(_among("persons")),
        stop.c.dossier_id.in_(_among("dossiers")),
        stop.c.claim_id.in_(_among("claims")),
        stop.c.address_key.in_(_among("addresses")),
        stop.c.creditor_id.in_(_among("creditors")),
    ),
)

LAST_DECISIONS = select(
    decision.c.dossier_id, decision.c.person_id, decision.c.currency, decision.c.id, decision.c.fingerprint
).where(
    decision.c.id.in_(
        select(func.max(decision.c.id))
        .where(decision.c.dossier_id.in_(_among("dossiers")))
        .group_by(decision.c.dossier_id, decision.c.person_id, decision.c.currency)
    )
)
