"""The named read queries of planning: each takes a whole batch."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, func, or_, select

from outreach.store.tables import claims, law, messages, operations, parties
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
signal = table_of(claims.Signal)
arrangement = table_of(claims.Arrangement)
instalment = table_of(claims.Instalment)
step_done = table_of(claims.StepDone)
approval = table_of(claims.Approval)
declaration = table_of(law.Declaration)
service_message = table_of(messages.ServiceMessage)
strategy = table_of(operations.StrategyInForce)
segment_strategy = table_of(operations.SegmentStrategy)

TOLD_STATES = [state.value for state in HANDED_OVER_STATES]


def among(name: str) -> BindParameter[Any]:
    """Return a parameter that takes all keys of a batch."""
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
        party.c.triage,
    )
    .join(person, person.c.id == party.c.person_id)
    .where(
        party.c.dossier_id.in_(among("dossiers")),
        # Who acts for a debtor owes nothing: the texts ask whoever reads them to pay.
        party.c.role != "representative",
        or_(party.c.from_at.is_(None), party.c.from_at <= bindparam("now")),
        or_(party.c.until_at.is_(None), party.c.until_at > bindparam("now")),
    )
    .order_by(party.c.id)
)

IN_FORCE = func.coalesce(dossier.c.strategy, segment_strategy.c.strategy, creditor.c.strategy)
"""The name of the strategy of a dossier: a person's choice, else its segment's, else the creditor's."""

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
        creditor.c.interval_days,
        creditor.c.freshness_hours,
        creditor.c.payments_until_on,
        creditor.c.policy_epoch,
        creditor.c.tolerance_cents,
        creditor.c.notice_days,
        creditor.c.handover_to,
        creditor.c.is_agency,
        creditor.c.register_number,
        dossier.c.moved_at,
        strategy.c.hash.label("strategy_hash"),
    )
    .join(creditor, creditor.c.id == dossier.c.creditor_id)
    .join(debtor, debtor.c.id == dossier.c.debtor_id)
    .outerjoin(
        segment_strategy,
        and_(
            segment_strategy.c.creditor_id == dossier.c.creditor_id,
            segment_strategy.c.segment == dossier.c.segment,
        ),
    )
    .outerjoin(strategy, strategy.c.name == IN_FORCE)
    .where(dossier.c.id.in_(among("dossiers")))
    .order_by(dossier.c.id)
)

CURRENCIES = (
    select(claim.c.dossier_id, claim.c.currency)
    .where(claim.c.dossier_id.in_(among("dossiers")))
    .distinct()
    .order_by(claim.c.dossier_id, claim.c.currency)
)

_reduced = func.coalesce(func.sum(allocation.c.amount_cents), 0)

_CLAIMS = (
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
        claim.c.last_step,
        claim.c.last_step_on,
        _reduced.label("reduced_cents"),
    )
    .outerjoin(
        allocation,
        and_(allocation.c.claim_id == claim.c.id, allocation.c.booked_on <= bindparam("today")),
    )
    .group_by(claim.c.id)
    .order_by(claim.c.due_on, claim.c.id)
)
OPEN_CLAIMS = _CLAIMS.where(claim.c.dossier_id.in_(among("dossiers"))).having(
    claim.c.principal_cents > _reduced
)
CLAIMS_BY_ID = _CLAIMS.where(claim.c.id.in_(among("claims")))

TOLD = (
    select(
        message_claim.c.claim_id,
        message_claim.c.person_id,
        message_claim.c.step,
        attempt.c.state,
        attempt.c.handed_over_at,
        attempt.c.channel,
        message.c.tone,
        message.c.strategy_hash,
    )
    .join(attempt, attempt.c.message_id == message_claim.c.message_id)
    .join(message, message.c.id == message_claim.c.message_id)
    .where(
        message_claim.c.claim_id.in_(among("claims")),
        message_claim.c.counts,
        message_claim.c.step != "listed",
        attempt.c.state.in_(TOLD_STATES),
    )
    .order_by(attempt.c.handed_over_at)
)

STEPS_DONE = (
    select(
        step_done.c.claim_id,
        step_done.c.person_id,
        step_done.c.step,
        step_done.c.reached,
        step_done.c.at,
        step_done.c.tone,
        step_done.c.strategy_hash,
    )
    .where(step_done.c.claim_id.in_(among("claims")), step_done.c.counts)
    .order_by(step_done.c.at)
)

