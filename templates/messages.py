"""What each message is for, as `messages.toml` tells it: its tone, its purpose, and what it can't do without."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from templates.letter import LetterError
from templates.shown import NOTICE_FIELDS

TONES = ("notice", "friendly", "firm", "formal", "final", "help", "confirmation")
PURPOSES = ("dunning", "confirmation", "service")

_KEYS = {"tone", "purpose", "needs", "enabled"}


@dataclass(frozen=True, slots=True)
class About:
    """What a message is for.

    `needs` are the fields of a notice that must be given; a message that isn't `enabled` is looked at and
    never sent.
    """

    tone: str
    purpose: str
    needs: tuple[str, ...]
    enabled: bool


@cache
def message_tables() -> Mapping[str, Mapping[str, object]]:
    """Read `messages.toml`: one table per message."""
    return MappingProxyType(tomllib.loads(files("templates").joinpath("messages.toml").read_text("utf-8")))


def about(name: str, table: Mapping[str, object]) -> About:
    """Read one message's table; raises `LetterError` naming the message and what was expected."""
    if table.keys() != _KEYS:
        raise LetterError(f"{name}: its table in messages.toml has {', '.join(sorted(_KEYS))}, nothing else")
    tone, purpose, needs, enabled = (table[key] for key in ("tone", "purpose", "needs", "enabled"))
    if tone not in TONES:
        raise LetterError(f"{name}: tone must be one of {', '.join(TONES)}")
    if purpose not in PURPOSES:
        raise LetterError(f"{name}: purpose must be one of {', '.join(PURPOSES)}")
    if type(enabled) is not bool:
        raise LetterError(f"{name}: enabled must be true or false")
    if not isinstance(needs, list):
        raise LetterError(f"{name}: needs must be a list")
    if unknown := [field for field in needs if field not in NOTICE_FIELDS]:
        raise LetterError(f"{name}: needs names {unknown[0]}, which is no field of a notice")
    return About(str(tone), str(purpose), tuple(needs), enabled)
