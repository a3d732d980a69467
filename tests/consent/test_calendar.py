"""Holidays and contact windows: the Act's list, clock changes, and people in other zones."""

import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import (
    HolidayKind,
    Window,
    civil_date,
    easter,
    holiday,
    shipped_calendar,
    start_of,
    zone_of,
)
from tests.consent.cases import AMSTERDAM, SHARED, local

DUTCH = shipped_calendar("nl")
WINDOW = Window(opens=time(7), closes=time(20), closed_weekdays=frozenset({6}), calendar=DUTCH)
ZONES = st.sampled_from(["Europe/Amsterdam", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu", "UTC"])
INSTANTS = st.integers(0, 65 * 366 * 86400).map(
    lambda seconds: datetime(1995, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@pytest.mark.skipif(not SHARED.exists(), reason="shared material is not beside this repository")
def test_listed_holidays_equal_the_checked_list() -> None:
    """The shipped years have exactly the days, names and classes that were checked against the Act."""
    checked = json.loads((SHARED / "law" / "nl_holidays.json").read_text())["days"]
    flags = {"statutory": "holiday", "sunday": "holiday", "equated": "equated", "decree": "equated_decree"}
    own = [(str(day.on), day.name, flags[day.kind]) for day in DUTCH.facts.days]
    assert own == [(day["date"], day["name"], day["flag"]) for day in checked]


@pytest.mark.parametrize("year", range(2024, 2031))
def test_computed_years_agree_with_the_listed_ones_but_for_decrees(year: int) -> None:
    """What follows from the Act's text is what was listed; only decrees can't be computed."""
    listed = [
        (day.on, day.name, day.kind)
        for day in DUTCH.facts.days
        if day.on.year == year and day.kind is not HolidayKind.DECREE
    ]
    computed = DUTCH.computed(year).values()
    assert [(day.on, day.name, day.kind) for day in computed] == listed
    assert all(day.computed for day in computed)


@pytest.mark.parametrize(
    ("on", "name"),
    [
        ("2026-04-27", "Koningsdag"),  # a Monday
        ("2025-04-26", "Koningsdag"),  # the 27th is a Sunday
        ("2014-04-26", "Koningsdag"),  # the first one, moved
        ("2013-04-30", "Koninginnedag"),  # the last one
        ("2006-04-29", "Koninginnedag"),  # the 30th is a Sunday
        ("2031-05-05", "Bevrijdingsdag"),  # every year, not each fifth
        ("2031-04-11", "Goede Vrijdag"),
        ("2032-03-29", "Tweede Paasdag"),  # after a leap day
        ("2026-01-02", "Dag gelijkgesteld bij koninklijk besluit"),
    ],
)
def test_recognised_days(on: str, name: str) -> None:
    """Moved, computed and decreed days are recognised, with their source and whether they were computed."""
    found = holiday(date.fromisoformat(on))
    assert found is not None
    assert found.name == name
    assert "Algemene termijnenwet art. 3" in found.source
    assert found.computed == (found.on.year not in range(2024, 2031))


@pytest.mark.parametrize(
    "on", ["2025-04-27", "2013-04-27", "2014-04-30", "2026-05-01", "2026-12-24", "2028-02-29", "2029-05-11"]
)
def test_ordinary_days(on: str) -> None:
    """Days the Act does not name are no holidays, whatever a Sunday, a custom or another year suggests."""
    assert holiday(date.fromisoformat(on)) is None


@pytest.mark.parametrize(
    "on",
    [
        "1818-03-22",
        "1954-04-18",
        "1981-04-19",
        "2000-04-23",
        "2019-04-21",
        "2038-04-25",
        "2049-04-18",
        "2285-03-22",
    ],
)
def test_easter_at_its_edges(on: str) -> None:
    """Easter is right on its earliest, latest and exceptional dates."""
    expected = date.fromisoformat(on)
    assert easter(expected.year) == expected


@given(st.integers(1900, 2999))
def test_easter_is_a_sunday_within_its_bounds(year: int) -> None:
    """Easter is a Sunday from 22 March to 25 April."""
    on = easter(year)
    assert on.weekday() == 6
    assert date(year, 3, 22) <= on <= date(year, 4, 25)


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        ("2026-03-04T06:59:59.999999", False),
        ("2026-03-04T07:00:00", True),
        ("2026-03-04T19:59:59.999999", True),
        ("2026-03-04T20:00:00", False),
        ("2026-03-04T00:00:00", False),
        ("2026-03-07T12:00:00", True),  # Saturday
        ("2026-03-08T12:00:00", False),  # Sunday
        ("2026-05-05T12:00:00", False),  # Tuesday, a holiday
        ("2028-02-29T12:00:00", True),  # leap day, a Tuesday
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "Pacific/Auckland"])
def test_window_is_half_open_by_the_addressees_clock(at: str, inside: bool, zone: str) -> None:
    """07:00 is inside and 20:00 is not, by the clock on the addressee's wall, wherever that hangs."""
    moment = local(at, ZoneInfo(zone))
    end = WINDOW.end(moment.astimezone(UTC), ZoneInfo(zone))
    expected = moment.replace(hour=20, minute=0, second=0, microsecond=0).astimezone(UTC)
    assert end == (expected if inside else None)


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2026-03-04T12:00", "2026-03-04T12:00"),  # inside: at once
        ("2026-03-04T03:00", "2026-03-04T07:00"),
        ("2026-03-04T20:00", "2026-03-05T07:00"),
        ("2026-03-07T20:00", "2026-03-09T07:00"),  # over Sunday
        ("2026-10-24T20:00", "2026-10-26T07:00"),  # over the clock going back
        ("2027-03-27T20:00", "2027-03-30T07:00"),  # over the clock going forward, at Easter
        ("2026-04-25T20:00", "2026-04-28T07:00"),  # Sunday and Koningsdag
        ("2026-04-30T23:30", "2026-05-01T07:00"),  # month end; 1 May is no Dutch holiday
        ("2026-12-24T20:00", "2026-12-28T07:00"),  # Christmas and a Sunday
        ("2026-12-31T21:00", "2027-01-02T07:00"),  # year end
        ("2028-02-28T20:00", "2028-02-29T07:00"),  # leap day
    ],
)
def test_next_opening(at: str, opening: str) -> None:
    """Outside the window the next opening is 07:00 local on the next open day, whatever the clock does."""
    assert WINDOW.opening(local(at).astimezone(UTC), AMSTERDAM) == local(opening)


