"""Disputes: what is disputed waits, the rest goes on, a department answers in time, and the answer has its effect."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from outreach import tables
from outreach.bootstrap import opened
from outreach.casework import disputes, stop_orders
from outreach.casework.disputes import Decided, Dispute
from outreach.casework.open_claims import claim_fact
from outreach.casework.targets import Named
from outreach.claims.amounts import asked_cents, open_cents
from outreach.errors import NotFound, OutreachError, Refused, UsageError
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, DUE, F1, JAN, NOW, Office

Stop, Task, Payment = tables.claims.Stop, tables.operations.Task, tables.claims.Payment
Wish = tables.messages.ServiceMessage


def a_dispute(**values: Any) -> Dispute:
    """The lift was broken in October, says Jan."""
    return Dispute(**({"named": F1, "cause": "service_missing", "department": "techniek"} | values))


def add(office: Office, new: Dispute) -> str:
    """Add a dispute."""
    return office.run(lambda conn: disputes.add(conn, new, ANNA, NOW))


def decide(office: Office, word: str, cents: int | None = None, stop: str | None = None) -> Decided:
    """Answer it."""

    def work(conn: Connection) -> Decided:
        row = disputes.dispute_of(conn, stop, F1)
        return disputes.decide(conn, row, word, cents, "as agreed", ANNA, NOW + DAY)

    return office.run(work)


def amounts(office: Office) -> tuple[int, int]:
    """What is open of F1, and what a message may ask of it."""
    fact = office.run(lambda conn: claim_fact(conn, 1, NOW + DAY))
    return open_cents(fact), asked_cents(fact)


def test_a_dispute_is_a_stop_and_a_departments_work_with_a_deadline(office: Office) -> None:
    """The stop holds the part, the task is due on the day of the answer, and the debtor is told."""
    made = add(office, a_dispute(amount_cents=4_000, answer_by_on=date(2026, 12, 4), note="de lift"))
    stop = office.row(Stop)
    assert (stop.kind, stop.scope, stop.amount_cents) == ("dispute", "claim_part", 4_000)
    assert (stop.reason_code, stop.department, stop.answer_by_on) == (
        "service_missing",
        "techniek",
        date(2026, 12, 4),
    )
    task = office.row(Task)
    assert (task.kind, task.owner, task.subject) == ("dispute", "department:techniek", made)
    assert task.due_at.date() == date(2026, 12, 4)
    wish = office.row(Wish)
    assert (wish.template, wish.purpose, wish.stop_id) == ("dispute_received", "confirmation", stop.id)
    assert office.content(stop.content_id) == b"de lift"
    assert amounts(office) == (10_000, 6_000)


def test_without_an_amount_all_that_is_open_is_disputed(office: Office) -> None:
    """And so it is with the amount that is open; the answer is due in two weeks where nobody says."""
    add(office, a_dispute())
    stop = office.row(Stop)
    assert (stop.scope, stop.amount_cents) == ("claim", None)
    assert stop.answer_by_on == NOW.date() + timedelta(days=14)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"amount_cents": 10_001}, "at most EUR 100.00"),
        ({"amount_cents": 0}, "more than 0"),
        ({"cause": "The lift!"}, "--cause"),
        ({"department": ""}, "can own no task"),
        ({"department": "a\nb"}, "can own no task"),
        ({"answer_by_on": date(2026, 11, 22)}, "--answer-by"),
        ({"named": Named(claim="F9")}, "no claim"),
        ({"named": JAN}, "--claim or --invoice"),
    ],
)
def test_a_dispute_that_cannot_be_is_refused_and_leaves_nothing(
    office: Office, values: dict[str, Any], message: str
) -> None:
    """Nothing of a refused command stays: no stop, no task, no wish."""
    with pytest.raises(OutreachError, match=message):
        add(office, a_dispute(**values))
    assert not office.rows(Stop) and not office.rows(Task) and not office.rows(Wish)


def test_parts_add_up_to_the_claim_and_no_further(office: Office) -> None:
    """Two parts may be disputed one after the other; beyond what is open there is nothing to dispute."""
    add(office, a_dispute(amount_cents=4_000))
    with pytest.raises(UsageError, match=r"at most EUR 60\.00"):
        add(office, a_dispute(amount_cents=6_001))
    add(office, a_dispute(amount_cents=6_000))
    with pytest.raises(Refused, match="disputed already"):
        add(office, a_dispute(amount_cents=1))


def test_a_paid_claim_cannot_be_disputed(office: Office) -> None:
    """Nothing is open of it."""

    def pay(conn: Connection) -> None:
        [jan, _] = make.rows(conn, tables.parties.Debtor)
        make.a_payment(conn, make.Debtor(jan.creditor_id, jan.person_id, jan.id, 1, None), 1, 10_000, DUE)

    office.run(pay)
    with pytest.raises(Refused, match="nothing is open"):
        add(office, a_dispute())


def test_the_rest_of_the_dossier_goes_on(office: Office) -> None:
    """A disputed claim is left out of the message; the other claim is asked for as before."""
    add(office, a_dispute())
    office.live(NOW, NOW + DAY)
    assert ("F2", "reminder") in office.told()
    assert ("F1", "reminder") not in office.told()


def test_the_rest_of_the_claim_goes_on(office: Office) -> None:
    """A claim with a disputed part is asked for without that part."""
    add(office, a_dispute(amount_cents=4_000))
    office.live(NOW, NOW + DAY)
    assert ("F1", "reminder") in office.told()


def test_a_rejected_dispute_lifts_its_stop_and_the_ladder_resumes(office: Office) -> None:
    """The claim is asked for again at the step it stood at; nothing was credited; the debtor is answered."""
    office.live(NOW)
    made = office.run(lambda conn: disputes.add(conn, a_dispute(), ANNA, NOW))
    one = decide(office, "rejected", stop=made)
    assert (one.credited_cents, one.open_cents) == (0, 10_000)
    assert office.rows(Payment) == []
    task = office.row(Task)
    assert (task.closed_by, task.closed_code) == (ANNA, "rejected")
    assert office.row(Stop).lifted_by == ANNA
    assert [row.template for row in office.rows(Wish)] == ["dispute_received", "dispute_answered"]
    office.live(*(NOW + DAY * count for count in range(1, 16)))
    assert ("F1", "reminder_again") in office.told()
    assert office.told().count(("F1", "reminder")) == 1


@pytest.mark.parametrize(
    ("part", "word", "cents", "credited"),
    [
        (4_000, "upheld", None, 4_000),
        (4_000, "partly", 1_500, 1_500),
        (None, "upheld", None, 10_000),
        (None, "partly", 9_999, 9_999),
    ],
)
def test_an_upheld_dispute_is_credited_with_a_row_of_its_own(
    office: Office, part: int | None, word: str, cents: int | None, credited: int
) -> None:
    """What was right is credited, placed on that claim alone; the rest is asked for again."""
    add(office, a_dispute(amount_cents=part))
    one = decide(office, word, cents)
    assert (one.credited_cents, one.open_cents) == (credited, 10_000 - credited)
    assert amounts(office) == (10_000 - credited, 10_000 - credited)
    row = office.row(Payment)
    assert (row.kind, row.amount_cents, row.unplaced_cents, row.reason_code) == (
        "credit_note",
        credited,
        0,
        "dispute_upheld",
    )
    placed = office.row(tables.claims.Allocation)
    assert (placed.claim_id, placed.amount_cents) == (1, credited)
    assert office.entries("payment_booked") != []


@pytest.mark.parametrize(
    ("part", "word", "cents", "message"),
    [
        (4_000, "partly", 4_000, "less than EUR 40.00"),
        (4_000, "partly", 0, "more than 0"),
        (4_000, "partly", None, "more than 0"),
        (None, "partly", 10_000, "less than EUR 100.00"),
    ],
)
def test_no_more_is_credited_than_is_disputed(
    office: Office, part: int | None, word: str, cents: int | None, message: str
) -> None:
    """A refused answer leaves the dispute standing, with its stop and its task."""
    add(office, a_dispute(amount_cents=part))
    with pytest.raises(UsageError, match=message):
        decide(office, word, cents)
    assert office.row(Stop).lifted_at is None
    assert office.row(Task).closed_at is None
    assert office.rows(Payment) == []


def test_no_more_is_credited_than_is_open(office: Office) -> None:
    """The debtor paid meanwhile: a credit that would leave money over is refused, with what to do."""
    add(office, a_dispute(amount_cents=4_000))

    def pay(conn: Connection) -> None:
        [jan, _] = make.rows(conn, tables.parties.Debtor)
        make.a_payment(conn, make.Debtor(jan.creditor_id, jan.person_id, jan.id, 1, None), 1, 7_500, DUE)

    office.run(pay)
    with pytest.raises(Refused, match=r"EUR 25\.00 is open of 'F1'"):
        decide(office, "upheld")
    assert decide(office, "partly", 2_500).open_cents == 0


def test_a_dispute_is_answered_once(office: Office) -> None:
    """Answered, it waits for nothing any more; a stop of another kind never waited."""
    made = add(office, a_dispute())
    decide(office, "rejected")
    with pytest.raises(NotFound, match="no dispute"):
        decide(office, "rejected")
    with pytest.raises(Refused, match="no dispute that waits"):
        decide(office, "upheld", stop=made)
    [hold] = office.run(lambda conn: stop_orders.add(conn, stop_orders.Order("hold", JAN), ANNA, NOW))
    with pytest.raises(Refused, match="no dispute that waits"):
        decide(office, "upheld", stop=hold)


def test_of_two_disputed_parts_one_is_named(office: Office) -> None:
    """The claim alone does not say which is answered."""
    first = add(office, a_dispute(amount_cents=4_000))
    add(office, a_dispute(amount_cents=1_000, cause="wrong_amount"))
    with pytest.raises(UsageError, match=first[:8]):
        decide(office, "upheld")
    assert decide(office, "upheld", stop=first[:8]).credited_cents == 4_000


class Undone(Exception):
    """Leaves a transaction without a trace."""


def test_whatever_is_disputed_and_answered_the_amounts_add_up(office: Office) -> None:
    """Asked and disputed are what is open; open and credited are the principal; nothing goes below zero."""
    answers = st.sampled_from(["rejected", "upheld", "partly", "open"])

    @hypothesis_settings(max_examples=25)
    @given(st.lists(st.tuples(st.integers(0, 6_000), answers), max_size=6))
    def lived_through(parts: list[tuple[int, str]]) -> None:
        with pytest.raises(Undone):
            app.store.run(lambda conn: disputed(conn, parts))

    def disputed(conn: Connection, parts: list[tuple[int, str]]) -> None:
        credited = held = 0
        for cents, word in parts:
            if not 0 < cents <= 10_000 - credited - held:
                with pytest.raises((UsageError, Refused)):
                    disputes.add(conn, a_dispute(amount_cents=cents), ANNA, NOW)
                continue
            made = disputes.add(conn, a_dispute(amount_cents=cents), ANNA, NOW)
            held += cents
            if word != "open" and (word != "partly" or cents > 1):
                part = cents // 2 if word == "partly" else None
                row = disputes.dispute_of(conn, made, F1)
                one = disputes.decide(conn, row, word, part, None, ANNA, NOW)
                held -= cents
                credited += one.credited_cents
            fact = claim_fact(conn, 1, NOW)
            whole = any(hold.cents is None for hold in fact.holds)
            assert open_cents(fact) == 10_000 - credited
            assert (0 if whole else asked_cents(fact)) == 10_000 - credited - held
        raise Undone

    with opened(office.settings) as app:
        lived_through()


def test_a_co_debtor_who_disputes_is_the_one_who_is_told(office: Office) -> None:
    """The claim is held for both; the confirmation and the answer go to the one who disagreed."""

    def join(conn: Connection) -> str:
        other = make.a_person(conn, "Fatima de Vries")
        conn.execute(insert(make.party).values(dossier_id=1, person_id=other, role="co_debtor"))
        return str(make.rows(conn, tables.parties.Person, id=other)[0].pseudonym)

    fatima = office.run(join)
    add(office, a_dispute(named=Named(claim="F1", person=fatima)))
    decide(office, "rejected")
    told = {row.person_id for row in office.rows(Wish)}
    assert told == {office.row(tables.parties.Person, pseudonym=fatima).id}
    with pytest.raises(UsageError, match="no party of this dossier"):
        piet = office.row(tables.parties.Person, name="Piet Jansen").pseudonym
        add(office, a_dispute(named=Named(claim="F1", person=piet)))
