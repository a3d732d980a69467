"""Looks once more at the amounts and dates of a notice: what doesn't add up is never sent."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from templates.inert import FieldError
from templates.values import Amount, Line, Notice, Part

DATES = ("payments_until_on", "pay_by_on", "handover_on", "until_on", "answer_by_on", "term_until_on")
AMOUNTS = ("paid", "left", "costs")


def check_figures(notice: Notice) -> None:
    """Refuse, with the field's name, what no reader may get.

    That is a figure of the wrong type, an amount that isn't above zero, a second currency, or a total that
    isn't the sum of its lines.
    """
    for field in DATES:
        if (value := getattr(notice, field)) is not None:
            _day(value, field)
    for field, kind in (("lines", Line), ("younger", Line), ("parts", Part)):
        _tuple_of(kind, getattr(notice, field), field)
    if type(notice.term_days) is not int or notice.term_days < 0:
        raise FieldError("term_days", "must be a whole number of days")
    amounts = _amounts(notice)
    _one_currency(amounts)
    _check_total(notice)
    _check_parts(notice)


def _amounts(notice: Notice) -> dict[str, Amount]:
    """Return every amount of the notice under its field's name, each checked by itself."""
    found = {}
    for name, lines in (("lines", notice.lines), ("younger", notice.younger)):
        for at, line in enumerate(lines):
            _day(line.due_on, f"{name}[{at}].due_on")
            found[f"{name}[{at}].open"] = line.open
            if line.disputed is not None:
                found[f"{name}[{at}].disputed"] = line.disputed
    for at, part in enumerate(notice.parts):
        found[f"parts[{at}].amount"] = part.amount
    if notice.next_part is not None:
        if type(notice.next_part) is not Part:
            raise FieldError("next_part", f"must be a Part, not {type(notice.next_part).__name__}")
        _day(notice.next_part.due_on, "next_part.due_on")
        found["next_part.amount"] = notice.next_part.amount
    for field in AMOUNTS:
        if (value := getattr(notice, field)) is not None:
            found[field] = value
    if notice.total is not None:
        found["total"] = notice.total
    for field, amount in found.items():
        _amount(amount, field)
    return found


def _one_currency(amounts: dict[str, Amount]) -> None:
    currency = amounts["total"].currency if "total" in amounts else None
    for field, amount in amounts.items():
        currency = currency or amount.currency
        if amount.currency != currency:
            raise FieldError(field, "has another currency than the rest")


def _check_total(notice: Notice) -> None:
    lines = notice.lines + notice.younger
    if notice.total is None:
        if lines:
            raise FieldError("total", "is missing, though there are lines")
    elif sum(line.open.cents for line in lines) != notice.total.cents:
        raise FieldError("total", "is not the sum of the lines")


def _check_parts(notice: Notice) -> None:
    days = [_day(part.due_on, f"parts[{at}].due_on") for at, part in enumerate(notice.parts)]
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise FieldError("parts", "must stand in the order of their days")


def _tuple_of(kind: type, value: object, field: str) -> None:
    if not isinstance(value, tuple):
        raise FieldError(field, f"must be a tuple, not {type(value).__name__}")
    for at, item in enumerate(value):
        if type(item) is not kind:
            raise FieldError(f"{field}[{at}]", f"must be a {kind.__name__}, not {type(item).__name__}")


def _day(value: object, field: str) -> date:
    if type(value) is not date:
        raise FieldError(field, f"must be a date, not {type(value).__name__}")
    return value


def _amount(value: object, field: str) -> None:
    if type(value) is not Amount:
        raise FieldError(field, f"must be an Amount, not {type(value).__name__}")
    if type(value.cents) is not int:
        raise FieldError(field, f"must be integer cents, not {type(value.cents).__name__}")
    currency = value.currency
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise FieldError(field, "needs a currency of three capitals (ISO 4217)")
    if value.cents <= 0:
        raise FieldError(field, "must be above zero")
