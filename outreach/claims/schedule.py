"""Instalments: how a total is spread over due dates, and which of them what was paid covers; whole cents.

An instalment falls due the day after the person's income comes in. Without a known income day it falls due each
month on the day of the first one. What falls on a weekend or a recognised Dutch holiday falls due on the next
working day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from consent.calendar import ONE_DAY, holiday

GRACE_DAYS = 5
"""So many days after its due date an instalment may still come in before it counts as missed."""

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One instalment: what falls due on a date."""

    due_on: date
    cents: int


class DoesNotFit(ValueError):
    """So many instalments the policy does not allow; `fits` is how many it does, and the message says why."""

    def __init__(self, fits: int, why: str) -> None:
        super().__init__(why)
        self.fits = fits


def most_parts(total_cents: int, floor_cents: int, most: int) -> int:
    """Return in how many instalments a total may be paid; one that is below the floor is paid at once.

    Raises ValueError for a total, floor or number that is not positive.
    """
    if min(total_cents, floor_cents, most) <= 0:
        raise ValueError("a total, a floor and a number of instalments are more than zero")
    return max(1, min(most, total_cents // floor_cents))


def spread(total_cents: int, parts: int) -> tuple[int, ...]:
    """Spread a total evenly; the cents that cannot be shared are in the first instalment."""
    each, rest = divmod(total_cents, parts)
    return (each + rest, *[each] * (parts - 1))


def working_day(on: date) -> date:
    """Return this date, or the next one that is no weekend and no recognised holiday."""
    while on.weekday() >= _SATURDAY or holiday(on) is not None:
        on += ONE_DAY
    return on


def due_dates(start_on: date, income_day: int | None, count: int) -> tuple[date, ...]:
    """Return the next `count` due dates, none before `start_on`.

    `income_day` is a day of the month; in a month without it income comes in on the last day.
    Raises ValueError for one that no month has.
    """
    if income_day is not None and not 1 <= income_day <= 31:
        raise ValueError("an income day is a day of the month, from 1 to 31")
    found: list[date] = []
    # The income of the month before may come in on its last day, and fall due on the first of this one.
    months = -1
    while len(found) < count:
        if income_day is None:
            on = _day_of(start_on, months, start_on.day)
        else:
            on = _day_of(start_on, months, income_day) + ONE_DAY
        if on >= start_on:
            found.append(working_day(on))
        months += 1
    return tuple(found)


def schedule(
    total_cents: int,
    *,
    floor_cents: int,
    most: int,
    start_on: date,
    income_day: int | None = None,
    parts: int | None = None,
) -> tuple[Part, ...]:
    """Return instalments that are together the total, each at least the floor; as many as may be, or `parts`.

    Raises DoesNotFit for more than policy allows, ValueError for what is no number of instalments.
    """
    fits = most_parts(total_cents, floor_cents, most)
    count = fits if parts is None else parts
    if count < 1:
        raise ValueError("expected one instalment or more")
    if count > fits:
        why = "" if fits == most else f"with a floor of {floor_cents // 100}.{floor_cents % 100:02d} "
        raise DoesNotFit(fits, f"{why}at most {fits} {'part' if fits == 1 else 'parts'}")
    amounts = spread(total_cents, count)
    return tuple(
        Part(on, cents) for on, cents in zip(due_dates(start_on, income_day, count), amounts, strict=True)
    )


def standing(parts: Sequence[Part], paid_cents: int, known_on: date | None) -> tuple[str, ...]:
    """Return the state of each instalment, in order: 'paid', 'missed' or 'open'.

    What was paid covers the instalments in order. One is missed once its days of grace are over and every payment
    of them is known: `known_on` is the last civil day of which that is so, None where there is none.
    """
    left, states = paid_cents, []
    for part in parts:
        left -= part.cents
        over_on = part.due_on + timedelta(days=GRACE_DAYS)
        if left >= 0:
            states.append("paid")
        else:
            states.append("missed" if known_on is not None and over_on <= known_on else "open")
    return tuple(states)


def _day_of(on: date, months: int, day: int) -> date:
    """Return a day of the month so many months after that of a date; the last one where it has no such day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    next_month = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day, (next_month - ONE_DAY).day))
