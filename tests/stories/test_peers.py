"""What other dunning software does wrong, each as a story that must end well here: behaviours A to H, and more."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from outreach import tables
from outreach.config import Settings
from outreach.correspondence.log import keep_artefact
from outreach.dunning import strategy
from outreach.store.types import table_of
from tests import builders as make
from tests.stories.scenes import DAY, FRIDAY, MONDAY, Scene, morning

LEGAL = "reminders_then_legal"
HOUR = timedelta(hours=1)


@pytest.fixture
def scene(settings: Settings) -> Scene:
    """A creditor on each database that reminds one day after the due date and a week later."""
    return Scene(settings)


@pytest.fixture
def legal(tmp_path: Path) -> Scene:
    """A creditor that goes from a friendly reminder to legal steps, at 5, 15 and 30 days."""
    return Scene(Settings(data_dir=tmp_path / "data"), strategy=LEGAL)


@pytest.fixture
def no_relay() -> str:
    """A relay on this machine that nobody answers at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"smtp://127.0.0.1:{port}?timeout=1&patience=1"


def test_a_four_runs_on_one_day_make_one_friendly_mail(settings: Settings) -> None:
    """A: forty days overdue and run four times, the debtor reads one mail, the friendly one."""
    scene = Scene(settings, strategy=LEGAL)
    jan = scene.debtor()
    scene.claim(jan, "F1", due=MONDAY - 40 * DAY)
    scene.tick(*(morning(MONDAY) + n * HOUR for n in range(4)))
    (mail,) = scene.said()
    assert (mail.template, mail.tone, mail.steps) == ("friendly_reminder", "friendly", {"F1": "reminder"})


def test_b_four_invoices_make_one_mail_that_lists_them(scene: Scene) -> None:
    """B: one debtor, one mail, four lines and their sum."""
    jan = scene.debtor()
    for n in range(1, 5):
        scene.claim(jan, f"F{n}", 1_000 * n, FRIDAY - n * DAY)
    scene.days(1)
    (mail,) = scene.said()
    assert mail.steps == {f"F{n}": "reminder" for n in range(1, 5)}
    for shown in ("F1", "F2", "F3", "F4", "€ 10,00", "€ 20,00", "€ 30,00", "€ 40,00", "€ 100,00"):
        assert shown in mail.text


def test_c_a_part_payment_shows_in_the_amount(scene: Scene) -> None:
    """C: of € 100 with € 60 paid, the mail asks € 40 and names no other amount."""
    jan = scene.debtor()
    scene.pay(jan, scene.claim(jan, "F1"), 6_000, FRIDAY)
    scene.days(1)
    (mail,) = scene.said()
    assert "€ 40,00" in mail.text
    assert "100,00" not in mail.text


def test_d_what_is_paid_is_asked_no_more(scene: Scene) -> None:
    """D: fully paid, nothing is said, not even an empty mail."""
    jan = scene.debtor()
    scene.pay(jan, scene.claim(jan, "F1"), 10_000, FRIDAY)
    scene.days(14)
    assert scene.said() == []


def test_e_paid_between_two_runs(scene: Scene) -> None:
    """E: a payment between the first reminder and the second ends it."""
    jan = scene.debtor()
    claim = scene.claim(jan, "F1")
    scene.days(1)
    scene.pay(jan, claim, 10_000)
    scene.days(20)
    assert [one.on for one in scene.asked()] == [MONDAY]


def test_e2_paid_while_the_mail_lay_ready(scene: Scene) -> None:
    """E2: a mail that was made ready is withdrawn when the payment comes in, and nothing goes."""
    jan = scene.debtor()
    claim = scene.claim(jan, "F1")
    scene.made_ready(morning(MONDAY))
    scene.today = MONDAY
    scene.pay(jan, claim, 10_000)
    scene.tick(morning(MONDAY) + 3 * HOUR)
    scene.days(10)
    assert scene.said() == []
    assert {row.state for row in scene.rows(tables.messages.Attempt)} == {"withdrawn"}


