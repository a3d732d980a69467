"""Imports of payments: where each booking is placed, and what waits for a person."""

from __future__ import annotations

import pytest

from outreach.correspondence.tables import LogEntry
from outreach.intake.errors import FileError
from outreach.store.tables.claims import Allocation, Claim, Payment, Signal
from outreach.store.tables.operations import Task
from outreach.store.tables.parties import Creditor, Debtor
from tests.outreach.intake.loads import Loading, a_claim, a_payment, day


@pytest.fixture
def owing(loading: Loading) -> Loading:
    """A debtor with three claims, the second due first, and another debtor with one."""
    loading.claims(
        a_claim("C1", due_on="2026-05-10"),
        a_claim("C2", due_on="2026-05-01", contract_id="H2"),
        a_claim("C3", due_on="2026-05-20"),
        a_claim("C4", debtor_id="D2", debtor_name="Els"),
    )
    return loading


@pytest.mark.parametrize(
    "named",
    [
        {"claim_id": "C1"},
        {"invoice_number": "F-C1"},
        {"reference": "betaling F-C1, bedankt"},
        {"claim_id": "C1", "invoice_number": "F-C2", "debtor_id": "D2"},
        {"reference": "F-C1", "debtor_id": "D1"},
    ],
)
def test_a_payment_goes_to_what_it_names(owing: Loading, named: dict[str, str]) -> None:
    """The claim comes before the invoice, the invoice before the reference, the reference before the debtor."""
    report = owing.payments(a_payment("P1", amount="40.00", **named))
    assert (report.added, report.unplaced) == (1, 0)
    assert owing.open_cents() == {"C1": 6_000, "C2": 10_000, "C3": 10_000, "C4": 10_000}
    assert owing.one(Allocation).booked_on == day("2026-05-20")


def test_a_payment_with_a_debtor_only_goes_to_the_oldest(owing: Loading) -> None:
    """The oldest due claim of the debtor comes first, over dossiers (art. 6:43 lid 2 BW)."""
    owing.payments(a_payment("P1", amount="150.00", debtor_id="D1"))
    assert owing.open_cents() == {"C1": 5_000, "C2": 0, "C3": 10_000, "C4": 10_000}


def test_an_invoice_number_of_somebody_else_in_a_reference_is_chance(owing: Loading) -> None:
    """Where the debtor is named, a number in the reference that is another debtor's invoice is passed over."""
    owing.payments(a_payment("P1", debtor_id="D1", reference="F-C4"))
    assert owing.open_cents() == {"C1": 10_000, "C2": 0, "C3": 10_000, "C4": 10_000}


def test_what_is_too_much_goes_on_and_the_rest_waits(owing: Loading) -> None:
    """More than the named claim goes to the debtor's oldest others; what no claim needs waits with a task."""
    report = owing.payments(a_payment("P1", amount="330.00", claim_id="C3"))
    assert owing.open_cents() == {"C1": 0, "C2": 0, "C3": 0, "C4": 10_000}
    payment = owing.one(Payment)
    assert (payment.unplaced_cents, payment.debtor_id) == (3_000, owing.one(Debtor, external_id="D1").id)
    assert report.unplaced == 1
    assert owing.one(Task).payment_id == payment.id


def test_a_write_off_forgives_only_what_it_names(owing: Loading) -> None:
    """The rest of a write-off reaches no other claim."""
    owing.payments(a_payment("P1", kind="write_off", amount="130.00", claim_id="C3"))
    assert owing.open_cents() == {"C1": 10_000, "C2": 10_000, "C3": 0, "C4": 10_000}
    assert owing.one(Payment).unplaced_cents == 3_000


@pytest.mark.parametrize("named", [{"reference": "dank u"}, {"claim_id": "nobody's"}, {"debtor_id": "D77"}])
def test_an_unknown_payment_is_a_task(owing: Loading, named: dict[str, str]) -> None:
    """Money that names nothing known is kept unplaced, and somebody is asked, once."""
    for _ in range(2):
        owing.payments(a_payment("P1", **named))
    payment, task = owing.one(Payment), owing.one(Task)
    assert (payment.unplaced_cents, payment.debtor_id) == (10_000, None)
    assert (task.kind, task.payment_id, task.closed_at) == ("unplaced_payment", payment.id, None)


