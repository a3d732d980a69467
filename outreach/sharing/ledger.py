"""What left, to whom, when and why: a row, an entry and the exact bytes in one commit; a refusal is an entry too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, insert, or_, select

from consent.disclosure import Disclosure, Payload, disclose, names
from consent.facts import VerdictKind
from outreach.casework.days import civil_today
from outreach.casework.owed import allocation, stop
from outreach.casework.targets import DossierRef, claim, creditor, debtor, dossier, person
from outreach.correspondence import log
from outreach.parties.addresses import AddressKeys
from outreach.sharing import tables
from outreach.sharing.agreements import agreement, facts_of, in_use
from outreach.store.types import AnyRow, new_id, table_of

disclosure = table_of(tables.Disclosure)

FORBIDDING = ("restriction", "objection", "address_protected")
"""Kinds of stops under which nothing about a person is given to anybody."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something that somebody wants to share about the debtor of a dossier, under the agreement of that code.

    `persons` are all whose data stands in it. `head` is what the recipient needs to read it, and no personal data.
    """

    agreement: str
    purpose: str
    kind: str
    where: DossierRef
    persons: Sequence[int]
    payload: Payload
    head: Mapping[str, Any]
    approved_by: str | None = None
    because: tuple[str, ...] = ()
    """What it rests on, for its entry."""
    against: tuple[str, ...] = ()
    """Why it is refused whatever the agreement says: what the gate of its purpose found."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What came of a wish: the answer, and where it was yes the row's key and the bytes that may leave."""

    answer: Disclosure
    pseudonym: str = ""
    key: int = 0
    body: bytes = b""


def share(conn: Connection, wish: Wish, keys: AddressKeys, actor: str, now: datetime) -> Shared:
    """Decide about a wish, and write down what leaves or why nothing does; the caller commits either.

    What is allowed is what the caller may hand over after that commit, to the byte.
    """
    row = in_use(conn, wish.agreement, wish.where.creditor_id, civil_today(now))
    stops = forbidding(conn, wish.where, wish.persons, now)
    facts = facts_of(row) if row is not None else None
    recipient = facts.recipient if facts is not None else ""
    answer = disclose(facts, recipient, wish.purpose, wish.payload, stops, civil_today(now))
    if wish.against:
        kind = VerdictKind.GAP if answer.kind is VerdictKind.GAP else VerdictKind.DENY
        answer = msgspec.structs.replace(answer, kind=kind, reasons=(*answer.reasons, *wish.against))
    if row is None or not answer.allowed:
        refuse(conn, wish, answer.reasons, row, actor, now)
        return Shared(answer)
    return record(conn, wish, row, keys, actor, now)


def record(conn: Connection, wish: Wish, row: AnyRow, keys: AddressKeys, actor: str, now: datetime) -> Shared:
    """Write down what leaves under a version of an agreement, with its bytes."""
    pseudonym, content_id = new_id(), new_id()
    body = document({**wish.head, "id": pseudonym}, wish.payload)
    fields = names(wish.payload)
    values = {
        "pseudonym": pseudonym,
        "agreement_id": row.id,
        "person_id": wish.where.person_id,
        "dossier_id": wish.where.id,
        "kind": wish.kind,
        "fields": json.dumps(fields),
        "at": now,
        "actor": actor,
        "approved_by": wish.approved_by,
        "content_id": content_id,
        "upto_allocation_id": _booked_upto(conn, wish.where.id),
        "payload_key": keys.of("disclosure", hashlib.sha256(body).hexdigest()),
    }
    key = conn.execute(insert(disclosure).values(**values).returning(disclosure.c.id)).scalar_one()
    log.keep(conn, [(content_id, "json", body)], now)
    reasons = (wish.kind, wish.purpose, *_about(row), *wish.because, f"disclosure:{pseudonym}")
    log.append(conn, [entry("disclosed", wish.where, reasons, actor, now, content_id)])
    answer = Disclosure(kind=VerdictKind.ALLOW, reasons=(), fields=fields)
    return Shared(answer, pseudonym, int(key), body)


def refuse(
    conn: Connection, wish: Wish, reasons: Sequence[str], row: AnyRow | None, actor: str, now: datetime
) -> None:
    """Write down that something was asked for and not given, and why."""
    said = (wish.kind, wish.purpose, *reasons, *_about(row))
    log.append(conn, [entry("disclosure_refused", wish.where, said, actor, now)])


