"""Commands about stops and disputes: set, lift, list; add, decide."""

from __future__ import annotations

from typing import Any

import typer
from sqlalchemy import Connection

from channels.kinds import Kind
from outreach import bootstrap
from outreach.casework import disputes, stop_orders, stops
from outreach.casework.credits import shown as amount
from outreach.casework.targets import claim_by_id, dossiers_of
from outreach.cli.named import (
    As,
    Claim,
    Contract,
    Creditor,
    Debtor,
    Invoice,
    Named,
    Note,
    Person,
    cents,
    done,
    read_cents,
    until,
)
from outreach.cli.output import Output, day, shown, table
from outreach.errors import UsageError
from outreach.parties.contact_values import email_value, phone_value
from outreach.store.types import AnyRow

stop_app = typer.Typer(help="Stops: facts that forbid contact.", no_args_is_help=True)
dispute_app = typer.Typer(help="Disputes: add, decide.", no_args_is_help=True)


@stop_app.command("add")
def add(
    ctx: typer.Context,
    kind: str = typer.Option(..., "--kind", help=", ".join(stop_orders.KINDS)),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = Person,
    claim: str = Claim,
    invoice: str = Invoice,
    email: str = typer.Option(None, "--email", help="This address, for everybody who has it."),
    phone: str = typer.Option(None, "--phone", help="This number, for everybody who has it."),
    address: str = typer.Option(None, "--address", help="This postal address: its lines, with / between."),
    channel: Kind = typer.Option(None, "--channel", help="Only this channel."),
    amount_: str = typer.Option(None, "--amount", help="Only this part of the claim."),
    from_: str = typer.Option(None, "--from", help="From when; now where nothing is said."),
    until_: str = typer.Option(None, "--until", help="Until when; a date is the beginning of that day."),
    on: str = typer.Option(None, "--on", help="The day of a death."),
    reason: str = typer.Option("", "--reason", help="A code, as in asked_by_phone."),
    note: str = Note,
    tell: bool = typer.Option(False, "--tell", help="Tell the debtor that we pause."),
    actor: str = As,
) -> None:
    """Forbid contact, at once, also for what is queued."""
    named = Named(debtor, creditor, contract, person, claim, invoice)

    def work(conn: Connection, app: bootstrap.App) -> list[str]:
        order = stop_orders.Order(
            kind=kind,
            named=named,
            address_key=_key(app, email, phone, address),
            channel=channel.value if channel is not None else None,
            amount_cents=cents(conn, named, amount_),
            from_at=until(from_, "--from"),
            until_at=until(until_, "--until"),
            reason=reason,
            note=note,
            on=day(on, "--on"),
            tell=tell,
        )
        return stop_orders.add(conn, order, actor, app.now())

    made = done(work)
    end = f" until {shown(until(until_, '--until'))}" if until_ else ", until it is lifted"
    ctx.obj.value({"stops": made}, [f"Stop {one[:8]} ({kind}) holds{end}." for one in made])


def _key(app: bootstrap.App, email: str | None, phone: str | None, address: str | None) -> str | None:
    given = [value for value in (email, phone, address) if value is not None]
    if len(given) > 1:
        raise UsageError("expected one of --email, --phone or --address")
    try:
        if email is not None:
            return app.address_keys.of("email", email_value(email))
        if phone is not None:
            return app.address_keys.of("sms", phone_value(phone))
    except ValueError as error:
        msg = f"{'--email' if email is not None else '--phone'}: {error}"
        raise UsageError(msg) from error
    if address is not None:
        return app.address_keys.of("letter", "\n".join(line.strip() for line in address.split("/")))
    return None


@stop_app.command("lift")
def lift(
    ctx: typer.Context,
    stop: str = typer.Argument(help="Its id, or the beginning of it."),
    reason: str = typer.Option("", "--reason", help="A code."),
    actor: str = As,
) -> None:
    """Lift a stop; what waited for it is looked at again at once."""
    row = done(lambda conn, app: stop_orders.lift(conn, stop, reason, actor, app.now()))
    ctx.obj.value({"lifted": row.pseudonym}, [f"Stop {row.pseudonym[:8]} ({row.kind}) is lifted."])


