"""Agreements: read from a file, approved by a second person, replaced by a version, withdrawn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from outreach.errors import NotFound, Refused, UsageError
from outreach.sharing import agreements
from tests import builders as make
from tests.outreach.sharing.scene import ANNA, BEA, NOW, Agreement, Office, agreed

TEXT = agreements.example("early_signal")
CODE = "early_signal_voorbeeldstad"


@pytest.mark.parametrize("name", agreements.examples())
def test_the_examples_can_be_read(name: str) -> None:
    """What comes with the service is a whole agreement."""
    assert agreements.read(agreements.example(name).encode(), name).fields


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"contact.email"',
            '"contact.bsn"',
            "fields: 'contact.bsn' can't be shared for early_signal; expected of",
        ),
        ('"6(1)(c)"', '"6(1)(a)"', "basis: an early signal rests on the law"),
        ('"municipality"', '"bailiff"', "recipient_kind: an early signal goes to a municipality"),
        ('["Voorbeeldstad"]', "[]", "places: expected the towns"),
        ('country = "NL"', 'country = "US"', "transfer: US is outside the EEA; expected one of adequacy"),
        ("2028-01-01", "2025-01-01", "expires_on: 2025-01-01; expected a day after valid_from_on"),
        ("retention_days = 180", "", "Object missing required field `retention_days`"),
        ("retention_days", "retention", "Object contains unknown field `retention`"),
        ("= 180", "= 180 =", "Expected newline"),
    ],
)
def test_a_wrong_file_is_refused_by_name(old: str, new: str, said: str) -> None:
    """The message names the file, the field and what was expected."""
    with pytest.raises(UsageError) as refused:
        agreements.read(TEXT.replace(old, new).encode(), "ours.toml")
    assert str(refused.value).startswith("ours.toml: ")
    assert said in str(refused.value)


def test_a_second_person_approves(office: Office) -> None:
    """Who made it can't approve it, a job neither; a colleague can, once; each is an entry."""
    office.run(lambda conn: agreed(conn, "early_signal", approved=False))
    for actor, said in (
        (ANNA, "another person approves"),
        ("job:x", "a person does"),
        ("staff:Anna", "another"),
    ):
        with pytest.raises(Refused, match=said):
            office.run(lambda conn, actor=actor: agreements.approve(conn, CODE, actor, NOW))
    office.run(lambda conn: agreements.approve(conn, CODE, BEA, NOW))
    assert office.row(Agreement).approved_by == BEA
    with pytest.raises(Refused, match="approved already"):
        office.run(lambda conn: agreements.approve(conn, CODE, BEA, NOW))
    assert [type_ for type_, _ in office.entries("agreement_made", "agreement_approved")] == [
        "agreement_made",
        "agreement_approved",
    ]


def test_a_small_office_confirms_after_a_day(office: Office) -> None:
    """Where every creditor is a small office, who made it may approve it 24 hours later, and not sooner."""
    office.run(lambda conn: agreed(conn, "early_signal", approved=False))
    office.run(lambda conn: conn.execute(update(make.creditor).values(is_small_office=True)))
    soon = NOW + timedelta(hours=24) - timedelta(seconds=1)
    with pytest.raises(Refused, match="24 hours"):
        office.run(lambda conn: agreements.approve(conn, CODE, ANNA, soon))
    office.run(lambda conn: agreements.approve(conn, CODE, ANNA, NOW + timedelta(hours=24)))
    assert office.row(Agreement).approved_by == ANNA


def test_a_new_version_holds_once_it_is_approved(office: Office) -> None:
    """Until then the earlier one is shared under; a withdrawal ends all of them."""
    today = NOW.date()
    office.run(lambda conn: agreed(conn, "early_signal"))
    office.run(lambda conn: agreed(conn, "early_signal", approved=False))

    def version() -> tuple[int, str]:
        def look(conn: agreements.Connection) -> tuple[int, str]:
            row = agreements.in_use(conn, CODE, 1, today)
            assert row is not None
            return row.version, agreements.state_of(row, today)

        return office.run(look)

    assert version() == (1, "in_force")
    office.run(lambda conn: agreements.approve(conn, CODE, BEA, NOW))
    assert version() == (2, "in_force")
    assert office.run(lambda conn: agreements.withdraw(conn, CODE, BEA, NOW)) == 2
    assert version() == (2, "withdrawn")
    with pytest.raises(Refused, match="withdrawn already"):
        office.run(lambda conn: agreements.withdraw(conn, CODE, BEA, NOW))


def test_an_agreement_of_another_creditor_is_none_of_ours(office: Office) -> None:
    """It is not found for a creditor that it does not name."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    other = office.run(lambda conn: make.a_creditor(conn, "ZON"))
    office.run(lambda conn: conn.execute(update(agreements.agreement).values(creditor_id=other)))
    assert office.run(lambda conn: agreements.in_use(conn, CODE, 1, NOW.date())) is None
    assert office.run(lambda conn: agreements.in_use(conn, CODE, other, NOW.date())) is not None


def test_an_unknown_agreement_is_not_found(office: Office) -> None:
    """Approving or withdrawing what is not there says so."""
    for work in (agreements.approve, agreements.withdraw):
        with pytest.raises(NotFound, match="no agreement 'x'"):
            office.run(lambda conn, work=work: work(conn, "x", BEA, NOW))
