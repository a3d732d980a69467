"""A real receivables file lived through 2013, held against a small independent reckoning of the same rules."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from consent.calendar import holiday
from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.intake.load import load_claims, load_payments
from outreach.intake.mapping import load_mapping
from outreach.schedule.period import Every, moments
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import lived

FILE = Path("data/receivables/WA_Fn-UseC_-Accounts-Receivable.csv")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FIRST, LAST = date(2013, 1, 1), date(2013, 12, 31)


@dataclass
class Invoice:
    """What the reckoning knows of an invoice."""

    number: str
    due: date
    settled: date
    told: list[date] = field(default_factory=list)
    thanked_on: date | None = None


def us_date(text: str) -> date:
    """Read month, day and year."""
    month, day, year = (int(part) for part in text.split("/"))
    return date(year, month, day)


def reckoned(path: Path) -> tuple[dict[str, list[date]], dict[str, list[Invoice]]]:
    """Reckon by hand when each debtor is written to: one message a debtor, told steps a claim, caps and Sundays."""
    book: dict[str, list[Invoice]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            due, settled = (us_date(row[name]) for name in ("DueDate", "SettledDate"))
            book[row["customerID"]].append(Invoice(row["invoiceNumber"], due, settled))
    written: dict[str, list[date]] = defaultdict(list)
    for number in range((LAST - FIRST).days + 1):
        today = FIRST + timedelta(days=number)
        if today.weekday() == 6 or holiday(today) is not None:
            continue
        for debtor, invoices in book.items():
            paid = [one for one in invoices if one.told and one.settled <= today and not one.thanked_on]
            for one in paid:
                one.thanked_on = today
            if paid:
                # On the day of a thank-you nothing is asked.
                continue
            due = [
                one
                for one in invoices
                if today < one.settled
                and (
                    (not one.told and today > one.due)
                    or (len(one.told) == 1 and today >= one.told[0] + timedelta(days=7))
                )
            ]
            recent = [on for on in written[debtor] if (today - on).days < 7]
            if due and (not recent or (today - recent[-1]).days >= 5) and len(recent) < 3:
                written[debtor].append(today)
                for one in due:
                    one.told.append(today)
    return {debtor: days for debtor, days in written.items() if days}, book


def taken_in(settings: Settings, path: Path) -> None:
    """Import the file's claims and payments into a new trial."""
    initialise(settings, is_trial=True)
    mapping = load_mapping("receivables")
    common = {"now": datetime(2013, 1, 1, tzinfo=UTC), "is_trial": True, "actor": "test", "mapping": mapping}
    with opened(settings) as app:
        folder = settings.data_dir
        load_claims(app.store, app.address_keys, path, rejects_folder=folder, **common)  # type: ignore[arg-type]
        load_payments(
            app.store,
            app.address_keys,
            path,
            as_of=date(2014, 1, 31),
            rejects_folder=folder,
            **common,  # type: ignore[arg-type]
        )


def said(settings: Settings) -> dict[str, list[date]]:
    """Return on which days each debtor was reminded, as the ledger has it; a thank-you for money is no reminder."""
    days: dict[str, list[date]] = defaultdict(list)
    with opened(settings) as app, app.store.reading() as conn:
        names = {row.person_id: row.external_id for row in make.rows(conn, tables.parties.Debtor)}
        reminders = {row.id for row in make.rows(conn, tables.messages.Message, purpose="dunning")}
        for row in make.rows(conn, tables.messages.Attempt, state="accepted"):
            if row.message_id not in reminders:
                continue
            days[names[row.person_id]].append(row.handed_over_at.astimezone(AMSTERDAM).date())
    return dict(days)


def year(every: Every) -> Iterator[datetime]:
    """Every tick of 2013, the first at ten in the morning."""
    start = datetime(2013, 1, 1, 10, tzinfo=AMSTERDAM)
    return moments(start, datetime(2013, 12, 31, 23, tzinfo=AMSTERDAM), every)


@pytest.mark.slow
def test_a_year_of_a_real_file_says_exactly_what_an_independent_reckoning_says(
    settings: Settings, shared: Path
) -> None:
    """Reminders, debtors, delays and silences add up to those reckoned from the file alone."""
    path = shared / FILE
    taken_in(settings, path)
    lived(settings, year(Every.DAY))
    written, book = reckoned(path)
    assert said(settings) == written
    late = [one for invoices in book.values() for one in invoices if one.settled > one.due]
    told = [one for invoices in book.values() for one in invoices if one.told]
    # Every late invoice was told a reminder or paid before a message could go; no other was told anything.
    assert {one.number for one in told} <= {one.number for one in late}
    assert sum(map(len, written.values())) == 533
    assert len(written) == 69
    with opened(settings) as app, app.store.reading() as conn:
        steps = [row.step for row in make.rows(conn, tables.messages.MessageClaim, counts=True)]
        thanks = make.rows(conn, tables.messages.Message, purpose="confirmation")
    assert steps.count("reminder") == len(told)
    assert steps.count("reminder_again") == sum(len(one.told) > 1 for one in told)
    # Whoever paid after a reminder is thanked, once a day; nobody else is written to.
    thanked = {
        (debtor, one.thanked_on) for debtor, invoices in book.items() for one in invoices if one.thanked_on
    }
    assert {row.template for row in thanks} == {"payment_confirmed"}
    assert len(thanks) == len(thanked) == 378


@pytest.mark.slow
def test_a_year_ticked_hourly_says_the_same_as_ticked_daily(tmp_path: Path, shared: Path) -> None:
    """How often the clock ticks changes when in the day something is said, never what or to whom."""
    path = shared / FILE
    once = Settings(data_dir=tmp_path / "hourly")
    taken_in(once, path)
    lived(once, year(Every.HOUR))
    written, _ = reckoned(path)
    assert said(once) == written


def test_living_through_the_same_weeks_again_says_nothing_more(tmp_path: Path, shared: Path) -> None:
    """A period that was lived through already is over: the same ticks again send nothing."""
    settings = Settings(data_dir=tmp_path / "data")
    taken_in(settings, shared / FILE)
    start = datetime(2013, 3, 4, 10, tzinfo=AMSTERDAM)
    weeks = list(moments(start, start + timedelta(days=20), Every.DAY))
    first = lived(settings, weeks)
    again = lived(settings, weeks)
    assert sum(report.sent for report in first) > 0
    assert sum(report.sent for report in again) == 0
