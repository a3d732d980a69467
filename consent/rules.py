"""What a rule is: a row of a pack, the case it is asked about, and the answer it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from consent.calendar import civil_date, zone_of
from consent.facts import GateFacts, Reason, Struct, VerdictKind

Text = Annotated[str, msgspec.Meta(min_length=1)]

ADDRESSEE_KINDS = frozenset({"person", "business"})
DUNNING = "dunning"
PURPOSES = frozenset({DUNNING, "confirmation", "service", "call", "handover"})
"""What a message or a person's approach is for: a reminder, an answer to the debtor's own act, a service about an
arrangement that runs, a call or visit, or the handing over of the dossier."""


class Applies(Struct, frozen=True):
    """For whom and for which messages a rule is meant; an empty field means all.

    A word in the facts that nobody knows is held to every rule: a typing error must not open a door.
    """

    addressee_kinds: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a word that no fact ever has: the rule would silently never apply."""
        for name, words, known in (
            ("addressee_kinds", self.addressee_kinds, ADDRESSEE_KINDS),
            ("purposes", self.purposes, PURPOSES),
        ):
            if unknown := sorted(set(words) - known):
                raise ValueError(f"{name}: unknown {', '.join(unknown)}, expected {', '.join(sorted(known))}")

    def covers(self, addressee_kind: str, purpose: str) -> bool:
        """Whether the rule is to be asked for this addressee and this message."""
        return _covers(self.addressee_kinds, addressee_kind, ADDRESSEE_KINDS) and _covers(
            self.purposes, purpose, PURPOSES
        )


def _covers(words: tuple[str, ...], word: str, known: frozenset[str]) -> bool:
    return not words or word in words or word not in known


class Rule(Struct, frozen=True):
    """One row of a pack: which predicate with which parameters, for whom, when, and on whose word.

    `certainty` says how the source was seen: its text read, told by others, unverified, or our own policy.
    Valid on `[valid_from, valid_until)`, dates in the addressee's zone; policy has no dates.
    """

    id: Text
    title: Text
    predicate: str
    source: Text
    certainty: Literal["verified-text", "secondary", "unverified", "policy"]
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    applies: Applies = Applies()
    valid_from: date | None = None
    valid_until: date | None = None

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
            rule=self.id, kind=kind, code=code, until=until, source=self.source, certainty=self.certainty
        )


@dataclass(slots=True)
class Case:
    """One question to the gate: the facts at an instant, with the addressee's civil date beside it."""

    facts: GateFacts
    now: datetime
    zone: ZoneInfo
    today: date
    _dunned_on: list[tuple[date, bool]] | None = field(default=None, init=False)

    @classmethod
    def at(cls, facts: GateFacts, now: datetime) -> Case:
        """The case at this instant in UTC; ValueError where the zone is unknown."""
        zone = zone_of(facts.zone)
        return cls(facts, now, zone, civil_date(now, zone))

    def dunned_on(self) -> list[tuple[date, bool]]:
        """The civil dates of the dunning messages handed over, latest first, and whether by this creditor."""
        if self._dunned_on is None:
            zone = self.zone
            dates = [
                (civil_date(sent.at, zone), sent.same_creditor)
                for sent in self.facts.handed_over
                if sent.purpose == DUNNING
            ]
            self._dunned_on = sorted(dates, reverse=True)
        return self._dunned_on


class Answer(NamedTuple):
    """What a rule says, and until when an allowing answer holds by itself (None: as long as the facts do)."""

    reasons: tuple[Reason, ...]
    holds_until: datetime | None = None


Check = Callable[[Case], Answer]
"""A rule bound to its parameters, ready to be asked."""
