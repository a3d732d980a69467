"""The early signal: whether a municipality may be told of arrears (Besluit gemeentelijke schuldhulpverlening).

Four facts must be there and provable: an effort for personal contact, debt help pointed out, a written reminder,
and in it the offer to pass on contact details. What is passed on is a closed set of fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from consent.facts import Reason, Struct, VerdictKind
from consent.rules import Effect, Rule

if TYPE_CHECKING:
    from consent.packs import Pack

Word = Literal["allow", "block", "review"]

FIRST = "early"
"""The kind of a first signal."""


class SignalFacts(Struct, frozen=True):
    """What is asked about one address and sector, each fact to be proved by what the service keeps.

    `signal_kind` is "early" for the first signal; a later one, such as "end_of_supply", needs an earlier one.
    `open_signal` tells that a signal of this address and sector is still open.
    """

    creditor_type: str
    arrears: bool
    written_reminders: Annotated[int, msgspec.Meta(ge=0)]
    personal_contact_effort: bool
    pointed_to_debt_help: bool
    offered_data_sharing_in_reminder: bool
    debtor_refused_sharing: bool
    dispute_open: bool
    payment_plan_active_and_kept: bool
    municipality_known: bool
    payload: tuple[str, ...]
    signal_kind: str = FIRST
    earlier_signal_sent: bool = False
    open_signal: bool = False


class SignalVerdict(Struct, frozen=True):
    """The answer, with what every rule said: those that hold, and those that block it or need a person's review."""

    verdict: Word
    reasons: tuple[Reason, ...]


class NoParams(Struct, frozen=True):
    """For a question that reads everything from the facts."""


class SectorParams(Struct, frozen=True):
    """The kinds of creditors that the law names."""

    sectors: tuple[str, ...]


class RemindersParams(Struct, frozen=True):
    """How many written reminders must have gone before."""

    at_least: Annotated[int, msgspec.Meta(ge=1)]


class FieldsParams(Struct, frozen=True):
    """The only fields that may be passed on."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A word of this vocabulary: the shape of its parameters and whether the condition holds."""

    params: type[Struct]
    holds: Callable[[SignalFacts, Any], bool]
    effect: Effect = "deny"

    def bind(self, params: Any) -> Callable[[SignalFacts], bool]:
        """The question with its parameters, ready to be asked."""
        return lambda facts: self.holds(facts, params)


QUESTIONS: Mapping[str, Question] = {
    "signal_sector": Question(SectorParams, lambda facts, params: facts.creditor_type in params.sectors),
    "signal_arrears": Question(NoParams, lambda facts, _: facts.arrears),
    "signal_personal_contact": Question(NoParams, lambda facts, _: facts.personal_contact_effort),
    "signal_debt_help": Question(NoParams, lambda facts, _: facts.pointed_to_debt_help),
    "signal_reminders": Question(
        RemindersParams, lambda facts, params: facts.written_reminders >= params.at_least
    ),
    "signal_offer": Question(
        NoParams, lambda facts, _: facts.offered_data_sharing_in_reminder and not facts.debtor_refused_sharing
    ),
    "signal_fields": Question(FieldsParams, lambda facts, params: set(facts.payload) <= set(params.fields)),
    "signal_order": Question(
        NoParams, lambda facts, _: facts.signal_kind == FIRST or facts.earlier_signal_sent
    ),
    "signal_one_open": Question(
        NoParams, lambda facts, _: facts.signal_kind != FIRST or not facts.open_signal
    ),
    "signal_municipality": Question(NoParams, lambda facts, _: facts.municipality_known),
    "signal_undisputed": Question(NoParams, lambda facts, _: not facts.dispute_open),
    "signal_no_arrangement": Question(NoParams, lambda facts, _: not facts.payment_plan_active_and_kept),
}
"""All of them must be asked: a pack that lost one, or a day on which one does not hold, blocks every signal."""

Bound = tuple[Rule, Callable[[SignalFacts], bool]]


def early_signal(facts: SignalFacts, pack: Pack, on: date) -> SignalVerdict:
    """Ask every rule about an early signal by the law of a day; the strictest answer wins.

    A rule whose law nobody verified or confirmed asks for review where it would block.
    """
    bound = pack.signal_rules(on)
    asked = {rule.predicate for rule, _ in bound if not rule.is_own}
    missing = tuple(
        Reason(rule=word, kind=VerdictKind.DENY, code="rule_missing")
        for word in QUESTIONS
        if word not in asked
    )
    reasons = (*missing, *(_said(rule, holds(facts)) for rule, holds in bound))
    kinds = {reason.kind for reason in reasons}
    word: Word = "allow"
    if VerdictKind.DENY in kinds:
        word = "block"
    elif VerdictKind.GAP in kinds:
        word = "review"
    return SignalVerdict(verdict=word, reasons=reasons)


def _said(rule: Rule, holds: bool) -> Reason:
    if holds:
        kind = VerdictKind.ALLOW
    elif rule.effect == "warn":
        kind = VerdictKind.WARN
    elif rule.effect == "approval" or rule.is_doubtful:
        kind = VerdictKind.GAP
    else:
        kind = VerdictKind.DENY
    return rule.says(kind, rule.predicate)
