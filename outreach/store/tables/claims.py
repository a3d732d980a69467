"""Who owes what: claims, payments, and which payment reduces which claim."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from outreach.store.types import cents, key, moment, public_id, ref, word


class Claim(SQLModel, table=True):
    """One amount due on one date; the invoice is its evidence. `details` keeps the source's other columns."""

    __table_args__ = (
        UniqueConstraint("creditor_id", "external_id"),
        CheckConstraint("principal_cents > 0", name="positive"),
        Index("ix_claim_invoice", "creditor_id", "invoice_number"),
    )
    id: int | None = key()
    pseudonym: str = public_id()
    creditor_id: int = ref("creditor.id")
    dossier_id: int = ref("dossier.id", index=True)
    external_id: str = Field(max_length=100)
    invoice_number: str = Field(max_length=100)
    kind: str = word("claim_kind", default="single")
    invoice_on: date
    due_on: date
    principal_cents: int = cents()
    currency: str = Field(max_length=3)
    description: str = ""
    payment_url: str = ""
    details: str = "{}"


class Payment(SQLModel, table=True):
    """Money, credit or correction as the source told it; always positive, `kind` tells the direction.

    It may be placed on no claim at all: an unplaced credit of a debtor pauses that debtor's dossiers.
    """

    __table_args__ = (
        UniqueConstraint("creditor_id", "external_id"),
        CheckConstraint("amount_cents > 0", name="positive"),
    )
    id: int | None = key()
    creditor_id: int = ref("creditor.id")
    external_id: str = Field(max_length=100)
    kind: str = word("payment_kind", default="payment")
    booked_on: date
    amount_cents: int = cents()
    unplaced_cents: int = cents(default=0)
    currency: str = Field(max_length=3)
    debtor_id: int | None = ref("debtor.id", default=None, nullable=True, index=True)
    reverses_id: int | None = ref("payment.id", default=None, nullable=True)
    reference: str = ""
    reason_code: str = Field(default="", max_length=40)


class Allocation(SQLModel, table=True):
    """How much of a payment reduces a claim from 00:00 of `booked_on`; a reversal's allocation is negative."""

    __table_args__ = (UniqueConstraint("payment_id", "claim_id"),)
    id: int | None = key()
    payment_id: int = ref("payment.id")
    claim_id: int = ref("claim.id", index=True)
    booked_on: date
    amount_cents: int = cents()


class Stop(SQLModel, table=True):
    """A fact that forbids contact, with its scope, who set it and until when (half-open)."""

    id: int | None = key()
    pseudonym: str = public_id()
    kind: str = word("stop_kind")
    scope: str = word("stop_scope")
    person_id: int | None = ref("person.id", default=None, nullable=True, index=True)
    dossier_id: int | None = ref("dossier.id", default=None, nullable=True, index=True)
    claim_id: int | None = ref("claim.id", default=None, nullable=True, index=True)
    creditor_id: int | None = ref("creditor.id", default=None, nullable=True, index=True)
    address_key: str | None = Field(default=None, max_length=64, index=True)
    channel: str | None = word("channel_kind", default=None)
    from_at: datetime = moment()
    until_at: datetime | None = moment(default=None)
    reason_code: str = Field(default="", max_length=40)
    set_by: str = Field(max_length=80)
    lifted_at: datetime | None = moment(default=None)
    lifted_by: str | None = Field(default=None, max_length=80)
