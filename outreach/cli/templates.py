"""Commands about what messages say: templates lint, templates show."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from channels.surfaces import Surface
from outreach.cli.output import Output, day, table
from outreach.clock import machine_clock
from outreach.errors import NotFound, UsageError
from outreach.planning.load import civil_today
from templates.catalogue import FORMS, Catalogue, Template, UnknownTemplateError
from templates.formats import LOCALES
from templates.lint import lint_catalogue, lint_files, lint_message
from templates.lint_findings import Finding, Level, blocked
from templates.lint_samples import full
from templates.messages import message_tables
from templates.render import render, render_letter, render_sms

templates_app = typer.Typer(help="What messages say, and whether they may say it so.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(templates_app, name="templates")


@templates_app.command("lint")
def lint(
    ctx: typer.Context,
    name: str = typer.Argument(None, help="One message; all of them without."),
    folder: Path = typer.Option(
        None, "--folder", help="Your own texts of that message: nl/formal.txt and so on."
    ),
    today: str = typer.Option(None, "--on", help="As if on this day (for the age of help lines)."),
) -> None:
    """Read the messages as a strict editor would; exits 1 when one can't be approved."""
    if folder is not None and name is None:
        msg = "--folder needs the name of the message that its texts are for"
        raise UsageError(msg)
    if folder is not None:
        found = lint_files(name, _texts(folder), _table(name))
    elif name is not None:
        found = lint_message(_template(name))
    else:
        found = lint_catalogue(Catalogue.shipped(), day(today, "--on") or civil_today(machine_clock()))
    out: Output = ctx.obj
    out.value([asdict(finding) for finding in found], _lines(found))
    if blocked(found):
        raise typer.Exit(1)


@templates_app.command("show")
def show(
    ctx: typer.Context,
    name: str = typer.Argument(None, help="One message; a list of all without."),
    language: str = typer.Option("nl", "--language", help="One of its languages."),
    form: str = typer.Option("formal", "--form", help="formal or informal"),
    surface: Surface = typer.Option(
        None, "--surface", help="Only this: subject, preheader, body, sms or letter."
    ),
) -> None:
    """List the messages, or show one with example values; the letter is HTML."""
    out: Output = ctx.obj
    if name is None:
        rows = [_row(template) for template in Catalogue.shipped().templates.values()]
        head = ("message", "tone", "purpose", "sent", "needs", "version")
        out.value([dict(zip(head, row, strict=True)) for row in rows], table(head, rows))
        return
    texts = _shown(_template(name), language, form)
    wanted = {each: text for each, text in texts.items() if surface in (None, each)}
    if not wanted:
        msg = f"a message has no {surface} of its own; it has {', '.join(texts)}"
        raise UsageError(msg)
    lines = [f"{each}: {text}" if "\n" not in text else f"{each}:\n{text}" for each, text in wanted.items()]
    out.value(
        {each.value: text for each, text in wanted.items()}, lines if surface is None else wanted.values()
    )


def _shown(template: Template, language: str, form: str) -> dict[Surface, str]:
    if (language, form) not in template.available:
        msg = f"{template.name} is there in {', '.join(LOCALES)}, {' and '.join(FORMS)}"
        raise UsageError(msg)
    notice, seen = full(2, again=True), template.for_preview()
    mail = render(seen, language, form, notice)
    return {
        Surface.SUBJECT: mail.subject,
        Surface.PREHEADER: mail.preheader,
        Surface.SMS: render_sms(seen, language, form, notice),
        Surface.BODY: mail.plain,
        Surface.LETTER: render_letter(seen, language, form, notice),
    }


def _row(template: Template) -> tuple[str, ...]:
    sent = "yes" if template.enabled else "switched off"
    needs = " ".join(template.needs)
    return template.name, template.tone, template.purpose, sent, needs, template.version[:12]


def _lines(found: tuple[Finding, ...]) -> list[str]:
    rows = [
        (
            finding.level,
            finding.message,
            "/".join(filter(None, (finding.language, finding.form, finding.surface))),
            finding.rule,
            _short(finding.words),
            finding.instead,
        )
        for finding in found
    ]
    counts = Counter(finding.level for finding in found)
    summary = f"{counts[Level.BLOCK]} to mend before approval, {counts[Level.WARN]} to look at"
    listed = table(("level", "message", "where", "rule", "words", "instead"), rows) if rows else []
    return [*listed, *([""] if rows else []), summary]


def _short(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= 60 else flat[:59] + "…"


def _template(name: str) -> Template:
    try:
        return Catalogue.shipped().get(name)
    except UnknownTemplateError as error:
        raise NotFound(str(error)) from error


def _table(name: str) -> dict[str, Any]:
    tables = message_tables()
    if name not in tables:
        msg = f"no message {name!r}; there is {', '.join(tables)}"
        raise NotFound(msg)
    return dict(tables[name])


def _texts(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.glob("*/*.txt")):
        if path.stem not in FORMS:
            msg = f"{path}: expected a name such as nl/formal.txt or nl/informal.txt"
            raise UsageError(msg)
        try:
            found[path.relative_to(folder).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            msg = f"{path}: expected UTF-8 ({error.reason} at byte {error.start})"
            raise UsageError(msg) from error
    if not found:
        msg = f"{folder}: expected texts such as {folder / 'nl' / 'formal.txt'}"
        raise UsageError(msg)
    return found
