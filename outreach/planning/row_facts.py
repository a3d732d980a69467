"""What a row of planning's queries is as a fact that decisions are made from."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from channels.kinds import Kind
from consent.facts import HandedOverFact, StopFact
from consent.processing import Declared
from outreach.claims.facts import HoldFact, SignalFact, ToldFact
from outreach.planning.facts import ApprovalFact, AttemptFact, CreditorFact, PartyFact, PointFact
from outreach.store.types import AnyRow


def hold_fact(row: AnyRow) -> HoldFact:
    """Return a stop on one claim, or on a part of it."""
    return HoldFact(kind=row.kind, until_at=row.until_at, cents=row.amount_cents)


def signal_fact(row: AnyRow) -> SignalFact:
    """Return what may start a trajectory."""
    return SignalFact(kind=row.kind, on=row.on_date)


def approval_fact(row: AnyRow, zone: ZoneInfo) -> ApprovalFact:
    """Return what a person said of a step."""
    on = row.at.astimezone(zone).date()
    return ApprovalFact(step=row.step, approved=row.approved, until_at=row.until_at, on=on)


def declared_fact(row: AnyRow) -> Declared:
    """Return a document that the operator declared."""
    return Declared(kind=row.kind, subject=row.subject, from_on=row.from_on, until_on=row.until_on)


def handed_over_fact(row: AnyRow, creditor_id: int) -> HandedOverFact:
    """Return what a person was sent, as the caps of a creditor count it."""
    return HandedOverFact(
        at=row.handed_over_at,
        channel=Kind(row.channel),
        same_creditor=row.creditor_id == creditor_id,
        purpose=row.purpose,
    )


def stop_fact(row: AnyRow) -> StopFact:
    """Return a stop that is not on one claim alone."""
    return StopFact(
        kind=row.kind,
        scope=row.scope,
        from_at=row.from_at,
        until_at=row.until_at,
        channel=Kind(row.channel) if row.channel else None,
        address_key=row.address_key,
        reason_code=row.reason_code,
    )


def told_fact(past: AnyRow, zone: ZoneInfo) -> ToldFact:
    """Return a step that was handed over, on its civil date in the party's zone."""
    return ToldFact(
        step=past.step,
        state=past.state,
        at=past.handed_over_at,
        on=past.handed_over_at.astimezone(zone).date(),
        channel=past.channel,
        tone=past.tone,
        strategy=past.strategy_hash,
    )


def done_fact(past: AnyRow, zone: ZoneInfo) -> ToldFact:
    """Return a step that a person did, or tried to do."""
    return ToldFact(
        step=past.step,
        state="done" if past.reached else "tried",
        at=past.at,
        on=past.at.astimezone(zone).date(),
        tone=past.tone,
        strategy=past.strategy_hash,
    )


def creditor_fact(row: AnyRow, payments_until_on: date | None) -> CreditorFact:
    """Return the creditor of a dossier, with the last day whose payments count as known."""
    return CreditorFact(
        id=row.creditor_id,
        code=row.code,
        name=row.creditor_name,
        iban=row.iban,
        phone=row.phone,
        email=row.email,
        sending=row.sending,
        interval_days=row.interval_days,
        freshness_hours=row.freshness_hours,
        payments_until_on=payments_until_on,
        policy_epoch=row.policy_epoch,
        tolerance_cents=row.tolerance_cents,
        notice_days=row.notice_days,
        handover_to=row.handover_to,
        is_agency=row.is_agency,
        register_number=row.register_number,
    )


def party_fact(row: AnyRow, today: date) -> PartyFact:
    """Return a party of a dossier; who dies is dead from that day on."""
    return PartyFact(
        person_id=row.person_id,
        pseudonym=row.pseudonym,
        role=row.role,
        kind=row.kind,
        name=row.name,
        language=row.language,
        form_of_address=row.form_of_address,
        preferred_channel=Kind(row.preferred_channel) if row.preferred_channel else None,
        country=row.country,
        zone=row.time_zone,
        deceased=row.deceased_on is not None and row.deceased_on <= today,
        facts_version=row.facts_version,
        triage=row.triage,
    )


def point_fact(row: AnyRow) -> PointFact:
    """Return a way to reach a party."""
    return PointFact(
        id=row.id,
        channel=Kind(row.kind),
        value=row.value,
        address_key=row.address_key,
        certainty=row.certainty,
    )


def attempt_fact(row: AnyRow) -> AttemptFact:
    """Return one rendering of a message that may still go, or went."""
    return AttemptFact(
        id=row.id,
        token=row.token,
        channel=Kind(row.channel),
        contact_point_id=row.contact_point_id,
        state=row.state,
        facts_version=row.facts_version,
        policy_epoch=row.policy_epoch,
        good_until=row.good_until,
        tries=row.tries,
    )
