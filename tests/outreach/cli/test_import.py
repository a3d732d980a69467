"""`outreach import`: its options, what it prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from outreach.cli import app
from outreach.config import Settings
from outreach.errors import Refused, UsageError
from tests.installations import initialise

HEADER = "debtor_id;debtor_name;claim_id;invoice_number;invoice_on;due_on;principal;currency\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a trial database."""
    settings = Settings(data_dir=tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(settings.data_dir))
    initialise(settings, is_trial=True)
    return tmp_path


def outreach(*words: str) -> Result:
    """Run an import; what a person can mend is raised."""
    result = CliRunner().invoke(app, [*words])
    if isinstance(result.exception, (UsageError, Refused)):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def a_list(folder: Path, *numbers: int, amount: str = "100,00") -> str:
    """A list of open items as a spreadsheet writes it."""
    rows = [f"D1;Zoë;C{n};F{n};2026-03-01;2026-04-01;{amount};EUR\n" for n in numbers]
    path = folder / "list.csv"
    path.write_bytes("".join(["sep=;\n", HEADER, *rows]).encode("cp1252"))
    return str(path)


def test_a_list_is_taken_put_aside_and_accepted(here: Path) -> None:
    """Exit status 0 where it is taken, 1 where a person must look; the lines say what happened and what to do."""
    options = ("--creditor", "WOON", "--mode", "open-items", "--as-of", "2026-04-10")
    first = outreach("import", "claims", a_list(here, *range(10)), *options)
    assert first.exit_code == 0
    assert "10 open-items rows: 10 added" in first.output
    assert "was read as Windows-1252: look whether names read well" in first.output
    assert "10 claims open, EUR 1000.00" in first.output
    dry = outreach("import", "claims", a_list(here, *range(7)), *options, "--dry-run")
    aside = outreach("import", "claims", a_list(here, *range(7)), *options)
    assert dry.exit_code == aside.exit_code == 1
    assert "PUT ASIDE: more than a fifth of the open claims are not in it" in aside.output
    assert "--accept" in aside.output
    taken = outreach("import", "claims", a_list(here, *range(7)), *options, "--accept")
    assert taken.exit_code == 0
    assert "3 claims are no longer in the list: settled, nobody says how" in taken.output
    assert "payments are known up to and including 2026-04-10" in taken.output


def test_machines_get_the_same_in_json(here: Path) -> None:
    """With --json the whole report is one value, amounts in cents."""
    options = ("--creditor", "WOON", "--mode", "open-items", "--as-of", "2026-04-10", "--dry-run")
    report = json.loads(outreach("--json", "import", "claims", a_list(here, 1, 2), *options).output)
    assert (report["added"], report["put_aside"], report["first"]["added"]) == (2, "", [3, 4])
    (age,) = report["book"]["ages"]
    assert (age["currency"], age["claims"], age["cents"]) == ("EUR", 2, 20_000)
    assert (report["book"]["unreachable"], report["book"]["unreachable_first"]) == (1, ["D1"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mode", "open-items"), "needs --as-of"),
        (("--as-of", "2026-04-10"), "add --mode open-items"),
        (("--accept",), "add --mode open-items"),
        (("--mode", "open-items", "--as-of", "10-4-2026"), "is no date"),
    ],
)
def test_options_that_do_not_fit_are_refused(here: Path, words: tuple[str, ...], said: str) -> None:
    """A list without its day says nothing, and a file of rows to add has none."""
    with pytest.raises(UsageError, match=said):
        outreach("import", "claims", a_list(here, 1), "--creditor", "WOON", *words)


def test_facts_are_imported_too(here: Path) -> None:
    """A facts file has a command of its own, with the same report."""
    options = ("--creditor", "WOON")
    outreach("import", "claims", a_list(here, 1), *options)
    facts = here / "facts.csv"
    facts.write_text(
        "debtor_id,kind,from,until,reference\nD1,hold,2026-04-01,2026-05-01,\n", encoding="utf-8"
    )
    result = outreach("import", "facts", str(facts), *options)
    assert (result.exit_code, "1 facts rows: 1 added" in result.output) == (0, True)
