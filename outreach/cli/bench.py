"""`outreach bench`: what the service does in a second, beside a reference measured in the same run."""

from __future__ import annotations

import typer

from outreach.bench import deciding, mail, memory
from outreach.cli.output import Output, table
from outreach.errors import UsageError

bench_app = typer.Typer(help="Measure the service on this machine.", no_args_is_help=True)

Database = typer.Option("sqlite", "--database", help="sqlite or postgresql (a server started for the run).")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(bench_app, name="bench")


@bench_app.command("mail")
def mail_command(
    ctx: typer.Context,
    mails: int = typer.Option(4000, "--mails", min=10),
    processes: int = typer.Option(1, "--processes", min=1),
    connections: int = typer.Option(8, "--connections", min=1, help="In each process."),
    delay_ms: float = typer.Option(0.0, "--delay", help="Milliseconds before each answer of the relay."),
    rounds: int = typer.Option(3, "--rounds", min=1),
    database: str = Database,
) -> None:
    """Mails a second, from a due claim to a settled log, beside a plain pool that logs nothing."""
    load = mail.Load(mails, processes, connections, delay_ms, _known(database))
    _show(ctx.obj, mail.compare(load, rounds))


@bench_app.command("deciding")
def deciding_command(
    ctx: typer.Context,
    dossiers: int = typer.Option(10_000, "--dossiers", min=200),
    database: str = Database,
) -> None:
    """Dossiers a second: next step and gate over loaded facts, and with loading and storing."""
    _show(ctx.obj, deciding.measure(dossiers, _known(database)))


@bench_app.command("memory")
def memory_command(
    ctx: typer.Context,
    ready: int = typer.Option(200_000, "--ready", min=1000),
    send: int = typer.Option(20_000, "--send", min=100),
    database: str = Database,
) -> None:
    """Memory while a long queue of ready attempts is being sent."""
    _show(ctx.obj, memory.measure(ready, send, _known(database)))


def _known(database: str) -> str:
    if database not in {"sqlite", "postgresql"}:
        msg = f"--database {database!r}: expected sqlite or postgresql"
        raise UsageError(msg)
    return database


def _show(out: Output, figures: dict[str, object]) -> None:
    out.value(figures, table(("figure", "value"), figures.items()))
