"""Find what a person at work means by the numbers they know: a debtor, a claim, an invoice, a creditor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from outreach.errors import NotFound, UsageError
from outreach.store.tables import claims, parties
from outreach.store.types import AnyRow, table_of

creditor = table_of(parties.Creditor)
person = table_of(parties.Person)
debtor = table_of(parties.Debtor)
dossier = table_of(parties.Dossier)
party = table_of(parties.DossierParty)
point = table_of(parties.ContactPoint)
claim = table_of(claims.Claim)


@dataclass(frozen=True, slots=True)
class Named:
    """What a command names. `debtor`, `claim` and `invoice` are the creditor's own numbers."""

    debtor: str | None = None
    creditor: str | None = None
    contract: str | None = None
    person: str | None = None
    claim: str | None = None
    invoice: str | None = None

    @property
    def names_claim(self) -> bool:
        """Whether one claim is meant."""
        return self.claim is not None or self.invoice is not None


@dataclass(frozen=True, slots=True)
class DossierRef:
    """A dossier with the random ids that the log knows it by; the person is the debtor's."""

    id: int
    pseudonym: str
    contract_id: str
    debtor_id: int
    creditor_id: int
    creditor: str
    person_id: int
    person: str


@dataclass(frozen=True, slots=True)
class ClaimRef:
    """A claim and its dossier."""

    id: int
    invoice_number: str
    currency: str
    dossier: DossierRef


_DOSSIERS = (
    select(
        dossier.c.id,
        dossier.c.pseudonym,
        dossier.c.contract_id,
        dossier.c.debtor_id,
        dossier.c.creditor_id,
        creditor.c.code.label("creditor"),
        debtor.c.person_id,
        person.c.pseudonym.label("person"),
    )
    .join(creditor, creditor.c.id == dossier.c.creditor_id)
    .join(debtor, debtor.c.id == dossier.c.debtor_id)
    .join(person, person.c.id == debtor.c.person_id)
    .order_by(dossier.c.id)
)


def dossiers_of(conn: Connection, named: Named) -> list[DossierRef]:
    """Return the dossiers of a debtor, of one contract where it is named; raises NotFound or UsageError."""
    if named.debtor is None:
        msg = "expected --debtor (the creditor's number of the debtor)"
        raise UsageError(msg)
    query = _of_creditor(_DOSSIERS.where(debtor.c.external_id == named.debtor), named)
    if named.contract is not None:
        query = query.where(dossier.c.contract_id == named.contract)
    found = [DossierRef(*row) for row in conn.execute(query)]
    if not found:
        more = f" with contract {named.contract!r}" if named.contract is not None else ""
        msg = f"there is no debtor {named.debtor!r}{_where(named)}{more}"
        raise NotFound(msg)
    _one_creditor(named.debtor, [one.creditor for one in found])
    return found


def dossier_of(conn: Connection, named: Named) -> DossierRef:
    """Return the one dossier that is meant: of the claim, or of the debtor and contract."""
    if named.names_claim:
        return claim_of(conn, named).dossier
    found = dossiers_of(conn, named)
    if len(found) > 1:
        contracts = ", ".join(repr(one.contract_id) for one in found)
        msg = f"debtor {named.debtor!r} has {len(found)} dossiers: add --contract ({contracts})"
        raise UsageError(msg)
    return found[0]


def dossier_by_id(conn: Connection, dossier_id: int) -> DossierRef:
    """Return a dossier by its inner key."""
    return DossierRef(*conn.execute(_DOSSIERS.where(dossier.c.id == dossier_id)).one())


