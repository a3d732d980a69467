"""The contact points that a row of a claims file tells: normalised values, and how sure they are."""

from __future__ import annotations

from typing import NamedTuple

from channels.kinds import Kind
from outreach.intake.rows import ClaimRow, ContactSource, SentTo
from outreach.parties.contact_values import email_value, phone_value


class PointValue(NamedTuple):
    """A way to reach somebody as a file tells it: normalised value, and its certainty, empty where not told."""

    value: str
    certainty: str = ""


def points_of(row: ClaimRow) -> dict[Kind, PointValue]:
    """Return the ways to reach the debtor that the row holds, by kind; an absent one has no entry."""
    found: dict[Kind, PointValue] = {}
    if row.email:
        found[Kind.EMAIL] = email_point(row.email, _certainty(row, SentTo.EMAIL))
    if row.phone:
        found[Kind.SMS] = _phone_point(row.phone, row.country or "NL")
    if address := _postal_address(row):
        found[Kind.LETTER] = PointValue(address, _certainty(row, SentTo.LETTER))
    return found


def email_point(text: str, certainty: str = "") -> PointValue:
    """Return an e-mail address with its domain in lower case.

    One that cannot be an address is kept as given but dead, so that the gate passes over it.
    """
    try:
        return PointValue(email_value(text), certainty)
    except ValueError:
        return PointValue(text, "dead")


def _certainty(row: ClaimRow, way: SentTo) -> str:
    """An address from the contract to which the invoice itself went is sure; a row may also not say."""
    if row.contact_source is ContactSource.OTHER:
        return "unverified"
    if row.contact_source is None or row.invoice_sent_to is None:
        return ""
    return "verified" if row.invoice_sent_to is way else "unverified"


def _phone_point(text: str, country: str) -> PointValue:
    try:
        return PointValue(phone_value(text, country))
    except ValueError:
        return PointValue(text, "dead")


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
