"""The columns of each kind of file: how each is parsed, which are needed, how fields must fit together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

import msgspec

from channels.kinds import Kind
from outreach.intake import checks, values
from outreach.intake.rejects import Fault
from outreach.intake.rows import (
    Capacity,
    ClaimKind,
    ClaimRow,
    ContactSource,
    DebtorKind,
    FactKind,
    FactRow,
    FormOfAddress,
    Insolvency,
    Language,
    PaymentKind,
    PaymentRow,
    SentTo,
)

R = TypeVar("R", bound=msgspec.Struct)


class Format(Enum):
    """Kinds of value whose parser depends on what the file is known to use."""

    DATE = "date"
    AMOUNT = "amount"


DATE, AMOUNT = Format.DATE, Format.AMOUNT


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """One kind of file. Of the columns `one_of` at least one must be there; `examine` looks across fields.

    `called` are columns whose field has another name, since a language keeps that word for itself.
    """

    name: str
    row: type[R]
    columns: dict[str, values.Parse | Format]
    needed: tuple[str, ...]
    one_of: tuple[str, ...]
    examine: Callable[[R], tuple[R, list[Fault]]]
    called: dict[str, str] = field(default_factory=dict)


CLAIMS = Table(
    name="claims",
    row=ClaimRow,
    columns={
        "creditor": values.identifier,
        "debtor_id": values.identifier,
        "debtor_name": values.line,
        "claim_id": values.identifier,
        "invoice_number": values.identifier,
        "invoice_on": DATE,
        "due_on": DATE,
        "principal": AMOUNT,
        "currency": values.currency,
        "debtor_kind": values.word(DebtorKind),
        "capacity": values.word(Capacity),
        "legal_form": values.line,
        "kvk_number": values.identifier,
        "email": values.contact,
        "phone": values.contact,
        "street": values.line,
        "house_number": values.line,
        "house_number_suffix": values.line,
        "postcode": values.line,
        "city": values.line,
        "country": values.country,
        "address_protected": values.flag,
        "language": values.word(Language),
        "form_of_address": values.word(FormOfAddress),
        "preferred_channel": values.word(Kind),
        "time_zone": values.time_zone,
        "date_of_birth": DATE,
        "deceased_on": DATE,
        "insolvency": values.word(Insolvency),
        "contract_id": values.identifier,
        "co_debtors": values.co_debtors,
        "representative": values.representative,
        "kind": values.word(ClaimKind),
        "credits_invoice": values.identifier,
        "ground": values.prose,
        "description": values.prose,
        "due_is_agreed": values.flag,
        "direct_debit": values.flag,
        "debit_on": DATE,
        "vat": AMOUNT,
        "document_file": values.document_path,
        "payment_url": values.web_address,
        "supply_address": values.line,
        "customer_number": values.identifier,
        "segment": values.line,
        "disputed_on": DATE,
        "dispute_amount": AMOUNT,
        "hold_until": DATE,
        "last_step": values.told_tone,
        "last_step_on": DATE,
        "limitation_from_on": DATE,
        "contact_source": values.word(ContactSource),
        "invoice_sent_to": values.word(SentTo),
    },
    needed=(
        "creditor",
        "debtor_id",
        "debtor_name",
        "claim_id",
        "invoice_number",
        "invoice_on",
        "due_on",
        "principal",
        "currency",
    ),
    one_of=(),
    examine=checks.examine_claim,
)

PAYMENTS = Table(
    name="payments",
    row=PaymentRow,
    columns={
        "payment_id": values.identifier,
        "booked_on": DATE,
        "amount": AMOUNT,
        "currency": values.currency,
        "claim_id": values.identifier,
        "invoice_number": values.identifier,
        "debtor_id": values.identifier,
        "reference": values.prose,
        "creditor": values.identifier,
        "kind": values.word(PaymentKind),
        "reverses_id": values.identifier,
        "reason_code": values.identifier,
        "value_on": DATE,
    },
    needed=("payment_id", "booked_on", "amount", "currency"),
    one_of=("claim_id", "invoice_number", "debtor_id", "reference"),
    examine=checks.examine_payment,
)

FACTS = Table(
    name="facts",
    row=FactRow,
    columns={
        "debtor_id": values.identifier,
        "kind": values.word(FactKind),
        "creditor": values.identifier,
        "from_on": DATE,
        "until_on": DATE,
        "reference": values.line,
        "claim_id": values.identifier,
        "note": values.prose,
    },
    needed=("debtor_id", "kind"),
    one_of=(),
    examine=checks.examine_fact,
    called={"from": "from_on", "until": "until_on"},
)