@stop_app.command("list")
def list_stops(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    kind: str = typer.Option(None, "--kind"),
    limit: int = typer.Option(200, "--limit", help="At most so many, the newest."),
) -> None:
    """List the stops in force or to come, of one debtor or of all."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        now = app.now()
        if debtor is None:
            rows = stops.all_stops(conn, now, kind, limit)
        else:
            found = dossiers_of(conn, Named(debtor=debtor, creditor=creditor))
            rows = [row for row in stops.stops_on(conn, found, now) if kind in {None, row.kind}]
    head = ("stop", "kind", "scope", "on", "from", "until", "set by", "reason")
    cells = [
        (
            row.pseudonym[:8],
            row.kind,
            row.scope,
            _on(row),
            shown(row.from_at),
            shown(row.until_at),
            row.set_by,
            row.reason_code,
        )
        for row in rows
    ]
    ctx.obj.value([_stop(row) for row in rows], table(head, cells))


def _on(row: AnyRow) -> str:
    if row.claim_id is not None:
        part = f" ({amount(row.amount_cents, row.currency)})" if row.amount_cents is not None else ""
        return f"claim {row.invoice_number}{part}"
    if row.address_key is not None:
        return "an address"
    where = f"dossier {(row.dossier or '')[:8]}" if row.dossier_id is not None else f"creditor {row.creditor}"
    on = f"person {row.person[:8]}" if row.person_id is not None else where
    return f"{on} {row.channel}" if row.channel else on


def _stop(row: AnyRow) -> dict[str, Any]:
    names = (
        "pseudonym kind scope dossier person creditor invoice_number channel amount_cents currency from_at "
        "until_at reason_code set_by department answer_by_on"
    )
    return {name: getattr(row, name) for name in names.split()}


@dispute_app.command("add")
def dispute(
    ctx: typer.Context,
    cause: str = typer.Option(..., "--cause", help="A code, as in wrong_amount or not_delivered."),
    department: str = typer.Option(..., "--department", help="Who answers it."),
    claim: str = Claim,
    invoice: str = Invoice,
    debtor: str = Debtor,
    creditor: str = Creditor,
    person: str = typer.Option(None, "--person", help="Who disputes it, where it is not the debtor."),
    amount_: str = typer.Option(
        None, "--amount", help="The part that is disputed; all of it where not told."
    ),
    answer_by: str = typer.Option(None, "--answer-by", help="The last day for the answer; else two weeks."),
    note: str = Note,
    actor: str = As,
) -> None:
    """Hold what a debtor disagrees with; the rest goes on, and the debtor is told."""
    named = Named(debtor, creditor, None, person, claim, invoice)

    def work(conn: Connection, app: bootstrap.App) -> str:
        new = disputes.Dispute(
            named=named,
            cause=cause,
            department=department,
            amount_cents=cents(conn, named, amount_),
            answer_by_on=day(answer_by, "--answer-by"),
            note=note,
        )
        return disputes.add(conn, new, actor, app.now())

    made = done(work)
    ctx.obj.value({"stop": made}, [f"Dispute {made[:8]} waits for {department}; what it is about is held."])


@dispute_app.command("decide")
def decide(
    ctx: typer.Context,
    stop: str = typer.Argument(None, help="The stop's id or the beginning of it; or name the claim."),
    rejected: bool = typer.Option(False, "--rejected", help="The claim stands as it was."),
    upheld: bool = typer.Option(False, "--upheld", help="What is disputed is credited."),
    partly: str = typer.Option(None, "--partly", help="So much of what is disputed is credited."),
    claim: str = Claim,
    invoice: str = Invoice,
    debtor: str = Debtor,
    creditor: str = Creditor,
    note: str = Note,
    actor: str = As,
) -> None:
    """Answer a dispute: credit what was right; reminders resume at their step."""
    if rejected + upheld + (partly is not None) != 1:
        raise UsageError("expected one of --rejected, --upheld or --partly AMOUNT")
    named = Named(debtor, creditor, None, None, claim, invoice)
    word = disputes.REJECTED if rejected else disputes.UPHELD if upheld else disputes.PARTLY

    def work(conn: Connection, app: bootstrap.App) -> disputes.Decided:
        row = disputes.dispute_of(conn, stop, named)
        part = None
        if partly is not None and row.claim_id is not None:
            part = read_cents(partly, claim_by_id(conn, row.claim_id).currency, "--partly")
        return disputes.decide(conn, row, word, part, note, actor, app.now())

    one = done(work)
    out: Output = ctx.obj
    data = {"stop": one.stop, "decided": one.word, "credited": one.credited_cents, "open": one.open_cents}
    credited = f", {amount(one.credited_cents, one.currency)} is credited" if one.credited_cents else ""
    out.value(data, [f"Dispute {one.word}{credited}; open now {amount(one.open_cents, one.currency)}."])
