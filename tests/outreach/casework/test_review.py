"""What the review notices of arrangements: kept, missed, broken, taken back, and what it says of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from outreach import tables
from outreach.bootstrap import opened
from outreach.casework import arrangements, endings
from outreach.casework.review import kept_and_broken, review
from outreach.config import Settings
from tests import builders as make
from tests.installations import initialise
from tests.outreach.casework.arranged import (
    AGREED_ON,
    DAY,
    STAFF,
    Book,
    a_plan_debtor,
    about,
    morning,
    reverse,
)

FIRST = date(2026, 12, 1)
"""When the first of three instalments of € 30 falls due; the others on 4 January and 1 February."""
PARTS = (FIRST, date(2027, 1, 4), date(2027, 2, 1))
GRACE_OVER = 6 * DAY


@pytest.fixture
def book(settings: Settings) -> Iterator[Book]:
    """A new installation on each database."""
    initialise(settings, is_trial=True)
    with opened(settings) as made:
        yield Book(made)


@pytest.fixture
def plan(book: Book) -> make.Debtor:
    """A debtor with a plan of three instalments."""
    with book.app.store.transaction() as conn:
        whose = a_plan_debtor(conn)
        made = arrangements.plan(conn, about(whose), STAFF, morning(AGREED_ON), parts=3, start_on=FIRST)
    assert tuple(part.due_on for part in made.parts) == PARTS
    return whose


@pytest.fixture
def promise(book: Book) -> make.Debtor:
    """A debtor who promised to pay everything on 1 December."""
    with book.app.store.transaction() as conn:
        whose = a_plan_debtor(conn)
        arrangements.promise(conn, about(whose), FIRST, STAFF, morning(AGREED_ON))
    return whose


def pay(book: Book, whose: make.Debtor, cents: int, on: date, claim: int = 1) -> int:
    """Money comes in on the bill."""
    with book.app.store.transaction() as conn:
        return make.a_payment(conn, whose, claim, cents, on)


def test_a_plan_that_is_paid_is_kept(book: Book, plan: make.Debtor) -> None:
    """Each payment covers the next instalment; with the last one the arrangement is kept and its stop lifted."""
    for number, on in enumerate(PARTS, start=1):
        pay(book, plan, 3_000, on)
        assert book.review(on)["paid"] == 1
        assert book.states() == ["paid"] * number + ["open"] * (3 - number)
    row = book.arrangement()
    assert (row.state, row.ended_at, row.ended_by, row.missed) == ("kept", morning(PARTS[2]), "job:review", 0)
    assert book.stops_in_force(PARTS[2]) == 0
    assert len(book.entries("instalment_paid")) == 3
    assert book.entries("arrangement_kept") == [("all_paid", row.pseudonym)]


def test_money_covers_instalments_in_order_and_in_parts(book: Book, plan: make.Debtor) -> None:
    """Less than an instalment covers none of it; more than one covers the next ones too."""
    pay(book, plan, 2_999, FIRST)
    book.review(FIRST)
    assert book.states() == ["open", "open", "open"]
    pay(book, plan, 3_001, FIRST)
    book.review(FIRST)
    assert book.states() == ["paid", "paid", "open"]


def test_a_booking_counts_from_its_own_day(book: Book, plan: make.Debtor) -> None:
    """What the file says will be booked is not paid yet; what was booked before the agreement is no instalment."""
    pay(book, plan, 3_000, FIRST + DAY)
    book.review(FIRST)
    assert book.states()[0] == "open"
    book.review(FIRST + DAY)
    assert book.states()[0] == "paid"


def test_what_was_known_when_it_was_agreed_is_no_instalment(book: Book) -> None:
    """A payment booked on the day of the agreement, and known then, is in its amounts; a later one is not."""
    with book.app.store.transaction() as conn:
        whose = a_plan_debtor(conn)
        make.a_payment(conn, whose, 1, 3_000, AGREED_ON)
        made = arrangements.plan(conn, about(whose), STAFF, morning(AGREED_ON), parts=2, start_on=FIRST)
    assert [part.cents for part in made.parts] == [3_000, 3_000]
    book.review(AGREED_ON)
    assert book.states() == ["open", "open"]
    pay(book, whose, 3_000, AGREED_ON + DAY)
    book.review(AGREED_ON + DAY)
    assert book.states() == ["paid", "open"]


def test_a_bill_that_was_paid_on_that_day_is_no_instalment_of_the_others(book: Book) -> None:
    """What settled another bill on the morning of the agreement keeps nothing of it."""
    with book.app.store.transaction() as conn:
        whose = a_plan_debtor(conn)
        other = make.a_claim(conn, whose, "F2", cents=9_000, due=date(2026, 11, 2))
        make.a_payment(conn, whose, other, 9_000, AGREED_ON)
        arrangements.plan(conn, about(whose), STAFF, morning(AGREED_ON), parts=3, start_on=FIRST)
    book.review(AGREED_ON)
    assert book.states() == ["open", "open", "open"]


def test_what_is_no_longer_open_is_paid_however_that_came(book: Book, plan: make.Debtor) -> None:
    """A payment from before the agreement that comes to light later lessens what is left, never asks it twice."""
    pay(book, plan, 6_000, AGREED_ON - 3 * DAY)
    book.review(FIRST)
    assert book.states() == ["paid", "paid", "open"]


def test_a_new_bill_is_no_part_of_the_plan(book: Book, plan: make.Debtor) -> None:
    """What is paid on a bill of a later date covers no instalment."""
    with book.app.store.transaction() as conn:
        rent = make.a_claim(conn, plan, "F2", cents=60_000, due=FIRST)
        make.a_payment(conn, plan, rent, 60_000, FIRST)
    book.review(FIRST)
    assert book.states() == ["open", "open", "open"]


def test_an_instalment_is_called_to_mind_once_before_it_is_due(book: Book, plan: make.Debtor) -> None:
    """Three days before, unless it was paid; what is told by then is true until the due date is over."""
    assert book.review(FIRST - 4 * DAY)["instalment_soon"] == 0
    assert book.review(FIRST - 3 * DAY)["instalment_soon"] == 1
    assert book.review(FIRST - 2 * DAY)["instalment_soon"] == 0
    (wish,) = book.rows(tables.messages.ServiceMessage, template="instalment_soon")
    assert (wish.purpose, wish.until_at.date()) == ("service", FIRST)
    pay(book, plan, 6_000, FIRST)
    assert book.review(FIRST)["closed"] == 2  # the confirmation's week is over too
    assert [row.closed_code for row in book.rows(tables.messages.ServiceMessage)] == [
        "too_late",
        "no_longer_true",
    ]
    assert book.review(PARTS[1] - 3 * DAY)["instalment_soon"] == 0


def test_what_was_agreed_for_soon_is_not_called_to_mind(book: Book) -> None:
    """The confirmation of a promise for tomorrow says it; nobody is told twice in a day."""
    with book.app.store.transaction() as conn:
        arrangements.promise(conn, about(a_plan_debtor(conn)), AGREED_ON + DAY, STAFF, morning(AGREED_ON))
    book.review(AGREED_ON)
    book.review(AGREED_ON + DAY)
    assert book.wishes() == ["promise_confirmed"]


def test_one_miss_is_a_helping_message_and_the_plan_goes_on(book: Book, plan: make.Debtor) -> None:
    """After five days of grace the instalment is missed; the stop stays, and a later payment covers it."""
    assert book.review(FIRST + 5 * DAY)["missed"] == 0
    counts = book.review(FIRST + GRACE_OVER)
    assert (counts["missed"], counts["instalment_missed"], counts["tasks"]) == (1, 1, 0)
    assert book.states() == ["missed", "open", "open"]
    assert (book.arrangement().state, book.arrangement().missed) == ("running", 1)
    assert book.stops_in_force(FIRST + GRACE_OVER) == 1
    assert "instalment_missed" in book.wishes()
    pay(book, plan, 3_000, FIRST + 8 * DAY)
    book.review(FIRST + 8 * DAY)
    assert book.states() == ["paid", "open", "open"]
    assert book.wishes() == []


def test_a_second_miss_is_a_persons_decision(book: Book, plan: make.Debtor) -> None:
    """It opens a task with an owner and a due time; nothing dissolves by itself, and the end closes the task."""
    book.review(FIRST + GRACE_OVER)
    counts = book.review(PARTS[1] + GRACE_OVER)
    assert (counts["missed"], counts["tasks"], counts["instalment_missed"]) == (1, 1, 0)
    (task,) = book.rows(tables.operations.Task)
    assert (task.kind, task.reason_code, task.owner) == ("arrangement_missed", "missed_again", "staff")
    assert task.due_at > morning(PARTS[1] + GRACE_OVER)
    assert (book.arrangement().state, book.stops_in_force(PARTS[2])) == ("running", 1)
    with book.app.store.transaction() as conn:
        endings.end(conn, book.arrangement().pseudonym, STAFF, morning(PARTS[2]), "missed_twice")
    (task,) = book.rows(tables.operations.Task)
    assert (task.closed_by, task.closed_code) == (STAFF, "arrangement_ended")
    assert book.stops_in_force(PARTS[2]) == 0


def test_a_plan_that_is_over_unpaid_is_not_forgotten(book: Book, plan: make.Debtor) -> None:
    """One miss at the very end would pause for ever: a person decides, once."""
    pay(book, plan, 6_000, FIRST)
    book.review(PARTS[2] + GRACE_OVER)
    assert book.states() == ["paid", "paid", "missed"]
    assert book.review(PARTS[2] + 10 * DAY)["tasks"] == 0
    assert book.review(PARTS[2] + 11 * DAY)["tasks"] == 1
    with book.app.store.transaction() as conn:
        task = endings.task
        conn.execute(update(task).values(closed_at=morning(PARTS[2] + 11 * DAY), closed_by=STAFF))
    assert book.review(PARTS[2] + 12 * DAY)["tasks"] == 0


def test_nothing_is_missed_while_payments_are_not_known(book: Book) -> None:
    """Without the payments of its days of grace, or with money that waits to be placed, nobody missed anything."""
    with book.app.store.transaction() as conn:
        whose = a_plan_debtor(conn, payments_until_on=FIRST + 4 * DAY)
        arrangements.promise(conn, about(whose), FIRST, STAFF, morning(AGREED_ON))
    assert book.review(FIRST + 20 * DAY)["broken"] == 0
    with book.app.store.transaction() as conn:
        conn.execute(update(make.creditor).values(payments_until_on=FIRST + 20 * DAY))
        loose = make.a_payment(conn, whose, 1, 9_000, FIRST)
        conn.execute(make.allocation.delete())
        conn.execute(update(make.payment).values(unplaced_cents=9_000))
    assert book.review(FIRST + 20 * DAY)["broken"] == 0
    with book.app.store.transaction() as conn:
        conn.execute(update(make.payment).where(make.payment.c.id == loose).values(unplaced_cents=0))
    assert book.review(FIRST + 20 * DAY)["broken"] == 1


def test_a_promise_that_is_kept(book: Book, promise: make.Debtor) -> None:
    """Paid within its grace it is kept, and nothing is held any longer."""
    pay(book, promise, 9_000, FIRST + 3 * DAY)
    assert book.review(FIRST + 3 * DAY)["kept"] == 1
    assert (book.arrangement().state, book.stops_in_force(FIRST + 3 * DAY)) == ("kept", 0)


def test_a_promise_is_called_to_mind_the_day_before(book: Book, promise: make.Debtor) -> None:
    """A promise of a week ago is called to mind one day before its date."""
    assert book.review(FIRST - 2 * DAY)["instalment_soon"] == 0
    assert book.review(FIRST - DAY)["instalment_soon"] == 1


def test_a_promise_that_is_broken_ends_with_a_signal(book: Book, promise: make.Debtor) -> None:
    """After its grace it is broken: its stop has run out, a signal says so, and nobody is told a miss."""
    assert book.review(FIRST + 5 * DAY)["broken"] == 0
    assert book.stops_in_force(FIRST + 5 * DAY) == 1
    on = FIRST + GRACE_OVER
    assert book.review(on)["broken"] == 1
    row = book.arrangement()
    assert (row.state, row.missed, row.ended_at) == ("broken", 1, morning(on))
    assert book.stops_in_force(on) == 0
    (signal,) = book.rows(tables.claims.Signal)
    assert (signal.kind, signal.dossier_id, signal.claim_id, signal.on_date) == (
        "promise_broken",
        promise.dossier_id,
        None,
        on,
    )
    assert book.entries("arrangement_broken") == [("promise_broken", row.pseudonym)]
    assert "instalment_missed" not in book.wishes()


def test_a_deferral_simply_ends(book: Book) -> None:
    """When its days and its grace are over it has been kept, whatever is open."""
    until = AGREED_ON + 14 * DAY
    with book.app.store.transaction() as conn:
        arrangements.defer(conn, about(a_plan_debtor(conn)), until, STAFF, morning(AGREED_ON))
    assert book.review(until + 5 * DAY)["kept"] == 0
    assert book.stops_in_force(until + 5 * DAY) == 1
    assert book.review(until + GRACE_OVER)["kept"] == 1
    assert book.entries("arrangement_ended") == [("deferral_over", book.arrangement().pseudonym)]
    assert book.stops_in_force(until + GRACE_OVER) == 0


def test_a_reversal_takes_an_instalment_back(book: Book, plan: make.Debtor) -> None:
    """A payment that is taken back covers nothing any more."""
    paid = pay(book, plan, 3_000, FIRST)
    book.review(FIRST)
    with book.app.store.transaction() as conn:
        reverse(conn, plan, paid, 3_000, FIRST + 2 * DAY)
    assert book.review(FIRST + 2 * DAY)["open"] == 1
    assert book.states() == ["open", "open", "open"]
    assert len(book.entries("instalment_reopened")) == 1
    book.review(FIRST + GRACE_OVER)
    assert book.states() == ["missed", "open", "open"]


def test_the_reversal_of_an_older_payment_is_no_fault_of_the_plan(book: Book) -> None:
    """Money from before the agreement that is taken back makes no instalment unpaid."""
    with book.app.store.transaction() as conn:
        whose = a_plan_debtor(conn)
        older = make.a_payment(conn, whose, 1, 3_000, AGREED_ON - 10 * DAY)
        arrangements.plan(conn, about(whose), STAFF, morning(AGREED_ON), parts=2, start_on=FIRST)
        reverse(conn, whose, older, 3_000, AGREED_ON + DAY)
        make.a_payment(conn, whose, 1, 3_000, FIRST)
    book.review(FIRST)
    assert book.states() == ["paid", "open"]


def test_a_reversal_lets_a_kept_plan_run_again(book: Book, plan: make.Debtor) -> None:
    """The last payment is taken back a week later: the plan runs on with its stop, and the miss is a first one."""
    pay(book, plan, 6_000, FIRST)
    last = pay(book, plan, 3_000, PARTS[2])
    book.review(PARTS[2])
    assert book.arrangement().state == "kept"
    on = PARTS[2] + 7 * DAY
    with book.app.store.transaction() as conn:
        reverse(conn, plan, last, 3_000, on)
    counts = book.review(on)
    assert (counts["reopened"], counts["missed"], counts["instalment_missed"]) == (1, 1, 1)
    assert (book.arrangement().state, book.arrangement().ended_at) == ("running", None)
    assert (book.states(), book.stops_in_force(on)) == (["paid", "paid", "missed"], 1)
    assert len(book.entries("arrangement_reopened")) == 1


def test_a_reversal_long_after_breaks_a_kept_promise(book: Book, promise: make.Debtor) -> None:
    """A promise whose payment is taken back after its grace is broken after all."""
    paid = pay(book, promise, 9_000, FIRST)
    book.review(FIRST)
    with book.app.store.transaction() as conn:
        reverse(conn, promise, paid, 9_000, FIRST + 20 * DAY)
    counts = book.review(FIRST + 20 * DAY)
    assert (counts["reopened"], counts["broken"]) == (1, 1)
    assert book.stops_in_force(FIRST + 20 * DAY) == 0


def test_an_arrangement_about_one_bill_asks_for_that_bill(book: Book) -> None:
    """Paying another bill keeps nothing; its breaking is a signal on its own bill."""
    with book.app.store.transaction() as conn:
        whose = a_plan_debtor(conn)
        other = make.a_claim(conn, whose, "F2", cents=9_000, due=date(2026, 11, 2))
        arrangements.promise(conn, about(whose, 1), FIRST, STAFF, morning(AGREED_ON))
    pay(book, whose, 9_000, FIRST, claim=other)
    assert book.review(FIRST + GRACE_OVER)["broken"] == 1
    (signal,) = book.rows(tables.claims.Signal)
    assert signal.claim_id == 1


def test_one_arrangement_that_cannot_be_reviewed_stops_no_other(
    book: Book, promise: make.Debtor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted as failed, and the others are judged."""
    with book.app.store.transaction() as conn:
        piet = make.a_debtor(conn, promise.creditor_id, "D2", email="piet@example.net")
        make.a_claim(conn, piet, "F2", cents=9_000, due=date(2026, 11, 2))
        arrangements.promise(conn, about(piet), FIRST, STAFF, morning(AGREED_ON))
    from outreach.casework import judge

    def standing(parts: object, paid: int, known_on: object) -> tuple[str, ...]:
        if paid:
            raise ValueError("this one cannot be judged")
        return ("missed",)

    monkeypatch.setattr(judge, "standing", standing)
    pay(book, piet, 1_000, FIRST)
    counts = asyncio.run(review(book.app.store, morning(FIRST + GRACE_OVER))).counts
    assert (counts["broken"], counts["failed"]) == (1, 1)


