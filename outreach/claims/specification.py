"""What a claim comes to on a day: principal, interest line by line, costs, and where each payment went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from outreach.claims.allocation import Split, split
from outreach.claims.facts import Struct
from outreach.claims.interest import Line, Running, accrue, settled, starting
from outreach.claims.rates import RateTable
from outreach.claims.rules import Cited, cite


class Dated(Struct, frozen=True):
    """Cents on a civil day: a payment that was booked, or costs from the day on which they may be asked."""

    on: date
    cents: int


class Owing(Struct, frozen=True):
    """What a claim is made of. Without a first day of interest none runs.

    `interest_until_on` ends it early, as an agency outside the register does by its demand (NL-BIK-007).
    """

    principal_cents: int
    interest_from_on: date | None = None
    interest_until_on: date | None = None
    costs: tuple[Dated, ...] = ()
    payments: tuple[Dated, ...] = ()


class Paid(Struct, frozen=True):
    """Where one payment went; principal includes interest of ended years that had joined it."""

    on: date
    costs_cents: int
    interest_cents: int
    principal_cents: int
    left_cents: int


class Specification(Struct, frozen=True):
    """What is open at the start of a day, and how that came about. `open_cents` is what is asked together.

    `principal_cents` includes interest of ended years that joined it and is unpaid.
    """

    principal_cents: int
    interest_cents: int
    costs_cents: int
    lines: tuple[Line, ...]
    paid: tuple[Paid, ...]
    cited: Cited

    @property
    def open_cents(self) -> int:
        """Principal, interest and costs together."""
        return self.principal_cents + self.interest_cents + self.costs_cents


def specify(owing: Owing, on: date, table: RateTable) -> Specification:
    """Return what the claim comes to at the start of a day, interest up to and including the day before.

    Payments and costs of that day itself count, since both count from its first hour.
    Raises AmountRefused where a rate is not known.
    """
    first_on = owing.interest_from_on
    running = starting(owing.principal_cents, first_on or on)
    until_on = min(day for day in (on, owing.interest_until_on) if day is not None)
    lines, paid, cited, costs = list[Line](), list[Paid](), Cited(), 0
    charges = [one for one in owing.costs if one.on <= on]
    for payment in sorted(_until(owing.payments, on), key=lambda one: one.on):
        costs += sum(one.cents for one in charges if one.on <= payment.on)
        charges = [one for one in charges if one.on > payment.on]
        running, cited = _accrued(running, min(payment.on, until_on), table, lines, cited)
        went = split(payment.cents, costs, running.interest_cents(table), running.base_cents)
        costs -= went.costs_cents
        running = settled(running, went.interest_cents, went.principal_cents, table)
        paid.append(_paid(payment.on, went))
    running, cited = _accrued(running, until_on, table, lines, cited)
    if paid:
        cited = cited.and_also(cite("NL-INT-006"))
    return Specification(
        principal_cents=running.base_cents,
        interest_cents=running.interest_cents(table),
        costs_cents=costs + sum(one.cents for one in charges),
        lines=tuple(lines),
        paid=tuple(paid),
        cited=cited,
    )


def _until(dated: Iterable[Dated], on: date) -> list[Dated]:
    return [one for one in dated if one.on <= on]


def _accrued(
    running: Running, to_on: date, table: RateTable, lines: list[Line], cited: Cited
) -> tuple[Running, Cited]:
    """Add the interest until a day; before the first day of interest there is none."""
    if to_on <= running.on:
        return running, cited
    found = accrue(running, to_on, table)
    lines += found.lines
    return found.running, cited.and_also(found.cited)


def _paid(on: date, went: Split) -> Paid:
    return Paid(
        on=on,
        costs_cents=went.costs_cents,
        interest_cents=went.interest_cents,
        principal_cents=went.principal_cents,
        left_cents=went.left_cents,
    )
