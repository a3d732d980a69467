"""The notices with which the lint reads a message: long names, many bills, and each thing left out once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any

from templates.catalogue import Template
from templates.values import Amount, Line, Notice, Part

_DUE_ON = date(2026, 9, 1)

_EMPTY: dict[str, Any] = {
    "creditor_email": "",
    "payments_until_on": None,
    "younger": (),
    "pay_by_on": None,
    "payment_url": "",
    "handover_to": "",
    "handover_on": None,
    "paid": None,
    "left": None,
    "until_on": None,
    "parts": (),
    "next_part": None,
    "department": "",
    "answer_by_on": None,
    "costs": None,
    "term_days": 0,
    "term_until_on": None,
    "register_number": "",
}
"""What a notice may leave out, with the value that says so."""


def samples(template: Template) -> tuple[Notice, ...]:
    """Return the notices that lead through every branch of a message's texts."""
    return tuple(dict.fromkeys(_samples(template)))


def _samples(template: Template) -> Iterator[Notice]:
    for again, count, kind in product((False, True), (1, 3), ("person", "business")):
        yield full(count, again, kind)
    most, least = full(3, again=True), full(1, again=False)
    for field in _used(template):
        for notice in (most, least):
            yield _with_total(replace(notice, **{field: _EMPTY[field]}))
    yield _with_total(replace(most, younger=most.younger[:1]))
    yield _with_total(replace(most, lines=tuple(replace(line, disputed=None) for line in most.lines)))
    agency = "Incassobureau Kennemerland en Omstreken B.V."
    yield replace(most, creditor_name=agency, register_number="2024-00123")
    bare = replace(least, **{field: value for field, value in _EMPTY.items() if field not in template.needs})
    yield _with_total(bare)
    if "lines" not in template.needs:
        yield _with_total(replace(most, lines=()))
        yield _with_total(replace(bare, lines=()))


def _used(template: Template) -> tuple[str, ...]:
    """Return what the message may be without and mentions all the same."""
    texts = json.loads(template.bytes)["files"]
    source = "\n".join(text for path, text in texts.items() if path.endswith(".txt"))
    mentioned = set(re.findall(r"\bm\.(\w+)", source))
    return tuple(field for field in _EMPTY if field in mentioned and field not in template.needs)


def full(count: int, again: bool, kind: str = "person") -> Notice:
    """Return a notice in which everything is given, as long as it may come."""
    person = kind == "person"
    parts = tuple(
        Part(_DUE_ON + timedelta(days=100 + 30 * at), Amount(12_345 + at, "EUR")) for at in range(3)
    )
    return _with_total(
        Notice(
            addressee_name="Maximiliaan van der Westhuizen-Oosterbaan"
            if person
            else "Bakkerij Oosterbaan & Zn. B.V.",
            addressee_kind=kind,
            creditor_name="Woningstichting Zuid-Kennemerland en Omstreken",
            creditor_phone="0235551234",
            creditor_email="administratie@zuidkennemerland.example",
            iban="NL91ABNA0417164300",
            payment_reference="7000 1234 5678 9012",
            lines=_lines(count, "2026-", _DUE_ON, disputed=Amount(4_321, "EUR")),
            total=None,
            again=again,
            payments_until_on=date(2026, 10, 20),
            younger=_lines(2, "N2026-", _DUE_ON + timedelta(days=31)),
            pay_by_on=date(2026, 10, 30),
            payment_url="https://zuidkennemerland.example/b/8f2c1d",
            handover_to="Bureau Noordzee B.V.",
            handover_on=date(2026, 11, 6),
            paid=Amount(250_075, "EUR"),
            left=Amount(31_213, "EUR"),
            until_on=date(2026, 12, 24),
            parts=parts,
            next_part=parts[1],
            department="team Bewoners",
            answer_by_on=date(2026, 11, 13),
            costs=Amount(18_755, "EUR"),
            term_days=15,
            term_until_on=date(2026, 11, 20),
        )
    )


def _lines(count: int, prefix: str, first: date, disputed: Amount | None = None) -> tuple[Line, ...]:
    return tuple(
        Line(
            invoice_number=f"{prefix}{1040 + at}",
            description="Afrekening stookkosten en servicekosten",
            due_on=first + timedelta(days=at),
            open=Amount(123_410 + at, "EUR"),
            disputed=disputed if at == 0 else None,
        )
        for at in range(count)
    )


def _with_total(notice: Notice) -> Notice:
    lines = notice.lines + notice.younger
    total = Amount(sum(line.open.cents for line in lines), "EUR") if lines else None
    return replace(notice, total=total)
