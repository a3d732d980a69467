"""Civil days of the operator: when something falls due for a person at work."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from consent.calendar import ONE_DAY, civil_date, shipped_calendar

OPERATOR_ZONE = ZoneInfo("Europe/Amsterdam")
"""Where a day of the office begins and ends."""

_CLOSING = time(17)
_SATURDAY = 5


def civil_today(now: datetime) -> date:
    """Return the operator's civil date."""
    return civil_date(now, OPERATOR_ZONE)


def start_of(day: date) -> datetime:
    """Return 00:00 of a civil date of the operator."""
    return datetime.combine(day, time(), OPERATOR_ZONE).astimezone(UTC)


def closing_of(day: date) -> datetime:
    """Return when the office closes on a day: work due on it is late from then on."""
    return datetime.combine(day, _CLOSING, OPERATOR_ZONE).astimezone(UTC)


def working_day(after: date, count: int = 1) -> date:
    """Return the working day that lies `count` working days after a date: no weekend and no recognised holiday."""
    holidays = shipped_calendar("nl")
    day = after
    while count:
        day += ONE_DAY
        count -= day.weekday() < _SATURDAY and holidays.holiday(day) is None
    return day
