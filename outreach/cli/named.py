"""The options by which every command of casework finds whom and what it is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import typer
from sqlalchemy import Connection

from outreach import bootstrap
from outreach.casework.days import start_of
from outreach.casework.targets import Named, claim_of
from outreach.cli.output import moment
from outreach.errors import UsageError
from outreach.intake.amounts import MINOR_DIGITS, parse_amount
from outreach.intake.errors import RefusedValueError

T = TypeVar("T")

As = typer.Option("staff:cli", "--as", help="Who does this.")
Debtor = typer.Option(None, "--debtor", help="The creditor's number of the debtor.")
Creditor = typer.Option(None, "--creditor", help="Where two creditors use the same number.")
Contract = typer.Option(None, "--contract", help="Where a debtor has several dossiers.")
Person = typer.Option(None, "--person", help="The pseudonym of the person.")
Claim = typer.Option(None, "--claim", help="The creditor's number of the claim.")
Invoice = typer.Option(None, "--invoice", help="The number of the invoice.")
Note = typer.Option(None, "--note", help="Free text; kept apart from the log.")

__all__ = [
    "As",
    "Claim",
    "Contract",
    "Creditor",
    "Debtor",
    "Invoice",
    "Named",
    "Note",
    "Person",
    "cents",
    "done",
    "until",
]


def done(work: Callable[[Connection, bootstrap.App], T]) -> T:
    """Do one command's work in one transaction."""
    with bootstrap.opened(bootstrap.read_settings()) as app:
        return app.store.run(lambda conn: work(conn, app))


def until(text: str | None, option: str) -> datetime | None:
    """Read a moment at which something ends or begins; a bare date is the beginning of that day."""
    at = moment(text, option)
    if at is not None and text is not None and len(text) == 10:
        return start_of(datetime.fromisoformat(text).date())
    return at


def cents(conn: Connection, named: Named, text: str | None, option: str = "--amount") -> int | None:
    """Read an amount in the currency of the claim that is named."""
    if text is None:
        return None
    return read_cents(text, claim_of(conn, named).currency if named.names_claim else "EUR", option)


def read_cents(text: str, currency: str, option: str) -> int:
    """Read an amount of a currency; raises UsageError with what was expected."""
    try:
        return parse_amount(text, MINOR_DIGITS.get(currency, 2))
    except RefusedValueError as error:
        msg = f"{option}: {text!r}: expected {error.expected}"
        raise UsageError(msg) from error
