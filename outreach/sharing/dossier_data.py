"""Everything a handover dossier holds of one dossier, read record by record; nothing of any other debtor."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from outreach.casework.approvals import approval
from outreach.casework.conversations import CODECS
from outreach.casework.days import civil_today
from outreach.casework.owed import allocation, facts_where, stop
from outreach.casework.parties import all_of
from outreach.casework.targets import DossierRef, claim, creditor, debtor, person
from outreach.claims.amounts import open_cents
from outreach.correspondence import log
from outreach.correspondence.tables import Content
from outreach.planning import queries as q
from outreach.sharing.arrears import early_signals, ways_of
from outreach.store.tables.messages import Receipt
from outreach.store.types import AnyRow, table_of

receipt = table_of(Receipt)
content = table_of(Content)

Rows = list[dict[str, Any]]

LEFT = ("accepted", "posted", "delivered", "bounced", "returned", "refused")
"""States of an attempt that was handed over, and of which it is known what came of it."""
UNKNOWN = ("sending", "in_doubt")

_SAID = ("received", "conversation", "told_elsewhere")
_SUFFIXES = {codec: suffix for suffix, codec in reversed(CODECS.items())}


@dataclass(slots=True)
class Data:
    """The records, the files that they name, and whether something that was said is gone."""

    records: dict[str, Rows]
    files: dict[str, bytes] = field(default_factory=dict)
    persons: list[int] = field(default_factory=list)
    erased: bool = False


def data_of(conn: Connection, where: DossierRef, now: datetime) -> Data:
    """Return all that is known of a dossier, as it is handed over."""
    parties = all_of(conn, where)
    numbers = {row.person_id: str(place) for place, row in enumerate(_once(parties), start=1)}
    made = Data(records={}, persons=list(numbers))
    made.records |= {
        "creditor": _creditor(conn, where),
        "party": _parties(conn, where, numbers, now),
        "claim": _claims(conn, where, now),
        "payment": _payments(conn, where, now),
        "message": _messages(conn, where, numbers, made),
        "said": _said(conn, where, numbers, made),
        "decision": _decisions(conn, where, numbers),
        "approval": _approvals(conn, where, numbers),
        "dispute": _disputes(conn, where),
        "stop": _stops(conn, where, numbers),
        "signal": _signals(conn, where),
    }
    return made


def _once(parties: Iterable[AnyRow]) -> list[AnyRow]:
    """Return each person once, the debtor's or first role of theirs."""
    return list({row.person_id: row for row in reversed(list(parties))}.values())[::-1]


def _creditor(conn: Connection, where: DossierRef) -> Rows:
    row = conn.execute(select(creditor).where(creditor.c.id == where.creditor_id)).one()
    known = {name: getattr(row, name) for name in ("name", "iban", "phone", "email", "register_number")}
    return [known | {"contract": where.contract_id}]


def _parties(conn: Connection, where: DossierRef, numbers: Mapping[int, str], now: datetime) -> Rows:
    ways = ways_of(conn, numbers, now)
    roles: dict[int, list[str]] = defaultdict(list)
    for row in all_of(conn, where):
        roles[row.person_id].append(row.role)
    owner = select(debtor.c.person_id, debtor.c.external_id).where(debtor.c.id == where.debtor_id)
    mine = conn.execute(owner).one()
    people = {row.id: row for row in conn.execute(select(person).where(person.c.id.in_(numbers)))}
    return [
        {
            "id": number,
            "role": ", ".join(roles[key]),
            "number": mine.external_id if key == mine.person_id else "",
            "name": people[key].name,
            "kind": people[key].kind,
            "language": people[key].language,
        }
        | {
            name: ways.get(key, {})[kind].value if kind in ways.get(key, {}) else ""
            for kind, name in (("email", "email"), ("sms", "phone"), ("letter", "address"))
        }
        for key, number in numbers.items()
    ]


def _claims(conn: Connection, where: DossierRef, now: datetime) -> Rows:
    booked = allocation.c.booked_on <= civil_today(now)
    return [
        {
            "number": fact.external_id,
            "invoice_number": fact.invoice_number,
            "kind": fact.kind,
            "description": fact.description,
            "invoice_on": fact.invoice_on,
            "due_on": fact.due_on,
            "currency": fact.currency,
            "principal": amount(fact.principal_cents),
            "reduced": amount(fact.reduced_cents),
            "open": amount(open_cents(fact)),
        }
        for _, fact in facts_where(conn, claim.c.dossier_id == where.id, now, booked=booked)
    ]


