"""What the tests of the gate start from: one message that may go out now, and small changes to it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from channels.kinds import Kind
from consent.facts import ContactPointFact, GateFacts, HandedOverFact, Reason, StopFact, Verdict
from consent.gate import gate
from consent.packs import Pack, shipped_packs
from consent.rules import Rule

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""A Tuesday, 10:00 in Amsterdam."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NL = shipped_packs()["NL"]
SHARED = Path(__file__).parents[2].parent / "shared"

EMAIL = ContactPointFact(channel=Kind.EMAIL, address_key="mail-1", certainty="confirmed")
LETTER = ContactPointFact(channel=Kind.LETTER, address_key="home-1")


def facts(**changes: Any) -> GateFacts:
    """A message that the Dutch pack allows at NOW, changed in the given fields."""
    allowed: dict[str, Any] = {
        "country": "NL",
        "zone": "Europe/Amsterdam",
        "addressee_kind": "person",
        "deceased": False,
        "sending_on": True,
        "creditor_sending_on": True,
        "interval_days": 5,
        "freshness_hours": 72,
        "payments_until_on": date(2026, 11, 23),
        "latest_due_on": date(2026, 11, 10),
        "contact_points": (EMAIL, LETTER),
    }
    return GateFacts(**{"activity": "dunning@1", **allowed, **changes})


def always_paid(**changes: Any) -> GateFacts:
    """The same at any instant: payments never grow old, so that only the rule in question speaks."""
    return facts(
        **{"payments_until_on": date(2200, 1, 1), "latest_due_on": date(1990, 1, 1), "freshness_hours": 0}
        | changes
    )


def typical() -> GateFacts:
    """An ordinary dossier for measuring: two contact points and four earlier messages."""
    return facts(
        handed_over=tuple(sent(NOW - days * DAY, same_creditor=days > 10) for days in (9, 16, 23, 60))
    )


def local(text: str, zone: ZoneInfo = AMSTERDAM) -> datetime:
    """An instant by the addressee's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def sent(at: datetime, *, same_creditor: bool = True, purpose: str = "dunning") -> HandedOverFact:
    """A message that was handed over."""
    return HandedOverFact(at=at, channel=Kind.EMAIL, same_creditor=same_creditor, purpose=purpose)


def stop(**changes: Any) -> StopFact:
    """A stop on the person that holds since yesterday, without an end."""
    lasting: dict[str, Any] = {"kind": "dispute", "scope": "person", "from_at": NOW - DAY}
    return StopFact(**{**lasting, **changes})


def ask(given: GateFacts, now: datetime = NOW, pack: Pack | None = NL) -> Verdict:
    """The gate's verdict under the Dutch pack."""
    return gate(given, pack, now)


def obstacles(verdict: Verdict) -> dict[str, Reason]:
    """The reasons that stand in the way, by code."""
    return {reason.code: reason for reason in verdict.reasons if reason.refuses}


def codes(given: GateFacts, now: datetime = NOW, pack: Pack | None = NL) -> tuple[str, set[str]]:
    """The verdict's word and the codes of what is in the way."""
    verdict = ask(given, now, pack)
    return verdict.kind.value, set(obstacles(verdict))


def asked_of(pack: Pack, given: GateFacts) -> list[Rule]:
    """The rules that the gate asks about this message today, by the rows of the pack."""
    role = "representative" if given.is_representative else "debtor"
    words = {
        "addressee_kinds": given.addressee_kind,
        "purposes": given.purpose,
        "sender_kinds": given.sender_kind,
        "roles": role,
    }
    return [
        rule
        for rule in pack.rules
        if rule.trigger == "contact"
        and rule.predicate
        and all(not (meant := getattr(rule.applies, name)) or word in meant for name, word in words.items())
    ]
