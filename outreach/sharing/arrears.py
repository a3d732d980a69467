"""Contracts with arrears that the law wants told to the municipality: which they are, what is missing, by when."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select

from consent.disclosure import names
from consent.early_signal import SignalFacts, SignalVerdict, early_signal
from consent.packs import Pack, packs_with
from outreach.casework.confirmations import confirmed
from outreach.casework.days import civil_today
from outreach.casework.grounds import money
from outreach.casework.owed import allocation, facts_where
from outreach.casework.running import arrangement
from outreach.casework.targets import (
    DossierRef,
    claim,
    creditor,
    debtor,
    dossier,
    dossier_by_id,
    person,
    point,
)
from outreach.claims.amounts import asked_cents, is_held
from outreach.claims.facts import ClaimFact
from outreach.sharing import agreements, tables
from outreach.sharing.evidence import Evidence, evidence_of
from outreach.sharing.fields import EARLY_SIGNAL, SIGNAL_WORDS
from outreach.store.tables.law import ConsentEvent
from outreach.store.types import AnyRow, table_of

early_signals = table_of(tables.EarlySignal)
consent_event = table_of(ConsentEvent)

SIGNAL_WITHIN = timedelta(days=30)
"""By this long after the oldest due date a signal is wanted: the convention's figure for energy and water since
2022-11-30, and operator policy for the other sectors."""
SHOWN_BEFORE = timedelta(days=14)
"""A contract is listed this long before, so that what is missing can still be done."""

CURRENCY = "EUR"

_SECTORS = {"rent": "landlord"}
"""The word of the law's rules for a sector, where it is not our own."""
_TOWN = re.compile(r"[1-9][0-9]{3} ?[A-Z]{2} +(.+)")
_UNSURE = ("wrong_person", "dead", "suspect")
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One contract with arrears: the facts that the gate asks, what proves them, and what it answered.

    `missing` are the codes of what stands in the way; `agreement` is the row to share under, where there is one.
    """

    where: DossierRef
    debtor: str
    contract: str
    sector: str
    since_on: date
    by_on: date
    cents: int
    evidence: Evidence
    contact: Mapping[str, str]
    address_key: str
    agreement: AnyRow | None
    verdict: SignalVerdict
    missing: tuple[str, ...]

    @property
    def payload(self) -> dict[str, list[dict[str, Any]]]:
        """The closed set of what a municipality is told; a way to reach somebody that is not known is left out."""
        return _payload(self.contact, self.cents, self.debtor)


def cases(conn: Connection, now: datetime, creditor_id: int | None = None) -> list[Case]:
    """Return every contract that should be signalled and is not, the most urgent first."""
    today = civil_today(now)
    found: list[Case] = []
    keys = _late(conn, today - SIGNAL_WITHIN + SHOWN_BEFORE, today, creditor_id)
    for start in range(0, len(keys), _PAGE):
        found += cases_of(conn, keys[start : start + _PAGE], now)
    due = [one for one in found if one.by_on - SHOWN_BEFORE <= today and "signalled" not in one.missing]
    return sorted(due, key=lambda one: (one.by_on, one.where.id))


def cases_of(conn: Connection, dossiers: Sequence[int], now: datetime) -> list[Case]:
    """Return these contracts with their arrears, one case each; what is paid or a business's is left out."""
    today = civil_today(now)
    arrears = open_arrears(conn, dossiers, now, today)
    refs = {key: dossier_by_id(conn, key) for key in arrears}
    since = {key: min(fact.due_on for fact in facts) for key, facts in arrears.items()}
    evidence = evidence_of(conn, since, list(refs.values()), now)
    about = _about(conn, list(arrears))
    points = ways_of(conn, {one.person_id for one in refs.values()}, now)
    all_agreements = [
        row
        for row in agreements.agreements(conn, EARLY_SIGNAL)
        if agreements.state_of(row, today) == agreements.IN_FORCE
    ]
    answers = _answers(conn, {one.person_id for one in refs.values()})
    pack = packs_with(None, confirmed=confirmed(conn))["NL"]
    found = []
    for key, facts in arrears.items():
        row = about.get(key)
        if row is not None:
            ways = points.get(row.person_id, {})
            known = _Known(row, since[key], facts, evidence[key], ways, answers.get(row.person_id, ""))
            found.append(_case(conn, pack, refs[key], known, all_agreements, now))
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read about one contract."""

    row: AnyRow
    since_on: date
    claims: Sequence[ClaimFact]
    evidence: Evidence
    ways: Mapping[str, AnyRow]
    answer: str


def _case(
    conn: Connection, pack: Pack, where: DossierRef, known: _Known, rows: Iterable[AnyRow], now: datetime
) -> Case:
    today = civil_today(now)
    letter = known.ways.get("letter")
    town = town_of(letter.value) if letter is not None else ""
    agreement = next((row for row in rows if _covers(row, where, town)), None)
    cents = sum(_told_cents(fact) for fact in known.claims)
    contact = {"name": known.row.name} | {
        field: known.ways[kind].value
        for kind, field in (("letter", "address"), ("sms", "phone"), ("email", "email"))
        if kind in known.ways
    }
    sector = known.row.sector
    signals = _signals(conn, where.id, letter.address_key if letter is not None else "", sector)
    facts = SignalFacts(
        creditor_type=_SECTORS.get(sector, sector),
        arrears=cents > 0,
        written_reminders=known.evidence.reminders,
        personal_contact_effort=known.evidence.contact is not None,
        pointed_to_debt_help=known.evidence.help is not None,
        offered_data_sharing_in_reminder=known.evidence.offer is not None,
        debtor_refused_sharing=known.answer == "refused",
        dispute_open=any(fact.holds for fact in known.claims),
        payment_plan_active_and_kept=_has_kept_plan(conn, where.id),
        municipality_known=agreement is not None,
        payload=tuple(SIGNAL_WORDS[name] for name in names(_payload(contact, cents, known.row.external_id))),
        open_signal=any(row.closed_at is None for row in signals),
    )
    verdict = early_signal(facts, pack, today)
    return Case(
        where=where,
        debtor=known.row.external_id,
        contract=where.contract_id,
        sector=sector,
        since_on=known.since_on,
        by_on=known.since_on + SIGNAL_WITHIN,
        cents=cents,
        evidence=known.evidence,
        contact=contact,
        address_key=letter.address_key if letter is not None else "",
        agreement=agreement,
        verdict=verdict,
        missing=tuple(_missing(where, known, verdict, signals, now)),
    )


def _payload(contact: Mapping[str, str], cents: int, reference: str) -> dict[str, list[dict[str, Any]]]:
    return {
        "contact": [dict(contact)],
        "arrears": [{"amount": money(cents, CURRENCY)}],
        "creditor": [{"reference": reference}],
    }


def _missing(
    where: DossierRef, known: _Known, verdict: SignalVerdict, signals: Iterable[AnyRow], now: datetime
) -> Iterator[str]:
    """Yield the codes of what stands in the way: of the rules, and of what only the service knows."""
    yield from (reason.code for reason in verdict.reasons if reason.refuses)
    if "letter" not in known.ways:
        yield "no_address"
    if known.evidence.offer is not None and not known.answer:
        if not known.evidence.offer_ended(now):
            yield "offer_runs"
        if known.evidence.heard is not None:
            yield "answer_to_read"
    if any(row.dossier_id == where.id and _told(row, known.since_on) for row in signals):
        yield "signalled"


def town_of(address: str) -> str:
    """Return the town of a Dutch postal address; empty where its last line is none."""
    found = _TOWN.fullmatch(address.splitlines()[-1].strip()) if address.strip() else None
    return found[1].strip() if found else ""


def _covers(row: AnyRow, where: DossierRef, town: str) -> bool:
    places = {place.casefold() for place in json.loads(row.places)}
    return town.casefold() in places and row.creditor_id in {None, where.creditor_id}


def _told_cents(fact: ClaimFact) -> int:
    return 0 if is_held(fact) else max(0, asked_cents(fact))


def _told(row: AnyRow, since_on: date) -> bool:
    """Whether a signal was about these arrears."""
    return row.closed_at is None or civil_today(row.sent_at) >= since_on


def _late(conn: Connection, due_by: date, today: date, creditor_id: int | None) -> list[int]:
    """Return the dossiers of creditors in a sector that have an open claim due on or before a day."""
    reduced = (
        select(func.coalesce(func.sum(allocation.c.amount_cents), 0))
        .where(allocation.c.claim_id == claim.c.id, allocation.c.booked_on <= today)
        .scalar_subquery()
    )
    query = (
        select(claim.c.dossier_id)
        .join(creditor, creditor.c.id == claim.c.creditor_id)
        .where(creditor.c.sector != "", claim.c.due_on <= due_by, claim.c.principal_cents > reduced)
        .distinct()
        .order_by(claim.c.dossier_id)
    )
    if creditor_id is not None:
        query = query.where(claim.c.creditor_id == creditor_id)
    return list(conn.execute(query).scalars())


def open_arrears(
    conn: Connection, dossiers: Sequence[int], now: datetime, today: date
) -> dict[int, list[ClaimFact]]:
    """Return the open claims after their due date in euros, by dossier, the oldest first."""
    rows = facts_where(conn, claim.c.dossier_id.in_(dossiers), now, booked=allocation.c.booked_on <= today)
    found: dict[int, list[ClaimFact]] = {}
    for key, fact in rows:
        if fact.due_on < today and fact.currency == CURRENCY and fact.principal_cents > fact.reduced_cents:
            found.setdefault(key, []).append(fact)
    return found


def _about(conn: Connection, dossiers: Sequence[int]) -> dict[int, AnyRow]:
    """Return the people, no businesses, whose dossiers these are, with the sector of their creditor."""
    query = (
        select(
            dossier.c.id,
            person.c.id.label("person_id"),
            person.c.name,
            debtor.c.external_id,
            creditor.c.sector,
        )
        .join(debtor, debtor.c.id == dossier.c.debtor_id)
        .join(person, person.c.id == debtor.c.person_id)
        .join(creditor, creditor.c.id == dossier.c.creditor_id)
        .where(dossier.c.id.in_(dossiers), person.c.kind == "person")
    )
    return {row.id: row for row in conn.execute(query)}


def ways_of(conn: Connection, persons: Iterable[int], now: datetime) -> dict[int, dict[str, AnyRow]]:
    """Return the newest usable way of each kind by which people can be reached."""
    query = (
        select(point)
        .where(
            point.c.person_id.in_(persons),
            point.c.certainty.not_in(_UNSURE),
            or_(point.c.until_at.is_(None), point.c.until_at > now),
        )
        .order_by(point.c.id)
    )
    found: dict[int, dict[str, AnyRow]] = {}
    for row in conn.execute(query):
        found.setdefault(row.person_id, {})[row.kind] = row
    return found


def _answers(conn: Connection, persons: Iterable[int]) -> dict[int, str]:
    """Return what people last said to the offer: given or refused."""
    query = select(consent_event.c.person_id, consent_event.c.kind).where(
        consent_event.c.person_id.in_(persons), consent_event.c.purpose == EARLY_SIGNAL
    )
    rows = conn.execute(query.order_by(consent_event.c.at, consent_event.c.id))
    return {row.person_id: row.kind for row in rows}


def _signals(conn: Connection, dossier_id: int, address_key: str, sector: str) -> Sequence[AnyRow]:
    """Return the signals of a dossier, and those of its address and sector."""
    at_address = (early_signals.c.address_key == address_key) & (early_signals.c.sector == sector)
    query = select(early_signals).where(or_(early_signals.c.dossier_id == dossier_id, at_address))
    return conn.execute(query.order_by(early_signals.c.id)).all()


def _has_kept_plan(conn: Connection, dossier_id: int) -> bool:
    query = select(arrangement.c.id).where(
        arrangement.c.dossier_id == dossier_id, arrangement.c.state == "running", arrangement.c.missed == 0
    )
    return conn.execute(query.limit(1)).first() is not None