def _payments(conn: Connection, where: DossierRef, now: datetime) -> Rows:
    """Return what was placed on these claims; of a payment for several dossiers only this one's part."""
    query = (
        select(
            q.payment.c.external_id,
            q.payment.c.kind,
            q.payment.c.currency,
            allocation.c.booked_on,
            allocation.c.amount_cents,
            claim.c.invoice_number,
        )
        .join(allocation, allocation.c.payment_id == q.payment.c.id)
        .join(claim, claim.c.id == allocation.c.claim_id)
        .where(claim.c.dossier_id == where.id, allocation.c.booked_on <= civil_today(now))
        .order_by(allocation.c.booked_on, allocation.c.id)
    )
    return [
        {
            "number": row.external_id,
            "kind": row.kind,
            "booked_on": row.booked_on,
            "currency": row.currency,
            "amount": amount(row.amount_cents),
            "invoice_number": row.invoice_number,
        }
        for row in conn.execute(query)
    ]


def _messages(conn: Connection, where: DossierRef, numbers: Mapping[int, str], made: Data) -> Rows:
    """Return every attempt that left, with its exact bytes as a file and what proves its delivery."""
    query = (
        select(q.attempt, q.message.c.purpose, q.message.c.template, q.message.c.tone)
        .join(q.message, q.message.c.id == q.attempt.c.message_id)
        .where(q.message.c.dossier_id == where.id, q.attempt.c.state.in_(LEFT))
        .order_by(q.attempt.c.handed_over_at, q.attempt.c.id)
    )
    rows = conn.execute(query).all()
    told = _told(conn, {row.message_id for row in rows})
    proofs = _proofs(conn, [row.token for row in rows])
    receipts = _receipts(conn, [row.id for row in rows])
    return [
        {
            "party": numbers.get(row.person_id, ""),
            "purpose": row.purpose,
            "template": row.template,
            "tone": row.tone,
            "told": told[row.message_id],
            "channel": row.channel,
            "address": row.address,
            "at": row.handed_over_at,
            "state": row.state,
            "code": row.outcome_code,
            "proof": proofs[row.token],
            "receipts": receipts[row.id],
        }
        | _file(conn, row.content_id, "message", made)
        for row in rows
    ]


def _told(conn: Connection, messages: Iterable[int]) -> dict[int, Rows]:
    query = (
        select(q.message_claim.c.message_id, claim.c.invoice_number, q.message_claim.c.step)
        .join(claim, claim.c.id == q.message_claim.c.claim_id)
        .where(q.message_claim.c.message_id.in_(messages))
        .order_by(q.message_claim.c.id)
    )
    found: dict[int, Rows] = defaultdict(list)
    for row in conn.execute(query):
        found[row.message_id].append({"invoice_number": row.invoice_number, "step": row.step})
    return found


def _proofs(conn: Connection, tokens: Sequence[str]) -> dict[str, Rows]:
    entry = log.log_entry
    query = select(entry).where(entry.c.token.in_(tokens)).order_by(entry.c.seq)
    found: dict[str, Rows] = defaultdict(list)
    for row in conn.execute(query):
        found[row.token].append({"entry": row.id, "type": row.type, "at": row.at})
    return found


def _receipts(conn: Connection, attempts: Sequence[int]) -> dict[int, Rows]:
    query = select(receipt).where(receipt.c.attempt_id.in_(attempts)).order_by(receipt.c.id)
    found: dict[int, Rows] = defaultdict(list)
    for row in conn.execute(query):
        told = {"provider": row.provider, "event": row.event_id, "kind": row.kind, "at": row.at}
        found[row.attempt_id].append(told)
    return found


def _said(conn: Connection, where: DossierRef, numbers: Mapping[int, str], made: Data) -> Rows:
    """Return what was said beside our messages: letters, mails and talks, both ways. Notes are our own and stay."""
    pseudonyms = {
        row.pseudonym: numbers[row.id]
        for row in conn.execute(select(person.c.id, person.c.pseudonym).where(person.c.id.in_(numbers)))
    }
    entry = log.log_entry
    query = select(entry).where(entry.c.dossier == where.pseudonym, entry.c.type.in_(_SAID))
    return [
        {
            "party": pseudonyms.get(row.person, ""),
            "at": row.at,
            "type": row.type,
            "how": " ".join(one for one in json.loads(row.reasons) if ":" not in one),
            "entry": row.id,
        }
        | _file(conn, row.content_id, "said", made)
        for row in conn.execute(query.order_by(entry.c.at, entry.c.seq)).all()
    ]


