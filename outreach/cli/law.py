"""Commands about the law: the rules with their sources, the record of processing, and questions of other systems."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import msgspec
import typer

from channels.segments import segments
from consent import batch as contact_asks
from consent.listing import LawRow, law_rows
from consent.packs import shipped_parts
from consent.processing import shipped_register
from outreach import bootstrap
from outreach.casework import confirmations
from outreach.claims import batch as money_asks
from outreach.cli.named import As, done
from outreach.cli.output import moment, table
from outreach.errors import UsageError
from outreach.sharing import processing

law_app = typer.Typer(help="The rules, with their sources; what is asked of them.", no_args_is_help=True)

MOST_LINE = 100_000
"""A longer line is no question."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(law_app, name="law")


@law_app.command("show")
def show(
    ctx: typer.Context,
    country: str = typer.Option("NL", "--country", help="Two letters."),
    rule: str = typer.Option(None, "--rule", help="The beginning of one rule's id."),
) -> None:
    """List the rules of a country: what they ask, since when, and where they come from."""
    with bootstrap.opened(bootstrap.read_settings()) as app:
        packs, today = app.versions.packs, app.now().date()
    pack = packs.get(country)
    if pack is None:
        msg = f"--country: {country!r} has no rules here; expected one of {', '.join(packs)}"
        raise UsageError(msg)
    rows = [row for row in law_rows(pack) if rule is None or row.id.startswith(rule)]
    data = [msgspec.to_builtins(row) for row in rows]
    ctx.obj.value(data, [*_overdue(rows, today), *_listed(rows, detailed=rule is not None)])


def _listed(rows: Iterable[LawRow], *, detailed: bool) -> Iterator[str]:
    part = ""
    for row in rows:
        if row.part != part:
            part = row.part
            review = f", to be reviewed by {row.review_by}" if row.review_by else ""
            yield f"\n{part} ({row.region}, version {row.version}{review})"
        yield f"  {row.id:<18} {row.title}"
        if detailed:
            yield from _details(row)
        else:
            milder = f", for now {row.effect_now}" if row.effect_now != row.effect else ""
            yield f"  {'':<18} {row.effect}{milder} · {row.enforced_by} · {row.certainty} · {row.source}"


def _details(row: LawRow) -> Iterator[str]:
    facts = {
        "asks": row.condition,
        "effect": row.effect if row.effect == row.effect_now else f"{row.effect}, for now {row.effect_now}",
        "enforced by": row.enforced_by,
        "valid": f"{row.valid_from or 'always'} to {row.valid_until or 'further notice'}",
        "certainty": row.certainty + (f", confirmed by {row.confirmed_by}" if row.confirmed_by else ""),
        "source": row.source,
        "note": row.note,
    }
    for name, value in facts.items():
        if value:
            yield f"      {name}: {value}"


def _overdue(rows: Iterable[LawRow], today: date) -> Iterator[str]:
    late = {(row.part, row.review_by) for row in rows if row.review_by and row.review_by <= today}
    for part, review_by in sorted(late, key=str):
        yield f"OVERDUE: the rules of {part} were to be reviewed by {review_by}"


@law_app.command("confirm")
def confirm(
    ctx: typer.Context,
    rule: str = typer.Argument(help="The id of a rule that is unverified."),
    source: str = typer.Option(..., "--source", help="What you read."),
    actor: str = As,
) -> None:
    """Say, by name, that an unverified rule is as the law has it: from then on it may forbid."""
    done(lambda conn, app: confirmations.confirm(conn, rule, source, _doubtful(), actor, app.now()))
    ctx.obj.value({"confirmed": rule}, [f"{rule} is confirmed by {actor}."])


@law_app.command("withdraw")
def withdraw(ctx: typer.Context, rule: str = typer.Argument(), actor: str = As) -> None:
    """Take a confirmation back."""
    done(lambda conn, app: confirmations.withdraw(conn, rule, actor, app.now()))
    ctx.obj.value({"withdrawn": rule}, [f"{rule} is unverified again."])


def _doubtful() -> set[str]:
    return {rule.id for one in shipped_parts() for rule in one.part.rules if rule.certainty == "unverified"}


@law_app.command("record")
def record(
    ctx: typer.Context,
    since: str = typer.Option(None, "--since", help="Count what was done from this day on."),
    as_csv: bool = typer.Option(False, "--csv", help="As a file for a spreadsheet."),
) -> None:
    """Print the record of processing activities (GDPR art. 30): what is declared, beside what was done."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.reading() as conn:
        found = processing.record(conn, shipped_register(), moment(since, "--since"), app.now())
    if as_csv:
        print(_csv(found), end="")
        return
    cells = [
        (row.code, row.basis, row.title, row.retention, row.messages, row.disclosures)
        for row in found.activities
    ]
    head = ("activity", "basis", "what", "kept", "messages", "disclosures")
    undeclared = [f"NOT DECLARED: {what}, {count} times" for what, count in found.undeclared.items()]
    lines = [f"register {found.version}: {found.controller}", "", *table(head, cells), *undeclared]
    ctx.obj.value(msgspec.to_builtins(found), lines)
    if undeclared:
        raise typer.Exit(1)


def _csv(found: processing.Record) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    names = processing.Row.__struct_fields__
    writer.writerow(names)
    for row in found.activities:
        values = (getattr(row, name) for name in names)
        writer.writerow("; ".join(value) if isinstance(value, tuple) else value for value in values)
    return out.getvalue()


@law_app.command("batch")
def batch() -> None:
    """Answer questions of other systems: JSON lines in, JSON lines out, one answer for each line."""
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.write(answered(line).decode() + "\n")
            sys.stdout.flush()


def answered(line: bytes) -> bytes:
    """Return the answer to one line, as JSON; what can't be read has an error, and its id where there is one."""
    if len(line) > MOST_LINE:
        return msgspec.json.encode({"id": None, "error": f"expected at most {MOST_LINE} bytes in a line"})
    try:
        request = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return msgspec.json.encode({"id": None, "error": f"expected JSON: {error}"})
    if not isinstance(request, dict):
        return msgspec.json.encode({"id": None, "error": "expected an object with id and ask"})
    return msgspec.json.encode(_answer(request))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    ask = request.get("ask")
    if ask == "sms_segments":
        text = request.get("text")
        if not isinstance(text, str):
            return {"id": request.get("id"), "error": "text: expected the text of a message"}
        cut = segments(text)
        found = {"encoding": cut.encoding, "segments": cut.segments, "units": cut.units}
        return {"id": request.get("id"), **found}
    if isinstance(ask, str) and ask in contact_asks.ASKS:
        return contact_asks.answer(request)
    if isinstance(ask, str) and ask in money_asks.ASKS:
        return money_asks.answer(request)
    known = sorted({*contact_asks.ASKS, *money_asks.ASKS, "sms_segments"})
    return {"id": request.get("id"), "error": f"ask: {ask!r} is unknown; expected one of {', '.join(known)}"}
