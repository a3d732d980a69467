"""What README promises about commands, settings and examples is what the program does."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from outreach.cli import main
from outreach.config import NAMES, Settings
from tests.meta.documents import README, ROOT, blocks, code_lines, commands, documents, wrong_in

SHOWN_DEFAULTS = {
    "OUTREACH_DATA_DIR": "data_dir",
    "OUTREACH_MAIL_FROM": "mail_from",
    "OUTREACH_PUBLIC_URL": "public_url",
    "OUTREACH_LEASE_SECONDS": "lease_seconds",
    "OUTREACH_TICK_SECONDS": "tick_seconds",
    "OUTREACH_BIND": "bind",
}
LATER: set[str] = set()
"""Hints at commands that are yet to be made; each is to be taken out when it is there."""

_ROW = re.compile(r"^\| `(OUTREACH_[A-Z_]+)` \| .+ \| (.+) \|$", re.M)
_NAME = re.compile(r"\bOUTREACH_[A-Z][A-Z_]*[A-Z]\b")


def test_the_table_of_settings_is_that_of_the_code() -> None:
    """Every setting that is read stands in README's table with its default, and nothing else does."""
    rows = dict(_ROW.findall(README))
    assert tuple(rows) == NAMES
    defaults = Settings()
    for name, attribute in SHOWN_DEFAULTS.items():
        value = getattr(defaults, attribute)
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        assert rows[name] == f"`{shown}`"


def test_every_setting_named_anywhere_exists() -> None:
    """No document, image or example names a setting that is not read; the example file names all of them."""
    named = [*documents(), ROOT / ".env.example", *(ROOT / "docker").iterdir(), ROOT / ".ci/run"]
    for path in named:
        if path.is_file():
            found = {name.removesuffix("_FILE") for name in _NAME.findall(path.read_text("utf-8"))}
            assert found <= set(NAMES), path.name
    assert set(_NAME.findall((ROOT / ".env.example").read_text("utf-8"))) == set(NAMES)


def test_readme_lists_every_command() -> None:
    """Each command that exists stands in README's table of commands."""
    listed = {line for line in code_lines(README) if line.startswith("outreach ")}
    assert {f"outreach {name}" for name in commands()} <= listed


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents_name_only_commands_and_options_that_exist(path: Path) -> None:
    """What a document calls a command or an option of ours is one, and so is each target of make."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for line in code_lines(path.read_text("utf-8")):
        call = re.sub(r"^\S*bin/(?=outreach )", "", line.strip())
        if call.startswith("outreach "):
            assert not wrong_in(call.partition("#")[0]), line
        if call.startswith("make "):
            assert call.split()[1] in targets, line


def test_messages_name_only_commands_that_exist() -> None:
    """A hint that the program prints can be followed."""
    hints = {hint for path in (ROOT / "outreach").rglob("*.py") for hint in hints_in(path)}
    assert "outreach run --at" in hints
    assert {hint for hint in hints if wrong_in(hint)} == LATER


def hints_in(path: Path) -> set[str]:
    """Return what the texts of a module, its docstrings left out, say of our commands."""
    tree = ast.parse(path.read_text("utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]
    return {hint for text in texts for hint in re.findall(r"\boutreach(?: [a-z]+| --[a-z-]+)+", text)}


def said(expected: str) -> re.Pattern[str]:
    """Make a pattern of shown output: `…` stands for anything, on a line of its own for any lines."""
    lines = []
    for line in expected.splitlines():
        inline = r"[^\n]*?".join(re.escape(part) for part in line.rstrip().split("…"))
        lines.append(r"(?:[^\n]*\n)*?" if line.strip() == "…" else inline + r"\n")
    return re.compile("".join(lines))


def dialogue(body: str) -> list[tuple[str, str]]:
    """Split a block into commands and what is shown of their output."""
    parts = re.split(r"^\$ (.+)\n", body, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def answer(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command of ours in this process and return what it printed."""
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with suppress(SystemExit):
        main()
    found = capsys.readouterr()
    assert not found.err, found.err
    return "".join(f"{line.rstrip()}\n" for line in found.out.splitlines())


def test_the_example_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """README's files and commands, as they stand there, print what README shows."""
    monkeypatch.chdir(tmp_path)
    ran = 0
    for block in blocks(README):
        if block.note.startswith("file: "):
            Path(block.note.removeprefix("file: ")).write_text(block.body, "utf-8")
        elif block.note == "run":
            for command, expected in dialogue(block.body):
                found = answer(command, monkeypatch, capsys)
                assert said(expected).fullmatch(found), f"{command}\n{found}"
                ran += 1
    assert ran >= 6
    assert len(list(tmp_path.glob("data/outbox/*/*.eml"))) == 1


@pytest.mark.slow
def test_the_picture_is_what_the_demo_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output of the demo on README's first screen is real: run it and paste it again where it differs."""
    monkeypatch.chdir(tmp_path)
    [picture] = [block for block in blocks(README) if block.note == "shown: outreach demo"]
    [(command, expected)] = dialogue(picture.body)
    assert command == "make demo"
    found = answer("outreach demo", monkeypatch, capsys)
    assert said(expected).fullmatch(found), found
