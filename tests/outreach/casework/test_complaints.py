"""Complaints: receipt is confirmed in writing in time, what they are about waits, somebody answers, and it is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, update

from outreach import tables
from outreach.casework import complaint_register, complaints, stop_orders, tasks, undo
from outreach.casework.complaint_scheme import LANGUAGES, scheme
from outreach.casework.complaints import Complaint
from outreach.casework.days import civil_today, closing_of, working_day
from outreach.casework.targets import Named
from outreach.errors import NotFound, OutreachError, Refused, UsageError
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, F1, JAN, NOW, Office

Row, Stop, Task = tables.law.Complaint, tables.claims.Stop, tables.operations.Task
Wish, Attempt = tables.messages.ServiceMessage, tables.messages.Attempt
WEDNESDAY = datetime(2026, 11, 25, 16, tzinfo=UTC)
"""When the office closes on the second working day after Monday."""


def add(office: Office, **values: Any) -> str:
    """Jan complains by telephone, about F1 unless told otherwise."""
    new = Complaint(**({"named": F1, "cause": "rude_call", "channel": "telephone"} | values))
    return str(office.run(lambda conn: complaints.add(conn, new, ANNA, NOW)).pseudonym)


def answer(office: Office, made: str, outcome: str = "upheld", note: str | None = "we were wrong") -> None:
    """Answer it the next day."""

    def work(conn: Connection) -> None:
        complaints.answer(conn, complaint_register.complaint_of(conn, made), outcome, note, ANNA, NOW + DAY)

    office.run(work)


def confirm(office: Office, made: str, on: date | None = None) -> None:
    """Anna wrote herself, two days later."""

    def work(conn: Connection) -> None:
        complaints.confirm(conn, complaint_register.complaint_of(conn, made), on, ANNA, NOW + 2 * DAY)

    office.run(work)


def late(office: Office, at: datetime) -> list[str]:
    """The complaints that are late at a moment."""
    return office.run(lambda conn: [row.pseudonym for row in complaint_register.complaints(conn, "late", at)])


def said(office: Office) -> list[str]:
    """The templates of what left, in their order."""
    messages = {row.id: row.template for row in office.rows(tables.messages.Message)}
    left = [row for row in office.rows(Attempt) if row.state == "accepted"]
    return [messages[row.message_id] for row in sorted(left, key=lambda row: row.handed_over_at)]


def test_a_complaint_pauses_is_somebodys_work_and_is_confirmed(office: Office) -> None:
    """The stop, the work with its first deadline, the wish to confirm; what was said is kept apart from the log."""
    made = add(office, owner="department:Klachten", note="hij schreeuwde")
    row, stop, task, wish = office.row(Row), office.row(Stop), office.row(Task), office.row(Wish)
    assert (row.confirm_by_at, row.answer_by_on) == (WEDNESDAY, date(2026, 12, 7))
    assert (stop.kind, stop.scope, stop.claim_id, stop.department) == ("complaint", "claim", 1, "Klachten")
    assert (stop.answer_by_on, row.stop_id) == (row.answer_by_on, stop.id)
    assert (task.kind, task.subject, task.due_at) == ("complaint", made, WEDNESDAY)
    assert task.owner == "department:Klachten"
    assert (wish.template, wish.purpose, wish.stop_id) == ("complaint_received", "confirmation", stop.id)
    assert office.content(row.content_id) == b"hij schreeuwde"
    assert office.entries("complaint_received") == [("complaint_received", ["telephone", "rude_call", made])]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channel": "fax"}, "--channel"),
        ({"cause": "He shouted!"}, "--cause"),
        ({"owner": "anna"}, "can own no task"),
        ({"received_on": date(2026, 11, 24)}, "--received-on"),
        ({"answer_by_on": date(2026, 11, 22)}, "--answer-by"),
        ({"named": Named(claim="F9")}, "no claim"),
        ({"named": Named()}, "--debtor"),
    ],
)
def test_a_complaint_that_cannot_be_is_refused_and_leaves_nothing(
    office: Office, values: dict[str, Any], message: str
) -> None:
    """Nothing of a refused command stays."""
    with pytest.raises(OutreachError, match=message):
        add(office, **values)
    assert not [model for model in (Row, Stop, Task, Wish) if office.rows(model)]


def test_both_terms_count_from_the_day_it_came_in(office: Office) -> None:
    """A letter of Thursday that is opened on Monday is to be confirmed that day; an old one is late at once."""
    add(office, channel="letter", received_on=date(2026, 11, 19))
    row = office.row(Row)
    assert row.confirm_by_at == closing_of(NOW.date())
    assert row.answer_by_on == date(2026, 12, 3)
    made = add(office, channel="letter", received_on=date(2026, 10, 1))
    old = office.row(Row, pseudonym=made)
    assert (old.confirm_by_at < NOW, old.answer_by_on) == (True, NOW.date())
    assert late(office, NOW) == [made]


def test_receipt_is_confirmed_in_writing_by_our_own_message(office: Office) -> None:
    """Once it left the work is due with the answer; a reminder for the other bill goes on."""
    made = add(office)
    office.live(NOW, NOW + DAY)
    row = office.row(Row)
    assert (row.confirmed_at, row.confirmed_by) == (NOW, "job:review")
    assert office.row(Task).due_at == closing_of(row.answer_by_on)
    assert office.entries("complaint_confirmed") == [("complaint_confirmed", [made])]
    assert said(office)[0] == "complaint_received"
    assert ("F2", "reminder") in office.told()
    assert not [told for told in office.told() if told[0] == "F1"]


def test_what_a_complaint_about_the_dossier_pauses(office: Office) -> None:
    """Of a whole dossier nothing is asked, but its confirmation is said all the same; others go on."""
    add(office, named=JAN)
    office.live(NOW, NOW + DAY)
    stop = office.row(Stop)
    assert (stop.scope, stop.dossier_id, stop.claim_id) == ("dossier", 1, None)
    assert {told[0] for told in office.told()} == {"F3"}
    assert "complaint_received" in said(office)


def test_the_answer_ends_the_pause_and_is_told(office: Office) -> None:
    """The stop is lifted, the work closed, the answer kept, and reminders begin again after it was told."""
    made = add(office)
    office.live(NOW)
    answer(office, made)
    row = office.row(Row)
    assert (row.outcome, row.answered_by, row.answered_at) == ("upheld", ANNA, NOW + DAY)
    assert office.content(row.answer_content_id) == b"we were wrong"
    assert office.row(Stop).lifted_by == ANNA
    assert (office.row(Task).closed_code, office.row(Task).closed_by) == ("upheld", ANNA)
    office.live(*(NOW + DAY * count for count in range(1, 4)))
    assert said(office).count("complaint_answered") == 1
    assert ("F1", "reminder") in office.told()


def test_who_withdraws_a_complaint_is_told_nothing(office: Office) -> None:
    """Nor is an explanation asked for; any other outcome needs one."""
    made = add(office)
    with pytest.raises(UsageError, match="--note"):
        answer(office, made, "rejected", None)
    with pytest.raises(UsageError, match="--outcome"):
        answer(office, made, "maybe")
    answer(office, made, "withdrawn", None)
    assert [row.template for row in office.rows(Wish)] == ["complaint_received"]
    with pytest.raises(Refused, match="closed already: withdrawn"):
        answer(office, made)


def test_who_cannot_be_written_to_is_written_to_by_somebody(office: Office) -> None:
    """Without an address the work falls due on the second working day; noting the letter moves it to the answer."""
    office.run(lambda conn: conn.execute(delete(make.point)))
    made = add(office)
    office.live(NOW, NOW + DAY)
    row = office.row(Row)
    assert (row.confirmed_at, office.row(Task, kind="complaint").due_at) == (None, WEDNESDAY)
    assert late(office, WEDNESDAY - timedelta(seconds=1)) == []
    assert late(office, WEDNESDAY) == [made]
    with pytest.raises(UsageError, match="--on"):
        confirm(office, made, NOW.date() - DAY)
    confirm(office, made, NOW.date() + DAY)
    row = office.row(Row)
    assert (civil_today(row.confirmed_at), row.confirmed_by) == (NOW.date() + DAY, ANNA)
    assert office.row(Task, kind="complaint").due_at == closing_of(row.answer_by_on)
    assert office.row(Wish).closed_code == "told_elsewhere"
    assert late(office, WEDNESDAY) == []
    with pytest.raises(Refused, match="confirmed already"):
        confirm(office, made)


def test_what_came_back_confirms_nothing(office: Office) -> None:
    """A bounced confirmation is taken back, the work is due as before, and it is said again by letter."""
    address = "Dorpsstraat 1\n1234 AB Ons Dorp\nNL"
    office.run(lambda conn: make.a_point(conn, 1, address, "letter"))
    add(office)
    office.live(NOW, NOW + timedelta(hours=1))
    assert office.row(Row).confirmed_at == NOW

    def bounce(conn: Connection) -> None:
        attempt = tables.messages.Attempt.__table__  # type: ignore[attr-defined]
        sent = attempt.c.id == min(row.id for row in make.rows(conn, Attempt))
        conn.execute(update(attempt).where(sent).values(state="bounced", settled_at=NOW))
        conn.execute(update(make.point).where(make.point.c.kind == "email").values(certainty="dead"))

    office.run(bounce)
    office.live(NOW + timedelta(hours=2))
    assert office.row(Row).confirmed_at is None
    assert office.row(Task, kind="complaint").due_at == WEDNESDAY
    office.live(NOW + DAY, NOW + DAY + timedelta(hours=1))
    told = [row.id for row in office.rows(tables.messages.Message, template="complaint_received")]
    tried = [row.channel for row in office.rows(Attempt) if row.message_id in told]
    assert tried == ["email", "letter"]
    assert office.row(Row).confirmed_at is not None


def test_a_text_message_confirms_nothing_in_writing() -> None:
    """It has no room for what the law asks a confirmation to tell."""
    assert set(complaints.WRITTEN) == {"email", "letter"}


@given(st.dates(date(2024, 1, 1), date(2029, 12, 1)))
def test_two_working_days_are_two_days_of_work(came_in: date) -> None:
    """Whenever it comes in, the term ends on a working day with exactly one working day between."""
    last = working_day(came_in, complaints.CONFIRM_DAYS)
    between = [came_in + timedelta(days=count) for count in range(1, (last - came_in).days)]
    assert len([day for day in between if working_day(day - timedelta(days=1)) == day]) == 1
    assert last.weekday() < 5


def test_the_stop_and_the_work_end_with_the_answer_only(office: Office) -> None:
    """Lifting the stop or closing the task by hand is refused with the command that does it."""
    made = add(office)
    stop, task = office.row(Stop).pseudonym, office.row(Task).pseudonym
    with pytest.raises(Refused, match="outreach complaint answer"):
        office.run(lambda conn: stop_orders.lift(conn, stop, "", ANNA, NOW))
    with pytest.raises(Refused, match="outreach complaint answer"):
        office.run(lambda conn: tasks.close(conn, tasks.task_of(conn, task), "done", None, ANNA, NOW))
    with pytest.raises(UsageError, match="outreach complaint add"):
        office.run(lambda conn: stop_orders.add(conn, stop_orders.Order("complaint", JAN), ANNA, NOW))
    with pytest.raises(Refused, match="took it in"):
        back(office, "stop_set")
    assert office.row(Row).pseudonym == made


def back(office: Office, type_: str) -> None:
    """Take back the newest entry of a type."""
    entry = office.entry(type_)
    office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW + 2 * DAY))


def test_what_was_no_complaint_is_taken_back(office: Office) -> None:
    """The pause and the work end, nothing is confirmed, and the row stays with what it was."""
    add(office)
    back(office, "complaint_received")
    assert (office.row(Row).outcome, office.row(Task).closed_code) == ("undone", "undone")
    assert office.row(Stop).lifted_at is not None
    office.live(NOW + 2 * DAY)
    assert "complaint_received" not in said(office)
    with pytest.raises(Refused, match="closed already"):
        back(office, "complaint_received")


def test_an_answer_is_taken_back(office: Office) -> None:
    """It waits again, paused and somebody's work; the answer is not told, and another one may follow."""
    made = add(office)
    answer(office, made, "rejected")
    back(office, "complaint_answered")
    row, stop = office.row(Row), office.row(Stop)
    assert (row.outcome, row.answered_at, stop.lifted_at) == ("", None, None)
    assert office.row(Task).closed_at is None
    assert office.row(Wish, template="complaint_answered").closed_code == "undone"
    with pytest.raises(Refused, match="is open"):
        back(office, "complaint_answered")
    answer(office, made)
    assert len(office.rows(Wish, template="complaint_answered")) == 2


