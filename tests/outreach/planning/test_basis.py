"""No legal basis, no message: what an activity needs must be declared, and hold, before anything is sent for it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from outreach import tables
from outreach.store.types import new_id, table_of
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, NOW, Office, an_office

declaration = table_of(tables.law.Declaration)


@pytest.fixture
def office(settings: Any) -> Office:
    """A book of an agency that collects for others and stands in the register."""
    made = an_office(settings)
    values = {"is_agency": True, "register_number": "IN-123"}
    made.run(lambda conn: conn.execute(update(make.creditor).values(**values)))
    return made


def declare(
    office: Office, kind: str, subject: str, until: date | None = None, since: date = date(2026, 1, 1)
) -> None:
    """The operator says that a document is there, or will be."""

    def work(conn: Connection) -> None:
        values = {"pseudonym": new_id(), "kind": kind, "subject": subject, "reference": "folder 3"}
        conn.execute(insert(declaration).values(**values, from_on=since, until_on=until, actor=ANNA, at=NOW))

    office.run(work)


def test_an_agency_sends_nothing_without_assessment_and_notice(office: Office) -> None:
    """What it collects came from somebody else: the notice of art. 14 and an assessment must be there first."""
    office.live(NOW)
    assert (office.told(), office.outcome()) == ([], ("waiting", "assessment_missing"))
    declare(office, "assessment", "dunning_for_others")
    office.live(NOW + timedelta(hours=1))
    assert (office.told(), office.outcome()) == ([], ("waiting", "notice_missing"))
    declare(office, "privacy_notice", "dunning_for_others")
    office.live(NOW + timedelta(hours=2))
    assert len(office.told()) == 3


def test_a_contract_that_has_run_out_stops_what_goes_through_it(office: Office) -> None:
    """From the day on which the processor's contract ends nothing more goes to that processor."""
    declare(office, "assessment", "dunning_for_others")
    declare(office, "privacy_notice", "dunning_for_others")
    declare(office, "processor_contract", "email", until=(NOW + DAY).date())
    office.run(
        lambda conn: conn.execute(update(make.claim).where(make.claim.c.id == 3).values(due_on=NOW.date()))
    )
    office.live(NOW)
    assert [number for number, _ in office.told()] == ["F1", "F2"]
    office.live(NOW + DAY)
    assert office.outcome() == ("waiting", "processor_contract_expired")
    declare(office, "processor_contract", "email")
    office.live(NOW + DAY + timedelta(hours=1))
    assert [number for number, _ in office.told()] == ["F1", "F2", "F3"]


def test_a_document_that_holds_from_tomorrow_ends_the_wait_by_itself(office: Office) -> None:
    """Nothing is declared or changed again: the dossier is looked at anew, and the day has come."""
    declare(office, "assessment", "dunning_for_others")
    declare(office, "privacy_notice", "dunning_for_others", since=(NOW + DAY).date())
    office.live(NOW)
    assert (office.told(), office.outcome()) == ([], ("waiting", "notice_missing"))
    office.live(NOW + DAY)
    assert len(office.told()) == 3
