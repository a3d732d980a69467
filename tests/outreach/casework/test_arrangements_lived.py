"""Weeks lived with arrangements: reminders pause by themselves from any door, and resume at their step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from outreach import tables
from outreach.bootstrap import opened
from outreach.casework import arrangements, endings
from outreach.casework.review import kept_and_broken
from outreach.config import Settings
from tests import builders as make
from tests.installations import initialise
from tests.outreach.casework.arranged import AMSTERDAM, DAY, STAFF, about, attempt, message, morning, reverse
from tests.stories.living import lived

DUE = date(2026, 11, 2)
"""A Monday; the friendly pair reminds on the 3rd and, where nothing happens, a week later."""
AGREED_ON = date(2026, 11, 5)
CLAIM = 1


class Weeks:
    """One debtor of € 90, lived through day by day."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        initialise(settings, is_trial=True)
        with opened(settings) as app, app.store.transaction() as conn:
            self.jan = make.a_debtor(conn, make.a_creditor(conn))
            make.a_claim(conn, self.jan, cents=9_000, due=DUE)
        self.today = DUE

    def until(self, on: date) -> None:
        """Tick every morning up to and including a date; every day's account adds up."""
        days = (on - self.today).days
        lived(self.settings, [morning(self.today + n * DAY) for n in range(1, days + 1)])
        self.today = on

    def do(self, work: Callable[[Connection], Any]) -> Any:
        """Do something at noon, from whatever door."""
        with opened(self.settings) as app, app.store.transaction() as conn:
            return work(conn)

    def pay(self, cents: int) -> int:
        """Money comes in today."""
        return int(self.do(lambda conn: make.a_payment(conn, self.jan, CLAIM, cents, self.today)))

    def said(self) -> list[tuple[str, date]]:
        """What was said and when, by template."""
        with opened(self.settings) as app, app.store.reading() as conn:
            rows = conn.execute(
                select(message.c.template, attempt.c.handed_over_at)
                .join(attempt, attempt.c.message_id == message.c.id)
                .where(attempt.c.state == "accepted")
                .order_by(attempt.c.handed_over_at, attempt.c.id)
            ).all()
        return [(row.template, row.handed_over_at.astimezone(AMSTERDAM).date()) for row in rows]

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """The rows of a table."""
        with opened(self.settings) as app, app.store.reading() as conn:
            return make.rows(conn, model, **where)


@pytest.fixture
def weeks(settings: Settings) -> Weeks:
    """Somebody who was reminded once on 3 November, and calls on the 5th."""
    made = Weeks(settings)
    made.until(AGREED_ON)
    return made


FIRST_REMINDER = ("friendly_reminder", date(2026, 11, 3))


def test_a_promise_that_is_kept(weeks: Weeks) -> None:
    """It is confirmed and called to mind, nothing is asked meanwhile, and the payment is confirmed."""
    on = date(2026, 11, 18)
    now = morning(AGREED_ON) + timedelta(hours=2)
    weeks.do(lambda conn: arrangements.promise(conn, about(weeks.jan), on, STAFF, now))
    weeks.until(on)
    weeks.pay(9_000)
    weeks.until(on + 10 * DAY)
    assert weeks.said() == [
        FIRST_REMINDER,
        ("promise_confirmed", AGREED_ON + DAY),
        ("instalment_soon", on - DAY),
        ("payment_confirmed", on + DAY),
    ]
    (row,) = weeks.rows(tables.claims.Arrangement)
    assert row.state == "kept"


def test_a_promise_that_is_broken(weeks: Weeks) -> None:
    """After five days of grace reminders resume where they stood: with the second one, never the first again."""
    on = date(2026, 11, 18)
    now = morning(AGREED_ON) + timedelta(hours=2)
    weeks.do(lambda conn: arrangements.promise(conn, about(weeks.jan), on, STAFF, now))
    weeks.until(on + 12 * DAY)
    assert weeks.said() == [
        FIRST_REMINDER,
        ("promise_confirmed", AGREED_ON + DAY),
        ("instalment_soon", on - DAY),
        ("friendly_reminder", on + 6 * DAY),
    ]
    told = weeks.rows(tables.messages.MessageClaim, counts=True)
    assert [row.step for row in told if row.step != "listed"] == ["reminder", "reminder_again"]
    (row,) = weeks.rows(tables.claims.Signal)
    assert row.kind == "promise_broken"


