"""What a person corrected wins over what files say, and what files say is kept beside it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from outreach.casework import corrections
from outreach.casework.edits import edit
from outreach.casework.targets import ClaimRef, DossierRef, person_by_id
from outreach.store.tables.claims import Claim
from outreach.store.tables.parties import ContactPoint, Dossier, Edit, Person
from outreach.store.types import table_of
from tests.outreach.intake.loads import NOW, Loading, a_claim, day

KEPT = "corrected_by_a_person_and_kept"


def correct(loading: Loading, values: dict[str, Any] | None = None, **points: str) -> None:
    """Correct Jan, as a person does on the command line."""
    with loading.app.store.transaction() as conn:
        jan = person_by_id(conn, loading.one(Person).id)
        corrections.correct_person(
            conn, jan, values or {}, points, loading.app.address_keys, "staff:els", NOW
        )


def withdraw(loading: Loading, field: str) -> None:
    """Take the correction of a field back."""
    with loading.app.store.transaction() as conn:
        key = conn.execute(select(edit.c.id).where(edit.c.field == field, edit.c.withdrawn_at.is_(None)))
        corrections.withdraw(conn, key.scalar_one(), loading.app.address_keys, "staff:els", NOW)


def beside(loading: Loading, field: str) -> str:
    """What the source says beside the correction of a field."""
    return str(loading.one(Edit, field=field, withdrawn_at=None).source_value)


def emails(loading: Loading) -> list[str]:
    """The e-mail addresses in use."""
    return [point.value for point in loading.rows(ContactPoint, kind="email", until_at=None)]


def test_a_corrected_address_is_not_brought_back(loading: Loading) -> None:
    """The old file and a file with yet another address change nothing but the word beside; then the next one wins."""
    loading.claims(a_claim("C1"))
    correct(loading, email="right@example.net")
    assert emails(loading) == ["right@example.net"]
    before = loading.everything()
    old = loading.claims(a_claim("C1"))
    assert (old.changed, old.unchanged, old.notices) == (0, 1, {KEPT: 1})
    other = loading.claims(a_claim("C1", email="Other@Example.net"))
    assert (other.changed, other.unchanged, other.notices) == (0, 1, {KEPT: 1})
    assert loading.everything() == before
    assert beside(loading, "email") == "Other@example.net"
    withdraw(loading, "email")
    assert emails(loading) == ["Other@example.net"]
    assert loading.claims(a_claim("C1", email="last@example.net")).changed == 1
    assert emails(loading) == ["last@example.net"]


def test_a_file_that_agrees_is_no_news(loading: Loading) -> None:
    """Where the source was mended too nothing is kept against it, and its word stands beside."""
    loading.claims(a_claim("C1"))
    correct(loading, email="right@example.net")
    report = loading.claims(a_claim("C1", email="right@example.net"))
    assert (report.changed, report.notices) == (0, {})
    assert beside(loading, "email") == "right@example.net"
    withdraw(loading, "email")
    assert emails(loading) == ["right@example.net"]


@pytest.mark.parametrize(
    ("field", "value", "column", "told", "then"),
    [
        ("name", "Jan van Vries", "debtor_name", "J. de Vries", "J. de Vries"),
        ("language", "en", "language", "nl", "nl"),
        ("preferred_channel", None, "preferred_channel", "email", "email"),
        ("form_of_address", "informal", "form_of_address", "formal", "formal"),
        ("date_of_birth", day("1990-01-02"), "date_of_birth", "1991-01-02", day("1991-01-02")),
    ],
)
def test_corrected_columns_stand(
    loading: Loading, field: str, value: Any, column: str, told: str, then: Any
) -> None:
    """A column that a person corrected keeps their value through imports, and follows the source when they undo it."""
    loading.claims(a_claim("C1", preferred_channel="letter"))
    correct(loading, {field: value})
    report = loading.claims(a_claim("C1", preferred_channel="letter") | {column: told})
    assert report.changed == 0
    assert getattr(loading.one(Person), field) == value
    assert beside(loading, field) == told
    withdraw(loading, field)
    assert getattr(loading.one(Person), field) == then
    assert loading.claims(a_claim("C1", preferred_channel="letter") | {column: told}).changed == 0


def test_what_was_not_corrected_still_follows_the_file(loading: Loading) -> None:
    """A correction is of one field: the others change, and the row counts as changed."""
    loading.claims(a_claim("C1"))
    correct(loading, {"name": "Jan van Vries"})
    report = loading.claims(a_claim("C1", debtor_name="J. de Vries", language="en"))
    assert (report.changed, report.notices) == (1, {KEPT: 1})
    jan = loading.one(Person)
    assert (jan.name, jan.language) == ("Jan van Vries", "en")


def test_the_last_row_stands_beside(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that disagree leave the last one's word beside the correction, and a second import changes nothing."""
    monkeypatch.setattr("outreach.intake.load.BATCH", 1)
    loading.claims(a_claim("C1"))
    correct(loading, {"name": "Jan van Vries"}, email="right@example.net")
    rows = [
        a_claim("C1", debtor_name="A", email="a@example.net"),
        a_claim("C2", debtor_name="B", email="b@example.net"),
        a_claim("C3", debtor_name="A", email="a@example.net"),
    ]
    assert loading.claims(*rows).notices == {KEPT: 2}
    assert (beside(loading, "name"), beside(loading, "email")) == ("A", "a@example.net")
    before = (loading.everything(), loading.rows(Edit))
    loading.claims(*rows)
    assert (loading.everything(), loading.rows(Edit)) == before


def test_a_corrected_claim_keeps_its_day(loading: Loading) -> None:
    """A due date that a person set stands, while the rest of the claim follows the file."""
    loading.claims(a_claim("C1"))
    found = loading.one(Claim)
    with loading.app.store.transaction() as conn:
        dossier = loading.one(Dossier)
        jan = loading.one(Person)
        where = DossierRef(dossier.id, dossier.pseudonym, "", 1, 1, "WOON", jan.id, jan.pseudonym)
        which = ClaimRef(found.id, found.invoice_number, found.currency, where)
        corrections.correct_claim(conn, which, {"due_on": day("2026-05-20")}, "staff:els", NOW)
    report = loading.claims(a_claim("C1", due_on="2026-05-11", principal="90.00"))
    assert (report.changed, report.notices) == (1, {KEPT: 1})
    claim = loading.one(Claim)
    assert (claim.due_on, claim.principal_cents) == (day("2026-05-20"), 9_000)
    assert beside(loading, "due_on") == "2026-05-11"


def test_a_corrected_segment_stands(loading: Loading) -> None:
    """A segment that a person chose for a dossier is not the file's any more."""
    loading.claims(a_claim("C1", segment="noord"))
    dossier = loading.one(Dossier)
    with loading.app.store.transaction() as conn:
        values = {
            "entity": "dossier",
            "entity_id": dossier.id,
            "field": "segment",
            "value": "zuid",
            "source_value": "noord",
            "actor": "staff:els",
            "at": NOW,
        }
        conn.execute(insert(edit).values(**values))
        conn.execute(update(table_of(Dossier)).values(segment="zuid"))
    report = loading.claims(a_claim("C1", segment="west"), a_claim("C2"))
    assert (report.added, report.changed, report.notices) == (1, 0, {KEPT: 1})
    assert (loading.one(Dossier).segment, beside(loading, "segment")) == ("zuid", "west")
