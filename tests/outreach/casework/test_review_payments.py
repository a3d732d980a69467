"""Which payments are confirmed, to whom, and when what was to be said is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from outreach import tables
from outreach.bootstrap import opened
from outreach.casework import arrangements
from outreach.casework.review import Seen, review
from outreach.config import Settings
from outreach.store.types import table_of
from tests import builders as make
from tests.installations import initialise
from tests.outreach.casework.arranged import (
    AGREED_ON,
    DAY,
    STAFF,
    Book,
    a_plan_debtor,
    about,
    attempt,
    morning,
    reverse,
    told,
)

TOLD_ON = date(2026, 11, 10)
PAID_ON = date(2026, 11, 20)
service_message = table_of(tables.messages.ServiceMessage)


@pytest.fixture
def book(settings: Settings) -> Iterator[Book]:
    """A new installation on each database."""
    initialise(settings, is_trial=True)
    with opened(settings) as made:
        yield Book(made)


@pytest.fixture
def jan(book: Book) -> make.Debtor:
    """A debtor who was reminded of one bill of € 90."""
    with book.app.store.transaction() as conn:
        whose = a_plan_debtor(conn)
        told(conn, whose, 1, morning(TOLD_ON))
    return whose


def pay(book: Book, whose: make.Debtor, cents: int, on: date) -> int:
    """Money comes in on the bill."""
    with book.app.store.transaction() as conn:
        return make.a_payment(conn, whose, 1, cents, on)


def test_a_payment_that_was_asked_for_is_confirmed_once(book: Book, jan: make.Debtor) -> None:
    """Whoever was reminded hears that the money came in, once, and within a week."""
    paid = pay(book, jan, 9_000, PAID_ON)
    assert book.review(AGREED_ON)["payment_confirmed"] == 1
    assert book.review(AGREED_ON + DAY)["payment_confirmed"] == 0
    (wish,) = book.rows(tables.messages.ServiceMessage)
    assert (wish.template, wish.purpose, wish.payment_id) == ("payment_confirmed", "confirmation", paid)
    assert (wish.dossier_id, wish.person_id) == (jan.dossier_id, jan.person_id)
    assert wish.until_at == morning(AGREED_ON) + timedelta(days=7)


def test_each_party_that_was_asked_hears_of_it(book: Book, jan: make.Debtor) -> None:
    """A co-tenant who was reminded too need not pay again; one who left, or was never asked, hears nothing."""
    with book.app.store.transaction() as conn:
        persons = [make.a_person(conn, name) for name in ("Piet", "Kees", "Els")]
        for number, person in enumerate(persons):
            point = make.a_point(conn, person, f"{number}@example.net")
            make.insert_row(
                conn,
                make.party,
                dossier_id=jan.dossier_id,
                person_id=person,
                role="co_debtor",
                until_at=morning(TOLD_ON + DAY) if number == 1 else None,
            )
            if number < 2:
                co = make.Debtor(jan.creditor_id, person, jan.debtor_id, jan.dossier_id, point)
                told(conn, co, 1, morning(TOLD_ON))
    pay(book, jan, 9_000, PAID_ON)
    assert book.review(AGREED_ON)["payment_confirmed"] == 2
    rows = book.rows(tables.messages.ServiceMessage)
    assert {row.person_id for row in rows} == {jan.person_id, persons[0]}


def test_who_was_not_asked_before_the_booking_is_told_nothing(book: Book, jan: make.Debtor) -> None:
    """A reminder that went out after the money came asked for nothing; one of the same day did."""
    pay(book, jan, 1_000, TOLD_ON - DAY)
    assert book.review(TOLD_ON + DAY)["payment_confirmed"] == 0
    pay(book, jan, 1_000, TOLD_ON)
    assert book.review(TOLD_ON + DAY)["payment_confirmed"] == 1


def test_what_never_arrived_asked_for_nothing(book: Book, jan: make.Debtor) -> None:
    """A bounced reminder is none."""
    with book.app.store.transaction() as conn:
        conn.execute(update(attempt).values(state="bounced"))
    pay(book, jan, 9_000, PAID_ON)
    assert book.review(AGREED_ON)["payment_confirmed"] == 0


def test_only_news_is_confirmed(book: Book, jan: make.Debtor) -> None:
    """What is to be booked, was booked long ago, or is no payment, is not confirmed."""
    pay(book, jan, 1_000, AGREED_ON + DAY)
    assert book.review(AGREED_ON)["payment_confirmed"] == 0
    assert book.review(AGREED_ON + 16 * DAY)["payment_confirmed"] == 0
    with book.app.store.transaction() as conn:
        credit = make.a_payment(conn, jan, 1, 1_000, AGREED_ON + 16 * DAY)
        changed = update(make.payment).where(make.payment.c.id == credit)
        conn.execute(changed.values(kind="credit_note"))
    assert book.review(AGREED_ON + 16 * DAY)["payment_confirmed"] == 0


def test_a_creditor_may_confirm_nothing(book: Book, jan: make.Debtor) -> None:
    """It is the creditor's choice."""
    with book.app.store.transaction() as conn:
        conn.execute(update(make.creditor).values(confirm_payments=False))
    pay(book, jan, 9_000, PAID_ON)
    assert book.review(AGREED_ON)["payment_confirmed"] == 0


