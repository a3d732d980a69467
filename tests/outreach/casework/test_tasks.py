"""Work for people: always somebody's, always due; each kind ends with its own outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from outreach import tables
from outreach.casework import approvals, doubts, tasks, undo
from outreach.errors import NotFound, OutreachError, Refused, UsageError
from outreach.store.types import AnyRow
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, NOW, Office, a_task, attempt

Task, Approval = tables.operations.Task, tables.claims.Approval


def opened(office: Office, kind: str = "reply", **values: Any) -> str:
    """A task about Jan's dossier."""
    return office.run(lambda conn: a_task(conn, kind, 1, 1, **values))


def on(office: Office, task: str, work: Any, *, closed: bool = False) -> Any:
    """Do something with a task."""

    def doing(conn: Connection) -> Any:
        return work(conn, tasks.task_of(conn, task, closed=closed))

    return office.run(doing)


def assign(office: Office, task: str, owner: str, due_at: datetime | None = None) -> None:
    """Give it to somebody."""
    on(office, task, lambda conn, row: tasks.assign(conn, row, owner, ANNA, NOW, due_at))


def close(office: Office, task: str, code: str = "done", note: str | None = None) -> None:
    """Close it by hand."""
    on(office, task, lambda conn, row: tasks.close(conn, row, code, note, ANNA, NOW))


@pytest.mark.parametrize("owner", ["staff", "staff:anna", "staff:Anna de Wit", "department:techniek"])
def test_work_is_given_to_somebody(office: Office, owner: str) -> None:
    """The words are kept as they were given."""
    made = opened(office)
    assign(office, made, owner, NOW + 3 * DAY)
    row = office.row(Task)
    assert (row.owner, row.due_at) == (owner, NOW + 3 * DAY)


@pytest.mark.parametrize(
    "owner", ["", " ", "anna", "staff:", "staff: ", "team:x", "staff:a\nb", "staff:" + "x" * 99]
)
def test_nobodys_work_is_impossible(office: Office, owner: str) -> None:
    """An owner that is nobody is refused, and the task keeps the one it has."""
    made = opened(office)
    with pytest.raises(UsageError, match="can own no task"):
        assign(office, made, owner)
    assert office.row(Task).owner == "staff"


def test_a_due_time_lies_ahead(office: Office) -> None:
    """Work cannot be given out overdue."""
    with pytest.raises(UsageError, match="--due"):
        assign(office, opened(office), "staff:anna", NOW)


def test_the_longest_overdue_comes_first(office: Office) -> None:
    """And lists can be of one owner, one kind, or up to a time."""
    late = opened(office, "call", due_at=NOW - 3 * DAY)
    soon = opened(office, owner="staff:anna", due_at=NOW + DAY)
    today = opened(office, due_at=NOW)

    def listed(**wanted: Any) -> list[str]:
        return [row.pseudonym for row in office.run(lambda conn: tasks.open_tasks(conn, **wanted))]

    assert listed() == [late, today, soon]
    assert listed(owner="staff:anna") == [soon]
    assert listed(kind="call") == [late]
    assert listed(due_by=NOW) == [late, today]
    assert listed(limit=1) == [late]


def test_work_is_closed_with_a_code_and_may_be_opened_again(office: Office) -> None:
    """Closed by whom and how is kept; opened again it is due ahead; the free text is content."""
    made = opened(office, due_at=NOW - DAY)
    close(office, made[:8], "answered", "Jan belde terug")
    row = office.row(Task)
    assert (row.closed_at, row.closed_by, row.closed_code) == (NOW, ANNA, "answered")
    with pytest.raises(Refused, match="closed already"):
        close(office, made)
    on(office, made, lambda conn, row: tasks.reopen(conn, row, ANNA, NOW), closed=True)
    row = office.row(Task)
    assert (row.closed_at, row.closed_code) == (None, "")
    assert row.due_at == datetime(2026, 11, 24, 16, tzinfo=UTC), "the end of the next working day"
    with pytest.raises(Refused, match="is open"):
        on(office, made, lambda conn, row: tasks.reopen(conn, row, ANNA, NOW), closed=True)


def test_the_same_work_is_open_once(office: Office) -> None:
    """Closed work cannot be opened again beside newer work about the same."""
    made = opened(office, subject="same")
    close(office, made)
    opened(office, subject="same")
    with pytest.raises(Refused, match="open as another task"):
        on(office, made, lambda conn, row: tasks.reopen(conn, row, ANNA, NOW), closed=True)


@pytest.mark.parametrize("code", ["", "Jan called", "ok!"])
def test_a_closing_code_is_a_code(office: Office, code: str) -> None:
    """Free text would end in the log."""
    made = opened(office)
    with pytest.raises(UsageError, match="--code"):
        close(office, made, code)
    with pytest.raises(NotFound):
        close(office, "")