def document(head: Mapping[str, Any], payload: Payload) -> bytes:
    """Return the bytes that leave: the head, and the payload as `data`; the same values always give the same."""
    made = {**head, "data": payload}
    return json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True, default=_iso).encode() + b"\n"


def _iso(value: date) -> str:
    return value.isoformat()


def forbidding(conn: Connection, where: DossierRef, persons: Sequence[int], now: datetime) -> list[str]:
    """Return the kinds of what forbids sharing about these persons of a dossier; empty where nothing does."""
    claims = select(claim.c.id).where(claim.c.dossier_id == where.id)
    query = (
        select(stop.c.kind)
        .where(
            stop.c.kind.in_(FORBIDDING),
            or_(
                stop.c.person_id.in_(persons),
                stop.c.dossier_id == where.id,
                stop.c.claim_id.in_(claims),
                and_(stop.c.scope == "creditor", stop.c.creditor_id == where.creditor_id),
            ),
            # Who wants no e-mail has not said that nobody may be told.
            stop.c.channel.is_(None),
            stop.c.lifted_at.is_(None),
            stop.c.from_at <= now,
            or_(stop.c.until_at.is_(None), stop.c.until_at > now),
        )
        .order_by(stop.c.id)
    )
    found = list(conn.execute(query).scalars())
    hidden = select(person.c.id).where(person.c.id.in_(persons), person.c.address_protected)
    if conn.execute(hidden.limit(1)).first() is not None:
        found.append("address_protected")
    return list(dict.fromkeys(found))


def entry(
    type_: str,
    where: DossierRef,
    reasons: Sequence[str],
    actor: str,
    now: datetime,
    content_id: str | None = None,
) -> log.Entry:
    """Return an entry about sharing of a dossier's data."""
    return log.Entry(
        type=type_,
        at=now,
        actor=actor,
        person=where.person,
        dossier=where.pseudonym,
        creditor=where.creditor,
        content_id=content_id,
        reasons=tuple(reasons),
    )


def disclosures(conn: Connection, dossiers: Sequence[int] | None, limit: int = 200) -> list[AnyRow]:
    """Return the newest disclosures, of some dossiers or of all, oldest first: who received what, when and why."""
    query = (
        select(
            disclosure,
            agreement.c.code.label("agreement"),
            agreement.c.version,
            agreement.c.recipient,
            agreement.c.recipient_kind,
            agreement.c.purpose,
            agreement.c.basis,
            agreement.c.retention_days,
            creditor.c.code.label("creditor"),
            debtor.c.external_id.label("debtor"),
            person.c.pseudonym.label("person"),
        )
        .join(agreement, agreement.c.id == disclosure.c.agreement_id)
        .join(person, person.c.id == disclosure.c.person_id)
        .outerjoin(dossier, dossier.c.id == disclosure.c.dossier_id)
        .outerjoin(debtor, debtor.c.id == dossier.c.debtor_id)
        .outerjoin(creditor, creditor.c.id == dossier.c.creditor_id)
    )
    if dossiers is not None:
        query = query.where(disclosure.c.dossier_id.in_(dossiers))
    return list(reversed(conn.execute(query.order_by(disclosure.c.id.desc()).limit(limit)).all()))


def refusals(conn: Connection, dossiers: Sequence[str] | None, limit: int = 200) -> list[AnyRow]:
    """Return the newest entries of what was asked for and refused, of some dossiers (random ids) or of all."""
    query = select(log.log_entry).where(log.log_entry.c.type == "disclosure_refused")
    if dossiers is not None:
        query = query.where(log.log_entry.c.dossier.in_(dossiers))
    return list(reversed(conn.execute(query.order_by(log.log_entry.c.seq.desc()).limit(limit)).all()))


def _about(row: AnyRow | None) -> tuple[str, ...]:
    return (row.code, f"version:{row.version}", f"agreement:{row.pseudonym}") if row is not None else ()


def _booked_upto(conn: Connection, dossier_id: int) -> int:
    """Return the newest booking on a dossier's claims; a booking under way is waited for, and so is in it."""
    claims = select(claim.c.id).where(claim.c.dossier_id == dossier_id)
    conn.execute(claims.order_by(claim.c.id).with_for_update()).all()
    newest = select(func.max(allocation.c.id)).where(allocation.c.claim_id.in_(claims))
    return int(conn.execute(newest).scalar() or 0)
