"""Imports of claims: what is written, what stays, what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update

from outreach.correspondence.tables import LogEntry
from outreach.errors import Refused
from outreach.intake.errors import FileError
from outreach.store.tables.claims import Claim, Payment, Stop
from outreach.store.tables.operations import ImportRun, Task
from outreach.store.tables.parties import ContactPoint, Creditor, Debtor, Dossier, DossierParty, Person
from outreach.store.types import table_of
from tests.outreach.intake.loads import NOW, Loading, a_claim, a_payment, day

FULL = {
    "debtor_kind": "person",
    "phone": "06 12345678",
    "street": "Verzonnen Laan",
    "house_number": "12",
    "house_number_suffix": "a",
    "postcode": "1234ab",
    "city": "Nieuw-Waterdam",
    "language": "en",
    "form_of_address": "informal",
    "preferred_channel": "letter",
    "contract_id": "H1",
    "co_debtors": "D9: Piet Jansen <piet@example.net>",
    "description": "Huur mei",
    "vat": "17.36",
    "disputed_on": "2026-05-10",
    "hold_until": "2026-07-01",
    "insolvency": "bankruptcy",
    "representative": "R1: B. Windvoerder",
    "contact_source": "contract",
    "invoice_sent_to": "email",
    "segment": "noord",
}


def _settle(loading: Loading) -> None:
    """Stand as after a look: the dossiers wait for a later moment."""
    dossier = table_of(Dossier)
    with loading.app.store.transaction() as conn:
        conn.execute(update(dossier).values(next_look_at=datetime(2030, 1, 1, tzinfo=UTC)))


def test_the_same_file_again_changes_nothing(loading: Loading) -> None:
    """No value, no version and no next look changes when a file is imported a second time."""
    rows = [a_claim("C1", **FULL), a_claim("C2"), a_claim("C3", debtor_id="D2", contract_id="X")]
    credit = a_claim("C1C", kind="credit_note", credits_invoice="F-C1", principal="10.00")
    first = loading.claims(*rows, credit)
    assert (first.rows, first.added, first.refused) == (4, 4, 0)
    _settle(loading)
    before = loading.everything()
    second = loading.claims(*rows, credit)
    assert (second.added, second.changed, second.unchanged) == (0, 0, 4)
    assert loading.everything() == before


def test_every_column_finds_its_place(loading: Loading) -> None:
    """What a row says stands on the person, the contact points, the claim, its details, parties and stops."""
    loading.claims(a_claim("C1", **FULL))
    person = loading.one(Person, name="Jan de Vries")
    assert (person.language, person.form_of_address, person.preferred_channel) == ("en", "informal", "letter")
    points = {row.kind: (row.value, row.certainty) for row in loading.rows(ContactPoint, person_id=person.id)}
    assert points == {
        "email": ("jan@example.net", "verified"),
        "sms": ("+31612345678", "unverified"),
        "letter": ("Verzonnen Laan 12 a\n1234 AB Nieuw-Waterdam", "unverified"),
    }
    claim = loading.one(Claim)
    assert (claim.principal_cents, claim.description) == (10_000, "Huur mei")
    details = json.loads(claim.details)
    assert (details["vat"], details["disputed_on"]) == (1736, "2026-05-10")
    assert details["representative"]["name"] == "B. Windvoerder"
    assert loading.one(Dossier).segment == "noord"
    roles = {row.person_id: row.role for row in loading.rows(DossierParty)}
    assert roles[person.id] == "debtor"
    assert sorted(roles.values()) == ["co_debtor", "debtor", "representative"]
    assert roles[loading.one(Debtor, external_id="D9").person_id] == "co_debtor"
    assert roles[loading.one(Debtor, external_id="R1").person_id] == "representative"
    stops = {row.kind: row for row in loading.rows(Stop)}
    assert set(stops) == {"dispute", "hold", "insolvent", "representative"}
    assert stops["hold"].until_at == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert stops["dispute"].claim_id == stops["hold"].claim_id == claim.id
    assert stops["insolvent"].person_id == stops["representative"].person_id == person.id


def test_a_changed_row_changes_only_what_differs(loading: Loading) -> None:
    """An amount, a date and a name that differ are written; the other debtor is not touched."""
    loading.claims(a_claim("C1"), a_claim("C2", debtor_id="D2", debtor_name="Els"))
    before = {row.name: row.facts_version for row in loading.rows(Person)}
    changed = a_claim("C1", principal="90.00", due_on="2026-05-15", debtor_name="Jan de Vriesch")
    report = loading.claims(changed, a_claim("C2", debtor_id="D2", debtor_name="Els"))
    assert (report.changed, report.unchanged) == (1, 1)
    claim = loading.one(Claim, external_id="C1")
    assert (claim.principal_cents, claim.due_on) == (9_000, day("2026-05-15"))
    after = {row.name: row.facts_version for row in loading.rows(Person)}
    assert after["Els"] == before["Els"]
    assert after["Jan de Vriesch"] > before["Jan de Vries"]


def test_an_absent_column_takes_nothing_back(loading: Loading) -> None:
    """A file without the optional columns leaves what another file told."""
    loading.claims(a_claim("C1", **FULL))
    _settle(loading)
    before = loading.everything()
    short = a_claim("C1")
    assert loading.claims(short).unchanged == 1
    assert loading.everything() == before


def test_a_new_email_address_ends_the_old_one(loading: Loading) -> None:
    """The imported address of yesterday ends now, the new one counts, and a return to the old one revives it."""
    loading.claims(a_claim("C1"))
    assert loading.claims(a_claim("C1", email="new@example.net")).changed == 1
    points = {row.value: row.until_at for row in loading.rows(ContactPoint)}
    assert points == {"jan@example.net": NOW, "new@example.net": None}
    loading.claims(a_claim("C1"))
    points = {row.value: row.until_at for row in loading.rows(ContactPoint)}
    assert points == {"jan@example.net": None, "new@example.net": NOW}


@pytest.mark.parametrize(
    ("source", "certainty"), [("import", "wrong_person"), ("bounce", "suspect"), ("staff", "verified")]
)
def test_what_was_learned_of_an_address_stays(loading: Loading, source: str, certainty: str) -> None:
    """No file gives back an address that a person or a bounce judged."""
    loading.claims(a_claim("C1"))
    point = table_of(ContactPoint)
    with loading.app.store.transaction() as conn:
        conn.execute(update(point).values(source=source, certainty=certainty))
    assert loading.claims(a_claim("C1")).unchanged == 1
    assert loading.one(ContactPoint).certainty == certainty


def test_an_impossible_address_is_kept_but_dead(loading: Loading) -> None:
    """An address that cannot be one is kept as given, and nothing is sent to it."""
    report = loading.claims(a_claim("C1", email="jan at example.net"))
    point = loading.one(ContactPoint)
    assert (point.value, point.certainty) == ("jan at example.net", "dead")
    assert report.notices == {"email_malformed": 1}


def test_the_last_row_of_a_debtor_counts(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that disagree about their debtor give what the last one says, and at a second import nothing changes."""
    # Batches of one row: the rows that disagree come in different transactions.
    monkeypatch.setattr("outreach.intake.load.BATCH", 1)
    rows = [
        a_claim("C1", email="a@example.net"),
        a_claim("C2", debtor_name="J. de Vries", email="b@example.net"),
        a_claim("C3", debtor_name="Jan V.", email="c@example.net"),
    ]
    loading.claims(*rows)
    assert loading.one(Person).name == "Jan V."
    assert [row.value for row in loading.rows(ContactPoint, until_at=None)] == ["c@example.net"]
    _settle(loading)
    before = loading.everything()
    again = loading.claims(*rows)
    assert (again.changed, again.unchanged) == (0, 3)
    assert loading.everything() == before


