"""Finds the values of a notice in a written text, so that words are judged without names, and facts by presence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from functools import lru_cache

from templates import formats
from templates.engine import HelpLine
from templates.formats import Count, Iban, Phone
from templates.inert import NARROW_SPACE
from templates.values import Amount, Notice

_NOT_SAID = frozenset({"addressee_kind"})
_SPACES = str.maketrans({formats.NO_BREAK_SPACE: " ", NARROW_SPACE: " "})


def plain_spaces(text: str) -> str:
    """Give the text with usual spaces only: a text message writes an amount with other ones than a mail."""
    return text.translate(_SPACES)


def without_facts(text: str, m: Notice, helpers: Mapping[str, HelpLine], language: str) -> str:
    """Blank the values of a shown notice out of a text; everything else stays in its place."""
    return _facts(m, tuple(helpers.values()), language).sub(_blank, plain_spaces(text))


def _blank(found: re.Match[str]) -> str:
    # A name such as `B.V.` may end a sentence.
    return " " * (len(found[0]) - 1) + ("." if found[0].endswith(".") else " ")


@lru_cache(maxsize=256)
def _facts(m: Notice, helpers: tuple[HelpLine, ...], language: str) -> re.Pattern[str]:
    facts = {plain_spaces(fact) for fact in _all_written((m, *helpers), language) if fact.strip()}
    # Longest first, so that a fact inside another one leaves no rest behind.
    pattern = "|".join(re.escape(fact) for fact in sorted(facts, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


def stands_in(value: str, text: str) -> bool:
    """Tell whether a written value stands in a text as a whole."""
    at = text.find(value)
    while at >= 0:
        around = text[at - 1 : at] + text[at + len(value) : at + len(value) + 1]
        if not any(sign.isalnum() for sign in around):
            return True
        at = text.find(value, at + 1)
    return False


def written_at(path: str, m: Notice, helpers: Mapping[str, HelpLine], language: str) -> tuple[str, ...]:
    """Write the values at a path such as `lines.open` or `help.geldfit.number`; none where it isn't given."""
    owners: list[object] = [m]
    names = path.split(".")
    if names[0] == "help":
        owners = [helpers[names[1]]] if names[1] in helpers else []
        names = names[2:]
    for name in names:
        owners = [value for owner in owners for value in _each(getattr(owner, name))]
    return tuple(
        plain_spaces(written) for value in owners if value for written in [_written(value, language)]
    )


def _each(value: object) -> tuple[object, ...]:
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


def _all_written(values: tuple[object, ...], language: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, tuple):
            yield from _all_written(value, language)
        elif is_dataclass(value) and not isinstance(value, Amount | type):
            below = (getattr(value, each.name) for each in fields(value) if each.name not in _NOT_SAID)
            yield from _all_written(tuple(below), language)
        elif value is not None and type(value) is not bool:
            yield _written(value, language)


def _written(value: object, language: str) -> str:
    match value:
        case Amount():
            return formats.amount(value, language)
        case Phone():
            return formats.phone(value)
        case Iban():
            return formats.iban(value)
        case Count() | str():
            return str(value)
        case date():
            return formats.day(value, language)
    raise TypeError(f"a value of type {type(value).__name__} has no written form")