def test_a_reversed_payment_is_not_confirmed(book: Book, jan: make.Debtor) -> None:
    """Taken back before it was confirmed, nothing is said; taken back before it was told, the wish is dropped."""
    first = pay(book, jan, 4_000, PAID_ON)
    with book.app.store.transaction() as conn:
        reverse(conn, jan, first, 4_000, PAID_ON + DAY)
    assert book.review(AGREED_ON)["payment_confirmed"] == 0
    second = pay(book, jan, 5_000, AGREED_ON)
    assert book.review(AGREED_ON)["payment_confirmed"] == 1
    with book.app.store.transaction() as conn:
        reverse(conn, jan, second, 5_000, AGREED_ON)
    assert book.review(AGREED_ON)["closed"] == 1
    (wish,) = book.rows(tables.messages.ServiceMessage)
    assert wish.closed_code == "no_longer_true"
    assert len(book.entries("service_message_dropped")) == 1


def test_the_instalments_of_a_plan_are_not_confirmed_but_its_last_one_is(
    book: Book, jan: make.Debtor
) -> None:
    """A plan's payments are its own way; the one that leaves nothing open closes the matter."""
    with book.app.store.transaction() as conn:
        start = AGREED_ON + DAY
        made = arrangements.plan(conn, about(jan), STAFF, morning(AGREED_ON), parts=2, start_on=start)
    pay(book, jan, made.parts[0].cents, start)
    assert book.review(start)["payment_confirmed"] == 0
    last = pay(book, jan, made.parts[1].cents, start + 2 * DAY)
    counts = book.review(start + 2 * DAY)
    assert (counts["kept"], counts["payment_confirmed"]) == (1, 1)
    (wish,) = book.rows(tables.messages.ServiceMessage, template="payment_confirmed")
    assert wish.payment_id == last
    assert book.review(start + 3 * DAY)["payment_confirmed"] == 0


def test_a_kept_promise_is_confirmed(book: Book, jan: make.Debtor) -> None:
    """Whoever pays as promised hears that it came in."""
    with book.app.store.transaction() as conn:
        arrangements.promise(conn, about(jan), AGREED_ON + DAY, STAFF, morning(AGREED_ON))
    pay(book, jan, 9_000, AGREED_ON + DAY)
    assert book.review(AGREED_ON + DAY)["payment_confirmed"] == 1


def test_what_was_told_is_closed_as_told(book: Book, jan: make.Debtor) -> None:
    """A wish is closed once its message was handed over; in doubt it stays until that is known."""
    pay(book, jan, 9_000, PAID_ON)
    book.review(AGREED_ON)
    with book.app.store.transaction() as conn:
        key = told(conn, jan, 1, morning(AGREED_ON), service_id=1)
        conn.execute(update(attempt).where(attempt.c.id == key).values(state="in_doubt"))
    assert book.review(AGREED_ON + 10 * DAY)["closed"] == 0
    with book.app.store.transaction() as conn:
        conn.execute(update(attempt).where(attempt.c.id == key).values(state="posted"))
    assert book.review(AGREED_ON + 10 * DAY)["closed"] == 1
    (wish,) = book.rows(tables.messages.ServiceMessage)
    assert wish.closed_code == "told"
    assert book.entries("service_message_dropped") == []


def test_a_process_looks_at_bookings_once_an_hour_unless_there_are_new_ones(
    book: Book, jan: make.Debtor
) -> None:
    """What it has seen saves work and hides nothing: a new booking is seen at once, and all are after an hour."""
    seen = Seen()

    def confirmed(minutes: int) -> int:
        at = morning(AGREED_ON) + timedelta(minutes=minutes)
        return asyncio.run(review(book.app.store, at, seen)).counts["payment_confirmed"]

    assert confirmed(0) == 0
    pay(book, jan, 4_000, PAID_ON)
    assert confirmed(1) == 1
    with book.app.store.transaction() as conn:
        conn.execute(service_message.delete())
    assert (confirmed(2), confirmed(60)) == (0, 1)
