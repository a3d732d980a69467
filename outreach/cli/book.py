"""Commands about the book: import, creditors, the sending switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from outreach import bootstrap
from outreach.casework import creditors, switches
from outreach.cli.output import Output, day, table
from outreach.clock import machine_clock
from outreach.intake import load
from outreach.intake.mapping import load_mapping

creditor_app = typer.Typer(help="Creditors: add, set, show.", no_args_is_help=True)
import_app = typer.Typer(help="Import claims and payments.", no_args_is_help=True)

As = typer.Option("staff:cli", "--as", help="Who does this.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(creditor_app, name="creditor")
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


_FIELDS = ("name", "iban", "phone", "email", "kind", "register_number", "strategy")


def _values(options: dict[str, Any]) -> dict[str, Any]:
    return {
        name: options[name]
        for name in (*_FIELDS, "is_agency", "is_small_office", "freshness_hours", "interval_days")
    }


@creditor_app.command("add")
def add(
    ctx: typer.Context,
    code: str,
    name: str = typer.Option(..., "--name"),
    iban: str = typer.Option(None, "--iban"),
    phone: str = typer.Option(None, "--phone"),
    email: str = typer.Option(None, "--email"),
    kind: str = typer.Option(None, "--type", help="What sort of organisation."),
    register_number: str = typer.Option(None, "--register-number"),
    is_agency: bool = typer.Option(None, "--agency/--own-claims"),
    is_small_office: bool = typer.Option(None, "--small-office/--large-office"),
    freshness_hours: int = typer.Option(None, "--freshness", help="Hours that known payments stay fresh."),
    interval_days: int = typer.Option(None, "--interval", help="Days between two messages to one person."),
    strategy: str = typer.Option(None, "--strategy"),
    actor: str = As,
) -> None:
    """Add a creditor; sending for it starts off."""
    values = _values(locals()) | {"code": code}
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.transaction() as conn:
        creditors.add_creditor(conn, values, actor, machine_clock())
    ctx.obj.value(
        {"added": code}, [f"Added {code}. Sending for it is off (outreach sending on --creditor {code})."]
    )


@creditor_app.command("set")
def change(
    ctx: typer.Context,
    code: str,
    name: str = typer.Option(None, "--name"),
    iban: str = typer.Option(None, "--iban"),
    phone: str = typer.Option(None, "--phone"),
    email: str = typer.Option(None, "--email"),
    kind: str = typer.Option(None, "--type", help="What sort of organisation."),
    register_number: str = typer.Option(None, "--register-number"),
    is_agency: bool = typer.Option(None, "--agency/--own-claims"),
    is_small_office: bool = typer.Option(None, "--small-office/--large-office"),
    freshness_hours: int = typer.Option(None, "--freshness", help="Hours that known payments stay fresh."),
    interval_days: int = typer.Option(None, "--interval", help="Days between two messages to one person."),
    strategy: str = typer.Option(None, "--strategy"),
    actor: str = As,
) -> None:
    """Change what is known of a creditor; queued messages are planned anew."""
    values = _values(locals())
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.transaction() as conn:
        creditors.change_creditor(conn, code, values, actor, machine_clock())
    ctx.obj.value({"changed": code}, [f"Changed {code}."])


@creditor_app.command("show")
def show(ctx: typer.Context) -> None:
    """Show all creditors."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        rows = [dict(row._mapping) for row in creditors.creditors(conn)]
    head = ("code", "name", "iban", "phone", "sending", "strategy", "payments known until")
    lines = table(
        head,
        [
            (
                row["code"],
                row["name"],
                row["iban"],
                row["phone"],
                "on" if row["sending"] else "off",
                row["strategy"],
                row["payments_until_on"] or "unknown",
            )
            for row in rows
        ],
    )
    ctx.obj.value(rows, lines)


Mapping = typer.Option(None, "--mapping", help="A TOML file, or the name of one that comes with the service.")


@import_app.command("claims")
def claims(
    ctx: typer.Context,
    file: Path,
    creditor: str = typer.Option(None, "--creditor", help="For files without that column."),
    mapping: str = Mapping,
    dry_run: bool = typer.Option(False, "--dry-run", help="Read and check everything, keep nothing."),
    actor: str = As,
) -> None:
    """Import claims from a CSV file; bad rows go to a rejects file, the good ones go on."""
    _import(ctx, "claims", file, creditor, mapping, None, dry_run, actor)


@import_app.command("payments")
def payments(
    ctx: typer.Context,
    file: Path,
    creditor: str = typer.Option(None, "--creditor", help="For files without that column."),
    mapping: str = Mapping,
    as_of: str = typer.Option(None, "--as-of", help="The last day whose payments are all in this file."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Read and check everything, keep nothing."),
    actor: str = As,
) -> None:
    """Import payments from a CSV file."""
    _import(ctx, "payments", file, creditor, mapping, day(as_of, "--as-of"), dry_run, actor)


def _import(
    ctx: typer.Context,
    kind: str,
    file: Path,
    creditor: str | None,
    mapping: str | None,
    as_of: Any,
    dry_run: bool,
    actor: str,
) -> None:
    read = load.load_claims if kind == "claims" else load.load_payments
    with bootstrap.opened(bootstrap.read_settings()) as app:
        report = read(
            app.store,
            app.address_keys,
            file,
            creditor_code=creditor,
            mapping=load_mapping(mapping) if mapping is not None else None,
            now=app.now(),
            as_of=as_of,
            dry_run=dry_run,
            is_trial=app.installed.is_trial,
            actor=actor,
            rejects_folder=Path.cwd(),
        )
    ctx.obj.value(report.as_dict(), report.lines())
    if report.refused:
        raise typer.Exit(1)
