"""Compiles one letter for each surface it may be written on: mail, text message, paper."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from types import MappingProxyType

import jinja2

from templates import letter
from templates.engine import HelpLine, LetterEnvironment, check, environment
from templates.formats import LOCALES, Phone
from templates.letter import LetterError


@dataclass(frozen=True, eq=False)
class Compiled:
    """One letter in one language and form; each part is compiled when it is first needed.

    A process sends few of all messages, languages and surfaces, and to compile all takes seconds.
    """

    where: str
    sources: Mapping[str, str]
    environments: Mapping[str, LetterEnvironment]

    @cached_property
    def subject(self) -> jinja2.Template:
        """The subject of a mail."""
        return self._made("plain", "subject")

    @cached_property
    def preheader(self) -> jinja2.Template:
        """What a mail client shows beside the subject."""
        return self._made("plain", "preheader")

    @cached_property
    def plain(self) -> jinja2.Template:
        """The text of a mail."""
        return self._made("plain", "plain")

    @cached_property
    def html(self) -> jinja2.Template:
        """The page of a mail."""
        return self._made("html", "html")

    @cached_property
    def sms(self) -> jinja2.Template:
        """The text message."""
        return self._made("sms", "sms")

    @cached_property
    def letter(self) -> jinja2.Template:
        """The inside of a letter on paper."""
        return self._made("letter", "letter")

    def _made(self, kind: str, part: str) -> jinja2.Template:
        return self.environments[kind].from_string(self.sources[part])


@lru_cache(maxsize=16)
def help_lines(source: str) -> Mapping[str, HelpLine]:
    """Read `help_lines.toml`."""
    lines = {
        key: HelpLine(value["name"], Phone(value["number"]), _day(value["verified_on"]))
        for key, value in tomllib.loads(source).items()
    }
    return MappingProxyType(lines)


def _day(value: object) -> date:
    if type(value) is not date:
        raise LetterError("help_lines.toml: verified_on must be a date")
    return value


class Letters(Mapping[tuple[str, str], Compiled]):
    """A message's letters by language and form; each is read and checked when it is first needed."""

    def __init__(
        self,
        name: str,
        paths: Mapping[tuple[str, str], str],
        contents: Mapping[str, str],
        helpers: Mapping[str, HelpLine],
    ) -> None:
        self._name, self._paths, self._contents, self._helpers = name, paths, contents, helpers
        self._made: dict[tuple[str, str], Compiled] = {}

    def __getitem__(self, pair: tuple[str, str]) -> Compiled:
        if pair not in self._made:
            path = self._paths[pair]
            self._made[pair] = compile_letter(
                f"{self._name} {path}", pair[0], path, self._contents, self._helpers
            )
        return self._made[pair]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def compile_letter(
    where: str, language: str, path: str, contents: Mapping[str, str], helpers: Mapping[str, HelpLine]
) -> Compiled:
    """Read and check one letter of a message; raises `LetterError` that begins with `where`."""
    if language not in LOCALES:
        raise LetterError(f"{where}: values can't be written in this language yet")
    try:
        shapes = _shapes(contents["layout/shapes.toml"])
        envs = _environments(language, contents["layout/shapes.toml"], contents["layout/mail.html"])
        read = letter.marked(letter.read(contents[path]), shapes.get("mark", {}), language)
        plain = letter.body(read, shapes["plain"], html=False)
        page = letter.body(read, shapes["html"], html=True)
        paper = letter.body(read, shapes["letter"], html=True)
    except (LetterError, KeyError) as error:
        raise LetterError(f"{where}: {error}") from error
    # The surfaces differ in their shapes only, which are ours; so one of them tells what the writer asks.
    for part in (read.subject, read.preheader, read.sms, plain):
        check(part, where, envs["plain"], helpers)
    sources = {"subject": read.subject, "preheader": read.preheader, "sms": read.sms, "plain": plain}
    sources["html"] = '{% extends "mail" %}{% block letter %}' + page + "{% endblock %}"
    sources["letter"] = paper
    return Compiled(where, MappingProxyType(sources), envs)


@lru_cache(maxsize=16)
def _shapes(source: str) -> Mapping[str, Mapping[str, str]]:
    return MappingProxyType(tomllib.loads(source))


@lru_cache(maxsize=16)
def _environments(language: str, shapes_source: str, layout: str) -> Mapping[str, LetterEnvironment]:
    """Make the environments that all messages in one language share."""
    shapes = _shapes(shapes_source)
    made = {
        "plain": environment(language, shapes["plain"], {}, html=False),
        "html": environment(language, shapes["html"], {"mail": layout}, html=True),
        "sms": environment(language, shapes["sms"], {}, html=False),
        "letter": environment(language, shapes["letter"], {}, html=True),
    }
    try:
        made["html"].get_template("mail")  # otherwise a mistake in the layout shows at the first message
    except jinja2.TemplateError as error:
        raise LetterError(f"layout/mail.html: {error}") from error
    return MappingProxyType(made)
