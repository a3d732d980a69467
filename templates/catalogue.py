"""Finds the messages we can send, and keeps each version so that it can be said again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from templates.compiled import Compiled, Letters, help_lines
from templates.engine import HelpLine
from templates.letter import LetterError
from templates.messages import about, message_tables

FORMS = ("formal", "informal")

_SHARED = ("help_lines.toml", "layout/mail.html", "layout/shapes.toml")
_LETTER = re.compile(rf"(?P<language>[a-z]{{2}})/(?P<form>{'|'.join(FORMS)})\.txt")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_Bytes = bytes  # inside Template the name `bytes` is its field


class UnknownTemplateError(LookupError):
    """No message has this name; `available` lists those that exist."""

    def __init__(self, name: str, available: tuple[str, ...]) -> None:
        super().__init__(f"no message {name!r}; there is {', '.join(available)}")
        self.available = available


class UnknownTextError(LookupError):
    """A message has no text in this language and form; `available` lists those it has. The caller chooses."""

    def __init__(self, name: str, language: str, form: str, available: tuple[tuple[str, str], ...]) -> None:
        listed = ", ".join("/".join(pair) for pair in available)
        super().__init__(f"{name} has no text {language}/{form}; it has {listed}")
        self.language, self.form, self.available = language, form, available


class SwitchedOffError(LookupError):
    """This message may be looked at and not sent; see `messages.toml` for the reason."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is switched off and may not be sent; Template.for_preview() shows it")


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One version of a message in all its languages.

    `bytes` holds every file it uses, to be kept as an artefact; `version` is their sha256. What the other
    fields mean stands in `messages.About`.
    """

    name: str
    version: str
    bytes: _Bytes
    help: Mapping[str, HelpLine]
    texts: Mapping[tuple[str, str], Compiled]
    tone: str
    purpose: str
    needs: tuple[str, ...]
    enabled: bool

    def for_preview(self) -> Template:
        """Give this message to be looked at, also when it is switched off."""
        return self if self.enabled else replace(self, enabled=True)

    @property
    def available(self) -> tuple[tuple[str, str], ...]:
        """The pairs of language and form this message has a text for."""
        return tuple(self.texts)

    def text(self, language: str, form: str) -> Compiled:
        """The compiled letter, or `UnknownTextError` with what there is."""
        try:
            return self.texts[language, form]
        except KeyError:
            raise UnknownTextError(self.name, language, form, self.available) from None

    def checked(self) -> Template:
        """Read every letter now; raises `LetterError` for the first that asks for what there isn't."""
        for pair in self.texts:
            self.texts[pair]
        return self

    def source(self, language: str, form: str) -> str:
        """The letter as its writer typed it."""
        return str(json.loads(self.bytes)["files"][f"{language}/{form}.txt"])

    @staticmethod
    def from_bytes(data: _Bytes) -> Template:
        """Read a version that was kept, whatever today's files say; once per process."""
        return _compiled(data)


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """The messages that can be sent, by name."""

    templates: Mapping[str, Template]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all messages."""
        return tuple(self.templates)

    def get(self, name: str) -> Template:
        """One message, or `UnknownTemplateError` with what there is."""
        try:
            return self.templates[name]
        except KeyError:
            raise UnknownTemplateError(name, self.names) from None

    @staticmethod
    def shipped() -> Catalogue:
        """The messages that come with this package; read at the first call, compiled as they are needed."""
        return _shipped()


@cache
def _shipped() -> Catalogue:
    package = files("templates")
    tables = message_tables()
    shared = shared_files()
    found = {}
    for folder in sorted(package.iterdir(), key=lambda entry: entry.name):
        if folder.is_dir() and (texts := dict(_letters(folder))):
            data = archive(folder.name, {**shared, **texts}, tables.get(folder.name, {}))
            found[folder.name] = Template.from_bytes(data)
    return Catalogue(MappingProxyType(found))


def shared_files() -> Mapping[str, str]:
    """Read the files that every message uses, by the path under which its artefact holds them."""
    package = files("templates")
    return {path: package.joinpath(path).read_text("utf-8") for path in _SHARED}


def _letters(folder: Traversable) -> Iterator[tuple[str, str]]:
    for language in folder.iterdir():
        if language.is_dir():
            for file in language.iterdir():
                if _LETTER.fullmatch(path := f"{language.name}/{file.name}"):
                    yield path, file.read_text("utf-8")


def archive(name: str, contents: Mapping[str, str], table: Mapping[str, object]) -> bytes:
    """Write a message as one canonical artefact: the same texts and table always give the same bytes."""
    record = {"files": dict(contents), "message": dict(table), "name": name}
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@lru_cache(maxsize=64)
def _compiled(data: bytes) -> Template:
    try:
        record: Any = json.loads(data)
        name, contents, table = record["name"], record["files"], record["message"]
        canonical = archive(name, contents, table) == data and _NAME.fullmatch(name)
    except (ValueError, KeyError, TypeError) as error:
        raise LetterError(f"not a kept template: {error}") from error
    if not canonical or not all(isinstance(text, str) for text in contents.values()):
        raise LetterError("not a kept template: its bytes are not as they were written")
    if missing := [path for path in _SHARED if path not in contents]:
        raise LetterError(f"{name}: {missing[0]} is missing")
    purpose = about(name, table)
    helpers = help_lines(contents["help_lines.toml"])
    letters = [found for path in sorted(contents) if (found := _LETTER.fullmatch(path))]
    texts = Letters(name, {(at["language"], at["form"]): at[0] for at in letters}, contents, helpers)
    if not texts:
        raise LetterError(f"{name}: has no letter in any language")
    return Template(
        name=name,
        version=sha256(data).hexdigest(),
        bytes=data,
        help=helpers,
        texts=texts,
        tone=purpose.tone,
        purpose=purpose.purpose,
        needs=purpose.needs,
        enabled=purpose.enabled,
    )
