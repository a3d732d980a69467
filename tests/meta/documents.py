"""The repository's documents as the tests read them: files, code blocks, and the commands they name."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from outreach.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")

_BLOCK = re.compile(r"(?:^<!-- (?P<note>.+?) -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced block, with the note in the comment before it."""

    note: str
    kind: str
    body: str


def documents() -> list[Path]:
    """Return every document for people."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("docker/*.md")])


def files() -> list[Path]:
    """Return every file that belongs to the repository, also those not committed yet."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a document."""
    for found in _BLOCK.finditer(text):
        yield Block(found["note"] or "", found["kind"], found["body"])


def code_lines(text: str) -> Iterator[str]:
    """Yield each line of a fenced block and each piece of code within a sentence."""
    for block in blocks(text):
        for line in block.body.splitlines():
            yield line.removeprefix("$ ")
    yield from _SPAN.findall(_BLOCK.sub("", text))


def commands() -> dict[str, Any]:
    """Return every command of the command line that does something, by its words."""
    return dict(_leaves(typer.main.get_command(app), ()))


def _leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(words), command
        return
    for name, one in below.items():
        yield from _leaves(one, (*words, name))


def wrong_in(line: str) -> str:
    """Return what in a line that begins with `outreach` is no command or option of ours; empty where all is."""
    here: Any = typer.main.get_command(app)
    for word in re.sub(r"[\[\]]", " ", line).split()[1:]:
        below = getattr(here, "commands", {})
        if word in below:
            here = below[word]
        elif word.startswith("--"):
            if word.split("=")[0] not in {name for one in here.params for name in _names(one)}:
                return word
        elif below and re.fullmatch(r"[a-z-]+", word):
            return word
    return ""


def _names(option: Any) -> list[str]:
    return [*option.opts, *option.secondary_opts]
