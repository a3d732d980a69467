"""Strategies of one's own: put in force, chosen for whom, moved to; and what they come to on real dates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import update
from typer.testing import CliRunner

from consent.packs import shipped_packs
from outreach import tables
from outreach.casework import strategies
from outreach.casework.targets import dossiers_of
from outreach.cli import settings_of_a_call, strategy
from outreach.dunning.strategy import FORMAL, read, shipped, shipped_names
from outreach.errors import NotFound, UsageError
from outreach.insight.forecast import forecast
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, JAN, NOW, PIET, Office

NL = shipped_packs()["NL"]
HOLIDAYS = {date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1), date(2027, 3, 29)}

OWN = """
name = "own"
title = "One friendly reminder"

[[steps]]
id = "only"
after_due_days = 3
tone = "friendly"
template = "friendly_reminder"
"""
BODY = OWN.encode()

Command = Callable[..., Any]


def added(office: Office, body: bytes = BODY) -> str:
    """Put a version in force; return its hash."""
    return office.run(lambda conn: strategies.add(conn, body, "own.toml", ANNA, NOW)).hash


def test_a_version_is_kept_and_in_force(office: Office) -> None:
    """A new version replaces the one in force, the old one stays kept; the same bytes again change nothing."""
    first = added(office)
    second = added(office, BODY + b"\n")
    added(office, BODY + b"\n")
    assert office.row(tables.operations.StrategyInForce, name="own").hash == second
    kept = {row.hash for row in office.rows(tables.correspondence.Artefact, kind="strategy", name="own")}
    assert kept == {first, second}
    assert office.entries("strategy_changed") == [
        ("strategy_changed", ["own", first[:16]]),
        ("strategy_changed", ["own", second[:16]]),
    ]
    assert office.run(lambda conn: strategies.version_in_force(conn, "own")).hash == second


@pytest.mark.parametrize(
    ("sound", "faulty", "named"),
    [
        ('name = "own"', 'name = "friendly_pair"', "name: 'friendly_pair' comes with the service"),
        ('"friendly_reminder"', '"no_such"', "step 'only': template: 'no_such'"),
        ('"friendly_reminder"', '"fourteen_day_letter"', "step 'only': template: 'fourteen_day_letter'"),
        ('"friendly_reminder"', '"payment_confirmed"', "step 'only': template: 'payment_confirmed'"),
        ("after_due_days = 3", "", "step 'only': the first step needs after_due_days"),
    ],
)
def test_what_is_refused_leaves_what_is_in_force(office: Office, sound: str, faulty: str, named: str) -> None:
    """A shipped name, a template that can't be sent, a fault of shape: named, and nothing is changed."""
    before = added(office)
    with pytest.raises(UsageError, match=f"own.toml: {named}"):
        added(office, OWN.replace(sound, faulty).encode())
    assert office.row(tables.operations.StrategyInForce, name="own").hash == before
    assert office.row(tables.operations.StrategyInForce, name="friendly_pair").actor == "job:shipped"


def test_the_narrowest_choice_wins(office: Office) -> None:
    """A dossier's own choice goes before its segment's, and that before the creditor's; each is an entry."""
    added(office)
    jan = office.run(lambda conn: dossiers_of(conn, JAN))
    office.run(lambda conn: conn.execute(update(make.dossier).values(segment="social")))

    def use(name: str, **whom: Any) -> None:
        office.run(lambda conn: strategies.use(conn, name, "WOON", ANNA, NOW, **whom))

    use("own")
    use("early_signal", segment="social")
    use("result_first", segment="social")
    use("reminders_then_legal", dossiers=jan)
    assert office.row(tables.parties.Creditor).strategy == "own"
    assert office.row(tables.operations.SegmentStrategy).strategy == "result_first"
    assert [row.strategy for row in office.rows(tables.parties.Dossier)] == ["reminders_then_legal", None]
    assert [reasons for _, reasons in office.entries("strategy_changed")][1:] == [
        ["own", "creditor"],
        ["early_signal", "segment"],
        ["result_first", "segment"],
        ["reminders_then_legal", "dossier"],
    ]
    for fault, whom in [("no_such", {}), ("own", {"segment": "typo"})]:
        with pytest.raises((NotFound, UsageError), match=r"no_such|typo"):
            use(fault, **whom)
    with pytest.raises(UsageError, match="not both"):
        use("own", segment="social", dossiers=jan)


def test_what_runs_stays_on_its_version_until_it_is_moved(office: Office) -> None:
    """Reminded by the pair, Jan is reminded by it again; Piet, moved, stands at the end of a ladder of one."""
    office.live(NOW)
    added(office)
    office.run(lambda conn: strategies.use(conn, "own", "WOON", ANNA, NOW))
    piet = office.run(lambda conn: dossiers_of(conn, PIET))
    office.run(lambda conn: strategies.move(conn, piet, ANNA, NOW + DAY))
    office.live(*(NOW + n * DAY for n in range(2, 12)))
    assert office.told() == [
        ("F1", "reminder"),
        ("F2", "reminder"),
        ("F3", "reminder"),
        ("F1", "reminder_again"),
        ("F2", "reminder_again"),
    ]
    assert [row.moved_at for row in office.rows(tables.parties.Dossier)] == [None, NOW + DAY]
    assert office.entries("trajectory_moved") == [("trajectory_moved", [])]


