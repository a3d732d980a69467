"""The term a written demand gives: when it is taken to have arrived, its first and last day, and the day after."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from consent.calendar import ONE_DAY, SUNDAY, HolidayKind, easter, shipped_calendar
from outreach.claims.facts import Struct
from outreach.claims.rules import Cited, cite, shipped_rules
from outreach.claims.schedule import working_day

DAYS = 14
_MONDAY, _SATURDAY = 0, 5


class Term(Struct, frozen=True):
    """Fourteen days to pay: `costs_from_on` is the first day on which costs may be asked.

    `received_on` is None where the law counts from sending.
    """

    received_on: date | None
    first_day_on: date
    last_day_on: date
    costs_from_on: date
    cited: Cited


def usual_transit_days() -> int:
    """Return in how many days a posted letter is taken to arrive in the Netherlands."""
    rules = {rule.id: rule for rule in shipped_rules()["NL"].rules}
    days: int = rules["NL-14D-009"].params["transit_days"]
    return days


def taken_to_arrive_on(sent_on: date, transit_days: int) -> date:
    """Return the day on which a posted Dutch letter is taken to arrive: none without ordinary post.

    A day that a royal decree equates with a holiday is one for terms only; post is delivered on it.
    """
    on = sent_on + timedelta(days=transit_days)
    while on.weekday() in (SUNDAY, _MONDAY) or _no_post(on):
        on += ONE_DAY
    return on


def dutch_term(received_on: date) -> Term:
    """Return fourteen whole days from the day after receipt; the last is a working day, to the debtor's good."""
    last = working_day(received_on + timedelta(days=DAYS))
    return Term(
        received_on=received_on,
        first_day_on=received_on + ONE_DAY,
        last_day_on=last,
        costs_from_on=last + ONE_DAY,
        cited=cite("NL-14D-003", "NL-14D-013"),
    )


def belgian_term(sent_on: date, *, electronic: bool) -> Term:
    """Return fourteen calendar days: after a letter from the third working day after sending, else the next day."""
    first = sent_on
    for _ in range(1 if electronic else 3):
        first += ONE_DAY
        while not electronic and not _belgian_working_day(first):
            first += ONE_DAY
    last = first + timedelta(days=DAYS - 1)
    return Term(
        received_on=None,
        first_day_on=first,
        last_day_on=last,
        costs_from_on=last + ONE_DAY,
        cited=cite("BE-XIX-002"),
    )


def months_before(on: date, months: int) -> date:
    """Return the same day so many months before; the last of the month where it has no such day."""
    year, month = divmod(on.year * 12 + on.month - 1 - months, 12)
    last = date(year + (month == 11), (month + 1) % 12 + 1, 1) - ONE_DAY
    return date(year, month + 1, min(on.day, last.day))


def _no_post(on: date) -> bool:
    found = shipped_calendar("nl").holiday(on)
    return found is not None and found.kind is not HolidayKind.DECREE


def _belgian_working_day(on: date) -> bool:
    return on.weekday() < _SATURDAY and on not in _belgian_holidays(on.year)


@cache
def _belgian_holidays(year: int) -> frozenset[date]:
    """Return the ten legal holidays of Belgium (law of 4 January 1974)."""
    sunday = easter(year)
    moving = {sunday + timedelta(days=days) for days in (1, 39, 50)}
    fixed = ((1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25))
    return frozenset(moving | {date(year, month, day) for month, day in fixed})
