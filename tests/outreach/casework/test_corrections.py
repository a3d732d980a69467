"""Corrections: a person's word wins, the source's stands beside it, and what was queued is planned anew."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection

from outreach import tables
from outreach.casework import corrections, edits, undo
from outreach.casework.targets import Named, claim_of, person_of
from outreach.errors import Refused
from outreach.intake import contact_values
from outreach.parties.addresses import AddressKeys
from outreach.parties.contact_values import address_value, email_value, phone_value
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, F1, JAN, NOW, Office

Edit, Person, Point = tables.parties.Edit, tables.parties.Person, tables.parties.ContactPoint


def correct(office: Office, points: dict[str, str] | None = None, **values: Any) -> list[str]:
    """Correct something of Jan."""

    def work(conn: Connection) -> list[str]:
        who = person_of(conn, JAN)
        return corrections.correct_person(conn, who, values, points or {}, make.KEYS, ANNA, NOW)

    return office.run(work)


def take_back(office: Office, keys: AddressKeys = make.KEYS) -> None:
    """Undo the newest correction."""
    entry = office.entry("corrected")
    office.run(lambda conn: undo.undo(conn, entry, keys, ANNA, NOW + DAY))


@pytest.mark.parametrize(
    ("field", "value", "kept", "was"),
    [
        ("name", "Jan de Wit", "Jan de Wit", "Jan de Vries"),
        ("language", "en", "en", "nl"),
        ("form_of_address", "informal", "informal", "formal"),
        ("preferred_channel", "letter", "letter", ""),
        ("income_day", 25, "25", ""),
    ],
)
def test_a_correction_wins_and_the_source_stands_beside_it(
    office: Office, field: str, value: Any, kept: str, was: str
) -> None:
    """The base holds the corrected value; taken back, it holds what the source says by then."""
    assert correct(office, **{field: value}) == [field]
    assert getattr(office.rows(Person)[0], field) == value
    row = office.row(Edit)
    assert (row.entity, row.field, row.value, row.source_value, row.actor) == (
        "person",
        field,
        kept,
        was,
        ANNA,
    )
    assert office.entries("corrected") == [("corrected", [field, f"edit:{row.id}"])]
    take_back(office)
    before = was if was else None
    assert getattr(office.rows(Person)[0], field) == before
    assert office.row(Edit).withdrawn_by == ANNA


def test_a_second_correction_keeps_the_sources_word(office: Office) -> None:
    """Corrected twice, the source's own value is still what comes back."""
    correct(office, name="Jan de Wit")
    first = office.entry("corrected")
    correct(office, name="Jan Wit")
    current = office.row(Edit, withdrawn_at=None)
    assert (current.value, current.source_value) == ("Jan Wit", "Jan de Vries")
    with pytest.raises(Refused, match="corrected again"):
        office.run(lambda conn: undo.undo(conn, first, make.KEYS, ANNA, NOW))
    take_back(office)
    assert office.rows(Person)[0].name == "Jan de Vries"


def test_what_is_so_already_is_no_correction(office: Office) -> None:
    """The same value again is refused and leaves no row and no entry."""
    with pytest.raises(Refused, match="name was so already"):
        correct(office, name="Jan de Vries")
    with pytest.raises(Refused, match="--name or --email"):
        correct(office)
    assert office.rows(Edit) == [] and office.entries("corrected") == []


def test_a_corrected_address_takes_the_place_of_the_old_one(office: Office) -> None:
    """The old point ends, the new one is sure and a person's; the next message goes there."""
    correct(office, {"email": "jan.new@example.net"})
    old, new = office.rows(Point, person_id=office.rows(Person)[0].id)
    assert (old.until_at, new.until_at) == (NOW, None)
    assert (new.value, new.source, new.certainty) == ("jan.new@example.net", "person", "verified")
    assert new.address_key == make.KEYS.of("email", "jan.new@example.net")
    row = office.row(Edit)
    assert (row.field, row.value, row.source_value) == ("email", "jan.new@example.net", "jan@example.net")
    office.live(NOW)
    sent = sorted(one.address for one in office.rows(tables.messages.Attempt))
    assert sent == ["jan.new@example.net", "piet@example.net"]
    take_back(office)
    old, new = office.rows(Point, person_id=office.rows(Person)[0].id)
    assert (old.until_at, new.until_at) == (None, NOW + DAY)


def test_what_the_source_says_meanwhile_is_what_comes_back(office: Office) -> None:
    """An import told a third address beside the correction: taking it back puts that one to use."""
    correct(office, {"email": "jan.new@example.net"})

    def imported(conn: Connection) -> None:
        conn.execute(edits.edit.update().values(source_value="third@example.net"))

    office.run(imported)
    take_back(office)
    current = [row for row in office.rows(Point, person_id=1) if row.until_at is None]
    assert [(row.value, row.source) for row in current] == [("third@example.net", "import")]


