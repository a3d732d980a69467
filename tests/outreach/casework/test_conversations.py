"""What was said outside the service is kept, apart from the log, and counts where it is a step."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from outreach import tables
from outreach.casework import conversations, undo
from outreach.casework.conversations import MOST_BYTES, Said
from outreach.casework.targets import Named
from outreach.errors import OutreachError, Refused
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, DUE, JAN, NOW, Office

Entry, StepDone, Signal = (
    tables.correspondence.LogEntry,
    tables.claims.StepDone,
    tables.claims.Signal,
)


def said(**values: Any) -> Said:
    """A letter that Jan was sent by another system this morning."""
    usual = {
        "named": JAN,
        "kind": "letter",
        "is_in": False,
        "at": NOW - timedelta(hours=1),
        "body": b"Beste Jan",
    }
    return Said(**(usual | values))


def record(office: Office, one: Said) -> int:
    """Keep it."""
    return office.run(lambda conn: conversations.record(conn, one, ANNA, NOW))


@pytest.mark.parametrize(
    ("kind", "is_in", "type_"),
    [
        ("conversation", True, "conversation"),
        ("conversation", False, "conversation"),
        ("letter", True, "received"),
        ("mail", False, "told_elsewhere"),
        ("scan", True, "received"),
    ],
)
def test_what_was_said_is_kept_apart_from_the_log(office: Office, kind: str, is_in: bool, type_: str) -> None:
    """The entry has codes and random ids; the words are content, with how to read them."""
    record(office, said(kind=kind, is_in=is_in, codec="pdf", body=b"%PDF Jan de Vries"))
    row = office.row(Entry, type=type_)
    assert (row.actor, row.at) == (ANNA, NOW - timedelta(hours=1))
    assert row.person and row.dossier and row.creditor == "WOON"
    assert "Jan" not in row.reasons
    kept = office.row(tables.correspondence.Content, id=row.content_id)
    assert (kept.codec, kept.body) == ("pdf", b"%PDF Jan de Vries")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "fax"}, "--kind"),
        ({"at": NOW + DAY}, "--at"),
        ({"body": b"  "}, "--text or --file"),
        ({"body": b"x" * (MOST_BYTES + 1)}, "at most"),
        ({"step": "reminder", "is_in": True}, "--step"),
        ({"step": "no_such_step"}, "no step of strategy friendly_pair; expected one of reminder"),
        ({"step": "reminder", "at": NOW - 9 * DAY}, "no claim of this dossier is open and was overdue"),
        ({"named": Named(debtor="NOBODY")}, "no debtor"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    office: Office, values: dict[str, Any], message: str
) -> None:
    """No content, no entry and no step of a refused command stay."""
    with pytest.raises(OutreachError, match=message):
        record(office, said(**values))
    assert office.entries("received", "told_elsewhere", "conversation") == []
    assert office.rows(StepDone) == [] and office.rows(tables.correspondence.Content) == []


def test_a_step_told_elsewhere_counts_for_every_claim_that_was_overdue(office: Office) -> None:
    """The ladder goes on from it: the first reminder is not sent again, the second comes a week after."""
    assert record(office, said(step="reminder")) == 2
    rows = office.rows(StepDone)
    assert {(row.step, row.how, row.tone, row.reached, row.counts) for row in rows} == {
        ("reminder", "elsewhere", "friendly", True, True)
    }
    office.live(*(NOW + DAY * count for count in range(9)))
    jans = [one for one in office.told() if one[0] != "F3"]
    assert jans == [("F1", "reminder_again"), ("F2", "reminder_again")]


def test_a_step_told_elsewhere_can_be_taken_back(office: Office) -> None:
    """It no longer counts, once; the words stay as they were said."""
    record(office, said(step="reminder"))
    entry = office.entry("told_elsewhere")
    office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW))
    assert [row.counts for row in office.rows(StepDone)] == [False, False]
    office.live(NOW)
    assert ("F1", "reminder") in office.told()
    with pytest.raises(Refused, match="does not count any more"):
        office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW))


def test_a_letter_that_is_no_step_stays_said(office: Office) -> None:
    """What counted for nothing cannot be taken back, only put right by a note."""
    record(office, said())
    entry = office.entry("told_elsewhere")
    with pytest.raises(Refused, match="stays as it was said"):
        office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW))


def test_money_trouble_is_a_signal_once_a_day(office: Office) -> None:
    """Heard twice on a day it is one signal; taken back it is gone, and the conversation stays."""
    record(office, said(kind="conversation", is_in=True, money_trouble=True))
    record(office, said(kind="conversation", is_in=True, money_trouble=True))
    row = office.row(Signal)
    assert (row.kind, row.on_date, row.set_by) == ("money_trouble", NOW.date(), ANNA)
    entry = office.entry("signal_set")
    office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW))
    assert office.rows(Signal) == []
    assert len(office.entries("conversation")) == 2


def test_a_note_may_be_work_for_somebody(office: Office) -> None:
    """A note with a day is a task with an owner; without one it is kept only."""

    def note(conn: Connection, **more: Any) -> str | None:
        return conversations.note(conn, JAN, "Bel over de lift", ANNA, NOW, **more)

    assert office.run(note) is None
    assert office.rows(tables.operations.Task) == []
    made = office.run(lambda conn: note(conn, due_on=date(2026, 11, 27), owner="staff:piet"))
    task = office.row(tables.operations.Task)
    assert (task.pseudonym, task.kind, task.owner) == (made, "note", "staff:piet")
    assert task.due_at.date() == date(2026, 11, 27)
    assert office.content(task.content_id) == b"Bel over de lift"
    for bad in ({"due_on": DUE}, {"due_on": date(2026, 11, 27), "owner": ""}):
        with pytest.raises(OutreachError):
            office.run(lambda conn, bad=bad: note(conn, **bad))
    assert len(office.entries("noted")) == 2
