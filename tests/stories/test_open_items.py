"""A firm that sends its list of open items each morning: who is reminded, who no more, and what stops it all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.intake.open_items import load_open_items
from outreach.intake.report import ImportReport
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import lived

HEADER = "creditor,debtor_id,debtor_name,claim_id,invoice_number,invoice_on,due_on,principal,currency,email\n"
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)


def morning(settings: Settings, folder: Path, now: datetime, *debtors: int, **options: bool) -> ImportReport:
    """Import the list of yesterday evening, with one bill of each of these debtors."""
    path = folder / "list.csv"
    rows = [
        f"FIRM,D{n},Jan de Vries,C{n},F{n},2026-10-20,2026-11-20,64.20,EUR,d{n}@example.net\n"
        for n in debtors
    ]
    path.write_text("".join([HEADER, *rows]), encoding="utf-8")
    terms = {"now": now, "as_of": (now - timedelta(days=1)).date(), "is_trial": True, "actor": "staff:els"}
    with opened(settings) as app:
        return load_open_items(app.store, app.address_keys, path, **terms, **options)  # type: ignore[arg-type]


def written_to(settings: Settings) -> list[str]:
    """Return who has been written to, by number, in order."""
    with opened(settings) as app, app.store.reading() as conn:
        numbers = {row.person_id: row.external_id for row in make.rows(conn, tables.parties.Debtor)}
        return sorted(
            numbers[row.person_id] for row in make.rows(conn, tables.messages.Attempt, state="accepted")
        )


def test_a_list_that_is_put_aside_pauses_sending_until_a_better_one(
    settings: Settings, tmp_path: Path
) -> None:
    """On a list that lost half its rows nobody is written to; with the whole list the second reminders go on.

    Who vanished from a good list is reminded no more.
    """
    initialise(settings, is_trial=True)
    morning(settings, tmp_path, MONDAY, *range(10))
    lived(settings, [MONDAY])
    everybody = [f"D{n}" for n in range(10)]
    assert written_to(settings) == everybody

    later = MONDAY + timedelta(days=8)
    assert morning(settings, tmp_path, later, *range(5)).put_aside == "vanishing"
    lived(settings, [later])
    assert written_to(settings) == everybody

    assert morning(settings, tmp_path, later, *range(9)).listed == {"settled": 1}
    lived(settings, [later + timedelta(minutes=10)])
    assert written_to(settings) == sorted([*everybody, *everybody[:9]])
