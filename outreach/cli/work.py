"""Commands that run the service: init, migrate, run, serve, doctor."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, timedelta
from typing import Any

import typer

from outreach import bootstrap
from outreach.cli import start
from outreach.cli.output import Output, moment, shown, table
from outreach.clock import machine_clock
from outreach.delivery.dispatch import Lease
from outreach.errors import Refused, UsageError
from outreach.planning.load import civil_today
from outreach.schedule.period import Every, live, moments
from outreach.schedule.tick import TickReport


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("init")(start.init)
    app.command("migrate")(migrate)
    app.command("run")(run)
    app.command("doctor")(doctor)


def migrate(ctx: typer.Context) -> None:
    """Bring the database to the newest schema and reinstall its triggers."""
    bootstrap.migrate(bootstrap.read_settings())
    ctx.obj.value({"migrated": True}, ["The database is at the newest schema."])


def run(
    ctx: typer.Context,
    at: str = typer.Option(None, "--at", help="Set the clock (trial databases only)."),
    until: str = typer.Option(None, "--until", help="Run every tick from --at up to this time."),
    every: Every = typer.Option(Every.DAY, "--every", help="How often a period ticks."),
) -> None:
    """Run one tick, or every tick of a period: plan, send, settle."""
    start, end = moment(at, "--at"), moment(until, "--until")
    if end is not None and start is None:
        msg = "--until needs --at"
        raise UsageError(msg)
    reports: list[TickReport] = []
    out: Output = ctx.obj

    def report(one: TickReport) -> None:
        reports.append(one)
        if end is not None and one.selected:
            out.note(_line(one))

    settings = bootstrap.read_settings()
    lease = timedelta(seconds=settings.lease_seconds)

    async def go(app: bootstrap.App) -> bool:
        channels = app.channels()
        ticker = app.ticker(channels)
        try:
            if start is not None:
                return await live(ticker, moments(start, end or start, every), lease, report)
            async with Lease(app.store, machine_clock, lease) as place:
                report(await ticker.tick(machine_clock(), place))
            return reports[-1].adds_up
        finally:
            for channel in channels:
                await channel.aclose()

    with bootstrap.opened(settings, for_sending=True) as app:
        if start is not None and not app.installed.is_trial:
            msg = "a set clock works on a trial database only (outreach init --trial)"
            raise Refused(msg)
        if app.installed.copy_suspected:
            out.note(
                "Sending is off: this database is an older copy (see: outreach sending on --confirm-copy)."
            )
        adds_up = asyncio.run(go(app))
    out.value(_summary(reports), _text(reports))
    if not adds_up:
        raise typer.Exit(1)


def _line(one: TickReport) -> str:
    parts = ", ".join(f"{count} {word}" for word, count in sorted(one.outcomes.items()))
    sign = "=" if one.adds_up else "≠"
    return f"{shown(one.at)}  looked at {one.selected} {sign} {parts}"


def _summary(reports: list[TickReport]) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    handed: Counter[str] = Counter()
    for one in reports:
        outcomes += one.outcomes
        handed += one.handed_over
    return {
        "ticks": len(reports),
        "selected": sum(one.selected for one in reports),
        "outcomes": dict(sorted(outcomes.items())),
        "handed_over": dict(sorted(handed.items())),
        "adds_up": all(one.adds_up for one in reports),
    }


def _text(reports: list[TickReport]) -> list[str]:
    summary = _summary(reports)
    days = {civil_today(one.at) for one in reports}
    rows = [*summary["outcomes"].items(), ("together", sum(summary["outcomes"].values()))]
    verdict = "adds up" if summary["adds_up"] else "DOES NOT ADD UP"
    return [
        "",
        f"{summary['ticks']} ticks on {len(days)} days{_span(days)}",
        *table(("became", "units"), rows),
        f"looked at {summary['selected']}: the account {verdict}",
        f"messages handed over: {summary['handed_over'].get('accepted', 0)}",
    ]


def _span(days: set[date]) -> str:
    return f" ({min(days)} to {max(days)})" if len(days) > 1 else ""


def doctor(ctx: typer.Context) -> None:
    """Show the settings, and what is unsafe for real use."""
    settings = bootstrap.read_settings()
    out: Output = ctx.obj
    with bootstrap.opened(settings) as app:
        facts = {
            "data folder": str(settings.data_dir),
            "database": app.store.dialect,
            "trial": app.installed.is_trial,
            "sending": app.installed.sending,
            "older copy suspected": app.installed.copy_suspected,
            "mail goes to": str(bootstrap.read_relay(settings))
            if settings.smtp_url
            else str(settings.outbox),
            "mail from": settings.mail_from,
            "public address": settings.public_url,
            "schema": bootstrap.schema_state(app),
        }
        problems = bootstrap.unsafe(app)
    lines = [*table(("setting", "value"), facts.items())]
    lines += (
        ["", *(f"unsafe: {problem}" for problem in problems)] if problems else ["", "Nothing unsafe found."]
    )
    out.value({"settings": facts, "unsafe": problems}, lines)
    if problems and not app.installed.is_trial:
        raise typer.Exit(1)
