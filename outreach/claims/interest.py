"""Statutory interest: exact between roundings, so that a period cut in two gives the same cents.

Periods are half-open. The interest year runs from the first day of interest. What was computed is one value,
`Running`, from which the next day goes on.
"""

from __future__ import annotations

from datetime import date

import msgspec

from outreach.claims.facts import Struct
from outreach.claims.rates import Rate, RateTable
from outreach.claims.rules import Cited, cite

_UNIT = 10_000
"""Basis points in one."""


class Running(Struct, frozen=True):
    """Where a computation of interest stands at the start of the day `on`.

    `base_cents` bears interest: principal, and interest of ended years where that joins it. `earned_cents` is unpaid
    interest in whole cents that bears none. `weight` is what the running interest year has since added, exact: cents
    times basis points times days.
    """

    first_on: date
    on: date
    base_cents: int
    earned_cents: int = 0
    weight: int = 0

    def interest_cents(self, table: RateTable) -> int:
        """Return the unpaid interest that has not joined the base, in whole cents."""
        return self.earned_cents + _rounded(self.weight, self._divisor(table))

    def year(self) -> tuple[date, date]:
        """Return the interest year in which the day lies, half-open."""
        count = self.on.year - self.first_on.year
        if self.on < _anniversary(self.first_on, count):
            count -= 1
        return _anniversary(self.first_on, count), _anniversary(self.first_on, count + 1)

    def _divisor(self, table: RateTable) -> int:
        first, end = self.year()
        return _UNIT * (365 if table.year == "365" else (end - first).days)


class Line(Struct, frozen=True):
    """Interest of one period at one rate over one base."""

    from_on: date
    to_on: date
    days: int
    base_cents: int
    percent: str
    certainty: str
    cents: int


class Interest(Struct, frozen=True):
    """The lines of a period, their sum, and where the computation stands at its end."""

    lines: tuple[Line, ...]
    cents: int
    running: Running
    cited: Cited


def starting(principal_cents: int, first_on: date) -> Running:
    """Return a computation that begins: this principal, with interest from this day on.

    Raises ValueError for a principal below zero.
    """
    if principal_cents < 0:
        raise ValueError("a principal is zero or more")
    return Running(first_on=first_on, on=first_on, base_cents=principal_cents)


def accrue(running: Running, to_on: date, table: RateTable) -> Interest:
    """Return the interest from where the computation stands until `to_on`, the first day not counted.

    Raises ValueError for a day before that, AmountRefused where a rate is not known.
    """
    if to_on < running.on:
        raise ValueError(f"interest runs until {running.on} already, expected no earlier day than that")
    begun, lines, unsure = running.on, list[Line](), list[str]()
    for first, last, rate in table.pieces(running.on, to_on):
        while running.on < last:
            running, line = _line(running, last, rate, table)
            lines.append(line)
        if rate.certainty == "unverified":
            unsure.append(f"rate of {table.kind} interest in {table.country} from {first}")
    cited = cite(*table.rules).and_also(Cited(unverified=tuple(unsure))) if begun < to_on else Cited()
    return Interest(lines=tuple(lines), cents=sum(line.cents for line in lines), running=running, cited=cited)


def settled(running: Running, interest_cents: int, base_cents: int, table: RateTable) -> Running:
    """Return the computation after a payment of so much interest and so much of the base.

    A payment closes what had accrued: it was told in whole cents, and goes on from these.
    Raises ValueError for more than there is.
    """
    left = running.interest_cents(table) - interest_cents
    if min(interest_cents, base_cents, left, running.base_cents - base_cents) < 0:
        raise ValueError("more would be settled than there is")
    return msgspec.structs.replace(
        running, base_cents=running.base_cents - base_cents, earned_cents=left, weight=0
    )


def _line(running: Running, last: date, rate: Rate, table: RateTable) -> tuple[Running, Line]:
    """Add the days until `last`, or until the interest year ends where that comes first."""
    _, year_end = running.year()
    to_on = min(last, year_end)
    days = (to_on - running.on).days
    divisor = running._divisor(table)
    weight = running.weight + running.base_cents * rate.basis_points * days
    cents = _rounded(weight, divisor) - _rounded(running.weight, divisor)
    line = Line(
        from_on=running.on,
        to_on=to_on,
        days=days,
        base_cents=running.base_cents,
        percent=rate.percent,
        certainty=rate.certainty,
        cents=cents,
    )
    base, earned = running.base_cents, running.earned_cents
    if table.rounded == "line" or to_on == year_end:
        earned, weight = earned + _rounded(weight, divisor), 0
    if to_on == year_end and table.compounds:
        base, earned = base + earned, 0
    return Running(
        first_on=running.first_on, on=to_on, base_cents=base, earned_cents=earned, weight=weight
    ), line


def _anniversary(first_on: date, years: int) -> date:
    """Return the day so many years later; 29 February is kept on the 28th where there is none."""
    year = first_on.year + years
    try:
        return first_on.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _rounded(weight: int, divisor: int) -> int:
    """Return whole cents, half a cent up."""
    return (2 * weight + divisor) // (2 * divisor)
