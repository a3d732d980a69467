"""What a claims row says of its claim: the columns we have, and everything else as `details`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from outreach.intake.rows import ClaimRow

COLUMNS = ("invoice_number", "invoice_on", "due_on")
OPTIONAL = ("description", "payment_url", "direct_debit", "last_step", "last_step_on")

DETAILS = (
    "capacity",
    "legal_form",
    "kvk_number",
    "representative",
    "co_debtors",
    "ground",
    "due_is_agreed",
    "debit_on",
    "vat",
    "document_file",
    "supply_address",
    "customer_number",
    "insolvency",
    "disputed_on",
    "dispute_amount",
    "hold_until",
    "limitation_from_on",
    "contact_source",
    "invoice_sent_to",
)


def columns_of(row: ClaimRow) -> dict[str, Any]:
    """Return the claim's columns that the row gives; an absent optional one says nothing."""
    values: dict[str, Any] = {name: getattr(row, name) for name in COLUMNS}
    values["kind"] = row.kind.value
    values["principal_cents"] = row.principal
    for name in OPTIONAL:
        value = getattr(row, name)
        if value is not None:
            values[name] = value.value if isinstance(value, StrEnum) else value
    values["details"] = details_of(row)
    return values


def details_of(row: ClaimRow) -> str:
    """Return the row's other columns as JSON, those without a value left out."""
    found = {name: value for name in DETAILS if (value := getattr(row, name)) not in (None, ())}
    return msgspec.json.encode(found, order="sorted").decode() if found else "{}"


def merged_details(known: str, told: str) -> str:
    """Return the known details with what is told put over them."""
    if told in (known, "{}"):
        return known
    both = msgspec.json.decode(known) | msgspec.json.decode(told)
    return msgspec.json.encode(both, order="sorted").decode()
