"""`outreach demo`: two months of a fictitious housing corporation in seconds; nothing leaves the machine."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from sqlalchemy import insert, select

from outreach import bootstrap
from outreach.casework.creditors import add_creditor
from outreach.casework.review import Kept, kept_and_broken
from outreach.casework.switches import switch_creditor
from outreach.casework.targets import creditor as creditor_table
from outreach.cli import demo_table
from outreach.cli.demo_bank import Bank
from outreach.cli.demo_life import Life
from outreach.cli.demo_pages import messages, write_pages
from outreach.cli.output import Output, day, table
from outreach.config import Settings
from outreach.insight.steps import PAID_WITHIN, Book, book
from outreach.intake.load import load_claims
from outreach.intake.portfolio import generate, write
from outreach.intake.portfolio_debtors import CREDITORS
from outreach.schedule.period import Every, live, moments
from outreach.schedule.tick import TickReport
from outreach.store.tables.operations import SegmentStrategy
from outreach.store.types import table_of

START = date(2026, 9, 1)
DAYS = 61
LAST = START + timedelta(days=DAYS - 1)
SEED = 2026
CREDITOR = CREDITORS[0]
MONTHS = 3
"""Rents of this many months: one from before the demo begins, and two that fall due in it."""
STRATEGIES = {"": "reminders_then_legal", "bellen": "result_first", "vroeg": "early_signal"}
"""By segment; of eight debtors one is called first, and one is offered help first."""
LETTER_EVERY = 4
"""One of so many tenants is written to on paper."""
SEGMENTS = ("", "", "", "bellen", "", "", "", "vroeg")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("demo")(demo)
    app.command("portfolio")(portfolio)


def portfolio(
    ctx: typer.Context,
    folder: Path,
    size: int = typer.Option(1500, "--size", min=0, help="How many claims rows."),
    seed: int = typer.Option(SEED, "--seed", help="Another seed, another portfolio."),
    start: str = typer.Option(START.isoformat(), "--start", help="From when they fall due, for half a year."),
) -> None:
    """Write a fictitious portfolio as files to import: claims.csv, payments.csv, creditors.toml."""
    start_on = day(start, "--start")
    assert start_on is not None
    written = write(folder, size, seed, start_on)
    figures = {"claims": written.claims, "payments": written.payments, "folder": str(folder)}
    ctx.obj.value(figures, [f"{written.claims} claims and {written.payments} payments rows in {folder}"])


def demo(
    ctx: typer.Context,
    size: int = typer.Option(1500, "--size", min=1, max=1_000_000, help="How many claims."),
    seed: int = typer.Option(SEED, "--seed", help="Another seed, another portfolio."),
) -> None:
    """Live through two months of a fictitious housing corporation; its messages are files below data/outbox."""
    began = time.monotonic()
    base = bootstrap.read_settings()
    settings = Settings(
        data_dir=base.data_dir / "demo", outbox_dir=base.data_dir / "outbox", mail_from=base.mail_from
    )
    out: Output = ctx.obj
    for folder in (settings.data_dir, settings.outbox):
        shutil.rmtree(folder, ignore_errors=True)
    bootstrap.initialise(settings, is_trial=True)
    out.note(f"{CREDITOR.name}: {size} rents, from {START:%d %B} to {LAST:%d %B %Y}.")
    out.note("Nobody in it exists, and nothing leaves this machine.\n")
    with bootstrap.opened(settings, for_sending=True) as app:
        life = _begin(app, settings.data_dir / "bank", size, seed)
        reports = _live(app, life, out)
        with app.store.reading() as conn:
            told, besides = demo_table.told(conn, LAST), demo_table.others(conn)
            whole = book(conn, LAST)
            arranged = kept_and_broken(conn, START)
    index = write_pages(settings.outbox)
    result = _result(reports, told, besides, arranged, whole, life, settings.outbox)
    out.value(result, _text(result, told, arranged, whole, index, time.monotonic() - began, settings))
    if not result["adds_up"]:
        raise typer.Exit(1)


def _begin(app: bootstrap.App, folder: Path, size: int, seed: int) -> Life:
    """Set up the corporation with its strategies and rents, and the people who will live."""
    start_on = START - timedelta(days=35)
    options: dict[str, Any] = {"months": MONTHS, "segments": SEGMENTS, "letter_every": LETTER_EVERY}
    written = write(folder, size, seed, start_on, [CREDITOR], **options)
    # The bookings of the file are known day by day only; people change them.
    written.payments_file.unlink()
    now = datetime.combine(START, datetime.min.time(), UTC)
    values = {name: getattr(CREDITOR, name) for name in ("code", "name", "iban", "phone", "email")}
    with app.store.transaction() as conn:
        add_creditor(conn, values | {"strategy": STRATEGIES[""]}, "job:demo", now)
        key = conn.execute(select(creditor_table.c.id).where(creditor_table.c.code == CREDITOR.code)).scalar()
        by_segment = [
            {"creditor_id": key, "segment": segment, "strategy": name}
            for segment, name in STRATEGIES.items()
            if segment
        ]
        conn.execute(insert(table_of(SegmentStrategy)), by_segment)
        switch_creditor(conn, CREDITOR.code, on=True, actor="job:demo", now=now)
    load_claims(app.store, app.address_keys, written.claims_file, now=now, is_trial=True, actor="job:demo")
    bank = Bank(generate(size, seed, start_on, [CREDITOR], **options), folder)
    return Life(app, bank, CREDITOR.code, seed)


def _live(app: bootstrap.App, life: Life, out: Output) -> list[TickReport]:
    start = datetime.fromisoformat(f"{START.isoformat()}T10:00+02:00")
    until = start + timedelta(days=DAYS) - timedelta(hours=12)
    reports: list[TickReport] = []
    week: list[TickReport] = []

    def report(one: TickReport) -> None:
        reports.append(one)
        week.append(one)
        if len(week) == 7 or len(reports) == DAYS:
            out.note(_week(week, (len(reports) + 6) // 7))
            week.clear()

    def days() -> Iterator[datetime]:
        for at in moments(start, until, Every.DAY):
            life.morning(at - timedelta(hours=1))
            yield at

    async def go() -> None:
        channels = app.channels()
        lease = timedelta(seconds=app.settings.lease_seconds)
        await live(app.ticker(channels), days(), lease, report)
        for channel in channels:
            await channel.aclose()

    asyncio.run(go())
    return reports


def _week(week: list[TickReport], number: int) -> str:
    looked = sum(one.selected for one in week)
    sent = sum(one.sent for one in week)
    days = " ".join(f"{one.sent:>3}" for one in week)
    return f"week {number}  looked at {looked:>5}  sent {sent:>4}   Tue…Mon {days}"


def _outcomes(reports: list[TickReport]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in reports:
        total += one.outcomes
    return total


def _result(
    reports: list[TickReport],
    told: list[demo_table.Told],
    besides: int,
    arranged: list[Kept],
    whole: Book,
    life: Life,
    outbox: Path,
) -> dict[str, Any]:
    sent, files = sum(one.sent for one in reports), len(messages(outbox))
    return {
        "days": len(reports),
        "looked_at": sum(one.selected for one in reports),
        "outcomes": dict(sorted(_outcomes(reports).items())),
        "messages": sent,
        "files": files,
        "besides": besides,
        "steps": [vars(row) for row in told],
        "arrangements": [{name: getattr(one, name) for name in one.__slots__} for one in arranged],
        "lived": dict(sorted(life.done.items())) | {"direct debit reversed": life.bank.reversed},
        "claims": vars(whole),
        "adds_up": all(one.adds_up for one in reports)
        and sent == files == sum(row.messages for row in told) + besides,
    }


def _text(
    result: dict[str, Any],
    told: list[demo_table.Told],
    arranged: list[Kept],
    whole: Book,
    index: Path,
    seconds: float,
    settings: Settings,
) -> list[str]:
    outcomes = [*result["outcomes"].items(), ("together", sum(result["outcomes"].values()))]
    claims = [
        ("paid, never reminded", whole.settled_unasked),
        ("paid after a reminder", whole.settled_after),
        ("open, reminded", whole.open_told),
        ("open, not reminded (not due yet, stopped, no address …)", whole.open_untold),
        ("together", whole.total),
    ]
    heads = ("message", "step", "sent", "paid", "arranged", "disputed", "returned", "nothing", "too early")
    kinds = [(one.kind, one.kept, one.broken, one.ended, one.running) for one in arranged]
    debtor, day_sent = _example(settings)
    verdict = "equal" if result["adds_up"] else "NOT EQUAL"
    return [
        "",
        *table(("every look ended in", "times"), outcomes),
        f"looked at {result['looked_at']}; messages sent {result['messages']}, "
        f"files in the outbox {result['files']}: sums {verdict}",
        "",
        f"what came of it within {PAID_WITHIN.days} days",
        *table(heads, demo_table.lines(told)),
        f"and {result['besides']} confirmations, nudges and answers: {result['messages']} together",
        "",
        *table(("arrangements", "kept", "broken", "ended", "running"), kinds),
        "",
        *table(("in the meantime", "times"), list(result["lived"].items())),
        "",
        *table(("claims at the end", "number"), claims),
        "",
        f"Done in {seconds:.1f} seconds. Look at:",
        f"  {index}        every message, in your browser",
        f"  {settings.outbox}/*/*.eml           the exact bytes, in a mail program",
        "Try next (the demo has a database of its own):",
        f"  export OUTREACH_DATA_DIR={settings.data_dir}",
        "  .venv/bin/outreach log show --limit 20",
        f"  .venv/bin/outreach explain --debtor {debtor} --at {day_sent}",
        f"  .venv/bin/outreach preview --debtor {debtor}",
    ]


def _example(settings: Settings) -> tuple[str, str]:
    """Return a debtor that was written to, as the options of a command, and the day of its last message."""
    with bootstrap.opened(settings) as app, app.store.reading() as conn:
        row = conn.exec_driver_sql(
            "SELECT d.external_id, c.code, substr(a.handed_over_at, 1, 10) "
            "FROM attempt a JOIN debtor d ON d.person_id = a.person_id "
            "JOIN creditor c ON c.id = d.creditor_id "
            "WHERE a.state = 'accepted' ORDER BY a.id DESC LIMIT 1"
        ).first()
    return (f"{row[0]} --creditor {row[1]}", row[2]) if row else ("NUMBER", START.isoformat())