def _file(conn: Connection, content_id: str | None, kind: str, made: Data) -> dict[str, str]:
    """Add kept bytes as a file of the dossier, and return its name and hash; what is gone is noted."""
    query = select(content.c.body, content.c.codec).where(content.c.id == content_id)
    row = conn.execute(query).first() if content_id is not None else None
    if row is None:
        made.erased = True
        return {"file": "", "sha256": ""}
    body = bytes(row.body)
    name = f"correspondence/{len(made.files) + 1:03d}-{kind}{_SUFFIXES.get(row.codec, '.bin')}"
    made.files[name] = body
    return {"file": name, "sha256": hashlib.sha256(body).hexdigest()}


def _decisions(conn: Connection, where: DossierRef, numbers: Mapping[int, str]) -> Rows:
    query = select(q.decision).where(q.decision.c.dossier_id == where.id).order_by(q.decision.c.id)
    return [
        {
            "party": numbers.get(row.person_id, ""),
            "at": row.at,
            "outcome": row.outcome,
            "code": row.code,
            "currency": row.currency,
            "strategy": row.strategy_hash,
            "pack": row.pack_hash,
            "template": row.template_hash,
        }
        for row in conn.execute(query)
    ]


def _approvals(conn: Connection, where: DossierRef, numbers: Mapping[int, str]) -> Rows:
    query = select(approval).where(approval.c.dossier_id == where.id).order_by(approval.c.id)
    return [
        {
            "party": numbers.get(row.person_id, ""),
            "step": row.step,
            "approved": row.approved,
            "at": row.at,
            "by": row.actor,
        }
        for row in conn.execute(query)
    ]


def _disputes(conn: Connection, where: DossierRef) -> Rows:
    query = (
        select(stop, claim.c.invoice_number)
        .outerjoin(claim, claim.c.id == stop.c.claim_id)
        .where(or_(claim.c.dossier_id == where.id, stop.c.dossier_id == where.id), stop.c.kind == "dispute")
        .order_by(stop.c.id)
    )
    return [
        {
            "invoice_number": row.invoice_number or "",
            "amount": amount(row.amount_cents) if row.amount_cents is not None else "",
            "cause": row.reason_code,
            "from": row.from_at,
            "until": row.until_at,
            "ended": row.lifted_at,
        }
        for row in conn.execute(query)
    ]


def _stops(conn: Connection, where: DossierRef, numbers: Mapping[int, str]) -> Rows:
    """Return the stops on the dossier, its claims and its parties as persons; disputes stand by themselves."""
    claims = select(claim.c.id).where(claim.c.dossier_id == where.id)
    whole_person = and_(
        stop.c.scope == "person",
        stop.c.person_id.in_(numbers),
        or_(stop.c.creditor_id.is_(None), stop.c.creditor_id == where.creditor_id),
    )
    query = select(stop).where(
        stop.c.kind != "dispute",
        or_(stop.c.dossier_id == where.id, stop.c.claim_id.in_(claims), whole_person),
    )
    return [
        {
            "kind": row.kind,
            "scope": row.scope,
            "party": numbers.get(row.person_id, ""),
            "from": row.from_at,
            "until": row.until_at,
            "ended": row.lifted_at,
        }
        for row in conn.execute(query.order_by(stop.c.id))
    ]


def _signals(conn: Connection, where: DossierRef) -> Rows:
    """Return the early signals of this dossier, with the entry that proves each."""
    entry = log.log_entry
    told = select(entry).where(entry.c.dossier == where.pseudonym, entry.c.type == "disclosed")
    entries = {
        one.removeprefix("disclosure:"): row.id
        for row in conn.execute(told)
        for one in json.loads(row.reasons)
        if one.startswith("disclosure:")
    }
    query = select(early_signals).where(early_signals.c.dossier_id == where.id).order_by(early_signals.c.id)
    return [
        {
            "at": row.sent_at,
            "municipality": row.municipality,
            "sector": row.sector,
            "arrears": amount(row.arrears_cents),
            "withdrawn": row.withdrawn_at,
            "entry": entries.get(row.pseudonym, ""),
        }
        for row in conn.execute(query)
    ]


def amount(cents: int) -> str:
    """Return cents as a decimal number."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
