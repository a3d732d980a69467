"""What a rule is: a row of a pack, the case it is asked about, and the answer it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from consent.calendar import civil_date, zone_of
from consent.facts import GateFacts, HandedOverFact, Reason, Struct, VerdictKind

Text = Annotated[str, msgspec.Meta(min_length=1)]

Trigger = Literal["contact", "early_signal", "disclosure", "charge", "text", "process"]
"""What a rule is asked for: a message or approach, a signal to the municipality, another sharing of data, an
amount, the words of a message, or how the operator works."""

Effect = Literal["deny", "delay", "approval", "warn", "cap", "require", "record"]
"""What follows where the condition fails: a no, a wait, a person's yes, a remark; for rules that are enforced
elsewhere also an amount that is cut off, a text or field that must be there, and something to be kept."""

OWN = "OP-"
"""How the ids of an operator's own rules begin; those that come with the service never do."""

DUNNING = "dunning"
UNCOUNTED = frozenset({"confirmation"})
"""Messages that count for no cap: answers to the debtor's own act."""

KNOWN: dict[str, frozenset[str]] = {
    "addressee_kinds": frozenset({"person", "sole_trader", "business"}),
    "purposes": frozenset({DUNNING, "confirmation", "service", "call", "handover"}),
    "sender_kinds": frozenset({"creditor", "agency"}),
    "roles": frozenset({"debtor", "representative"}),
    "channels": frozenset({"email", "sms", "letter", "video", "call", "visit"}),
}
"""The words for whom and what a rule can be meant. A purpose is what a message or an approach is for: a reminder,
an answer to the debtor's own act, a service about an arrangement that runs, a call or visit, or a handover."""


class Asked(NamedTuple):
    """About whom and what a question is, as far as it decides which rules are meant."""

    addressee_kind: str = "person"
    purpose: str = DUNNING
    sender_kind: str = "creditor"
    role: str = "debtor"
    channel: str = ""


class Applies(Struct, frozen=True):
    """For whom and for which messages a rule is meant; an empty field means all.

    A word in the facts that nobody knows is held to every rule: a typing error must not open a door.
    """

    addressee_kinds: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    sender_kinds: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a word that no fact ever has: the rule would silently never apply."""
        for name, known in KNOWN.items():
            if unknown := sorted(set(getattr(self, name)) - known):
                raise ValueError(f"{name}: unknown {', '.join(unknown)}, expected {', '.join(sorted(known))}")

    def covers(self, asked: Asked) -> bool:
        """Whether the rule is to be asked for this addressee and this message."""
        pairs = zip(KNOWN.items(), asked, strict=True)
        return all(
            not (words := getattr(self, name)) or word in words or word not in known
            for (name, known), word in pairs
        )


class Rule(Struct, frozen=True):
    """One row of a pack: which predicate with which parameters, for whom, when, and on whose word.

    A rule without a predicate is listed only: `enforced_by` names what holds to it. `certainty` says how the source
    was seen: its text read, told by others, unverified, or our own policy. Valid on `[valid_from, valid_until)`,
    dates in the addressee's zone; policy has no dates.
    """

    id: Text
    title: Text
    trigger: Trigger
    effect: Effect
    source: Text
    certainty: Literal["verified-text", "secondary", "unverified", "policy"]
    predicate: str = ""
    enforced_by: str = ""
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    applies: Applies = Applies()
    valid_from: date | None = None
    valid_until: date | None = None
    note: str = ""
    confirmed_by: str = ""
    """The person who stands for a rule that nobody verified; until then it can't refuse for good."""

    @property
    def is_own(self) -> bool:
        """Whether it is the operator's: it tightens only, so it answers no question that must be asked."""
        return self.id.startswith(OWN)

    @property
    def is_doubtful(self) -> bool:
        """Whether nobody verified or confirmed it: it may delay, warn or ask for approval only."""
        return self.certainty == "unverified" and not self.confirmed_by

    @property
    def standing(self) -> str:
        """The certainty that its reasons show."""
        return "confirmed" if self.confirmed_by else self.certainty

    def valid_on(self, on: date) -> bool:
        """Whether the rule holds on this date."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on < self.valid_until
        )

    def overlaps(self, other: Rule) -> bool:
        """Whether there is a date on which both hold."""
        return (self.valid_from or date.min) < (other.valid_until or date.max) and (
            other.valid_from or date.min
        ) < (self.valid_until or date.max)

    def says(self, kind: VerdictKind, code: str, until: datetime | None = None) -> Reason:
        """A reason in the name of this rule, with its source."""
        return Reason(
            rule=self.id, kind=kind, code=code, until=until, source=self.source, certainty=self.standing
        )


@dataclass(slots=True)
class Case:
    """One question to the gate: the facts at an instant, with the addressee's civil date beside it."""

    facts: GateFacts
    now: datetime
    zone: ZoneInfo
    today: date
    _sent_on: list[tuple[date, HandedOverFact]] | None = field(default=None, init=False)

    @classmethod
    def at(cls, facts: GateFacts, now: datetime) -> Case:
        """The case at this instant in UTC; ValueError where the zone is unknown."""
        zone = zone_of(facts.zone)
        return cls(facts, now, zone, civil_date(now, zone))

    @property
    def asked(self) -> Asked:
        """About whom and what the question is."""
        facts = self.facts
        role = "representative" if facts.is_representative else "debtor"
        return Asked(facts.addressee_kind, facts.purpose, facts.sender_kind, role, facts.channel)

    def sent_on(self) -> list[tuple[date, HandedOverFact]]:
        """The messages handed over that count, with their civil dates, latest first."""
        if self._sent_on is None:
            zone = self.zone
            found = [
                (civil_date(sent.at, zone), sent)
                for sent in self.facts.handed_over
                if sent.purpose not in UNCOUNTED
            ]
            found.sort(key=_date_of, reverse=True)
            self._sent_on = found
        return self._sent_on


def _date_of(pair: tuple[date, HandedOverFact]) -> date:
    return pair[0]


class Answer(NamedTuple):
    """What a rule says, and until when an allowing answer holds by itself (None: as long as the facts do)."""

    reasons: tuple[Reason, ...]
    holds_until: datetime | None = None


Check = Callable[[Case], Answer]
"""A rule bound to its parameters, ready to be asked."""
