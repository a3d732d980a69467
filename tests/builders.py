"""Small makers of records, written through the store as an import would: only what a test is about is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from outreach import tables
from outreach.parties.addresses import AddressKeys
from outreach.store.triggers import AT_ONCE
from outreach.store.types import new_id, table_of

creditor = table_of(tables.parties.Creditor)
person = table_of(tables.parties.Person)
debtor = table_of(tables.parties.Debtor)
dossier = table_of(tables.parties.Dossier)
party = table_of(tables.parties.DossierParty)
point = table_of(tables.parties.ContactPoint)
claim = table_of(tables.claims.Claim)
payment = table_of(tables.claims.Payment)
allocation = table_of(tables.claims.Allocation)
stop = table_of(tables.claims.Stop)

KEYS = AddressKeys(b"tests")
LONG_AGO = datetime.fromisoformat(AT_ONCE + "+00:00")


def insert_row(conn: Connection, table: Table, **values: Any) -> int:
    """Insert a row with the model's defaults and return its key."""
    return int(conn.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


@dataclass(frozen=True)
class Debtor:
    """The keys of a debtor that was made."""

    creditor_id: int
    person_id: int
    debtor_id: int
    dossier_id: int
    point_id: int | None


def a_creditor(conn: Connection, code: str = "WOON", **values: Any) -> int:
    """A housing corporation whose payments are known up to the end of 2030."""
    row = {
        "code": code,
        "name": "Woonstichting De Linde",
        "iban": "NL91ABNA0417164300",
        "phone": "088 123 45 67",
        "email": "huur@delinde.example",
        "kind": "company",
        "register_number": "",
        "is_agency": False,
        "is_small_office": False,
        "is_example": True,
        "sending": True,
        "strategy": "friendly_pair",
        "interval_days": 5,
        "freshness_hours": 72,
        "payments_until_on": date(2030, 12, 31),
        "policy_epoch": 0,
    }
    return insert_row(conn, creditor, **(row | values))


def a_person(conn: Connection, name: str = "Jan de Vries", **values: Any) -> int:
    """A person who is written to in formal Dutch."""
    row = {
        "pseudonym": new_id(),
        "kind": "person",
        "name": name,
        "language": "nl",
        "form_of_address": "formal",
        "country": "NL",
        "time_zone": "Europe/Amsterdam",
        "address_protected": False,
        "facts_version": 1,
    }
    return insert_row(conn, person, **(row | values))


def a_debtor(
    conn: Connection,
    creditor_id: int,
    number: str = "D1",
    *,
    email: str | None = "jan@example.net",
    contract: str = "",
    person_id: int | None = None,
    **values: Any,
) -> Debtor:
    """A debtor with a dossier and, unless told otherwise, an e-mail address."""
    who = person_id if person_id is not None else a_person(conn, **values)
    debtor_id = insert_row(conn, debtor, creditor_id=creditor_id, person_id=who, external_id=number)
    dossier_id = insert_row(
        conn,
        dossier,
        pseudonym=new_id(),
        creditor_id=creditor_id,
        debtor_id=debtor_id,
        contract_id=contract,
        next_look_at=LONG_AGO,
        waits_on_payments=False,
    )
    insert_row(conn, party, dossier_id=dossier_id, person_id=who, role="debtor")
    point_id = None if email is None else a_point(conn, who, email)
    return Debtor(creditor_id, who, debtor_id, dossier_id, point_id)


def a_point(conn: Connection, person_id: int, value: str, kind: str = "email", **values: Any) -> int:
    """A contact point."""
    row = {
        "person_id": person_id,
        "kind": kind,
        "value": value,
        "address_key": KEYS.of(kind, value),
        "certainty": "verified",
        "source": "import",
    }
    return insert_row(conn, point, **(row | values))


def a_claim(
    conn: Connection, whose: Debtor, number: str = "F1", *, cents: int = 6420, due: date, **values: Any
) -> int:
    """An invoice of € 64,20."""
    row = {
        "pseudonym": new_id(),
        "creditor_id": whose.creditor_id,
        "dossier_id": whose.dossier_id,
        "external_id": number,
        "invoice_number": number,
        "kind": "single",
        "invoice_on": due,
        "due_on": due,
        "principal_cents": cents,
        "currency": "EUR",
        "description": "",
        "payment_url": "",
        "details": "{}",
    }
    return insert_row(conn, claim, **(row | values))


def a_payment(conn: Connection, whose: Debtor, claim_id: int, cents: int, on: date) -> int:
    """A payment placed on one claim."""
    key = insert_row(
        conn,
        payment,
        creditor_id=whose.creditor_id,
        external_id=new_id(),
        kind="payment",
        booked_on=on,
        amount_cents=cents,
        unplaced_cents=0,
        currency="EUR",
        debtor_id=whose.debtor_id,
        reference="",
        reason_code="",
    )
    insert_row(conn, allocation, payment_id=key, claim_id=claim_id, booked_on=on, amount_cents=cents)
    return key


def a_stop(conn: Connection, kind: str, scope: str, **values: Any) -> int:
    """A stop since long ago, without an end."""
    row = {
        "pseudonym": new_id(),
        "kind": kind,
        "scope": scope,
        "from_at": datetime(2020, 1, 1, tzinfo=UTC),
        "reason_code": "",
        "set_by": "staff:test",
    }
    return insert_row(conn, stop, **(row | values))


def rows(conn: Connection, model: Any, **where: Any) -> list[Any]:
    """Return the rows of a table that have these values."""
    table = table_of(model)
    return list(conn.execute(select(table).filter_by(**where).order_by(*table.primary_key)))
