"""How a total is spread over instalments, when they fall due, and which of them what was paid covers."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consent.calendar import holiday
from outreach.claims.schedule import (
    GRACE_DAYS,
    DoesNotFit,
    Part,
    due_dates,
    most_parts,
    schedule,
    standing,
    working_day,
)

TOTALS = st.integers(1, 5_000_000)
FLOORS = st.integers(1, 20_000)
MOST = st.integers(1, 36)
DATES = st.dates(date(2024, 1, 1), date(2035, 12, 31))
INCOME_DAYS = st.none() | st.integers(1, 31)
DAY = timedelta(days=1)


def is_working_day(on: date) -> bool:
    """Whether money can be paid on this date."""
    return on.weekday() < 5 and holiday(on) is None


@given(TOTALS, FLOORS, MOST, DATES, INCOME_DAYS)
def test_instalments_are_together_the_total_and_each_at_least_the_floor(
    total: int, floor: int, most: int, start: date, income_day: int | None
) -> None:
    """No cent is lost, none is below the floor unless the total is, and there are no more than policy allows."""
    parts = schedule(total, floor_cents=floor, most=most, start_on=start, income_day=income_day)
    assert sum(part.cents for part in parts) == total
    assert len(parts) <= most
    assert all(part.cents >= min(floor, total) for part in parts)


@given(TOTALS, st.integers(1, 36), DATES)
def test_only_the_first_instalment_differs_and_by_less_than_a_cent_for_each(
    total: int, parts: int, start: date
) -> None:
    """What cannot be shared evenly is in the first instalment."""
    assume(total >= parts)
    first, *rest = schedule(total, floor_cents=1, most=36, start_on=start, parts=parts)
    assert len({part.cents for part in rest}) <= 1
    assert all(0 <= first.cents - part.cents < parts for part in rest)


@given(DATES, INCOME_DAYS, st.integers(1, 24))
def test_instalments_fall_due_on_working_days_one_a_month_none_before_the_start(
    start: date, income_day: int | None, count: int
) -> None:
    """Due dates are working days, rise month by month, and begin within a month of the start."""
    dates = due_dates(start, income_day, count)
    assert len(dates) == count
    assert all(is_working_day(on) for on in dates)
    assert start <= dates[0] <= start + timedelta(days=31 + 6)
    assert all(timedelta(days=22) <= later - on <= timedelta(days=37) for on, later in pairwise(dates))


@given(DATES, st.integers(1, 31))
def test_an_instalment_falls_due_the_day_after_income_or_on_the_next_working_day(
    start: date, income_day: int
) -> None:
    """Between the income and the due date lie only days on which nobody can pay."""
    (on,) = due_dates(start, income_day, 1)
    income = on - DAY
    while not (income.day == income_day or (income.day < income_day and (income + DAY).day == 1)):
        assert not is_working_day(income + DAY) or income + DAY == on
        income -= DAY
    assert working_day(income + DAY) == on


@pytest.mark.parametrize(
    ("start", "income_day", "expected"),
    [
        (date(2027, 1, 31), None, [date(2027, 2, 1), date(2027, 3, 1), date(2027, 3, 31)]),
        (date(2026, 11, 24), 24, [date(2026, 11, 25), date(2026, 12, 28), date(2027, 1, 25)]),
        (date(2027, 2, 1), 31, [date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 1)]),
        (date(2028, 2, 15), 29, [date(2028, 3, 1), date(2028, 3, 30), date(2028, 5, 1)]),
    ],
)
def test_months_of_unequal_length_and_free_days(
    start: date, income_day: int | None, expected: list[date]
) -> None:
    """The last day of a short month stands in for a later one without shifting the months after it."""
    assert list(due_dates(start, income_day, len(expected))) == expected


@given(TOTALS, FLOORS, MOST, st.integers(1, 400))
def test_a_refusal_says_what_would_fit(total: int, floor: int, most: int, parts: int) -> None:
    """More instalments than policy allows are refused with the number that is allowed; that number is then taken."""
    start = date(2026, 11, 23)
    fits = most_parts(total, floor, most)
    if parts <= fits:
        assert len(schedule(total, floor_cents=floor, most=most, start_on=start, parts=parts)) == parts
        return
    with pytest.raises(DoesNotFit) as refusal:
        schedule(total, floor_cents=floor, most=most, start_on=start, parts=parts)
    assert refusal.value.fits == fits
    assert len(schedule(total, floor_cents=floor, most=most, start_on=start, parts=fits)) == fits


def test_the_words_of_a_refusal() -> None:
    """It names the floor where that is what stands in the way, and the policy's number where that is."""
    with pytest.raises(DoesNotFit, match=r"^with a floor of 25\.00 at most 4 parts$"):
        schedule(10_000, floor_cents=2_500, most=12, start_on=date(2026, 11, 23), parts=5)
    with pytest.raises(DoesNotFit, match=r"^at most 12 parts$"):
        schedule(100_000, floor_cents=2_500, most=12, start_on=date(2026, 11, 23), parts=13)
    with pytest.raises(DoesNotFit, match=r"^with a floor of 25\.00 at most 1 part$"):
        schedule(2_000, floor_cents=2_500, most=12, start_on=date(2026, 11, 23), parts=2)


@pytest.mark.parametrize("wrong", [{"total": 0}, {"floor": 0}, {"most": 0}, {"parts": 0}, {"income_day": 32}])
def test_what_is_no_schedule_is_refused(wrong: dict[str, int]) -> None:
    """A total, a floor and numbers below one are no instalments, and a month has no 32nd day."""
    values = {"total": 10_000, "floor": 2_500, "most": 12, "parts": 2, "income_day": 24} | wrong
    with pytest.raises(ValueError, match=r"one|zero|31"):
        schedule(
            values["total"],
            floor_cents=values["floor"],
            most=values["most"],
            start_on=date(2026, 11, 23),
            income_day=values["income_day"],
            parts=values["parts"],
        )


PARTS = st.lists(st.integers(1, 10_000), min_size=1, max_size=12).map(
    lambda amounts: [
        Part(date(2026, 12, 1) + timedelta(days=30 * n), cents) for n, cents in enumerate(amounts)
    ]
)


@given(PARTS, st.integers(-5_000, 150_000), st.none() | DATES)
def test_payments_cover_instalments_in_order(parts: list[Part], paid: int, known_on: date | None) -> None:
    """An instalment is paid exactly when what came in covers it and all before it."""
    states = standing(parts, paid, known_on)
    covered = [sum(part.cents for part in parts[: n + 1]) <= paid for n in range(len(parts))]
    assert [state == "paid" for state in states] == covered


@given(PARTS, st.integers(0, 150_000), st.integers(-10, 400))
def test_an_instalment_is_missed_only_after_grace_and_with_its_payments_known(
    parts: list[Part], paid: int, days: int
) -> None:
    """Until every payment of its days of grace is known an unpaid instalment is open, and from then on missed."""
    known_on = parts[0].due_on + timedelta(days=days)
    for part, state in zip(parts, standing(parts, paid, known_on), strict=True):
        if state != "paid":
            assert (state == "missed") == (part.due_on + timedelta(days=GRACE_DAYS) <= known_on)


@given(PARTS, st.integers(0, 100_000), st.integers(0, 50_000), st.none() | DATES)
def test_more_money_never_makes_it_worse(
    parts: list[Part], paid: int, more: int, known_on: date | None
) -> None:
    """Whatever is paid with less is paid with more, and nothing becomes missed by it."""
    before, after = standing(parts, paid, known_on), standing(parts, paid + more, known_on)
    assert all(new in {"paid", old} for old, new in zip(before, after, strict=True))
