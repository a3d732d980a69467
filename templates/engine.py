"""The template engine, made small: what a letter may say, what it may name, and how values become text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from jinja2 import DictLoader, StrictUndefined, TemplateError, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from templates import formats
from templates.formats import Count, Email, Iban, Link, Phone
from templates.inert import is_discreet
from templates.letter import LetterError
from templates.shown import LINE_FIELDS, NOTICE_FIELDS, PART_FIELDS
from templates.values import Amount, Line, Notice, Part

Shapes = Mapping[str, str]
Show = Callable[[Any], str]

# A letter needs no more than this. Without calls, filters and arithmetic there is nothing to break out with,
# and no value can reach the reader but by the one function that formats it.
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.Name,
    nodes.Getattr,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Const,
)
_TESTS: dict[str, Callable[[Any], bool]] = {"discreet": is_discreet, "several": lambda lines: len(lines) > 1}


@dataclass(frozen=True, slots=True)
class HelpLine:
    """A place that helps people with money worries; `verified_on` is when somebody last saw its number."""

    name: str
    number: Phone
    verified_on: date


_FIELDS: dict[type, frozenset[str]] = {
    Notice: NOTICE_FIELDS,
    Line: LINE_FIELDS,
    Part: PART_FIELDS,
    HelpLine: frozenset(field.name for field in fields(HelpLine)),
}
_REPEATED = {"lines": LINE_FIELDS, "younger": LINE_FIELDS, "parts": PART_FIELDS}


class LetterEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox in which a value has its declared fields and nothing else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Give a declared field; anything else is undefined, and so an error when it is shown.

        This list of what is allowed is narrower than the sandbox's own list of what is not, and four times
        as fast, which is most of the time a message takes.
        """
        if attribute in _FIELDS.get(type(obj), ()):
            return getattr(obj, attribute)
        if type(obj) is MappingProxyType and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)


def environment(
    language: str, shapes: Shapes, sources: Mapping[str, str], *, html: bool
) -> LetterEnvironment:
    """Make an environment that writes values for one language, in plain text or in HTML."""
    made = LetterEnvironment(
        loader=DictLoader(sources),
        undefined=StrictUndefined,
        autoescape=html,
        finalize=finalizer(language, shapes, html=html),
        auto_reload=False,
        keep_trailing_newline=True,
    )
    made.filters.clear()
    made.globals.clear()
    made.tests.clear()
    made.tests.update(_TESTS)
    return made


def finalizer(language: str, shapes: Shapes, *, html: bool) -> Callable[[object], object]:
    """Make the function through which each value passes on its way to the reader.

    A type it does not know, such as a bare number, is an error: nobody could say how it should be written.
    """
    writers = _writers(language, shapes, html=html)

    def finalize(value: object) -> object:
        write = writers.get(type(value))
        if write is not None:
            return write(value)
        if isinstance(value, Undefined):
            return str(value)  # raises, with the name of what is missing
        raise TypeError(f"a value of type {type(value).__name__} has no written form")

    return finalize


def _shape(shape: str, *, html: bool) -> Callable[[str, str], str]:
    before, after = shape.split("@text@")
    if not html:
        return lambda text, href: f"{before}{text}{after}"
    first, found, last = before.partition("@href@")
    # What the shape adds is the writer's own HTML; what comes from a value is escaped here.
    return lambda text, href: Markup(  # noqa: S704
        f"{first}{escape(href) if found else ''}{last}{escape(text)}{after}"
    )


def _writers(language: str, shapes: Shapes, *, html: bool) -> dict[type, Show]:
    call, link, group = (_shape(shapes[name], html=html) for name in ("call", "link", "group"))
    # A version that was kept before dates had a shape is written as it was.
    whole = _shape(shapes.get("day", "@text@"), html=html)

    # A message names the same amount in several places.
    @lru_cache(maxsize=256)
    def amount(value: Amount) -> str:
        return group(formats.amount(value, language), "")

    # One creditor's number, address and account stand in thousands of messages, and so do dates.
    @lru_cache(maxsize=256)
    def phone(value: str) -> str:
        number = formats.dial(value)
        return call(formats.phone(value), f"tel:{number}") if number else group(formats.phone(value), "")

    @lru_cache(maxsize=256)
    def email(value: str) -> str:
        return link(value, "mailto:" + quote(value, safe="@+"))

    @lru_cache(maxsize=256)
    def iban(value: str) -> str:
        return group(formats.iban(value), "")

    @lru_cache(maxsize=1024)
    def day(value: date) -> str:
        return whole(formats.day(value, language), "")

    return {
        str: lambda value: value,
        Count: str,
        Amount: amount,
        date: day,
        Iban: iban,
        Phone: phone,
        Email: email,
        Link: lambda value: link(value, value),
    }


def check(source: str, where: str, env: LetterEnvironment, names: Mapping[str, object]) -> None:
    """Refuse a letter that names a field that isn't there, or does more than show, choose and repeat."""
    try:
        tree = env.parse(source)
    except TemplateError as error:
        raise LetterError(f"{where}: {error}") from error
    known = {"m": NOTICE_FIELDS, "help": frozenset(names), "m.next_part": PART_FIELDS}
    known |= {f"help.{name}": _FIELDS[HelpLine] for name in names}
    known |= dict(item for node in tree.find_all(nodes.For) if (item := _repeated(node)))
    for node in _all(tree):
        if why := _refusal(node, known):
            raise LetterError(f"{where}: {why}")


def _refusal(node: nodes.Node, known: Mapping[str, frozenset[str]]) -> str:
    match node:
        case nodes.Name(name=name) if name not in known:
            return f"{name}: nothing has this name"
        case nodes.Getattr(node=owner, attr=field) if field not in known.get(path := _path(owner), ()):
            return _refusal(owner, known) or f"{path}.{field}: there is no such field"
        case nodes.Test(name=name) if name not in _TESTS:
            return f"is {name}: there is no such test"
        case _ if not isinstance(node, _ALLOWED):
            return f"{type(node).__name__} has no place in a letter"
    return ""


def _path(node: nodes.Node) -> str:
    match node:
        case nodes.Name(name=name):
            return str(name)
        case nodes.Getattr(node=owner, attr=field):
            return f"{_path(owner)}.{field}"
    return type(node).__name__


def _repeated(node: nodes.For) -> tuple[str, frozenset[str]] | None:
    match node:
        case nodes.For(
            target=nodes.Name(name=name), iter=nodes.Getattr(node=nodes.Name(name="m"), attr=field)
        ) if field in _REPEATED:
            return str(name), _REPEATED[field]
    return None


def _all(node: nodes.Node) -> list[nodes.Node]:
    return [node, *(below for child in node.iter_child_nodes() for below in _all(child))]