def test_work_with_an_outcome_is_not_just_closed_while_it_matters(office: Office) -> None:
    """A call about open money has a result; once nothing is open the task can be closed."""
    made = opened(office, "call")
    with pytest.raises(Refused, match="task result"):
        close(office, made)

    def pay(conn: Connection) -> None:
        jan = make.Debtor(1, 1, 1, 1, None)
        make.a_payment(conn, jan, 1, 10_000, NOW.date())
        make.a_payment(conn, jan, 2, 5_000, NOW.date())

    office.run(pay)
    close(office, made, "paid")


def answer(office: Office, task: str, approved: bool, actor: str = ANNA, reason: str = "") -> int:
    """Say yes or no."""

    def work(conn: Connection, row: AnyRow) -> int:
        return approvals.answer(conn, row, approved=approved, reason=reason, note=None, actor=actor, now=NOW)

    return int(on(office, task, work))


@pytest.mark.parametrize(("approved", "days", "word"), [(True, 14, "approved"), (False, 365, "refused")])
def test_a_person_says_yes_or_no_to_a_step(office: Office, approved: bool, days: int, word: str) -> None:
    """A yes is good for two weeks and a no for a year; both name the step and close the task."""
    made = opened(office, "approve", step="final_notice")
    answer(office, made, approved, reason="vulnerable")
    row = office.row(Approval)
    assert (row.dossier_id, row.person_id, row.currency, row.step) == (1, 1, "EUR", "final_notice")
    assert (row.approved, row.until_at, row.actor) == (approved, NOW + timedelta(days=days), ANNA)
    assert office.row(Task).closed_code == word
    type_ = "approved" if approved else "approval_refused"
    entry = office.entry(type_)
    office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW + DAY))
    assert office.row(Approval).until_at == NOW + DAY
    with pytest.raises(Refused, match="no longer counts"):
        office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW + DAY))


@pytest.mark.parametrize("actor", ["job:plan", "score", "debtor"])
def test_only_a_person_approves(office: Office, actor: str) -> None:
    """No job and no score decides a harsher step (GDPR art. 22)."""
    made = opened(office, "handover", step="handover")
    with pytest.raises(Refused, match="a person does"):
        answer(office, made, True, actor)
    assert office.rows(Approval) == [] and office.row(Task).closed_at is None


def test_other_work_asks_for_no_approval(office: Office) -> None:
    """A yes to a reply means nothing."""
    with pytest.raises(Refused, match="asks for no approval"):
        answer(office, opened(office, "reply"), True)


def in_doubt(office: Office) -> str:
    """Jan's reminder was handed over and nobody knows what became of it."""
    office.live(NOW)

    def doubt(conn: Connection) -> str:
        [first, _] = make.rows(conn, tables.messages.Attempt)
        conn.execute(update(attempt).where(attempt.c.id == first.id).values(state="in_doubt"))
        return a_task(
            conn, "in_doubt", 1, first.person_id, attempt_id=first.id, subject=first.token, currency=""
        )

    return office.run(doubt)


def resolve(office: Office, task: str, delivered: bool) -> None:
    """Say what you found out."""

    def work(conn: Connection, row: AnyRow) -> None:
        doubts.resolve(conn, row, delivered=delivered, note=None, actor=ANNA, now=NOW + DAY)

    on(office, task, work)


def test_a_message_that_did_arrive_counts_as_told(office: Office) -> None:
    """Its state is accepted again: the second reminder comes a week after the first."""
    made = in_doubt(office)
    resolve(office, made, True)
    row = office.rows(tables.messages.Attempt)[0]
    assert (row.state, row.outcome_code, row.handed_over_at) == ("accepted", "person_says_sent", NOW)
    office.live(*(NOW + DAY * count for count in range(1, 9)))
    assert office.told().count(("F1", "reminder")) == 1
    assert office.told().count(("F1", "reminder_again")) == 1


def test_a_message_that_did_not_arrive_is_planned_anew(office: Office) -> None:
    """The same step goes out once more, and what was in doubt counts for nothing."""
    made = in_doubt(office)
    resolve(office, made, False)
    row = office.rows(tables.messages.Attempt)[0]
    assert (row.state, row.outcome_code, row.handed_over_at) == ("expired", "person_says_not_sent", None)
    office.live(NOW + DAY)
    assert office.told().count(("F1", "reminder")) == 1
    assert len(office.rows(tables.messages.Attempt, state="accepted")) == 2


def test_what_evidence_settled_is_not_settled_by_hand(office: Office) -> None:
    """A late answer was first: the command says what it is by now, and the task can be closed."""
    made = in_doubt(office)
    with pytest.raises(Refused, match="task resolve"):
        close(office, made)
    office.run(lambda conn: conn.execute(update(attempt).values(state="bounced")))
    with pytest.raises(Refused, match="it is bounced"):
        resolve(office, made, True)
    close(office, made)
    with pytest.raises(OutreachError, match="no message in doubt"):
        resolve(office, opened(office), True)
    entry = office.entry("accepted")
    with pytest.raises(Refused, match="message that left can't be taken back"):
        office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW))
