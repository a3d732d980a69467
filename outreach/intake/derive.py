"""Values made from the columns of a file: `{customerID|lower}@example.com`. Only filters run, never code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from outreach.intake.errors import RefusedValueError

FILTERS: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper}

_PART = re.compile(r"\{([^{}|]+)(?:\|([^{}|]*))?\}|([^{}]+)")

Cells = list[str]


@dataclass(frozen=True, slots=True)
class Template:
    """A text with holes. `parts` are fixed texts or (column, filter); an empty filter does nothing."""

    parts: tuple[str | tuple[str, str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file that it reads."""
        return tuple(part[0] for part in self.parts if isinstance(part, tuple))

    def bind(self, positions: Mapping[str, int]) -> Callable[[Cells], str]:
        """Make a function from the cells of a row to the text; it is empty when any cell it needs is empty.

        An empty cell must not give a value of its own: "P-" would be one payment for many rows.
        """
        steps = [
            (positions[part[0]], FILTERS.get(part[1], str), "")
            if isinstance(part, tuple)
            else (-1, str, part)
            for part in self.parts
        ]

        def fill(cells: Cells) -> str:
            out = []
            for position, change, text in steps:
                if position >= 0:
                    text = change(cells[position].strip())
                    if not text:
                        return ""
                out.append(text)
            return "".join(out)

        return fill


def parse_template(text: str) -> Template:
    """Read a template. Raises RefusedValueError where braces do not match or a filter does not exist."""
    parts: list[str | tuple[str, str]] = []
    end = 0
    for match in _PART.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        column, name, fixed = match.groups()
        if fixed is not None:
            parts.append(fixed)
            continue
        if name is not None and name.strip() not in FILTERS:
            raise RefusedValueError(f"a filter that exists ({', '.join(FILTERS)}), found {name.strip()!r}")
        parts.append((column.strip(), (name or "").strip()))
    if end != len(text) or not text:
        raise RefusedValueError("text with columns in braces, such as {customerID} or {customerID|lower}")
    return Template(tuple(parts))
