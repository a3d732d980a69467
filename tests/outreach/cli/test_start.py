"""`outreach init`: three questions or options, a warning, and the way to a first preview."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from outreach import bootstrap
from outreach.casework.days import civil_today
from outreach.cli import app
from outreach.cli.start import Answers, Reminds
from outreach.clock import machine_clock
from outreach.config import Settings
from outreach.errors import Refused, UsageError
from outreach.intake.errors import IntakeError
from outreach.store.tables.parties import Creditor
from outreach.store.types import table_of

OPTIONS = {
    "--name": "Bakkerij Jansén B.V.",
    "--iban": "NL91 ABNA 0417 1643 00",
    "--phone": "088 123 45 67",
    "--payments-until": "2026-01-31",
    "--bookkeeping-reminds": "no",
}
ANSWERS = [OPTIONS["--name"], OPTIONS["--iban"], OPTIONS["--phone"], "2026-01-31", "no"]
EXPORT = (
    "Klantnr;Klant;E-mail;Factuurnr;Factuurdatum;Vervaldatum;Openstaand\n"
    "7;Els Bakker;els@example.net;2026-1;01-10-2026;31-10-2026;1.084,50\n"
)


@pytest.fixture
def here(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A folder to work in, and a database that is not there yet, on each database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(settings.data_dir))
    if settings.database_url:
        monkeypatch.setenv("OUTREACH_DATABASE_URL", settings.database_url)
    return settings


def outreach(*words: str, answers: list[str] | None = None) -> Result:
    """Run a command; what a person can mend is raised."""
    typed = None if answers is None else "".join(f"{answer}\n" for answer in answers)
    result = CliRunner().invoke(app, list(words), input=typed)
    if isinstance(result.exception, (UsageError, Refused, IntakeError)):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def somebody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer from a terminal."""
    monkeypatch.setattr("outreach.cli.start._somebody_is_there", lambda: True)


def given(**changes: str | None) -> list[str]:
    """The options of a script, with these changes; None leaves one out."""
    options = OPTIONS | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [word for option, value in options.items() if value is not None for word in (option, value)]


def creditors(settings: Settings) -> list[Any]:
    """The creditors of the database."""
    with bootstrap.opened(settings) as opened, opened.store.reading() as conn:
        return list(conn.execute(select(table_of(Creditor))))


def test_a_script_gives_options(here: Settings) -> None:
    """With every option nothing is asked: the creditor is there with its details, and nothing is sent yet."""
    result = outreach("--json", "init", *given())
    (found,) = creditors(here)
    assert (found.code, found.name, found.iban) == (
        "BAKKERIJ_JANSEN",
        "Bakkerij Jansén B.V.",
        "NL91ABNA0417164300",
    )
    assert (found.phone, str(found.payments_until_on), found.sending) == (
        "088 123 45 67",
        "2026-01-31",
        False,
    )
    told = json.loads(result.stdout)
    assert (told["creditor"], told["sending"], told["trial"]) == ("BAKKERIJ_JANSEN", False, False)
    with bootstrap.opened(here) as opened:
        assert not opened.installed.sending


