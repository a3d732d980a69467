"""What came of a call: the answers lead on, the ladder counts it, and nobody reached is tried again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, update

from outreach import tables
from outreach.casework import disputes, results, tasks, undo
from outreach.casework.disputes import Dispute
from outreach.casework.results import Result
from outreach.dunning.strategy import shipped
from outreach.errors import OutreachError, Refused, UsageError
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, F1, NOW, Office, a_task

Task, StepDone, Party = tables.operations.Task, tables.claims.StepDone, tables.parties.DossierParty

WONT = {"will": "no", "means": "all", "self_direction": "self", "room": "yes"}
CANNOT = {"will": "yes", "means": "nothing", "self_direction": "self", "room": "no"}
DISAGREES = {"will": "disagrees", "means": "all", "self_direction": "self", "room": "yes"}


def a_call(office: Office, strategy: str = "result_first", **values: Any) -> str:
    """A call about Jan's open invoices is to be made."""
    version = shipped(strategy)

    def work(conn: Connection) -> str:
        more = {"step": "call", "strategy_hash": version.hash} | values
        return a_task(conn, "call", 1, 1, **more)

    return office.run(work)


def record(
    office: Office, task: str, answers: dict[str, str] | None = None, *, reached: bool = True, later: int = 0
) -> Result:
    """Tell what came of it."""

    def work(conn: Connection) -> Result:
        row = tasks.task_of(conn, task)
        return results.record(
            conn, row, answers or {}, reached=reached, note=None, actor=ANNA, now=NOW + DAY * later
        )

    return office.run(work)


@pytest.mark.parametrize(
    ("answers", "triage"), [(WONT, "formal"), (CANNOT, "help"), (DISAGREES, "department")]
)
def test_answers_lead_where_the_strategy_says(office: Office, answers: dict[str, str], triage: str) -> None:
    """Every open and overdue claim has its step, the party its triage, and the task is closed with it."""
    made = a_call(office)
    assert record(office, made, answers).triage == triage
    rows = office.rows(StepDone)
    assert [(row.claim_id, row.step, row.how, row.reached) for row in rows] == [
        (1, "call", "call", True),
        (2, "call", "call", True),
    ]
    assert {row.strategy_hash for row in rows} == {shipped("result_first").hash}
    assert [row.triage for row in office.rows(Party)] == [triage, "open"]
    assert office.row(Task, pseudonym=made).closed_code == triage
    assert office.entries("triaged") == [("triaged", [triage, f"task:{made}"])]
    work = office.rows(Task, kind="dispute")
    assert len(work) == (triage == "department")


@pytest.mark.parametrize(
    ("answers", "reached", "message"),
    [
        ({}, True, "not answered"),
        (WONT | {"mood": "bad"}, True, "no question of this step"),
        (WONT | {"will": "maybe"}, True, "expected one of yes, no, disagrees"),
        (WONT, False, "nobody was reached"),
    ],
)
def test_answers_that_the_guide_does_not_know_are_refused(
    office: Office, answers: dict[str, str], reached: bool, message: str
) -> None:
    """The call stays to be told: no step, no triage, the task open."""
    made = a_call(office)
    with pytest.raises(UsageError, match=message):
        record(office, made, answers, reached=reached)
    assert office.rows(StepDone) == [] and office.row(Task).closed_at is None


def test_nobody_reached_is_tried_again_until_the_tries_are_spent(office: Office) -> None:
    """Each try is a row; the task moves to the next working day; after the last it closes."""
    made = a_call(office)
    first = record(office, made, reached=False)
    assert (first.tries_left, first.again_at) == (2, office.row(Task).due_at)
    assert record(office, made, reached=False).tries_left == 1, "also where the clock stands still"
    last = record(office, made, reached=False, later=1)
    assert (last.tries_left, last.again_at) == (0, None)
    assert office.row(Task).closed_code == "not_reached"
    assert [row.reached for row in office.rows(StepDone)] == [False] * 6
    assert office.rows(Party)[0].triage == "open"


def test_a_dispute_that_is_added_ends_the_work_of_finding_it_out(office: Office) -> None:
    """The call led to the department; once it is known what is disputed, that is the work."""
    record(office, a_call(office), DISAGREES)
    office.run(lambda conn: disputes.add(conn, Dispute(F1, "wrong_amount", "huur"), ANNA, NOW))
    assert [(row.owner, row.closed_code) for row in office.rows(Task, kind="dispute")] == [
        ("staff", "dispute_added"),
        ("department:huur", ""),
    ]


def test_somebody_reached_at_the_second_try_counts(office: Office) -> None:
    """The first try stays a try; the second one is the step."""
    made = a_call(office)
    record(office, made, reached=False)
    record(office, made, CANNOT, later=1)
    assert [row.reached for row in office.rows(StepDone)] == [False, False, True, True]


def test_a_result_can_be_taken_back(office: Office) -> None:
    """Told of the wrong debtor: the step no longer counts, the triage is as it was, the call is open again."""
    made = a_call(office)
    record(office, made, DISAGREES)
    entry = office.entry("step_done")
    office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW + DAY))
    assert [row.counts for row in office.rows(StepDone)] == [False, False]
    assert [row.triage for row in office.rows(Party)] == ["open", "open"]
    assert office.row(Task, pseudonym=made).closed_at is None
    assert office.row(Task, kind="dispute").closed_code == "undone"
    with pytest.raises(Refused, match="does not count any more"):
        office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW + DAY))
    assert record(office, made, WONT, later=1).triage == "formal"


def test_what_is_no_call_has_no_result(office: Office) -> None:
    """A task of another kind, a step of another strategy, a version that is not kept."""
    reply = office.run(lambda conn: a_task(conn, "reply", 1, 1))
    with pytest.raises(Refused, match="no call or visit"):
        record(office, reply, WONT)
    with pytest.raises(UsageError, match="no step of strategy"):
        record(office, a_call(office, "friendly_pair"), WONT)
    with pytest.raises(OutreachError, match="not kept"):
        record(office, a_call(office, strategy_hash="f" * 64), WONT)


def test_a_call_about_what_was_paid_meanwhile_ends(office: Office) -> None:
    """Nothing is open: the result counts for no claim, and no other try is asked for."""
    made = a_call(office)

    def pay(conn: Connection) -> None:
        conn.execute(update(make.claim).values(principal_cents=1))
        for key in (1, 2):
            make.a_payment(conn, make.Debtor(1, 1, 1, 1, None), key, 1, NOW.date())

    office.run(pay)
    assert record(office, made, reached=False) == Result(claims=0)
    assert office.row(Task).closed_code == "not_reached"


def test_a_month_with_result_first_goes_where_the_answers_led(office: Office) -> None:
    """The planner asks for a call first; who won't pay is spoken to firmly from then on, and nobody before."""
    office.run(lambda conn: conn.execute(update(make.creditor).values(strategy="result_first")))
    office.live(NOW, NOW + DAY)
    assert office.told() == []
    calls = office.rows(Task, kind="call")
    assert [row.dossier_id for row in calls] == [1, 2]
    assert calls[0].step == "call" and calls[0].owner and calls[0].due_at
    record(office, calls[0].pseudonym, WONT, later=1)
    office.live(*(NOW + DAY * count for count in range(2, 10)))
    message = office.rows(tables.messages.Message)
    assert {row.tone for row in message if row.dossier_id == 1} == {"firm"}
    assert [row for row in message if row.dossier_id == 2] == []
