"""What a person decided about one bill, or a debtor agreed on, leaves no other bill and no other debtor in silence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from outreach import tables
from outreach.casework import approvals, arrangements, disputes
from outreach.casework.grounds import Whose
from outreach.casework.results import record
from outreach.casework.targets import Named
from outreach.casework.tasks import task_of
from outreach.config import Settings
from tests import builders as make
from tests.stories.scenes import ANS, DAY, Scene

LEGAL = "reminders_then_legal"


def decided(scene: Scene, kind: str, *, approved: bool) -> None:
    """Answer the open task of a kind."""
    (row,) = scene.rows(tables.operations.Task, kind=kind, closed_at=None)
    scene.do(
        lambda conn: approvals.answer(
            conn,
            task_of(conn, row.pseudonym),
            approved=approved,
            reason="",
            note=None,
            actor=ANS,
            now=scene.now,
        )
    )


def until_task(scene: Scene, kind: str, days: int = 120) -> None:
    """Live on until a person is asked for something."""
    for _ in range(days):
        if kind in scene.tasks():
            return
        scene.days(1)
    pytest.fail(f"nobody was asked for {kind}")


@pytest.fixture
def at_handover(tmp_path: Path) -> tuple[Scene, make.Debtor]:
    """A debtor whose one bill was told every step; the question of handover lies on a desk."""
    scene = Scene(Settings(data_dir=tmp_path / "data"), strategy=LEGAL)
    jan = scene.debtor("D1")
    scene.claim(jan, "F1")
    until_task(scene, "approve")
    decided(scene, "approve", approved=True)
    until_task(scene, "handover")
    return scene, jan


@pytest.mark.parametrize("approved", [True, False])
def test_a_younger_bill_has_its_reminders_after_a_handover_is_decided(
    at_handover: tuple[Scene, make.Debtor], approved: bool
) -> None:
    """Whatever was decided of the old bill, the new one begins friendly; what is handed over is asked no more."""
    scene, jan = at_handover
    decided(scene, "handover", approved=approved)
    before = len(scene.asked())
    scene.claim(jan, "F2", due=scene.today - DAY)
    scene.days(8)
    (new,) = scene.asked()[before:]
    assert new.steps == ({"F2": "reminder"} if approved else {"F1": "listed", "F2": "reminder"})
    assert ("F1" in new.text) is not approved
    assert scene.rows(tables.operations.Task, kind="handover", closed_at=None) == []


def test_a_bill_that_comes_due_later_is_decided_on_its_own(at_handover: tuple[Scene, make.Debtor]) -> None:
    """A yes to the handover of one bill hands over no other: the next one is asked about again."""
    scene, jan = at_handover
    decided(scene, "handover", approved=True)
    scene.claim(jan, "F2", due=scene.today - DAY)
    until_task(scene, "approve")
    decided(scene, "approve", approved=True)
    until_task(scene, "handover")


def test_a_refused_step_leaves_the_other_bills_theirs(tmp_path: Path) -> None:
    """A final notice that a person refused is not sent, and the younger bill is reminded as ever."""
    scene = Scene(Settings(data_dir=tmp_path / "data"), strategy=LEGAL)
    jan = scene.debtor("D1")
    scene.claim(jan, "F1")
    until_task(scene, "approve")
    decided(scene, "approve", approved=False)
    scene.claim(jan, "F2", due=scene.today - DAY)
    before = len(scene.asked())
    scene.days(8)
    (new,) = scene.asked()[before:]
    assert (new.tone, new.steps) == ("friendly", {"F1": "listed", "F2": "reminder"})


def call(scene: Scene, **answers: str) -> None:
    """Take down what somebody said on the telephone."""
    until_task(scene, "call")
    (row,) = scene.rows(tables.operations.Task, kind="call", closed_at=None)
    scene.do(
        lambda conn: record(
            conn,
            task_of(conn, row.pseudonym),
            answers,
            reached=True,
            note=None,
            actor=ANS,
            now=scene.now,
        )
    )


CANNOT = {"will": "yes", "means": "nothing", "self_direction": "with_help", "room": "no"}
DISAGREES = {"will": "disagrees", "means": "all", "self_direction": "self", "room": "yes"}


def test_who_was_helped_is_not_forgotten_at_the_end_of_the_ladder(tmp_path: Path) -> None:
    """After the last step for somebody who can't pay, a person says how to go on."""
    scene = Scene(Settings(data_dir=tmp_path / "data"), strategy="result_first")
    scene.claim(scene.debtor("D1"), "F1")
    call(scene, **CANNOT)
    until_task(scene, "trajectory_ended")
    assert scene.asked()[-1].tone == "help"


