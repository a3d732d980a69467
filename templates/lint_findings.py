"""What the lint tells: one thing to mend, where it stands, and what to say instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from channels.surfaces import Surface


class Level(StrEnum):
    """Whether a text can be approved with it."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with some words, wherever they stand; `instead` says what to write, or why not this."""

    rule: str
    level: Level
    words: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend in a message; language, form and surface are empty where it concerns all of them."""

    message: str
    language: str
    form: str
    surface: Surface | None
    rule: str
    level: Level
    words: str
    instead: str


def blocked(findings: tuple[Finding, ...]) -> bool:
    """Tell whether one of the findings forbids approval."""
    return any(finding.level is Level.BLOCK for finding in findings)
