"""What the clock does: windows, holidays, changes of the hour, month ends, midnight, other zones."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import lived

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
def settings(tmp_path) -> Settings:  # type: ignore[no-untyped-def]
    """An outbox on SQLite: what the clock decides is the same on both databases."""
    return Settings(data_dir=tmp_path / "data")


def owed(settings: Settings, due: date, **person: str) -> None:
    """One debtor with one claim."""
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        whose = make.a_debtor(conn, make.a_creditor(conn), **person)
        make.a_claim(conn, whose, due=due)


def sent_at(settings: Settings) -> list[datetime]:
    """When messages were handed over."""
    with opened(settings) as app, app.store.reading() as conn:
        rows = make.rows(conn, tables.messages.Attempt, state="accepted")
    return [row.handed_over_at for row in rows]


def hourly(first: datetime, days: int) -> list[datetime]:
    """Every hour of so many days."""
    start = first.astimezone(UTC)
    return [start + timedelta(hours=hour) for hour in range(days * 24)]


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        # The hour is set back on Sunday 25 October 2026: the first opening is Monday 07:00 winter time.
        (date(2026, 10, 24), datetime(2026, 10, 26, 6, tzinfo=UTC)),
        (date(2026, 10, 23), datetime(2026, 10, 24, 5, tzinfo=UTC)),
        # 28 March 2027 is Easter Sunday and the night of summer time; Monday is a holiday as well.
        (date(2027, 3, 27), datetime(2027, 3, 30, 5, tzinfo=UTC)),
        # Koningsdag 2026 is a Monday after a Sunday.
        (date(2026, 4, 25), datetime(2026, 4, 28, 5, tzinfo=UTC)),
        # A month's end, a year's end with its holidays, and a leap day.
        (date(2026, 4, 30), datetime(2026, 5, 1, 5, tzinfo=UTC)),
        (date(2026, 12, 31), datetime(2027, 1, 2, 6, tzinfo=UTC)),
        (date(2028, 2, 28), datetime(2028, 2, 29, 6, tzinfo=UTC)),
        (date(2028, 2, 29), datetime(2028, 3, 1, 6, tzinfo=UTC)),
    ],
)
def test_a_reminder_leaves_at_the_first_opening_after_the_due_date(
    settings: Settings, due: date, expected: datetime
) -> None:
    """Ticked every hour, the first reminder leaves with the first window that opens after the due date."""
    owed(settings, due)
    start = datetime.combine(due, datetime.min.time(), AMSTERDAM)
    lived(settings, hourly(start, 5))
    assert sent_at(settings) == [expected]


def test_the_second_reminder_keeps_seven_calendar_days_over_a_change_of_the_hour(settings: Settings) -> None:
    """A week is counted on the calendar, not in hours."""
    owed(settings, date(2026, 10, 21))
    ten = [datetime(2026, 10, day, 10, tzinfo=AMSTERDAM) for day in range(21, 32)]
    lived(settings, ten)
    days = [at.astimezone(AMSTERDAM).date() for at in sent_at(settings)]
    assert days == [date(2026, 10, 22), date(2026, 10, 29)]


def test_a_person_elsewhere_is_written_to_in_their_own_day(settings: Settings) -> None:
    """The window is that of the debtor's zone: 07:00 in New York is noon in Amsterdam."""
    owed(settings, date(2026, 11, 23), time_zone="America/New_York")
    lived(settings, hourly(datetime(2026, 11, 24, tzinfo=AMSTERDAM), 2))
    assert sent_at(settings) == [datetime(2026, 11, 24, 12, tzinfo=UTC)]


async def test_what_midnight_overtakes_between_planning_and_sending_is_planned_anew(
    settings: Settings,
) -> None:
    """An attempt planned in the evening is not handed over after the window; the next day writes it afresh."""
    from outreach.delivery.dispatch import Dispatcher, Lease
    from outreach.schedule.tick import begin_tick

    owed(settings, date(2026, 11, 20))
    evening = datetime(2026, 11, 23, 19, 59, tzinfo=AMSTERDAM).astimezone(UTC)
    with opened(settings, for_sending=True) as app:
        tick = await app.store.write(lambda conn: begin_tick(conn, evening))
        planned = await app.planner().plan_due(evening, tick)
        assert planned.composed == 1
        midnight = evening + timedelta(hours=4, minutes=2)
        channel = app.channels()[0]
        async with Lease(app.store, lambda: midnight) as lease:
            sent = await Dispatcher(app.store, channel, lease, lambda: midnight).drain()
        assert (sent.accepted, sent.passed_over) == (0, 1)
        await channel.aclose()
    await asyncio.to_thread(lived, settings, [evening + timedelta(hours=14)])
    with opened(settings) as app, app.store.reading() as conn:
        states = [row.state for row in make.rows(conn, tables.messages.Attempt)]
        messages = make.rows(conn, tables.messages.Message)
    assert states == ["expired", "accepted"]
    assert len(messages) == 1


def test_a_payment_counts_from_midnight_of_its_date(settings: Settings) -> None:
    """Paid in full today: nothing is asked today. Paid tomorrow: today is still asked."""
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        who = make.a_creditor(conn)
        for number, paid_on in (("D1", date(2026, 11, 24)), ("D2", date(2026, 11, 25))):
            whose = make.a_debtor(conn, who, number, email=f"{number}@example.net")
            make.a_payment(
                conn, whose, make.a_claim(conn, whose, number, due=date(2026, 11, 23)), 6420, paid_on
            )
    [report] = lived(settings, [datetime(2026, 11, 24, 10, tzinfo=AMSTERDAM)])
    assert report.sent == 1
    assert report.outcomes == {"sent": 1, "nothing_due": 1}
