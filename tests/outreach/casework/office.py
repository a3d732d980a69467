"""An office at work in a test: a book with a few debtors, commands run one by one, and what they left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from outreach import tables
from outreach.bootstrap import opened
from outreach.casework.targets import Named
from outreach.config import Settings
from outreach.store.types import new_id, table_of
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import lived

T = TypeVar("T")

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday morning."""
DAY = timedelta(days=1)
DUE = date(2026, 11, 20)
ANNA = "staff:anna"

step_done = table_of(tables.claims.StepDone)
task = table_of(tables.operations.Task)
attempt = table_of(tables.messages.Attempt)


@dataclass(frozen=True)
class Office:
    """An installation; every `run` is one command's transaction."""

    settings: Settings

    def run(self, work: Callable[[Connection], T]) -> T:
        """Write as a command does."""
        with opened(self.settings) as app:
            return app.store.run(work)

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """The rows of a table that have these values."""
        with opened(self.settings) as app, app.store.reading() as conn:
            return make.rows(conn, model, **where)

    def row(self, model: Any, **where: Any) -> Any:
        """The only row of a table that has these values."""
        [found] = self.rows(model, **where)
        return found

    def entries(self, *types: str) -> list[tuple[str, list[str]]]:
        """The entries of these types with their reasons, oldest first."""
        rows = self.rows(tables.correspondence.LogEntry)
        return [(row.type, json.loads(row.reasons)) for row in rows if row.type in types]

    def entry(self, type_: str) -> str:
        """The id of the newest entry of a type."""
        return str(self.rows(tables.correspondence.LogEntry, type=type_)[-1].id)

    def content(self, content_id: str) -> bytes:
        """What was kept apart from the log."""
        return bytes(self.row(tables.correspondence.Content, id=content_id).body)

    def live(self, *moments: datetime) -> None:
        """Plan and send at these moments; every account adds up."""
        lived(self.settings, moments)

    def told(self) -> list[tuple[str, str]]:
        """What reminders told: invoice and step of every message that was accepted, by time and invoice."""
        with opened(self.settings) as app, app.store.reading() as conn:
            told = table_of(tables.messages.MessageClaim)
            message = table_of(tables.messages.Message)
            query = (
                select(make.claim.c.invoice_number, told.c.step)
                .join(told, told.c.claim_id == make.claim.c.id)
                .join(message, message.c.id == told.c.message_id)
                .join(attempt, attempt.c.message_id == message.c.id)
                .where(attempt.c.state == "accepted", message.c.purpose == "dunning")
                .order_by(attempt.c.handed_over_at, make.claim.c.invoice_number)
            )
            return [(row.invoice_number, row.step) for row in conn.execute(query)]

    def outcome(self) -> tuple[str, str]:
        """The newest outcome of the day's account, with its code."""
        row = self.rows(tables.messages.DayAccount)[-1]
        return row.outcome, row.code


def an_office(settings: Settings) -> Office:
    """A book: Jan owes two invoices of one contract, Piet one, both by e-mail."""
    initialise(settings, is_trial=True)
    office = Office(settings)

    def fill(conn: Connection) -> None:
        who = make.a_creditor(conn)
        jan = make.a_debtor(conn, who, "JAN")
        make.a_claim(conn, jan, "F1", due=DUE, cents=10_000)
        make.a_claim(conn, jan, "F2", due=DUE, cents=5_000)
        piet = make.a_debtor(conn, who, "PIET", email="piet@example.net", name="Piet Jansen")
        make.a_claim(conn, piet, "F3", due=DUE)

    office.run(fill)
    return office


JAN = Named(debtor="JAN")
PIET = Named(debtor="PIET")
F1 = Named(claim="F1")


def a_task(conn: Connection, kind: str, dossier_id: int, person_id: int, **values: Any) -> str:
    """A task, due tomorrow; returns its random id."""
    row = {
        "pseudonym": new_id(),
        "kind": kind,
        "subject": new_id(),
        "dossier_id": dossier_id,
        "person_id": person_id,
        "reason_code": "",
        "currency": "EUR",
        "step": "",
        "strategy_hash": "",
        "department": "",
        "closed_code": "",
        "opened_at": NOW,
        "due_at": NOW + DAY,
        "owner": "staff",
    } | values
    make.insert_row(conn, task, **row)
    return str(row["pseudonym"])
