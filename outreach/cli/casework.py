"""Commands of casework: correct, note, log what was said elsewhere, undo; stops, disputes, tasks and parties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from sqlalchemy import Connection

from channels.kinds import Kind
from outreach import bootstrap
from outreach.casework import conversations, corrections, undo
from outreach.casework.targets import claim_of, dossiers_of, person_of
from outreach.cli.named import (
    As,
    Claim,
    Contract,
    Creditor,
    Debtor,
    Invoice,
    Named,
    Person,
    done,
    until,
)
from outreach.cli.output import day
from outreach.cli.parties import party_app
from outreach.cli.stops import dispute_app, stop_app
from outreach.cli.tasks import task_app
from outreach.errors import UsageError
from outreach.parties.contact_values import address_value, email_value, phone_value


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(stop_app, name="stop")
    app.add_typer(dispute_app, name="dispute")
    app.add_typer(task_app, name="task")
    app.add_typer(party_app, name="party")
    app.command("correct")(correct)
    app.command("note")(note)
    app.command("undo")(undo_command)


def register_log(log_app: typer.Typer) -> None:
    """Add what writes to the log beside what shows it."""
    log_app.command("add")(log_add)


_LANGUAGES = ("nl", "en")
_FORMS = ("formal", "informal")


def correct(
    ctx: typer.Context,
    debtor: str = Debtor,
    creditor: str = Creditor,
    person: str = Person,
    claim: str = Claim,
    invoice: str = Invoice,
    name: str = typer.Option(None, "--name"),
    email: str = typer.Option(None, "--email"),
    phone: str = typer.Option(None, "--phone"),
    street: str = typer.Option(None, "--street", help="With the other parts of the address."),
    house_number: str = typer.Option("", "--house-number"),
    suffix: str = typer.Option("", "--house-number-suffix"),
    postcode: str = typer.Option("", "--postcode"),
    city: str = typer.Option("", "--city"),
    country: str = typer.Option(
        "NL", "--country", help="Of the address and of a phone number without a code."
    ),
    certainty: str = typer.Option("verified", "--certainty", help="verified, probable or unverified"),
    language: str = typer.Option(None, "--language", help=", ".join(_LANGUAGES)),
    form: str = typer.Option(None, "--form-of-address", help=", ".join(_FORMS)),
    channel: str = typer.Option(None, "--preferred-channel", help="email, sms, letter, video or none"),
    income_day: int = typer.Option(None, "--income-day", help="Day of the month; 0 is not known."),
    due_on: str = typer.Option(None, "--due-on", help="Of the claim."),
    description: str = typer.Option(None, "--description", help="Of the claim."),
    actor: str = As,
) -> None:
    """Correct what is known; it wins over what files say, which is kept beside it."""
    named = Named(debtor, creditor, None, person, claim, invoice)
    ways = _points(email, phone, (street, house_number, suffix, postcode, city, country))
    values = _person_values(name, language, form, channel, income_day)
    of_claim = _claim_values(named, due_on, description)
    if of_claim and (values or ways):
        raise UsageError("expected a correction of the claim or of the debtor, each in a command of its own")
    if certainty not in {"verified", "probable", "unverified"}:
        raise UsageError("--certainty: expected verified, probable or unverified")

    def work(conn: Connection, app: bootstrap.App) -> list[str]:
        now = app.now()
        if of_claim:
            return corrections.correct_claim(conn, claim_of(conn, named), of_claim, actor, now)
        where = dossiers_of(conn, named)[0] if debtor is not None else None
        who = person_of(conn, named)
        keys = app.address_keys
        return corrections.correct_person(
            conn, who, values, ways, keys, actor, now, certainty=certainty, dossier=where
        )

    fields = done(work)
    ctx.obj.value({"corrected": fields}, [f"Corrected: {', '.join(fields)}. What is queued is planned anew."])


def _claim_values(named: Named, due_on: str | None, description: str | None) -> dict[str, Any]:
    values = {"due_on": day(due_on, "--due-on"), "description": description}
    found = {field: value for field, value in values.items() if value is not None}
    if found and not named.names_claim:
        raise UsageError("--due-on and --description: expected with --claim or --invoice")
    return found


def _points(email: str | None, phone: str | None, address: tuple[str | None, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    street, house_number, suffix, postcode, city, country = address
    option = "--email"
    try:
        if email is not None:
            found["email"] = email_value(email)
        option = "--phone"
        if phone is not None:
            found["sms"] = phone_value(phone, country or "NL")
        option = "the address"
        if street is not None or house_number or suffix or postcode or city:
            parts = (street, house_number, suffix, postcode, city, country)
            found["letter"] = address_value(*(part or "" for part in parts))
    except ValueError as error:
        msg = f"{option}: {error}"
        raise UsageError(msg) from error
    return found


def _person_values(
    name: str | None, language: str | None, form: str | None, channel: str | None, income_day: int | None
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = " ".join(name.split())
        if not values["name"] or len(values["name"]) > 250 or not values["name"].isprintable():
            raise UsageError("--name: expected a name on one line of at most 250 characters")
    for option, value, field, words in (
        ("--language", language, "language", _LANGUAGES),
        ("--form-of-address", form, "form_of_address", _FORMS),
        ("--preferred-channel", channel, "preferred_channel", (*(kind.value for kind in Kind), "none")),
    ):
        if value is not None:
            if value not in words:
                msg = f"{option}: {value!r}; expected one of {', '.join(words)}"
                raise UsageError(msg)
            values[field] = None if value == "none" else value
    if income_day is not None:
        if not 0 <= income_day <= 31:
            raise UsageError("--income-day: expected a day of the month, 1 to 31, or 0 for not known")
        values["income_day"] = income_day or None
    return values


def note(
    ctx: typer.Context,
    text: str = typer.Argument(help="What should be known."),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = Person,
    due: str = typer.Option(None, "--due", help="A day: the note is work for somebody too."),
    owner: str = typer.Option("staff", "--owner", help="Whose work it is."),
    actor: str = As,
) -> None:
    """Keep a note about a dossier."""
    named = Named(debtor, creditor, contract, person)
    on = day(due, "--due")
    task = done(
        lambda conn, app: conversations.note(conn, named, text, actor, app.now(), due_on=on, owner=owner)
    )
    ctx.obj.value({"task": task}, [f"Noted; task {task[:8]} is {owner}'s by {on}." if task else "Noted."])


def log_add(
    ctx: typer.Context,
    kind: str = typer.Option(..., "--kind", help=", ".join(conversations.KINDS)),
    is_in: bool = typer.Option(..., "--in/--out", help="From the debtor, or to the debtor."),
    debtor: str = Debtor,
    creditor: str = Creditor,
    contract: str = Contract,
    person: str = Person,
    at: str = typer.Option(None, "--at", help="When; now where nothing is said."),
    text: str = typer.Option(None, "--text", help="What was said."),
    file: Path = typer.Option(None, "--file", help=f"What was said, as {', '.join(conversations.CODECS)}."),
    step: str = typer.Option(None, "--step", help="It counts as this step of the strategy."),
    signal: str = typer.Option(None, "--signal", help="money_trouble"),
    actor: str = As,
) -> None:
    """Keep a conversation, a letter, a mail or a scan that came in or went out elsewhere."""
    if signal not in {None, "money_trouble"}:
        raise UsageError("--signal: expected money_trouble")
    body, codec = _said(text, file)

    def work(conn: Connection, app: bootstrap.App) -> int:
        said = conversations.Said(
            named=Named(debtor, creditor, contract, person),
            kind=kind,
            is_in=is_in,
            at=until(at, "--at") or app.now(),
            body=body,
            codec=codec,
            step=step,
            money_trouble=signal is not None,
        )
        return conversations.record(conn, said, actor, app.now())

    claims = done(work)
    counted = f" It counts as step {step} of {claims} claims." if step else ""
    ctx.obj.value({"kind": kind, "step": step, "claims": claims}, [f"Kept.{counted}"])


def _said(text: str | None, file: Path | None) -> tuple[bytes, str]:
    if (text is None) == (file is None):
        raise UsageError("expected one of --text or --file: what was said")
    if text is not None:
        return text.encode(), "text"
    assert file is not None
    codec = conversations.CODECS.get(file.suffix.lower())
    if codec is None:
        msg = f"--file: {file.name!r}; expected a file that ends in {', '.join(conversations.CODECS)}"
        raise UsageError(msg)
    try:
        if file.stat().st_size > conversations.MOST_BYTES:
            msg = (
                f"--file: {file.name} has more than {conversations.MOST_BYTES:,} bytes, the most that is kept"
            )
            raise UsageError(msg)
        return file.read_bytes(), codec
    except OSError as error:
        msg = f"--file: {file.name} can't be read: {error.strerror}"
        raise UsageError(msg) from error


def undo_command(
    ctx: typer.Context,
    entry: str = typer.Argument(help="The entry's id, or the beginning of it (outreach log show)."),
    actor: str = As,
) -> None:
    """Take back what a command did, by its entry in the log; what left can't be taken back."""
    row = done(lambda conn, app: undo.undo(conn, entry, app.address_keys, actor, app.now()))
    ctx.obj.value({"undone": row.id, "type": row.type}, [f"Taken back: {row.type} {row.id[:8]}."])
