"""Judges what a message must say and show, and what its writer may not type: amounts and dates."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from channels.surfaces import Surface
from templates import letter
from templates.catalogue import Template
from templates.formats import LOCALES
from templates.lint_facts import plain_spaces, stands_in, written_at
from templates.lint_findings import Fault, Level
from templates.values import Notice

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NUMBER = re.compile(r"\S*\d\S*")
_MONEY = re.compile(r"€|£|\$|(?<!\w)(?:eur|euros?|cents?)(?!\w)", re.IGNORECASE)
_HOLE = re.compile(r" [.,?:;](?!\w)|[,:][.?]|(?<!\w)None(?!\w)")
# As words of their own these are no months.
_AMBIGUOUS = {"May", "March"}


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule of `required.toml`."""

    name: str
    why: str
    tones: frozenset[str]
    purposes: frozenset[str]
    messages: frozenset[str]
    exempt: frozenset[str]
    surfaces: frozenset[Surface]
    again: bool
    shows: tuple[str, ...]
    hides: tuple[str, ...]
    says: Mapping[str, re.Pattern[str]]
    never: Mapping[str, re.Pattern[str]]

    def holds(self, template: Template) -> bool:
        """Tell whether the rule is about this message."""
        asked = (
            (self.tones, template.tone),
            (self.purposes, template.purpose),
            (self.messages, template.name),
        )
        return template.name not in self.exempt and all(not of or one in of for of, one in asked)


def judge_required(
    template: Template, language: str, surface: Surface, text: str, bare: str, m: Notice
) -> Iterator[Fault]:
    """Judge one written surface of a message for the shown notice `m`; `bare` is the text without its facts."""
    shown = plain_spaces(text)
    if surface is Surface.BODY:
        yield from _needed(template, language, shown, m)
    for rule in _rules():
        if surface in rule.surfaces and rule.holds(template) and (m.again or not rule.again):
            yield from _values(rule, template, language, shown, m)
            if (wanted := rule.says.get(language)) and not wanted.search(shown):
                yield Fault("required", Level.BLOCK, rule.name, rule.why)
            if (unwanted := rule.never.get(language)) and (found := unwanted.search(bare)):
                yield Fault("never", Level.BLOCK, found[0], rule.why)


def _needed(template: Template, language: str, text: str, m: Notice) -> Iterator[Fault]:
    """What a message can't do without, it shows; of a bill or a part that is at least one thing."""
    for field in template.needs:
        names = {
            "lines": ".invoice_number",
            "younger": ".invoice_number",
            "parts": ".amount",
            "next_part": ".amount",
        }
        for value in written_at(field + names.get(field, ""), m, template.help, language):
            if not stands_in(value, text):
                yield Fault("required", Level.BLOCK, field, "messages.toml says that it is needed; show it")


def _values(rule: _Rule, template: Template, language: str, text: str, m: Notice) -> Iterator[Fault]:
    for path in rule.shows:
        for value in written_at(path, m, template.help, language):
            if not stands_in(value, text):
                yield Fault("required", Level.BLOCK, f"{rule.name}: {path}", rule.why)
    for path in rule.hides:
        for value in written_at(path, m, template.help, language):
            if stands_in(value, text):
                yield Fault("hidden", Level.BLOCK, f"{rule.name}: {path}", rule.why)


def judge_ragged(text: str) -> Iterator[Fault]:
    """Find where a value that isn't given left a hole in its sentence."""
    for found in _HOLE.finditer(plain_spaces(text)):
        yield Fault(
            "hole", Level.BLOCK, found[0].strip(), "a value may be empty here; choose with {% if … %}"
        )


def judge_source(source: str, language: str) -> Iterator[tuple[Surface, Fault]]:
    """Find amounts and dates that the writer typed; they come from the calculator alone."""
    read = letter.read(source)
    body = "\n".join(line for _, lines in read.blocks for line in lines)
    typed = {
        Surface.SUBJECT: read.subject,
        Surface.PREHEADER: read.preheader,
        Surface.SMS: read.sms,
        Surface.BODY: body,
    }
    months = "|".join(set(LOCALES[language].months) - _AMBIGUOUS)
    patterns = {
        "a number": _NUMBER,
        "money": _MONEY,
        "a month": re.compile(rf"(?<!\w)(?:{months})(?!\w)", re.IGNORECASE),
    }
    for surface, text in typed.items():
        bare = _EXPRESSION.sub(" ", text)
        for what, pattern in patterns.items():
            for found in pattern.finditer(bare):
                instead = f"{what} comes from a value, as in {{{{ m.total }}}} or {{{{ m.pay_by_on }}}}"
                yield surface, Fault("typed_value", Level.BLOCK, found[0], instead)


@cache
def _rules() -> tuple[_Rule, ...]:
    listed = tomllib.loads(files("templates").joinpath("required.toml").read_text("utf-8"))["rule"]
    return tuple(
        _Rule(
            name=row["name"],
            why=row["why"],
            tones=frozenset(row.get("tones", ())),
            purposes=frozenset(row.get("purposes", ())),
            messages=frozenset(row.get("messages", ())),
            exempt=frozenset(row.get("except", ())),
            surfaces=frozenset(Surface(name) for name in row.get("surfaces", ("body",))),
            again=row.get("again", False),
            shows=tuple(row.get("shows", ())),
            hides=tuple(row.get("hides", ())),
            says=_patterns(row.get("says", {})),
            never=_patterns(row.get("never", {})),
        )
        for row in listed
    )


def _patterns(listed: Mapping[str, str]) -> Mapping[str, re.Pattern[str]]:
    made = {language: re.compile(rf"(?<!\w)(?:{words})", re.IGNORECASE) for language, words in listed.items()}
    return MappingProxyType(made)
