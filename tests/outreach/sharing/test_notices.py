"""What changed since it was shared: exactly those who received an affected field are told, each once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, update

from outreach import tables
from outreach.casework import corrections, stops
from outreach.casework.targets import Named, claim_of, person_by_id
from outreach.errors import NotFound, Refused, UsageError
from outreach.sharing import notices, signals
from tests import builders as make
from tests.outreach.sharing.scene import (
    ANNA,
    DAY,
    NOW,
    PAYLOAD,
    Office,
    RecipientNotice,
    agreed,
    creditor_id,
    jan,
    shared,
    signalled,
    spoke,
)

CODE = "early_signal_voorbeeldstad"
LATER = NOW + DAY
Told = list[tuple[str, str, list[str]]]


def told(office: Office, now: Any = LATER) -> Told:
    """Notice what changed; who is to be told of which fields, and why."""

    def work(conn: Connection) -> Told:
        notices.noticed(conn, ANNA, now)
        return [(row.recipient, row.kind, json.loads(row.fields)) for row in notices.notices(conn)]

    return office.run(work)


def ready(office: Office, payload: Any = PAYLOAD) -> Office:
    """The municipality received something about Jan."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    assert office.run(lambda conn: shared(conn, CODE, payload)).answer.allowed
    return office


def corrected(conn: Connection, values: Any = None, points: Any = None, now: Any = LATER) -> None:
    """Somebody corrected what is known of Jan."""
    who = person_by_id(conn, jan(conn).person_id)
    corrections.correct_person(conn, who, values or {}, points or {}, make.KEYS, ANNA, now)


def paid(conn: Connection, cents: int = 1_000) -> int:
    """Jan paid a part; the bank tells of it later, with an earlier day."""
    where = jan(conn)
    owed = make.Debtor(where.creditor_id, where.person_id, where.debtor_id, where.id, None)
    return make.a_payment(conn, owed, claim_of(conn, Named(claim="F1")).id, cents, date(2026, 11, 20))


def stopped(kind: str, **scope: Any) -> Callable[[Connection], Any]:
    """A stop on Jan as a person."""

    def work(conn: Connection) -> str:
        where = {"scope": "person", "person_id": jan(conn).person_id} | scope
        return stops.set_stop(conn, stops.NewStop(kind=kind, **where), ANNA, LATER)

    return work


