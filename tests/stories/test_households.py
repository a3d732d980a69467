"""Households and hard cases: what happens in people's lives, and how it must end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.letter.outbox import OutboxLetters
from channels.protocol import HandedOver, ReceiptKind
from outreach import tables
from outreach.bootstrap import TRIAL_RETURNS, opened
from outreach.casework import arrangements, conversations, corrections, disputes, parties, stop_orders
from outreach.casework.disputes import Dispute
from outreach.casework.grounds import Whose
from outreach.casework.stop_orders import Order
from outreach.casework.targets import Named, person_by_id
from outreach.config import Settings
from tests import builders as make
from tests.outreach.intake.loads import Loading, a_payment
from tests.stories.scenes import AMSTERDAM, ANS, DAY, FRIDAY, MONDAY, Scene, morning

JAN = Named(debtor="D1")
JAN_MAIL, SAM_MAIL = "d1@example.net", "sam@example.net"
HOME = "Kogge 1\n1657 KA Abbekerk"
FIRST = (MONDAY, {"F1": "reminder"})
WEEK = 7 * DAY


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A creditor that reminds one day after the due date and a week later."""
    return Scene(Settings(data_dir=tmp_path / "data"))


@pytest.fixture
def on_both(settings: Settings) -> Scene:
    """The same on each database."""
    return Scene(settings)


def stop(scene: Scene, kind: str, named: Named = JAN, **values: Any) -> str:
    """Somebody at work sets a stop at noon."""
    return scene.do(lambda conn: stop_orders.add(conn, Order(kind, named, **values), ANS, scene.now))[0]


def lift(scene: Scene, made: str) -> None:
    """And lifts it."""
    scene.do(lambda conn: stop_orders.lift(conn, made, "", ANS, scene.now))


def with_sam(scene: Scene) -> tuple[make.Debtor, int, str]:
    """Jan and Sam rent together; one bill of theirs is open. Returns Jan, the bill and Sam's pseudonym."""
    jan = scene.debtor()
    claim = scene.claim(jan, "F1")
    who = parties.Newcomer("Sam Bakker", email=SAM_MAIL)
    sam = scene.do(lambda conn: parties.add(conn, JAN, "co_debtor", who, make.KEYS, ANS, scene.now))
    return jan, claim, sam


def test_co_tenants_are_told_each_and_paid_for_both(on_both: Scene) -> None:
    """Each gets a message of their own, by their own name; what one pays counts for both."""
    jan, claim, _ = with_sam(on_both)
    on_both.days(2)
    assert on_both.reminders(JAN_MAIL) == on_both.reminders(SAM_MAIL) == [FIRST]
    names = {one.to: ("Jan de Vries" in one.text, "Sam Bakker" in one.text) for one in on_both.said()}
    assert names[JAN_MAIL][1] is False
    assert names[SAM_MAIL][0] is False
    on_both.pay(jan, claim, 10_000)
    on_both.days(20)
    assert on_both.reminders(JAN_MAIL) == on_both.reminders(SAM_MAIL) == [FIRST]


def test_the_stop_of_one_co_tenant_stops_not_the_other(scene: Scene) -> None:
    """Sam objects and hears nothing more; Jan gets his second reminder."""
    _, _, sam = with_sam(scene)
    scene.days(2)
    stop(scene, "objection", Named(person=sam))
    scene.days(20)
    assert scene.reminders(SAM_MAIL) == [FIRST]
    assert scene.reminders(JAN_MAIL) == [FIRST, (MONDAY + WEEK, {"F1": "reminder_again"})]


def test_a_couple_that_parts(scene: Scene) -> None:
    """Who left the dossier hears nothing more of it; who stayed goes on where they stood."""
    _, _, sam = with_sam(scene)
    scene.days(2)
    scene.do(lambda conn: parties.end(conn, replace(JAN, person=sam), None, ANS, scene.now))
    scene.days(20)
    assert scene.reminders(SAM_MAIL) == [FIRST]
    assert scene.reminders(JAN_MAIL) == [FIRST, (MONDAY + WEEK, {"F1": "reminder_again"})]


