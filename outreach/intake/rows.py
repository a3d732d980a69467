"""What one row of a claims or payments file says, checked and typed; fields bear the names of the columns."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from channels.kinds import Kind


class DebtorKind(StrEnum):
    """Whether the debtor is a natural or a legal person."""

    PERSON = "person"
    BUSINESS = "business"


class Capacity(StrEnum):
    """In what capacity the debtor acted: it decides which law protects them."""

    CONSUMER = "consumer"
    BUSINESS = "business"


class Language(StrEnum):
    """The languages in which messages exist."""

    NL = "nl"
    EN = "en"


class FormOfAddress(StrEnum):
    """How the debtor wants to be addressed (u or je)."""

    FORMAL = "formal"
    INFORMAL = "informal"


class ClaimKind(StrEnum):
    """What sort of amount a claims row states. A credit note reduces; all others ask."""

    SINGLE = "single"
    RECURRING = "recurring"
    INSTALMENT = "instalment"
    FINAL_BILL = "final_bill"
    CREDIT_NOTE = "credit_note"


class PaymentKind(StrEnum):
    """What a payments row does. A reversal restores what was open; all others reduce it."""

    PAYMENT = "payment"
    REVERSAL = "reversal"
    CREDIT_NOTE = "credit_note"
    WRITE_OFF = "write_off"


class Insolvency(StrEnum):
    """The Dutch insolvency procedures: faillissement, surseance van betaling, WSNP."""

    BANKRUPTCY = "bankruptcy"
    SUSPENSION_OF_PAYMENTS = "suspension_of_payments"
    DEBT_RESTRUCTURING = "debt_restructuring"


class ContactSource(StrEnum):
    """Where the creditor got the contact details from: it decides how sure they are."""

    CONTRACT = "contract"
    OTHER = "other"


class Tone(StrEnum):
    """How strict the last thing was that another system told, from mild to strict."""

    FRIENDLY = "friendly"
    FIRM = "firm"
    FORMAL = "formal"
    FINAL = "final"


class SentTo(StrEnum):
    """How the invoice itself was sent."""

    EMAIL = "email"
    LETTER = "letter"


class FactKind(StrEnum):
    """What a facts file may tell of a debtor."""

    DECEASED = "deceased"
    MINOR = "minor"
    REPRESENTATIVE = "representative"
    OBJECTION = "objection"
    RESTRICTION = "restriction"
    DISPUTE = "dispute"
    HOLD = "hold"
    DEFERRAL = "deferral"
    DEBT_HELP = "debt_help"
    INSOLVENT = "insolvent"
    WRONG_PERSON = "wrong_person"
    MOVED = "moved"
    ADDRESS_PROTECTED = "address_protected"


LASTING = frozenset({FactKind.DECEASED, FactKind.WRONG_PERSON, FactKind.MOVED, FactKind.ADDRESS_PROTECTED})
"""Facts that do not end by themselves: somebody must say that it was otherwise."""

OF_A_DEBT = frozenset({FactKind.DISPUTE, FactKind.HOLD, FactKind.DEFERRAL})
"""Facts about a claim or a dossier; all others are about the person."""


class Notice(StrEnum):
    """A fact about a row that was taken all the same: it is kept as given, and marked."""

    EMAIL_MALFORMED = "email_malformed"
    CO_DEBTOR_EMAIL_MALFORMED = "co_debtor_email_malformed"
    REPRESENTATIVE_EMAIL_MALFORMED = "representative_email_malformed"
    PHONE_MALFORMED = "phone_malformed"
    POSTCODE_MALFORMED = "postcode_malformed"
    KVK_NUMBER_MALFORMED = "kvk_number_malformed"
    NAME_DAMAGED = "name_damaged"
    """The name holds U+FFFD: an earlier program could not read a letter of it."""
    UNTIL_NOT_USED = "until_not_used"
    """The fact has an end, and is of a kind that does not end by itself."""
    NAMES_NOBODY = "names_nobody"
    """The payment names no claim, invoice, debtor or reference: somebody must place it."""


class CoDebtor(msgspec.Struct, frozen=True):
    """Somebody who owes the same claim. `debtor_id` is the creditor's own number; `email` is as given."""

    debtor_id: str
    name: str
    email: str | None = None


class Representative(msgspec.Struct, frozen=True):
    """Who acts for the debtor (bewindvoerder, curator, gemachtigde), with the creditor's number for them."""

    debtor_id: str
    name: str
    email: str | None = None


class ClaimRow(msgspec.Struct, frozen=True, gc=False):
    """One claim. Amounts are in minor units (cents) of `currency` and never negative; dates are civil."""

    creditor: str
    debtor_id: str
    debtor_name: str
    claim_id: str
    invoice_number: str
    invoice_on: date
    due_on: date
    principal: int
    currency: str
    debtor_kind: DebtorKind | None = None
    capacity: Capacity | None = None
    legal_form: str | None = None
    kvk_number: str | None = None
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    house_number: str | None = None
    house_number_suffix: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    address_protected: bool | None = None
    language: Language | None = None
    form_of_address: FormOfAddress | None = None
    preferred_channel: Kind | None = None
    time_zone: str | None = None
    date_of_birth: date | None = None
    deceased_on: date | None = None
    insolvency: Insolvency | None = None
    contract_id: str | None = None
    co_debtors: tuple[CoDebtor, ...] = ()
    representative: Representative | None = None
    kind: ClaimKind = ClaimKind.SINGLE
    credits_invoice: str | None = None
    ground: str | None = None
    description: str | None = None
    due_is_agreed: bool | None = None
    direct_debit: bool | None = None
    debit_on: date | None = None
    vat: int | None = None
    """The VAT within `principal`."""
    document_file: str | None = None
    payment_url: str | None = None
    supply_address: str | None = None
    customer_number: str | None = None
    segment: str | None = None
    disputed_on: date | None = None
    dispute_amount: int | None = None
    hold_until: date | None = None
    last_step: Tone | None = None
    last_step_on: date | None = None
    limitation_from_on: date | None = None
    contact_source: ContactSource | None = None
    invoice_sent_to: SentTo | None = None
    notices: tuple[Notice, ...] = ()


class PaymentRow(msgspec.Struct, frozen=True, gc=False):
    """One booking. `amount` is in minor units (cents) of `currency` and positive; `kind` tells the direction.

    `creditor` is None where the file has no such column and none was given for the whole file.
    """

    payment_id: str
    booked_on: date
    amount: int
    currency: str
    claim_id: str | None = None
    invoice_number: str | None = None
    debtor_id: str | None = None
    reference: str | None = None
    creditor: str | None = None
    kind: PaymentKind = PaymentKind.PAYMENT
    reverses_id: str | None = None
    reason_code: str | None = None
    value_on: date | None = None
    notices: tuple[Notice, ...] = ()


class FactRow(msgspec.Struct, frozen=True, gc=False):
    """One fact about a debtor, from a day on and until another (exclusive); without days from now, and lasting."""

    debtor_id: str
    kind: FactKind
    creditor: str | None = None
    from_on: date | None = None
    until_on: date | None = None
    reference: str | None = None
    """What the source calls it: with the debtor, kind and day it tells one fact from another."""
    claim_id: str | None = None
    note: str | None = None
    notices: tuple[Notice, ...] = ()
