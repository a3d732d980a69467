r"""Reads a letter as its writer typed it and makes of it the template source of each surface.

One file is one letter in one language and one form of address, in the order in which it is read, so that
whoever approves it reads it whole, and mail and paper can't say different things. Its markup:

    subject: …            the first lines, up to a line of `---`
    preheader: …
    sms: …                all of the text message
    # Heading
    - Label: value        one fact; left out when its value is a single expression that is empty
    = Label: value        a sum
    - {% for … %}         around facts that share one table; ends with such a line too
    {% if … %}            on a line of its own: around whole blocks
    other lines           a paragraph, up to an empty line; `\` at the end of a line breaks it there
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from markupsafe import escape

HEADERS = ("subject", "preheader", "sms")

_EXPRESSION = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})")
_TAG = re.compile(r"\{%(?:(?!%\}).)*%\}")
_LONE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_ROW = re.compile(r"(?P<kind>[-=]) (?P<label>[^:{]+|\{\{[^{}:]+\}\}): (?P<value>.+)")

_SHAPE = {"-": "row", "=": "sum"}


class LetterError(ValueError):
    """A letter that can't be used; names the letter and the line, field or construct."""


@dataclass(frozen=True, slots=True)
class Letter:
    """The source of one letter: its headers and the blocks of its body, each a kind and its lines."""

    subject: str
    preheader: str
    sms: str
    blocks: tuple[tuple[str, tuple[str, ...]], ...]


def read(source: str) -> Letter:
    """Read a letter's file."""
    head, found, body = source.partition("\n---\n")
    headers = dict(_header(line) for line in head.splitlines() if line.strip())
    if not found or tuple(headers) != HEADERS:
        raise LetterError(f"a letter starts with {', '.join(HEADERS)}, then a line of ---")
    blocks: list[tuple[str, tuple[str, ...]]] = []
    kind, lines = "", list[str]()
    for line in [*body.splitlines(), ""]:
        text = line.strip()
        now = _kind(text)
        if lines and (now != kind or kind in ("heading", "tag")):
            blocks.append((kind, tuple(lines)))
            lines = []
        kind = now
        if text:
            lines.append(text)
    return Letter(headers["subject"], headers["preheader"], headers["sms"], tuple(blocks))


def marked(letter: Letter, mark: Mapping[str, str], language: str) -> Letter:
    """Add an agency's mark to the end of the body and of the text message; a version kept without one has none."""
    if not mark:
        return letter
    begin, end = "{% if m.register_number %}", "{% endif %}"
    body = (("tag", (begin,)), ("paragraph", (mark[language],)), ("tag", (end,)))
    return replace(letter, sms=f"{letter.sms}{begin} {mark['sms']}{end}", blocks=(*letter.blocks, *body))


def _header(line: str) -> tuple[str, str]:
    name, found, value = line.partition(": ")
    if not found or not value.strip():
        raise LetterError(f"not a header: {line!r}")
    return name, value.strip()


def _kind(text: str) -> str:
    if not text:
        return ""
    if text.startswith("# "):
        return "heading"
    if text.startswith(("- ", "= ")):
        return "rows"
    if _TAG.fullmatch(text):
        return "tag"
    return "paragraph"


def body(letter: Letter, shapes: Mapping[str, str], *, html: bool) -> str:
    """Make the body's template source with the given shapes (see `layout/shapes.toml`)."""
    literal = _escaped if html else _same
    blocks = _answered(letter.blocks) if "answer" in shapes else letter.blocks
    return "".join(_block(kind, lines, shapes, literal) for kind, lines in blocks)


def _answered(blocks: tuple[tuple[str, tuple[str, ...]], ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Join each heading with the paragraph right below it, so that they share a line."""
    heading: tuple[str, ...] = ()
    for kind, lines in blocks:
        if heading:
            yield ("answer", heading + lines) if kind == "paragraph" else ("heading", heading)
        if kind != "heading" and not (heading and kind == "paragraph"):
            yield kind, lines
        heading = lines if kind == "heading" else ()
    if heading:
        yield "heading", heading


def _block(
    kind: str, lines: tuple[str, ...], shapes: Mapping[str, str], literal: Callable[[str], str]
) -> str:
    if kind == "tag":
        return lines[0]
    if kind == "heading":
        return shapes["heading"].replace("@text@", literal(lines[0][2:]))
    if kind == "answer":
        answer = shapes["answer"].replace("@heading@", literal(lines[0][2:]))
        return answer.replace("@text@", _flowing(lines[1:], shapes, literal))
    if kind == "rows":
        rows = "".join(_row(line, shapes, literal) for line in lines)
        return shapes["rows"].replace("@rows@", rows)
    return shapes["paragraph"].replace("@text@", _flowing(lines, shapes, literal))


def _flowing(lines: tuple[str, ...], shapes: Mapping[str, str], literal: Callable[[str], str]) -> str:
    return " ".join(literal(line) for line in lines).replace("\\ ", shapes["break"])


def _row(line: str, shapes: Mapping[str, str], literal: Callable[[str], str]) -> str:
    if _TAG.fullmatch(line[2:]):
        return line[2:]
    found = _ROW.fullmatch(line)
    if not found:
        raise LetterError(f"not a fact with a label: {line!r}")
    shape = shapes[_SHAPE[found["kind"]]]
    row = shape.replace("@label@", literal(found["label"])).replace("@value@", literal(found["value"]))
    if lone := _LONE.fullmatch(found["value"]):
        return f"{{% if {lone[1]} %}}{row}{{% endif %}}"
    return row


def _escaped(text: str) -> str:
    parts = _EXPRESSION.split(text)
    return "".join(part if at % 2 else str(escape(part)) for at, part in enumerate(parts))


def _same(text: str) -> str:
    return text
