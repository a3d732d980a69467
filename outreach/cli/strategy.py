"""Commands about strategies: what they come to on real dates, one's own, whom each is for, and moving to another."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import typer
from sqlalchemy import Connection

from consent.packs import shipped_packs
from outreach.bootstrap import App
from outreach.casework import strategies
from outreach.casework.targets import creditor_of, dossiers_of
from outreach.cli.named import As, Contract, Named, done
from outreach.cli.output import day, shown, table
from outreach.clock import machine_clock
from outreach.dunning import strategy
from outreach.dunning.strategy import Step, Strategy, Version
from outreach.errors import UsageError
from outreach.insight.forecast import OPEN, Branch, Planned, forecast
from outreach.planning.load import OPERATOR_ZONE
from outreach.store.tables.parties import Creditor

strategy_app = typer.Typer(help="Strategies: show, list, add, use, move.", no_args_is_help=True)

Whose = typer.Option(None, "--creditor", help="The creditor.")
Debtor = typer.Option(None, "--debtor", help="Only this debtor: the creditor's number of the debtor.")

COUNTRY = "NL"
INTERVAL_DAYS = int(Creditor.model_fields["interval_days"].default)

_HEAD = ("step", "on", "tone", "what", "channels", "reached", "who")
_WHO = {"message": "by itself", "call": "a person", "visit": "a person", "handover": "a person decides"}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(strategy_app, name="strategy")


@strategy_app.command("show")
def show(
    ctx: typer.Context,
    name: str,
    due: str = typer.Option(None, "--due", help="The due date of the claim; today by default."),
) -> None:
    """Show when each step of a strategy is told, for a claim due on a day of which nothing is paid."""
    version = _version(name)
    due_on = day(due, "--due") or machine_clock().astimezone(OPERATOR_ZONE).date()
    found = forecast(version.strategy, due_on, shipped_packs()[COUNTRY], OPERATOR_ZONE.key, INTERVAL_DAYS)
    data = {
        "name": name,
        "title": version.strategy.title,
        "hash": version.hash,
        "due_on": due_on,
        "branches": [
            {"triage": branch.triage, "steps": [_data(one) for one in branch.steps]} for branch in found
        ],
    }
    ctx.obj.value(data, _lines(version.strategy, due_on, found))


@strategy_app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the strategies that come with the service, and those that were added here."""
    added = done(
        lambda conn, _: [strategies.version_in_force(conn, row.name) for row in strategies.own(conn)]
    )
    rows = [(strategy.shipped(name), "shipped") for name in strategy.shipped_names()]
    rows += [(version, "added") for version in added]
    data = [
        {"name": one.strategy.name, "title": one.strategy.title, "origin": origin, "hash": one.hash}
        for one, origin in rows
    ]
    lines = [
        (one.strategy.name, origin, len(one.strategy.steps), one.hash[:16], one.strategy.title)
        for one, origin in rows
    ]
    ctx.obj.value(data, table(("name", "origin", "steps", "version", "title"), lines))


@strategy_app.command("add")
def add(ctx: typer.Context, file: Path, actor: str = As) -> None:
    """Check a strategy of your own and put this version of it in force; what runs stays on its version."""
    try:
        body = file.read_bytes()
    except OSError as error:
        msg = f"{file}: can't be read ({error.strerror}); expected a strategy as a TOML file"
        raise UsageError(msg) from error
    version = done(lambda conn, app: strategies.add(conn, body, file.name, actor, app.now()))
    name = version.strategy.name
    ctx.obj.value(
        {"added": name, "hash": version.hash},
        [f"{name} is in force as version {version.hash[:16]} (outreach strategy show {name})."],
    )


