"""Commands about complaints: take one in, note that receipt was confirmed, answer it, and the register."""

from __future__ import annotations

from typing import Any

import typer
from sqlalchemy import Connection

from outreach import bootstrap
from outreach.casework import complaint_register, complaints
from outreach.casework.complaint_scheme import LANGUAGES, scheme
from outreach.casework.declarations import in_force
from outreach.casework.targets import creditor_of
from outreach.cli.named import As, Claim, Contract, Creditor, Debtor, Invoice, Named, Note, done
from outreach.cli.output import day, shown, table
from outreach.correspondence import log
from outreach.errors import UsageError
from outreach.store.types import AnyRow

complaint_app = typer.Typer(help="Complaints: take in, confirm, answer, list.", no_args_is_help=True)

Which = typer.Argument(help="The complaint's id, or the beginning of it.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(complaint_app, name="complaint")


@complaint_app.command("add")
def add(
    ctx: typer.Context,
    cause: str = typer.Option(..., "--cause", help="A code, as in rude_call or wrong_data."),
    channel: str = typer.Option(..., "--channel", help=", ".join(complaints.CHANNELS)),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = typer.Option(None, "--person", help="Who complains, where it is not the debtor."),
    claim: str = Claim,
    invoice: str = Invoice,
    owner: str = typer.Option(
        "staff", "--owner", help="Who answers: staff, staff:NAME or department:NAME; a department is told."
    ),
    received_on: str = typer.Option(None, "--received-on", help="The day it came in; else today."),
    answer_by: str = typer.Option(None, "--answer-by", help="The last day for the answer; else two weeks."),
    note: str = Note,
    actor: str = As,
) -> None:
    """Take a complaint in: what it is about is paused, and receipt is confirmed in writing."""
    new = complaints.Complaint(
        named=Named(debtor, creditor, contract, person, claim, invoice),
        cause=cause,
        channel=channel,
        owner=owner,
        received_on=day(received_on, "--received-on"),
        answer_by_on=day(answer_by, "--answer-by"),
        note=note,
    )
    row = done(lambda conn, app: complaints.add(conn, new, actor, app.now()))
    data = {
        "complaint": row.pseudonym,
        "confirm_by_at": row.confirm_by_at,
        "answer_by_on": row.answer_by_on,
        "owner": row.owner,
    }
    said = (
        f"Complaint {row.pseudonym[:8]} is {row.owner}'s; what it is about is paused.",
        f"Receipt is confirmed by {shown(row.confirm_by_at)}, the answer is due by {row.answer_by_on}.",
    )
    ctx.obj.value(data, said)


@complaint_app.command("confirm")
def confirm(
    ctx: typer.Context,
    complaint: str = Which,
    on: str = typer.Option(None, "--on", help="The day on which you wrote; else today."),
    actor: str = As,
) -> None:
    """Note that you confirmed receipt in writing yourself, where no message of ours could."""
    when = day(on, "--on")

    def work(conn: Connection, app: bootstrap.App) -> str:
        row = complaint_register.complaint_of(conn, complaint)
        complaints.confirm(conn, row, when, actor, app.now())
        return str(row.pseudonym)

    made = done(work)
    ctx.obj.value({"confirmed": made}, [f"Receipt of complaint {made[:8]} is confirmed."])


@complaint_app.command("answer")
def answer(
    ctx: typer.Context,
    complaint: str = Which,
    outcome: str = typer.Option(..., "--outcome", help=", ".join(complaints.OUTCOMES)),
    note: str = typer.Option(None, "--note", help="What was found and why; kept apart from the log."),
    actor: str = As,
) -> None:
    """Answer a complaint: the pause ends, and who complained is told where to hear more."""

    def work(conn: Connection, app: bootstrap.App) -> str:
        row = complaint_register.complaint_of(conn, complaint)
        complaints.answer(conn, row, outcome, note, actor, app.now())
        return str(row.pseudonym)

    made = done(work)
    ctx.obj.value({"complaint": made, "outcome": outcome}, [f"Complaint {made[:8]} is answered: {outcome}."])


@complaint_app.command("list")
def list_complaints(
    ctx: typer.Context,
    state: str = typer.Option("open", "--state", help=", ".join(complaint_register.STATES)),
    creditor: str = typer.Option(None, "--creditor"),
    limit: int = typer.Option(200, "--limit"),
) -> None:
    """The register of complaints: open, late for confirmation or answer, or all."""
    if state not in complaint_register.STATES:
        msg = f"--state: {state!r}; expected one of {', '.join(complaint_register.STATES)}"
        raise UsageError(msg)
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        creditor_id = creditor_of(conn, creditor).id if creditor is not None else None
        rows = complaint_register.complaints(conn, state, app.now(), creditor_id, limit)
    head = (
        "complaint",
        "creditor",
        "debtor",
        "about",
        "cause",
        "received",
        "confirmed",
        "answer by",
        "owner",
    )
    cells = [
        (
            row.pseudonym[:8],
            row.creditor,
            row.debtor,
            row.invoice_number or "dossier",
            row.cause,
            shown(row.received_at),
            shown(row.confirmed_at) if row.confirmed_at else f"by {shown(row.confirm_by_at)}",
            row.outcome or row.answer_by_on,
            row.owner,
        )
        for row in rows
    ]
    ctx.obj.value([_complaint(row) for row in rows], table(head, cells))


def _complaint(row: AnyRow) -> dict[str, Any]:
    names = (
        "pseudonym creditor debtor person invoice_number channel cause received_at confirm_by_at confirmed_at "
        "confirmed_by answer_by_on owner outcome answered_at answered_by set_by"
    )
    return {name: getattr(row, name) for name in names.split()}


@complaint_app.command("show")
def show(ctx: typer.Context, complaint: str = Which) -> None:
    """Show one complaint, with what was said and what was answered."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        key = complaint_register.complaint_of(conn, complaint).id
        [row] = complaint_register.complaints(conn, "all", app.now(), key=key)
        texts = {
            name: content.decode("utf-8", "replace")
            for name, content_id in (("said", row.content_id), ("answer", row.answer_content_id))
            if content_id and (content := log.content_of(conn, content_id)) is not None
        }
    facts = {name: value for name, value in _complaint(row).items() if value not in (None, "")}
    lines = [f"{name}: {value}" for name, value in facts.items()]
    lines += [line for name, text in texts.items() for line in ("", f"{name}:", text)]
    ctx.obj.value(facts | texts, lines)


@complaint_app.command("scheme")
def show_scheme(
    ctx: typer.Context,
    creditor: str = typer.Option(..., "--creditor", help="Whose debtors read it."),
    language: str = typer.Option("nl", "--language", help=", ".join(LANGUAGES)),
) -> None:
    """Print the complaints scheme for a site or a letter."""
    if language not in LANGUAGES:
        msg = f"--language: {language!r}; expected one of {', '.join(LANGUAGES)}"
        raise UsageError(msg)
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        row = creditor_of(conn, creditor)
        where = in_force(conn, app.now(), "dispute_scheme", row.id)
    text = scheme(row, language, where[0].subject if where else "")
    ctx.obj.value({"creditor": creditor, "language": language, "text": text}, text.splitlines())