def test_a_deferral(weeks: Weeks) -> None:
    """Nothing is asked until its date and its grace are over, and then the next step is."""
    until = date(2026, 11, 19)
    now = morning(AGREED_ON) + timedelta(hours=2)
    weeks.do(lambda conn: arrangements.defer(conn, about(weeks.jan), until, STAFF, now))
    weeks.until(until + 10 * DAY)
    assert weeks.said() == [
        FIRST_REMINDER,
        ("deferral_confirmed", AGREED_ON + DAY),
        ("friendly_reminder", until + 6 * DAY),
    ]


def a_plan(weeks: Weeks) -> tuple[date, ...]:
    """Two instalments of € 45, from 16 November on."""
    now = morning(AGREED_ON) + timedelta(hours=2)
    made = weeks.do(
        lambda conn: arrangements.plan(
            conn, about(weeks.jan), STAFF, now, parts=2, start_on=date(2026, 11, 16)
        )
    )
    return tuple(part.due_on for part in made.parts)


def test_a_plan_with_one_miss_that_is_made_good(weeks: Weeks) -> None:
    """One miss is a helping message; the plan goes on, no reminder goes out, and in the end it is kept."""
    first, second = a_plan(weeks)
    assert (first, second) == (date(2026, 11, 16), date(2026, 12, 16))
    weeks.until(date(2026, 11, 24))
    weeks.pay(4_500)
    weeks.until(second)
    weeks.pay(4_500)
    weeks.until(second + 7 * DAY)
    assert weeks.said() == [
        FIRST_REMINDER,
        ("arrangement_confirmed", AGREED_ON + DAY),
        ("instalment_soon", date(2026, 11, 13)),
        # The grace is over on Sunday the 22nd, and nobody is written to on a Sunday.
        ("instalment_missed", date(2026, 11, 23)),
        ("instalment_soon", date(2026, 12, 14)),
        ("payment_confirmed", second + DAY),
    ]
    (row,) = weeks.rows(tables.claims.Arrangement)
    assert (row.state, row.missed) == ("kept", 1)


def test_a_plan_with_two_misses_is_a_persons_decision(weeks: Weeks) -> None:
    """After the second miss a person has a task; the pause holds until they end the plan, and then the step is due."""
    _, second = a_plan(weeks)
    weeks.until(second + 6 * DAY)
    assert [template for template, _ in weeks.said()].count("friendly_reminder") == 1
    (task,) = weeks.rows(tables.operations.Task)
    assert (task.kind, task.closed_at) == ("arrangement_missed", None)
    (row,) = weeks.rows(tables.claims.Arrangement)
    assert (row.state, row.missed) == ("running", 2)
    ended_on = weeks.today
    weeks.do(lambda conn: endings.end(conn, row.pseudonym, STAFF, morning(ended_on), "missed_twice"))
    weeks.until(ended_on + 3 * DAY)
    assert weeks.said()[-1] == ("friendly_reminder", ended_on + DAY)


def test_a_kept_promise_whose_payment_is_reversed(weeks: Weeks) -> None:
    """A direct debit that is taken back makes the promise a broken one, and the next step is due."""
    on = date(2026, 11, 10)
    now = morning(AGREED_ON) + timedelta(hours=2)
    weeks.do(lambda conn: arrangements.promise(conn, about(weeks.jan), on, STAFF, now))
    weeks.until(on)
    paid = weeks.pay(9_000)
    weeks.until(date(2026, 11, 24))
    weeks.do(lambda conn: reverse(conn, weeks.jan, paid, 9_000, weeks.today))
    weeks.until(date(2026, 11, 27))
    assert [template for template, _ in weeks.said()] == [
        "friendly_reminder",
        "promise_confirmed",
        "instalment_soon",
        "payment_confirmed",
        "friendly_reminder",
    ]
    with opened(weeks.settings) as app, app.store.reading() as conn:
        (kind,) = kept_and_broken(conn, AGREED_ON)
    assert (kind.kept, kind.broken) == (0, 1)