def test_f_without_an_address_there_is_work(scene: Scene) -> None:
    """F: nobody can be written to, so a person is asked to find a way; nothing counts as told."""
    jan = scene.debtor(email=None)
    scene.claim(jan, "F1")
    scene.days(3)
    assert scene.said() == []
    assert scene.tasks() == ["no_contact_point"]
    assert scene.outcome() == ("task", "no_contact_point")
    scene.do(lambda conn: make.a_point(conn, jan.person_id, "jan@example.net"))
    scene.days(1)
    assert scene.reminders() == [(scene.today, {"F1": "reminder"})]


@pytest.mark.slow
def test_g_with_the_relay_down_nothing_is_told(scene: Scene, no_relay: str) -> None:
    """G: the attempt stays ready, nothing is handed over and no step counts as told; G2: the first is friendly."""
    jan = scene.debtor()
    scene.claim(jan, "F1", due=MONDAY - 40 * DAY)
    down = replace(scene.settings, smtp_url=no_relay)
    reports = scene.tick(morning(MONDAY), morning(MONDAY + DAY), settings=down)
    assert [report.sent for report in reports] == [0, 0]
    attempts = scene.rows(tables.messages.Attempt)
    assert [row.state for row in attempts if row.state != "withdrawn"].count("ready") == 1
    assert {row.state for row in attempts} <= {"ready", "withdrawn", "expired"}
    assert [row.handed_over_at for row in attempts] == [None] * len(attempts)
    types = [row.type for row in scene.rows(tables.correspondence.LogEntry)]
    assert "accepted" not in types
    scene.today = MONDAY + DAY
    scene.days(1)
    assert scene.reminders() == [(scene.today, {"F1": "reminder"})]
    assert scene.said()[0].tone == "friendly"


def test_h_money_that_is_not_placed_is_not_asked_again(scene: Scene) -> None:
    """H: four times € 100 and € 100 unplaced: nothing is asked until a person has placed it, and then € 300."""
    jan = scene.debtor()
    claims = [scene.claim(jan, f"F{n}", due=FRIDAY - (9 - n) * DAY) for n in range(1, 5)]
    paid = scene.unplaced(jan, 10_000)
    scene.days(3)
    assert scene.said() == []
    assert scene.tasks() == ["unplaced_payment"]
    scene.place(paid, claims[0])
    scene.days(1)
    (mail,) = scene.asked()
    assert set(mail.steps) == {"F2", "F3", "F4"}
    assert "€ 300,00" in mail.text


@pytest.mark.parametrize("age", [6, 16, 40, 400])
def test_the_second_level_is_never_the_first_message(legal: Scene, age: int) -> None:
    """However old the claim is, it begins with the friendly reminder, and one day never has two levels."""
    jan = legal.debtor()
    legal.claim(jan, "F1", due=MONDAY - age * DAY)
    legal.tick(*(morning(MONDAY) - 2 * HOUR + n * HOUR for n in range(10)))
    legal.today = MONDAY
    legal.days(45)
    said = [(one.on, one.steps["F1"]) for one in legal.said()]
    ladder = ["reminder", "second_reminder", "formal_notice"]
    assert [step for _, step in said] == ladder
    days = [on for on, _ in said]
    assert days[0] == MONDAY
    assert days[1] >= days[0] + 7 * DAY
    assert days[2] >= days[1] + 10 * DAY
    assert legal.tasks() == ["approve"], "the final notice waits for a person"


def test_an_outage_of_a_month_is_caught_up_by_one_message(legal: Scene) -> None:
    """What fell due in between stands in one message; the next level takes its own distance again."""
    jan = legal.debtor()
    legal.claim(jan, "F1", due=MONDAY - 5 * DAY)
    legal.days(1)
    for n, due in enumerate((MONDAY, MONDAY + 8 * DAY, MONDAY + 20 * DAY), start=2):
        legal.claim(jan, f"F{n}", due=due)
    back = date(2027, 1, 4)
    legal.today = back - DAY
    legal.tick(*(morning(back) + n * HOUR for n in range(4)))
    assert legal.reminders()[1:] == [
        (back, {"F1": "second_reminder", "F2": "reminder", "F3": "reminder", "F4": "reminder"})
    ]
    legal.today = back
    legal.days(6)
    assert len(legal.reminders()) == 2
    legal.days(30)
    days = [on for on, _ in legal.reminders()]
    assert all(later - earlier >= 5 * DAY for earlier, later in pairwise(days))
    assert "formal_notice" in [steps.get("F1") for _, steps in legal.reminders()]


