"""Reads a rendered message as a strict editor would: plain, friendly, silent about debt where others look.

It finds what a list of words and a count can find. It proves nothing about level B1; a person approves.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from channels.surfaces import OPEN_SURFACES, Surface
from templates import formats
from templates.catalogue import Template
from templates.inert import is_discreet
from templates.render import Rendered
from templates.shown import shown
from templates.values import Reminder

LONGEST_SENTENCE = 20
"""Words; a longer sentence loses readers on the way."""

OPENING = 80
"""So many characters of a body may show on a lock screen where a client has no preheader to show."""

HELP_LINE_DAYS = 180
"""After so many days somebody should look again whether a help line still has its number."""

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: the rule, the surface where it was found, and the words."""

    rule: str
    surface: Surface
    words: str


@dataclass(frozen=True, slots=True)
class _Rules:
    harsh: re.Pattern[str]
    difficult: re.Pattern[str]
    telling: re.Pattern[str]
    other_address: Mapping[str, re.Pattern[str]]


def lint(rendered: Rendered, language: str, form: str, reminder: Reminder) -> tuple[Finding, ...]:
    """Tell what is wrong with a message; an empty tuple is nothing. Names and other facts are not judged."""
    rules = _rules()[language]
    texts = {
        Surface.SUBJECT: _without_facts(rendered.subject, reminder, language),
        Surface.PREHEADER: _without_facts(rendered.preheader, reminder, language),
        Surface.BODY: _without_facts(rendered.plain, reminder, language),
    }
    return tuple(
        finding for surface, text in texts.items() for finding in _read(text, surface, rules, form)
    ) + tuple(_open(rendered, rules, reminder, language))


def stale_help_lines(template: Template, today: date) -> tuple[str, ...]:
    """Name the help lines whose number nobody has looked at for long."""
    limit = today - timedelta(days=HELP_LINE_DAYS)
    return tuple(name for name, line in template.help.items() if line.verified_on < limit)


def sentences(text: str) -> list[str]:
    """Part a text into sentences; a heading, a fact and a line of an address count as one each."""
    return [part for line in text.splitlines() for part in re.split(r"(?<=[.?!:])\s+", line) if part.strip()]


def _read(text: str, surface: Surface, rules: _Rules, form: str) -> Iterator[Finding]:
    lists = {
        "harsh": rules.harsh,
        "difficult": rules.difficult,
        "address": rules.other_address[form],
    }
    for rule, pattern in lists.items():
        yield from (Finding(rule, surface, found[0]) for found in pattern.finditer(text))
    if "!" in text:
        yield Finding("shouting", surface, "!")
    for sentence in sentences(text):
        if len(_WORD.findall(sentence)) > LONGEST_SENTENCE:
            yield Finding("long_sentence", surface, sentence)


def _open(rendered: Rendered, rules: _Rules, reminder: Reminder, language: str) -> Iterator[Finding]:
    seen = {Surface.SUBJECT: rendered.subject, Surface.PREHEADER: rendered.preheader}
    # A creditor's name is no fault of the text, unless the text shows a name that says it all.
    name = reminder.creditor_name.strip()
    for surface in sorted(OPEN_SURFACES & seen.keys()):
        text = seen[surface].replace(name, " ") if is_discreet(name) else seen[surface]
        yield from (Finding("tells_of_debt", surface, found[0]) for found in rules.telling.finditer(text))
        if not is_discreet(text):
            yield Finding("tells_of_debt", surface, text)
    opening = _without_facts(rendered.plain[:OPENING], reminder, language)
    yield from (Finding("tells_of_debt", Surface.BODY, found[0]) for found in rules.telling.finditer(opening))


def _without_facts(text: str, reminder: Reminder, language: str) -> str:
    m = shown(reminder)
    facts = {
        *(m.addressee_name, m.creditor_name, m.creditor_email, m.payment_reference, m.payment_url),
        *(formats.phone(m.creditor_phone), formats.iban(m.iban), formats.amount(m.total, language)),
    }
    for line in m.lines:
        facts |= {line.invoice_number, line.description, formats.amount(line.open, language)}
        facts.add(formats.day(line.due_on, language))
    if m.payments_until_on:
        facts.add(formats.day(m.payments_until_on, language))
    # Longest first, so that a fact inside another one leaves no rest behind.
    for fact in sorted(map(str, facts), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(fact)}(?!\w)", " ", text) if fact else text
    return text


@cache
def _rules() -> Mapping[str, _Rules]:
    listed = tomllib.loads(files("templates").joinpath("lint_words.toml").read_text("utf-8"))
    made = {
        language: _Rules(
            _any(words["harsh"]),
            _any(words["difficult"]),
            _any(words["telling"]),
            {form: _any(other) for form, other in words["other_address"].items()},
        )
        for language, words in listed.items()
    }
    return MappingProxyType(made)


def _any(words: list[str]) -> re.Pattern[str]:
    # An empty list matches nothing at all, rather than everywhere.
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)" if words else r"(?!)", re.IGNORECASE)
