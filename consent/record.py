"""What a person said about the use of their data: consent, withdrawal, objection and restriction, as separate facts.

Facts are only ever added; what holds today is read off their order. The words are those of the Data Privacy
Vocabulary and ISO/IEC TS 27560 (consent record information structure), which the receipt is written in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from consent.facts import Struct

PURPOSES = ("survey", "support_needs", "debt_helper")
"""What is done on consent alone, GDPR art. 6(1)(a): asking how it went, keeping what support somebody needs, and
telling a helper of their choice. Reminders of a bill rest on the contract, never on consent."""

REFUSABLE = ("legal_claims", "compelling_grounds", "contract")
"""Why an objection may be rejected (GDPR art. 21(1)); `contract` is that the right does not apply to that basis."""

RESTRICTIONS = ("accuracy_contested", "unlawful", "needed_for_claims", "objection_pending")
"""Why somebody may ask to have their data kept and not used (GDPR art. 18(1) a to d)."""


class EventKind(StrEnum):
    """What was said, or decided on it."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    OBJECTION_UPHELD = "objection_upheld"
    OBJECTION_REJECTED = "objection_rejected"
    RESTRICTED = "restricted"
    RESTRICTION_LIFTED = "restriction_lifted"


class Event(Struct, frozen=True):
    """One fact. Without a channel it is about all of them; `notice_hash` is the privacy notice that was shown."""

    id: str
    kind: str
    purpose: str
    at: datetime
    channel: str | None = None
    notice_hash: str = ""
    method: str = ""
    answers: str | None = None


class Status(StrEnum):
    """Whether something may be done on consent, in the words of DPV's ConsentStatus."""

    GIVEN = "ConsentGiven"
    REFUSED = "ConsentRefused"
    WITHDRAWN = "ConsentWithdrawn"
    UNKNOWN = "ConsentUnknown"
    """Nobody can show it: never asked, or without a notice. It is treated as no."""


_STATUS = {
    EventKind.GIVEN: Status.GIVEN,
    EventKind.REFUSED: Status.REFUSED,
    EventKind.WITHDRAWN: Status.WITHDRAWN,
}


def status(events: Iterable[Event], purpose: str, channel: str | None, at: datetime) -> Status:
    """Return whether consent holds for a purpose, on a channel, at an instant: the last word counts.

    A yes for one channel is none for another, and a yes without a notice can't be shown. A no without a channel
    is a no for all of them.
    """
    said = [
        event
        for event in events
        if event.purpose == purpose
        and event.kind in _STATUS
        and event.at <= at
        and (event.channel == channel or event.channel is None)
    ]
    if not said:
        return Status.UNKNOWN
    # Of two at one instant the stricter one counts.
    last = max(said, key=lambda event: (event.at, event.kind != EventKind.GIVEN))
    if last.kind == EventKind.GIVEN and not last.notice_hash:
        return Status.UNKNOWN
    return _STATUS[EventKind(last.kind)]


_TYPES = {
    EventKind.GIVEN: ("dpv:ConsentGiven", "dpv:ExpressedConsent"),
    EventKind.REFUSED: ("dpv:ConsentRefused", "dpv:ExpressedConsent"),
    EventKind.WITHDRAWN: ("dpv:ConsentWithdrawn", "dpv:ExpressedConsent"),
    EventKind.OBJECTED: ("dpv:RequestInitiated", "eu-gdpr:A21"),
    EventKind.OBJECTION_UPHELD: ("dpv:RequestFulfilled", "eu-gdpr:A21"),
    EventKind.OBJECTION_REJECTED: ("dpv:RequestRejected", "eu-gdpr:A21"),
    EventKind.RESTRICTED: ("dpv:RequestInitiated", "eu-gdpr:A18"),
    EventKind.RESTRICTION_LIFTED: ("dpv:RequestFulfilled", "eu-gdpr:A18"),
}


def receipt(event: Event, principal: str, controller: str, how_to_withdraw: str) -> dict[str, Any]:
    """Return a receipt of one fact, with the field names of ISO/IEC TS 27560; the principal is a pseudonym."""
    state, type_ = _TYPES[EventKind(event.kind)]
    is_consent = event.kind in _STATUS
    return {
        "schema_version": "iso-27560/dpv-2/outreach-1",
        "record_id": event.id,
        "pii_principal_id": principal,
        "processing": {
            "purpose": event.purpose,
            "lawful_basis": "eu-gdpr:A6-1-a" if is_consent else None,
            "withdrawal_method": how_to_withdraw,
            "authority_party": "Autoriteit Persoonsgegevens",
        },
        "privacy_notice": {"sha256": event.notice_hash} if event.notice_hash else None,
        "parties": [{"role": "dpv:DataController", "name": controller}],
        "events": [
            {
                "event_time": event.at.isoformat(),
                "event_state": state,
                "event_type": type_,
                "channel": event.channel,
                "method": event.method,
                "answers": event.answers,
            }
        ],
    }
