"""Fills in a message for one reader: pure, and the same bytes for the same values at any time."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import UndefinedError

from templates.catalogue import Template
from templates.letter import LetterError
from templates.shown import shown
from templates.values import Reminder


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one reader gets. Subject and preheader may show on a lock screen; plain and html say the same."""

    subject: str
    preheader: str
    plain: str
    html: str


def render(template: Template, language: str, form: str, reminder: Reminder) -> Rendered:
    """Write a message.

    Raises `UnknownTextError` for a language or form it has no text in, and `FieldError` (a ValueError that
    names the field) for a value that may not be shown.
    """
    text = template.text(language, form)
    context = {"m": shown(reminder), "help": template.help}
    try:
        subject = " ".join(text.subject.render(context).split(" "))
        preheader = text.preheader.render(context)
        plain = text.plain.render(context)
        html = text.html.render(context, subject=subject, preheader=preheader, language=language)
    except UndefinedError as error:
        raise LetterError(f"{template.name} {language}/{form}: {error.message}") from error
    # A choice in the middle of a paragraph may leave the space before it behind.
    return Rendered(subject, preheader, plain.replace(" \n", "\n").strip() + "\n", html)
