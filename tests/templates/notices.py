"""Notices for the tests of templates: one valid example, of which a test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

from templates.catalogue import Catalogue, Template
from templates.values import Amount, Line, Notice

CHOICES = tuple(product((False, True), (1, 3), ("person", "business")))
"""Every `again`, number of lines and kind of addressee that the texts distinguish."""


def template(name: str = "friendly_reminder") -> Template:
    return Catalogue.shipped().get(name).for_preview()


def lines(count: int = 1) -> tuple[Line, ...]:
    return tuple(
        Line(f"2026-{at:05d}", "Water, oktober 2026", date(2026, 11, 1 + at % 28), Amount(6420 + at, "EUR"))
        for at in range(count)
    )


def notice(count: int = 1, /, **changes: object) -> Notice:
    made = Notice(
        addressee_name="Jan de Vries",
        addressee_kind="person",
        creditor_name="Waterbedrijf Noord",
        creditor_phone="088-1234567",
        creditor_email="hallo@waterbedrijf.example",
        iban="NL91ABNA0417164300",
        payment_reference="2026-00000",
        lines=lines(count),
        total=Amount(sum(line.open.cents for line in lines(count)), "EUR"),
        again=False,
        payments_until_on=date(2026, 11, 30),
        pay_by_on=date(2026, 12, 14),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def with_line(**changes: object) -> Notice:
    line = replace(lines()[0], **changes)  # type: ignore[arg-type]
    return notice(lines=(line,), total=line.open)
