"""Commands about declarations: what the operator says is there, until when, and where it is kept."""

from __future__ import annotations

from typing import Any

import typer

from outreach import bootstrap
from outreach.casework import declarations
from outreach.casework.targets import creditor_of
from outreach.cli.named import As, done
from outreach.cli.output import day, table
from outreach.store.types import AnyRow

declare_app = typer.Typer(
    help="Declarations: contracts, assessments and notices that are there.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(declare_app, name="declare")


@declare_app.command("add")
def add(
    ctx: typer.Context,
    kind: str = typer.Argument(help=", ".join(declarations.KINDS)),
    about: str = typer.Option(
        ..., "--about", help="A processor, an activity of the register of processing, or a dispute scheme."
    ),
    reference: str = typer.Option(..., "--reference", help="Where it is kept."),
    from_: str = typer.Option(None, "--from", help="The first day on which it holds; else today."),
    until: str = typer.Option(None, "--until", help="The first day on which it holds no longer."),
    creditor: str = typer.Option(None, "--creditor", help="Whose it is; else it holds for all."),
    actor: str = As,
) -> None:
    """Declare that a document is there."""
    new = declarations.Declaration(
        kind=kind,
        subject=about,
        reference=reference,
        from_on=day(from_, "--from"),
        until_on=day(until, "--until"),
        creditor=creditor,
    )
    made = done(lambda conn, app: declarations.declare(conn, new, actor, app.now()))
    end = f" until {until}" if until else ", until it is withdrawn"
    ctx.obj.value({"declared": made}, [f"Declared {made[:8]}: {kind} about {about}{end}."])


@declare_app.command("list")
def list_declarations(ctx: typer.Context, creditor: str = typer.Option(None, "--creditor")) -> None:
    """List what was declared and not withdrawn, expired or not."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        rows = declarations.declarations(
            conn, creditor_of(conn, creditor).id if creditor is not None else None
        )
    head = ("declared", "kind", "about", "creditor", "from", "until", "reference", "by")
    cells = [
        (
            row.pseudonym[:8],
            row.kind,
            row.subject,
            row.creditor or "all",
            row.from_on,
            row.until_on or "—",
            row.reference,
            row.actor,
        )
        for row in rows
    ]
    ctx.obj.value([_declared(row) for row in rows], table(head, cells))


def _declared(row: AnyRow) -> dict[str, Any]:
    names = "pseudonym kind subject creditor reference from_on until_on actor at"
    return {name: getattr(row, name) for name in names.split()}


@declare_app.command("withdraw")
def withdraw(
    ctx: typer.Context,
    declaration: str = typer.Argument(help="Its id, or the beginning of it."),
    actor: str = As,
) -> None:
    """Say that a document holds no longer."""
    row = done(lambda conn, app: declarations.withdraw(conn, declaration, actor, app.now()))
    ctx.obj.value(
        {"withdrawn": row.pseudonym}, [f"Withdrawn {row.pseudonym[:8]}: {row.kind} about {row.subject}."]
    )