@pytest.mark.parametrize("name", shipped_names())
@pytest.mark.parametrize("due_on", [date(2026, 12, 24), date(2027, 3, 26), date(2026, 10, 23)])
def test_a_forecast_keeps_the_window_and_the_interval(name: str, due_on: date) -> None:
    """Over Christmas, Easter and the change of the clock: no Sunday, no holiday, five days between."""
    for branch in forecast(shipped(name).strategy, due_on, NL, "Europe/Amsterdam", 5):
        days = [planned.on for planned in branch.steps if planned.on is not None]
        assert len(days) == len(branch.steps) and days == sorted(days) and days[0] > due_on
        assert not [day for day in days if day.weekday() == 6 or day in HOLIDAYS]
        said = [one.on for one in branch.steps if one.step.kind == "message" and one.on is not None]
        assert all((later - earlier).days >= 5 for earlier, later in pairwise(said))


def test_a_forecast_of_reminders_then_legal_is_its_dates() -> None:
    """Due on 1 December: 5, 15 and 30 days after, later where that is a Sunday; then a final notice and a decision."""
    [branch] = forecast(
        shipped("reminders_then_legal").strategy, date(2026, 12, 1), NL, "Europe/Amsterdam", 5
    )
    assert [(one.step.id, str(one.on)) for one in branch.steps] == [
        ("reminder", "2026-12-07"),
        ("second_reminder", "2026-12-16"),
        ("formal_notice", "2026-12-31"),
        ("final_notice", "2027-01-15"),
        ("handover", "2027-02-01"),
    ]


def test_a_forecast_of_result_first_goes_formal_in_one_branch_only() -> None:
    """Only who could and won't comes to a formal step; nobody is handed over without an answer."""
    found = forecast(shipped("result_first").strategy, date(2026, 12, 1), NL, "Europe/Amsterdam", 5)
    formal = [one.triage for one in found if any(planned.step.rank >= FORMAL for planned in one.steps)]
    assert formal == [("formal",)]
    assert {word for one in found for word in one.triage} == {"open", "help", "plan", "formal", "department"}


def test_a_forecast_waits_for_a_signal_and_for_the_interval() -> None:
    """Where only a signal starts it no date is known; two messages two days apart are put five days apart."""
    second = '\n[[steps]]\nid = "two"\nafter_previous_days = 2\ntone = "friendly"\ntemplate = "help_offer"\n'
    near = read((OWN + second).encode(), "own.toml").strategy
    [branch] = forecast(near, date(2026, 12, 1), NL, "Europe/Amsterdam", 5)
    assert [str(one.on) for one in branch.steps] == ["2026-12-04", "2026-12-09"]
    waits = OWN.replace("after_due_days = 3\n", "") + second + '\n[[starts]]\nsignal = "money_trouble"\n'
    [branch] = forecast(
        read(waits.encode(), "own.toml").strategy, date(2026, 12, 1), NL, "Europe/Amsterdam", 5
    )
    assert [(one.step.id, one.on) for one in branch.steps] == [("only", None), ("two", None)]


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command and return what it prints."""
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(office.settings.data_dir))
    monkeypatch.setenv("OUTREACH_DATABASE_URL", office.settings.database_url)
    app = typer.Typer()
    app.callback()(settings_of_a_call)
    strategy.register(app)

    def running(*arguments: str, lines: bool = False) -> Any:
        done = CliRunner().invoke(app, [*([] if lines else ["--json"]), "strategy", *arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output if lines else json.loads(done.output)

    return running


def test_the_commands_from_file_to_move(office: Office, run: Command, tmp_path: Path) -> None:
    """Add, list, show, use, move: each prints what it did, for people and for machines."""
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    assert run("add", str(file))["added"] == "own"
    assert [row["name"] for row in run("list")] == [*shipped_names(), "own"]
    [branch] = run("show", "own", "--due", "2026-12-01")["branches"]
    assert [(row["step"], row["on"]) for row in branch["steps"]] == [("only", "2026-12-04")]
    text = run("show", "call_before_handover", "--due", "2026-12-01", lines=True)
    assert "Tue 2026-12-08 07:00" in text and "If nobody answers:" in text and "a person decides" in text
    run("use", "own", "--creditor", "WOON", "--debtor", "JAN")
    assert [row.strategy for row in office.rows(tables.parties.Dossier)] == ["own", None]
    assert run("move", "--debtor", "JAN") == {"moved": 1}
    for arguments, named in [
        (("show", "no_such"), "no_such"),
        (("use", "own"), "--creditor"),
        (("move",), "--debtor"),
        (("add", str(tmp_path / "absent.toml")), "can't be read"),
    ]:
        with pytest.raises((NotFound, UsageError), match=named):
            run(*arguments)
