"""Who is involved: creditors, persons, debtors, dossiers, their parties and contact points."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.store.types import Big, cents, key, moment, public_id, ref, word


class Creditor(SQLModel, table=True):
    """Who is owed. `policy_epoch` rises with every change that the gate reads of it."""

    id: int | None = key()
    code: str = Field(max_length=40, unique=True)
    name: str
    iban: str = ""
    phone: str = ""
    email: str = ""
    kind: str = "company"
    register_number: str = ""
    is_agency: bool = False
    is_small_office: bool = False
    is_example: bool = False
    sending: bool = False
    strategy: str = "friendly_pair"
    interval_days: int = 5
    freshness_hours: int = 72
    payments_until_on: date | None = None
    policy_epoch: int = 0
    tolerance_cents: int = cents(default=0)
    """Below this much open in one message nothing is asked."""
    notice_days: int = 0
    """So many days before the due date a notice may go; 0 is no notice."""
    confirm_payments: bool = True
    handover_to: str = ""
    """Whom a final notice names as the one who takes over."""
    plan_floor_cents: int = cents(default=2500)
    """The smallest instalment that staff may agree to without asking further."""
    plan_most_parts: int = 12
    promise_most_days: int = 14
    deferral_most_days: int = 30
    sector: str = Field(default="", max_length=20)
    """What it supplies, where the law knows early signals of it (see casework/creditors); empty for all others."""


class Person(SQLModel, table=True):
    """A natural or legal person under a random pseudonym.

    `facts_version` is raised by triggers on every change that the gate reads of this person.
    """

    id: int | None = key()
    pseudonym: str = public_id()
    kind: str = word("person_kind", default="person")
    name: str
    language: str = Field(default="nl", max_length=10)
    form_of_address: str = Field(default="formal", max_length=10)
    preferred_channel: str | None = word("channel_kind", default=None)
    country: str = Field(default="NL", max_length=2)
    time_zone: str = Field(default="Europe/Amsterdam", max_length=40)
    date_of_birth: date | None = None
    deceased_on: date | None = None
    address_protected: bool = False
    income_day: int | None = None
    """The day of the month on which income comes in; instalments fall due the day after."""
    facts_version: int = 1


class Debtor(SQLModel, table=True):
    """A person towards one creditor, under that creditor's number."""

    __table_args__ = (UniqueConstraint("creditor_id", "external_id"),)
    id: int | None = key()
    creditor_id: int = ref("creditor.id")
    person_id: int = ref("person.id", index=True)
    external_id: str = Field(max_length=100)


class Dossier(SQLModel, table=True):
    """The claims of one creditor against the same parties: one contract, or one debtor without (contract '').

    `next_look_at` is when it must be read again; null when nothing will happen until a fact changes.
    `waits_on_payments` is true while only a later day of processed payments can help. `strategy` is the name that
    a person chose for this dossier alone; from `moved_at` on its running trajectories follow what is in force now.
    """

    __table_args__ = (
        UniqueConstraint("debtor_id", "contract_id"),
        Index("ix_dossier_next_look", "next_look_at", "id"),
    )
    id: int | None = key()
    pseudonym: str = public_id()
    creditor_id: int = ref("creditor.id", index=True)
    debtor_id: int = ref("debtor.id")
    contract_id: str = Field(default="", max_length=100)
    next_look_at: datetime | None = moment(default=None)
    waits_on_payments: bool = False
    segment: str = Field(default="", max_length=60)
    strategy: str | None = Field(default=None, max_length=40)
    moved_at: datetime | None = moment(default=None)


class DossierParty(SQLModel, table=True):
    """A person's role in a dossier during a half-open period; `triage` is where a call's answers led."""

    __tablename__ = "dossier_party"
    __table_args__ = (UniqueConstraint("dossier_id", "person_id", "role"),)
    id: int | None = key()
    dossier_id: int = ref("dossier.id")
    person_id: int = ref("person.id", index=True)
    role: str = word("party_role", default="debtor")
    from_at: datetime | None = moment(default=None)
    until_at: datetime | None = moment(default=None)
    triage: str = Field(default="open", max_length=20)


class ContactPoint(SQLModel, table=True):
    """A way to reach a person.

    `address_key` is an HMAC of the normalised value under a key outside the database,
    so that what is learned of an address reaches everyone who has it.
    """

    __tablename__ = "contact_point"
    __table_args__ = (UniqueConstraint("person_id", "kind", "address_key"),)
    id: int | None = key()
    person_id: int = ref("person.id")
    kind: str = word("channel_kind")
    value: str
    address_key: str = Field(max_length=64, index=True)
    certainty: str = word("certainty", default="unverified")
    source: str = Field(default="import", max_length=40)
    until_at: datetime | None = moment(default=None)


class Edit(SQLModel, table=True):
    """What a person corrected: their value wins, and `source_value` follows what the imports say beside it.

    `entity` is 'person', 'claim', 'contact_point' or 'dossier', `entity_id` its inner key; values are text.
    """

    __table_args__ = (
        Index(
            "uq_edit_current",
            "entity",
            "entity_id",
            "field",
            unique=True,
            sqlite_where=text("withdrawn_at is null"),
            postgresql_where=text("withdrawn_at is null"),
        ),
    )
    id: int | None = key()
    entity: str = Field(max_length=20)
    entity_id: int = Field(sa_type=Big)
    field: str = Field(max_length=40)
    value: str
    source_value: str = ""
    actor: str = Field(max_length=80)
    at: datetime = moment()
    withdrawn_at: datetime | None = moment(default=None)
    withdrawn_by: str | None = Field(default=None, max_length=80)
