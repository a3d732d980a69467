"""`outreach demo`: a fictitious portfolio lived through eight weeks in seconds; nothing leaves the machine."""

from __future__ import annotations

import asyncio
import html
import shutil
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import typer

from outreach import bootstrap
from outreach.casework.creditors import add_creditor
from outreach.casework.switches import switch_creditor
from outreach.cli.output import Output, day, table
from outreach.config import Settings
from outreach.insight import pages
from outreach.insight.steps import Book, StepCount, book, by_step
from outreach.intake.load import load_claims, load_payments
from outreach.intake.portfolio import write
from outreach.intake.portfolio_debtors import CREDITORS
from outreach.schedule.period import Every, live, moments
from outreach.schedule.tick import TickReport

START = date(2026, 9, 7)
WEEKS = 8
SEED = 2026
MOST_PAGES = 400


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
    """Live through eight weeks of a fictitious portfolio; the messages are files below data/outbox."""
    began = time.monotonic()
    base = bootstrap.read_settings()
    settings = Settings(
        data_dir=base.data_dir / "demo", outbox_dir=base.data_dir / "outbox", mail_from=base.mail_from
    )
    out: Output = ctx.obj
    for folder in (settings.data_dir, settings.outbox):
        shutil.rmtree(folder, ignore_errors=True)
    bootstrap.initialise(settings, is_trial=True)
    out.note(f"A fictitious portfolio of {size} claims, from {START:%d %B %Y}, for {WEEKS} weeks.")
    out.note("Nobody in it exists, and nothing leaves this machine.\n")
    with bootstrap.opened(settings, for_sending=True) as app:
        _import(app, settings.data_dir, size, seed)
        reports = _live(app, out)
        with app.store.reading() as conn:
            steps, whole = by_step(conn), book(conn, START + timedelta(weeks=WEEKS, days=-1))
    index = write_pages(settings.outbox)
    result = _result(reports, steps, whole, settings.outbox)
    out.value(result, _text(reports, steps, whole, index, time.monotonic() - began, settings))
    if not result["adds_up"]:
        raise typer.Exit(1)


def _import(app: bootstrap.App, folder: Path, size: int, seed: int) -> None:
    written = write(folder, size, seed, START - timedelta(days=35))
    now = datetime.combine(START, datetime.min.time(), UTC)
    common: dict[str, Any] = {"now": now, "is_trial": True, "actor": "job:demo"}
    for creditor in CREDITORS:
        values = {name: getattr(creditor, name) for name in ("code", "name", "iban", "phone", "email")}
        with app.store.transaction() as conn:
            add_creditor(conn, values, "job:demo", now)
            switch_creditor(conn, creditor.code, on=True, actor="job:demo", now=now)
    load_claims(app.store, app.address_keys, written.claims_file, **common)
    known_until = START + timedelta(weeks=WEEKS)
    load_payments(app.store, app.address_keys, written.payments_file, as_of=known_until, **common)


def _live(app: bootstrap.App, out: Output) -> list[TickReport]:
    start = datetime.fromisoformat(f"{START.isoformat()}T10:00+02:00")
    until = start + timedelta(weeks=WEEKS) - timedelta(hours=12)
    reports: list[TickReport] = []
    week: list[TickReport] = []

    def report(one: TickReport) -> None:
        reports.append(one)
        week.append(one)
        if len(week) == 7:
            out.note(_week(week, len(reports) // 7))
            week.clear()

    async def go() -> None:
        channels = app.channels()
        lease = timedelta(seconds=app.settings.lease_seconds)
        await live(app.ticker(channels), moments(start, until, Every.DAY), lease, report)
        for channel in channels:
            await channel.aclose()

    asyncio.run(go())
    return reports


def _week(week: list[TickReport], number: int) -> str:
    looked = sum(one.selected for one in week)
    sent = sum(one.sent for one in week)
    days = " ".join(f"{one.sent:>3}" for one in week)
    return f"week {number}  looked at {looked:>5}  sent {sent:>4}   Mon…Sun {days}"


def _outcomes(reports: list[TickReport]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in reports:
        total += one.outcomes
    return total


def _result(reports: list[TickReport], steps: list[StepCount], whole: Book, outbox: Path) -> dict[str, Any]:
    return {
        "days": len(reports),
        "looked_at": sum(one.selected for one in reports),
        "outcomes": dict(sorted(_outcomes(reports).items())),
        "messages": sum(one.sent for one in reports),
        "files": sum(1 for _ in outbox.rglob("*.eml")),
        "steps": [vars(step) for step in steps],
        "claims": vars(whole),
        "adds_up": all(one.adds_up for one in reports)
        and sum(one.sent for one in reports) == sum(1 for _ in outbox.rglob("*.eml")),
    }


def _text(
    reports: list[TickReport],
    steps: list[StepCount],
    whole: Book,
    index: Path,
    seconds: float,
    settings: Settings,
) -> list[str]:
    result = _result(reports, steps, whole, settings.outbox)
    outcomes = [*result["outcomes"].items(), ("together", sum(result["outcomes"].values()))]
    claims = [
        ("paid, never reminded", whole.settled_unasked),
        ("paid after a reminder", whole.settled_after),
        ("open, reminded", whole.open_told),
        ("open, not reminded (not due yet, stopped, no address …)", whole.open_untold),
        ("together", whole.total),
    ]
    debtor, day_sent = _example(settings)
    verdict = "equal" if result["adds_up"] else "NOT EQUAL"
    return [
        "",
        *table(("every look ended in", "times"), outcomes),
        f"looked at {result['looked_at']}; messages sent {result['messages']}, "
        f"files in the outbox {result['files']}: sums {verdict}",
        "",
        *table(("step", "state", "messages", "claims"), [tuple(vars(step).values()) for step in steps]),
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


def write_pages(outbox: Path) -> Path:
    """Write a page that lists the messages, with each as a page of its own beside its bytes."""
    rows = []
    for path in sorted(outbox.rglob("*.eml"))[:MOST_PAGES]:
        message = pages.read(path.read_bytes())
        page = path.with_suffix(".html")
        page.write_text(pages.page(message), encoding="utf-8")
        cells = (path.parent.name, str(message["To"]), str(message["Subject"]))
        link = html.escape(page.relative_to(outbox).as_posix())
        shown = "</td><td>".join(html.escape(cell) for cell in cells)
        rows.append(f'<tr><td>{shown}</td><td><a href="{link}">open</a></td></tr>')
    index = outbox / "index.html"
    outbox.mkdir(parents=True, exist_ok=True)
    index.write_text(_PAGE.format(rows="\n".join(rows), count=len(rows)), encoding="utf-8")
    return index


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Outbox of the demo</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd; }}
td:first-child {{ white-space: nowrap; }}
</style></head><body>
<h1>Outbox of the demo</h1>
<p>The first {count} messages. Nobody named here exists, and nothing was sent.</p>
<table><thead><tr><th>Day</th><th>To</th><th>Subject</th><th></th></tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""
