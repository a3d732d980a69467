"""The commands of casework as a person types them: what they print, in what form, and how they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from outreach import tables
from outreach.cli import casework, settings_of_a_call
from outreach.dunning.strategy import shipped
from outreach.errors import OutreachError, Refused, UsageError
from tests.outreach.casework.office import NOW, Office, a_task

Command = Callable[..., Any]


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command and return what it prints as JSON; what it refuses is raised."""
    office.live(NOW)
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(office.settings.data_dir))
    monkeypatch.setenv("OUTREACH_DATABASE_URL", office.settings.database_url)
    app = typer.Typer()
    app.callback()(settings_of_a_call)
    casework.register(app)
    log_app = typer.Typer()
    casework.register_log(log_app)
    app.add_typer(log_app, name="log")

    def running(*arguments: str, lines: bool = False) -> Any:
        done: Result = CliRunner().invoke(app, [*([] if lines else ["--json"]), *arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output if lines else json.loads(done.output)

    return running


def test_a_stop_from_order_to_end(office: Office, run: Command) -> None:
    """Add, list, lift, undo: each names the stop, and the list says who set it and what it is on."""
    [stop] = run(
        "stop", "add", "--kind", "hold", "--debtor", "JAN", "--until", "2026-12-01", "--as", "staff:bea"
    )["stops"]
    [listed] = run("stop", "list", "--debtor", "JAN")
    assert (listed["pseudonym"], listed["set_by"]) == (stop, "staff:bea")
    assert listed["until_at"].startswith("2026-11-30 23:00"), "the beginning of that day in Amsterdam"
    text = run("stop", "list", lines=True)
    assert stop[:8] in text and "staff:bea" in text and "Tue 2026-12-01 00:00" in text
    assert run("stop", "list", "--debtor", "PIET") == []
    run("stop", "lift", stop[:8], "--reason", "agreed")
    assert run("stop", "list") == []
    run("undo", office.entry("stop_lifted"))
    assert [row["pseudonym"] for row in run("stop", "list", "--kind", "hold")] == [stop]


def test_a_stop_on_an_address(office: Office, run: Command) -> None:
    """The address is known by the key of this installation, however it is written."""
    run("stop", "add", "--kind", "wrong_person", "--email", "JAN@EXAMPLE.net")
    row = office.row(tables.claims.Stop)
    assert row.scope == "contact_point" and row.address_key
    with pytest.raises(UsageError, match="one of --email"):
        run("stop", "add", "--kind", "wrong_person", "--email", "a@b.nl", "--phone", "0612345678")
    with pytest.raises(UsageError, match="--phone"):
        run("stop", "add", "--kind", "wrong_person", "--phone", "Jan")


def test_a_dispute_from_cause_to_answer(office: Office, run: Command) -> None:
    """Amounts are written as people write them; the answer says what was credited and what is open."""
    made = run(
        "dispute",
        "add",
        "--invoice",
        "F1",
        "--amount",
        "40,00",
        "--cause",
        "wrong_amount",
        "--department",
        "huur",
    )["stop"]
    assert office.row(tables.claims.Stop).amount_cents == 4_000
    said = run("dispute", "decide", made[:8], "--partly", "12.50", lines=True)
    assert said.strip() == "Dispute partly, EUR 12.50 is credited; open now EUR 87.50."
    with pytest.raises(UsageError, match="one of --rejected"):
        run("dispute", "decide", made, "--rejected", "--upheld")
    with pytest.raises(UsageError, match="--amount"):
        run("dispute", "add", "--invoice", "F2", "--amount", "x", "--cause", "c", "--department", "huur")


def test_a_correction_and_its_end(office: Office, run: Command) -> None:
    """Several fields in one command are one entry, and one undo."""
    fields = run(
        "correct",
        "--debtor",
        "JAN",
        "--name",
        "Jan  de Wit",
        "--phone",
        "06 1234 5678",
        "--street",
        "Dorpsstraat",
        "--house-number",
        "1",
        "--postcode",
        "1234ab",
        "--city",
        "Ede",
    )["corrected"]
    assert fields == ["name", "phone", "address"]
    points = {row.kind: row.value for row in office.rows(tables.parties.ContactPoint, person_id=1)}
    assert points["sms"] == "+31612345678" and points["letter"] == "Dorpsstraat 1\n1234 AB Ede"
    run("undo", office.entry("corrected"))
    assert office.rows(tables.parties.Person)[0].name == "Jan de Vries"
    run("correct", "--invoice", "F1", "--due-on", "2026-12-05")
    assert str(office.rows(tables.claims.Claim)[0].due_on) == "2026-12-05"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--debtor", "JAN", "--name", "   "], "--name"),
        (["--debtor", "JAN", "--email", "jan"], "--email"),
        (["--debtor", "JAN", "--language", "de"], "--language"),
        (["--debtor", "JAN", "--preferred-channel", "fax"], "--preferred-channel"),
        (["--debtor", "JAN", "--income-day", "32"], "--income-day"),
        (["--debtor", "JAN", "--city", "Ede"], "--street"),
        (["--debtor", "JAN", "--due-on", "2026-12-01"], "--claim or --invoice"),
        (["--claim", "F1", "--due-on", "2026-12-01", "--name", "Jan"], "a command of its own"),
        (["--debtor", "JAN"], "nothing to correct"),
        (["--name", "Jan"], "--debtor"),
    ],
)
def test_a_wrong_correction_names_the_option(
    office: Office, run: Command, arguments: list[str], message: str
) -> None:
    """And changes nothing."""
    with pytest.raises(OutreachError, match=message):
        run("correct", *arguments)
    assert office.rows(tables.parties.Edit) == []


