"""Declarations: what the operator says is there, until when; never changed, only withdrawn."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from outreach import tables
from outreach.casework import declarations
from outreach.casework.declarations import Declaration
from outreach.errors import NotFound, OutreachError, Refused
from tests.outreach.casework.office import ANNA, DAY, NOW, Office

Row = tables.law.Declaration
CONTRACT = {"kind": "processor_contract", "subject": "Print House", "reference": "map 7"}


def declare(office: Office, **values: Any) -> str:
    """A contract with the print house, unless told otherwise."""
    new = Declaration(**(CONTRACT | values))
    return office.run(lambda conn: declarations.declare(conn, new, ANNA, NOW))


def test_a_declaration_holds_from_today_until_it_ends(office: Office) -> None:
    """Its entry names its kind and id, no words of it; the end is the first day on which it holds no more."""
    made = declare(office, until_on=date(2026, 11, 25), creditor="WOON")
    row = office.row(Row)
    assert (row.from_on, row.until_on, row.creditor_id) == (NOW.date(), date(2026, 11, 25), 1)
    assert office.entries("declared") == [("declared", ["processor_contract", made])]

    def held(days: int) -> int:
        at = NOW + DAY * days
        return len(office.run(lambda conn: declarations.in_force(conn, at, "processor_contract", 1)))

    assert [held(days) for days in (-1, 0, 1, 2)] == [0, 1, 1, 0]


def test_a_creditors_own_goes_before_what_holds_for_all(office: Office) -> None:
    """Both hold; the own one stands first."""
    declare(office)
    own = declare(office, creditor="WOON")
    found = office.run(lambda conn: declarations.in_force(conn, NOW, "processor_contract", 1))
    assert (len(found), found[0].pseudonym) == (2, own)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "promise"}, "can't be declared"),
        ({"subject": " "}, "--about"),
        ({"kind": "assessment"}, "no activity; expected one of"),
        ({"kind": "privacy_notice", "subject": "x"}, "no activity"),
        ({"reference": "a\x00"}, "--reference"),
        ({"until_on": NOW.date()}, "--until"),
        ({"from_on": date(2027, 1, 2), "until_on": date(2027, 1, 2)}, "--until"),
        ({"creditor": "NOBODY"}, "no creditor"),
    ],
)
def test_what_cannot_be_declared_is_refused(office: Office, values: dict[str, Any], message: str) -> None:
    """With what was expected, and nothing is kept."""
    with pytest.raises(OutreachError, match=message):
        declare(office, **values)
    assert not office.rows(Row)


def test_a_declaration_is_withdrawn_once(office: Office) -> None:
    """The row stays, with who withdrew it; it is listed no longer."""
    made = declare(office)
    office.run(lambda conn: declarations.withdraw(conn, made[:8], "staff:bea", NOW))
    assert office.row(Row).withdrawn_by == "staff:bea"
    assert office.entries("declaration_withdrawn") == [
        ("declaration_withdrawn", ["processor_contract", made])
    ]
    assert office.run(declarations.declarations) == []
    with pytest.raises(Refused, match="withdrawn already, by staff:bea"):
        office.run(lambda conn: declarations.withdraw(conn, made, ANNA, NOW))
    with pytest.raises(NotFound):
        office.run(lambda conn: declarations.withdraw(conn, "", ANNA, NOW))
