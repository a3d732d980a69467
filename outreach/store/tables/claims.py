"""Who owes what: claims, payments, and which payment reduces which claim."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from outreach.store.types import PUBLIC_ID, cents, key, moment, public_id, ref, word


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
    direct_debit: bool = False
    last_step: str = Field(default="", max_length=40)
    """What another system told this debtor last, as a step's id or a tone; sets the tone, starts no clock."""
    last_step_on: date | None = None
    listed_on: date | None = None
    """The date of the last full list of open items that held this claim."""


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
    booked_on: date = Field(index=True)
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
    """A fact that forbids contact, with its scope, who set it and until when (half-open).

    A stop on a part of a claim keeps `amount_cents` of it out of what is asked; the rest goes on.
    """

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
    amount_cents: int | None = Field(default=None, sa_type=BigInteger)
    arrangement_id: int | None = ref("arrangement.id", default=None, nullable=True, index=True)
    department: str = Field(default="", max_length=60)
    answer_by_on: date | None = None
    content_id: str | None = Field(default=None, sa_type=PUBLIC_ID)


class Signal(SQLModel, table=True):
    """A fact that may start a trajectory: see the vocabulary. On one claim, or on all of a dossier."""

    __table_args__ = (UniqueConstraint("dossier_id", "claim_id", "kind", "on_date"),)
    id: int | None = key()
    kind: str = word("signal_kind")
    dossier_id: int = ref("dossier.id", index=True)
    claim_id: int | None = ref("claim.id", default=None, nullable=True, index=True)
    on_date: date
    set_by: str = Field(max_length=80)
    at: datetime = moment()


class Arrangement(SQLModel, table=True):
    """A promise, a deferral or a plan for a dossier; its stop pauses reminders, its instalments say what is due.

    `missed` counts instalments that were not paid after their days of grace. Nothing dissolves it by itself.
    """

    id: int | None = key()
    pseudonym: str = public_id()
    kind: str = word("arrangement_kind")
    state: str = word("arrangement_state", default="running")
    dossier_id: int = ref("dossier.id", index=True)
    person_id: int = ref("person.id")
    currency: str = Field(max_length=3)
    total_cents: int = cents()
    agreed_at: datetime = moment()
    starts_on: date
    ends_on: date
    """The last day on which something is due; for a deferral the last day on which nothing is asked."""
    missed: int = 0
    set_by: str = Field(max_length=80)
    ended_at: datetime | None = moment(default=None)
    ended_by: str | None = Field(default=None, max_length=80)


class Instalment(SQLModel, table=True):
    """One part of an arrangement; kept once the payments since its agreement cover it and those before it."""

    __table_args__ = (UniqueConstraint("arrangement_id", "number"),)
    id: int | None = key()
    arrangement_id: int = ref("arrangement.id")
    number: int
    due_on: date
    amount_cents: int = cents()
    state: str = word("instalment_state", default="open")
    nudged_at: datetime | None = moment(default=None)
    settled_at: datetime | None = moment(default=None)


class StepDone(SQLModel, table=True):
    """A step that a person did, or that was done elsewhere: a call, a visit, a letter of another system.

    `reached` is whether the person was identified; a try that was not still counts as a try.
    """

    __tablename__ = "step_done"
    __table_args__ = (Index("ix_step_done_claim", "claim_id", "person_id"),)
    id: int | None = key()
    claim_id: int = ref("claim.id")
    person_id: int = ref("person.id")
    step: str = Field(max_length=40)
    strategy_hash: str = Field(default="", max_length=64)
    tone: str = Field(default="", max_length=40)
    how: str = Field(max_length=20)
    reached: bool
    counts: bool = True
    at: datetime = moment()
    actor: str = Field(max_length=80)


class Approval(SQLModel, table=True):
    """A person's yes or no to a step for one party of a dossier; a yes is used up after `until_at`."""

    __table_args__ = (Index("ix_approval_unit", "dossier_id", "person_id"),)
    id: int | None = key()
    dossier_id: int = ref("dossier.id")
    person_id: int = ref("person.id")
    currency: str = Field(max_length=3)
    step: str = Field(max_length=40)
    approved: bool
    at: datetime = moment()
    until_at: datetime = moment()
    actor: str = Field(max_length=80)