def test_what_was_said_is_kept_from_a_file(office: Office, run: Command, tmp_path: Path) -> None:
    """A scan by its ending; what is of no kind that can be read again is refused, and so is nothing at all."""
    scan = tmp_path / "brief.pdf"
    scan.write_bytes(b"%PDF-1.7 brief")
    run("log", "add", "--kind", "scan", "--in", "--debtor", "JAN", "--file", str(scan), "--at", "2026-11-20")
    assert office.entries("received") == [("received", ["scan", "in"])]
    for arguments, message in (
        (["--file", str(tmp_path / "x.exe")], "ends in"),
        (["--file", str(tmp_path / "none.pdf")], "can't be read"),
        ([], "--text or --file"),
        (["--text", "a", "--file", str(scan)], "--text or --file"),
    ):
        with pytest.raises(UsageError, match=message):
            run("log", "add", "--kind", "scan", "--in", "--debtor", "JAN", *arguments)
    told = run(
        "log",
        "add",
        "--kind",
        "letter",
        "--out",
        "--debtor",
        "JAN",
        "--text",
        "Aanmaning",
        "--step",
        "reminder",
        "--signal",
        "money_trouble",
    )
    assert told["claims"] == 2
    assert run("note", "Belt morgen terug", "--debtor", "JAN", "--due", "2026-11-24")["task"]


def test_work_by_command(office: Office, run: Command) -> None:
    """The guide speaks the debtor's language; the result, the owner and the end are one command each."""
    version = shipped("result_first").hash
    call = office.run(lambda conn: a_task(conn, "call", 1, 1, step="call", strategy_hash=version))
    reply = office.run(lambda conn: a_task(conn, "reply", 1, 1, due_at=NOW))
    asked = run("task", "guide", call[:8])["questions"]
    assert asked[0]["question"].endswith("?") and "Wilt u" in asked[0]["question"]
    assert "--answer will=yes|no|disagrees" in run("task", "guide", call, lines=True)
    listed = run("task", "list")
    assert [(row["pseudonym"], row["overdue"], row["debtor"]) for row in listed] == [
        (reply, True, "JAN"),
        (call, False, "JAN"),
    ]
    run("task", "assign", reply, "staff:bea", "--due", "2026-11-25")
    assert [row["owner"] for row in run("task", "list", "--owner", "staff:bea")] == ["staff:bea"]
    run("task", "close", reply, "--code", "answered")
    run("task", "reopen", reply)
    assert run("task", "show", reply)["kind"] == "reply"
    answers = ["will=no", "means=all", "self_direction=self", "room=yes"]
    result = run(
        "task", "result", call, "--reached", *(part for one in answers for part in ("--answer", one))
    )
    assert (result["claims"], result["triage"]) == (2, "formal")
    with pytest.raises(UsageError, match="question=answer"):
        run("task", "result", reply, "--reached", "--answer", "yes")
    with pytest.raises(Refused, match="no call or visit"):
        run("task", "guide", reply)
    approve = office.run(lambda conn: a_task(conn, "approve", 1, 1, step="final_notice"))
    run("task", "approve", approve)
    with pytest.raises(Refused, match="closed already"):
        run("task", "refuse", approve, "--reason", "vulnerable")


def test_parties_by_command(office: Office, run: Command) -> None:
    """Who joins, who they are, and who leaves."""
    who = run("party", "add", "--debtor", "JAN", "--name", "Fatima", "--email", "f@example.net")["person"]
    run("party", "role", "guarantor", "--debtor", "JAN", "--person", who)
    run("party", "end", "--debtor", "JAN", "--from", "2026-12-01")
    rows = run("party", "list", "--debtor", "JAN")
    assert [(row["name"], row["role"]) for row in rows] == [
        ("Jan de Vries", "debtor"),
        ("Fatima", "guarantor"),
    ]
    assert rows[0]["until_at"].startswith("2026-11-30 23:00")
    assert "Fatima" in run("party", "list", "--debtor", "JAN", lines=True)
    with pytest.raises(UsageError, match="--email"):
        run("party", "add", "--debtor", "JAN", "--name", "X", "--email", "x")
