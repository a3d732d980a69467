"""Default (verzuim): from which day a debtor is late by law, so that interest runs and a fourteen-day letter may go."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from consent.calendar import ONE_DAY
from outreach.claims.facts import Struct
from outreach.claims.rules import Cited, cite, rule_on


class WrittenDemand(Struct, frozen=True):
    """A demand in writing with a term to pay; `received_on` only where it is proved that it reached the debtor."""

    received_on: date | None
    term_until_on: date
    """The last day of the term."""


class DefaultFacts(Struct, frozen=True):
    """What default rests on. `due_is_agreed`: None where nobody knows, which counts as not agreed."""

    due_on: date
    due_is_agreed: bool | None = None
    demands: tuple[WrittenDemand, ...] = ()
    commercial: bool = False
    invoice_received_on: date | None = None


class Default(Struct, frozen=True):
    """The first day of default, which is the first day of interest, and what it rests on."""

    from_on: date
    by: Literal["agreed", "demand", "invoice"]
    cited: Cited


def default(facts: DefaultFacts) -> Default | None:
    """Return since when the debtor is in default, or None while nothing has put them there.

    The agreed due date; else the end of the first term in a written demand that reached the debtor and left them a
    day at least. Between businesses also thirty days after the invoice was received.
    """
    cited = cite("NL-INT-004")
    if facts.due_is_agreed:
        return Default(from_on=facts.due_on + ONE_DAY, by="agreed", cited=cited)
    found = [
        Default(from_on=demand.term_until_on + ONE_DAY, by="demand", cited=cited)
        for demand in facts.demands
        if demand.received_on is not None and facts.due_on <= demand.received_on < demand.term_until_on
    ]
    if facts.commercial and facts.invoice_received_on is not None:
        days: int = rule_on("NL-INT-004", facts.invoice_received_on).params["days_after_invoice"]
        from_on = facts.invoice_received_on + ONE_DAY + timedelta(days=days)
        found.append(Default(from_on=from_on, by="invoice", cited=cited))
    return min(found, key=lambda one: one.from_on, default=None)