def test_bad_rows_are_refused_and_good_ones_load(loading: Loading) -> None:
    """Each bad row stands in the rejects file with its line and what was expected; the others are in."""
    report = loading.claims(
        a_claim("C1"),
        a_claim("C2", principal="-5"),
        a_claim("C3", due_on="1 May"),
        a_claim("C4", claim_id="x" * 101),
        a_claim("C5", kind="recurring", principal="0.00"),
        a_claim("C6"),
    )
    assert (report.rows, report.added, report.refused) == (6, 2, 4)
    assert [(row["row"], row["field"]) for row in loading.rejects(report)] == [
        ("3", "principal"),
        ("4", "due_on"),
        ("5", "claim_id"),
        ("6", "principal"),
    ]
    assert [row.external_id for row in loading.rows(Claim)] == ["C1", "C6"]


@pytest.mark.parametrize(
    "moved", [{"debtor_id": "D2"}, {"contract_id": "other"}, {"currency": "USD"}, {"kind": "credit_note"}]
)
def test_a_claim_never_moves(loading: Loading, moved: dict[str, str]) -> None:
    """The same claim number with another debtor, contract, currency or direction is refused and changes nothing."""
    loading.claims(a_claim("C1", contract_id="H1"))
    before = loading.everything()
    row = a_claim("C1", contract_id="H1") | moved
    if "kind" in moved:
        row["credits_invoice"] = "F-C1"
    report = loading.claims(row)
    assert (report.refused, len(loading.rejects(report))) == (1, 1)
    assert loading.everything() == before


