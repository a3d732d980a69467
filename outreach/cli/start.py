"""The first command: make a working database, and for a real one ask the three things that it cannot do without."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

import typer

from outreach import bootstrap
from outreach.casework.creditors import add_creditor, checked_iban
from outreach.casework.days import civil_today
from outreach.cli.output import Output, day
from outreach.clock import machine_clock
from outreach.config import Settings
from outreach.errors import UsageError
from outreach.parties.contact_values import phone_looks_right

T = TypeVar("T")

ACTOR = "staff:cli"
UNKNOWN = "unknown"
_CODE_LENGTH = 40
_LEGAL_FORMS = {"BV", "NV", "VOF", "CV", "EZ"}


class Reminds(StrEnum):
    """Whether the bookkeeping program sends reminders of its own."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answers:
    """What `init` must know of a real installation; `until` is None where nobody knows what was paid."""

    name: str
    iban: str
    phone: str
    until: date | None
    reminds: Reminds

    @property
    def code(self) -> str:
        """The creditor's code: the words of its name, without accents and legal form."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode().upper()
        words = re.findall(r"[A-Z0-9]+", plain.replace(".", ""))
        kept = [word for word in words if word not in _LEGAL_FORMS] or words or ["CREDITOR"]
        return "_".join(kept)[:_CODE_LENGTH].rstrip("_")


def init(
    ctx: typer.Context,
    trial: bool = typer.Option(
        False, "--trial", help="A trial database: nothing is asked, nobody is reached."
    ),
    name: str = typer.Option(None, "--name", help="Who sends the bills."),
    iban: str = typer.Option(None, "--iban", help="Where debtors pay to."),
    phone: str = typer.Option(None, "--phone", help="Whom debtors call with a question."),
    until: str = typer.Option(
        None, "--payments-until", help="The last day whose payments are all booked, or: unknown."
    ),
    reminds: Reminds = typer.Option(
        None, "--bookkeeping-reminds", help="Whether your bookkeeping program reminds people too."
    ),
) -> None:
    """Make a working database. For a real one three things are asked, or given as options."""
    settings = bootstrap.read_settings()
    bootstrap.expect_no_database(settings)
    options = {
        "--name": name,
        "--iban": iban,
        "--phone": phone,
        "--payments-until": until,
        "--bookkeeping-reminds": reminds,
    }
    if trial:
        if given := [option for option, value in options.items() if value is not None]:
            msg = f"--trial asks nothing: leave out {', '.join(given)}"
            raise UsageError(msg)
        _make_trial(ctx.obj, settings)
        return
    missing = [option for option, value in options.items() if value is None]
    if missing and not _somebody_is_there():
        msg = f"nobody is there to answer: give {', '.join(missing)} (or --trial, which asks nothing)"
        raise UsageError(msg)
    _make_real(ctx.obj, settings, _ask(name, iban, phone, until, reminds))


def _make_trial(out: Output, settings: Settings) -> None:
    bootstrap.initialise(settings, is_trial=True)
    lines = [
        f"A trial database is ready in {settings.data_dir}.",
        "Next: outreach import claims FILE (for a file of another program: outreach import mapping FILE),",
        "then:  outreach preview --debtor NUMBER, outreach run --at 2026-11-23",
    ]
    out.value({"data_dir": str(settings.data_dir), "trial": True}, lines)


def _make_real(out: Output, settings: Settings, answers: Answers) -> None:
    bootstrap.initialise(settings, is_trial=False)
    with bootstrap.opened(settings) as app, app.store.transaction() as conn:
        values = {
            "code": answers.code,
            "name": answers.name,
            "iban": answers.iban,
            "phone": answers.phone,
            "payments_until_on": answers.until,
        }
        add_creditor(conn, values, ACTOR, machine_clock())
    facts = {
        "data_dir": str(settings.data_dir),
        "trial": False,
        "creditor": answers.code,
        "payments_until_on": answers.until,
        "bookkeeping_reminds": answers.reminds.value,
        "sending": False,
    }
    out.value(facts, _next(str(settings.data_dir), answers))


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


def _ask(
    name: str | None, iban: str | None, phone: str | None, until: str | None, reminds: Reminds | None
) -> Answers:
    """Take what was given as options, and ask for the rest; a wrong answer is asked for again, a wrong option not."""
    if None in (name, iban, phone):
        _say("1 of 3: who sends the bills? This is what debtors read in a message.")
    who = _answer("Name", name, _name)
    account = _answer("IBAN that they pay to", iban, checked_iban)
    number = _answer("Phone number for questions", phone, _phone)
    if until is None:
        _say("2 of 3: up to and including which day are all payments in your bookkeeping?")
        _say("Nobody is reminded of what may have been paid after it. The latest is yesterday.")
    known = _answer("Day as 2026-03-31, or unknown", until, _until)
    if reminds is None:
        _say("3 of 3: does your bookkeeping program send reminders too?")
    told = _answer("yes, no or unknown", reminds, _reminds)
    return Answers(who, account, number, known, told)


def _answer(question: str, given: str | None, read: Callable[[str], T]) -> T:
    if given is not None:
        return read(given)
    while True:
        try:
            return read(typer.prompt(question, err=True))
        except UsageError as error:
            _say(str(error))


def _say(line: str) -> None:
    # Questions go beside the result: what --json prints stays JSON.
    typer.echo(line, err=True)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or not name.isprintable() or len(name) > 120:
        raise UsageError("--name: expected a name of at most 120 characters")
    return name


def _phone(text: str) -> str:
    phone = text.strip()
    if not phone_looks_right(phone):
        raise UsageError("--phone: expected a phone number, as in 088 123 45 67")
    return phone


def _until(text: str) -> date | None:
    if text.strip().lower() == UNKNOWN:
        return None
    found = day(text.strip(), "--payments-until")
    yesterday = civil_today(machine_clock()) - timedelta(days=1)
    if found is not None and found > yesterday:
        msg = f"--payments-until: {found} is not over yet; {yesterday} is the latest day"
        raise UsageError(msg)
    return found


def _reminds(text: str) -> Reminds:
    try:
        return Reminds(text.strip().lower())
    except ValueError as error:
        raise UsageError("--bookkeeping-reminds: expected yes, no or unknown") from error


def _next(folder: str, answers: Answers) -> list[str]:
    """Return what to tell: what was made, the warning, and the commands that come next."""
    lines = [
        f"A real database is ready in {folder}. Sending is off.",
        f"{answers.name} is creditor {answers.code}.",
    ]
    if answers.until is None:
        lines.append("What was paid is not known, so nobody will be reminded until payments are imported.")
    if answers.reminds is not Reminds.NO:
        why = "reminds" if answers.reminds is Reminds.YES else "may remind"
        lines += [
            "",
            f"WARNING: your bookkeeping program {why} people too. Two reminders of one bill upset people, and",
            "one of the two may not know what was paid. Switch reminders off there before you switch sending on here.",
        ]
    return [
        *lines,
        "",
        "Next:",
        "  outreach import mapping FILE --out mapping.toml   (for a file of another program)",
        f"  outreach import claims FILE --mapping mapping.toml --creditor {answers.code} --dry-run",
        "  outreach import payments FILE --as-of YYYY-MM-DD",
        "  outreach preview --debtor NUMBER",
        f"  outreach sending on, and outreach sending on --creditor {answers.code}",
    ]