WHOLE: dict[str, list[dict[str, Any]]] = {
    "contact": [{"name": "Jan", "phone": "+31612345678"}],
    "arrears": [{"amount": "EUR 650.00"}],
}
CHANGES: dict[str, tuple[Callable[[Connection], Any], Told]] = {
    "a name": (lambda conn: corrected(conn, {"name": "Jan Vries"}), [("rectified", ["contact.name"])]),  # type: ignore[dict-item]
    "a phone": (
        lambda conn: corrected(conn, points={"sms": "+31687654321"}),
        [("rectified", ["contact.phone"])],
    ),  # type: ignore[dict-item]
    "an e-mail address": (lambda conn: corrected(conn, points={"email": "j@example.net"}), []),
    "a language": (lambda conn: corrected(conn, {"language": "en"}), []),
    "a payment": (paid, [("paid", ["arrears.amount"])]),  # type: ignore[dict-item]
    "a restriction": (
        stopped("restriction"),
        [("restricted", ["arrears.amount", "contact.name", "contact.phone"])],  # type: ignore[dict-item]
    ),
    "an objection": (stopped("objection"), []),
    "nothing": (lambda conn: None, []),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told_where_a_field_of_it_was_received(office: Office, name: str) -> None:
    """What the recipient has and is no longer so is told once, with the fields and as work for somebody."""
    change, expected = CHANGES[name]
    ready(office, WHOLE).run(change)
    found = told(office)
    assert [one[1:] for one in found] == expected
    assert {one[0] for one in found} <= {"Gemeente Voorbeeldstad"}
    assert told(office) == found, "once"
    assert len(office.rows(RecipientNotice)) == len(expected)
    tasks = office.rows(tables.operations.Task, kind="recipient_notice", closed_at=None)
    assert len(tasks) == len(expected)


def test_a_change_before_the_disclosure_is_no_news(office: Office) -> None:
    """What was right when it was told needs no telling."""
    office.run(lambda conn: corrected(conn, {"name": "Jan Vries"}, now=NOW - DAY))
    office.run(paid)
    ready(office, WHOLE)
    assert told(office) == []


def test_each_field_is_told_to_whom_it_was_told_last(office: Office) -> None:
    """A later disclosure to the same recipient carries its own fields anew; a field that it lacks stays the first's."""
    ready(office, WHOLE)
    office.run(lambda conn: shared(conn, CODE, {"contact": [{"name": "Jan"}]}, LATER))
    office.run(lambda conn: corrected(conn, {"name": "Jan V."}, {"sms": "+31687654321"}, LATER + DAY))
    rows = told(office, LATER + DAY)
    assert sorted(fields for _, _, fields in rows) == [["contact.name"], ["contact.phone"]]
    by_notice = {row.fields: row.disclosure_id for row in office.rows(RecipientNotice)}
    assert by_notice['["contact.phone"]'] < by_notice['["contact.name"]']


def test_another_debtor_s_change_is_told_to_nobody(office: Office) -> None:
    """Only the disclosures of whom it is about are looked at."""
    ready(office, WHOLE)

    def change(conn: Connection) -> None:
        piet = make.a_debtor(conn, creditor_id(conn), "PIET", email="piet@example.net")
        claim = make.a_claim(conn, piet, "F3", due=NOW.date())
        make.a_payment(conn, piet, claim, 100, NOW.date())
        who = person_by_id(conn, piet.person_id)
        corrections.correct_person(conn, who, {"name": "Piet P."}, {}, make.KEYS, ANNA, LATER)

    office.run(change)
    assert told(office) == []


def test_a_correction_taken_back_is_told_again(office: Office) -> None:
    """Where it was in what was shared, its end is a change too."""
    office.run(lambda conn: corrected(conn, {"name": "Jan Vries"}, now=NOW - DAY))
    ready(office, WHOLE)

    def back(conn: Connection) -> None:
        [row] = make.rows(conn, tables.parties.Edit)
        corrections.withdraw(conn, row.id, make.KEYS, ANNA, LATER)

    office.run(back)
    assert [one[1:] for one in told(office)] == [("rectified", ["contact.name"])]


def test_an_erasure_reaches_those_who_received_the_field(office: Office) -> None:
    """Erasing a phone number is told; erasing what was not shared is not."""
    ready(office, WHOLE)

    def erase(*fields: str) -> Callable[[Connection], list[str]]:
        return lambda conn: notices.erased(conn, jan(conn).person_id, "request:1", fields, ANNA, LATER)

    assert office.run(erase("contact.email")) == []
    assert len(office.run(erase("contact.phone"))) == 1
    assert office.run(erase("contact.phone")) == []


def test_a_withdrawn_signal_needs_no_more_news(office: Office) -> None:
    """The withdrawal tells all that waited, and what changes later concerns nobody."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    office.run(spoke)
    made = signalled(office)
    office.run(paid)
    assert [one[1:] for one in told(office)] == [("paid", ["arrears.amount"])]
    row = office.run(lambda conn: signals.signal_of(conn, made.shared.pseudonym))
    office.run(lambda conn: signals.withdraw(conn, row, "paid", make.KEYS, ANNA, LATER))
    assert office.row(RecipientNotice).outcome_code == "withdrawn"
    assert office.rows(tables.operations.Task, kind="recipient_notice", closed_at=None) == []
    office.run(lambda conn: corrected(conn, {"name": "Jan V."}, now=LATER + DAY))
    assert told(office, LATER + DAY) == []


def test_telling_is_kept(office: Office) -> None:
    """Told, then acknowledged; an end that is none, and a second end, are refused."""
    ready(office, WHOLE).run(paid)
    told(office)
    row = office.row(RecipientNotice)
    with pytest.raises(UsageError, match="expected one of told"):
        office.run(lambda conn: notices.tell(conn, row.pseudonym, "maybe", ANNA, LATER))
    with pytest.raises(NotFound):
        office.run(lambda conn: notices.tell(conn, "zz", "told", ANNA, LATER))
    for outcome in ("told", "acknowledged"):
        office.run(lambda conn, outcome=outcome: notices.tell(conn, row.pseudonym[:8], outcome, ANNA, LATER))
        assert office.row(RecipientNotice).outcome_code == outcome
    with pytest.raises(Refused, match="ended already"):
        office.run(lambda conn: notices.tell(conn, row.pseudonym, "impossible", ANNA, LATER))
    assert office.rows(tables.operations.Task, kind="recipient_notice", closed_at=None) == []
    assert [type_ for type_, _ in office.entries("recipient_notice", "recipient_told")] == [
        "recipient_notice",
        "recipient_told",
        "recipient_told",
    ]


def test_a_restriction_that_was_lifted_before_anybody_looked_is_not_told(office: Office) -> None:
    """Nobody is told to stop using what may be used."""
    ready(office, WHOLE).run(stopped("restriction"))
    office.run(lambda conn: conn.execute(update(make.stop).values(lifted_at=LATER)))
    assert told(office) == []
