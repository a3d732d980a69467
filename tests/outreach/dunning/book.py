"""Claims and what was told of them, in the few words that a test of the ladder needs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from outreach.claims.facts import ClaimFact, ToldFact

DUE = date(2026, 11, 1)
NINE = time(9)


def at(days: int, hours: float = 0) -> datetime:
    """Nine o'clock so many days after the due date, and some hours more."""
    return datetime.combine(DUE, NINE, UTC) + timedelta(days=days, hours=hours)


def on(days: int) -> date:
    """The civil date so many days after the due date."""
    return DUE + timedelta(days=days)


def a_claim(*told: ToldFact, **values: Any) -> ClaimFact:
    """An open claim of which this was told."""
    row = {
        "id": 1,
        "pseudonym": "0" * 32,
        "external_id": "C1",
        "invoice_number": "F1",
        "kind": "single",
        "description": "",
        "payment_url": "",
        "invoice_on": DUE,
        "due_on": DUE,
        "currency": "EUR",
        "principal_cents": 10_000,
        "reduced_cents": 0,
        "told": told,
    }
    return ClaimFact(**(row | values))


def told(step: str, days: int, state: str = "accepted", channel: str = "email", **values: Any) -> ToldFact:
    """A step told so many days after the due date."""
    return ToldFact(step=step, state=state, at=at(days), on=on(days), channel=channel, **values)
