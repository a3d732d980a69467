"""The ledger: what leaves is a row, an entry and its bytes; what does not is an entry with the reasons."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import DBAPIError

from outreach.sharing import agreements, ledger
from tests import builders as make
from tests.outreach.sharing.scene import (
    ANNA,
    BEA,
    NOW,
    PAYLOAD,
    Disclosure,
    Office,
    agreed,
    changed,
    creditor_id,
    jan,
    restricted,
    shared,
)

CODE = "early_signal_voorbeeldstad"
TODAY = NOW.date()


def test_what_is_allowed_leaves_a_row_an_entry_and_its_bytes(office: Office) -> None:
    """All three tell of the same disclosure, and the bytes are those that leave."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    made = office.run(lambda conn: shared(conn, CODE))
    row = office.row(Disclosure)
    assert made.answer.allowed
    assert (row.pseudonym, json.loads(row.fields)) == (made.pseudonym, ["contact.name", "contact.phone"])
    assert office.content(row.content_id) == made.body
    assert json.loads(made.body) == {"format": "test/1", "id": made.pseudonym, "data": PAYLOAD}
    [(_, reasons)] = office.entries("disclosed")
    assert f"disclosure:{made.pseudonym}" in reasons
    text = " ".join(reasons)
    assert "Jan" not in text and "316" not in text, "no personal data in the log"


REFUSED: dict[str, tuple[Callable[[Connection], Any], str]] = {
    "withdrawn": (lambda conn: agreements.withdraw(conn, CODE, BEA, NOW), "withdrawn"),
    "not approved": (lambda conn: changed(conn, approved_at=None), "not_approved"),
    "expired": (lambda conn: changed(conn, expires_on=TODAY), "expired"),
    "not yet": (lambda conn: changed(conn, valid_from_on=TODAY + timedelta(days=1)), "not_yet_valid"),
    "abroad": (lambda conn: changed(conn, country="US"), "no_transfer_ground"),
    "other purpose": (lambda conn: changed(conn, purpose="handover"), "other_purpose"),
    "fewer fields": (
        lambda conn: changed(conn, fields='["contact.name"]'),
        "outside_agreement:contact.phone",
    ),
    "restricted": (restricted, "person:restriction"),
    "objecting": (lambda conn: restricted(conn, "objection"), "person:objection"),
    "dossier restricted": (
        lambda conn: restricted(conn, scope="dossier", person_id=None, dossier_id=jan(conn).id),
        "person:restriction",
    ),
    "creditor restricted": (
        lambda conn: restricted(conn, scope="creditor", person_id=None, creditor_id=creditor_id(conn)),
        "person:restriction",
    ),
    "address protected": (
        lambda conn: conn.execute(update(make.person).values(address_protected=True)),
        "person:address_protected",
    ),
    "no agreement": (lambda conn: changed(conn, code="another"), "no_agreement"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_an_entry_and_nothing_else(office: Office, name: str) -> None:
    """The same wish that is allowed is refused for one thing: no row, no bytes, and the reason in the log."""
    change, reason = REFUSED[name]
    office.run(lambda conn: agreed(conn, "early_signal"))
    office.run(change)
    made = office.run(lambda conn: shared(conn, CODE))
    assert made.answer.reasons == (reason,)
    assert (made.pseudonym, made.body) == ("", b"")
    assert office.rows(Disclosure) == []
    [(_, reasons)] = office.entries("disclosure_refused")
    assert reasons[:3] == ["early_signal", "early_signal", reason]
    assert office.entries("disclosed") == []


PASSED: dict[str, dict[str, Any]] = {
    "lifted": {"lifted_at": NOW},
    "over": {"until_at": NOW},
    "to come": {"from_at": NOW + timedelta(days=1)},
    "of a channel": {"channel": "email"},
}


@pytest.mark.parametrize("name", PASSED)
def test_a_stop_that_does_not_hold_forbids_nothing(office: Office, name: str) -> None:
    """Lifted, over, yet to come, or about one channel only: sharing is as allowed as without it."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    office.run(lambda conn: restricted(conn, **PASSED[name]))
    assert office.run(lambda conn: shared(conn, CODE)).answer.allowed


def test_the_ledger_answers_who_received_what_when_and_why(office: Office) -> None:
    """By debtor, with what was refused; of a debtor about whom nothing left it says nothing."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    office.run(lambda conn: shared(conn, CODE))
    office.run(lambda conn: shared(conn, CODE, {"contact": [{"bsn": "1"}]}))

    def look(conn: Connection) -> tuple[list[Any], list[Any], list[Any]]:
        where = jan(conn)
        other = make.a_debtor(conn, creditor_id(conn), "PIET", email="piet@example.net")
        return (
            ledger.disclosures(conn, [where.id]),
            ledger.refusals(conn, [where.pseudonym]),
            ledger.disclosures(conn, [other.dossier_id]),
        )

    [row], [refused], nothing = office.run(look)
    assert (row.recipient, row.at, row.purpose, row.basis, row.debtor, row.actor) == (
        "Gemeente Voorbeeldstad",
        NOW,
        "early_signal",
        "6(1)(c)",
        "JAN",
        ANNA,
    )
    assert "outside_agreement:contact.bsn" in json.loads(refused.reasons)
    assert nothing == []


def test_a_disclosure_is_never_changed_or_taken_away(office: Office) -> None:
    """The database itself refuses both."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    office.run(lambda conn: shared(conn, CODE))
    for statement in (update(ledger.disclosure).values(actor="x"), delete(ledger.disclosure)):
        with pytest.raises(DBAPIError, match="only ever added"):
            office.run(lambda conn, statement=statement: conn.execute(statement))
    assert office.run(lambda conn: conn.execute(select(ledger.disclosure.c.actor)).scalar_one()) == ANNA
