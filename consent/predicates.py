"""The vocabulary of the packs: what a rule may ask. A pack names a predicate; the question itself is code.

Each predicate binds a rule and its parameters once, prepares the allowing answer, and is then asked per case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, time, timedelta
from typing import Annotated, Any, Literal

import msgspec

from consent.calendar import ONE_DAY, Calendar, Window, civil_date, start_of
from consent.contact_points import ANSWERS, is_active, is_narrow, stop_reason, usable
from consent.facts import Struct, VerdictKind
from consent.rules import DUNNING, Answer, Case, Check, Effect, Rule

ALLOW, DELAY, GAP, DENY = VerdictKind.ALLOW, VerdictKind.DELAY, VerdictKind.GAP, VerdictKind.DENY

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class NoParams(Struct, frozen=True):
    """For a predicate that reads everything from the facts."""


class WindowParams(Struct, frozen=True, kw_only=True):
    """Opening hours of a civil day, half-open, and the days that stay closed; without `closes` to midnight."""

    opens: time = time.min
    closes: time | None = None
    closed_weekdays: tuple[
        Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...
    ]
    closed_holidays: bool

    def __post_init__(self) -> None:
        """Refuse a window that never opens: it would delay for ever."""
        if self.closes is not None and not self.opens < self.closes:
            raise ValueError(f"closes: {self.closes} expected after opens {self.opens}")
        if set(self.closed_weekdays) == set(WEEKDAYS):
            raise ValueError("closed_weekdays: expected at least one open day")


class CapParams(Struct, frozen=True):
    """At most so many messages within so many civil days."""

    at_most: Annotated[int, msgspec.Meta(ge=1)]
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]


class KindsParams(Struct, frozen=True):
    """The kinds of stops that a rule is about, as the stops have them."""

    kinds: Annotated[
        tuple[Literal["breathing_space", "objection", "restriction"], ...], msgspec.Meta(min_length=1)
    ]


class CallParams(CapParams, frozen=True):
    """At most so many calls within so many civil days, and so many days of rest from a conversation on."""

    rest_days: Annotated[int, msgspec.Meta(ge=1, le=366)]


class ContactWindow:
    """Approach only within the hours and on the days of the window; else at its next opening."""

    def __init__(self, rule: Rule, params: WindowParams, calendar: Calendar | None) -> None:
        self._rule = rule
        self._allow = (rule.says(ALLOW, "inside_window"),)
        self.window = Window(
            opens=params.opens,
            closes=params.closes,
            closed_weekdays=frozenset(WEEKDAYS.index(day) for day in params.closed_weekdays),
            calendar=calendar if params.closed_holidays else None,
            valid_from=rule.valid_from,
            valid_until=rule.valid_until,
        )

    def __call__(self, case: Case) -> Answer:
        """Inside, until the window closes; or delayed to the next opening."""
        window = self.window
        end = window.end(case.now, case.zone)
        if end is not None:
            return Answer(self._allow, end)
        code = window.closed_by(case.today) or "outside_hours"
        return Answer((self._rule.says(DELAY, code, window.opening(case.now, case.zone)),))


def _interval(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """Rest between two dunning messages of one creditor about one debtor to one person, in civil days."""
    allow = Answer((rule.says(ALLOW, "interval_kept"),))

    def check(case: Case) -> Answer:
        every = not case.facts.is_representative
        latest = None
        for on, sent in case.sent_on():
            if sent.same_creditor and sent.purpose == DUNNING and (every or sent.same_debtor):
                latest = on
                break
        if latest is None:
            return allow
        free_on = latest + timedelta(days=case.facts.interval_days)
        if case.today >= free_on:
            return allow
        return Answer((rule.says(DELAY, "interval", start_of(free_on, case.zone)),))

    return check


def _frequency_cap(rule: Rule, params: CapParams, _calendar: Calendar | None) -> Check:
    """A cap on the messages one person gets from all creditors together, counted in civil days."""
    allow = Answer((rule.says(ALLOW, "below_cap"),))
    length = timedelta(days=params.days)

    def check(case: Case) -> Answer:
        sent = case.sent_on()
        if len(sent) < params.at_most:
            return allow
        # There is room again once the message that fills the cap (counted from the latest) is old enough.
        free_on: date = sent[params.at_most - 1][0] + length
        if case.today >= free_on:
            return allow
        return Answer((rule.says(DELAY, "frequency_cap", start_of(free_on, case.zone)),))

    return check


def _after_answer(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """Whoever was thanked or answered by this creditor today is asked for nothing before tomorrow."""
    allow = Answer((rule.says(ALLOW, "not_answered"),))

    def check(case: Case) -> Answer:
        for sent in case.facts.handed_over:
            if (
                sent.purpose in ANSWERS
                and sent.same_creditor
                and civil_date(sent.at, case.zone) == case.today
            ):
                tomorrow = start_of(case.today + ONE_DAY, case.zone)
                return Answer((rule.says(DELAY, "answered_today", tomorrow),))
        return allow

    return check


def _reservation(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """Another message for this person is ready and not yet handed over: it goes first.

    Not so for a representative: what is to be said about several people goes out together.
    """
    allow = Answer((rule.says(ALLOW, "not_reserved"),))

    def check(case: Case) -> Answer:
        until = case.facts.reserved_until
        if until is None or until <= case.now or case.facts.is_representative:
            return allow
        return Answer((rule.says(DELAY, "reserved", until.astimezone(UTC)),))

    return check


def _stops(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """No stop on the person holds; a stop with an end delays, one without denies."""
    allow = (rule.says(ALLOW, "no_stop"),)

    def check(case: Case) -> Answer:
        stops = case.facts.stops
        if not stops:
            return Answer(allow)
        now = case.now
        active = tuple(
            stop_reason(stop, rule.id, rule.source, rule.standing)
            for stop in stops
            if is_active(stop, now) and not is_narrow(stop)
        )
        # A narrow stop that is to begin ends the answer too: it may close the contact point that was chosen.
        begins = min((stop.from_at.astimezone(UTC) for stop in stops if stop.from_at > now), default=None)
        return Answer(active or allow, begins)

    return check


def _stop_kinds(rule: Rule, params: KindsParams, _calendar: Calendar | None) -> Check:
    """The law's own word on some kinds of stops, beside our policy on all of them."""
    allow = Answer((rule.says(ALLOW, "no_such_stop"),))
    kinds = frozenset(params.kinds)

    def check(case: Case) -> Answer:
        stops = case.facts.stops
        if not stops:
            return allow
        active = tuple(
            stop_reason(stop, rule.id, rule.source, rule.standing)
            for stop in stops
            if stop.kind in kinds and is_active(stop, case.now) and not is_narrow(stop)
        )
        return Answer(active) if active else allow

    return check


