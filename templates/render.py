"""Writes a message for one reader: pure, and the same bytes for the same values at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jinja2
from markupsafe import escape

from templates.catalogue import SwitchedOffError, Template
from templates.compiled import Compiled
from templates.formats import NO_BREAK_SPACE
from templates.inert import NARROW_SPACE
from templates.letter import LetterError
from templates.shown import check_given, shown
from templates.values import Notice

# A text message with one character outside the GSM alphabet holds 70 instead of 160.
_PLAIN_SPACES = str.maketrans({NO_BREAK_SPACE: " ", NARROW_SPACE: " "})


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one reader gets by mail. Subject and preheader may show on a lock screen; plain and html say the same."""

    subject: str
    preheader: str
    plain: str
    html: str


def render(template: Template, language: str, form: str, notice: Notice) -> Rendered:
    """Write a mail.

    Raises `UnknownTextError` for a language or form it has no text in, `SwitchedOffError` for a message that
    may not be sent, and `FieldError` (a ValueError that names the field) for a value that may not be shown or
    that the message can't do without; the functions below do the same.
    """
    text, m, context = _opened(template, language, form, notice)
    subject = _subject(text, m, context)
    preheader = _one_line(_ended(_written(text, text.preheader, context), m))
    plain = _trimmed(_ended(_written(text, text.plain, context), m))
    page = {**context, "subject": subject, "preheader": preheader, "language": language}
    return Rendered(subject, preheader, plain, _ended(_written(text, text.html, page), m))


def render_subject(template: Template, language: str, form: str, notice: Notice) -> str:
    """Write the subject alone, as a letter on paper has it above it."""
    return _subject(*_opened(template, language, form, notice))


def render_sms(template: Template, language: str, form: str, notice: Notice) -> str:
    """Write a text message: one line, all of which may show on a lock screen."""
    text, m, context = _opened(template, language, form, notice)
    return _one_line(_ended(_written(text, text.sms, context), m).translate(_PLAIN_SPACES))


def render_letter(template: Template, language: str, form: str, notice: Notice) -> str:
    """Write the inside of a letter on paper: an HTML fragment of headings, paragraphs and tables."""
    text, m, context = _opened(template, language, form, notice)
    return _ended(_written(text, text.letter, context), m)


def _opened(
    template: Template, language: str, form: str, notice: Notice
) -> tuple[Compiled, Notice, Mapping[str, object]]:
    if not template.enabled:
        raise SwitchedOffError(template.name)
    text = template.text(language, form)
    m = shown(notice)
    check_given(m, template.needs, template.name)
    return text, m, {"m": m, "help": template.help}


def _subject(text: Compiled, m: Notice, context: Mapping[str, object]) -> str:
    return _one_line(_ended(_written(text, text.subject, context), m))


def _written(text: Compiled, part: jinja2.Template, context: Mapping[str, object]) -> str:
    try:
        return part.render(context)
    except jinja2.UndefinedError as error:
        raise LetterError(f"{text.where}: {error.message}") from error


def _ended(text: str, m: Notice) -> str:
    """Take away the full stop after a name that ends in one of its own, such as `B.V.`."""
    for name in (m.creditor_name, m.handover_to, m.addressee_name, m.department):
        if name.endswith("."):
            text = text.replace(f"{name}.", name).replace(f"{escape(name)}.", escape(name))
    return text


def _trimmed(text: str) -> str:
    # A choice within a paragraph may leave a space behind at either end of it.
    for loose in (" \n", "\n "):
        while loose in text:
            text = text.replace(loose, "\n")
    return text.strip() + "\n"


def _one_line(text: str) -> str:
    return " ".join(word for word in text.split(" ") if word)
