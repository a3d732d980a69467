"""The commands about complaints and declarations as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from outreach.cli import complaints, declare
from outreach.cli.output import Output
from outreach.errors import NotFound, UsageError
from tests.outreach.casework.office import NOW, Office

Command = Callable[..., Any]


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command and return what it prints as JSON; what it refuses is raised."""
    office.live(NOW)
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(office.settings.data_dir))
    monkeypatch.setenv("OUTREACH_DATABASE_URL", office.settings.database_url)
    app = typer.Typer()
    complaints.register(app)
    declare.register(app)

    def running(*arguments: str, lines: bool = False) -> Any:
        done = CliRunner().invoke(app, list(arguments), obj=Output(as_json=not lines))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output if lines else json.loads(done.output)

    return running


def test_a_complaint_from_the_telephone_to_its_answer(run: Command) -> None:
    """Taken in, listed, confirmed by hand, shown with what was said, answered, and kept in the register."""
    said = ("complaint", "add", "--debtor", "JAN", "--cause", "rude_call", "--channel", "telephone")
    made = run(*said, "--note", "hij schreeuwde", "--owner", "department:Klachten")["complaint"]
    [row] = run("complaint", "list")
    assert (row["pseudonym"], row["creditor"], row["debtor"]) == (made, "WOON", "JAN")
    text = run("complaint", "list", lines=True)
    assert all(part in text for part in (made[:8], "by Wed 2026-11-25 17:00", "2026-12-07", "dossier"))
    assert run("complaint", "list", "--state", "late", "--creditor", "WOON") == []
    assert run("complaint", "confirm", made[:8]) == {"confirmed": made}
    assert run("complaint", "show", made[:8])["said"] == "hij schreeuwde"
    told = run("complaint", "answer", made[:8], "--outcome", "partly", "--note", "sorry", lines=True)
    assert told == f"Complaint {made[:8]} is answered: partly.\n"
    assert run("complaint", "list") == []
    assert [row["outcome"] for row in run("complaint", "list", "--state", "all")] == ["partly"]
    assert "answer:\nsorry" in run("complaint", "show", made[:8], lines=True)
    with pytest.raises(UsageError, match="--state"):
        run("complaint", "list", "--state", "x")


def test_the_scheme_in_both_languages(run: Command) -> None:
    """A dispute scheme that was declared stands in it."""
    run("declare", "add", "dispute_scheme", "--about", "De Commissie", "--reference", "map 1")
    assert "De Commissie" in run("complaint", "scheme", "--creditor", "WOON")["text"]
    assert "complaint about Woonstichting" in run(
        "complaint", "scheme", "--creditor", "WOON", "--language", "en", lines=True
    )
    with pytest.raises(UsageError, match="--language"):
        run("complaint", "scheme", "--creditor", "WOON", "--language", "fr")
    with pytest.raises(NotFound, match="no creditor"):
        run("complaint", "scheme", "--creditor", "NOBODY")


def test_a_declaration_is_listed_until_it_is_withdrawn(run: Command) -> None:
    """With its end, whose it is, and where it is kept."""
    said = ("declare", "add", "processor_contract", "--about", "Print House", "--reference", "map 7")
    made = run(*said, "--until", "2099-01-01", "--creditor", "WOON")["declared"]
    [row] = run("declare", "list", "--creditor", "WOON")
    assert (row["pseudonym"], row["until_on"], row["creditor"]) == (made, "2099-01-01", "WOON")
    assert "map 7" in run("declare", "list", lines=True)
    assert run("declare", "withdraw", made[:8]) == {"withdrawn": made}
    assert run("declare", "list") == []