def test_a_person_answers_questions(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three questions; a wrong answer is asked for again, with what was expected."""
    somebody_is_there(monkeypatch)
    wrong = [
        "",
        ANSWERS[0],
        "NL00 ABNA 0417 1643 00",
        ANSWERS[1],
        "ask reception",
        ANSWERS[2],
        "31-01-2026",
        "2999-01-01",
    ]
    result = outreach("init", answers=[*wrong, "2026-01-31", "perhaps", "no"])
    assert [f"{number} of 3" in result.output for number in (1, 2, 3, 4)] == [True, True, True, False]
    for expected in ("right check digits", "expected a phone number", "is no date", "is not over yet"):
        assert expected in result.output
    assert "Next:" in result.stdout
    assert "WARNING" not in result.output
    assert str(creditors(here)[0].payments_until_on) == "2026-01-31"


def test_only_what_was_not_given_is_asked(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options answer their question; a wrong option is refused, since nobody is to guess what a script meant."""
    somebody_is_there(monkeypatch)
    with pytest.raises(UsageError, match="check digits"):
        outreach("init", *given(iban="NL00"))
    result = outreach("init", *given(payments_until=None), answers=["unknown"])
    assert "2 of 3" in result.output
    assert "1 of 3" not in result.output
    assert creditors(here)[0].payments_until_on is None
    assert "nobody will be reminded until payments are imported" in " ".join(result.stdout.split())


@pytest.mark.parametrize("answer", ["yes", "unknown"])
def test_two_that_remind_are_warned_of(here: Settings, answer: str) -> None:
    """Where the bookkeeping reminds too, or may, the warning is plain and sending is off."""
    result = outreach("init", *given(bookkeeping_reminds=answer))
    assert "WARNING" in result.stdout
    with bootstrap.opened(here) as opened:
        assert not opened.installed.sending


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_nobody_to_ask(here: Settings) -> None:
    """Without a terminal and without options it is refused, naming what is missing, and nothing is made."""
    with pytest.raises(UsageError, match="--iban, --payments-until") as refused:
        outreach("init", *given(iban=None, payments_until=None))
    assert refused.value.exit_status == 2
    with pytest.raises(UsageError, match="there is no database yet"):
        creditors(here)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_payments_of_today_are_not_known(here: Settings) -> None:
    """Yesterday is the last day that can be booked whole."""
    today = civil_today(machine_clock())
    with pytest.raises(UsageError, match="is not over yet"):
        outreach("init", *given(payments_until=today.isoformat()))
    outreach("init", *given(payments_until=(today - timedelta(days=1)).isoformat()))


def test_a_trial_asks_nothing(here: Settings) -> None:
    """A trial needs no answers, and takes none; a database that is there is refused before anything is asked."""
    with pytest.raises(UsageError, match="asks nothing"):
        outreach("init", "--trial", *given())
    outreach("init", "--trial")
    assert creditors(here) == []
    for words in (["init", "--trial"], ["init"], ["init", *given()]):
        with pytest.raises(Refused, match="there is a database already"):
            outreach(*words)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Loodgieter Jansen", "LOODGIETER_JANSEN"),
        ("Zorgpraktijk 't Hof B.V.", "ZORGPRAKTIJK_T_HOF"),
        ("V.O.F. De Vries & Zn.", "DE_VRIES_ZN"),
        ("BV", "BV"),
        ("株式会社", "CREDITOR"),
        ("x" * 60, "X" * 40),
    ],
)
def test_a_code_is_made_of_the_name(name: str, code: str) -> None:
    """The code is short plain text that one can type."""
    assert Answers(name, "", "", None, Reminds.NO).code == code


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_from_an_export_to_a_preview(here: Settings) -> None:
    """With an empty folder and the export of a bookkeeping program four commands lead to a first message."""
    Path("export.csv").write_text(EXPORT, encoding="utf-8")
    outreach("init", "--trial")
    with pytest.raises(IntakeError, match=r"outreach import mapping export\.csv"):
        outreach("import", "claims", "export.csv", "--creditor", "MIJN")
    outreach("import", "mapping", "export.csv", "--out", "mapping.toml")
    with pytest.raises(Refused, match="is there already"):
        outreach("import", "mapping", "export.csv", "--out", "mapping.toml")
    done = outreach("import", "claims", "export.csv", "--creditor", "MIJN", "--mapping", "mapping.toml")
    assert "1 added" in done.stdout
    outreach("preview", "--debtor", "7", "--at", "2026-11-23")
    assert [path.name for path in Path("preview").glob("*.eml")] == ["01-debtor-email.eml"]


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_facts_come_in_by_the_command_line(here: Settings) -> None:
    """A fact stops a debtor, and a row that is wrong ends the command with status 1."""
    Path("export.csv").write_text(EXPORT, encoding="utf-8")
    Path("facts.csv").write_text("debtor_id,kind,from\n7,objection,2026-11-01\n8,hold,\n", encoding="utf-8")
    outreach("init", "--trial")
    Path("mapping.toml").write_text(outreach("import", "mapping", "export.csv").stdout, encoding="utf-8")
    outreach("import", "claims", "export.csv", "--creditor", "MIJN", "--mapping", "mapping.toml")
    result = outreach("import", "facts", "facts.csv")
    assert result.exit_code == 1
    assert "2 facts rows: 1 added" in result.stdout
