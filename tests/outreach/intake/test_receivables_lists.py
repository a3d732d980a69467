"""A real receivables file told as a list of open items for each week: the book follows what the file says was paid."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from outreach.intake.open_items import load_open_items
from outreach.store.tables.claims import Claim, Payment
from outreach.store.tables.operations import Task
from outreach.store.tables.parties import Creditor
from tests.outreach.intake.loads import Loading

FILE = Path("data/receivables/WA_Fn-UseC_-Accounts-Receivable.csv")
FIRST, WEEKS = date(2013, 1, 6), 56
COLUMNS = [
    "debtor_id",
    "debtor_name",
    "claim_id",
    "invoice_number",
    "invoice_on",
    "due_on",
    "principal",
    "currency",
]


def us_date(text: str) -> date:
    """Read month, day and year."""
    month, day, year = (int(part) for part in text.split("/"))
    return date(year, month, day)


def listed(invoices: list[dict[str, str]], on: date) -> list[dict[str, object]]:
    """What a bookkeeping would list as open at the end of a day."""
    return [
        {
            "debtor_id": row["customerID"],
            "debtor_name": f"Customer {row['customerID']}",
            "claim_id": row["invoiceNumber"],
            "invoice_number": row["invoiceNumber"],
            "invoice_on": us_date(row["InvoiceDate"]).isoformat(),
            "due_on": us_date(row["DueDate"]).isoformat(),
            "principal": row["InvoiceAmount"],
            "currency": "USD",
        }
        for row in invoices
        if us_date(row["InvoiceDate"]) <= on < us_date(row["SettledDate"])
    ]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write a list as a Dutch spreadsheet would: semicolons, decimal commas, Windows-1252."""
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows(row | {"principal": str(row["principal"]).replace(".", ",")} for row in rows)
    return path


@pytest.mark.slow
def test_a_year_of_weekly_lists_ends_where_the_file_does(loading: Loading, shared: Path) -> None:
    """Each week exactly what the list says is open; in the end, with an empty list, every invoice is settled."""
    with (shared / FILE).open(encoding="utf-8-sig", newline="") as file:
        invoices = list(csv.DictReader(file))
    aside = 0
    seen: dict[str, date] = {}
    for week in range(WEEKS):
        on = FIRST + timedelta(days=7 * week)
        rows = listed(invoices, on)
        path = write(loading.folder / "list.csv", rows)
        options = {"creditor_code": "RECEIVABLES", "as_of": on}
        report = loading.load_file(load_open_items, path, **options)
        if report.put_aside:
            # In a week a fifth of this book is paid: a person says that it is right.
            assert report.put_aside == "vanishing"
            aside += 1
            report = loading.load_file(load_open_items, path, **options, accept=True)
        assert (report.refused, report.known_until) == (0, on)
        seen |= {str(row["claim_id"]): on for row in rows}
        open_now = {number: cents for number, cents in loading.open_cents().items() if cents}
        assert open_now == {str(row["claim_id"]): cents_of(str(row["principal"])) for row in rows}
    assert aside and not open_now
    settled = {row.external_id for row in loading.rows(Claim)} - open_now.keys()
    payments = loading.rows(Payment)
    assert {row.kind for row in payments} == {"settled_unknown"}
    assert len(payments) == len(settled) == len(seen) - len(open_now)
    assert loading.one(Creditor).payments_until_on == on
    assert [row for row in loading.rows(Task) if row.closed_at is None] == []


def cents_of(text: str) -> int:
    """Read dollars."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0"))
