"""Commands for promises, deferrals and plans: `outreach arrange promise|defer|plan|show|end`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import typer
from sqlalchemy import Connection

from outreach.bootstrap import App
from outreach.casework import arrangements, endings, running
from outreach.casework.arrangements import Made
from outreach.casework.grounds import Whose, money, whose_of
from outreach.casework.targets import dossiers_of
from outreach.casework.words import code
from outreach.cli.named import As, Contract, Creditor, Debtor, Named, Person, done, read_cents
from outreach.cli.output import day, table
from outreach.errors import NotFound, UsageError

arrange_app = typer.Typer(help="Promises, deferrals and payment plans.", no_args_is_help=True)

Claims = typer.Option([], "--claim", help="Only this claim (may be repeated); the others go on.")
Currency = typer.Option(None, "--currency", help="Where a debtor owes in several.")
ApprovedBy = typer.Option("", "--approved-by", help="The colleague who allows more than the policy does.")
Until = typer.Option(..., "--until", help="The last day, as in 2026-12-01.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(arrange_app, name="arrange")


@arrange_app.command("promise")
def promise(
    ctx: typer.Context,
    until: str = Until,
    amount: str = typer.Option(None, "--amount", help="How much; everything that is asked by default."),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = Person,
    claims: list[str] = Claims,
    currency: str = Currency,
    approved_by: str = ApprovedBy,
    actor: str = As,
) -> None:
    """Take down a promise to pay by a date; reminders pause until its days of grace are over."""
    named = Named(debtor=debtor, creditor=creditor, contract=contract, person=person)
    on = _day(until)

    def make(conn: Connection, whose: Whose, now: datetime) -> Made:
        cents = None if amount is None else read_cents(amount, whose.currency, "--amount")
        return arrangements.promise(conn, whose, on, actor, now, cents=cents, approved_by=approved_by)

    _arrange(ctx, named, claims, currency, make)


@arrange_app.command("defer")
def defer(
    ctx: typer.Context,
    until: str = Until,
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = Person,
    claims: list[str] = Claims,
    currency: str = Currency,
    approved_by: str = ApprovedBy,
    actor: str = As,
) -> None:
    """Ask nothing up to and including a date."""
    named = Named(debtor=debtor, creditor=creditor, contract=contract, person=person)
    on = _day(until)

    def make(conn: Connection, whose: Whose, now: datetime) -> Made:
        return arrangements.defer(conn, whose, on, actor, now, approved_by=approved_by)

    _arrange(ctx, named, claims, currency, make)


@arrange_app.command("plan")
def plan(
    ctx: typer.Context,
    parts: int = typer.Option(None, "--parts", help="In how many; as many as policy allows by default."),
    start: str = typer.Option(
        None, "--from", help="No instalment falls due before it; in a week by default."
    ),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = Person,
    claims: list[str] = Claims,
    currency: str = Currency,
    approved_by: str = ApprovedBy,
    actor: str = As,
) -> None:
    """Pay in instalments, each the day after income comes in; reminders pause while it runs."""
    named = Named(debtor=debtor, creditor=creditor, contract=contract, person=person)
    start_on = day(start, "--from")

    def make(conn: Connection, whose: Whose, now: datetime) -> Made:
        return arrangements.plan(
            conn, whose, actor, now, parts=parts, start_on=start_on, approved_by=approved_by
        )

    _arrange(ctx, named, claims, currency, make)


@arrange_app.command("show")
def show(
    ctx: typer.Context, debtor: str = Debtor, creditor: str = Creditor, contract: str = Contract
) -> None:
    """Show what was arranged with a debtor, and how its instalments stand."""
    named = Named(debtor=debtor, creditor=creditor, contract=contract)
    found = done(lambda conn, _: running.of_dossiers(conn, [one.id for one in dossiers_of(conn, named)]))
    rows = [
        (
            row.pseudonym[:8],
            row.kind,
            row.state,
            part.number if part else "",
            part.due_on if part else row.ends_on,
            money(part.amount_cents, row.currency) if part else "",
            part.state if part else "",
        )
        for row, parts in found
        for part in (parts or (None,))
    ]
    data = [
        dict(row._mapping) | {"instalments": [dict(part._mapping) for part in parts]} for row, parts in found
    ]
    head = ("arrangement", "kind", "state", "part", "due", "amount", "stands")
    ctx.obj.value(data, table(head, rows) if rows else ["Nothing was arranged."])


@arrange_app.command("end")
def end(
    ctx: typer.Context,
    arrangement: str = typer.Argument(
        None, help="Its id or the beginning of it; the running one by default."
    ),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    reason: str = typer.Option("ended_by_staff", "--reason", help="Why, as a code such as asked_for_a_plan."),
    actor: str = As,
) -> None:
    """End a running arrangement; reminders resume at their step."""
    named = Named(debtor=debtor, creditor=creditor, contract=contract)

    def work(conn: Connection, app: App) -> str:
        dossiers = [one.id for one in dossiers_of(conn, named)]
        found = [
            row.pseudonym
            for row, _ in running.of_dossiers(conn, dossiers)
            if row.pseudonym.startswith(arrangement or "") and (arrangement or row.state == "running")
        ]
        if not found:
            raise NotFound("there is no such arrangement (outreach arrange show lists them)")
        if len(found) > 1:
            msg = f"expected one arrangement: name it, one of {', '.join(one[:8] for one in found)}"
            raise UsageError(msg)
        pseudonym = str(found[0])
        endings.end(conn, pseudonym, actor, app.now(), code(reason, "--reason"))
        return pseudonym

    pseudonym = done(work)
    ctx.obj.value({"ended": pseudonym}, [f"Ended {pseudonym[:8]}. Reminders resume at their step."])


def _day(text: str) -> date:
    on = day(text, "--until")
    assert on is not None
    return on


def _arrange(
    ctx: typer.Context,
    named: Named,
    claims: list[str],
    currency: str | None,
    make: Callable[[Connection, Whose, datetime], Made],
) -> None:
    """Find whose arrangement is meant, make it, and tell what was made."""

    def work(conn: Connection, app: App) -> tuple[Whose, Made]:
        now = app.now()
        whose = whose_of(conn, named, claims, currency, now)
        return whose, make(conn, whose, now)

    _tell(ctx, *done(work))


def _tell(ctx: typer.Context, whose: Whose, made: Made) -> None:
    parts = [{"due_on": part.due_on, "cents": part.cents} for part in made.parts]
    data: dict[str, Any] = {
        "arrangement": made.pseudonym,
        "kind": made.kind,
        "ends_on": made.ends_on,
        "currency": whose.currency,
        "parts": parts,
    }
    rows = [(part.due_on, money(part.cents, whose.currency)) for part in made.parts]
    word = {"promise": "Promised", "deferral": "Deferred", "plan": "Agreed"}[made.kind]
    lines = [f"{word}, up to {made.ends_on}: {made.pseudonym[:8]}. Reminders pause; a confirmation goes out."]
    ctx.obj.value(data, [*lines, *(["", *table(("due", "amount"), rows)] if rows else [])])