def test_somebody_who_died(on_both: Scene) -> None:
    """Nothing is sent in their name any more, whatever becomes due."""
    jan = on_both.debtor()
    on_both.claim(jan, "F1")
    on_both.days(2)
    stop(on_both, "deceased", on=MONDAY)
    on_both.claim(jan, "F2", due=MONDAY + DAY)
    on_both.days(30)
    assert on_both.reminders() == [FIRST]
    assert on_both.outcome()[0] == "stopped"


def test_a_death_is_work_for_somebody(scene: Scene) -> None:
    """An open bill of somebody who died is not forgotten: a person finds out who settles the estate."""
    scene.claim(scene.debtor(), "F1")
    scene.days(1)
    stop(scene, "deceased", on=MONDAY)
    scene.days(3)
    assert scene.tasks() == ["representative"]


def test_under_administration(scene: Scene) -> None:
    """The debtor is written to no more, and a person finds out who represents them."""
    scene.claim(scene.debtor(), "F1")
    scene.days(2)
    stop(scene, "representative")
    scene.days(20)
    assert scene.reminders() == [FIRST]
    assert scene.tasks() == ["representative"]


def test_a_minor_who_comes_of_age(scene: Scene) -> None:
    """Nothing is asked of a child; from the birthday on which they are 18 the ladder begins, with the friendly step."""
    birthday = date(2026, 12, 5)
    jan = scene.debtor(date_of_birth=birthday.replace(year=2008))
    scene.claim(jan, "F1")
    stop(scene, "minor")
    scene.until(birthday - DAY)
    assert scene.said() == []
    (row,) = scene.rows(tables.claims.Stop)
    assert row.until_at == datetime.combine(birthday, time(), AMSTERDAM).astimezone(UTC)
    scene.days(1)
    assert scene.reminders() == [(birthday, {"F1": "reminder"})]


def by_letter(scene: Scene, address: str, **values: Any) -> make.Debtor:
    """A debtor who wants letters at an address."""
    jan = scene.debtor(preferred_channel="letter", **values)
    scene.do(lambda conn: make.a_point(conn, jan.person_id, address, "letter"))
    return jan


def test_a_protected_address_stays_where_it_is_needed(scene: Scene) -> None:
    """It stands on the envelope of a letter, and in no mail, log entry or task."""
    jan = scene.debtor()
    scene.do(lambda conn: make.a_point(conn, jan.person_id, HOME, "letter"))

    def protect(conn: Any) -> None:
        who = person_by_id(conn, jan.person_id)
        corrections.correct_person(conn, who, {"address_protected": True}, {}, make.KEYS, ANS, scene.now)

    scene.do(protect)
    scene.claim(jan, "F1")
    scene.days(10)
    assert [on for on, _ in scene.reminders(JAN_MAIL)] == [MONDAY, MONDAY + WEEK]
    assert not any("Kogge" in one.text for one in scene.said())
    for model in (tables.correspondence.LogEntry, tables.operations.Task):
        assert not any("Kogge" in str(row) for row in scene.rows(model))


def test_a_protected_address_is_a_pause_of_nothing(scene: Scene) -> None:
    """Told as a fact it protects the address; the debtor is reminded by e-mail as before."""
    scene.claim(scene.debtor(), "F1")
    stop(scene, "address_protected")
    scene.days(2)
    assert scene.reminders(JAN_MAIL) == [FIRST]


def returned_address() -> str:
    """An address from which a trial's letters come back."""
    channel = OutboxLetters(Path(), **TRIAL_RETURNS)
    at = morning(MONDAY)
    for number in range(1, 2_000):
        address = f"Kogge {number}\n1657 KA Abbekerk"
        handed = [HandedOver("0" * 32, address, at)]
        if ReceiptKind.RETURNED in {one.kind for one in channel.receipts(handed, at + 30 * DAY)}:
            return address
    raise AssertionError("no letter ever comes back")


def test_moved_without_an_address(on_both: Scene) -> None:
    """The letter comes back: what it told counts no more, nothing else is sent, and a person looks for an address."""
    jan = by_letter(on_both, returned_address(), email=None)
    on_both.claim(jan, "F1")
    on_both.days(26)
    sent = on_both.reminders()
    assert sent[0] == FIRST
    assert {"returned_mail"} <= set(on_both.tasks())
    assert {row.state for row in on_both.rows(tables.messages.Attempt)} == {"returned"}
    assert on_both.outcome()[0] == "task"
    stop(on_both, "moved")
    assert "address_wanted" in on_both.tasks()
    on_both.days(10)
    assert on_both.reminders() == sent


