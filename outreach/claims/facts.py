"""What is known of one claim, as the deciding code reads it."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen fact that serialises to JSON and back."""


class HoldFact(Struct, frozen=True):
    """A stop on this claim alone, as a dispute; the dossier's other claims go on.

    With `cents` it holds that part of the claim only.
    """

    kind: str
    until_at: datetime | None = None
    cents: int | None = None


class ToldFact(Struct, frozen=True):
    """A step that this party was told about this claim; `on` is the civil date in the party's zone.

    `state` is that of the attempt, "done" for a call or visit in which the person was identified, or "tried" for one
    in which nobody was. `strategy` is the hash of the version it was told by.
    """

    step: str
    state: str
    at: datetime
    on: date
    channel: str = ""
    tone: str = ""
    strategy: str = ""


class SignalFact(Struct, frozen=True):
    """A fact that may start a trajectory early."""

    kind: str
    on: date


class ClaimFact(Struct, frozen=True):
    """One claim. `reduced_cents` are payments, credits and write-offs less reversals, booked up to today.

    `last_step` is the tone of what another system told last: it sets the tone, and starts no clock.
    """

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
    signals: tuple[SignalFact, ...] = ()
    last_step: str = ""
    last_step_on: date | None = None
