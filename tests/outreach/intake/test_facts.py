"""Imports of facts: where each stops, when it ends, and that nothing a person lifted comes back."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from outreach.casework.stop_orders import lift
from outreach.casework.undo import undo
from outreach.correspondence.tables import Content, LogEntry
from outreach.intake.errors import FileError
from outreach.intake.facts import load_facts
from outreach.intake.facts_told import of_age_on
from outreach.intake.report import ImportReport
from outreach.store.tables.claims import Claim, Stop
from outreach.store.tables.operations import ImportRun, Task
from outreach.store.tables.parties import ContactPoint, Debtor, Dossier, Edit, Person
from outreach.store.types import table_of
from tests.outreach.intake.loads import NOW, Loading, Row, a_claim, day

ADDRESS = {"street": "Verzonnen Laan", "house_number": "12", "postcode": "1234 AB", "city": "Nieuw-Waterdam"}


def a_fact(kind: str, **values: object) -> Row:
    """A row of a facts file about Jan."""
    return {"debtor_id": "D1", "kind": kind, "from": "2026-05-20", "until": "", "reference": "R-1"} | values


def facts(loading: Loading, *rows: Row, **options: Any) -> ImportReport:
    """Import facts."""
    path = loading.folder / "facts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return loading.load_file(load_facts, path, **options)


@pytest.fixture
def book(loading: Loading) -> Loading:
    """Jan with a dossier and a contract, and Els at his address."""
    loading.claims(
        a_claim("C1", **ADDRESS),
        a_claim("C2", **ADDRESS, contract_id="H1"),
        a_claim("C3", **ADDRESS, debtor_id="D2", debtor_name="Els", email="els@example.net"),
    )
    return loading


def stops(loading: Loading, kind: str) -> list[Any]:
    """The stops of a kind."""
    return loading.rows(Stop, kind=kind)


def person_id(loading: Loading, number: str = "D1") -> int:
    """The person of a debtor."""
    return int(loading.one(Debtor, external_id=number).person_id)


def unchanged(loading: Loading, *rows: Row) -> None:
    """The same file again changes nothing."""
    before = (loading.everything(), loading.rows(Edit), loading.rows(Task))
    again = facts(loading, *rows)
    assert (again.added, again.changed, again.refused) == (0, 0, 0)
    assert (loading.everything(), loading.rows(Edit), loading.rows(Task)) == before


@pytest.mark.parametrize(
    "kind", ["deceased", "minor", "representative", "objection", "restriction", "debt_help", "insolvent"]
)
def test_most_facts_stop_the_person(book: Loading, kind: str) -> None:
    """A fact about the person stops all that is said to them, from its day on; nobody else is stopped."""
    row = a_fact(kind)
    report = facts(book, row)
    assert (report.kind, report.rows, report.added) == ("facts", 1, 1)
    (stop,) = stops(book, kind)
    assert (stop.scope, stop.person_id, stop.until_at) == ("person", person_id(book), None)
    assert stop.from_at == datetime(2026, 5, 19, 22, tzinfo=UTC)
    unchanged(book, row)


@pytest.mark.parametrize("kind", ["dispute", "hold", "deferral"])
def test_facts_about_a_debt_stop_a_claim_or_every_dossier(book: Loading, kind: str) -> None:
    """With a claim only that claim waits, without one each dossier of the debtor; the end is the fact's own."""
    on_all = a_fact(kind, until="2026-07-01")
    on_one = on_all | {"claim_id": "C2", "reference": "R-2"}
    assert facts(book, on_all, on_one).added == 2
    found = {(stop.scope, stop.dossier_id, stop.claim_id) for stop in stops(book, kind)}
    mine = [row.id for row in book.rows(Dossier, debtor_id=book.one(Debtor, external_id="D1").id)]
    claim = book.one(Claim, external_id="C2").id
    assert found == {("dossier", key, None) for key in mine} | {("claim", None, claim)}
    assert {stop.until_at for stop in stops(book, kind)} == {datetime(2026, 6, 30, 22, tzinfo=UTC)}
    unchanged(book, on_all, on_one)


def test_a_dead_debtor_is_marked_and_somebody_looks_for_the_heirs(book: Loading) -> None:
    """The day of death stands on the person, and finding out who acts for the estate is somebody's work."""
    facts(book, a_fact("deceased", until="2026-06-01"))
    assert book.one(Person, id=person_id(book)).deceased_on == day("2026-05-20")
    assert stops(book, "deceased")[0].until_at is None
    task = book.one(Task, kind="representative")
    assert (task.person_id, task.reason_code) == (person_id(book), "stop_deceased")
    assert task.due_at > NOW


