"""From a claim to a mail in somebody's mailbox, to the log, on both databases over a real SMTP session."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.delivery.dispatch import Lease
from outreach.schedule.tick import TickReport
from tests import builders as make
from tests.counterparts.smtp_sink import smtp_sink
from tests.installations import initialise

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def live(settings: Settings, *moments: datetime) -> list[TickReport]:
    """Run a tick at each of these moments."""

    async def run() -> list[TickReport]:
        with opened(settings, for_sending=True) as app:
            channels = app.channels()
            ticker = app.ticker(channels)
            reports = []
            for now in moments:
                async with Lease(app.store, lambda now=now: now) as lease:
                    reports.append(await ticker.tick(now, lease))
            for channel in channels:
                await channel.aclose()
            return reports

    return asyncio.run(run())


async def test_a_claim_past_due_becomes_one_mail_and_then_a_second(settings: Settings) -> None:
    """One day after the due date a reminder leaves, a week later another, and then nothing."""
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        jan = make.a_debtor(conn, make.a_creditor(conn))
        make.a_claim(conn, jan, due=date(2026, 11, 20))
    async with smtp_sink() as sink:
        url = f"smtp://{sink.host}:{sink.port}"
        over_smtp = Settings(data_dir=settings.data_dir, database_url=settings.database_url, smtp_url=url)
        days = [MONDAY + timedelta(days=day) for day in range(20)]
        reports = await asyncio.to_thread(live, over_smtp, *days)
    assert [report.sent for report in reports] == [1] + [0] * 6 + [1] + [0] * 12
    assert all(report.adds_up for report in reports)
    assert len(sink.accepted) == 2
    with opened(settings) as app, app.store.reading() as conn:
        types = [row.type for row in make.rows(conn, tables.correspondence.LogEntry)]
    assert types.count("handed_over") == types.count("accepted") == types.count("composed") == 2
