"""Civil time: recognised holidays, civil days and contact windows in the addressee's zone.

Instants are compared in UTC and days are counted as local dates, so that neither a clock change nor a person
in another zone shifts a window. Checked years are data (`calendars/`), other years follow from the Act.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from consent.facts import Struct

ONE_DAY = timedelta(days=1)
SUNDAY = 6
SEARCH_DAYS = 366
"""How far an opening is looked for: what is closed for a year is not known to open."""


class HolidayKind(StrEnum):
    """Why a day counts as a holiday. All of them close the contact window (rule NL-WKI-024)."""

    STATUTORY = "statutory"
    """Named in the list of Algemene termijnenwet art. 3 lid 1."""
    SUNDAY = "sunday"
    """Easter Day and Whit Sunday: the list names the second days only, but they are Sundays."""
    EQUATED = "equated"
    """Good Friday, equated by art. 3 lid 2 "for this Act"."""
    DECREE = "decree"
    """Equated by royal decree under art. 3 lid 3."""


class Holiday(Struct, frozen=True):
    """A recognised holiday. `computed` tells that it follows from the Act's text, not from a checked list."""

    on: date
    name: str
    kind: HolidayKind
    source: str = ""
    computed: bool = False


class CalendarFacts(Struct, frozen=True):
    """The holidays of a country as listed for a run of whole years, with the source of each kind."""

    name: str
    first_year: int
    last_year: int
    sources: dict[HolidayKind, str]
    days: tuple[Holiday, ...]

    def __post_init__(self) -> None:
        """Refuse what would make a day silently open."""
        if self.name not in COMPUTED:
            raise ValueError(
                f"name: calendar {self.name!r} can't be computed, expected one of {sorted(COMPUTED)}"
            )
        if missing := [kind.value for kind in HolidayKind if kind not in self.sources]:
            raise ValueError(f"sources: expected one for {', '.join(missing)}")
        for day in self.days:
            if not self.first_year <= day.on.year <= self.last_year:
                raise ValueError(f"days: {day.on} expected in {self.first_year} to {self.last_year}")


