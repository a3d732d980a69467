"""Reads a message as a strict editor would: plain, kind for its tone, complete, silent where others look.

It judges what was written for the worst that may come (`lint_samples`), never the source alone. It finds what
lists of words and counts can find, and proves nothing about level B1; a person approves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from channels.surfaces import OPEN_SURFACES, Surface
from templates.catalogue import FORMS, Catalogue, Template, archive, shared_files
from templates.formats import LOCALES
from templates.inert import FieldError, is_discreet
from templates.letter import LetterError
from templates.lint_facts import without_facts
from templates.lint_findings import Fault, Finding, Level
from templates.lint_gates import judge_length, judge_sentences, judge_sms, judge_words, limits
from templates.lint_required import judge_ragged, judge_required, judge_source
from templates.lint_samples import samples
from templates.lint_words import judge_line, judge_seen, judge_terms
from templates.render import render, render_letter, render_sms
from templates.shown import shown
from templates.values import Notice

_Found = tuple[Surface, Fault]

# These measure a whole text; one finding tells enough, though each sample has another figure.
_MEASURES = frozenset({"long_sentences", "rare_words", "length", "sms_parts"})


def lint_catalogue(catalogue: Catalogue, today: date) -> tuple[Finding, ...]:
    """Tell what is wrong with all messages, and which help line nobody has looked at for long."""
    found = list(_stale_help_lines(catalogue, today))
    for template in catalogue.templates.values():
        found += lint_message(template)
    return tuple(found)


def lint_message(template: Template) -> tuple[Finding, ...]:
    """Tell what is wrong with a message in all its languages, forms and surfaces; nothing is an empty tuple."""
    found = [
        Finding(
            template.name,
            language,
            form,
            None,
            "missing_text",
            Level.BLOCK,
            f"{language}/{form}",
            "write this text",
        )
        for language in LOCALES
        for form in FORMS
        if (language, form) not in template.available
    ]
    given = samples(template)
    for language, form in template.available:
        faults = [*judge_source(template.source(language, form), language)]
        for notice in given:
            faults += _judge(template.for_preview(), language, form, notice)
        found += _told_once(template.name, language, form, faults)
    return tuple(found)


def lint_files(name: str, texts: Mapping[str, str], table: Mapping[str, object]) -> tuple[Finding, ...]:
    """Tell what is wrong with a message that somebody wrote: its texts by path, such as `nl/formal.txt`.

    `table` says what it is for, as a table of `messages.toml` does. A text that can't be read is a finding.
    """
    try:
        template = Template.from_bytes(archive(name, {**shared_files(), **texts}, table)).checked()
    except LetterError as error:
        why = "a letter can only show, choose and repeat what it is given"
        return (Finding(name, "", "", None, "unreadable", Level.BLOCK, str(error), why),)
    return lint_message(template)


def _stale_help_lines(catalogue: Catalogue, today: date) -> Iterator[Finding]:
    limit = today - timedelta(days=limits()["help_line_days"])
    lines = {key: line for template in catalogue.templates.values() for key, line in template.help.items()}
    for key, line in lines.items():
        if line.verified_on < limit:
            why = f"last seen on {line.verified_on}; look at the line itself and change help_lines.toml"
            yield Finding("", "", "", None, "help_line", Level.WARN, key, why)


def _judge(template: Template, language: str, form: str, notice: Notice) -> Iterator[_Found]:
    try:
        mail = render(template, language, form, notice)
        sms = render_sms(template, language, form, notice)
    except (LetterError, FieldError, TypeError) as error:
        yield (
            Surface.BODY,
            Fault("not_written", Level.BLOCK, str(error), "write it for what may be left out too"),
        )
        return
    try:
        render_letter(template, language, form, notice)
    except (LetterError, TypeError) as error:
        yield Surface.LETTER, Fault("not_written", Level.BLOCK, str(error), "see layout/shapes.toml")
    m = shown(notice)
    texts = {
        Surface.SUBJECT: mail.subject,
        Surface.PREHEADER: mail.preheader,
        Surface.SMS: sms,
        Surface.BODY: mail.plain,
    }
    for surface, text in texts.items():
        for fault in _judge_text(template, language, form, surface, text, m):
            yield surface, fault


def _judge_text(
    template: Template, language: str, form: str, surface: Surface, text: str, m: Notice
) -> Iterator[Fault]:
    bare = without_facts(text, m, template.help, language)
    has_term = "term_days" in template.needs
    yield from judge_required(template, language, surface, text, bare, m)
    yield from judge_ragged(text)
    for line in dict.fromkeys(bare.splitlines()):
        yield from judge_line(line, language, form, template.tone, has_term)
    yield from judge_sentences(bare)
    yield from judge_words(bare, language)
    if surface in OPEN_SURFACES:
        # A creditor's name is no fault of the text, unless the text shows a name that says it all.
        seen = m if is_discreet(m.creditor_name) else replace(m, creditor_name="")
        yield from judge_seen(without_facts(text, seen, template.help, language), language)
    if surface is Surface.SMS:
        yield from judge_length(bare, "sms")
        yield from judge_sms(text)
    if surface is Surface.BODY:
        yield from judge_seen(bare[: limits()["opening_characters"]], language)
        yield from judge_length(bare, "body")
        yield from judge_terms(bare, language)


def _told_once(message: str, language: str, form: str, faults: Iterable[_Found]) -> tuple[Finding, ...]:
    found: dict[tuple[Surface, str, str], Finding] = {}
    for surface, fault in faults:
        key = (surface, fault.rule, "" if fault.rule in _MEASURES else fault.words)
        if key not in found or (fault.level is Level.BLOCK and found[key].level is Level.WARN):
            rest = (fault.rule, fault.level, fault.words, fault.instead)
            found[key] = Finding(message, language, form, surface, *rest)
    return tuple(found.values())
