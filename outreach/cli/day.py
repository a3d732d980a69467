"""Commands of the day: what goes out, waits and is stuck; and the manager's list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

import typer
from sqlalchemy import Connection

from outreach import bootstrap
from outreach.cli.output import moment, shown, table
from outreach.insight.day import Day, Total, day
from outreach.insight.stuck import Stuck
from outreach.insight.today import Today, Waits, today
from outreach.planning.plan import Planner

T = TypeVar("T")

At = typer.Option(None, "--at", help="As of which time; nothing between now and then is lived through.")
Creditor = typer.Option(None, "--creditor", help="Only of this creditor.")
Limit = typer.Option(20, "--limit", min=0, help="At most so many rows of each table; totals are whole.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("today")(today_command)
    app.command("day")(day_command)


def today_command(ctx: typer.Context, at: str = At, creditor: str = Creditor, limit: int = Limit) -> None:
    """Show what goes out, what waits and until when, and what is stuck. Writes nothing."""
    found = _read(at, lambda conn, planner, now: today(conn, planner, now, creditor, limit))
    ctx.obj.value(asdict(found), _today(found))


def day_command(ctx: typer.Context, at: str = At, creditor: str = Creditor, limit: int = Limit) -> None:
    """Show the manager's list: open items, who does not respond, unmatched payments, who needs attention.

    With --json every row is printed.
    """
    most = None if ctx.obj.as_json else limit
    found = _read(at, lambda conn, planner, now: day(conn, planner, now, creditor, most))
    ctx.obj.value(asdict(found), _day(found))


def _read(at: str | None, look: Callable[[Connection, Planner, datetime], T]) -> T:
    with bootstrap.opened(bootstrap.read_settings()) as app:
        now = moment(at, "--at") or app.now()
        with app.store.reading() as conn:
            return look(conn, app.planner(), now)


def _part(
    title: str, head: Sequence[str], rows: Iterable[Sequence[Any]], total: int | None = None
) -> list[str]:
    """Lay out one table with its title; without rows the title says so."""
    cells = [["" if cell is None else cell for cell in row] for row in rows]
    if not cells:
        return ["", f"{title}: {total or 'none'}"]
    more = f" (the first {len(cells)} of {total})" if total is not None and total > len(cells) else ""
    return ["", f"{title}{more}", *table(head, cells)]


def _today(found: Today) -> list[str]:
    became = ", ".join(f"{units} {word}" for word, units in found.became.items()) or "none"
    out = sum(one.ready + one.planned for one in found.out)
    waits = sum(one.units for one in found.waits)
    lines = [f"{shown(found.at)}: {found.due} due to be looked at ({became})"]
    steps = [(one.channel, one.step, one.ready, one.planned) for one in found.out]
    lines += _part(f"Goes out: {out}", ("channel", "step", "ready", "planned"), steps)
    rows = [
        (one.creditor, one.debtor, one.channel, one.step, "ready" if one.ready else "planned")
        for one in found.out_rows
    ]
    lines += _part("Messages", ("creditor", "debtor", "channel", "step", "stands"), rows, out)
    lines += _part(f"Waits: {waits}", _WAITS, map(_waits, found.waits))
    waiting = [
        (one.creditor, one.debtor, one.outcome, one.code, shown(one.until)) for one in found.waits_rows
    ]
    lines += _part("Who waits", ("creditor", "debtor", "outcome", "why", "until"), waiting, waits)
    return [*lines, *_stuck(found, found.stuck)]


_WAITS = ("outcome", "why", "units", "first until")


def _waits(one: Waits) -> tuple[Any, ...]:
    return one.outcome, one.code, one.units, shown(one.until)


def _stuck(found: Today, stuck: Stuck) -> list[str]:
    lines = ["", "Stuck"]
    if stuck.sending_off:
        lines.append("Sending is off for the whole installation (outreach sending on).")
    work = [(one.kind, one.tasks, one.overdue, shown(one.due_at)) for one in stuck.work]
    lines += _part("Tasks", ("kind", "open", "overdue", "first due"), work)
    tasks = [
        (one.task[:8], one.kind, one.creditor, one.debtor, one.owner, shown(one.due_at), _late(one.overdue))
        for one in stuck.tasks
    ]
    head = ("task", "kind", "creditor", "debtor", "owner", "due", "late")
    lines += _part("Work", head, tasks, sum(one.tasks for one in stuck.work))
    lines += _part("Tasks that planning would open", ("kind", "tasks"), found.tasks_to_open.items())
    doubt = [(one.creditor, one.debtor, one.channel, shown(one.handed_over_at)) for one in stuck.in_doubt]
    lines += _part("In doubt", ("creditor", "debtor", "channel", "since"), doubt, stuck.in_doubt_total)
    lines += _part("Stopped without an end", _WAITS, map(_waits, found.stopped))
    stops = [(one.kind, one.scope, one.stops, shown(one.since)) for one in stuck.stops]
    lines += _part("Stops without an end", ("kind", "scope", "stops", "since"), stops)
    off = [(one.creditor, one.code, one.payments_until_on) for one in stuck.off]
    lines += _part("Creditors for whom nothing goes", ("creditor", "why", "payments until"), off)
    aside = [(one.file_name, shown(one.at), one.as_of_on, one.why) for one in stuck.aside]
    return lines + _part("Lists put aside", ("file", "at", "as of", "why"), aside)


def _late(is_overdue: bool) -> str:
    return "overdue" if is_overdue else ""


def _day(found: Day) -> list[str]:
    kept = [
        (one.kind, one.kept, one.broken, one.ended, one.running, one.running_missed) for one in found.kept
    ]
    head = ("kind", "kept", "broken", "ended", "running", "of which missed")
    return [
        f"The list of {shown(found.at)}",
        *_open_items(found),
        *_silent(found),
        *_unplaced(found),
        *_attention(found),
        *_part("Arrangements of the last 30 days, of all creditors", head, kept),
    ]


def _open_items(found: Day) -> list[str]:
    rows = [
        (
            one.creditor,
            one.debtor,
            one.invoice,
            one.due_on,
            _amount(one.open_cents, one.currency),
            one.steps_taken,
            f"{one.last_step} {one.last_on or ''}".strip(),
            f"{one.next_step} {one.next_on or ''}".strip(),
            one.account,
            one.paused,
        )
        for one in found.open_items
    ]
    head = ("creditor", "debtor", "invoice", "due", "open", "steps", "told last", "next", "account", "paused")
    return _part(f"Open items: {_sums(found.open_totals)}", head, rows, _count(found.open_totals))


def _silent(found: Day) -> list[str]:
    rows = [
        (one.creditor, one.debtor, one.person[:8], one.messages, one.first_on, one.last_on)
        for one in found.silent
    ]
    head = ("creditor", "debtor", "person", "messages", "first", "last")
    return _part(f"No response: {found.silent_total}", head, rows, found.silent_total)


def _unplaced(found: Day) -> list[str]:
    rows = [
        (
            one.creditor,
            one.payment,
            one.kind,
            one.booked_on,
            _amount(one.unplaced_cents, one.currency),
            one.debtor,
            one.reference[:40],
        )
        for one in found.unplaced
    ]
    head = ("creditor", "payment", "kind", "booked", "unplaced", "debtor", "reference")
    title = f"Unmatched payments: {_sums(found.unplaced_totals)}"
    return _part(title, head, rows, _count(found.unplaced_totals))


def _attention(found: Day) -> list[str]:
    counts = ", ".join(f"{count} {why}" for why, count in found.attention_totals.items() if count) or "nobody"
    rows = [(one.why, one.creditor, one.debtor, one.since_on, one.what, one.owner) for one in found.attention]
    head = ("why", "creditor", "debtor", "since", "what", "owner")
    return _part(f"Needs attention: {counts}", head, rows, sum(found.attention_totals.values()))


def _amount(cents: int, currency: str) -> str:
    return f"{currency} {cents / 100:.2f}"


def _count(totals: list[Total]) -> int:
    return sum(total.count for total in totals)


def _sums(totals: list[Total]) -> str:
    return ", ".join(f"{one.count} of {_amount(one.cents, one.currency)}" for one in totals) or "none"