def test_a_wrong_person_is_left_alone_by_everyone(book: Loading) -> None:
    """Whoever has the address is not reached there; what comes in later for this debtor is another address."""
    row = a_fact("wrong_person")
    facts(book, row)
    keys = {point.address_key: point for point in book.rows(ContactPoint)}
    found = {stop.address_key for stop in stops(book, "wrong_person")}
    letters = {point.address_key for point in book.rows(ContactPoint, kind="letter")}
    assert len(letters) == 1
    assert found == letters | {book.one(ContactPoint, value="jan@example.net").address_key}
    assert {key: point.certainty == "wrong_person" for key, point in keys.items()} == {
        key: key in found for key in keys
    }
    assert all(stop.person_id is None for stop in stops(book, "wrong_person"))
    book.claims(a_claim("C1", **ADDRESS, email="right@example.net"))
    unchanged(book, row)
    assert book.one(ContactPoint, value="right@example.net").certainty == "unverified"


def test_who_moved_is_not_written_to_at_the_old_address(book: Loading) -> None:
    """The postal address is doubtful and closed for this person alone; e-mail goes on, a new address is asked for."""
    row = a_fact("moved")
    facts(book, row)
    (stop,) = stops(book, "moved")
    letter = book.one(ContactPoint, kind="letter", person_id=person_id(book))
    assert (stop.scope, stop.person_id, stop.address_key) == (
        "contact_point",
        person_id(book),
        letter.address_key,
    )
    assert letter.certainty == "suspect"
    assert book.one(ContactPoint, kind="letter", person_id=person_id(book, "D2")).certainty == "unverified"
    assert book.one(ContactPoint, value="jan@example.net").certainty == "unverified"
    assert book.one(Task, kind="address_wanted").person_id == person_id(book)
    book.claims(a_claim("C1", **(ADDRESS | {"house_number": "99"})))
    unchanged(book, row)
    assert len(stops(book, "moved")) == 1


def test_who_moves_later_is_written_to_until_then(book: Loading) -> None:
    """A move that is still to come closes the address from its day on."""
    facts(book, a_fact("moved", **{"from": "2026-07-01"}))
    assert stops(book, "moved")[0].from_at == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert {point.certainty for point in book.rows(ContactPoint, kind="letter")} == {"unverified"}


def test_a_fact_without_an_address_says_so(loading: Loading) -> None:
    """Somebody who has no postal address can move: nothing is to be closed, and the report counts it."""
    loading.claims(a_claim("C1"))
    report = facts(loading, a_fact("moved"))
    assert (report.unchanged, report.notices) == (1, {"no_address_to_close": 1})


def test_a_protected_address_is_kept_and_marked(book: Loading) -> None:
    """The flag stands, no claims file takes it back, and it stops nothing; taken back by a person it stays back."""
    row = a_fact("address_protected")
    assert facts(book, row).added == 1
    assert book.one(Person, id=person_id(book)).address_protected
    assert book.rows(Stop) == []
    unchanged(book, row)
    book.claims(a_claim("C1", **ADDRESS, address_protected="nee"))
    assert book.one(Person, id=person_id(book)).address_protected
    edit, person = table_of(Edit), table_of(Person)
    with book.app.store.transaction() as conn:
        conn.execute(update(edit).values(withdrawn_at=NOW, withdrawn_by="staff:els"))
        conn.execute(update(person).values(address_protected=False))
    unchanged(book, row)
    assert not book.one(Person, id=person_id(book)).address_protected


