"""Every shipped message in every language and form, and what the tests of their promises look for in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from templates import formats
from templates.catalogue import Catalogue, Template
from templates.render import Rendered, render
from templates.values import Amount, Line, Notice, Part
from tests.templates.notices import notice

SHIPPED = Catalogue.shipped()
TEXTS = tuple(
    (name, language, form) for name in SHIPPED.names for language, form in SHIPPED.get(name).available
)


def every(*names: str, tones: tuple[str, ...] = (), purpose: str = "") -> pytest.MarkDecorator:
    """All languages and forms of the messages of these names, tones or purpose."""
    found = [text for text in TEXTS if _meant(SHIPPED.get(text[0]), names, tones, purpose)]
    assert found
    return pytest.mark.parametrize(("name", "language", "form"), found)


def _meant(template: Template, names: tuple[str, ...], tones: tuple[str, ...], purpose: str) -> bool:
    return (
        (not names or template.name in names)
        and (not tones or template.tone in tones)
        and (not purpose or template.purpose == purpose)
    )


def given(**changes: object) -> Notice:
    """A notice in which everything is given and no figure or date stands twice, one bill newer than the rest."""
    bill = Line("2026-00001", "Huur", date(2026, 9, 1), Amount(101_01, "EUR"), Amount(9_09, "EUR"))
    newer = Line("2026-00077", "Water", date(2026, 10, 2), Amount(202_02, "EUR"))
    return replace(
        notice(payment_url="https://betaal.example/r/8f2c"),
        lines=(bill,),
        younger=(newer,),
        total=Amount(303_03, "EUR"),
        pay_by_on=date(2026, 12, 14),
        handover_to="Kantoor Bosman",
        handover_on=date(2026, 12, 21),
        paid=Amount(50_05, "EUR"),
        left=Amount(60_06, "EUR"),
        until_on=date(2026, 12, 31),
        parts=(Part(date(2027, 1, 25), Amount(71_07, "EUR")), Part(date(2027, 2, 25), Amount(72_07, "EUR"))),
        next_part=Part(date(2027, 1, 25), Amount(71_07, "EUR")),
        department="Bewoners",
        answer_by_on=date(2026, 12, 9),
        costs=Amount(40_04, "EUR"),
        term_days=14,
        term_until_on=date(2026, 12, 18),
        **changes,  # type: ignore[arg-type]
    )


def written(name: str, language: str, form: str, what: Notice | None = None) -> Rendered:
    return render(SHIPPED.get(name).for_preview(), language, form, what or given())


def plain(name: str, language: str, form: str, what: Notice | None = None) -> str:
    return written(name, language, form, what).plain


def in_order(text: str, *parts: str) -> bool:
    """Whether the parts stand in the text one after the other."""
    return re.search(".*".join(re.escape(part) for part in parts), text, re.DOTALL) is not None


def figures(text: str) -> set[str]:
    return set(re.findall(r"€\s-?[\d.,]*\d", text))


def days(text: str, language: str) -> set[str]:
    months = "|".join(formats.LOCALES[language].months)
    return set(re.findall(rf"\b\d+ (?:{months}) \d{{4}}", text))


def amounts_of(what: Notice, language: str, *fields: str) -> set[str]:
    return {formats.amount(value, language) for value in _values(what, fields) if isinstance(value, Amount)}


def days_of(what: Notice, language: str, *fields: str) -> set[str]:
    return {formats.day(value, language) for value in _values(what, fields) if isinstance(value, date)}


def _values(what: Notice, fields: tuple[str, ...]) -> Iterator[object]:
    for path in fields:
        found: list[object] = [what]
        for field in path.split("."):
            values = [getattr(each, field) for each in found]
            found = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
        yield from found