SIGNALS = (
    select(signal.c.dossier_id, signal.c.claim_id, signal.c.kind, signal.c.on_date)
    .where(signal.c.dossier_id.in_(among("dossiers")))
    .order_by(signal.c.on_date, signal.c.id)
)

APPROVALS = (
    select(
        approval.c.dossier_id,
        approval.c.person_id,
        approval.c.currency,
        approval.c.step,
        approval.c.approved,
        approval.c.at,
        approval.c.until_at,
    )
    .where(approval.c.dossier_id.in_(among("dossiers")), approval.c.until_at > bindparam("now"))
    .order_by(approval.c.at, approval.c.id)
)

POINTS = (
    select(point.c.id, point.c.person_id, point.c.kind, point.c.value, point.c.address_key, point.c.certainty)
    .where(
        point.c.person_id.in_(among("persons")),
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
        attempt.c.person_id.in_(among("persons")),
        attempt.c.state.in_(TOLD_STATES),
        attempt.c.handed_over_at > bindparam("since"),
        message.c.copy_of.is_(None),
    )
    .order_by(attempt.c.handed_over_at)
)

READY_ELSEWHERE = (
    select(attempt.c.person_id, attempt.c.good_until, message.c.dossier_id, message.c.currency)
    .join(message, message.c.id == attempt.c.message_id)
    .where(
        attempt.c.person_id.in_(among("persons")),
        attempt.c.state == "ready",
        attempt.c.good_until > bindparam("now"),
    )
)

_handed_over = (
    select(attempt.c.id)
    .where(attempt.c.message_id == message.c.id, attempt.c.state.in_(TOLD_STATES))
    .exists()
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
        message.c.service_message_id,
        message_claim.c.claim_id,
        message_claim.c.step,
    )
    .outerjoin(message_claim, message_claim.c.message_id == message.c.id)
    .where(
        message.c.dossier_id.in_(among("dossiers")),
        message.c.withdrawn_at.is_(None),
        # A confirmation may be about no claim at all.
        or_(message_claim.c.counts, message_claim.c.id.is_(None)),
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
    .where(attempt.c.message_id.in_(among("messages")))
    .order_by(attempt.c.id)
)

UNPLACED = (
    select(payment.c.debtor_id, payment.c.currency, func.sum(payment.c.unplaced_cents).label("cents"))
    .where(payment.c.debtor_id.in_(among("debtors")), payment.c.unplaced_cents > 0)
    .group_by(payment.c.debtor_id, payment.c.currency)
)

_STOP_COLUMNS = (
    stop.c.kind,
    stop.c.scope,
    stop.c.person_id,
    stop.c.dossier_id,
    stop.c.claim_id,
    stop.c.creditor_id,
    stop.c.address_key,
    stop.c.channel,
    stop.c.from_at,
    stop.c.until_at,
    stop.c.lifted_at,
    stop.c.amount_cents,
    stop.c.reason_code,
)
STOPS = select(*_STOP_COLUMNS).where(
    stop.c.lifted_at.is_(None),
    or_(stop.c.until_at.is_(None), stop.c.until_at > bindparam("now")),
    or_(
        stop.c.person_id.in_(among("persons")),
        stop.c.dossier_id.in_(among("dossiers")),
        stop.c.claim_id.in_(among("claims")),
        stop.c.address_key.in_(among("addresses")),
        stop.c.creditor_id.in_(among("creditors")),
    ),
)

NEWEST_DECISIONS = select(func.max(decision.c.id)).group_by(
    decision.c.dossier_id, decision.c.person_id, decision.c.currency
)
"""The key of the newest decision about each party of a dossier in a currency."""

LAST_DECISIONS = select(
    decision.c.dossier_id, decision.c.person_id, decision.c.currency, decision.c.id, decision.c.fingerprint
).where(decision.c.id.in_(NEWEST_DECISIONS.where(decision.c.dossier_id.in_(among("dossiers")))))
DECLARED = select(
    declaration.c.creditor_id,
    declaration.c.kind,
    declaration.c.subject,
    declaration.c.from_on,
    declaration.c.until_on,
).where(declaration.c.withdrawn_at.is_(None))