def test_a_letter_that_comes_back_is_told_again_by_mail(scene: Scene) -> None:
    """With another way left, the same step goes over it: the friendly one, not the second."""
    jan = by_letter(scene, returned_address())
    scene.claim(jan, "F1")
    scene.days(25)
    assert scene.reminders(JAN_MAIL)[0][1] == {"F1": "reminder"}


def test_a_business_that_is_insolvent(scene: Scene) -> None:
    """It is written to no more: the claim goes to the trustee, by a person."""
    firm = scene.debtor(kind="business", name="Bakkerij De Korenaar B.V.")
    scene.claim(firm, "F1")
    scene.days(2)
    stop(scene, "insolvent")
    scene.claim(firm, "F2", due=MONDAY)
    scene.days(20)
    assert scene.reminders() == [FIRST]
    assert scene.outcome() == ("stopped", "stop_insolvent")


def book(scene: Scene, folder: Path, *rows: dict[str, object]) -> None:
    """Import bookings of today, as the bank or the bookkeeping tells them."""
    with opened(scene.settings) as app:
        told = [row | {"booked_on": scene.today.isoformat()} for row in rows]
        report = Loading(app, folder).payments(*told, now=scene.now)
    assert report.refused == 0


def test_a_direct_debit_that_is_reversed(on_both: Scene, tmp_path: Path) -> None:
    """What was collected is open again: a signal says why, and the reminder comes by the strategy, friendly."""
    jan = on_both.debtor()
    on_both.claim(jan, "F1", direct_debit=True)
    on_both.today = FRIDAY
    book(on_both, tmp_path, a_payment("P1", claim_id="F1"))
    on_both.until(MONDAY + DAY)
    assert on_both.reminders() == []
    back = a_payment("P2", kind="reversal", reverses_id="P1", reason_code="AM04")
    book(on_both, tmp_path, back)
    (signal,) = on_both.rows(tables.claims.Signal)
    assert (signal.kind, signal.on_date) == ("direct_debit_reversed", on_both.today)
    on_both.days(2)
    assert on_both.reminders() == [(MONDAY + 2 * DAY, {"F1": "reminder"})]


def test_a_reversed_direct_debit_starts_help_early(tmp_path: Path) -> None:
    """A strategy that starts on the signal offers help two days later, well before its own day."""
    scene = Scene(Settings(data_dir=tmp_path / "data"), strategy="early_signal")
    jan = scene.debtor()
    scene.claim(jan, "F1", direct_debit=True)
    scene.today = FRIDAY
    book(scene, tmp_path, a_payment("P1", claim_id="F1"))
    scene.until(MONDAY)
    book(scene, tmp_path, a_payment("P2", kind="reversal", reverses_id="P1", reason_code="AM04"))
    scene.days(5)
    (mail,) = scene.asked()
    assert (mail.on, mail.tone) == (MONDAY + 2 * DAY, "help")


def test_paid_the_same_day(on_both: Scene) -> None:
    """The mail lay ready and had not left; the payment of that day takes it back."""
    jan = on_both.debtor()
    claim = on_both.claim(jan, "F1")
    on_both.made_ready(morning(MONDAY))
    on_both.today = MONDAY
    on_both.pay(jan, claim, 10_000)
    on_both.tick(on_both.now)
    on_both.days(10)
    assert on_both.reminders() == []
    assert {row.state for row in on_both.rows(tables.messages.Attempt)} == {"withdrawn"}


def test_a_copy_of_the_invoice_is_asked(scene: Scene) -> None:
    """Until the copy has gone nothing is asked; somebody has to send it; then the second reminder follows."""
    scene.claim(scene.debtor(), "F1")
    scene.days(2)
    due_on = scene.today + 3 * DAY
    scene.do(
        lambda conn: conversations.note(conn, JAN, "Wil een kopie van F1", ANS, scene.now, due_on=due_on)
    )
    made = stop(scene, "hold", Named(claim="F1"), reason="document_wanted", tell=True)
    assert scene.tasks() == ["note"]
    scene.days(20)
    assert scene.reminders() == [FIRST]
    assert [one.template for one in scene.said()] == ["friendly_reminder", "pause_confirmed"]
    lift(scene, made)
    scene.days(2)
    assert scene.reminders()[1:] == [(scene.today - DAY, {"F1": "reminder_again"})]


