"""Limitation (verjaring): when a claim lapses, what interrupts that, and when somebody is to be warned."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from consent.calendar import ONE_DAY
from outreach.claims.facts import Struct
from outreach.claims.rules import Cited, cite, shipped_rules


class LimitationState(StrEnum):
    """How near the end is."""

    RUNNING = "running"
    WARN = "warn"
    """Somebody has to interrupt it, or let it go."""
    BARRED = "barred"
    """It may have lapsed: no pressure, a person decides."""


class Interruption(Struct, frozen=True):
    """What makes the term begin again: a written demand or reservation that reached the debtor, or that they admit it.

    `proved`: that it reached the debtor, or that the debtor did so, can be shown.
    """

    kind: Literal["demand", "reservation", "acknowledgement", "lawsuit"]
    on: date
    proved: bool


class Limitation(Struct, frozen=True):
    """The first day on which the claim may have lapsed, the day of the warning, and how it stands."""

    barred_from_on: date
    warn_from_on: date
    state: LimitationState
    review: bool
    cited: Cited


class _Params(Struct, frozen=True):
    years: int
    longest_after_interruption: int
    purchase_years: int
    warn_days: int


def limitation(
    from_on: date, interruptions: Iterable[Interruption], on: date, *, consumer_purchase: bool = False
) -> Limitation:
    """Return how a Dutch claim that fell due on `from_on` stands on a day.

    The term begins on the next day. An interruption begins a new one of the same length, five years at most, that
    ends no earlier than the one before; what is not proved, or came when the claim had lapsed, interrupts nothing.
    For a consumer's purchase two years are taken: not verified, so that it may only warn and ask for a person.
    """
    rules = {rule.id: rule for rule in shipped_rules()["NL"].rules}
    params = rules["NL-LIM-001"].read(_Params)
    years = params.purchase_years if consumer_purchase else params.years
    barred_on = _years_after(from_on + ONE_DAY, years)
    again = min(years, params.longest_after_interruption)
    for one in sorted(interruptions, key=lambda one: one.on):
        if one.proved and one.on < barred_on:
            barred_on = max(barred_on, _years_after(one.on + ONE_DAY, again))
    warn_on = barred_on - timedelta(days=params.warn_days)
    state = LimitationState.RUNNING
    cited = cite("NL-LIM-001")
    if on >= barred_on:
        state, cited = LimitationState.BARRED, cite("NL-LIM-001", "NL-LIM-003")
    elif on >= warn_on:
        state = LimitationState.WARN
    return Limitation(
        barred_from_on=barred_on,
        warn_from_on=warn_on,
        state=state,
        review=state is LimitationState.BARRED,
        cited=cited,
    )


def _years_after(on: date, years: int) -> date:
    """Return the same day so many years later; 1 March for 29 February where there is none."""
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return date(on.year + years, 3, 1)
