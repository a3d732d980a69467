"""Makes a reminder fit to be shown: every field checked, other people's words made harmless, values typed."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

from templates.formats import Email, Iban, Link, Phone, dialled
from templates.inert import FieldError, copied, mail_address, single_line, unlinked, web_address
from templates.values import Amount, Line, Reminder

KINDS = ("person", "business")

REMINDER_FIELDS = frozenset(field.name for field in fields(Reminder))
LINE_FIELDS = frozenset(field.name for field in fields(Line))


def shown(reminder: Reminder) -> Reminder:
    """Give the reminder back as a template may show it; refuse, with the field's name, what can't be said.

    The amounts are looked at once more: a sum that differs from its lines or is not above zero is never sent.
    """
    if type(reminder) is not Reminder:
        raise TypeError(f"a reminder template is given a Reminder, not {type(reminder).__name__}")
    if reminder.addressee_kind not in KINDS:
        raise FieldError("addressee_kind", f"must be one of {', '.join(KINDS)}")
    if reminder.payments_until_on is not None:
        _checked_day(reminder.payments_until_on, "payments_until_on")
    if type(reminder.again) is not bool:
        raise FieldError("again", "must be True or False")
    _check_sum(reminder)
    return replace(
        reminder,
        addressee_name=_addressee(reminder),
        creditor_name=single_line(reminder.creditor_name, "creditor_name"),
        creditor_phone=Phone(_number(reminder.creditor_phone)),
        creditor_email=Email(mail_address(reminder.creditor_email, "creditor_email")),
        iban=Iban(_account(reminder.iban)),
        payment_reference=copied(reminder.payment_reference, "payment_reference"),
        payment_url=Link(web_address(reminder.payment_url, "payment_url")),
        lines=tuple(_line(line, f"lines[{at}]") for at, line in enumerate(reminder.lines)),
    )


def _addressee(reminder: Reminder) -> str:
    name = unlinked(single_line(reminder.addressee_name, "addressee_name"))
    # A surname without first name takes a capital (Beste De Vries); a firm writes its name as it likes.
    if reminder.addressee_kind == "person":
        first = name[:2] if name[:2] == "ij" else name[:1]
        return first.upper() + name[len(first) :]
    return name


def _number(value: object) -> str:
    text = single_line(value, "creditor_phone")
    if not dialled(text):
        raise FieldError("creditor_phone", "is not a phone number")
    return text


def _account(value: object) -> str:
    text = copied(value, "iban")
    if not text.replace(" ", "").isalnum() or not text.isascii():
        raise FieldError("iban", "may hold only letters and digits")
    return text


def _line(line: Line, where: str) -> Line:
    return Line(
        invoice_number=unlinked(single_line(line.invoice_number, f"{where}.invoice_number")),
        description=unlinked(single_line(line.description, f"{where}.description", required=False)),
        due_on=_checked_day(line.due_on, f"{where}.due_on"),
        open=line.open,
    )


def _checked_day(value: object, field: str) -> date:
    if type(value) is not date:
        raise FieldError(field, f"must be a date, not {type(value).__name__}")
    return value


def _check_sum(reminder: Reminder) -> None:
    if not isinstance(reminder.lines, tuple) or not reminder.lines:
        raise FieldError("lines", "must be a tuple with at least one line")
    for at, line in enumerate(reminder.lines):
        if type(line) is not Line:
            raise FieldError(f"lines[{at}]", f"must be a Line, not {type(line).__name__}")
        _checked_amount(line.open, f"lines[{at}].open")
    total = _checked_amount(reminder.total, "total")
    for at, line in enumerate(reminder.lines):
        if line.open.currency != total.currency:
            raise FieldError(f"lines[{at}].open", "has another currency than the total")
    if sum(line.open.cents for line in reminder.lines) != total.cents:
        raise FieldError("total", "is not the sum of the lines")


def _checked_amount(value: object, field: str) -> Amount:
    if type(value) is not Amount:
        raise FieldError(field, f"must be an Amount, not {type(value).__name__}")
    if type(value.cents) is not int:
        raise FieldError(field, f"must be integer cents, not {type(value.cents).__name__}")
    currency = value.currency
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise FieldError(field, "needs a currency of three capitals (ISO 4217)")
    if value.cents <= 0:
        raise FieldError(field, "must be above zero")
    return value