def test_a_confirmation_that_a_person_noted_is_taken_back(office: Office) -> None:
    """It goes out after all; one that left by itself can't be taken back."""
    made = add(office)
    confirm(office, made)
    back(office, "complaint_confirmed")
    assert (office.row(Row).confirmed_at, office.row(Wish).closed_at) == (None, None)
    assert office.row(Task).due_at == WEDNESDAY
    office.live(NOW + 2 * DAY)
    with pytest.raises(Refused, match="no person noted"):
        back(office, "complaint_confirmed")


def test_the_register(office: Office) -> None:
    """Open ones, late ones and all of them; one is found by the beginning of its id."""
    first, second = add(office), add(office, named=Named(claim="F3"), answer_by_on=date(2026, 11, 24))
    answer(office, first)

    def listed(state: str, days: int = 0) -> list[str]:
        at = NOW + DAY * days
        return office.run(
            lambda conn: [row.pseudonym for row in complaint_register.complaints(conn, state, at)]
        )

    assert (listed("open"), listed("all")) == ([second], [second, first])
    assert (listed("late", 1), listed("late", 2)) == ([], [second])
    with pytest.raises(NotFound, match="no single complaint"):
        office.run(lambda conn: complaint_register.complaint_of(conn, "x"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scheme_names_who_how_and_by_when(office: Office, language: str) -> None:
    """A creditor's own text: how to reach them, both terms; of an agency its mark, and where one can go on."""
    row = office.row(tables.parties.Creditor)
    plain = scheme(row, language)
    assert all(part in plain for part in ("Woonstichting De Linde", "088 123 45 67", " 2 ", " 14 "))
    assert "$" not in plain and "\n\n\n" not in plain
    assert "INC-1" not in plain
    office.run(
        lambda conn: conn.execute(update(make.creditor).values(is_agency=True, register_number="INC-1"))
    )
    agency = scheme(office.row(tables.parties.Creditor), language, "De Commissie")
    assert all(part in agency for part in ("INC-1", "De Commissie"))