def test_a_dispute_that_is_rejected(on_both: Scene) -> None:
    """Its receipt and its answer are told, nothing is asked meanwhile, and the ladder resumes at its step."""
    scene = on_both
    scene.claim(scene.debtor(), "F1")
    scene.days(2)
    new = Dispute(Named(claim="F1"), "wrong_amount", "techniek")
    made = scene.do(lambda conn: disputes.add(conn, new, ANS, scene.now))
    assert scene.tasks() == ["dispute"]
    scene.days(14)
    assert [one.template for one in scene.said()] == ["friendly_reminder", "dispute_received"]

    def reject(conn: Any) -> None:
        row = disputes.dispute_of(conn, made, Named())
        disputes.decide(conn, row, "rejected", None, None, ANS, scene.now)

    scene.do(reject)
    assert scene.tasks() == []
    scene.days(14)
    said = [one.template for one in scene.said()][2:]
    assert said == ["dispute_answered", "friendly_reminder"]
    assert [steps["F1"] for _, steps in scene.reminders()] == ["reminder", "reminder_again"]


def test_a_promise_that_is_broken(scene: Scene) -> None:
    """It holds until its day and its grace are over; then the second reminder comes, never the first again."""
    jan = scene.debtor()
    scene.claim(jan, "F1")
    scene.days(2)
    on = MONDAY + 10 * DAY
    whose = Whose(jan.dossier_id, jan.person_id, "EUR", ())
    scene.do(lambda conn: arrangements.promise(conn, whose, on, ANS, scene.now))
    scene.until(on + 5 * DAY)
    assert scene.reminders() == [FIRST]
    scene.days(10)
    (row,) = scene.rows(tables.claims.Arrangement)
    assert row.state == "broken"
    assert scene.reminders()[1:] == [(on + 6 * DAY, {"F1": "reminder_again"})]
    assert [row.kind for row in scene.rows(tables.claims.Signal)] == ["promise_broken"]


def test_a_final_energy_bill_that_nets_advances(on_both: Scene, tmp_path: Path) -> None:
    """The open advance is credited and the paid ones come off the final bill: only the rest is asked, once."""
    scene = on_both
    jan = scene.debtor(contract="ENERGIE-1")
    scene.claim(jan, "V10", 9_000, MONDAY - 20 * DAY, kind="recurring")
    scene.days(1)
    assert scene.reminders() == [(MONDAY, {"V10": "reminder"})]
    scene.claim(jan, "EIND", 30_000, MONDAY + 2 * DAY, kind="final_bill")
    book(
        scene,
        tmp_path,
        a_payment("C1", claim_id="V10", amount="90.00", kind="credit_note"),
        a_payment("C2", claim_id="EIND", amount="180.00", kind="credit_note"),
    )
    scene.days(8)
    asked = scene.reminders()[1:]
    assert [steps for _, steps in asked] == [{"EIND": "reminder"}]
    (mail,) = scene.asked()[1:]
    assert "€ 120,00" in mail.text
    assert "300,00" not in mail.text
    assert "V10" not in mail.text


def test_more_credited_than_was_open(on_both: Scene, tmp_path: Path) -> None:
    """The rest lies unplaced with work for a person; while it does, nothing is asked, of a new bill neither."""
    scene = on_both
    jan = scene.debtor()
    scene.claim(jan, "F1")
    scene.today = FRIDAY
    book(scene, tmp_path, a_payment("C1", claim_id="F1", amount="150.00", kind="credit_note"))
    (row,) = scene.rows(tables.claims.Payment)
    assert row.unplaced_cents == 5_000
    scene.until(MONDAY)
    assert scene.tasks() == ["unplaced_payment"]
    scene.claim(jan, "F2", due=MONDAY)
    scene.days(timedelta(days=20).days)
    assert scene.said() == []
    assert scene.outcome() == ("stopped", "unplaced_payment")