@pytest.mark.parametrize(
    ("born", "until", "end"),
    [
        ("2010-03-04", "", datetime(2028, 3, 3, 23, tzinfo=UTC)),
        ("2010-03-04", "2026-07-01", datetime(2028, 3, 3, 23, tzinfo=UTC)),
        ("", "2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("", "", None),
    ],
)
def test_a_minor_is_stopped_until_eighteen(
    loading: Loading, born: str, until: str, end: datetime | None
) -> None:
    """The eighteenth birthday ends it where the day of birth is known, else the day that the file gives."""
    loading.claims(a_claim("C1", date_of_birth=born))
    facts(loading, a_fact("minor", until=until))
    assert stops(loading, "minor")[0].until_at == end


def test_a_birthday_that_becomes_known_ends_the_stop(loading: Loading) -> None:
    """The same row follows the day of birth that a claims file tells later."""
    loading.claims(a_claim("C1"))
    row = a_fact("minor")
    facts(loading, row)
    loading.claims(a_claim("C1", date_of_birth="2010-03-04"))
    assert facts(loading, row).changed == 1
    assert stops(loading, "minor")[0].until_at == datetime(2028, 3, 3, 23, tzinfo=UTC)
    unchanged(loading, row)


@given(st.dates(date(1930, 1, 1), date(2090, 12, 31)))
def test_coming_of_age_is_eighteen_years_later(born: date) -> None:
    """Nobody comes of age early, and nobody more than a day after the date that bears the birthday's number."""
    of_age = of_age_on(born)
    assert of_age.year == born.year + 18
    if (born.month, born.day) == (2, 29):
        assert (of_age.month, of_age.day) == (3, 1)
    else:
        assert (of_age.month, of_age.day) == (born.month, born.day)


def test_an_end_follows_the_file(book: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later end is followed, an empty one takes nothing back, and of rows that disagree the last one counts."""
    monkeypatch.setattr("outreach.intake.facts.BATCH", 1)
    facts(book, a_fact("debt_help", until="2026-07-01"))
    rows = [a_fact("debt_help", until="2026-08-01"), a_fact("debt_help", until="2026-09-01")]
    assert facts(book, *rows).changed == 1
    assert stops(book, "debt_help")[0].until_at == datetime(2026, 8, 31, 22, tzinfo=UTC)
    unchanged(book, *rows)
    unchanged(book, a_fact("debt_help"))


def test_what_a_person_lifted_stays_lifted(book: Loading) -> None:
    """The same row sets nothing again, whatever its end; another day or reference is another fact."""
    row = a_fact("deceased")
    facts(book, row)
    with book.app.store.transaction() as conn:
        lift(conn, stops(book, "deceased")[0].pseudonym, "", "staff:els", NOW)
    assert book.one(Person, id=person_id(book)).deceased_on is None
    unchanged(book, row)
    assert book.one(Person, id=person_id(book)).deceased_on is None
    assert facts(book, row | {"reference": "R-2"}).added == 1
    assert facts(book, row | {"from": "2026-05-21"}).added == 1
    assert len(stops(book, "deceased")) == 3


def test_bad_rows_are_refused_and_good_ones_stop(book: Loading) -> None:
    """Each bad row names its field and what was expected; the others are in."""
    report = facts(
        book,
        a_fact("hold"),
        a_fact("hold", debtor_id="D8"),
        a_fact("holiday"),
        a_fact("dispute", claim_id="C9"),
        a_fact("dispute", claim_id="C3"),
        a_fact("hold", until="2026-05-20"),
        a_fact("hold", **{"from": "20-05-2026"}),
        a_fact("objection", creditor="STROOM"),
    )
    assert (report.rows, report.added, report.refused) == (8, 1, 7)
    assert sorted((row["row"], row["field"]) for row in book.rejects(report)) == [
        ("3", "debtor_id"),
        ("4", "kind"),
        ("5", "claim_id"),
        ("6", "claim_id"),
        ("7", "until"),
        ("8", "from_on (from)"),
        ("9", "creditor"),
    ]
    assert all(row["expected"] for row in book.rejects(report))


def test_the_creditor_must_be_certain(book: Loading) -> None:
    """A debtor's number is the creditor's own: with two creditors a file says whose, or the command does."""
    book.claims(a_claim("C1", creditor="STROOM"))
    report = facts(book, a_fact("hold"))
    assert book.rejects(report)[0]["field"] == "creditor"
    assert facts(book, a_fact("hold"), creditor_code="STROOM").added == 1
    with pytest.raises(FileError, match="did you mean 'STROOM'"):
        facts(book.real(), a_fact("hold"), creditor_code="STROMM")


def test_a_dry_run_of_facts_leaves_no_trace(book: Loading) -> None:
    """A dry run counts as an import would and keeps nothing."""
    rows = [a_fact("deceased"), a_fact("moved"), a_fact("wrong_person", debtor_id="D2"), a_fact("holiday")]
    before = (book.everything(), book.rows(Task), book.rows(Edit))
    dry = facts(book, *rows, dry_run=True)
    assert (book.everything(), book.rows(Task), book.rows(Edit)) == before
    real = facts(book, *rows)
    assert (dry.added, dry.refused) == (real.added, real.refused) == (3, 1)


def test_facts_are_in_the_log_without_what_they_say(book: Loading) -> None:
    """The run has its row and entries; reference and note are kept apart, as content of the stop."""
    facts(book, a_fact("debt_help", reference="dossier Zilverreiger", note="Belde op maandag"))
    run = book.rows(ImportRun)[-1]
    assert (run.kind, run.rows, run.added) == ("facts", 1, 1)
    entry = book.rows(LogEntry, type="stop_set")[-1]
    stop = stops(book, "debt_help")[0]
    assert entry.content_id == stop.content_id
    assert book.one(Content, id=stop.content_id).body == b"dossier Zilverreiger\nBelde op maandag"
    assert not any("Zilver" in str(tuple(row)) or "maandag" in str(tuple(row)) for row in book.rows(LogEntry))
    assert "Zilver" not in stop.reason_code


def test_a_fact_without_a_day_holds_from_now(book: Loading) -> None:
    """Without a day it holds from the import on; on a trial, whose clock may stand before it, on any day."""
    row = a_fact("hold", **{"from": ""}, claim_id="C1")
    facts(book.real(), row)
    facts(book, row | {"reference": "R-2"})
    since = [stop.from_at for stop in stops(book, "hold")]
    assert since == [NOW, datetime(1970, 1, 1, tzinfo=UTC)]


def test_a_stop_of_a_file_is_undone_like_any_other(book: Loading) -> None:
    """The entry of the import names its stop, so that a person can take it back with what it meant."""
    facts(book, a_fact("deceased"))
    entry = book.one(LogEntry, type="stop_set")
    with book.app.store.transaction() as conn:
        undo(conn, entry.id, book.app.address_keys, "staff:els", NOW)
    assert stops(book, "deceased")[0].lifted_by == "staff:els"
    assert book.one(Person, id=person_id(book)).deceased_on is None