def test_a_part_payment_changes_amounts_and_no_history(scene: Scene) -> None:
    """The second reminder comes on its day as the second one, and asks what is left."""
    jan = scene.debtor()
    claim = scene.claim(jan, "F1")
    scene.days(2)
    scene.pay(jan, claim, 6_000)
    scene.until(MONDAY + 14 * DAY)
    assert scene.reminders() == [(MONDAY, {"F1": "reminder"}), (MONDAY + 7 * DAY, {"F1": "reminder_again"})]
    again = scene.asked()[-1]
    assert "€ 40,00" in again.text
    assert "100,00" not in again.text


@pytest.mark.parametrize(("left", "reminded"), [(499, False), (500, True)])
def test_below_the_tolerance_there_is_silence(tmp_path: Path, left: int, reminded: bool) -> None:
    """A few cents are worth no mail; from the tolerance on they are asked."""
    scene = Scene(Settings(data_dir=tmp_path / "data"), tolerance_cents=500)
    jan = scene.debtor()
    scene.pay(jan, scene.claim(jan, "F1"), 10_000 - left, FRIDAY)
    scene.days(10)
    assert bool(scene.said()) is reminded


def months(scene: Scene, *dues: date) -> None:
    """The rent of these months, of one contract."""
    jan = scene.debtor(contract="HUUR-1")
    for due in dues:
        scene.claim(jan, f"H{due:%m}", 60_000, due, kind="recurring")
    scene.until(date(2026, 12, 19))


def test_a_new_month_adds_no_message_and_starts_nothing_anew(tmp_path: Path) -> None:
    """December joins the trajectory of October and November where that stands; the days are those without it."""
    october, november, december = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
    without = Scene(Settings(data_dir=tmp_path / "two"), strategy=LEGAL)
    months(without, october, november)
    three = Scene(Settings(data_dir=tmp_path / "three"), strategy=LEGAL)
    months(three, october, november, december)
    assert [on for on, _ in three.reminders()] == [on for on, _ in without.reminders()]
    assert [steps for _, steps in three.reminders()] == [
        {"H10": "reminder", "H11": "reminder"},
        {"H10": "second_reminder", "H11": "second_reminder"},
        {"H10": "formal_notice", "H11": "formal_notice", "H12": "formal_notice"},
    ]


QUICK = b"""
name = "friendly_pair"
title = "Firm at once"

[[steps]]
id = "firm_at_once"
after_due_days = 1
tone = "firm"
template = "firm_reminder"
"""


def put_in_force(conn: Connection, body: bytes, scene: Scene) -> None:
    """A person changes the strategy that is in force."""
    version = strategy.read(body, "test")
    keep_artefact(conn, "strategy", version.strategy.name, body, scene.now)
    table = table_of(tables.operations.StrategyInForce)
    values = {"hash": version.hash, "at": scene.now, "actor": "staff:ans"}
    conn.execute(update(table).where(table.c.name == version.strategy.name).values(**values))


def test_a_running_trajectory_stays_on_its_version(scene: Scene) -> None:
    """A strategy that is changed half-way is for new trajectories; the running one goes on as it began."""
    jan, piet = scene.debtor(), scene.debtor("D2")
    scene.claim(jan, "F1")
    scene.days(2)
    scene.do(lambda conn: put_in_force(conn, QUICK, scene))
    scene.claim(piet, "F2", due=MONDAY)
    scene.days(20)
    assert scene.reminders("d1@example.net") == [
        (MONDAY, {"F1": "reminder"}),
        (MONDAY + 7 * DAY, {"F1": "reminder_again"}),
    ]
    assert scene.reminders("d2@example.net") == [(MONDAY + 2 * DAY, {"F2": "firm_at_once"})]
