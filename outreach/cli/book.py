"""Commands about the book: import, and the sending switch."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple

import typer

from outreach import bootstrap
from outreach.casework import switches
from outreach.cli import suggest
from outreach.cli.creditor import creditor_app
from outreach.cli.output import Output, day
from outreach.clock import machine_clock
from outreach.errors import UsageError
from outreach.intake import load
from outreach.intake.facts import load_facts
from outreach.intake.mapping import load_mapping
from outreach.intake.open_items import load_open_items
from outreach.intake.report import ImportReport

import_app = typer.Typer(help="Import claims and payments.", no_args_is_help=True)

As = typer.Option("staff:cli", "--as", help="Who does this.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(creditor_app, name="creditor")
    suggest.register(import_app)
    app.add_typer(import_app, name="import")
    app.command("sending")(sending)


def sending(
    ctx: typer.Context,
    switch: str = typer.Argument(help="on or off"),
    creditor: str = typer.Option(None, "--creditor", help="Only this creditor."),
    confirm_copy: bool = typer.Option(
        False, "--confirm-copy", help="Go on with an older copy of the database."
    ),
    actor: str = As,
) -> None:
    """Switch sending on or off, for all or for one creditor."""
    if switch not in {"on", "off"}:
        raise typer.BadParameter("expected on or off")
    on = switch == "on"
    out: Output = ctx.obj
    with bootstrap.opened(bootstrap.read_settings()) as app:
        if app.installed.copy_suspected and on and creditor is None:
            if not confirm_copy:
                raise typer.BadParameter(
                    "this database is an older copy: it does not know what was sent or objected to since. "
                    "Compare first; then add --confirm-copy"
                )
            bootstrap.confirm_copy(app)
        with app.store.transaction() as conn:
            now = machine_clock()
            if creditor is None:
                switches.switch_sending(conn, on=on, actor=actor, now=now)
            else:
                switches.switch_creditor(conn, creditor, on=on, actor=actor, now=now)
    where = f"for {creditor}" if creditor else "for the whole installation"
    out.value({"sending": on, "creditor": creditor}, [f"Sending is {switch} {where}."])


Mapping = typer.Option(None, "--mapping", help="A TOML file, or the name of one that comes with the service.")
DryRun = typer.Option(
    False, "--dry-run", help="Read and check everything, show what would happen, keep nothing."
)
OneCreditor = typer.Option(None, "--creditor", help="For files without that column.")


class Mode(StrEnum):
    """What a claims file is: rows to add or change, or the full list of what one creditor is owed."""

    ADD = "add"
    OPEN_ITEMS = "open-items"


@import_app.command("claims")
def claims(
    ctx: typer.Context,
    file: Path,
    creditor: str = OneCreditor,
    mapping: str = Mapping,
    mode: Mode = typer.Option(
        Mode.ADD,
        "--mode",
        help="open-items: the full list of one creditor; what is missing in it is settled.",
    ),
    as_of: str = typer.Option(
        None, "--as-of", help="open-items: the last day that the list is complete up to."
    ),
    accept: bool = typer.Option(False, "--accept", help="open-items: take a list that would be put aside."),
    dry_run: bool = DryRun,
    actor: str = As,
) -> None:
    """Import claims from a CSV file; bad rows go to a rejects file, the good ones go on."""
    until = day(as_of, "--as-of")
    common = _Common(creditor, mapping, dry_run, actor)
    if mode is Mode.OPEN_ITEMS:
        if until is None:
            msg = "--mode open-items needs --as-of DATE: the last day that the list is complete up to"
            raise UsageError(msg)
        _import(ctx, partial(load_open_items, as_of=until, accept=accept), file, common)
        return
    if until is not None or accept:
        msg = "--as-of and --accept of claims are for a full list: add --mode open-items"
        raise UsageError(msg)
    _import(ctx, load.load_claims, file, common)


@import_app.command("payments")
def payments(
    ctx: typer.Context,
    file: Path,
    creditor: str = OneCreditor,
    mapping: str = Mapping,
    as_of: str = typer.Option(None, "--as-of", help="The last day whose payments are all in this file."),
    dry_run: bool = DryRun,
    actor: str = As,
) -> None:
    """Import payments from a CSV file."""
    read = partial(load.load_payments, as_of=day(as_of, "--as-of"))
    _import(ctx, read, file, _Common(creditor, mapping, dry_run, actor))


@import_app.command("facts")
def facts(
    ctx: typer.Context,
    file: Path,
    creditor: str = OneCreditor,
    dry_run: bool = DryRun,
    actor: str = As,
) -> None:
    """Import facts about debtors from a CSV file: deaths, representatives, objections, disputes, holds."""
    _import(ctx, load_facts, file, _Common(creditor, None, dry_run, actor))


class _Common(NamedTuple):
    """The options of every import."""

    creditor: str | None
    mapping: str | None
    dry_run: bool
    actor: str


def _import(ctx: typer.Context, read: Callable[..., ImportReport], file: Path, common: _Common) -> None:
    shape = {} if common.mapping is None else {"mapping": load_mapping(common.mapping)}
    with bootstrap.opened(bootstrap.read_settings()) as app:
        report = read(
            app.store,
            app.address_keys,
            file,
            creditor_code=common.creditor,
            **shape,
            now=app.now(),
            dry_run=common.dry_run,
            is_trial=app.installed.is_trial,
            actor=common.actor,
            rejects_folder=Path.cwd(),
        )
    ctx.obj.value(report.as_dict(), report.lines())
    if report.refused or report.put_aside:
        raise typer.Exit(1)
