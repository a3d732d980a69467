"""The state of the book: ages, amounts, who cannot be reached, what lies unplaced; and what a dry run shows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.intake.book_state import Age, Unplaced, book_state
from outreach.store.tables.parties import Creditor
from tests.outreach.intake.loads import NOW, Loading, a_claim, a_payment, day

TODAY = day("2026-06-01")


def due(days_late: int) -> str:
    """The due date of a claim that is so many days late today."""
    return str(TODAY - timedelta(days=days_late))


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (-30, "not_due"),
        (0, "not_due"),
        (1, "1_30"),
        (30, "1_30"),
        (31, "31_60"),
        (60, "31_60"),
        (61, "61_90"),
        (90, "61_90"),
        (91, "over_90"),
        (400, "over_90"),
    ],
)
def test_ages_begin_the_day_after_the_due_date(loading: Loading, days: int, age: str) -> None:
    """A claim is late from the day after its due date; each day belongs to one age."""
    report = loading.claims(a_claim("C1", due_on=due(days), invoice_on="2025-04-01"))
    assert report.book is not None
    assert report.book.ages == (Age("EUR", age, 1, 10_000),)


def test_the_book_tells_what_is_open_by_currency(loading: Loading) -> None:
    """What is paid is out, what is booked ahead is not yet, and currencies are never added up."""
    loading.claims(
        a_claim("C1", due_on=due(5)),
        a_claim("C2", due_on=due(10), principal="50.00"),
        a_claim("C3", due_on=due(10), principal="20.00", currency="USD"),
        a_claim("C4", due_on=due(10), principal="30.00"),
    )
    report = loading.payments(
        a_payment("P1", claim_id="C1", amount="40.00"),
        a_payment("P2", claim_id="C2", amount="50.00", booked_on="2026-06-02"),
        a_payment("P3", claim_id="C4", amount="30.00"),
        a_payment("P4", amount="7.00", currency="USD", reference="thanks"),
    )
    state = report.book
    assert state is not None
    assert state.ages == (Age("EUR", "1_30", 2, 11_000), Age("USD", "1_30", 1, 2_000))
    assert state.unplaced == (Unplaced("USD", 1, 700),)
    assert (
        "2 claims open, EUR 110.00, of which late 2, EUR 110.00; 1 claim open, USD 20.00" in state.short()[0]
    )
    assert any("1 bookings lie unplaced, USD 7.00" in line for line in report.lines())


def test_who_cannot_be_reached_is_counted_and_named(loading: Loading) -> None:
    """A debtor who owes and has no address in use that may be used; the first few by number, nobody twice."""
    rows = [
        a_claim(f"C{number}", debtor_id=f"D{number}", email="", debtor_name=f"Nr {number}")
        for number in range(7)
    ]
    report = loading.claims(
        *rows,
        a_claim("C0b", debtor_id="D0", email="", debtor_name="Nr 0"),
        a_claim("C8", debtor_id="D8", email="no address at all"),
        a_claim("C9", debtor_id="D9", email="", phone="06 12345678"),
        a_claim("CA", debtor_id="DA", email="", street="Dam", house_number="1", city="Breda"),
        a_claim("CB", debtor_id="DB"),
    )
    state = report.book
    assert state is not None
    assert (state.unreachable, state.unreachable_first) == (8, ("D0", "D1", "D2", "D3", "D4"))
    assert "8 debtors have no address that can be used: D0, D1, D2, D3, D4, …" in report.lines()
    paid = [a_payment(f"P{number}", claim_id=f"C{number}") for number in range(1, 9)]
    report = loading.payments(*paid, a_payment("P0", claim_id="C0"))
    assert report.book is not None
    assert report.book.unreachable_first == ("D0",)


def test_the_book_is_that_of_the_creditors_asked_for(loading: Loading) -> None:
    """Another creditor's claims are not in it, and a book without creditors is empty."""
    loading.claims(a_claim("C1"), a_claim("C1", creditor="ACME", principal="1.00"))
    report = loading.payments(a_payment("P1", claim_id="C1", amount="60.00"))
    assert report.book is not None
    assert sum(age.cents for age in report.book.ages) == 4_000
    ids = [row.id for row in loading.rows(Creditor)]
    with loading.app.store.reading() as conn:
        assert sum(age.cents for age in book_state(conn, ids, TODAY, NOW).ages) == 4_100
        assert book_state(conn, [], TODAY, NOW).lines() == ["the book on 2026-06-01:", "  nothing is open"]


def test_a_dry_run_shows_rows_and_the_book_after_it(loading: Loading) -> None:
    """Which rows would be added and changed, why others are refused, and the book as it would be; nothing is kept."""
    loading.claims(a_claim("C1"), a_claim("C2"))
    rows = [a_claim("C1"), a_claim("C2", description="Huur"), a_claim("C3"), a_claim("C4", due_on="soon")]
    report = loading.claims(*rows, dry_run=True)
    assert (report.shown.added, report.shown.changed) == ([4], [3])
    lines = report.lines()
    assert "added rows: 4" in lines
    assert "changed rows: 3" in lines
    assert any(line.startswith("refused: row 5, due_on: expected a date as YYYY-MM-DD") for line in lines)
    assert "  31–60 days late: 3 claims, EUR 300.00" in lines[lines.index("the book on 2026-06-01:") :]
    assert lines[-1] == "dry run: nothing was kept"
    first = report.as_dict()["first"]
    assert isinstance(first, dict) and first["added"] == [4]
    assert "soon" not in str(first)
    assert len(loading.open_cents()) == 2


def test_a_dry_run_shows_the_first_rows_only(loading: Loading) -> None:
    """Of thousands of new rows a person reads ten."""
    report = loading.claims(*(a_claim(f"C{number}") for number in range(30)), dry_run=True)
    assert report.shown.added == list(range(2, 12))
    assert "added rows: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …" in report.lines()
