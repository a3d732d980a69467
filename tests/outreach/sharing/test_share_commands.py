"""The commands of sharing as a person types them: what they print, what they write, and how they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import update
from typer.testing import CliRunner

from outreach.cli import app
from outreach.errors import NotFound, OutreachError, Refused, UsageError
from outreach.sharing import agreements
from outreach.store.tables.operations import Installation
from outreach.store.types import table_of
from tests.outreach.sharing.scene import (
    NOW,
    Disclosure,
    EarlySignal,
    Office,
    approved_handover,
)

Command = Callable[..., Any]


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command and return what it prints as JSON; what it refuses is raised. The trial's clock stands at NOW."""
    office.run(lambda conn: conn.execute(update(table_of(Installation)).values(trial_now=NOW)))
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(office.settings.data_dir))
    monkeypatch.setenv("OUTREACH_DATABASE_URL", office.settings.database_url)

    def running(*arguments: str, lines: bool = False) -> Any:
        done: Result = CliRunner().invoke(app, [*([] if lines else ["--json"]), "share", *arguments])
        if isinstance(done.exception, OutreachError):
            raise done.exception
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output if lines else json.loads(done.output)

    return running


def in_force(run: Command, folder: Path, name: str) -> str:
    """Print an example, keep it and approve it, as a first user does."""
    path = folder / f"{name}.toml"
    path.write_text(run("agreement", "example", name, lines=True), "utf-8")
    made = run("agreement", "add", str(path), "--as", "staff:anna")
    run("agreement", "approve", made["agreement"], "--as", "staff:bea")
    return str(made["agreement"])


def test_an_agreement_from_file_to_end(office: Office, run: Command, tmp_path: Path) -> None:
    """Example, add, approve, list, show, withdraw."""
    assert run("agreement", "example", lines=True).split() == list(agreements.examples())
    code = in_force(run, tmp_path, "early_signal")
    [row] = run("agreement", "list")
    assert (row["code"], row["state"], row["approved_by"]) == (code, "in_force", "staff:bea")
    assert "Gemeente Voorbeeldstad" in run("agreement", "list", lines=True)
    assert "places: Voorbeeldstad" in run("agreement", "show", code, lines=True)
    run("agreement", "withdraw", code)
    assert run("agreement", "list")[0]["state"] == "withdrawn"
    with pytest.raises(NotFound):
        run("agreement", "show", "nothing")
    with pytest.raises(UsageError, match="can't be read"):
        run("agreement", "add", str(tmp_path / "absent.toml"))


def test_a_signal_from_list_to_end(office: Office, run: Command, tmp_path: Path) -> None:
    """List, refuse with what is missing, send, withdraw, feedback: each prints and writes what it did."""
    in_force(run, tmp_path, "early_signal")
    [due] = run("signals")["to_send"]
    assert due["missing"] == ["signal_personal_contact"]
    assert "signal_personal_contact" in run("signals", lines=True)
    out = tmp_path / "out"
    with pytest.raises(Refused, match="no signal was sent: signal_personal_contact"):
        run("signal", "--debtor", "JAN", "--out", str(out))
    assert not out.exists()
    [refused] = run("ledger", "--debtor", "JAN")["refused"]
    assert "signal_personal_contact" in refused["reasons"]
    CliRunner().invoke(
        app, ["log", "add", "--kind", "conversation", "--out", "--debtor", "JAN", "--text", "We rang."]
    )
    run("answer", "--debtor", "JAN", "--said", "yes", "--method", "telephone")
    made = run("signal", "--debtor", "JAN", "--out", str(out))
    assert json.loads(Path(made["file"]).read_bytes())["data"]["creditor"] == [{"reference": "JAN"}]
    assert run("signals") == {"to_send": [], "to_withdraw": []}
    [sent] = run("signals", "--sent")
    assert (sent["pseudonym"], sent["closed_code"]) == (made["signal"], "")
    run("feedback", made["signal"][:8], "--code", "offer_made")
    with pytest.raises(UsageError):
        run("feedback", made["signal"][:8], "--code", "is_ill")
    with pytest.raises(UsageError, match="a signal, or --paid"):
        run("withdraw", "--out", str(out))
    assert run("withdraw", "--paid", "--out", str(out)) == {"withdrawn": []}
    [path] = run("withdraw", made["signal"], "--reason", "mistake", "--out", str(out))["withdrawn"]
    assert json.loads(Path(path).read_bytes())["withdraws"] == made["signal"]
    assert [row["kind"] for row in run("ledger", "--debtor", "JAN")["disclosed"]] == [
        "early_signal",
        "withdrawal",
    ]
    assert "Gemeente Voorbeeldstad" in run("ledger", lines=True)
    assert office.row(EarlySignal).feedback_code == "offer_made"


def test_a_dossier_is_written_or_refused(office: Office, run: Command, tmp_path: Path) -> None:
    """Refused, it leaves no file; allowed, the folder holds the whole, and changes since are told."""
    code = in_force(run, tmp_path, "handover")
    out = tmp_path / "dossier"
    with pytest.raises(Refused, match="nothing was shared: handover_not_approved"):
        run("dossier", "--debtor", "JAN", "--agreement", code, "--out", str(out))
    assert not out.exists() and office.rows(Disclosure) == []
    office.run(lambda conn: approved_handover(conn))
    made = run("dossier", "--debtor", "JAN", "--agreement", code, "--out", str(out))
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == made["files"]
    with pytest.raises(Refused, match="not an empty folder"):
        run("dossier", "--debtor", "JAN", "--agreement", code, "--out", str(out))
    assert run("notices") == []
    CliRunner().invoke(app, ["correct", "--debtor", "JAN", "--name", "Jan Vries"])
    [notice] = run("notices")
    assert (notice["kind"], notice["fields"]) == ("rectified", ["party.name"])
    assert "to be told" in run("notices", lines=True)
    run("told", notice["notice"][:8])
    assert run("notices") == []
    assert run("notices", "--all")[0]["outcome"] == "told"


def test_the_sector_of_a_creditor(office: Office, run: Command) -> None:
    """It is set by its word; another is refused with those there are."""
    set_ = ["creditor", "set", "WOON", "--sector"]
    assert CliRunner().invoke(app, [*set_, "none"]).exit_code == 0
    assert run("signals")["to_send"] == []
    assert CliRunner().invoke(app, [*set_, "rent"]).exit_code == 0
    refused = CliRunner().invoke(app, [*set_, "taxes"]).exception
    assert isinstance(refused, UsageError)
    assert "expected one of rent, electricity" in str(refused)