@given(INSTANTS, ZONES)
def test_inside_means_open_hours_of_an_open_day(now: datetime, zone_name: str) -> None:
    """An instant is inside exactly when local time is in [07:00, 20:00) on no Sunday and no holiday."""
    zone = zone_of(zone_name)
    there = now.astimezone(zone)
    open_day = there.weekday() != 6 and holiday(there.date()) is None
    assert (WINDOW.end(now, zone) is not None) == (open_day and time(7) <= there.time() < time(20))


@given(INSTANTS, ZONES)
def test_opening_is_the_first_instant_inside(now: datetime, zone_name: str) -> None:
    """The next opening is inside, never earlier than asked, and nothing just before it is inside."""
    zone = zone_of(zone_name)
    opening = WINDOW.opening(now, zone)
    assert opening is not None
    assert opening >= now
    assert WINDOW.end(opening, zone) is not None
    assert opening == now or WINDOW.end(opening - timedelta(microseconds=1), zone) is None


def test_an_hour_that_is_skipped_or_repeated_narrows_the_window() -> None:
    """Where the clock jumps over or repeats the edge itself, the narrower reading holds."""
    night = Window(opens=time(2, 30), closes=time(23))
    dusk = Window(opens=time(1), closes=time(2, 30))
    assert night.span(date(2027, 3, 28), AMSTERDAM) == (local("2027-03-28T03:30"), local("2027-03-28T23:00"))
    assert dusk.span(date(2026, 10, 25), AMSTERDAM) == (
        local("2026-10-25T01:00"),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("on", "hours"), [("2026-10-25", 25), ("2027-03-28", 23), ("2026-10-26", 24), ("2028-02-29", 24)]
)
def test_civil_days_have_the_length_of_the_clock(on: str, hours: int) -> None:
    """A civil day runs from midnight to midnight, 25 or 23 hours when the clock changes."""
    day = date.fromisoformat(on)
    start, end = start_of(day, AMSTERDAM), start_of(day + timedelta(days=1), AMSTERDAM)
    assert end - start == timedelta(hours=hours)
    assert civil_date(start, AMSTERDAM) == day
    assert civil_date(end - timedelta(microseconds=1), AMSTERDAM) == day


def test_a_window_that_never_opens_has_no_opening() -> None:
    """Closed on every day, a window has no next opening instead of one far away."""
    assert (
        Window(opens=time(7), closes=time(20), closed_weekdays=frozenset(range(7))).opening(
            datetime(2026, 1, 1, tzinfo=UTC), AMSTERDAM
        )
        is None
    )


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../zone", "Europe"])
def test_unknown_zones_are_refused(name: str) -> None:
    """A zone nobody knows is an error with its name, and so is an instant without a zone."""
    with pytest.raises(ValueError, match="unknown time zone"):
        zone_of(name)


def test_an_instant_without_a_zone_is_refused() -> None:
    """Without a zone an instant would silently be read by the machine's own clock."""
    with pytest.raises(ValueError, match="no time zone"):
        civil_date(datetime(2026, 1, 1), AMSTERDAM)  # noqa: DTZ001