def test_another_currency_is_never_placed(owing: Loading) -> None:
    """A payment in another currency than the claim it names waits for a person, on the debtor."""
    owing.payments(a_payment("P1", currency="USD", claim_id="C1"))
    assert owing.open_cents()["C1"] == 10_000
    assert owing.one(Payment).debtor_id == owing.one(Debtor, external_id="D1").id
    assert owing.one(Task).reason_code == "another_currency"


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_reversal_restores(
    owing: Loading, monkeypatch: pytest.MonkeyPatch, apart: bool, newest_first: bool
) -> None:
    """A reversal opens what its payment paid, in one batch or several, also where the newest stands first."""
    if apart:
        monkeypatch.setattr("outreach.intake.load.BATCH", 1)
    rows = [
        a_payment("P1", claim_id="C1"),
        a_payment("P2", kind="reversal", reverses_id="P1", amount="100.00", booked_on="2026-05-23"),
        a_payment("P3", claim_id="C1", amount="60.00", booked_on="2026-05-28"),
    ]
    report = owing.payments(*(reversed(rows) if newest_first else rows))
    assert (report.added, report.refused, report.unplaced) == (3, 0, 0)
    assert owing.open_cents() == {"C1": 4_000, "C2": 10_000, "C3": 10_000, "C4": 10_000}
    reversal = owing.one(Payment, external_id="P2")
    assert reversal.reverses_id == owing.one(Payment, external_id="P1").id
    mirrored = owing.rows(Allocation, payment_id=reversal.id)
    assert {row.booked_on for row in mirrored} == {day("2026-05-23")}
    assert sum(row.amount_cents for row in mirrored) == -10_000


def test_a_reversal_takes_the_unplaced_part_first(owing: Loading) -> None:
    """Money that was never placed goes back without opening a claim, and its task is closed."""
    owing.payments(a_payment("P1", amount="120.00", claim_id="C4", debtor_id="D2"))
    owing.payments(a_payment("P2", kind="reversal", reverses_id="P1", amount="50.00"))
    assert owing.open_cents()["C4"] == 3_000
    assert owing.one(Payment, external_id="P1").unplaced_cents == 0
    assert owing.one(Task).closed_by == "staff:test"
    report = owing.payments(a_payment("P3", kind="reversal", reverses_id="P1", amount="70.01"))
    assert owing.rejects(report)[0]["expected"].endswith("70.00")
    assert owing.payments(a_payment("P4", kind="reversal", reverses_id="P1", amount="70.00")).added == 1
    assert owing.open_cents()["C4"] == 10_000


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"kind": "reversal", "reverses_id": "P99"}, "reverses_id"),
        ({"kind": "reversal", "reference": "x"}, "reverses_id"),
        ({"kind": "reversal", "reverses_id": "P0", "currency": "USD"}, "currency"),
        ({"amount": "-5"}, "amount"),
        ({"payment_id": "P0", "amount": "99.00"}, "amount"),
        ({"payment_id": "P0", "booked_on": "2026-05-21"}, "booked_on"),
    ],
)
def test_what_contradicts_is_refused(owing: Loading, row: dict[str, str], field: str) -> None:
    """A reversal of nothing, a negative amount and a known booking that changed are refused; the rest goes in."""
    owing.payments(a_payment("P0", claim_id="C1"))
    report = owing.payments(a_payment("P1", claim_id="C2"), a_payment("P2", claim_id="C3") | row)
    assert (report.added, report.refused) == (1, 1)
    assert [(fault["row"], fault["field"]) for fault in owing.rejects(report)] == [("3", field)]


def test_the_same_payments_again_change_nothing(owing: Loading) -> None:
    """No value, no version and no next look changes when a payments file is imported a second time."""
    rows = [
        a_payment("P1", claim_id="C1"),
        a_payment("P2", debtor_id="D1", amount="250.00"),
        a_payment("P3", kind="reversal", reverses_id="P1"),
        a_payment("P4", reference="niemand"),
    ]
    owing.payments(*rows)
    before = owing.everything()
    report = owing.payments(*rows)
    assert (report.added, report.changed, report.unchanged) == (0, 0, 4)
    assert owing.everything() == before


def test_payments_may_come_before_their_claims(loading: Loading) -> None:
    """A payment that named a claim of a later import is placed when that comes, and its task is closed."""
    loading.payments(a_payment("P1", claim_id="C1"), a_payment("P2", reference="F-C2 juni"))
    assert loading.claims(a_claim("C1"), a_claim("C2")).unplaced == 0
    assert loading.open_cents() == {"C1": 0, "C2": 0}
    assert all(task.closed_at is not None for task in loading.rows(Task))
    assert {payment.unplaced_cents for payment in loading.rows(Payment)} == {0}


def test_a_payment_for_a_debtor_of_later_is_placed_when_it_is_told_again(loading: Loading) -> None:
    """A payment that named only a debtor not known yet finds its claim at the next import of the same file."""
    loading.payments(a_payment("P1", debtor_id="D1"))
    loading.claims(a_claim("C1"))
    assert loading.payments(a_payment("P1", debtor_id="D1")).changed == 1
    assert loading.open_cents() == {"C1": 0}


def test_a_dry_run_of_payments_leaves_no_trace(owing: Loading) -> None:
    """A dry run of payments counts as an import would and keeps nothing."""
    rows = [a_payment("P1", claim_id="C1"), a_payment("P2", kind="reversal", reverses_id="P1")]
    before = owing.everything()
    dry = owing.payments(*rows, dry_run=True, as_of=day("2026-05-31"))
    assert owing.everything() == before
    assert (dry.added, dry.refused) == (2, 0)


