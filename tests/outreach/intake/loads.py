"""Imports of small files into a real database, and what is there afterwards."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from outreach.bootstrap import App
from outreach.intake.load import load_claims, load_payments
from outreach.intake.open_items import load_open_items
from outreach.intake.report import ImportReport
from outreach.store.tables.claims import Allocation, Claim
from outreach.store.types import table_of
from tests import builders

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
TABLES = (
    builders.creditor,
    builders.person,
    builders.debtor,
    builders.dossier,
    builders.party,
    builders.point,
    builders.claim,
    builders.payment,
    builders.allocation,
    builders.stop,
)

Row = dict[str, object]


def a_claim(number: str = "C1", **values: object) -> Row:
    """A row of a claims file."""
    return {
        "creditor": "WOON",
        "debtor_id": "D1",
        "debtor_name": "Jan de Vries",
        "claim_id": number,
        "invoice_number": f"F-{number}",
        "invoice_on": "2026-04-01",
        "due_on": "2026-05-01",
        "principal": "100.00",
        "currency": "EUR",
        "email": "jan@Example.net",
    } | values


def a_payment(number: str = "P1", **values: object) -> Row:
    """A row of a payments file."""
    return {
        "creditor": "WOON",
        "payment_id": number,
        "booked_on": "2026-05-20",
        "amount": "100.00",
        "currency": "EUR",
        "reference": "",
    } | values


@dataclass
class Loading:
    """An installation and a folder for files."""

    app: App
    folder: Path
    is_trial: bool = True

    def claims(self, *rows: Row, **options: Any) -> ImportReport:
        """Import claims."""
        return self._load(load_claims, "claims.csv", rows, options)

    def payments(self, *rows: Row, **options: Any) -> ImportReport:
        """Import payments."""
        return self._load(load_payments, "payments.csv", rows, options)

    def listed(self, *rows: Row, as_of: str | date = "2026-05-31", **options: Any) -> ImportReport:
        """Import a list of open items; without rows it has a header only."""
        options = {"as_of": day(str(as_of))} | options
        return self._load(load_open_items, "list.csv", rows or (dict.fromkeys(a_claim(), ""),), options)

    def real(self) -> Loading:
        """The same, as if the database were no trial."""
        return replace(self, is_trial=False)

    def load_file(self, load: Any, path: Path, **options: Any) -> ImportReport:
        """Import a file."""
        terms = {"now": NOW, "is_trial": self.is_trial, "actor": "staff:test", "rejects_folder": self.folder}
        report: ImportReport = load(self.app.store, self.app.address_keys, path, **(terms | options))
        return report

    def rejects(self, report: ImportReport) -> list[dict[str, str]]:
        """Read the file of refused rows."""
        if report.rejects is None:
            return []
        with report.rejects.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def everything(self) -> dict[str, list[Any]]:
        """Return every row that an import may touch, versions and next looks with them."""
        with self.app.store.reading() as conn:
            return {
                table.name: [tuple(row) for row in conn.execute(select(table).order_by(table.c.id))]
                for table in TABLES
            }

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """Return the rows of a table that have these values."""
        with self.app.store.reading() as conn:
            return builders.rows(conn, model, **where)

    def one(self, model: Any, **where: Any) -> Any:
        """Return the only row of a table that has these values."""
        (row,) = self.rows(model, **where)
        return row

    def open_cents(self) -> dict[str, int]:
        """Return what is open by claim number."""
        claim, allocation = table_of(Claim), table_of(Allocation)
        left = claim.c.principal_cents - func.coalesce(func.sum(allocation.c.amount_cents), 0)
        query = select(claim.c.external_id, left.label("cents")).outerjoin(
            allocation, allocation.c.claim_id == claim.c.id
        )
        with self.app.store.reading() as conn:
            found = conn.execute(query.group_by(claim.c.id).order_by(claim.c.id))
            return {row.external_id: int(row.cents) for row in found}

    def _load(self, load: Any, name: str, rows: tuple[Row, ...], options: dict[str, Any]) -> ImportReport:
        path = self.folder / name
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        return self.load_file(load, path, **options)


def day(text: str) -> date:
    """A date."""
    return date.fromisoformat(text)
