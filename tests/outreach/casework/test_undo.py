"""Undo takes back one command by its entry, once; what left, or was said, stays."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from outreach import tables
from outreach.casework import conversations, disputes, stop_orders, tasks, undo
from outreach.casework.disputes import Dispute
from outreach.casework.stop_orders import Order
from outreach.errors import NotFound, Refused
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, F1, JAN, NOW, Office, a_task

Stop, Task, Wish = tables.claims.Stop, tables.operations.Task, tables.messages.ServiceMessage


def back(office: Office, entry: str, later: int = 0) -> None:
    """Take back what an entry tells."""
    office.run(lambda conn: undo.undo(conn, entry, make.KEYS, "staff:bea", NOW + DAY * later))


def a_stop(office: Office, kind: str = "hold", **values: object) -> str:
    """Jan's dossier is stopped."""
    order = Order(kind, JAN, **values)  # type: ignore[arg-type]
    return office.run(lambda conn: stop_orders.add(conn, order, ANNA, NOW))[0]


def dispute(office: Office) -> str:
    """F1 is disputed."""
    new = Dispute(F1, "wrong_amount", "techniek", 4_000)
    return office.run(lambda conn: disputes.add(conn, new, ANNA, NOW))


def decide(office: Office, word: str) -> None:
    """The dispute is answered."""

    def work(conn: Connection) -> None:
        disputes.decide(conn, disputes.dispute_of(conn, None, F1), word, None, None, ANNA, NOW)

    office.run(work)


def test_a_stop_that_was_set_is_lifted_once(office: Office) -> None:
    """The entry `undone` names the other; a second time there is nothing to take back."""
    a_stop(office)
    entry = office.entry("stop_set")
    back(office, entry[:10])
    row = office.row(Stop)
    assert (row.lifted_at, row.lifted_by) == (NOW, "staff:bea")
    assert office.entries("undone") == [("undone", ["stop_set", f"entry:{entry}"])]
    with pytest.raises(Refused, match="lifted already, by staff:bea"):
        back(office, entry)


def test_a_stop_that_was_lifted_is_set_again(office: Office) -> None:
    """With what it means for the person, unless its time would be over by now."""
    made = a_stop(office, "deceased")
    office.run(lambda conn: stop_orders.lift(conn, made, "", ANNA, NOW))
    assert office.rows(tables.parties.Person)[0].deceased_on is None
    entry = office.entry("stop_lifted")
    back(office, entry)
    assert office.row(Stop).lifted_at is None
    assert office.rows(tables.parties.Person)[0].deceased_on == NOW.date()
    with pytest.raises(Refused, match="is in force"):
        back(office, entry)


def test_a_stop_whose_time_is_over_is_not_set_again(office: Office) -> None:
    """It would end before it began."""
    made = a_stop(office, until_at=NOW + DAY)
    office.run(lambda conn: stop_orders.lift(conn, made, "", ANNA, NOW))
    with pytest.raises(Refused, match="would have ended"):
        back(office, office.entry("stop_lifted"), later=2)


def test_a_dispute_that_was_added_by_mistake(office: Office) -> None:
    """Its stop is lifted and its work closed; what is asked is all again."""
    dispute(office)
    back(office, office.entry("stop_set"))
    assert office.row(Stop).lifted_at is not None
    assert office.row(Task).closed_code == "undone"


def test_a_rejection_is_taken_back_and_answered_anew(office: Office) -> None:
    """The dispute stands again with its work; the first answer is not told, the second is."""
    dispute(office)
    decide(office, "rejected")
    back(office, office.entry("stop_lifted"))
    assert office.row(Stop).lifted_at is None
    assert office.row(Task).closed_at is None
    decide(office, "upheld")
    answers = office.rows(Wish, template="dispute_answered")
    assert [row.closed_code for row in answers] == ["undone", ""]
    with pytest.raises(Refused, match="credited"):
        back(office, office.entry("stop_lifted"))


def test_closed_work_is_opened_and_a_notes_work_is_closed(office: Office) -> None:
    """Work that came of something else is not undone by itself."""
    made = office.run(lambda conn: a_task(conn, "reply", 1, 1))

    def close(conn: Connection) -> None:
        tasks.close(conn, tasks.task_of(conn, made), "done", None, ANNA, NOW)

    office.run(close)
    back(office, office.entry("task_closed"))
    assert office.row(Task, pseudonym=made).closed_at is None
    office.run(lambda conn: conversations.note(conn, JAN, "Bel Jan", ANNA, NOW, due_on=(NOW + DAY).date()))
    back(office, office.entry("task_opened"))
    assert office.row(Task, kind="note").closed_code == "undone"
    dispute(office)
    with pytest.raises(Refused, match="came of something else"):
        back(office, office.entry("task_opened"))


@pytest.mark.parametrize(
    ("type_", "message"),
    [("handed_over", "left"), ("accepted", "left"), ("composed", "could take back"), ("imported", "could")],
)
def test_what_left_cannot_be_taken_back(office: Office, type_: str, message: str) -> None:
    """The refusal says why, and what to do instead where there is something."""
    if type_ == "imported":
        from outreach.correspondence import log

        entry = log.Entry(type="imported", at=NOW, actor="job:import")
        office.run(lambda conn: log.append(conn, [entry]))
    office.live(NOW)
    with pytest.raises(Refused, match=message):
        back(office, office.entry(type_))
    assert office.entries("undone") == []


def test_what_an_import_wrote_is_not_taken_back_here(office: Office) -> None:
    """Its entries name no row; and an entry that is not there is not found."""
    from outreach.correspondence import log

    entry = log.Entry(type="stop_set", at=NOW, actor="job:import", reasons=("dispute",))
    office.run(lambda conn: log.append(conn, [entry]))
    with pytest.raises(Refused, match="an import or a job wrote it"):
        back(office, office.entry("stop_set"))
    for wrong in ("", "nonsense"):
        with pytest.raises(NotFound, match="no single entry"):
            back(office, wrong)


def test_a_note_and_an_undoing_stay(office: Office) -> None:
    """What was said stays as it was said."""
    office.run(lambda conn: conversations.note(conn, JAN, "Bel Jan", ANNA, NOW))
    with pytest.raises(Refused, match="stays as it was said"):
        back(office, office.entry("noted"))
    a_stop(office)
    back(office, office.entry("stop_set"))
    with pytest.raises(Refused, match="not undone"):
        back(office, office.entry("undone"))
