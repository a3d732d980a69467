"""What is to be said, to whom, and what became of it: messages, attempts, tries, receipts, decisions."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.store.types import PUBLIC_ID, key, moment, public_id, ref, word


class AttemptState(StrEnum):
    """Where one rendering to one address stands."""

    READY = "ready"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    ACCEPTED = "accepted"
    POSTED = "posted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    RETURNED = "returned"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


LIVE = (
    AttemptState.READY,
    AttemptState.SENDING,
    AttemptState.IN_DOUBT,
    AttemptState.ACCEPTED,
    AttemptState.POSTED,
    AttemptState.DELIVERED,
)
"""States of which a message has at most one attempt."""

AWAITED = (AttemptState.ACCEPTED, AttemptState.POSTED)
"""States of which a receipt may still tell the end."""

HANDED_OVER = LIVE[1:]
"""States that take a place under a frequency cap and make a step count as told."""


def _in(column: str, states: tuple[AttemptState, ...]) -> str:
    words = ", ".join(f"'{state.value}'" for state in states)
    return f"{column} in ({words})"


class Message(SQLModel, table=True):
    """What is to be said to one party of a dossier in one currency; it counts until withdrawn."""

    __table_args__ = (Index("ix_message_unit", "dossier_id", "person_id"),)
    id: int | None = key()
    pseudonym: str = public_id()
    dossier_id: int = ref("dossier.id")
    person_id: int = ref("person.id", index=True)
    creditor_id: int = ref("creditor.id")
    currency: str = Field(max_length=3)
    purpose: str = Field(default="dunning", max_length=40)
    strategy_hash: str = Field(max_length=64)
    template: str = Field(max_length=80)
    tone: str = Field(max_length=40)
    created_at: datetime = moment()
    withdrawn_at: datetime | None = moment(default=None)
    copy_of: int | None = ref("message.id", default=None, nullable=True)
    service_message_id: int | None = ref("service_message.id", default=None, nullable=True, index=True)


class ServiceMessage(SQLModel, table=True):
    """A wish to tell a party something that is no reminder: a confirmation, a nudge, a helping message.

    `template` names the message; what it says is read from the facts when it is composed. It is told once, before
    `until_at`, and dropped where it is no longer true.
    """

    __tablename__ = "service_message"
    __table_args__ = (
        UniqueConstraint("template", "subject"),
        Index(
            "ix_service_message_open",
            "dossier_id",
            "person_id",
            sqlite_where=text("closed_at is null"),
            postgresql_where=text("closed_at is null"),
        ),
    )
    id: int | None = key()
    pseudonym: str = public_id()
    template: str = Field(max_length=80)
    purpose: str = Field(max_length=40)
    subject: str = Field(max_length=100)
    """What it is about, so that nothing is told twice: a stop's, an instalment's or a payment's id."""
    dossier_id: int = ref("dossier.id")
    person_id: int = ref("person.id", index=True)
    currency: str = Field(max_length=3)
    arrangement_id: int | None = ref("arrangement.id", default=None, nullable=True)
    instalment_id: int | None = ref("instalment.id", default=None, nullable=True)
    stop_id: int | None = ref("stop.id", default=None, nullable=True)
    payment_id: int | None = ref("payment.id", default=None, nullable=True)
    asked_at: datetime = moment()
    until_at: datetime = moment()
    closed_at: datetime | None = moment(default=None)
    closed_code: str = Field(default="", max_length=40)


class MessageClaim(SQLModel, table=True):
    """A claim in a message with the step it is told; 'listed' means for information."""

    __tablename__ = "message_claim"
    __table_args__ = (
        UniqueConstraint("message_id", "claim_id"),
        Index(
            "uq_message_claim_step",
            "claim_id",
            "person_id",
            "step",
            unique=True,
            sqlite_where=text("counts and step <> 'listed'"),
            postgresql_where=text("counts and step <> 'listed'"),
        ),
    )
    id: int | None = key()
    message_id: int = ref("message.id")
    claim_id: int = ref("claim.id")
    person_id: int = ref("person.id")
    step: str = Field(max_length=40)
    counts: bool = True


