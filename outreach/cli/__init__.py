"""The command line: thin commands over the service, for people and (with --json) for machines."""

from __future__ import annotations

import sys

import typer

from outreach.cli import (
    arrange,
    bench,
    book,
    casework,
    complaints,
    compliance,
    consent,
    day,
    declare,
    demo,
    law,
    serve,
    share,
    show,
    strategy,
    templates,
    work,
)
from outreach.cli.output import Output
from outreach.errors import OutreachError
from outreach.intake.errors import IntakeError

app = typer.Typer(
    name="outreach",
    help="Remind people of unpaid bills, the way one would want to be reminded.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
work.register(app)
book.register(app)
show.register(app)
casework.register(app)
casework.register_log(show.log_app)
arrange.register(app)
consent.register(app)
law.register(app)
complaints.register(app)
declare.register(app)
compliance.register(app)
share.register(app)
strategy.register(app)
day.register(app)
templates.register(app)
serve.register(app)
demo.register(app)
bench.register(app)


@app.callback()
def settings_of_a_call(
    ctx: typer.Context,
    json: bool = typer.Option(False, "--json", help="Print JSON for machines."),
) -> None:
    """Take the options that every command has."""
    ctx.obj = Output(as_json=json)


def main() -> None:
    """Run a command; exit status 0 done, 1 found something wrong, 2 bad usage or input."""
    try:
        app()
    except IntakeError as error:
        print(f"outreach: {error}", file=sys.stderr)
        sys.exit(2)
    except OutreachError as error:
        print(f"outreach: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
