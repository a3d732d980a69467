"""When a demand is taken to have arrived, and which days it leaves to pay."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import holiday
from outreach.claims.payment_term import (
    belgian_term,
    dutch_term,
    months_before,
    taken_to_arrive_on,
    usual_transit_days,
)
from tests.outreach.claims.vectors import ABSENT, HERE, vectors

DUTCH, BELGIAN = vectors("law_nl_14days.json"), vectors("law_be_book_xix.json")
DATES = st.dates(date(2024, 1, 1), date(2035, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_dutch_terms_are_those_of_the_vectors() -> None:
    """Receipt, first day, last day and the day of the costs, with the last day on a working day."""
    for case in DUTCH["cases"]:
        received = day(case["received"])
        if case["channel"] == "letter" and case["evidence_received"] is None:
            assert taken_to_arrive_on(day(case["sent"]), case["transit_days_policy"]) == received, case[
                "name"
            ]
        term = dutch_term(received)
        told = [case[name] for name in ("period_first_day", "last_day_safe_atw", "costs_chargeable_from")]
        assert [term.first_day_on, term.last_day_on, term.costs_from_on] == list(map(day, told)), case["name"]


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_belgian_terms_are_those_of_the_vectors() -> None:
    """Calendar days, from the third working day after a letter was sent, or the day after a mail."""
    for case in BELGIAN["waiting"]:
        term = belgian_term(day(case["sent"]), electronic=case["channel"] == "email")
        told = [case[name] for name in ("term_first_day", "term_last_day", "costs_from")]
        assert [term.first_day_on, term.last_day_on, term.costs_from_on] == list(map(day, told)), case


@given(DATES)
def test_a_dutch_term_has_fourteen_whole_days_and_ends_on_a_working_day(received: date) -> None:
    """The debtor never has less than fourteen days after the day of receipt."""
    term = dutch_term(received)
    assert term.first_day_on == received + timedelta(days=1)
    assert (term.last_day_on - term.first_day_on).days + 1 >= 14
    assert term.last_day_on.weekday() < 5
    assert holiday(term.last_day_on) is None
    assert term.costs_from_on == term.last_day_on + timedelta(days=1)


@given(DATES, st.booleans())
def test_a_belgian_term_has_fourteen_days(sent: date, electronic: bool) -> None:
    """Exactly fourteen calendar days, after the day of sending."""
    term = belgian_term(sent, electronic=electronic)
    assert (term.costs_from_on - term.first_day_on).days == 14
    assert term.first_day_on >= sent + timedelta(days=1 if electronic else 3)


@given(DATES, st.integers(0, 5))
def test_no_letter_is_taken_to_come_on_a_day_without_post(sent: date, transit: int) -> None:
    """Not on a Sunday or Monday, never before its transit, and a longer transit never comes sooner."""
    arrives = taken_to_arrive_on(sent, transit)
    assert arrives.weekday() not in (0, 6)
    assert arrives >= sent + timedelta(days=transit)
    assert arrives <= taken_to_arrive_on(sent, transit + 1)


def test_a_day_equated_by_decree_moves_a_term_and_no_post() -> None:
    """The decree equates it for the Act on terms: a letter comes on that Friday, a term does not end on it."""
    friday = date(2026, 5, 15)
    assert taken_to_arrive_on(date(2026, 5, 13), 2) == friday
    assert dutch_term(friday - timedelta(days=14)).last_day_on == date(2026, 5, 18)


def test_a_letter_usually_takes_two_days() -> None:
    """What the rule's parameter says."""
    assert usual_transit_days() == 2


@pytest.mark.parametrize(
    ("on", "before"),
    [("2026-08-31", "2026-02-28"), ("2026-07-01", "2026-01-01"), ("2026-05-31", "2025-11-30")],
)
def test_months_of_unequal_length(on: str, before: str) -> None:
    """A day that the month has not is its last one."""
    assert months_before(day(on), 6) == day(before)
