"""Lists of open items: what vanishes, what is lower or higher, what is put aside, and that nothing happens twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from outreach.correspondence.tables import LogEntry
from outreach.errors import Refused
from outreach.intake import open_items
from outreach.intake.errors import FileError
from outreach.intake.list_change import Change, Standing, Taken, change, settle
from outreach.intake.list_survey import Marks
from outreach.intake.rejects import Fault
from outreach.store.tables.claims import Allocation, Claim, Payment, Stop
from outreach.store.tables.operations import ImportRun, Task
from outreach.store.tables.parties import Creditor, Edit
from outreach.store.types import table_of
from tests.outreach.intake.loads import Loading, Row, a_claim, a_payment, day


def item(number: str, amount: str = "100.00", **values: object) -> Row:
    """A row of a list."""
    return a_claim(number, principal=amount, **values)


@pytest.fixture
def book(loading: Loading) -> Loading:
    """Ten claims of 100 euro, taken in by a list of 28 May."""
    loading.listed(*(item(f"C{number}") for number in range(10)), as_of="2026-05-28")
    return loading


def rest(*gone: str, **amounts: str) -> list[Row]:
    """The ten claims as a list has them: some are gone, some have another amount."""
    return [
        item(number, amounts.get(number, "100.00"))
        for number in (f"C{n}" for n in range(10))
        if number not in gone
    ]


def test_a_first_list_adds_its_claims(book: Loading) -> None:
    """A new claim's open amount is its principal, and the list's day is known to be processed."""
    assert set(book.open_cents().values()) == {10_000}
    assert {row.listed_on for row in book.rows(Claim)} == {day("2026-05-28")}
    assert book.one(Creditor).payments_until_on == day("2026-05-28")


def test_what_vanishes_is_settled_nobody_says_how(book: Loading) -> None:
    """A claim that is in the list no more is settled for exactly what was open, on the list's day."""
    book.payments(a_payment("P1", amount="30.00", claim_id="C3"))
    report = book.listed(*rest("C3"))
    assert (report.listed, report.put_aside, report.known_until) == ({"settled": 1}, "", day("2026-05-31"))
    payment = book.one(Payment, kind="settled_unknown")
    assert (payment.amount_cents, payment.booked_on, payment.reason_code, payment.unplaced_cents) == (
        7_000,
        day("2026-05-31"),
        "open_items",
        0,
    )
    assert book.open_cents()["C3"] == 0
    assert book.one(Creditor).payments_until_on == day("2026-05-31")
    assert book.one(Claim, external_id="C3").listed_on == day("2026-05-28")


def test_a_lower_amount_is_a_payment(book: Loading) -> None:
    """The difference is booked as a payment; the claim's own amount stays, and so do its other columns' changes."""
    report = book.listed(*rest(C1="60.00", C2="0.00"))
    assert (report.changed, report.listed) == (2, {"lowered": 2})
    assert [(row.kind, row.amount_cents, row.reason_code) for row in book.rows(Payment)] == [
        ("payment", 4_000, "open_items"),
        ("payment", 10_000, "open_items"),
    ]
    assert book.open_cents()["C1"] == 6_000
    assert {row.principal_cents for row in book.rows(Claim)} == {10_000}


def test_the_same_list_again_changes_nothing(book: Loading) -> None:
    """No value, no version and no next look changes when a list is imported a second time."""
    rows = [*rest("C9", C1="60.00"), item("C10", "12.00")]
    book.listed(*rows)
    before = book.everything()
    report = book.listed(*rows)
    assert (report.rows, report.unchanged, report.listed) == (10, 10, {})
    assert book.everything() == before


