"""Makes a notice fit to be shown: every field checked, other people's words made harmless, values typed."""

from __future__ import annotations

from dataclasses import fields, replace

from templates.figures import check_figures
from templates.formats import Count, Email, Iban, Link, Phone, dialled
from templates.inert import FieldError, copied, mail_address, single_line, unlinked, web_address
from templates.values import Line, Notice, Part

KINDS = ("person", "business")

NOTICE_FIELDS = frozenset(field.name for field in fields(Notice))
LINE_FIELDS = frozenset(field.name for field in fields(Line))
PART_FIELDS = frozenset(field.name for field in fields(Part))


def shown(notice: Notice) -> Notice:
    """Give the notice back as a template may show it; refuse, with the field's name, what can't be said."""
    if type(notice) is not Notice:
        raise TypeError(f"a template is given a Notice, not {type(notice).__name__}")
    if notice.addressee_kind not in KINDS:
        raise FieldError("addressee_kind", f"must be one of {', '.join(KINDS)}")
    if type(notice.again) is not bool:
        raise FieldError("again", "must be True or False")
    check_figures(notice)
    return replace(
        notice,
        addressee_name=_addressee(notice),
        creditor_name=single_line(notice.creditor_name, "creditor_name"),
        creditor_phone=Phone(_number(notice.creditor_phone)),
        creditor_email=Email(mail_address(notice.creditor_email, "creditor_email")),
        iban=Iban(_account(notice.iban)),
        payment_reference=copied(notice.payment_reference, "payment_reference"),
        payment_url=Link(web_address(notice.payment_url, "payment_url")),
        lines=_lines(notice.lines, "lines"),
        younger=_lines(notice.younger, "younger"),
        handover_to=_name(notice.handover_to, "handover_to"),
        department=_name(notice.department, "department"),
        term_days=Count(notice.term_days),
        register_number=_name(notice.register_number, "register_number"),
    )


def check_given(notice: Notice, needs: tuple[str, ...], message: str) -> None:
    """Refuse a notice in which a field is empty that the message can't do without."""
    for field in needs:
        if not getattr(notice, field):
            raise FieldError(field, f"is needed by {message}")


def _addressee(notice: Notice) -> str:
    name = unlinked(single_line(notice.addressee_name, "addressee_name"))
    # A surname without first name takes a capital (Beste De Vries); a firm writes its name as it likes.
    if notice.addressee_kind == "person":
        first = name[:2] if name[:2] == "ij" else name[:1]
        return first.upper() + name[len(first) :]
    return name


def _name(value: object, field: str) -> str:
    return unlinked(single_line(value, field, required=False))


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


def _lines(lines: tuple[Line, ...], where: str) -> tuple[Line, ...]:
    return tuple(_line(line, f"{where}[{at}]") for at, line in enumerate(lines))


def _line(line: Line, where: str) -> Line:
    return Line(
        unlinked(single_line(line.invoice_number, f"{where}.invoice_number")),
        unlinked(single_line(line.description, f"{where}.description", required=False)),
        line.due_on,
        line.open,
        line.disputed,
    )