class Attempt(SQLModel, table=True):
    """One rendering of a message to one address on one channel.

    Valid for hand-over only in [good_from, good_until) and while `facts_version` is the person's and
    `policy_epoch` the creditor's. `try_at` is when it may next be offered to the channel.
    """

    __table_args__ = (
        CheckConstraint(_in("state", tuple(AttemptState)), name="state"),
        Index(
            "uq_attempt_live",
            "message_id",
            unique=True,
            sqlite_where=text(_in("state", LIVE)),
            postgresql_where=text(_in("state", LIVE)),
        ),
        Index(
            "ix_attempt_ready",
            "channel",
            "try_at",
            "id",
            sqlite_where=text("state = 'ready'"),
            postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_attempt_sending",
            "worker_id",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index(
            "ix_attempt_awaited",
            "channel",
            "handed_over_at",
            "token",
            sqlite_where=text(_in("state", AWAITED)),
            postgresql_where=text(_in("state", AWAITED)),
        ),
    )
    id: int | None = key()
    token: str = public_id()
    message_id: int = ref("message.id", index=True)
    person_id: int = ref("person.id", index=True)
    creditor_id: int = ref("creditor.id")
    channel: str = word("channel_kind")
    contact_point_id: int = ref("contact_point.id")
    address: str
    sender: str
    content_id: str = Field(sa_type=PUBLIC_ID)
    facts_version: int
    policy_epoch: int
    good_from: datetime = moment()
    good_until: datetime = moment()
    try_at: datetime = moment()
    tries: int = 0
    state: str = Field(default=AttemptState.READY.value, max_length=20)
    handed_over_at: datetime | None = moment(default=None)
    settled_at: datetime | None = moment(default=None)
    outcome_code: str = Field(default="", max_length=40)
    worker_id: str | None = Field(default=None, foreign_key="worker.id", sa_type=PUBLIC_ID)


class Try(SQLModel, table=True):
    """One conversation with a provider about one attempt; times are the machine's."""

    id: int | None = key()
    attempt_id: int = ref("attempt.id", index=True)
    number: int
    worker_id: str = Field(foreign_key="worker.id", sa_type=PUBLIC_ID)
    started_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)
    outcome: str = Field(default="", max_length=20)
    code: str = Field(default="", max_length=40)
    provider_id: str = ""
    content_id: str | None = Field(default=None, sa_type=PUBLIC_ID)


class Receipt(SQLModel, table=True):
    """What a provider told later, kept raw, once per provider and event; parked while it matches no attempt."""

    __table_args__ = (UniqueConstraint("provider", "event_id"),)
    id: int | None = key()
    provider: str = Field(max_length=40)
    event_id: str = Field(max_length=200)
    attempt_id: int | None = ref("attempt.id", default=None, nullable=True, index=True)
    kind: str = Field(max_length=20)
    rank: int
    at: datetime = moment()
    content_id: str = Field(sa_type=PUBLIC_ID)


class Decision(SQLModel, table=True):
    """Why something was or was not said to one party of a dossier in one currency; written when it changed."""

    __table_args__ = (Index("ix_decision_unit", "dossier_id", "person_id", "currency", "id"),)
    id: int | None = key()
    pseudonym: str = public_id()
    dossier_id: int = ref("dossier.id")
    person_id: int | None = ref("person.id", default=None, nullable=True)
    currency: str = Field(max_length=3)
    at: datetime = moment()
    outcome: str = word("outcome")
    code: str = Field(max_length=60)
    until_at: datetime | None = moment(default=None)
    fingerprint: str = Field(max_length=32)
    answer: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    facts_content_id: str = Field(sa_type=PUBLIC_ID)
    strategy_hash: str = Field(max_length=64)
    pack_hash: str = Field(max_length=64)
    template_hash: str = Field(max_length=64)
    code_version: str = Field(max_length=40)
    attempt_token: str | None = Field(default=None, sa_type=PUBLIC_ID)


class Tick(SQLModel, table=True):
    """One pass over the due dossiers; `selected` must equal the day's account rows that carry its id."""

    id: int | None = key()
    at: datetime = moment()
    started_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)
    selected: int = 0


class DayAccount(SQLModel, table=True):
    """What became of one party of a dossier in one currency on one civil date."""

    __tablename__ = "day_account"
    __table_args__ = (
        UniqueConstraint("on_date", "dossier_id", "person_id", "currency"),
        Index("ix_day_account_tick", "tick_id"),
        Index(
            "ix_day_account_queued",
            "message_id",
            sqlite_where=text("queued"),
            postgresql_where=text("queued"),
        ),
    )
    id: int | None = key()
    on_date: date
    dossier_id: int = ref("dossier.id")
    person_id: int = Field(default=0)
    """The party's inner key; 0 where a dossier has nobody to write to."""
    currency: str = Field(max_length=3)
    tick_id: int = ref("tick.id")
    outcome: str = word("outcome")
    code: str = Field(max_length=60)
    until_at: datetime | None = moment(default=None)
    queued: bool = False
    message_id: int | None = ref("message.id", default=None, nullable=True)
    decision_id: int | None = ref("decision.id", default=None, nullable=True)