@strategy_app.command("use")
def use(
    ctx: typer.Context,
    name: str,
    creditor: str = Whose,
    segment: str = typer.Option(None, "--segment", help="Only dossiers with this imported word."),
    debtor: str = Debtor,
    contract: str = Contract,
    actor: str = As,
) -> None:
    """Choose a strategy for a creditor, one of its segments, or one debtor; what runs stays on its version."""
    if creditor is None:
        raise UsageError("expected --creditor")
    named = Named(debtor=debtor, creditor=creditor, contract=contract)

    def work(conn: Connection, app: App) -> str:
        creditor_of(conn, creditor)
        dossiers = dossiers_of(conn, named) if debtor is not None else []
        strategies.use(conn, name, creditor, actor, app.now(), segment=segment, dossiers=dossiers)
        return f"{len(dossiers)} dossier(s) of debtor {debtor}" if dossiers else creditor

    whom = done(work)
    whom = f"segment {segment} of {whom}" if segment is not None else whom
    ctx.obj.value(
        {"strategy": name, "creditor": creditor, "segment": segment, "debtor": debtor},
        [
            f"New trajectories of {whom} follow {name}.",
            "What runs stays on its version (outreach strategy move).",
        ],
    )


@strategy_app.command("move")
def move(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Whose,
    contract: str = Contract,
    actor: str = As,
) -> None:
    """Let the running trajectories of a debtor follow the version in force; each goes on where it stands."""
    named = Named(debtor=debtor, creditor=creditor, contract=contract)

    def work(conn: Connection, app: App) -> int:
        dossiers = dossiers_of(conn, named)
        strategies.move(conn, dossiers, actor, app.now())
        return len(dossiers)

    count = done(work)
    ctx.obj.value({"moved": count}, [f"{count} dossier(s) follow what is in force from now on."])


def _version(name: str) -> Version:
    """Return a version; one that comes with the service is shown before anything is installed."""
    if name in strategy.shipped_names():
        return strategy.shipped(name)
    return done(lambda conn, _: strategies.version_in_force(conn, name))


def _lines(one: Strategy, due_on: date, branches: tuple[Branch, ...]) -> list[str]:
    lines = [f"{one.name}: {one.title}", f"A claim due on {due_on}, of which nothing is paid:"]
    after = [
        f"{start.signal} (after {start.days} days)" if start.days else start.signal for start in one.starts
    ]
    lines += [f"Once it is overdue, it starts early on: {', '.join(after)}."] if after else []
    for branch in branches:
        rows = [_row(planned) for planned in branch.steps]
        lines += ["", *([_heading(branch)] if len(branches) > 1 else []), *table(_HEAD, rows)]
    return lines


def _heading(branch: Branch) -> str:
    led = [word for word in branch.triage if word != OPEN]
    parts = ["nobody answers"] if OPEN in branch.triage else []
    parts += [f"the answers lead to {' or '.join(led)}"] if led else []
    return f"If {', or '.join(parts)}:"


def _row(planned: Planned) -> tuple[str, ...]:
    step = planned.step
    return (
        step.id,
        shown(planned.at) if planned.at is not None else "on a signal",
        step.tone,
        step.template or step.kind,
        _channels(step),
        _reached(step),
        "after a person's yes" if step.approval else _WHO[step.kind],
    )


def _channels(step: Step) -> str:
    if step.kind != "message":
        return "—"
    return ", then ".join(step.channels) or "as preferred"


def _reached(step: Step) -> str:
    """Say what counts as reached: hours without a bounce or return, or a person who answered."""
    if step.kind == "handover":
        return "—"
    if step.kind != "message":
        return f"answered, or {step.tries} tries"
    own = [f"{kind.value} {hours} h" for kind, hours in step.reached.items()]
    return ", ".join([f"{step.reached_after_hours} h", *own])


def _data(planned: Planned) -> dict[str, Any]:
    step = planned.step
    return {
        "step": step.id,
        "kind": step.kind,
        "on": planned.on,
        "at": planned.at,
        "tone": step.tone,
        "template": step.template,
        "channels": step.channels,
        "reached_after_hours": step.reached_after_hours,
        "reached": {kind.value: hours for kind, hours in step.reached.items()},
        "tries": step.tries,
        "approval": step.approval,
    }