def test_a_claim_that_comes_back_is_open_again(book: Loading) -> None:
    """What a list had settled is taken back by a reversal, and may be settled again."""
    book.listed(*rest("C9"), as_of="2026-05-29")
    report = book.listed(*rest(C9="80.00"), as_of="2026-05-30")
    assert report.listed == {"restored": 1}
    assert book.open_cents()["C9"] == 8_000
    reversal = book.one(Payment, kind="reversal")
    assert reversal.reverses_id == book.one(Payment, kind="settled_unknown").id
    assert (reversal.amount_cents, reversal.booked_on) == (8_000, day("2026-05-30"))
    book.listed(*rest("C9"))
    assert book.open_cents()["C9"] == 0
    assert [row.amount_cents for row in book.rows(Payment, kind="settled_unknown")] == [10_000, 8_000]


def test_the_newest_is_taken_back_first(book: Loading) -> None:
    """An amount that rises again takes back what lists booked, the newest first."""
    book.listed(*rest(C1="70.00"), as_of="2026-05-29")
    book.listed(*rest(C1="50.00"), as_of="2026-05-30")
    book.listed(*rest(C1="75.00"))
    newest, older = book.rows(Payment, kind="reversal")
    assert [newest.amount_cents, older.amount_cents] == [2_000, 500]
    assert book.open_cents()["C1"] == 7_500


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("120.00", "the claim itself is 100.00"), ("100.00", "import its reversal")],
)
def test_more_than_can_be_taken_back_is_refused(book: Loading, amount: str, expected: str) -> None:
    """A list never edits history: above what lists took off a row is refused with its field, and does not vanish."""
    book.payments(a_payment("P1", amount="30.00", claim_id="C1", booked_on="2026-05-20"))
    report = book.listed(*rest(C1=amount))
    (fault,) = book.rejects(report)
    assert (fault["row"], fault["field"], fault["value"]) == ("3", "principal", amount)
    assert fault["expected"].startswith("at most 70.00") and expected in fault["expected"]
    assert book.open_cents()["C1"] == 7_000
    assert (report.known_until, book.one(Creditor).payments_until_on) == (None, day("2026-05-28"))


def test_what_is_booked_after_the_lists_day_is_no_concern_of_it(book: Loading) -> None:
    """A payment of a later day stays beside the list, and nothing is ever paid twice over."""
    book.payments(
        a_payment("P1", amount="40.00", claim_id="C1", booked_on="2026-06-02"),
        a_payment("P2", amount="90.00", claim_id="C2", booked_on="2026-06-02"),
    )
    report = book.listed(*rest("C3", C2="50.00"))
    assert report.listed == {"settled": 1, "lowered": 1}
    assert (book.open_cents()["C1"], book.open_cents()["C2"], book.open_cents()["C3"]) == (6_000, 0, 0)


def test_a_claim_of_a_later_day_cannot_be_in_the_list(book: Loading) -> None:
    """A claim that was invoiced after the list's day does not vanish."""
    book.claims(a_claim("NEW", invoice_on="2026-06-01", due_on="2026-06-15"))
    book.listed(*rest())
    assert book.open_cents()["NEW"] == 10_000


def test_a_correction_by_a_person_is_no_payment(book: Loading) -> None:
    """A list is compared with the source's own amount; what a person corrected it to stays between us."""
    row = book.one(Claim, external_id="C1")
    with book.app.store.transaction() as conn:
        conn.execute(
            table_of(Claim).update().where(table_of(Claim).c.id == row.id).values(principal_cents=8_000)
        )
        conn.execute(
            table_of(Edit).insert(),
            {
                "entity": "claim",
                "entity_id": row.id,
                "field": "principal_cents",
                "value": "8000",
                "source_value": "10000",
                "actor": "staff:test",
                "at": datetime(2026, 5, 30, tzinfo=UTC),
            },
        )
    assert book.listed(*rest(), as_of="2026-05-30").unchanged == 10
    assert book.open_cents()["C1"] == 8_000
    book.listed(*rest("C1"))
    assert book.open_cents()["C1"] == 0


def test_a_refused_row_does_not_vanish(book: Loading) -> None:
    """A row that cannot be taken names its claim still: it is not settled, and the day is not known."""
    rows = rest("C9")
    rows[1] |= {"due_on": "yesterday"}
    report = book.listed(*rows)
    assert (report.refused, report.listed, report.known_until) == (1, {"settled": 1}, None)
    assert book.open_cents()["C1"] == 10_000
    assert book.open_cents()["C9"] == 0


