"""Finds the messages we can send, compiles them once, and keeps each version so that it can be said again."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

import jinja2

from templates import letter
from templates.engine import HelpLine, check, environment
from templates.formats import LOCALES, Phone
from templates.letter import LetterError

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


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """One letter in one language and form, ready to be filled in."""

    subject: jinja2.Template
    preheader: jinja2.Template
    plain: jinja2.Template
    html: jinja2.Template


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One version of a message in all its languages.

    `bytes` holds every file it uses, to be kept as an artefact; `version` is their sha256.
    """

    name: str
    version: str
    bytes: _Bytes
    help: Mapping[str, HelpLine]
    texts: Mapping[tuple[str, str], Compiled]

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

    @staticmethod
    def from_bytes(data: _Bytes) -> Template:
        """Read a version that was kept, whatever today's files say; compiled once per process."""
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
        """The messages that come with this package; read and compiled at the first call."""
        return _shipped()


@cache
def _shipped() -> Catalogue:
    package = files("templates")
    shared = {path: package.joinpath(path).read_text("utf-8") for path in _SHARED}
    found = {
        folder.name: Template.from_bytes(archive(folder.name, {**shared, **texts}))
        for folder in sorted(package.iterdir(), key=lambda entry: entry.name)
        if folder.is_dir() and (texts := dict(_letters(folder)))
    }
    return Catalogue(MappingProxyType(found))


def _letters(folder: Traversable) -> Iterator[tuple[str, str]]:
    for language in folder.iterdir():
        if language.is_dir():
            for file in language.iterdir():
                if _LETTER.fullmatch(path := f"{language.name}/{file.name}"):
                    yield path, file.read_text("utf-8")


def archive(name: str, contents: Mapping[str, str]) -> bytes:
    """Write a message's files as one canonical artefact: the same texts always give the same bytes."""
    record = {"files": dict(contents), "name": name}
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@lru_cache(maxsize=64)
def _compiled(data: bytes) -> Template:
    try:
        record: Any = json.loads(data)
        name, contents = record["name"], record["files"]
        canonical = archive(name, contents) == data and _NAME.fullmatch(name)
    except (ValueError, KeyError, TypeError) as error:
        raise LetterError(f"not a kept template: {error}") from error
    if not canonical or not all(isinstance(text, str) for text in contents.values()):
        raise LetterError("not a kept template: its bytes are not as they were written")
    if missing := [path for path in _SHARED if path not in contents]:
        raise LetterError(f"{name}: {missing[0]} is missing")
    version = sha256(data).hexdigest()
    helpers = _help_lines(contents["help_lines.toml"])
    letters = [found for path in sorted(contents) if (found := _LETTER.fullmatch(path))]
    texts = {(at["language"], at["form"]): _letter(name, at, contents, helpers) for at in letters}
    if not texts:
        raise LetterError(f"{name}: has no letter in any language")
    return Template(name, version, data, helpers, MappingProxyType(texts))


def _help_lines(source: str) -> Mapping[str, HelpLine]:
    lines = {
        key: HelpLine(value["name"], Phone(value["number"]), _day(value["verified_on"]))
        for key, value in tomllib.loads(source).items()
    }
    return MappingProxyType(lines)


def _day(value: object) -> date:
    if type(value) is not date:
        raise LetterError("help_lines.toml: verified_on must be a date")
    return value


def _letter(
    name: str, at: re.Match[str], contents: Mapping[str, str], helpers: Mapping[str, HelpLine]
) -> Compiled:
    language, where = at["language"], f"{name} {at[0]}"
    if language not in LOCALES:
        raise LetterError(f"{where}: values can't be written in this language yet")
    source = contents[at[0]]
    shapes = tomllib.loads(contents["layout/shapes.toml"])
    try:
        read = letter.read(source)
        bodies = {kind: letter.body(read, shapes[kind], html=kind == "html") for kind in ("plain", "html")}
    except (LetterError, KeyError) as error:
        raise LetterError(f"{where}: {error}") from error
    plain = environment(language, shapes["plain"], {}, html=False)
    html = environment(language, shapes["html"], {"mail": contents["layout/mail.html"]}, html=True)
    for part in (read.subject, read.preheader, bodies["plain"], bodies["html"]):
        check(part, where, plain, helpers)
    try:
        html.get_template("mail")  # otherwise a mistake in the layout shows at the first message
    except jinja2.TemplateError as error:
        raise LetterError(f"{where}: layout/mail.html: {error}") from error
    page = '{% extends "mail" %}{% block letter %}' + bodies["html"] + "{% endblock %}"
    return Compiled(
        subject=plain.from_string(read.subject),
        preheader=plain.from_string(read.preheader),
        plain=plain.from_string(bodies["plain"]),
        html=html.from_string(page),
    )
