"""Statutory interest: the tables of the vectors, exact additions, and no rate that nobody knows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.interest import Running, accrue, settled, starting
from outreach.claims.rates import RateTable, rate_table
from outreach.claims.rules import AmountRefused
from tests.outreach.claims.vectors import ABSENT, HERE, cents, vectors

VECTORS, BELGIUM = vectors("law_nl_interest.json"), vectors("law_be_book_xix.json")
CONVENTIONS = {
    "act365_segment": {"year": "365", "rounded": "line"},
    "act365_year": {"year": "365", "rounded": "year"},
    "anniv_segment": {"year": "running", "rounded": "line"},
    "anniv_year": {"year": "running", "rounded": "year"},
}
PRINCIPALS = st.integers(0, 10_000_000)
DATES = st.lists(st.dates(date(2009, 7, 1), date(2027, 1, 1)), min_size=3, max_size=3).map(sorted)
KINDS = st.sampled_from(["consumer", "commercial"])


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.skipif(not HERE, reason=ABSENT)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_gives_the_cents_of_the_vectors(convention: str) -> None:
    """Our own convention and the three others differ only in how a table counts days and cents."""
    for case in VECTORS["cases"]:
        changes: dict[str, Any] = CONVENTIONS[convention] | {"compounds": case["mode"] == "compound"}
        table = msgspec.structs.replace(rate_table("NL", case["kind"]), **changes)
        begun = starting(cents(case["principal"]), day(case["from"]))
        found = accrue(begun, day(case["to_exclusive"]), table)
        assert found.cents == cents(case["interest"][convention]), case["name"]
        if convention == "act365_segment":
            told = [
                (
                    day(one["from"]),
                    day(one["to_exclusive"]),
                    one["days"],
                    cents(one["base"]),
                    cents(one["interest"]),
                )
                for one in case["segments_act365"]
            ]
            lines = [(one.from_on, one.to_on, one.days, one.base_cents, one.cents) for one in found.lines]
            assert lines == told, case["name"]


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_the_recommended_convention_is_the_one_that_ships() -> None:
    """Days are parts of the running interest year, and cents are rounded once per year."""
    assert VECTORS["recommended_default"] == "anniv_year"
    for kind in ("consumer", "commercial"):
        table = rate_table("NL", kind)
        assert (table.year, table.rounded, table.compounds) == ("running", "year", True)


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_published_lines_are_reproduced() -> None:
    """Single lines that others published, over 365 days."""
    for case in VECTORS["published_segments"]:
        rate = {
            "from_on": "2021-01-01",
            "percent": case["percent"],
            "certainty": "secondary",
            "source": "test",
        }
        table = msgspec.convert(
            {
                "kind": "consumer",
                "rules": ["NL-INT-001"],
                "known_until": "2022-01-01",
                "year": "365",
                "rounded": "year",
                "compounds": True,
                "rows": [rate],
            },
            RateTable,
        )
        first = date(2021, 1, 1)
        found = accrue(starting(cents(case["base"]), first), first + timedelta(days=case["days"]), table)
        assert found.cents == cents(case["interest"]), case


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_belgian_interest_is_that_of_the_vectors() -> None:
    """Each line is rounded, and interest does not bear interest."""
    for case in BELGIUM["interest"]:
        begun = starting(cents(case["principal"]), day(case["from"]))
        found = accrue(begun, day(case["to_exclusive"]), rate_table("BE", "consumer"))
        assert found.cents == cents(case["max_interest"]), case
        assert [one.cents for one in found.lines] == [cents(one["interest"]) for one in case["segments"]]


@given(PRINCIPALS, DATES, KINDS)
def test_interest_is_additive_over_a_split_period(principal: int, dates: list[date], kind: Any) -> None:
    """The second part goes on from the first's anniversary and base: together they are the whole, to the cent."""
    first, split, last = dates
    table = rate_table("NL", kind)
    whole = accrue(starting(principal, first), last, table)
    one = accrue(starting(principal, first), split, table)
    two = accrue(one.running, last, table)
    assert one.cents + two.cents == whole.cents
    assert two.running == whole.running