def claim_of(conn: Connection, named: Named) -> ClaimRef:
    """Return the one claim that is meant by its number or its invoice's; raises NotFound or UsageError."""
    query = (
        select(claim.c.id, claim.c.invoice_number, claim.c.currency, claim.c.dossier_id, creditor.c.code)
        .join(creditor, creditor.c.id == claim.c.creditor_id)
        .join(dossier, dossier.c.id == claim.c.dossier_id)
        .join(debtor, debtor.c.id == dossier.c.debtor_id)
        .order_by(claim.c.id)
    )
    if named.claim is not None:
        number, query = named.claim, query.where(claim.c.external_id == named.claim)
    elif named.invoice is not None:
        number, query = named.invoice, query.where(claim.c.invoice_number == named.invoice)
    else:
        msg = "expected --claim or --invoice"
        raise UsageError(msg)
    if named.debtor is not None:
        query = query.where(debtor.c.external_id == named.debtor)
    rows = conn.execute(_of_creditor(query, named)).all()
    if not rows:
        msg = f"there is no claim {number!r}{_where(named)}"
        raise NotFound(msg)
    _one_creditor(number, [row.code for row in rows])
    if len(rows) > 1:
        msg = f"{len(rows)} claims have invoice number {number!r}: name one with --claim, or add --debtor"
        raise UsageError(msg)
    row = rows[0]
    return ClaimRef(row.id, row.invoice_number, row.currency, dossier_by_id(conn, row.dossier_id))


def claim_by_id(conn: Connection, claim_id: int) -> ClaimRef:
    """Return a claim by its inner key."""
    row = conn.execute(select(claim).where(claim.c.id == claim_id)).one()
    return ClaimRef(row.id, row.invoice_number, row.currency, dossier_by_id(conn, row.dossier_id))


def creditor_of(conn: Connection, code: str) -> AnyRow:
    """Return a creditor's row by its code."""
    row = conn.execute(select(creditor).where(creditor.c.code == code)).first()
    if row is None:
        msg = f"there is no creditor {code!r} (outreach creditor show lists them)"
        raise NotFound(msg)
    return row


def person_by_id(conn: Connection, person_id: int) -> AnyRow:
    """Return a person's row by its inner key."""
    return conn.execute(select(person).where(person.c.id == person_id)).one()


def person_of(conn: Connection, named: Named) -> AnyRow:
    """Return the person who is meant: by pseudonym, else the debtor's own."""
    if named.person is not None:
        row = conn.execute(select(person).where(person.c.pseudonym == named.person)).first()
        if row is None:
            msg = f"there is no person {named.person!r}"
            raise NotFound(msg)
        return row
    found = claim_of(conn, named).dossier if named.names_claim else dossiers_of(conn, named)[0]
    return person_by_id(conn, found.person_id)


def party_of(conn: Connection, where: DossierRef, named: Named, now: datetime) -> AnyRow:
    """Return the party of a dossier who is meant: the person named, else the debtor, else its only party."""
    rows = parties_of(conn, where.id, now)
    if named.person is not None:
        wanted = person_of(conn, named)
        found = [row for row in rows if row.person_id == wanted.id]
        if not found:
            msg = f"person {named.person!r} is no party of this dossier"
            raise UsageError(msg)
        return found[0]
    found = [row for row in rows if row.person_id == where.person_id] or list(rows)
    if len({row.person_id for row in found}) != 1:
        msg = "this dossier has several parties and the debtor is none of them now: add --person"
        raise UsageError(msg)
    return found[0]


def parties_of(conn: Connection, dossier_id: int, now: datetime) -> Sequence[AnyRow]:
    """Return the parties of a dossier at `now`, with their persons' pseudonyms."""
    query = (
        select(party, person.c.pseudonym.label("person"), person.c.time_zone, person.c.language)
        .join(person, person.c.id == party.c.person_id)
        .where(
            party.c.dossier_id == dossier_id,
            or_(party.c.from_at.is_(None), party.c.from_at <= now),
            or_(party.c.until_at.is_(None), party.c.until_at > now),
        )
        .order_by(party.c.id)
    )
    return conn.execute(query).all()


def _of_creditor(query: Select[Any], named: Named) -> Select[Any]:
    return query if named.creditor is None else query.where(creditor.c.code == named.creditor)


def _where(named: Named) -> str:
    parts = [f" of debtor {named.debtor!r}"] if named.names_claim and named.debtor is not None else []
    return "".join([*parts, *([f" of creditor {named.creditor!r}"] if named.creditor is not None else [])])


def _one_creditor(number: str, codes: Sequence[str]) -> None:
    if len(set(codes)) > 1:
        msg = f"{number!r} is a number of {', '.join(sorted(set(codes)))}: add --creditor"
        raise UsageError(msg)