def _call_cap(rule: Rule, params: CallParams, _calendar: Calendar | None) -> Check:
    """A cap on the calls about one claim, and rest after a conversation; the day itself is the first one."""
    allow = Answer((rule.says(ALLOW, "calls_below_cap"),))
    length, rest = timedelta(days=params.days), timedelta(days=params.rest_days)

    def check(case: Case) -> Answer:
        reasons = []
        calls = sorted((on for on in case.facts.calls_on if on <= case.today), reverse=True)
        if len(calls) >= params.at_most and case.today < (free_on := calls[params.at_most - 1] + length):
            reasons.append(rule.says(DELAY, "call_cap", start_of(free_on, case.zone)))
        talks = [on for on in case.facts.conversations_on if on <= case.today]
        if talks and case.today < (free_on := max(talks) + rest):
            reasons.append(rule.says(DELAY, "rest_after_conversation", start_of(free_on, case.zone)))
        return Answer(tuple(reasons)) if reasons else allow

    return check


def _registered_sender(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """An agency stands in the register and is not suspended; what nobody said is a gap."""
    answers = {
        True: Answer((rule.says(ALLOW, "sender_registered"),)),
        False: Answer((rule.says(DENY, "sender_not_registered"),)),
        None: Answer((rule.says(GAP, "sender_register_unknown"),)),
    }
    return lambda case: answers[case.facts.sender_registered]


def _legal_basis(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """The message belongs to a declared activity, and what that activity needs is there; no basis, no message."""
    allow = Answer((rule.says(ALLOW, "basis_declared"),))
    none = Answer((rule.says(GAP, "no_legal_basis"),))

    def check(case: Case) -> Answer:
        facts = case.facts
        if not facts.activity:
            return none
        return Answer(tuple(rule.says(GAP, code) for code in facts.lacking)) if facts.lacking else allow

    return check


def _alive(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """Nothing is sent in the name of somebody who died; the heirs are another addressee."""
    allow, deny = Answer((rule.says(ALLOW, "alive"),)), Answer((rule.says(DENY, "deceased"),))
    return lambda case: deny if case.facts.deceased else allow


def _sending_on(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """Both switches are on, the operator's and the creditor's; nobody knows when they will be."""
    allow = Answer((rule.says(ALLOW, "sending_on"),))
    operator = rule.says(DELAY, "sending_off")
    creditor = rule.says(DELAY, "creditor_sending_off")

    def check(case: Case) -> Answer:
        facts = case.facts
        if facts.sending_on and facts.creditor_sending_on:
            return allow
        off = () if facts.sending_on else (operator,)
        return Answer(off if facts.creditor_sending_on else (*off, creditor))

    return check


def _payments_known(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """Payments are processed up to the due date and freshly so: nobody is dunned for what was paid.

    Neither delay has a known end: it ends when payments are imported. An answer to the debtor asks nothing.
    """
    allow = (rule.says(ALLOW, "payments_fresh"),)
    asks_nothing = Answer((rule.says(ALLOW, "asks_nothing"),))
    unknown = Answer((rule.says(GAP, "payments_unknown"),))
    before_due = (rule.says(DELAY, "payments_before_due"),)
    stale = (rule.says(DELAY, "payments_stale"),)

    def check(case: Case) -> Answer:
        facts = case.facts
        if facts.purpose in ANSWERS:
            return asks_nothing
        until_on = facts.payments_until_on
        if until_on is None:
            return unknown
        stale_at = start_of(until_on + ONE_DAY, case.zone) + timedelta(hours=facts.freshness_hours)
        late = before_due if until_on < facts.latest_due_on else ()
        old = stale if case.now >= stale_at else ()
        return Answer(late + old or allow, stale_at)

    return check


def _contact_point(rule: Rule, _params: Any, _calendar: Calendar | None) -> Check:
    """There is at least one contact point that may be used; `usable` has the reason for each that may not."""
    allow = Answer((rule.says(ALLOW, "contact_point"),))
    none = Answer((rule.says(GAP, "no_contact_point"),))

    def check(case: Case) -> Answer:
        return allow if any(why is None for _, why in usable(case.facts, case.now)) else none

    return check


@dataclass(frozen=True, slots=True)
class Predicate:
    """A word of the vocabulary: the shape of its parameters, how a rule is bound to it, and its own effect.

    A `required` one must be asked about every message: where no valid rule asks it, the gate stays closed.
    """

    params: type[Struct]
    bind: Callable[[Rule, Any, Calendar | None], Check]
    effect: Effect
    required: bool = False


PREDICATES: Mapping[str, Predicate] = {
    "contact_window": Predicate(WindowParams, ContactWindow, "delay", required=True),
    "interval": Predicate(NoParams, _interval, "delay"),
    "frequency_cap": Predicate(CapParams, _frequency_cap, "delay"),
    "after_answer": Predicate(NoParams, _after_answer, "delay"),
    "call_cap": Predicate(CallParams, _call_cap, "delay"),
    "reservation": Predicate(NoParams, _reservation, "delay", required=True),
    "stops": Predicate(NoParams, _stops, "deny", required=True),
    "stop_kinds": Predicate(KindsParams, _stop_kinds, "deny"),
    "legal_basis": Predicate(NoParams, _legal_basis, "deny", required=True),
    "alive": Predicate(NoParams, _alive, "deny", required=True),
    "sending_on": Predicate(NoParams, _sending_on, "delay", required=True),
    "registered_sender": Predicate(NoParams, _registered_sender, "deny"),
    "payments_known": Predicate(NoParams, _payments_known, "delay", required=True),
    "contact_point": Predicate(NoParams, _contact_point, "deny", required=True),
}
