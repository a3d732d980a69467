"""Who belongs to a dossier: co-tenants, couples that part, those who act for somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from outreach.casework.targets import (
    DossierRef,
    Named,
    dossier_of,
    parties_of,
    party,
    person,
    person_of,
    point,
)
from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.parties.addresses import AddressKeys
from outreach.store.tables.vocabulary import VOCABULARIES
from outreach.store.types import AnyRow, new_id

ROLES = VOCABULARIES["party_role"]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person who is not known yet, by name; language and form of address are the debtor's unless corrected."""

    name: str
    kind: str = "person"
    email: str | None = None


def add(
    conn: Connection,
    named: Named,
    role: str,
    newcomer: Newcomer | None,
    keys: AddressKeys,
    actor: str,
    now: datetime,
    from_at: datetime | None = None,
) -> str:
    """Add a party to a dossier: a known person, or a newcomer; return the person's pseudonym.

    Every party has notices, stops and contact points of its own; what one pays counts for all.
    """
    _check_role(role)
    where = dossier_of(conn, Named(debtor=named.debtor, creditor=named.creditor, contract=named.contract))
    if (newcomer is None) == (named.person is None):
        raise UsageError("expected one of --person (somebody known) or --name (somebody new)")
    who = person_of(conn, named) if newcomer is None else _make(conn, where, newcomer, keys)
    known = select(party).where(
        party.c.dossier_id == where.id, party.c.person_id == who.id, party.c.role == role
    )
    row = conn.execute(known.with_for_update()).first()
    if row is not None and (row.until_at is None or row.until_at > now):
        msg = f"this person is {role} of that dossier already"
        raise Refused(msg)
    if row is not None:
        conn.execute(update(party).where(party.c.id == row.id).values(from_at=from_at or now, until_at=None))
        key = row.id
    else:
        values = {
            "dossier_id": where.id,
            "person_id": who.id,
            "role": role,
            "from_at": from_at or now,
            "triage": "open",
        }
        key = conn.execute(insert(party).values(**values).returning(party.c.id)).scalar_one()
    _log(conn, where, who.pseudonym, ["added", role, f"party:{key}"], actor, now)
    return str(who.pseudonym)


def end(conn: Connection, named: Named, from_at: datetime | None, actor: str, now: datetime) -> None:
    """End a person's part in a dossier from a moment on; what was said to them stays.

    Raises Refused for the last party: a dossier without anybody would fall silent unseen.
    """
    where, row = _party(conn, named, now)
    others = [one for one in parties_of(conn, where.id, now) if one.person_id != row.person_id]
    if not others:
        raise Refused("this is the dossier's last party: add the other first (outreach party add)")
    conn.execute(update(party).where(party.c.id == row.id).values(until_at=from_at or now))
    _log(conn, where, row.person, ["ended", row.role, f"party:{row.id}"], actor, now)


def change_role(conn: Connection, named: Named, role: str, actor: str, now: datetime) -> None:
    """Change the role of a party."""
    _check_role(role)
    where, row = _party(conn, named, now)
    taken = select(party.c.id).where(
        party.c.dossier_id == where.id, party.c.person_id == row.person_id, party.c.role == role
    )
    if conn.execute(taken).scalar() is not None:
        msg = f"this person is or was {role} of that dossier already"
        raise Refused(msg)
    conn.execute(update(party).where(party.c.id == row.id).values(role=role))
    _log(conn, where, row.person, ["role", role, f"was:{row.role}", f"party:{row.id}"], actor, now)


def undo(conn: Connection, word: str, key: int, was: str | None, now: datetime) -> None:
    """Take back a change of a party: the part that was ended goes on, one that was added ends, a role returns."""
    row = conn.execute(select(party).where(party.c.id == key).with_for_update()).one()
    values: dict[str, Any]
    if word == "ended":
        values = {"until_at": None}
    elif word == "added":
        others = [one for one in parties_of(conn, row.dossier_id, now) if one.id != row.id]
        if not others:
            raise Refused("this is the dossier's last party")
        values = {"until_at": now}
    else:
        values = {"role": was}
    conn.execute(update(party).where(party.c.id == key).values(**values))


def all_of(conn: Connection, where: DossierRef) -> list[AnyRow]:
    """Return the parties of a dossier, ended ones too, with their names."""
    query = (
        select(party, person.c.pseudonym.label("person"), person.c.name)
        .join(person, person.c.id == party.c.person_id)
        .where(party.c.dossier_id == where.id)
        .order_by(party.c.id)
    )
    return list(conn.execute(query))


def _party(conn: Connection, named: Named, now: datetime) -> tuple[DossierRef, AnyRow]:
    """Return a dossier and the current or coming party of it who is named by pseudonym or by debtor number."""
    where = dossier_of(conn, Named(debtor=named.debtor, creditor=named.creditor, contract=named.contract))
    who = person_of(conn, named)
    rows = conn.execute(
        select(party, person.c.pseudonym.label("person"))
        .join(person, person.c.id == party.c.person_id)
        .where(
            party.c.dossier_id == where.id,
            party.c.person_id == who.id,
            or_(party.c.until_at.is_(None), party.c.until_at > now),
        )
        .with_for_update(of=party)
    ).all()
    if len(rows) != 1:
        msg = "that person is no party of this dossier" if not rows else "that person has two roles here"
        raise NotFound(msg)
    return where, rows[0]


def _make(conn: Connection, where: DossierRef, newcomer: Newcomer, keys: AddressKeys) -> AnyRow:
    if newcomer.kind not in VOCABULARIES["person_kind"]:
        msg = f"--kind: expected one of {', '.join(VOCABULARIES['person_kind'])}"
        raise UsageError(msg)
    like = conn.execute(select(person).where(person.c.id == where.person_id)).one()
    values = {
        "pseudonym": new_id(),
        "kind": newcomer.kind,
        "name": newcomer.name,
        "language": like.language,
        "form_of_address": like.form_of_address,
        "country": like.country,
        "time_zone": like.time_zone,
        "address_protected": False,
        "facts_version": 1,
    }
    made = conn.execute(insert(person).values(**values).returning(person.c.id, person.c.pseudonym)).one()
    if newcomer.email is not None:
        address = {
            "person_id": made.id,
            "kind": "email",
            "value": newcomer.email,
            "address_key": keys.of("email", newcomer.email),
            "certainty": "unverified",
            "source": "person",
        }
        conn.execute(insert(point).values(**address))
    return made


def _check_role(role: str) -> None:
    if role not in ROLES:
        msg = f"--role: {role!r} is no role; expected one of {', '.join(ROLES)}"
        raise UsageError(msg)


def _log(
    conn: Connection, where: DossierRef, who: str, reasons: list[str], actor: str, now: datetime
) -> None:
    entry = log.Entry(
        type="party_changed",
        at=now,
        actor=actor,
        person=who,
        dossier=where.pseudonym,
        creditor=where.creditor,
        reasons=tuple(reasons),
    )
    log.append(conn, [entry])
