"""Who belongs to a dossier: who joins is told too, who leaves no longer is, and somebody always stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from outreach import tables
from outreach.casework import parties, undo
from outreach.casework.parties import Newcomer
from outreach.casework.targets import Named
from outreach.errors import NotFound, OutreachError, Refused, UsageError
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, JAN, NOW, Office

Party, Person = tables.parties.DossierParty, tables.parties.Person
FATIMA = Newcomer("Fatima de Vries", email="fatima@example.net")


def join(office: Office, newcomer: Newcomer | None = FATIMA, role: str = "co_debtor", **named: Any) -> str:
    """Somebody joins Jan's dossier."""
    where = Named(debtor="JAN", **named)
    return office.run(lambda conn: parties.add(conn, where, role, newcomer, make.KEYS, ANNA, NOW))


def leave(office: Office, person: str | None = None, later: int = 0) -> None:
    """Somebody leaves it; Jan, where nobody is named."""
    where = Named(debtor="JAN", person=person)
    office.run(lambda conn: parties.end(conn, where, NOW + DAY * later, ANNA, NOW))


def addresses(office: Office) -> list[str]:
    """Where messages went, in order."""
    return sorted(row.address for row in office.rows(tables.messages.Attempt, state="accepted"))


def test_a_co_tenant_is_told_too(office: Office) -> None:
    """A newcomer has a person, an address and notices of their own, in the debtor's language."""
    who = join(office)
    row = office.row(Person, pseudonym=who)
    assert (row.name, row.language) == ("Fatima de Vries", "nl")
    assert office.entries("party_changed")[0][1][:2] == ["added", "co_debtor"]
    office.live(NOW)
    assert addresses(office) == ["fatima@example.net", "jan@example.net", "piet@example.net"]


def test_of_a_couple_that_parts_one_goes_on(office: Office) -> None:
    """Jan left the house: from then on only Fatima hears of this dossier; taken back, Jan does again."""
    join(office)
    leave(office)
    office.live(NOW)
    assert addresses(office) == ["fatima@example.net", "piet@example.net"]
    entry = office.entry("party_changed")
    office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW))
    office.live(NOW + DAY)
    assert "jan@example.net" in addresses(office)


def test_a_part_may_end_later(office: Office) -> None:
    """Until that day both are told."""
    join(office)
    leave(office, later=3)
    office.live(NOW)
    assert "jan@example.net" in addresses(office)
    assert office.rows(Party, person_id=1)[0].until_at == NOW + timedelta(days=3)


def test_somebody_always_stays(office: Office) -> None:
    """The last party can't leave: the dossier would fall silent unseen."""
    with pytest.raises(Refused, match="last party"):
        leave(office)
    who = join(office)
    leave(office)
    with pytest.raises(Refused, match="last party"):
        leave(office, who)


def test_somebody_known_joins_by_pseudonym_and_may_come_back(office: Office) -> None:
    """No second person is made; who left may join again in the same role."""
    piet = office.row(Person, name="Piet Jansen").pseudonym
    assert join(office, None, "guarantor", person=piet) == piet
    leave(office, piet)
    join(office, None, "guarantor", person=piet)
    [row] = office.rows(Party, dossier_id=1, role="guarantor")
    assert row.until_at is None
    with pytest.raises(Refused, match="already"):
        join(office, None, "guarantor", person=piet)


@pytest.mark.parametrize(
    ("newcomer", "role", "named", "message"),
    [
        (FATIMA, "neighbour", {}, "--role"),
        (None, "co_debtor", {}, "--person"),
        (FATIMA, "co_debtor", {"person": "a" * 32}, "--person"),
        (None, "co_debtor", {"person": "a" * 32}, "no person"),
        (Newcomer("X", kind="cat"), "co_debtor", {}, "--kind"),
    ],
)
def test_who_cannot_join_is_refused(
    office: Office, newcomer: Newcomer | None, role: str, named: dict[str, Any], message: str
) -> None:
    """Nobody is made and nobody joins."""
    with pytest.raises(OutreachError, match=message):
        join(office, newcomer, role, **named)
    assert len(office.rows(Person)) == 2 and len(office.rows(Party)) == 2


def test_a_role_is_changed_and_taken_back(office: Office) -> None:
    """A co-debtor who turns out to act for the debtor; the words are those of the vocabulary."""
    who = join(office)
    where = Named(debtor="JAN", person=who)

    def change(conn: Connection, role: str) -> None:
        parties.change_role(conn, where, role, ANNA, NOW)

    office.run(lambda conn: change(conn, "representative"))
    assert office.rows(Party)[-1].role == "representative"
    with pytest.raises(UsageError, match="--role"):
        office.run(lambda conn: change(conn, "boss"))
    entry = office.entry("party_changed")
    office.run(lambda conn: undo.undo(conn, entry, make.KEYS, ANNA, NOW))
    assert office.rows(Party)[-1].role == "co_debtor"


def test_a_stranger_can_neither_leave_nor_change(office: Office) -> None:
    """Piet is no party of Jan's dossier."""
    piet = office.row(Person, name="Piet Jansen").pseudonym
    with pytest.raises(NotFound, match="no party"):
        leave(office, piet)
    assert JAN.person is None