def test_as_of_tells_up_to_when_payments_are_known(owing: Loading) -> None:
    """Every creditor of the file is known up to that day, others are not, and it never goes back."""
    owing.claims(a_claim("C1", creditor="STROOM"))
    for text in ("2026-05-31", "2026-05-30"):
        report = owing.payments(a_payment("P1", claim_id="C1"), as_of=day(text))
    assert report.known_until == day("2026-05-30")
    known = {row.code: row.payments_until_on for row in owing.rows(Creditor)}
    assert known == {"WOON": day("2026-05-31"), "STROOM": None}


def test_files_without_a_creditor_need_one_that_is_certain(owing: Loading) -> None:
    """Without the column the only creditor is meant; where there are two, it must be said which."""
    row = a_payment("P1", claim_id="C1")
    del row["creditor"]
    assert owing.payments(row).added == 1
    owing.claims(a_claim("C1", creditor="STROOM"))
    assert owing.payments(row | {"payment_id": "P2"}).refused == 1
    assert owing.payments(row | {"payment_id": "P2"}, creditor_code="STROOM").added == 1
    with pytest.raises(FileError, match="not known"):
        owing.real().payments(row, creditor_code="NOBODY")


# Reversed direct debits, write-offs and the rest of what a report tells


@pytest.mark.parametrize(
    ("collected", "reason_code", "signals"),
    [
        (True, "", 1),
        (True, "md07", 0),
        (False, "AM04", 1),
        (False, "direct_debit_reversed", 1),
        (False, "", 0),
        (False, "wrong_account", 0),
    ],
)
def test_a_reversed_direct_debit_is_a_signal(
    owing: Loading, collected: bool, reason_code: str, signals: int
) -> None:
    """Where the claim is collected by direct debit, or the bank's code says so; the claim is open again either way."""
    owing.claims(a_claim("C1", due_on="2026-05-10", direct_debit="yes" if collected else "no"))
    owing.payments(a_payment("P1", claim_id="C1", amount="100.00"), a_payment("P9", claim_id="C3"))
    back = a_payment("P2", kind="reversal", reverses_id="P1", reason_code=reason_code, booked_on="2026-05-25")
    for _ in range(2):
        owing.payments(back)
    assert owing.open_cents()["C1"] == 10_000
    claim = owing.one(Claim, external_id="C1")
    found = [(row.kind, row.claim_id, row.dossier_id, row.on_date) for row in owing.rows(Signal)]
    assert found == [("direct_debit_reversed", claim.id, claim.dossier_id, day("2026-05-25"))] * signals
    entries = [row for row in owing.rows(LogEntry) if row.type == "signal_set"]
    assert len(entries) == signals


def test_a_reversal_over_several_claims_signals_each(owing: Loading) -> None:
    """Every claim that a returned direct debit opened again has its signal; one that stays paid has none."""
    owing.payments(a_payment("P1", debtor_id="D1", amount="300.00"))
    owing.payments(a_payment("P2", kind="reversal", reverses_id="P1", amount="150.00", reason_code="MS03"))
    opened = {number for number, cents in owing.open_cents().items() if cents and number != "C4"}
    ids = {row.id: row.external_id for row in owing.rows(Claim)}
    assert {ids[row.claim_id] for row in owing.rows(Signal)} == opened == {"C1", "C3"}


def test_a_report_shows_what_is_no_payment_apart(owing: Loading) -> None:
    """Written off, credited and taken back are told by themselves, since nobody paid them."""
    report = owing.payments(
        a_payment("P1", claim_id="C1", amount="60.00"),
        a_payment("P2", claim_id="C1", amount="40.00", kind="write_off"),
        a_payment("P3", claim_id="C2", amount="10.00", kind="credit_note"),
        a_payment("P4", kind="reversal", reverses_id="P1", amount="20.00"),
    )
    assert report.kinds == {"payment": 1, "write_off": 1, "credit_note": 1, "reversal": 1}
    assert "1 written off" in report.lines()
    assert owing.open_cents() == {"C1": 2_000, "C2": 9_000, "C3": 10_000, "C4": 10_000}


@pytest.mark.parametrize("kind", ["write_off", "credit_note"])
def test_a_write_off_and_a_credit_can_be_taken_back(owing: Loading, kind: str) -> None:
    """A reversal opens what was forgiven or credited, as it does a payment."""
    owing.payments(a_payment("P1", claim_id="C1", amount="60.00", kind=kind))
    assert owing.open_cents()["C1"] == 4_000
    owing.payments(a_payment("P2", kind="reversal", reverses_id="P1", amount="60.00"))
    assert owing.open_cents()["C1"] == 10_000
    assert owing.rows(Signal) == []


def test_the_word_of_lists_is_theirs(owing: Loading) -> None:
    """A payments file cannot book in the name of a list of open items."""
    report = owing.payments(a_payment("P1", claim_id="C1", reason_code="open_items"))
    assert [fault["field"] for fault in owing.rejects(report)] == ["reason_code"]
