"""Ten years of hours: the window of each country against its own words, at each hour and the instant before."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from consent.calendar import holiday
from consent.gate import ask_one
from consent.packs import shipped_packs
from tests.consent.cases import HOUR, always_paid

YEARS = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC))
JUST_BEFORE = timedelta(microseconds=1)
SUNDAY = 6


def from_to(opens: int, closes: int, *, sundays: bool = False) -> Callable[[datetime], bool]:
    """Open at these hours by the addressee's clock."""
    return lambda there: opens <= there.hour < closes and (sundays or there.weekday() != SUNDAY)


def dutch(there: datetime) -> bool:
    """Open from seven to eight in the evening on a day that is no Sunday and no recognised holiday."""
    return from_to(7, 20)(there) and not is_holiday(there.date())


def american(there: datetime) -> bool:
    """Open from eight to nine in the evening, at nine sharp as well."""
    return from_to(8, 21, sundays=True)(there) or (there.hour, there.minute, there.second) == (21, 0, 0)


HOLIDAYS: dict[date, bool] = {}


def is_holiday(on: date) -> bool:
    """Whether the Dutch calendar has the day."""
    return HOLIDAYS.setdefault(on, holiday(on) is not None)


@pytest.mark.parametrize(
    ("country", "zone", "channel", "is_open"),
    [
        ("NL", "Europe/Amsterdam", "email", dutch),
        ("NL", "America/New_York", "sms", dutch),
        ("BE", "Europe/Brussels", "email", from_to(8, 20)),
        ("BE", "Europe/Brussels", "visit", from_to(8, 22, sundays=True)),
        ("US", "America/Los_Angeles", "sms", american),
        ("GB", "Europe/London", "letter", from_to(8, 20)),
        ("DE", "Europe/Berlin", "letter", from_to(8, 20)),
    ],
)
def test_no_instant_inside_is_refused_and_none_outside_allowed(
    country: str, zone: str, channel: str, is_open: Callable[[datetime], bool]
) -> None:
    """Over ten years the window is open exactly when its words say so, also where a clock is changed."""
    given, pack, place = (
        always_paid(country=country, zone=zone, channel=channel),
        shipped_packs()[country],
        ZoneInfo(zone),
    )
    at = YEARS[0]
    while at < YEARS[1]:
        for instant in (at, at - JUST_BEFORE):
            there = instant.astimezone(place)
            allowed = ask_one("contact_window", given, pack, instant).kind == "allow"
            assert allowed == is_open(there), there
        at += HOUR
