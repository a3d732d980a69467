"""Questions of other systems about contact and early signals: a row in, a row out, never an exception.

Whatever can't be read becomes an error that names the field and what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

import msgspec

from consent.calendar import zone_of
from consent.early_signal import SignalFacts, early_signal
from consent.facts import GateFacts, Reason, Struct, Verdict, VerdictKind
from consent.gate import ask_one
from consent.packs import Pack, shipped_packs

ALIASES = {"UK": "GB"}
"""What a country is called beside its ISO code."""

Channel = Literal["email", "sms", "letter", "video", "call", "visit"]


class ContactWindowAsk(Struct, frozen=True):
    """Whether somebody may be approached at this instant."""

    country: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    zone: str
    channel: Channel
    sender_kind: Literal["creditor", "agency"] = "creditor"


class CallCapAsk(Struct, frozen=True):
    """Whether somebody may be called about a claim on this day, after these calls and conversations."""

    country: str
    calls_on: tuple[date, ...]
    conversations_on: tuple[date, ...]
    on: date


class EarlySignalAsk(SignalFacts, frozen=True):
    """Whether a municipality may be told of arrears; without a day, by the newest law that is known."""

    country: str = "NL"
    on: date = date.max


def contact_window(row: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the instant is inside the contact windows, else when it next is."""
    ask = msgspec.convert(row, ContactWindowAsk)
    facts = _facts(ask.country, _zone(ask.zone), channel=ask.channel, sender_kind=ask.sender_kind)
    verdict = ask_one("contact_window", facts, _pack(ask.country), ask.at)
    next_at = None if verdict.until is None else verdict.until.isoformat()
    return {"allowed": verdict.kind is VerdictKind.ALLOW, "next_at": next_at, **_told(verdict.reasons)}


def call_cap(row: Mapping[str, Any]) -> dict[str, Any]:
    """Whether another call about a claim is within the country's cap; where there is none, it is."""
    ask = msgspec.convert(row, CallCapAsk)
    facts = _facts(
        ask.country, "UTC", channel="call", calls_on=ask.calls_on, conversations_on=ask.conversations_on
    )
    noon = datetime.combine(ask.on, time(12), UTC)
    verdict: Verdict = ask_one("call_cap", facts, _pack(ask.country), noon)
    return {"allowed": verdict.kind is VerdictKind.ALLOW, **_told(verdict.reasons)}


def signal(row: Mapping[str, Any]) -> dict[str, Any]:
    """Whether an early signal may be sent, with the rules that say so."""
    ask = msgspec.convert(row, EarlySignalAsk)
    verdict = early_signal(ask, _pack(ask.country), ask.on)
    return {"verdict": verdict.verdict, **_told(verdict.reasons)}


ASKS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "contact_window": contact_window,
    "early_signal": signal,
    "call_cap": call_cap,
}
"""The questions that are answered here; each raises ValueError for a row that can't be read."""


def answer(request: object) -> dict[str, Any]:
    """Answer one request with its id, or with the error that names what was expected."""
    if not isinstance(request, dict):
        return {"id": None, "error": "expected an object with id and ask"}
    row = {name: value for name, value in request.items() if name not in {"id", "ask"}}
    echoed = request.get("id")
    ask = request.get("ask")
    handler = ASKS.get(ask) if isinstance(ask, str) else None
    if handler is None:
        return {"id": echoed, "error": f"ask: {ask!r} is unknown, expected one of {', '.join(ASKS)}"}
    try:
        return {"id": echoed, **handler(row)}
    except (ValueError, OverflowError) as error:
        # An instant at the end of all dates overflows; everything else is a field that does not fit.
        return {"id": echoed, "error": str(error)}


def _facts(country: str, zone: str, **changes: Any) -> GateFacts:
    """Facts of which only what is asked about matters."""
    return GateFacts(
        country=ALIASES.get(country, country),
        zone=zone,
        addressee_kind="person",
        deceased=False,
        sending_on=True,
        creditor_sending_on=True,
        interval_days=0,
        freshness_hours=0,
        payments_until_on=None,
        latest_due_on=date.min,
        **changes,
    )


def _pack(country: str) -> Pack:
    pack = shipped_packs().get(ALIASES.get(country, country))
    if pack is None:
        raise ValueError(
            f"country: {country!r} has no rules here, expected one of {', '.join(shipped_packs())}"
        )
    return pack


def _zone(name: str) -> str:
    try:
        zone_of(name)
    except ValueError as error:
        raise ValueError(f"zone: {error}, expected a name such as Europe/Amsterdam") from error
    return name


def _told(reasons: tuple[Reason, ...]) -> dict[str, Any]:
    """The rules that refuse, or where none does those that allow; overdue reviews stand beside them."""
    refusing = [reason.rule for reason in reasons if reason.refuses]
    allowing = [reason.rule for reason in reasons if reason.kind is VerdictKind.ALLOW]
    warned = [f"{reason.rule}: {reason.code}" for reason in reasons if reason.kind is VerdictKind.WARN]
    told: dict[str, Any] = {"reasons": list(dict.fromkeys(refusing or allowing))}
    return {**told, "warnings": warned} if warned else told