def test_a_row_the_database_refuses_stands_alone(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that only the database finds wrong is refused by itself, wherever it stands in its batch."""
    monkeypatch.setattr("outreach.intake.load_claims.unfit", lambda *_: None)
    report = loading.claims(a_claim("C1"), a_claim("C2", kind="recurring", principal="0.00"), a_claim("C3"))
    assert (report.added, report.refused) == (2, 1)
    assert [row["row"] for row in loading.rejects(report)] == ["3"]


def test_creditors_with_the_same_debtor_number_stay_apart(loading: Loading) -> None:
    """A debtor number means something to its creditor only: the same number, name and address are two persons."""
    loading.claims(a_claim("C1"), a_claim("C1", creditor="STROOM"))
    assert len(loading.rows(Debtor)) == len(loading.rows(Person)) == len(loading.rows(Claim)) == 2
    creditors = {row.code: row for row in loading.rows(Creditor)}
    assert creditors["STROOM"].is_example
    assert creditors["STROOM"].sending
    digits = "".join(str(int(char, 36)) for char in creditors["WOON"].iban[4:] + creditors["WOON"].iban[:4])
    assert int(digits) % 97 == 1


def test_an_unknown_creditor_is_refused_outside_a_trial(loading: Loading) -> None:
    """Outside a trial nobody becomes a creditor by a file: its rows are refused, or the whole file where it is one."""
    loading.claims(a_claim("C1"))
    report = loading.real().claims(a_claim("C2", creditor="WOONN"), a_claim("C3"))
    assert (report.added, report.refused) == (1, 1)
    assert loading.rejects(report)[0]["value"] == "WOONN"
    row = a_claim("C4")
    del row["creditor"]
    with pytest.raises(FileError, match="did you mean 'WOON'"):
        loading.real().claims(row, creditor_code="WOONN")


def test_a_dry_run_leaves_no_trace(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run tells what an import would, across batches too, and keeps nothing."""
    monkeypatch.setattr("outreach.intake.load.BATCH", 2)
    rows = [a_claim(f"C{n}", debtor_id=f"D{n % 2}", debtor_name=f"Naam {n}") for n in range(5)]
    bad = a_claim("C9", principal="0")
    before = loading.everything()
    dry = loading.claims(*rows, bad, dry_run=True)
    assert loading.everything() == before
    assert loading.rows(ImportRun) == []
    assert [row for row in loading.rows(LogEntry) if row.type == "imported"] == []
    real = loading.claims(*rows, bad)
    assert (dry.rows, dry.added, dry.refused) == (real.rows, real.added, real.refused) == (6, 5, 1)
    assert dry.dry_run


@pytest.mark.parametrize("first", ["claim", "note", "later"])
def test_a_credit_note_reduces_its_invoice_in_any_order(
    loading: Loading, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Before or after its invoice in the file, or in an earlier import: the same is open and nothing is unplaced."""
    monkeypatch.setattr("outreach.intake.load.BATCH", 1)
    claim = a_claim("C1")
    note = a_claim("C1C", kind="credit_note", credits_invoice="F-C1", principal="30.00")
    if first == "later":
        assert loading.claims(note).unplaced == 1
        assert loading.one(Payment).unplaced_cents == 3_000
        assert loading.one(Task).closed_at is None
        loading.claims(claim)
    else:
        report = loading.claims(*((claim, note) if first == "claim" else (note, claim)))
        assert (report.added, report.unplaced) == (2, 0)
    assert loading.open_cents() == {"C1": 7_000}
    assert loading.one(Payment).unplaced_cents == 0
    assert all(task.closed_at is not None for task in loading.rows(Task))


def test_a_lifted_dispute_is_not_set_again(loading: Loading) -> None:
    """What a person lifted stays lifted while the file tells of the same day; a new day is a new dispute."""
    row = a_claim("C1", disputed_on="2026-05-10")
    loading.claims(row)
    stop = table_of(Stop)
    with loading.app.store.transaction() as conn:
        conn.execute(update(stop).values(lifted_at=NOW, lifted_by="staff:els"))
    assert loading.claims(row).unchanged == 1
    assert loading.claims(a_claim("C1")).unchanged == 1
    assert len(loading.rows(Stop)) == 1
    assert loading.claims(row | {"disputed_on": "2026-05-12"}).changed == 1
    assert len(loading.rows(Stop)) == 2


def test_a_hold_follows_its_date(loading: Loading) -> None:
    """A hold that the file makes longer is longer, not doubled."""
    loading.claims(a_claim("C1", hold_until="2026-07-01"))
    assert loading.claims(a_claim("C1", hold_until="2026-08-01")).changed == 1
    assert loading.one(Stop).until_at == datetime(2026, 7, 31, 22, tzinfo=UTC)


def test_linked_persons_are_not_changed_back_and_forth(loading: Loading) -> None:
    """Two creditors tell of one person: neither file takes back what the other told."""
    mine, theirs = (
        a_claim("C1"),
        a_claim("C1", creditor="STROOM", debtor_name="J. Vries", email="j@example.net"),
    )
    loading.claims(mine, theirs)
    debtor = table_of(Debtor)
    with loading.app.store.transaction() as conn:
        person_id = conn.execute(select(func.min(debtor.c.person_id))).scalar_one()
        conn.execute(update(debtor).values(person_id=person_id))
    loading.claims(theirs)
    _settle(loading)
    before = loading.everything()
    loading.claims(mine)
    loading.claims(theirs)
    assert loading.everything() == before
    assert {r.value for r in loading.rows(ContactPoint, person_id=person_id, until_at=None)} == {
        "jan@example.net",
        "j@example.net",
    }


def test_an_import_is_in_the_log_without_personal_data(loading: Loading) -> None:
    """A run has its row and entries with counts; neither names anybody."""
    loading.claims(a_claim("C1"), a_claim("C2", principal="x"))
    run = loading.one(ImportRun)
    assert (run.kind, run.rows, run.added, run.refused) == ("claims", 2, 1, 1)
    entries = [row for row in loading.rows(LogEntry) if row.type == "imported"]
    assert json.loads(entries[-1].versions)["added"] == 1
    assert all("Vries" not in str(tuple(row)) and row.actor == "staff:test" for row in entries)


def test_a_day_that_is_not_over_cannot_be_processed(loading: Loading) -> None:
    """Outside a trial `as_of` is at most yesterday, and it never goes back."""
    loading.listed(a_claim("C1"), as_of="2026-06-09")
    assert loading.one(Creditor).payments_until_on == day("2026-06-09")
    real = loading.real()
    for load, row in ((real.listed, a_claim("C1")), (real.payments, a_payment("P1"))):
        with pytest.raises(Refused, match="2026-05-31"):
            load(row, as_of=day("2026-06-01"))
    loading.real().payments(a_payment("P1"), as_of=day("2026-05-31"))
    assert loading.one(Creditor).payments_until_on == day("2026-06-09")