def test_an_address_that_had_bounced_may_be_said_to_be_right(office: Office) -> None:
    """The same address with another certainty is a correction; a first address has nothing before it."""
    office.run(lambda conn: conn.execute(make.point.update().values(certainty="dead")))
    assert correct(office, {"email": "jan@example.net"}) == ["email"]
    assert office.rows(Point)[0].certainty == "verified"
    assert correct(office, {"letter": "Dorpsstraat 1\n1234 AB Ede"}) == ["address"]
    assert office.row(Edit, field="address").source_value == ""
    take_back(office)
    assert [row.until_at for row in office.rows(Point, kind="letter")] == [NOW + DAY]


def test_a_claims_due_date_and_description_are_corrected(office: Office) -> None:
    """What is due later is asked for later; taken back, the source's date holds again."""

    def work(conn: Connection) -> list[str]:
        values = {"due_on": date(2026, 12, 1), "description": "Huur december"}
        return corrections.correct_claim(conn, claim_of(conn, F1), values, ANNA, NOW)

    assert office.run(work) == ["due_on", "description"]
    office.live(NOW)
    assert ("F2", "reminder") in office.told() and ("F1", "reminder") not in office.told()
    take_back(office)
    row = office.rows(tables.claims.Claim)[0]
    assert (row.due_on, row.description) == (date(2026, 11, 20), "")


def test_a_correction_by_the_claim_finds_its_debtor(office: Office) -> None:
    """Staff have the invoice at hand, not the debtor's number."""
    found = office.run(lambda conn: person_of(conn, Named(invoice="F3")).name)
    assert found == "Piet Jansen"


@pytest.mark.parametrize(
    ("text", "value"),
    [("Jan@EXAMPLE.net", "Jan@example.net"), ("jan", None), ("a b@c.nl", None), ("jan@example", None)],
)
def test_an_email_address_has_one_way_to_be_written(text: str, value: str | None) -> None:
    """Its domain in small letters; what can be no address is refused."""
    if value is None:
        with pytest.raises(ValueError, match="e-mail"):
            email_value(text)
    else:
        assert email_value(text) == value


@pytest.mark.parametrize(
    ("text", "country", "value"),
    [
        ("06-12 34 56 78", "NL", "+31612345678"),
        ("+31 (0)6 12345678", "NL", "+31612345678"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("0612345678", "BE", "0612345678"),
        ("call me", "NL", None),
    ],
)
def test_a_phone_number_has_one_way_to_be_written(text: str, country: str, value: str | None) -> None:
    """With its country's code and no other marks; a Dutch one may come without the code."""
    if value is None:
        with pytest.raises(ValueError, match="phone number"):
            phone_value(text, country)
    else:
        assert phone_value(text, country) == value


def test_a_postal_address_is_the_lines_below_the_name() -> None:
    """As an import writes it; a Dutch postcode has one form, and an address needs a place."""
    assert address_value("Dorpsstraat", "1", "b", "1234ab", "Ede") == "Dorpsstraat 1 b\n1234 AB Ede"
    assert address_value("Rue X", "2", "", "75001", "Paris", "FR") == "Rue X 2\n75001 Paris\nFR"
    with pytest.raises(ValueError, match="Dutch postcode"):
        address_value("Dorpsstraat", "1", "", "12345", "Ede")
    with pytest.raises(ValueError, match="--street"):
        address_value("Dorpsstraat", "1", "", "", "")


@pytest.mark.parametrize("phone", ["06-12345678", "+31 (0)6 1234 5678", "0031612345678"])
@pytest.mark.parametrize(("postcode", "country"), [("1234 AB", "NL"), ("75001", "FR")])
def test_a_file_and_a_person_write_an_address_alike(phone: str, postcode: str, country: str) -> None:
    """Else the same address would have two keys, and a stop on one would not close the other."""
    row: Any = SimpleNamespace(
        email="Jan@Example.NET",
        phone=phone,
        street="Dorpsstraat",
        house_number="1",
        house_number_suffix="b",
        postcode=postcode,
        city="Ede",
        country=country,
        contact_source=None,
        invoice_sent_to=None,
    )
    told = {kind.value: point.value for kind, point in contact_values.points_of(row).items()}
    assert told == {
        "email": email_value("Jan@Example.NET"),
        "sms": phone_value(phone, country),
        "letter": address_value("Dorpsstraat", "1", "b", postcode, "Ede", country),
    }
