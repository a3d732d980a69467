"""What the gate is told: facts about one addressee, one creditor and one intended message.

Plain frozen values that serialise to JSON and back, so that a decision can be replayed from what was
recorded. All datetimes are aware; all dates are civil dates in the addressee's zone.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from channels.kinds import Kind


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen fact."""


class StopFact(Struct, frozen=True):
    """A fact that forbids contact. `scope` is the word of what it hangs on.

    `channel` or `address_key` limits it to one channel or address; the person stays reachable otherwise.
    """

    kind: str
    scope: str
    from_at: datetime
    until_at: datetime | None = None
    channel: Kind | None = None
    address_key: str | None = None
    reason_code: str = ""


class HandedOverFact(Struct, frozen=True):
    """A message that was handed over to a channel and was not refused, bounced or returned.

    `same_debtor` is False where the addressee got it as a representative of somebody else.
    """

    at: datetime
    channel: Kind
    same_creditor: bool
    purpose: str = "dunning"
    same_debtor: bool = True


class ContactPointFact(Struct, frozen=True):
    """A way to reach the addressee. `available` is False where no channel of its kind is configured."""

    channel: Kind
    address_key: str
    certainty: str = "unverified"
    available: bool = True


class GateFacts(Struct, frozen=True):
    """What the gate reads for one addressee (person) towards one creditor, for one intended message.

    `channel` is the way that is meant (also "call" and "visit"); while it is not chosen it is empty, and the rules
    of every channel are asked. The sender is an "agency" where it acts for others or took the claim over.
    """

    country: str
    zone: str
    addressee_kind: str
    deceased: bool
    sending_on: bool
    creditor_sending_on: bool
    interval_days: int
    freshness_hours: int
    payments_until_on: date | None
    latest_due_on: date
    stops: tuple[StopFact, ...] = ()
    handed_over: tuple[HandedOverFact, ...] = ()
    reserved_until: datetime | None = None
    contact_points: tuple[ContactPointFact, ...] = ()
    purpose: str = "dunning"
    channel: str = ""
    sender_kind: str = "creditor"
    sender_registered: bool | None = None
    """Whether an agency stands in its register and is not suspended; None where nobody said."""
    is_representative: bool = False
    """The addressee is written to in another's place (administrator, guardian)."""
    calls_on: tuple[date, ...] = ()
    """The days of the calls about this claim, one for each; `conversations_on` those that were answered."""
    conversations_on: tuple[date, ...] = ()
    activity: str = ""
    """The activity of the register of processing that the message is for, as it is cited; empty where there is none."""
    lacking: tuple[str, ...] = ()
    """What that activity needs and is not there, as codes (consent/processing.py)."""
    approved_rules: tuple[str, ...] = ()
    """The rules that ask for a person's approval and have it for this message."""


class VerdictKind(StrEnum):
    """What a rule may say, from mild to strict. A verdict is never a warning: that refuses nothing."""

    ALLOW = "allow"
    WARN = "warn"
    DELAY = "delay"
    GAP = "gap"
    """Not known to be allowed: treated as no, and somebody must fill the gap, or approve."""
    DENY = "deny"


REFUSING = frozenset({VerdictKind.DELAY, VerdictKind.GAP, VerdictKind.DENY})


class Reason(Struct, frozen=True):
    """What one rule said. `code` is a word for the log; `until` is set on a delay."""

    rule: str
    kind: VerdictKind
    code: str
    until: datetime | None = None
    source: str = ""
    certainty: str = ""

    @property
    def refuses(self) -> bool:
        """Whether this stands in the way; an allowing reason and a warning do not."""
        return self.kind in REFUSING


class Verdict(Struct, frozen=True):
    """The gate's answer with the reasons of every rule it asked, the allowing ones too."""

    kind: VerdictKind
    until: datetime | None
    reasons: tuple[Reason, ...]
    good_until: datetime | None = None
    """The end of the instant's window: an allowed message may be handed over before this moment only."""
