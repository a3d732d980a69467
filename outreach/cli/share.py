"""Commands about sharing: agreements, what was shared with whom, who must be told of a change, handover dossiers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from sqlalchemy import Connection

from consent.disclosure import Disclosure
from outreach import bootstrap
from outreach.casework.days import civil_today
from outreach.casework.targets import dossiers_of
from outreach.cli.named import As, Contract, Creditor, Debtor, Named, done
from outreach.cli.output import shown, table
from outreach.cli.share_signals import register as register_signals
from outreach.errors import Refused, UsageError
from outreach.sharing import agreements, dossier, ledger, notices
from outreach.store.types import AnyRow

share_app = typer.Typer(help="With whom data is shared, and what left.", no_args_is_help=True)
agreement_app = typer.Typer(help="Agreements: what may be shared with whom.", no_args_is_help=True)
share_app.add_typer(agreement_app, name="agreement")
register_signals(share_app)

Code = typer.Argument(help="The code of the agreement.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(share_app, name="share")


@agreement_app.command("example")
def example(
    name: str = typer.Argument(None, help="Which; without it the names are listed."),
) -> None:
    """Print an agreement to begin from."""
    print(agreements.example(name) if name else "\n".join(agreements.examples()), end="" if name else "\n")


@agreement_app.command("add")
def add(ctx: typer.Context, file: Path, actor: str = As) -> None:
    """Keep an agreement from a file, or a new version of it; it waits for a second person."""
    try:
        body = file.read_bytes()
    except OSError as error:
        msg = f"{file}: can't be read: {error.strerror}"
        raise UsageError(msg) from error
    made = agreements.read(body, file.name)
    version = done(lambda conn, app: agreements.add(conn, made, actor, app.now()))
    ctx.obj.value(
        {"agreement": made.code, "version": version},
        [f"Agreement {made.code}, version {version}, waits for approval (outreach share agreement approve)."],
    )


@agreement_app.command("approve")
def approve(ctx: typer.Context, code: str = Code, actor: str = As) -> None:
    """Approve the newest version: a second person, or in a small office again after a day."""
    row = done(lambda conn, app: agreements.approve(conn, code, actor, app.now()))
    ctx.obj.value(
        {"agreement": code, "version": row.version},
        [f"Agreement {code}, version {row.version}, is approved."],
    )


@agreement_app.command("withdraw")
def withdraw(ctx: typer.Context, code: str = Code, actor: str = As) -> None:
    """Withdraw an agreement: from now on nothing is shared under it."""
    count = done(lambda conn, app: agreements.withdraw(conn, code, actor, app.now()))
    ctx.obj.value({"agreement": code, "versions": count}, [f"Agreement {code} is withdrawn."])


@agreement_app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the agreements, every version, and how each stands."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        today = civil_today(app.now())
        rows = [
            _agreement(row) | {"state": agreements.state_of(row, today)}
            for row in agreements.agreements(conn)
        ]
    head = ("agreement", "version", "recipient", "purpose", "creditor", "until", "state")
    cells = [
        (
            row["code"],
            row["version"],
            row["recipient"],
            row["purpose"],
            row["creditor"] or "all",
            row["expires_on"],
            row["state"],
        )
        for row in rows
    ]
    ctx.obj.value(rows, table(head, cells))


@agreement_app.command("show")
def show(ctx: typer.Context, code: str = Code) -> None:
    """Show all that the versions of an agreement say."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        agreements.expect(conn, code)
        rows = [_agreement(row) for row in agreements.agreements(conn) if row.code == code]
    lines = [
        f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}"
        for row in rows
        for name, value in row.items()
        if value not in (None, "", [])
    ]
    ctx.obj.value(rows, lines)


def _agreement(row: AnyRow) -> dict[str, Any]:
    names = (
        "code version creditor recipient recipient_kind role purpose activity basis retention_days country "
        "transfer contract valid_from_on expires_on set_by set_at approved_by approved_at withdrawn_by withdrawn_at"
    )
    lists = {name: json.loads(getattr(row, name)) for name in ("fields", "places")}
    return {name: getattr(row, name) for name in names.split()} | lists


