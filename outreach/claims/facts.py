"""What is known of one claim, as the deciding code reads it."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen fact that serialises to JSON and back."""


class HoldFact(Struct, frozen=True):
    """A stop on this claim alone, as a dispute; the dossier's other claims go on."""

    kind: str
    until_at: datetime | None = None


class ToldFact(Struct, frozen=True):
    """A step that this party was told about this claim; `on` is the civil date in the party's zone."""

    step: str
    state: str
    at: datetime
    on: date


class ClaimFact(Struct, frozen=True):
    """One claim. `reduced_cents` are payments, credits and write-offs less reversals, booked up to today."""

    id: int
    pseudonym: str
    external_id: str
    invoice_number: str
    kind: str
    description: str
    payment_url: str
    invoice_on: date
    due_on: date
    currency: str
    principal_cents: int
    reduced_cents: int
    holds: tuple[HoldFact, ...] = ()
    told: tuple[ToldFact, ...] = ()
