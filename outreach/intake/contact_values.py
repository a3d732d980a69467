"""The contact points that a row of a claims file tells: normalised values, and how sure they are."""

from __future__ import annotations

import re
from typing import NamedTuple

from channels.kinds import Kind
from outreach.intake.rows import ClaimRow, ContactSource, SentTo
from outreach.intake.values import email_looks_right, phone_looks_right

_FILLING = re.compile(r"[ ().\-/]")


class PointValue(NamedTuple):
    """A way to reach somebody as a file tells it: normalised value and certainty."""

    value: str
    certainty: str


def points_of(row: ClaimRow) -> dict[Kind, PointValue]:
    """Return the ways to reach the debtor that the row holds, by kind; an absent one has no entry."""
    found: dict[Kind, PointValue] = {}
    on_contract = row.contact_source is ContactSource.CONTRACT
    if row.email:
        found[Kind.EMAIL] = email_point(row.email, proven=on_contract and row.invoice_sent_to is SentTo.EMAIL)
    if row.phone:
        found[Kind.SMS] = _phone_point(row.phone, row.country or "NL")
    if address := _postal_address(row):
        proven = on_contract and row.invoice_sent_to is SentTo.LETTER
        found[Kind.LETTER] = PointValue(address, "verified" if proven else "unverified")
    return found


def email_point(text: str, *, proven: bool = False) -> PointValue:
    """Return an e-mail address with its domain in lower case.

    One that cannot be an address is kept as given but dead, so that the gate passes over it.
    """
    if not email_looks_right(text):
        return PointValue(text, "dead")
    local, _, domain = text.rpartition("@")
    return PointValue(f"{local}@{domain.lower()}", "verified" if proven else "unverified")


def _phone_point(text: str, country: str) -> PointValue:
    if not phone_looks_right(text):
        return PointValue(text, "dead")
    digits = _FILLING.sub("", text.replace("(0)", ""))
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif digits.startswith("0") and country == "NL":
        digits = f"+31{digits[1:]}"
    return PointValue(digits, "unverified")


def _postal_address(row: ClaimRow) -> str:
    """Return the address as lines below the name; empty where a letter could not be delivered."""
    if not row.street or not (row.postcode or row.city):
        return ""
    lines = [
        " ".join(part for part in (row.street, row.house_number, row.house_number_suffix) if part),
        " ".join(part for part in (row.postcode, row.city) if part),
    ]
    if row.country and row.country != "NL":
        lines.append(row.country)
    return "\n".join(lines)