@share_app.command("ledger")
def show_ledger(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    limit: int = typer.Option(50, "--limit", min=1, help="The newest so many."),
) -> None:
    """Show who received what, when and why, and what was refused."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        found = dossiers_of(conn, Named(debtor, creditor, contract)) if debtor is not None else None
        keys = [one.id for one in found] if found is not None else None
        rows = ledger.disclosures(conn, keys, limit)
        names = [one.pseudonym for one in found] if found is not None else None
        refused = ledger.refusals(conn, names, limit)
    cells = [
        (
            shown(row.at),
            row.recipient,
            row.kind,
            row.basis,
            row.debtor or "—",
            " ".join(json.loads(row.fields)),
        )
        for row in rows
    ]
    said = [f"refused {shown(row.at)}: {', '.join(json.loads(row.reasons))}" for row in refused]
    data = {
        "disclosed": [_disclosed(row) for row in rows],
        "refused": [{"at": row.at, "by": row.actor, "reasons": json.loads(row.reasons)} for row in refused],
    }
    ctx.obj.value(data, [*table(("when", "recipient", "what", "basis", "debtor", "fields"), cells), *said])


def _disclosed(row: AnyRow) -> dict[str, Any]:
    names = (
        "pseudonym at kind recipient recipient_kind agreement version purpose basis retention_days creditor debtor "
        "person actor approved_by"
    )
    return {name: getattr(row, name) for name in names.split()} | {"fields": json.loads(row.fields)}


@share_app.command("notices")
def list_notices(
    ctx: typer.Context,
    every: bool = typer.Option(False, "--all", help="Also those that ended."),
    actor: str = As,
) -> None:
    """Find what changed since it was shared, and list who must be told."""

    def work(conn: Connection, app: bootstrap.App) -> tuple[int, list[AnyRow]]:
        made = notices.noticed(conn, actor, app.now())
        return len(made), notices.notices(conn, all_of_them=every)

    made, rows = done(work)
    cells = [
        (
            row.pseudonym[:8],
            row.recipient,
            row.kind,
            " ".join(json.loads(row.fields)),
            shown(row.asked_at),
            row.outcome_code or "to be told",
        )
        for row in rows
    ]
    data = [
        {
            "notice": row.pseudonym,
            "recipient": row.recipient,
            "kind": row.kind,
            "fields": json.loads(row.fields),
            "disclosure": row.disclosure,
            "asked_at": row.asked_at,
            "told_at": row.told_at,
            "outcome": row.outcome_code,
        }
        for row in rows
    ]
    lines = table(("notice", "recipient", "what", "fields", "since", "state"), cells)
    ctx.obj.value(data, [*lines, f"{made} new"])


@share_app.command("told")
def told(
    ctx: typer.Context,
    notice: str = typer.Argument(help="Its id, or the beginning of it."),
    outcome: str = typer.Option("told", "--outcome", help=", ".join(notices.OUTCOMES)),
    actor: str = As,
) -> None:
    """Keep that a recipient was told of a change, or why that can't be."""
    row = done(lambda conn, app: notices.tell(conn, notice, outcome, actor, app.now()))
    ctx.obj.value({"notice": row.pseudonym, "outcome": outcome}, [f"Notice {row.pseudonym[:8]}: {outcome}."])


@share_app.command("dossier")
def hand_over(
    ctx: typer.Context,
    agreement: str = typer.Option(..., "--agreement", help="The code of the agreement."),
    out: Path = typer.Option(..., "--out", help="An empty folder, or one that is not there yet."),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    actor: str = As,
) -> None:
    """Make the dossier for an agency or a bailiff: complete, or refused with what is missing."""
    dossier.expect_empty(out)
    named = Named(debtor, creditor, contract)
    made = done(
        lambda conn, app: dossier.hand_over(conn, named, agreement, app.address_keys, actor, app.now())
    )
    expect_allowed(made.shared.answer)
    dossier.write(out, made.files)
    data = {"disclosure": made.shared.pseudonym, "recipient": made.recipient, "files": sorted(made.files)}
    ctx.obj.value(
        data, [f"{out}: {len(made.files)} files for {made.recipient} (dossier.html is the one to read)."]
    )


def expect_allowed(answer: Disclosure) -> None:
    """Raise Refused with every reason for what may not leave; the refusal was written down before."""
    if not answer.allowed:
        raise Refused(f"nothing was shared: {', '.join(answer.reasons)}")
