"""A creditor and its debtors lived through day by day: what is done to them, and what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.schedule.period import live
from outreach.schedule.tick import TickReport
from outreach.store.types import new_id, table_of
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import LEASE, lived

T = TypeVar("T")

MONDAY = date(2026, 11, 23)
"""The first morning on which a story ticks."""
DAY = timedelta(days=1)
FRIDAY = MONDAY - 3 * DAY
"""Due then, a claim is overdue on Monday."""
ANS = "staff:ans"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")

message = table_of(tables.messages.Message)
told = table_of(tables.messages.MessageClaim)
attempt = table_of(tables.messages.Attempt)

HANDED_OVER = ("accepted", "posted", "delivered", "bounced", "returned")


def morning(on: date) -> datetime:
    """Ten o'clock on a date."""
    return datetime.combine(on, time(10), AMSTERDAM).astimezone(UTC)


@dataclass(frozen=True)
class Said:
    """One message that left: when, to whom, what it told about which invoice, and its text."""

    at: datetime
    on: date
    to: str
    purpose: str
    template: str
    tone: str
    steps: dict[str, str]
    text: str


class Scene:
    """A trial installation with one creditor; `today` is the day that was lived through last."""

    def __init__(self, settings: Settings, *, initialised: bool = False, **creditor: Any) -> None:
        self.settings = settings
        self.today = MONDAY - DAY
        if not initialised:
            initialise(settings, is_trial=True)
        self.creditor_id = self.do(lambda conn: make.a_creditor(conn, **creditor))

    @property
    def now(self) -> datetime:
        """Noon today, when people at work do things."""
        return morning(self.today) + timedelta(hours=2)

    def do(self, work: Callable[[Connection], T]) -> T:
        """Write as a command or an import does."""
        with opened(self.settings) as app:
            return app.store.run(work)

    def debtor(self, number: str = "D1", **values: Any) -> make.Debtor:
        """A debtor who is reached at `number`@example.net, unless told otherwise."""
        values = {"email": f"{number.lower()}@example.net"} | values
        return self.do(lambda conn: make.a_debtor(conn, self.creditor_id, number, **values))

    def claim(
        self, whose: make.Debtor, number: str, cents: int = 10_000, due: date = FRIDAY, **values: Any
    ) -> int:
        """A bill."""
        return self.do(lambda conn: make.a_claim(conn, whose, number, cents=cents, due=due, **values))

    def pay(self, whose: make.Debtor, claim_id: int, cents: int, on: date | None = None) -> int:
        """Money that was placed on a claim."""
        return self.do(lambda conn: make.a_payment(conn, whose, claim_id, cents, on or self.today))

    def unplaced(self, whose: make.Debtor, cents: int) -> int:
        """Money of a debtor that nobody has placed yet."""
        return self.do(lambda conn: _unplaced(conn, whose, cents, self.today))

    def place(self, payment_id: int, claim_id: int) -> None:
        """Place all that lies unplaced of a payment on a claim."""

        def work(conn: Connection) -> None:
            paid = conn.execute(select(make.payment).where(make.payment.c.id == payment_id)).one()
            values = {"payment_id": payment_id, "claim_id": claim_id, "booked_on": paid.booked_on}
            conn.execute(insert(make.allocation).values(**values, amount_cents=paid.unplaced_cents))
            conn.execute(update(make.payment).where(make.payment.c.id == payment_id).values(unplaced_cents=0))

        self.do(work)

    def days(self, count: int) -> list[TickReport]:
        """Tick on the next mornings; every account adds up."""
        return self.until(self.today + count * DAY)

    def until(self, on: date) -> list[TickReport]:
        """Tick every morning after today up to and including a date."""
        mornings = [morning(self.today + n * DAY) for n in range(1, (on - self.today).days + 1)]
        self.today = on
        return self.tick(*mornings)

    def tick(self, *moments: datetime, settings: Settings | None = None) -> list[TickReport]:
        """Tick at these moments, over other channels where other settings are given."""
        reports = lived(settings or self.settings, moments)
        assert all(report.adds_up for report in reports)
        return reports

    def made_ready(self, at: datetime) -> None:
        """Plan at a moment at which no channel takes anything."""

        async def go() -> bool:
            with opened(self.settings, for_sending=True) as app:
                return await live(app.ticker([]), iter([at]), LEASE, lambda _: None)

        assert asyncio.run(go())
        assert "ready" in {row.state for row in self.rows(tables.messages.Attempt)}

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """The rows of a table that have these values."""
        with opened(self.settings) as app, app.store.reading() as conn:
            return make.rows(conn, model, **where)

    def tasks(self) -> list[str]:
        """The kinds of the open tasks."""
        return [row.kind for row in self.rows(tables.operations.Task, closed_at=None)]

    def outcome(self) -> tuple[str, str]:
        """The newest outcome of the day's account, with its code."""
        row = max(self.rows(tables.messages.DayAccount), key=lambda row: (row.on_date, row.id))
        return row.outcome, row.code

    def said(self, to: str | None = None) -> list[Said]:
        """All that left, or all that went to one address, oldest first."""
        with opened(self.settings) as app, app.store.reading() as conn:
            steps = conn.execute(
                select(told.c.message_id, make.claim.c.invoice_number, told.c.step).join(
                    make.claim, make.claim.c.id == told.c.claim_id
                )
            ).all()
            sent = conn.execute(
                select(attempt, message.c.purpose, message.c.template, message.c.tone)
                .join(message, message.c.id == attempt.c.message_id)
                .where(attempt.c.state.in_(HANDED_OVER))
                .order_by(attempt.c.handed_over_at, attempt.c.id)
            ).all()
        return [
            Said(
                at=row.handed_over_at,
                on=row.handed_over_at.astimezone(AMSTERDAM).date(),
                to=row.address,
                purpose=row.purpose,
                template=row.template,
                tone=row.tone,
                steps={number: step for key, number, step in steps if key == row.message_id},
                text=self.text(row.token),
            )
            for row in sent
            if to in {None, row.address}
        ]

    def asked(self, to: str | None = None) -> list[Said]:
        """The messages that asked for something, answers left out."""
        return [one for one in self.said(to) if one.purpose == "dunning"]

    def reminders(self, to: str | None = None) -> list[tuple[date, dict[str, str]]]:
        """When something was asked, and which step was told of which invoice."""
        return [(one.on, one.steps) for one in self.asked(to)]

    def text(self, token: str) -> str:
        """What a mail or a letter says, as the outbox has it, with plain blanks."""
        (path,) = self.settings.outbox.glob(f"**/{token}.*")
        body = path.read_bytes()
        if path.suffix == ".eml":
            part = message_from_bytes(body, policy=policy.default).get_body(("plain",))
            assert part is not None
            return _plain(str(part.get_content()))
        return _plain(body.decode())


def _plain(text: str) -> str:
    """Text with plain blanks and line ends."""
    return text.replace("\r\n", "\n").replace("\N{NO-BREAK SPACE}", " ").replace("&nbsp;", " ")


def _unplaced(conn: Connection, whose: make.Debtor, cents: int, on: date) -> int:
    return make.insert_row(
        conn,
        make.payment,
        creditor_id=whose.creditor_id,
        external_id=new_id(),
        kind="payment",
        booked_on=on,
        amount_cents=cents,
        unplaced_cents=cents,
        currency="EUR",
        debtor_id=whose.debtor_id,
        reference="",
        reason_code="",
    )
