"""A debtor with an arrangement, money that comes in and is taken back, and reviews day by day."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert

from outreach import tables
from outreach.bootstrap import App
from outreach.casework.grounds import Whose
from outreach.casework.review import review
from outreach.store.types import new_id, table_of
from tests import builders as make

AGREED_ON = date(2026, 11, 23)
"""A Monday."""
STAFF = "staff:ans"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY = timedelta(days=1)

message = table_of(tables.messages.Message)
message_claim = table_of(tables.messages.MessageClaim)
attempt = table_of(tables.messages.Attempt)


def morning(on: date) -> datetime:
    """Ten o'clock on a date."""
    return datetime.combine(on, time(10), AMSTERDAM)


def a_plan_debtor(conn: Connection, **policy: Any) -> make.Debtor:
    """A debtor who owes € 90 on one bill."""
    whose = make.a_debtor(conn, make.a_creditor(conn, **policy))
    make.a_claim(conn, whose, "F1", cents=9_000, due=date(2026, 11, 2))
    return whose


def about(whose: make.Debtor, *claims: int) -> Whose:
    """An arrangement of the debtor."""
    return Whose(whose.dossier_id, whose.person_id, "EUR", claims)


def reverse(conn: Connection, whose: make.Debtor, payment_id: int, cents: int, on: date) -> int:
    """Take back a payment on the claim it was placed on."""
    (placed,) = make.rows(conn, tables.claims.Allocation, payment_id=payment_id)
    key = make.insert_row(
        conn,
        make.payment,
        creditor_id=whose.creditor_id,
        external_id=new_id(),
        kind="reversal",
        booked_on=on,
        amount_cents=cents,
        unplaced_cents=0,
        currency="EUR",
        debtor_id=whose.debtor_id,
        reverses_id=payment_id,
        reference="",
        reason_code="",
    )
    make.insert_row(
        conn,
        make.allocation,
        payment_id=key,
        claim_id=placed.claim_id,
        booked_on=on,
        amount_cents=-cents,
    )
    return key


def told(
    conn: Connection, whose: make.Debtor, claim_id: int, at: datetime, service_id: int | None = None
) -> int:
    """A message about a claim that the other side took; a service message tells no step."""
    key = make.insert_row(
        conn,
        message,
        pseudonym=new_id(),
        dossier_id=whose.dossier_id,
        person_id=whose.person_id,
        creditor_id=whose.creditor_id,
        currency="EUR",
        purpose="dunning" if service_id is None else "service",
        strategy_hash="",
        template="friendly_reminder",
        tone="friendly",
        created_at=at,
        service_message_id=service_id,
    )
    if service_id is None:
        conn.execute(
            insert(message_claim).values(
                message_id=key, claim_id=claim_id, person_id=whose.person_id, step="reminder", counts=True
            )
        )
    return make.insert_row(
        conn,
        attempt,
        token=new_id(),
        message_id=key,
        person_id=whose.person_id,
        creditor_id=whose.creditor_id,
        channel="email",
        contact_point_id=whose.point_id,
        address="jan@example.net",
        sender="huur@delinde.example",
        content_id=new_id(),
        facts_version=1,
        policy_epoch=0,
        good_from=at,
        good_until=at + DAY,
        try_at=at,
        tries=1,
        state="accepted",
        handed_over_at=at,
        outcome_code="250",
    )


@dataclass(frozen=True)
class Book:
    """An installation whose reviews are run by hand."""

    app: App

    def review(self, on: date) -> Counter[str]:
        """Review on a morning; a second review at once notices nothing."""
        counts = asyncio.run(review(self.app.store, morning(on))).counts
        assert asyncio.run(review(self.app.store, morning(on))).counts == Counter()
        return counts

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """The rows of a table."""
        with self.app.store.reading() as conn:
            return make.rows(conn, model, **where)

    def entries(self, type_: str) -> list[tuple[str, ...]]:
        """The codes of the entries of a type."""
        rows = self.rows(tables.correspondence.LogEntry, type=type_)
        return [tuple(json.loads(row.reasons)) for row in rows]

    def states(self) -> list[str]:
        """The states of all instalments in order."""
        return [row.state for row in self.rows(tables.claims.Instalment)]

    def arrangement(self) -> Any:
        """The only arrangement."""
        (row,) = self.rows(tables.claims.Arrangement)
        return row

    def wishes(self) -> list[str]:
        """What is still to be told, as templates."""
        return [row.template for row in self.rows(tables.messages.ServiceMessage, closed_at=None)]

    def stops_in_force(self, on: date) -> int:
        """How many stops hold on a morning."""
        at = morning(on)
        rows = self.rows(tables.claims.Stop, lifted_at=None)
        return sum(row.until_at is None or row.until_at > at for row in rows)
