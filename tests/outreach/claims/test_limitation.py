"""Limitation: five years, begun again by what can be proved, warned of in time, and no pressure after it."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.limitation import Interruption, LimitationState, limitation

DUE = date(2021, 3, 31)
DATES = st.dates(date(2015, 1, 1), date(2040, 1, 1))
INTERRUPTIONS = st.lists(
    st.builds(Interruption, kind=st.just("demand"), on=DATES, proved=st.booleans()), max_size=5
)


def test_a_claim_runs_is_warned_of_and_may_have_lapsed() -> None:
    """Five years from the day after it fell due, with a warning ninety days before."""
    found = limitation(DUE, (), DUE)
    assert found.barred_from_on == date(2026, 4, 1)
    days = {
        found.warn_from_on - timedelta(days=1): LimitationState.RUNNING,
        found.warn_from_on: LimitationState.WARN,
        date(2026, 3, 31): LimitationState.WARN,
        date(2026, 4, 1): LimitationState.BARRED,
    }
    assert {on: limitation(DUE, (), on).state for on in days} == days


def test_what_may_have_lapsed_waits_for_a_person_by_a_rule_that_is_unverified() -> None:
    """No pressure: it is to be reviewed, and says on which word."""
    found = limitation(DUE, (), date(2026, 4, 1))
    assert found.review
    assert found.cited.unverified == ("NL-LIM-003",)


def test_a_proved_demand_in_time_begins_a_new_term_and_a_late_or_unproved_one_does_not() -> None:
    """The new term begins on the next day."""
    for on, proved, barred in (
        (date(2025, 6, 30), True, date(2030, 7, 1)),
        (date(2025, 6, 30), False, date(2026, 4, 1)),
        (date(2026, 4, 1), True, date(2026, 4, 1)),
    ):
        one = Interruption(kind="demand", on=on, proved=proved)
        assert limitation(DUE, (one,), DUE).barred_from_on == barred


def test_a_consumers_purchase_is_taken_at_two_years() -> None:
    """The shorter term is the careful one."""
    assert limitation(DUE, (), DUE, consumer_purchase=True).barred_from_on == date(2023, 4, 1)


@given(DATES, INTERRUPTIONS, DATES)
def test_an_interruption_never_shortens_a_term(due: date, found: list[Interruption], on: date) -> None:
    """With any interruptions the end is no earlier than without, and never more than five years after the last."""
    alone, together = limitation(due, (), on), limitation(due, found, on)
    assert together.barred_from_on >= alone.barred_from_on
    last = max([due, *(one.on for one in found if one.proved)])
    assert together.barred_from_on <= last + timedelta(days=5 * 366 + 1)
    assert together.review == (on >= together.barred_from_on)