def test_an_answered_dispute_lets_the_debtor_go_on(tmp_path: Path) -> None:
    """Whom a call had sent to a department is reminded again once the department has answered."""
    scene = Scene(Settings(data_dir=tmp_path / "data"), strategy="result_first")
    scene.claim(scene.debtor("D1"), "F1")
    call(scene, **DISAGREES)
    new = disputes.Dispute(Named(claim="F1"), "not_delivered", "repairs")
    made = scene.do(lambda conn: disputes.add(conn, new, ANS, scene.now))
    scene.days(3)
    row = scene.do(lambda conn: disputes.dispute_of(conn, made, Named()))
    scene.do(lambda conn: disputes.decide(conn, row, disputes.REJECTED, None, None, ANS, scene.now))
    (party,) = scene.rows(tables.parties.DossierParty)
    assert party.triage == "open"
    scene.days(10)
    assert [one.steps for one in scene.asked()] == [{"F1": "reminder"}]


def test_payments_of_one_day_are_thanked_for_together(tmp_path: Path) -> None:
    """One thank-you names the sum, says what is left of everything that is due, and comes once."""
    scene = Scene(Settings(data_dir=tmp_path / "data"))
    jan = scene.debtor("D1")
    first, second = scene.claim(jan, "F1", 10_000), scene.claim(jan, "F2", 5_000)
    scene.days(1)
    scene.pay(jan, first, 10_000)
    scene.pay(jan, second, 2_000)
    scene.days(5)
    (thanks,) = [one for one in scene.said() if one.template == "payment_confirmed"]
    assert "€ 120,00" in thanks.text
    assert "€ 30,00" in thanks.text
    assert "niets meer te betalen" not in thanks.text


def test_nobody_reads_that_nothing_is_left_while_another_bill_is_due(tmp_path: Path) -> None:
    """Who paid one of two bills is thanked, and told what is still open of the other."""
    scene = Scene(Settings(data_dir=tmp_path / "data"))
    jan = scene.debtor("D1")
    first = scene.claim(jan, "F1", 10_000)
    scene.claim(jan, "F2", 5_000)
    scene.days(1)
    scene.pay(jan, first, 10_000)
    scene.days(2)
    (thanks,) = [one for one in scene.said() if one.template == "payment_confirmed"]
    assert "€ 50,00" in thanks.text
    assert "niets meer te betalen" not in thanks.text


def test_a_plan_about_old_bills_silences_no_new_one(tmp_path: Path) -> None:
    """While a plan runs its bills wait; a bill that comes later begins friendly, and alone."""
    scene = Scene(Settings(data_dir=tmp_path / "data"), strategy=LEGAL)
    jan = scene.debtor("D1", contract="C1")
    scene.claim(jan, "F1", 30_000, due=date(2026, 10, 1), kind="recurring")
    scene.days(30)
    whose = Whose(jan.dossier_id, jan.person_id, "EUR")
    scene.do(lambda conn: arrangements.plan(conn, whose, ANS, scene.now, parts=6))
    told = len(scene.asked())
    scene.claim(jan, "F2", 10_000, due=scene.today - DAY, kind="recurring")
    scene.days(10)
    assert [one.steps for one in scene.asked()[told:]] == [{"F2": "reminder"}]