def easter(year: int) -> date:
    """Easter Day of a Gregorian year, on which the movable days of art. 3 Algemene termijnenwet rest."""
    golden = year % 19
    century = year // 100
    epact = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    full_moon = epact - (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + full_moon + 2 - century + century // 4) % 7
    return date(year, 3, 28) + timedelta(days=full_moon - weekday)


def _monarch_day(year: int) -> tuple[date, str]:
    """The day on which the monarch's birthday is kept; on a Sunday it is kept on the Saturday before."""
    on, name = (date(year, 4, 27), "Koningsdag") if year >= 2014 else (date(year, 4, 30), "Koninginnedag")
    return (on - ONE_DAY if on.weekday() == SUNDAY else on), name


def _dutch_days(year: int) -> list[tuple[date, str, HolidayKind]]:
    """The holidays of Algemene termijnenwet art. 3 lid 1 and 2. Decrees (lid 3) can't be computed."""
    sunday = easter(year)
    monarch_on, monarch_name = _monarch_day(year)
    return [
        (date(year, 1, 1), "Nieuwjaarsdag", HolidayKind.STATUTORY),
        (sunday - timedelta(days=2), "Goede Vrijdag", HolidayKind.EQUATED),
        (sunday, "Eerste Paasdag", HolidayKind.SUNDAY),
        (sunday + timedelta(days=1), "Tweede Paasdag", HolidayKind.STATUTORY),
        (monarch_on, monarch_name, HolidayKind.STATUTORY),
        (date(year, 5, 5), "Bevrijdingsdag", HolidayKind.STATUTORY),
        (sunday + timedelta(days=39), "Hemelvaartsdag", HolidayKind.STATUTORY),
        (sunday + timedelta(days=49), "Eerste Pinksterdag", HolidayKind.SUNDAY),
        (sunday + timedelta(days=50), "Tweede Pinksterdag", HolidayKind.STATUTORY),
        (date(year, 12, 25), "Eerste Kerstdag", HolidayKind.STATUTORY),
        (date(year, 12, 26), "Tweede Kerstdag", HolidayKind.STATUTORY),
    ]


COMPUTED: Mapping[str, Callable[[int], list[tuple[date, str, HolidayKind]]]] = {"nl": _dutch_days}
"""How a calendar goes on outside its listed years, by the calendar's name."""


class Calendar:
    """The holidays of one country: the listed years as listed, every other year computed."""

    def __init__(self, facts: CalendarFacts) -> None:
        self.facts = facts
        self._compute = COMPUTED[facts.name]
        self._years: dict[int, dict[date, Holiday]] = {
            year: {} for year in range(facts.first_year, facts.last_year + 1)
        }
        for day in facts.days:
            self._years[day.on.year][day.on] = msgspec.structs.replace(day, source=facts.sources[day.kind])

    def holiday(self, on: date) -> Holiday | None:
        """The holiday on this date, or None on any other day."""
        days = self._years.get(on.year)
        if days is None:
            days = self._years[on.year] = self.computed(on.year)
        return days.get(on)

    def computed(self, year: int) -> dict[date, Holiday]:
        """The year as it follows from the law's text, listed or not."""
        sources = self.facts.sources
        days = {
            on: Holiday(on=on, name=name, kind=kind, source=sources[kind], computed=True)
            for on, name, kind in self._compute(year)
        }
        return dict(sorted(days.items()))


@cache
def shipped_calendar(name: str) -> Calendar:
    """The calendar of that name as it comes with this version of the code."""
    data = (files("consent") / "calendars" / f"{name}.toml").read_bytes()
    return Calendar(msgspec.toml.decode(data, type=CalendarFacts))


def holiday(on: date) -> Holiday | None:
    """The Dutch recognised holiday on this date (Algemene termijnenwet art. 3), or None."""
    return shipped_calendar("nl").holiday(on)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; ValueError for what is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def civil_date(at: datetime, zone: ZoneInfo) -> date:
    """The date on the addressee's wall at this instant."""
    if at.tzinfo is None:
        # astimezone would silently read it as the machine's own zone.
        raise ValueError(f"{at.isoformat()} has no time zone")
    return at.astimezone(zone).date()


@lru_cache(maxsize=16384)
def start_of(on: date, zone: ZoneInfo) -> datetime:
    """The first instant of a civil date, in UTC."""
    return datetime.combine(on, time.min, zone).astimezone(UTC)


def _readings(on: date, hour: time, zone: ZoneInfo) -> list[datetime]:
    """An hour's instants: two where the clock jumps over or repeats it, of which the narrower window is taken."""
    return [datetime.combine(on, hour, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]


Span = tuple[datetime, datetime]
"""From the first instant inside to the first one outside, in UTC."""


class Window:
    """When a person may be approached: the hours of each open day, half-open, in the addressee's zone.

    Source of the shape: Bki art. 4.2 lid 1 (hours) and lid 2 (Sundays and recognised holidays). It closes at
    midnight where no hour is given. Outside `[valid_from, valid_until)` a window restricts nothing.
    """

    def __init__(
        self,
        *,
        opens: time,
        closes: time | None,
        closed_weekdays: frozenset[int] = frozenset(),
        calendar: Calendar | None = None,
        valid_from: date | None = None,
        valid_until: date | None = None,
    ) -> None:
        self._opens, self._closes = opens, closes
        self._closed_weekdays = closed_weekdays
        self._calendar = calendar
        self._valid = (valid_from or date.min, valid_until or date.max)
        self.span = lru_cache(maxsize=8192)(self._span)

    def closed_by(self, on: date) -> str | None:
        """The word for what keeps the whole day closed, or None."""
        if self._calendar is not None and self._calendar.holiday(on) is not None:
            return "holiday"
        return "closed_weekday" if on.weekday() in self._closed_weekdays else None

    def _span(self, on: date, zone: ZoneInfo) -> Span | None:
        """The open instants of one civil date in UTC, or None on a closed day. Read it as `span` (cached)."""
        if not self._valid[0] <= on < self._valid[1]:
            return start_of(on, zone), start_of(on + ONE_DAY, zone)
        if self.closed_by(on):
            return None
        opens = max(_readings(on, self._opens, zone))
        closes = (
            start_of(on + ONE_DAY, zone) if self._closes is None else min(_readings(on, self._closes, zone))
        )
        return (opens, closes) if opens < closes else None

    def end(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When the window in which this instant lies closes; None where the instant is outside."""
        span = self.span(civil_date(at, zone), zone)
        return span[1] if span is not None and span[0] <= at < span[1] else None

    def opening(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """The first instant at or after this one (in UTC) that is inside; None where none is known."""
        on = civil_date(at, zone)
        for _ in range(SEARCH_DAYS):
            span = self.span(on, zone)
            if span is not None and at < span[1]:
                return max(at, span[0])
            on += ONE_DAY
        return None
