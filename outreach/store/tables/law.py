"""What makes contact and sharing lawful: what people said of it, what the operator declared, and complaints."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from outreach.store.types import PUBLIC_ID, key, moment, public_id, ref, word


class ConsentEvent(SQLModel, table=True):
    """What a person said about the use of their data, or what was decided on it; only ever added.

    Consent, withdrawal, objection and restriction are four separate facts (GDPR art. 7, 18, 21; ISO/IEC TS 27560).
    Without a creditor it is about every creditor of this installation; without a channel about every channel.
    """

    __tablename__ = "consent_event"
    id: int | None = key()
    pseudonym: str = public_id()
    person_id: int = ref("person.id", index=True)
    creditor_id: int | None = ref("creditor.id", default=None, nullable=True)
    kind: str = word("consent_event_kind")
    purpose: str = Field(max_length=40)
    channel: str | None = word("channel_kind", default=None)
    at: datetime = moment()
    method: str = Field(max_length=40)
    """How it was said: telephone, letter, e-mail, page, counter."""
    notice_hash: str = Field(default="", max_length=64)
    """The version of the privacy notice that was shown, by its hash."""
    answers: str | None = Field(default=None, sa_type=PUBLIC_ID)
    """The pseudonym of the event that this one decides or takes back."""
    stop_id: int | None = ref("stop.id", default=None, nullable=True)
    reason_code: str = Field(default="", max_length=40)
    content_id: str | None = Field(default=None, sa_type=PUBLIC_ID)
    actor: str = Field(max_length=80)


class Declaration(SQLModel, table=True):
    """A document that the operator says is there: a processor's contract, an assessment, a notice; until it expires.

    `subject` is what it is about: a processor, an activity of the register of processing, or the scheme that settles
    disputes with an agency.
    """

    id: int | None = key()
    pseudonym: str = public_id()
    kind: str = word("declaration_kind")
    subject: str = Field(max_length=60)
    creditor_id: int | None = ref("creditor.id", default=None, nullable=True, index=True)
    reference: str = Field(max_length=200)
    """Where it is kept, in the operator's own words."""
    from_on: date
    until_on: date | None = None
    """The first day on which it no longer holds."""
    actor: str = Field(max_length=80)
    at: datetime = moment()
    withdrawn_at: datetime | None = moment(default=None)
    withdrawn_by: str | None = Field(default=None, max_length=80)


class RuleConfirmation(SQLModel, table=True):
    """A named person who read the text of the law and says that a rule that was not verified is as the pack has it."""

    __tablename__ = "rule_confirmation"
    id: int | None = key()
    rule_id: str = Field(max_length=60, index=True)
    source: str
    """What they read."""
    actor: str = Field(max_length=80)
    at: datetime = moment()
    withdrawn_at: datetime | None = moment(default=None)
    withdrawn_by: str | None = Field(default=None, max_length=80)


class Complaint(SQLModel, table=True):
    """A complaint about how somebody was treated; it pauses what it is about until it is answered."""

    id: int | None = key()
    pseudonym: str = public_id()
    creditor_id: int = ref("creditor.id", index=True)
    dossier_id: int | None = ref("dossier.id", default=None, nullable=True, index=True)
    claim_id: int | None = ref("claim.id", default=None, nullable=True)
    person_id: int = ref("person.id", index=True)
    channel: str = Field(max_length=20)
    """How it came in; wider than the channels that messages leave by: also telephone, counter, page."""
    cause: str = Field(max_length=40)
    received_at: datetime = moment()
    confirm_by_at: datetime = moment()
    """Until when receipt is to be confirmed in writing: two working days (Bki art. 6.1)."""
    confirmed_at: datetime | None = moment(default=None)
    confirmed_by: str | None = Field(default=None, max_length=80)
    """A job, where our own message confirmed it; or who wrote, where none could."""
    answer_by_on: date
    owner: str = Field(max_length=80)
    outcome: str = Field(default="", max_length=20)
    """upheld, partly, rejected or withdrawn; empty while it is open."""
    answered_at: datetime | None = moment(default=None)
    answered_by: str | None = Field(default=None, max_length=80)
    stop_id: int | None = ref("stop.id", default=None, nullable=True)
    content_id: str | None = Field(default=None, sa_type=PUBLIC_ID)
    answer_content_id: str | None = Field(default=None, sa_type=PUBLIC_ID)
    set_by: str = Field(max_length=80)
