"""An import killed at random moments and run again ends as one that was never killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.intake.portfolio import write
from outreach.store.types import table_of
from tests.installations import initialise

KILLS = 6


def importing(settings: Settings, kind: str, file: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start an import as a process of its own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
    environ |= {"OUTREACH_DATA_DIR": str(settings.data_dir), "OUTREACH_DATABASE_URL": settings.database_url}
    as_of = ["--as-of", "2026-12-31"] if kind == "payments" else []
    return subprocess.Popen(
        [sys.executable, "-m", "outreach", "import", kind, str(file), *as_of, *more],
        env=environ,
        cwd=settings.data_dir,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def contents(settings: Settings) -> dict[str, object]:
    """Count what an import writes, and add up its money."""
    models = (
        tables.parties.Creditor,
        tables.parties.Person,
        tables.parties.Debtor,
        tables.parties.Dossier,
        tables.parties.DossierParty,
        tables.parties.ContactPoint,
        tables.claims.Claim,
        tables.claims.Payment,
        tables.claims.Allocation,
        tables.claims.Stop,
        tables.operations.Task,
    )
    claim, payment, allocation = (table_of(model) for model in models[6:9])
    with opened(settings) as app, app.store.reading() as conn:
        found: dict[str, object] = {
            model.__name__: conn.execute(select(func.count()).select_from(table_of(model))).scalar_one()
            for model in models
        }
        for name, column in (
            ("principal", claim.c.principal_cents),
            ("paid", payment.c.amount_cents),
            ("unplaced", payment.c.unplaced_cents),
            ("placed", allocation.c.amount_cents),
        ):
            found[name] = int(conn.execute(select(func.sum(column))).scalar_one())
    return found


@pytest.mark.slow
def test_a_killed_import_is_finished_by_the_next_one(settings: Settings, tmp_path: Path) -> None:
    """Nothing is lost, doubled or left half done: the book is that of an import nobody disturbed."""
    files = write(tmp_path / "files", 3000, 7, date(2026, 8, 1))
    undisturbed = Settings(data_dir=tmp_path / "undisturbed")
    for one in (settings, undisturbed):
        initialise(one, is_trial=True)
    jobs = (("claims", files.claims_file), ("payments", files.payments_file))
    chance = random.Random(11)
    for kind, file in jobs:
        for _ in range(KILLS // 2):
            process = importing(settings, kind, file)
            time.sleep(chance.uniform(0.8, 3.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert importing(settings, kind, file).wait() == 0
        assert importing(undisturbed, kind, file).wait() == 0
    assert contents(settings) == contents(undisturbed)


@pytest.mark.slow
def test_a_killed_list_of_open_items_is_finished_by_the_next_one(settings: Settings, tmp_path: Path) -> None:
    """A list that breaks off settles nothing twice, loses nothing, and raises its day only when it is whole."""
    all_rows = list_rows(4000)
    undisturbed = Settings(data_dir=tmp_path / "undisturbed")
    lists = [
        ("2026-08-01", all_rows),
        ("2026-08-02", [half_paid(row) if number % 3 == 0 else row for number, row in enumerate(all_rows)]),
        ("2026-08-03", [row for number, row in enumerate(all_rows) if number % 6]),
    ]
    for one in (settings, undisturbed):
        initialise(one, is_trial=True)
    chance = random.Random(5)
    days = set()
    for day, rows in lists:
        file = tmp_path / f"{day}.csv"
        file.write_text("\n".join([LIST_COLUMNS, *rows]) + "\n", encoding="utf-8")
        options = ("--mode", "open-items", "--as-of", day)
        for _ in range(KILLS // 2):
            process = importing(settings, "claims", file, *options)
            time.sleep(chance.uniform(0.8, 3.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
            days.add((day, known_until(settings)))
        assert importing(settings, "claims", file, *options).wait() == 0
        assert importing(undisturbed, "claims", file, *options).wait() == 0
        assert known_until(settings) == day
    assert any(known != day for day, known in days), "nothing was killed before it ended"
    assert contents(settings) == contents(undisturbed)


LIST_COLUMNS = (
    "creditor,debtor_id,debtor_name,claim_id,invoice_number,invoice_on,due_on,principal,currency,email"
)


def list_rows(size: int) -> list[str]:
    """Rows of a list, all of 50 euro."""
    return [
        f"KILL,D{number},Jan de Vries,C{number},F{number},2026-06-01,2026-07-01,50.00,EUR,d{number}@example.net"
        for number in range(size)
    ]


def half_paid(row: str) -> str:
    """The row of a claim of which half is left."""
    return row.replace(",50.00,", ",25.00,")


def known_until(settings: Settings) -> str:
    """Return the day up to which the creditor's payments are known."""
    creditor = table_of(tables.parties.Creditor)
    with opened(settings) as app, app.store.reading() as conn:
        return str(conn.execute(select(creditor.c.payments_until_on)).scalar())
