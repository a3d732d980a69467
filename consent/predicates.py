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
from consent.rules import Answer, Case, Check, Rule

ALLOW, DELAY, GAP, DENY = VerdictKind.ALLOW, VerdictKind.DELAY, VerdictKind.GAP, VerdictKind.DENY

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class NoParams(Struct, frozen=True):
    """For a predicate that reads everything from the facts."""


class WindowParams(Struct, frozen=True):
    """Opening hours of a civil day, half-open, and the days that stay closed."""

    opens: time
    closes: time
    closed_weekdays: tuple[
        Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...
    ]
    closed_holidays: bool

    def __post_init__(self) -> None:
        """Refuse a window that never opens: it would delay for ever."""
        if not self.opens < self.closes:
            raise ValueError(f"closes: {self.closes} expected after opens {self.opens}")
        if set(self.closed_weekdays) == set(WEEKDAYS):
            raise ValueError("closed_weekdays: expected at least one open day")


class CapParams(Struct, frozen=True):
    """At most so many messages within so many civil days."""

    at_most: Annotated[int, msgspec.Meta(ge=1)]
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]


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
    """Rest between two dunning messages of one creditor to one person, counted in civil days."""
    allow = Answer((rule.says(ALLOW, "interval_kept"),))

    def check(case: Case) -> Answer:
        latest = next((on for on, same_creditor in case.dunned_on() if same_creditor), None)
        if latest is None:
            return allow
        free_on = latest + timedelta(days=case.facts.interval_days)
        if case.today >= free_on:
            return allow
        return Answer((rule.says(DELAY, "interval", start_of(free_on, case.zone)),))

    return check


def _frequency_cap(rule: Rule, params: CapParams, _calendar: Calendar | None) -> Check:
    """A cap on the dunning messages one person gets from all creditors together, counted in civil days."""
    allow = Answer((rule.says(ALLOW, "below_cap"),))
    length = timedelta(days=params.days)

    def check(case: Case) -> Answer:
        dates = case.dunned_on()
        if len(dates) < params.at_most:
            return allow
        # There is room again once the message that fills the cap (counted from the latest) is old enough.
        free_on: date = dates[params.at_most - 1][0] + length
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
    """Another message for this person is ready and not yet handed over: it goes first."""
    allow = Answer((rule.says(ALLOW, "not_reserved"),))

    def check(case: Case) -> Answer:
        until = case.facts.reserved_until
        if until is None or until <= case.now:
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
            stop_reason(stop, rule.id, rule.source, rule.certainty)
            for stop in stops
            if is_active(stop, now) and not is_narrow(stop)
        )
        # A narrow stop that is to begin ends the answer too: it may close the contact point that was chosen.
        begins = min((stop.from_at.astimezone(UTC) for stop in stops if stop.from_at > now), default=None)
        return Answer(active or allow, begins)

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
    """A word of the vocabulary: the shape of its parameters and how a rule is bound to it.

    A `required` one must be asked about every message: where no valid rule asks it, the gate stays closed.
    """

    params: type[Struct]
    bind: Callable[[Rule, Any, Calendar | None], Check]
    required: bool


PREDICATES: Mapping[str, Predicate] = {
    "contact_window": Predicate(WindowParams, ContactWindow, required=True),
    "interval": Predicate(NoParams, _interval, required=False),
    "frequency_cap": Predicate(CapParams, _frequency_cap, required=False),
    "after_answer": Predicate(NoParams, _after_answer, required=False),
    "reservation": Predicate(NoParams, _reservation, required=True),
    "stops": Predicate(NoParams, _stops, required=True),
    "alive": Predicate(NoParams, _alive, required=True),
    "sending_on": Predicate(NoParams, _sending_on, required=True),
    "payments_known": Predicate(NoParams, _payments_known, required=True),
    "contact_point": Predicate(NoParams, _contact_point, required=True),
}