def test_kept_and_broken_are_counted_by_kind(book: Book, plan: make.Debtor) -> None:
    """A manager sees how arrangements ended since a day, and how the running ones stand."""
    with book.app.store.transaction() as conn:
        for number, paid in enumerate((9_000, 9_000, 0), start=2):
            whose = make.a_debtor(conn, plan.creditor_id, f"D{number}", email=f"d{number}@example.net")
            claim = make.a_claim(conn, whose, f"F{number}", cents=9_000, due=date(2026, 11, 2))
            arrangements.promise(conn, about(whose), FIRST, STAFF, morning(AGREED_ON))
            if paid:
                make.a_payment(conn, whose, claim, paid, FIRST)
    on = FIRST + GRACE_OVER
    assert book.review(on) == Counter(
        {"paid": 2, "missed": 2, "kept": 2, "broken": 1, "instalment_missed": 1, "closed": 1}
    )
    with book.app.store.reading() as conn:
        found = {row.kind: row for row in kept_and_broken(conn, on)}
        later = {row.kind: row for row in kept_and_broken(conn, on + timedelta(days=1))}
    assert (found["promise"].kept, found["promise"].broken, found["promise"].running) == (2, 1, 0)
    assert (found["plan"].kept, found["plan"].running, found["plan"].running_missed) == (0, 1, 1)
    assert (later["promise"].kept, later["promise"].broken) == (0, 0)
