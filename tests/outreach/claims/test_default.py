"""Default: the agreed due date, else a term in a demand that arrived; nothing is taken for granted."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from outreach.claims.default import DefaultFacts, WrittenDemand, default

DUE = date(2026, 10, 1)
REACHED = WrittenDemand(received_on=date(2026, 10, 10), term_until_on=date(2026, 10, 24))


def since(**facts: Any) -> date | None:
    """The first day of default."""
    found = default(DefaultFacts(due_on=DUE, **facts))
    return None if found is None else found.from_on


def test_an_agreed_due_date_is_enough() -> None:
    """The day after it is the first day of default and of interest."""
    assert since(due_is_agreed=True) == date(2026, 10, 2)


@pytest.mark.parametrize("agreed", [False, None])
def test_otherwise_a_term_in_a_demand_that_reached_the_debtor_must_pass(agreed: bool | None) -> None:
    """Not known counts as not agreed; a demand without proof of receipt, or without a day to pay, does nothing."""
    lost = WrittenDemand(received_on=None, term_until_on=date(2026, 10, 20))
    late = WrittenDemand(received_on=date(2026, 10, 20), term_until_on=date(2026, 10, 20))
    early = WrittenDemand(received_on=date(2026, 9, 1), term_until_on=date(2026, 9, 20))
    assert since(due_is_agreed=agreed) is None
    assert since(due_is_agreed=agreed, demands=(lost, late, early)) is None
    assert since(due_is_agreed=agreed, demands=(lost, REACHED)) == date(2026, 10, 25)


def test_between_businesses_thirty_days_after_the_invoice_came_will_do() -> None:
    """Counted from the day after receipt, and only for a commercial transaction."""
    assert since(commercial=True, invoice_received_on=date(2026, 9, 1)) == date(2026, 10, 2)
    assert since(invoice_received_on=date(2026, 9, 1)) is None
    assert since(commercial=True) is None