@given(PRINCIPALS, DATES, KINDS)
def test_lines_join_up_and_a_year_never_bears_more_than_its_rates(
    principal: int, dates: list[date], kind: Any
) -> None:
    """Lines follow each other without a gap, none bears more than its rate over its days, leap year or not."""
    first, _, last = dates
    found = accrue(starting(principal, first), last, rate_table("NL", kind))
    assert [line.to_on for line in found.lines[:-1]] == [line.from_on for line in found.lines[1:]]
    assert sum(line.days for line in found.lines) == (last - first).days
    for line in found.lines:
        rate = int(line.percent.replace(".", ""))
        assert line.cents <= line.base_cents * rate * line.days / 365 / 10_000 + 1
    kept = found.running.base_cents + found.running.interest_cents(rate_table("NL", kind))
    assert kept == principal + found.cents


@given(PRINCIPALS, st.integers(0, 1_000_000), DATES, KINDS)
def test_interest_never_falls_with_the_principal_or_the_days(
    principal: int, more: int, dates: list[date], kind: Any
) -> None:
    """More owed, or longer, is never less interest."""
    first, split, last = dates
    table = rate_table("NL", kind)
    short = accrue(starting(principal, first), split, table).cents
    assert short <= accrue(starting(principal, first), last, table).cents
    assert short <= accrue(starting(principal + more, first), split, table).cents


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [("2009-06-30", "2010-01-01", "from_on"), ("2026-12-01", "2027-01-02", "to_on")],
)
def test_a_rate_that_is_not_known_is_refused(first: str, last: str, field: str) -> None:
    """Before the table begins and past the day until which it is known there is no amount but a reason."""
    with pytest.raises(AmountRefused, match="expected") as refusal:
        accrue(starting(10_000, day(first)), day(last), rate_table("NL", "consumer"))
    assert refusal.value.field == field


def test_the_last_known_day_is_still_computed() -> None:
    """`known_until` is the first day whose rate nobody knows."""
    found = accrue(starting(100_000, date(2026, 12, 31)), date(2027, 1, 1), rate_table("NL", "commercial"))
    assert [line.percent for line in found.lines] == ["10.40"]


def test_an_unverified_rate_says_so() -> None:
    """A rate that sources differ about is named beside the rules; a settled one is not."""
    table = rate_table("NL", "commercial")
    doubt = accrue(starting(100_000, date(2011, 7, 1)), date(2011, 8, 1), table)
    sure = accrue(starting(100_000, date(2026, 7, 1)), date(2026, 8, 1), table)
    assert doubt.cited.unverified == ("rate of commercial interest in NL from 2011-07-01",)
    assert sure.cited.unverified == ()
    assert doubt.cited.rules == sure.cited.rules == table.rules


def test_what_is_no_period_or_payment_is_refused() -> None:
    """A principal below zero, a day that has passed, and paying more than there is."""
    table = rate_table("NL", "consumer")
    with pytest.raises(ValueError, match="zero or more"):
        starting(-1, date(2026, 1, 1))
    begun = starting(10_000, date(2026, 1, 1))
    with pytest.raises(ValueError, match="no earlier day"):
        accrue(begun, date(2025, 12, 31), table)
    with pytest.raises(ValueError, match="more would be settled"):
        settled(begun, 1, 0, table)


def test_an_interest_year_from_29_february_ends_on_the_28th() -> None:
    """In a leap year it is the 29th again."""
    first = date(2024, 2, 29)
    years = [Running(first_on=first, on=date(year, 6, 1), base_cents=0).year()[0] for year in (2025, 2028)]
    assert years == [date(2025, 2, 28), date(2028, 2, 29)]