def test_nothing_vanishes_where_a_row_names_no_claim(book: Loading) -> None:
    """A row that nobody can read may be any claim that is missing: none is settled, and the report says why."""
    rows = rest("C9", C2="10.00")
    rows[3] |= {"claim_id": "1,2E+11"}
    report = book.listed(*rows)
    assert (report.listed, report.known_until) == ({"lowered": 1, "unreadable": 5}, None)
    assert any("row 5 names no claim" in line for line in report.lines())
    assert (book.open_cents()["C9"], book.open_cents()["C3"]) == (10_000, 10_000)


def test_a_claim_stands_in_a_list_once(book: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two amounts for one claim cannot both be right: the second is refused, in one batch or in two."""
    for batch in (1_000, 1):
        for module in ("open_items", "list_survey"):
            monkeypatch.setattr(f"outreach.intake.{module}.BATCH", batch)
        report = book.listed(*rest(), item("C1", "60.00"), item("X", "5.00"), item("X", "6.00"))
        assert [(fault["row"], fault["field"]) for fault in book.rejects(report)] == [
            ("12", "claim_id"),
            ("14", "claim_id"),
        ]
        assert (book.open_cents()["C1"], book.open_cents()["X"]) == (10_000, 500)


def test_a_credit_note_in_the_list_is_open_there(book: Loading) -> None:
    """While it is listed its claim is listed in full; once it is used the claim is listed for less."""
    credit = item("K1", "20.00", kind="credit_note", credits_invoice="F-C1")
    for _ in range(2):
        report = book.listed(*rest(), credit, as_of="2026-05-29")
        assert (report.refused, book.open_cents()["C1"]) == (0, 8_000)
    half = item("K1", "10.00", kind="credit_note", credits_invoice="F-C1")
    report = book.listed(*rest(C1="90.00"), half, as_of="2026-05-30")
    assert (report.refused, report.listed, book.open_cents()["C1"]) == (0, {}, 8_000)
    report = book.listed(*rest(C1="80.00"))
    assert (report.refused, report.listed, book.open_cents()["C1"]) == (0, {}, 8_000)


def test_rows_without_an_amount_ask_nothing(book: Loading) -> None:
    """A settled bill that a program still lists is no new claim; the VAT of a bill may be more than what is left."""
    report = book.listed(*rest(), item("PAID", "0.00"), item("VAT", "5.00", vat="17.36"))
    assert (report.added, report.unchanged, report.refused) == (1, 11, 0)
    assert "PAID" not in book.open_cents()


def test_a_list_is_of_one_creditor(book: Loading) -> None:
    """What is missing can only be told of one creditor; a list without rows must say whose it is."""
    with pytest.raises(FileError, match="row 12 is of the creditor 'OTHER'"):
        book.listed(*rest(), item("C1", creditor="OTHER"))
    with pytest.raises(FileError, match="names no creditor"):
        book.listed()
    header = {name: "" for name in a_claim() if name != "creditor"}
    assert book.listed(header, creditor_code="WOON").put_aside == "vanishing"


# Put aside


@pytest.mark.parametrize(
    ("claims", "gone", "aside"),
    [(3, 2, False), (3, 3, True), (9, 3, True), (10, 2, False), (20, 4, False), (20, 5, True)],
)
def test_a_list_in_which_too_much_vanishes_is_put_aside(
    loading: Loading, claims: int, gone: int, aside: bool
) -> None:
    """More than a fifth of the open claims must be looked at by a person; of fewer than ten, more than two."""
    rows = [item(f"C{number}") for number in range(claims)]
    loading.listed(*rows, as_of="2026-05-28")
    before = loading.open_cents()
    report = loading.listed(*rows[gone:], item("NEW"), creditor_code=None)
    if not aside:
        assert (report.put_aside, report.listed["settled"]) == ("", gone)
        return
    assert (report.put_aside, report.rows, loading.open_cents()) == ("vanishing", 0, before)
    assert loading.one(Creditor).payments_until_on == day("2026-05-28")
    pause = loading.one(Stop)
    assert (pause.kind, pause.scope, pause.creditor_id, pause.reason_code, pause.lifted_at) == (
        "hold",
        "creditor",
        loading.one(Creditor).id,
        "open_items_aside",
        None,
    )
    task = loading.one(Task)
    assert (task.kind, task.reason_code, task.closed_at) == ("open_items_aside", "vanishing", None)
    assert [row.put_aside for row in loading.rows(ImportRun)] == ["", "vanishing"]


def test_amounts_of_nothing_count_as_vanished(book: Loading) -> None:
    """A list in which everything is nought is as odd as an empty one."""
    assert book.listed(*rest(C0="0", C1="0", C2="0")).put_aside == "vanishing"


@pytest.mark.parametrize(
    ("as_of", "is_trial", "aside"),
    [
        ("2026-05-27", True, "older_than_last_list"),
        ("2026-05-28", True, ""),
        ("2026-05-28", False, "old"),
        ("2026-05-29", False, ""),
    ],
)
def test_an_old_list_is_put_aside(book: Loading, as_of: str, is_trial: bool, aside: str) -> None:
    """A list of before the last one, or of more than three days ago, says too little; a trial's may be of any day."""
    loading = book if is_trial else book.real()
    assert loading.listed(*rest("C9"), as_of=as_of).put_aside == aside
    assert (book.open_cents()["C9"] == 0) is (aside == "")


def test_a_person_takes_a_list_all_the_same(book: Loading) -> None:
    """With a person's word the list is taken, under their name; the pause ends, and its task with it."""
    for _ in range(2):
        assert book.listed(*rest("C1", "C2", "C3")).put_aside == "vanishing"
    assert len(book.rows(Stop)) == len(book.rows(Task)) == 1
    with pytest.raises(Refused, match="job:nightly"):
        book.listed(*rest("C1", "C2", "C3"), accept=True, actor="job:nightly")
    report = book.listed(*rest("C1", "C2", "C3"), accept=True, actor="staff:els")
    assert (report.put_aside, report.listed["settled"]) == ("", 3)
    assert (book.one(Stop).lifted_by, book.one(Task).closed_by) == ("staff:els", "staff:els")
    with book.app.store.reading() as conn:
        entry = table_of(LogEntry)
        said = conn.execute(select(entry.c.actor).where(entry.c.reasons == '["vanishing"]')).scalars().all()
    assert said == ["staff:test", "staff:test", "staff:els"]


def test_the_next_good_list_ends_the_pause(book: Loading) -> None:
    """A better list is taken as any other, and sending goes on."""
    book.listed(*rest("C1", "C2", "C3"))
    book.listed(*rest("C1"))
    assert book.one(Stop).lifted_at is not None
    assert book.one(Task).closed_code == "list_taken"


def test_a_list_of_an_earlier_day_can_be_accepted(book: Loading) -> None:
    """The book becomes what that list says; what is taken back is so on the day it was booked, not before."""
    book.listed(*rest("C9", C1="60.00"), as_of="2026-05-31")
    book.listed(*rest(C1="70.00"), as_of="2026-05-29", accept=True)
    assert (book.open_cents()["C1"], book.open_cents()["C9"]) == (7_000, 10_000)
    assert {row.booked_on for row in book.rows(Allocation)} == {day("2026-05-31")}
    assert book.one(Creditor).payments_until_on == day("2026-05-31")


def test_a_dry_run_keeps_nothing(book: Loading) -> None:
    """It tells what would be settled, and leaves the book, the tasks and the stops as they are."""
    before = book.everything()
    report = book.listed(*rest("C9", C1="60.00"), dry_run=True)
    assert (report.listed, report.changed) == ({"settled": 1, "lowered": 1}, 1)
    assert report.book is not None and sum(age.cents for age in report.book.ages) == 86_000
    assert book.listed(*rest("C1", "C2", "C3"), dry_run=True).put_aside == "vanishing"
    assert book.everything() == before
    assert book.rows(Task) == []


# Broken off


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_run_that_breaks_off_is_finished_by_the_next(
    book: Loading, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """Wherever it stops, what it did stands, its day is not known yet, and the next run does the rest, once."""
    rows = rest("C8", "C9", C1="60.00", C2="70.00")
    monkeypatch.setattr("outreach.intake.open_items.BATCH", 4)
    monkeypatch.setattr("outreach.intake.open_items.GROUP", 9)
    real, left = open_items._settle_page, [batches]

    def breaking(*args: object, **options: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("outreach.intake.open_items._settle_page", breaking)
        if batches < 3:
            with pytest.raises(KeyboardInterrupt):
                book.listed(*rows)
            assert book.one(Creditor).payments_until_on == day("2026-05-28")
        else:
            book.listed(*rows)
    report = book.listed(*rows)
    assert (report.known_until, book.one(Creditor).payments_until_on) == (day("2026-05-31"),) * 2
    assert [book.open_cents()[number] for number in ("C1", "C2", "C8", "C9")] == [6_000, 7_000, 0, 0]
    assert sorted((row.kind, row.amount_cents) for row in book.rows(Payment)) == [
        ("payment", 3_000),
        ("payment", 4_000),
        ("settled_unknown", 10_000),
        ("settled_unknown", 10_000),
    ]


# The arithmetic

cents = st.integers(0, 20_000)


@given(
    principal=st.integers(1, 20_000),
    paid=st.lists(st.integers(1, 8_000), max_size=3),
    later=st.integers(-5_000, 5_000),
    taken=st.lists(st.integers(1, 8_000), max_size=3),
    told=cents,
)
def test_a_list_brings_a_claim_to_its_amount_or_is_refused(
    principal: int, paid: list[int], later: int, taken: list[int], told: int
) -> None:
    """After the changes the claim's amount on that day is the list's; nothing goes below nothing, or is made up."""
    open_on = principal - sum(paid) - sum(taken)
    there = Standing(
        claim_id=1,
        debtor_id=1,
        currency="EUR",
        principal=principal,
        corrected=0,
        open_on=open_on,
        open_now=open_on - later,
        taken=[Taken(number, day("2026-05-01"), amount) for number, amount in enumerate(taken)],
    )
    found = change(told, there)
    if isinstance(found, Fault):
        assert told > open_on + sum(taken)
        return
    assert all(one.cents > 0 for one in found)
    off = sum(one.cents for one in found if one.of is None)
    back = sum(one.cents for one in found if one.of is not None)
    assert not (off and back)
    assert all(one.of is None or one.cents <= one.of.cents for one in found)
    assert off <= max(there.open_now, 0)
    if told >= open_on or there.open_now >= open_on - told:
        assert open_on - off + back == told
    there.open_on, there.open_now = open_on - off + back, there.open_now - off + back
    assert off == 0 or change(told, there) == [] or there.open_now <= 0


@given(
    open_on=st.integers(-5_000, 20_000),
    open_now=st.integers(-5_000, 20_000),
    corrected=st.integers(-500, 500),
)
def test_settling_never_takes_more_than_is_open(open_on: int, open_now: int, corrected: int) -> None:
    """What vanished is settled for what was open on the list's day and still is."""
    there = Standing(1, 1, "EUR", 20_000, corrected, open_on, open_now)
    took = sum(one.cents for one in settle(there))
    assert took == max(min(open_on + corrected, open_now), 0)
    assert settle(there) in ([], [Change("settled_unknown", took)])


@hypothesis_settings(max_examples=50)
@given(keys=st.sets(st.integers(1, 5_000)), others=st.sets(st.integers(1, 50_000)))
def test_marks_hold_what_was_added(keys: set[int], others: set[int]) -> None:
    """A set in bits says of every key whether it is in it."""
    marks = Marks()
    marks.add(keys)
    assert {key for key in keys | others if key in marks} == keys
