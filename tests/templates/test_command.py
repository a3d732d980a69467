"""The commands about messages: judge them, list them, show one on one surface."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from outreach.cli import templates as commands
from outreach.cli.output import Output
from outreach.errors import NotFound, UsageError
from templates.catalogue import Catalogue
from tests.templates.notices import template


def call(*words: str, as_json: bool = False) -> Result:
    app = typer.Typer()
    commands.register(app)
    return CliRunner().invoke(app, ["templates", *words], obj=Output(as_json=as_json))


def own_texts(folder: Path, old: str, new: str) -> Path:
    for path, text in json.loads(template().bytes)["files"].items():
        if path.endswith(".txt"):
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text.replace(old, new), "utf-8")
    return folder


def test_a_message_that_can_be_approved() -> None:
    """A message without a fault that blocks ends well."""
    found = call("lint", "pause_confirmed")
    assert found.exit_code == 0
    assert "0 to mend before approval" in found.stdout


@pytest.mark.parametrize(("new", "status"), [("# Nog een vraag?", 0), ("# De laatste kans", 1)])
def test_own_texts(tmp_path: Path, new: str, status: int) -> None:
    """One's own texts are judged by the rules of the message they are for; a fault that blocks exits 1."""
    folder = own_texts(tmp_path, "# Klopt er iets niet?", f"# Klopt er iets niet?\n\n{new}")
    found = call("lint", "friendly_reminder", "--folder", str(folder))
    assert found.exit_code == status
    assert ("laatste kans" in found.stdout) is (status == 1)


def test_findings_for_machines(tmp_path: Path) -> None:
    """As JSON each finding names where it stands, the words, and what to say instead."""
    folder = own_texts(tmp_path, "# Klopt er iets niet?", "# Klopt er iets niet?\n\nBetaal conform afspraak.")
    found = json.loads(call("lint", "friendly_reminder", "--folder", str(folder), as_json=True).stdout)
    assert {
        "message": "friendly_reminder",
        "language": "nl",
        "form": "formal",
        "surface": "body",
        "rule": "difficult",
        "level": "block",
        "words": "conform",
        "instead": "volgens / zoals in",
    } in found


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("lint", "hello"), NotFound),
        (("show", "hello"), NotFound),
        (("show", "help_offer", "--language", "fy"), UsageError),
        (("show", "help_offer", "--surface", "sender"), UsageError),
        (("lint", "--folder", "x"), UsageError),
        (("lint", "help_offer", "--folder", "x"), UsageError),
    ],
)
def test_what_there_is_not(words: tuple[str, ...], error: type[Exception]) -> None:
    """A message, text or surface that isn't there is bad input, with what there is."""
    assert isinstance(call(*words).exception, error)


def test_text_with_an_unexpected_name(tmp_path: Path) -> None:
    """A file that would silently be left out is refused by its name."""
    folder = own_texts(tmp_path, "x", "x")
    (folder / "nl" / "friendly.txt").write_text("x", "utf-8")
    found = call("lint", "friendly_reminder", "--folder", str(folder))
    assert isinstance(found.exception, UsageError)
    assert "friendly.txt: expected a name such as" in str(found.exception)


def test_list() -> None:
    """Without a name all messages are listed, with the one that is switched off."""
    found = json.loads(call("show", as_json=True).stdout)
    assert [each["message"] for each in found] == list(Catalogue.shipped().names)
    assert [each["message"] for each in found if each["sent"] != "yes"] == ["fourteen_day_letter"]


@pytest.mark.parametrize(
    ("surface", "said"),
    [("subject", "bericht"), ("sms", "023 555 12 34"), ("body", "Factuurnummer:"), ("letter", "<h2 style=")],
)
def test_one_surface(surface: str, said: str) -> None:
    """A message is shown with example values, all of it or one surface."""
    assert said in call("show", "fourteen_day_letter").stdout
    found = call("show", "final_notice", "--surface", surface)
    assert said in found.stdout
    assert "preheader:" not in found.stdout
