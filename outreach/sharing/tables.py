"""With whom data is shared, under which agreement, and what left."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.store.types import PUBLIC_ID, cents, key, moment, public_id, ref, word


class Agreement(SQLModel, table=True):
    """What may be shared with whom, why and until when: one version of it; a change is a new version.

    `fields` is a JSON list of `record.field` names; a field outside it is an error, never dropped in silence.
    """

    __table_args__ = (UniqueConstraint("code", "version"),)
    id: int | None = key()
    pseudonym: str = public_id()
    code: str = Field(max_length=40)
    version: int
    creditor_id: int | None = ref("creditor.id", default=None, nullable=True, index=True)
    recipient: str = Field(max_length=200)
    recipient_kind: str = word("recipient_kind")
    role: str = word("recipient_role")
    purpose: str = Field(max_length=40)
    activity: str = Field(max_length=40)
    """The activity of the register of processing that the sharing belongs to."""
    basis: str = Field(max_length=20)
    """The letter of GDPR art. 6(1), such as '6(1)(c)'."""
    fields: str
    places: str = "[]"
    """A JSON list of the towns that a municipality's agreement is for."""
    retention_days: int
    country: str = Field(max_length=2)
    transfer: str = Field(default="", max_length=40)
    """What allows the transfer where the country is outside the EEA: adequacy, scc, bcr."""
    contract: str = Field(max_length=200)
    """Where the contract is kept (GDPR art. 26 or 28(3))."""
    valid_from_on: date
    expires_on: date
    """The first day on which it no longer holds."""
    set_by: str = Field(max_length=80)
    set_at: datetime = moment()
    approved_by: str | None = Field(default=None, max_length=80)
    approved_at: datetime | None = moment(default=None)
    withdrawn_at: datetime | None = moment(default=None)
    withdrawn_by: str | None = Field(default=None, max_length=80)


class Disclosure(SQLModel, table=True):
    """What left, to whom, when and why; only ever added. The payload is content; `fields` are the names that left."""

    __table_args__ = (Index("ix_disclosure_dossier", "dossier_id"),)
    id: int | None = key()
    pseudonym: str = public_id()
    agreement_id: int = ref("agreement.id", index=True)
    person_id: int = ref("person.id", index=True)
    dossier_id: int | None = ref("dossier.id", default=None, nullable=True)
    kind: str = word("disclosure_kind")
    fields: str
    at: datetime = moment()
    actor: str = Field(max_length=80)
    approved_by: str | None = Field(default=None, max_length=80)
    content_id: str | None = Field(default=None, sa_type=PUBLIC_ID)
    upto_allocation_id: int = Field(default=0, sa_type=BigInteger)
    """The newest booking on the dossier's claims that it told of: what came in since is news to the recipient."""
    payload_key: str = Field(max_length=64)
    """An HMAC of the payload under the installation's key: shows which bytes left without showing them."""


class RecipientNotice(SQLModel, table=True):
    """A recipient who is to be told that what was shared changed, is restricted, or must go (GDPR art. 19)."""

    __tablename__ = "recipient_notice"
    __table_args__ = (UniqueConstraint("disclosure_id", "kind", "about"),)
    id: int | None = key()
    pseudonym: str = public_id()
    disclosure_id: int = ref("disclosure.id")
    kind: str = word("recipient_notice_kind")
    about: str = Field(max_length=100)
    """What changed: the pseudonym of the correction, stop or decision behind it."""
    fields: str = "[]"
    asked_at: datetime = moment()
    told_at: datetime | None = moment(default=None)
    told_by: str | None = Field(default=None, max_length=80)
    outcome_code: str = Field(default="", max_length=40)


class EarlySignal(SQLModel, table=True):
    """A signal to a municipality about money trouble; one open signal per address and sector (Wgs art. 3)."""

    __tablename__ = "early_signal"
    __table_args__ = (
        Index(
            "uq_early_signal_open",
            "address_key",
            "sector",
            unique=True,
            sqlite_where=text("closed_at is null"),
            postgresql_where=text("closed_at is null"),
        ),
    )
    id: int | None = key()
    pseudonym: str = public_id()
    dossier_id: int = ref("dossier.id", index=True)
    person_id: int = ref("person.id")
    sector: str = Field(max_length=20)
    municipality: str = Field(max_length=100)
    address_key: str = Field(max_length=64)
    arrears_cents: int = cents()
    currency: str = Field(max_length=3)
    disclosure_id: int = ref("disclosure.id")
    sent_at: datetime = moment()
    withdrawn_at: datetime | None = moment(default=None)
    feedback_code: str = Field(default="", max_length=40)
    feedback_at: datetime | None = moment(default=None)
    closed_at: datetime | None = moment(default=None)
    closed_code: str = Field(default="", max_length=40)
