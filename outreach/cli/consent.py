"""Commands about the use of people's data: give, withdraw, object, decide, restrict, lift, show, receipt."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import typer

from channels.kinds import Kind
from consent.record import PURPOSES, REFUSABLE, RESTRICTIONS
from outreach import bootstrap
from outreach.casework import consents
from outreach.casework.targets import person_of
from outreach.cli.named import As, Creditor, Debtor, Named, Note, Person, done
from outreach.cli.output import day, shown, table
from outreach.errors import UsageError

consent_app = typer.Typer(
    help="Consent, withdrawal, objection and restriction: four separate facts.", no_args_is_help=True
)

Fact = typer.Argument(help="The beginning of its id.")
Method = typer.Option(..., "--method", help=", ".join(consents.METHODS))
Channel = typer.Option(None, "--channel", help="Only this channel.")
Reason = typer.Option("", "--reason", help="A code.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(consent_app, name="consent")


@consent_app.command("give")
def give(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    person: str = Person,
    purpose: str = typer.Option(..., "--purpose", help=", ".join(PURPOSES)),
    method: str = Method,
    notice: Path = typer.Option(..., "--notice", help="The privacy notice that was shown, as a file."),
    channel: Kind = Channel,
    note: str = Note,
    actor: str = As,
) -> None:
    """Take down a yes, with the notice that was shown."""
    try:
        shown_notice = hashlib.sha256(notice.read_bytes()).hexdigest()
    except OSError as error:
        msg = f"--notice: {notice} can't be read: {error.strerror}"
        raise UsageError(msg) from error
    said = consents.Said(
        Named(debtor, creditor, None, person),
        purpose,
        method,
        channel.value if channel else None,
        notice_hash=shown_notice,
        note=note,
    )
    made = done(lambda conn, app: consents.give(conn, said, actor, app.now()))
    ctx.obj.value({"fact": made}, [f"Consent {made[:8]} is kept (outreach consent receipt {made[:8]})."])


@consent_app.command("withdraw")
def withdraw(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    person: str = Person,
    purpose: str = typer.Option(consents.DUNNING, "--purpose", help=f"dunning, {', '.join(PURPOSES)}"),
    method: str = Method,
    channel: Kind = Channel,
    note: str = Note,
    actor: str = As,
) -> None:
    """Take down a no: to a purpose, or to reminders on one channel. It holds at once."""
    said = consents.Said(
        Named(debtor, creditor, None, person), purpose, method, channel.value if channel else None, note=note
    )
    made = done(lambda conn, app: consents.withdraw(conn, said, actor, app.now()))
    ctx.obj.value({"fact": made}, [f"Withdrawal {made[:8]} holds from now on, also for what is queued."])


@consent_app.command("object")
def object_(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    person: str = Person,
    method: str = Method,
    reason: str = Reason,
    note: str = Note,
    actor: str = As,
) -> None:
    """Take down an objection to being reminded: it stops at once, and is answered within a month."""
    said = consents.Said(
        Named(debtor, creditor, None, person), consents.DUNNING, method, reason=reason, note=note
    )
    made = done(lambda conn, app: consents.object_to(conn, said, actor, app.now()))
    lines = [f"Objection {one[:8]} holds; answer it with outreach consent decide {one[:8]}." for one in made]
    ctx.obj.value({"facts": made}, lines)


@consent_app.command("decide")
def decide(
    ctx: typer.Context,
    fact: str = Fact,
    upheld: bool = typer.Option(..., "--upheld/--rejected"),
    reason: str = typer.Option("", "--reason", help=f"Of a rejection: {', '.join(REFUSABLE)}"),
    approved_by: str = typer.Option("", "--approved-by", help="The colleague who agrees with a rejection."),
    note: str = Note,
    actor: str = As,
) -> None:
    """Answer an objection."""
    made = done(
        lambda conn, app: consents.decide(
            conn,
            fact,
            upheld=upheld,
            reason=reason,
            approved_by=approved_by,
            note=note,
            actor=actor,
            now=app.now(),
        )
    )
    end = "upheld: nothing more is sent" if upheld else "rejected: reminders go on"
    ctx.obj.value({"fact": made}, [f"The objection is {end}. Tell the person, and where they can complain."])


@consent_app.command("restrict")
def restrict(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    person: str = Person,
    method: str = Method,
    reason: str = typer.Option(..., "--reason", help=", ".join(RESTRICTIONS)),
    note: str = Note,
    actor: str = As,
) -> None:
    """Keep somebody's data and use it for nothing."""
    said = consents.Said(
        Named(debtor, creditor, None, person), consents.DUNNING, method, reason=reason, note=note
    )
    made = done(lambda conn, app: consents.restrict(conn, said, actor, app.now()))
    ctx.obj.value({"facts": made}, [f"Restriction {one[:8]} holds from now on." for one in made])


@consent_app.command("lift")
def lift(
    ctx: typer.Context,
    fact: str = Fact,
    informed_on: str = typer.Option(..., "--informed-on", help="When the person was told that it ends."),
    actor: str = As,
) -> None:
    """End a restriction, after the person was told."""
    on = day(informed_on, "--informed-on")
    if on is None:
        raise UsageError("--informed-on: expected a date")
    made = done(lambda conn, app: consents.lift(conn, fact, on, actor, app.now()))
    ctx.obj.value({"fact": made}, ["The restriction is lifted."])


@consent_app.command("show")
def show(ctx: typer.Context, debtor: str = Debtor, creditor: str = Creditor, person: str = Person) -> None:
    """List what somebody said, oldest first."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        who = person_of(conn, Named(debtor, creditor, None, person))
        rows = consents.events_of(conn, who.id)
    names = ("pseudonym", "at", "kind", "purpose", "channel", "creditor", "method", "reason_code", "actor")
    data = [{name: getattr(row, name) for name in names} for row in rows]
    cells = [
        (
            row.pseudonym[:8],
            shown(row.at),
            row.kind,
            row.purpose,
            row.channel or "all",
            row.creditor or "all",
            row.method,
            row.reason_code,
            row.actor,
        )
        for row in rows
    ]
    head = ("fact", "at", "what", "purpose", "channel", "creditor", "how", "reason", "by")
    ctx.obj.value(data, table(head, cells) if rows else ["Nothing was said about the use of their data."])


@consent_app.command("receipt")
def receipt(ctx: typer.Context, fact: str = Fact) -> None:
    """Print the receipt of one fact, as JSON with the names of ISO/IEC TS 27560."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        found = consents.receipt_of(conn, fact)
    ctx.obj.value(found, [json.dumps(found, ensure_ascii=False, indent=2)])
