"""Commands about early signals to a municipality: the list of the duty, send, answer, withdraw, feedback."""

from __future__ import annotations

from pathlib import Path

import typer
from sqlalchemy import Connection

from outreach import bootstrap
from outreach.casework.grounds import money
from outreach.casework.targets import creditor_of
from outreach.cli.named import As, Contract, Creditor, Debtor, Named, Note, done
from outreach.cli.output import Output, shown, table
from outreach.errors import Refused, UsageError
from outreach.sharing import signals
from outreach.sharing.arrears import CURRENCY, Case, cases
from outreach.store.types import AnyRow

Out = typer.Option(..., "--out", help="The folder for the file that the municipality reads.")
Signal = typer.Argument(help="Its id, or the beginning of it.")


def register(share_app: typer.Typer) -> None:
    """Add these commands."""
    share_app.command("signals")(list_signals)
    share_app.command("signal")(send)
    share_app.command("answer")(answer)
    share_app.command("withdraw")(withdraw)
    share_app.command("feedback")(feedback)


def list_signals(
    ctx: typer.Context,
    creditor: str = typer.Option(None, "--creditor", help="Only of this creditor."),
    sent: bool = typer.Option(False, "--sent", help="The signals that were sent, instead."),
) -> None:
    """List every contract that should be signalled and is not: what is missing, and by when."""
    out: Output = ctx.obj
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        now = app.now()
        if sent:
            _list_sent(out, signals.sent(conn, all_of_them=True))
            return
        key = creditor_of(conn, creditor).id if creditor is not None else None
        found = cases(conn, now, key)
        paid = signals.paid_signals(conn, now)
    head = ("by", "creditor", "debtor", "contract", "arrears since", "amount", "missing")
    cells = [
        (
            case.by_on,
            case.where.creditor,
            case.debtor,
            case.contract or "—",
            case.since_on,
            money(case.cents, CURRENCY),
            ", ".join(case.missing) or "nothing: send it",
        )
        for case in found
    ]
    to_withdraw = [f"paid, to be withdrawn: signal {row.pseudonym[:8]}" for row in paid]
    data = {"to_send": [_case(case) for case in found], "to_withdraw": [row.pseudonym for row in paid]}
    out.value(data, [*table(head, cells), *to_withdraw])


def _case(case: Case) -> dict[str, object]:
    return {
        "creditor": case.where.creditor,
        "debtor": case.debtor,
        "contract": case.contract,
        "sector": case.sector,
        "by_on": case.by_on,
        "since_on": case.since_on,
        "arrears_cents": case.cents,
        "verdict": case.verdict.verdict,
        "missing": list(case.missing),
        "proof": case.evidence.entries(),
        "agreement": case.agreement.code if case.agreement is not None else None,
    }


def _list_sent(out: Output, rows: list[AnyRow]) -> None:
    names = ["pseudonym", "municipality", "sector", "sent_at", "feedback_code", "withdrawn_at", "closed_code"]
    cells = [
        (
            row.pseudonym[:8],
            row.municipality,
            row.sector,
            shown(row.sent_at),
            row.feedback_code or "—",
            row.closed_code or "open",
        )
        for row in rows
    ]
    head = ("signal", "municipality", "sector", "sent", "feedback", "state")
    out.value([{name: getattr(row, name) for name in names} for row in rows], table(head, cells))


def send(
    ctx: typer.Context,
    out: Path = Out,
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    reviewed: bool = typer.Option(
        False, "--reviewed", help="You looked at what the rules leave to a person's judgement."
    ),
    actor: str = As,
) -> None:
    """Send the early signal of one contract, or say what is missing."""
    named = Named(debtor, creditor, contract)
    made = done(
        lambda conn, app: signals.send(conn, named, app.address_keys, actor, app.now(), reviewed=reviewed)
    )
    if not made.shared.answer.allowed:
        raise Refused(f"no signal was sent: {', '.join(made.shared.answer.reasons)}")
    path = _write(out, made)
    data = {"signal": made.shared.pseudonym, "municipality": made.recipient, "file": str(path)}
    ctx.obj.value(data, [f"Signal {made.shared.pseudonym[:8]} for {made.recipient}: {path}."])


def answer(
    ctx: typer.Context,
    said: str = typer.Option(..., "--said", help="yes or no: may the municipality be told?"),
    method: str = typer.Option(..., "--method", help="A code, as in telephone or letter."),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    note: str = Note,
    actor: str = As,
) -> None:
    """Keep what somebody answered to the offer to tell the municipality; a no forbids the signal."""
    named = Named(debtor, creditor, contract)
    done(lambda conn, app: signals.answer(conn, named, said, method, note, actor, app.now()))
    ctx.obj.value({"said": said}, ["Kept." if said == "yes" else "Kept: the municipality is not told."])


def withdraw(
    ctx: typer.Context,
    signal: str = typer.Argument(None, help="Its id, or the beginning of it."),
    paid: bool = typer.Option(False, "--paid", help="Every open signal whose arrears are paid."),
    reason: str = typer.Option("paid", "--reason", help="A code."),
    out: Path = Out,
    actor: str = As,
) -> None:
    """Take a signal back, with a file that tells the municipality which."""
    if paid == (signal is not None):
        raise UsageError("expected a signal, or --paid for all whose arrears are paid")

    def work(conn: Connection, app: bootstrap.App) -> list[signals.Sent]:
        now = app.now()
        rows = signals.paid_signals(conn, now) if paid else [signals.signal_of(conn, signal)]
        return [signals.withdraw(conn, row, reason, app.address_keys, actor, now) for row in rows]

    made = done(work)
    paths = [str(_write(out, one)) for one in made]
    ctx.obj.value({"withdrawn": paths}, [*(f"For {one.recipient}: {out / one.file}." for one in made)])


def feedback(
    ctx: typer.Context,
    signal: str = Signal,
    code: str = typer.Option(..., "--code", help=" or ".join(signals.FEEDBACK)),
    actor: str = As,
) -> None:
    """Keep the outcome that the municipality told: a code and no more."""

    def work(conn: Connection, app: bootstrap.App) -> str:
        row = signals.signal_of(conn, signal)
        signals.feedback(conn, row, code, actor, app.now())
        return str(row.pseudonym)

    pseudonym = done(work)
    ctx.obj.value({"signal": pseudonym, "feedback": code}, [f"Signal {pseudonym[:8]}: {code}."])


def _write(folder: Path, made: signals.Sent) -> Path:
    path = folder / made.file
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(signals.FORMATS[path.suffix.removeprefix(".")](made.shared.body))
    return path
