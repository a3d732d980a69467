"""Commands about who belongs to a dossier: add, end, role, list."""

from __future__ import annotations

import typer
from sqlalchemy import Connection

from outreach import bootstrap
from outreach.casework import parties
from outreach.casework.targets import dossier_of
from outreach.cli.named import As, Contract, Creditor, Debtor, Named, Person, done, until
from outreach.cli.output import shown, table
from outreach.errors import UsageError
from outreach.parties.contact_values import email_value

party_app = typer.Typer(help="Who belongs to a dossier.", no_args_is_help=True)


@party_app.command("add")
def add(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    role: str = typer.Option("co_debtor", "--role", help=", ".join(parties.ROLES)),
    person: str = typer.Option(None, "--person", help="Somebody known, by pseudonym."),
    name: str = typer.Option(None, "--name", help="Somebody new."),
    kind: str = typer.Option("person", "--kind", help="person or business"),
    email: str = typer.Option(None, "--email", help="Where the new one is reached."),
    from_: str = typer.Option(None, "--from", help="From when; now where nothing is said."),
    actor: str = As,
) -> None:
    """Add a party to a dossier: a co-tenant, a guarantor, one who acts for the debtor."""
    named = Named(debtor, creditor, contract, person)
    newcomer = None
    if name is not None:
        try:
            address = email_value(email) if email is not None else None
        except ValueError as error:
            msg = f"--email: {error}"
            raise UsageError(msg) from error
        newcomer = parties.Newcomer(name=name, kind=kind, email=address)

    def work(conn: Connection, app: bootstrap.App) -> str:
        at = until(from_, "--from")
        return parties.add(conn, named, role, newcomer, app.address_keys, actor, app.now(), at)

    who = done(work)
    ctx.obj.value({"person": who, "role": role}, [f"Person {who} is {role} of this dossier."])


@party_app.command("end")
def end(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = typer.Option(None, "--person", help="Who leaves; the debtor where nobody is named."),
    from_: str = typer.Option(None, "--from", help="From when; now where nothing is said."),
    actor: str = As,
) -> None:
    """End a person's part in a dossier, as when a couple parts; what was said to them stays."""
    named = Named(debtor, creditor, contract, person)
    done(lambda conn, app: parties.end(conn, named, until(from_, "--from"), actor, app.now()))
    ctx.obj.value({"ended": person or debtor}, ["That person is no party of this dossier from then on."])


@party_app.command("role")
def role_of(
    ctx: typer.Context,
    role: str = typer.Argument(help=", ".join(parties.ROLES)),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = Person,
    actor: str = As,
) -> None:
    """Change the role of a party."""
    named = Named(debtor, creditor, contract, person)
    done(lambda conn, app: parties.change_role(conn, named, role, actor, app.now()))
    ctx.obj.value({"role": role}, [f"That person is {role} now."])


@party_app.command("list")
def list_parties(
    ctx: typer.Context, debtor: str = Debtor, creditor: str = Creditor, contract: str = Contract
) -> None:
    """List the parties of a dossier, ended ones too."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        rows = parties.all_of(conn, dossier_of(conn, Named(debtor, creditor, contract)))
    names = ("person", "name", "role", "triage", "from_at", "until_at")
    data = [{name: getattr(row, name) for name in names} for row in rows]
    cells = [
        (row.person, row.name, row.role, row.triage, shown(row.from_at), shown(row.until_at)) for row in rows
    ]
    ctx.obj.value(data, table(("person", "name", "role", "triage", "from", "until"), cells))
