"""What a command prints: a table or lines for people, one JSON value for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from outreach.errors import UsageError
from outreach.planning.load import OPERATOR_ZONE


@dataclass(frozen=True)
class Output:
    """Prints for people or for machines."""

    as_json: bool = False

    def value(self, value: Mapping[str, Any] | Sequence[Any], lines: Iterable[str]) -> None:
        """Print one result: as JSON, or as the lines made for people."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, indent=2, default=str))
        else:
            for line in lines:
                print(line)

    def note(self, line: str) -> None:
        """Print a line that only people need."""
        if not self.as_json:
            print(line)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lay out rows under a head; numbers stand to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    numeric = [
        all(row[place].replace(".", "").isdigit() for row in cells) and bool(cells)
        for place in range(len(head))
    ]
    widths = [max(len(head[place]), *(len(row[place]) for row in cells), 0) for place in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in [list(head), ["─" * width for width in widths], *cells]
    ]


def moment(text: str | None, option: str) -> datetime | None:
    """Read a time; one without a zone is the operator's local time, a bare date is 10:00 on it."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{option}: {text!r} is no time; expected as in 2026-11-23 or 2026-11-23T10:00"
        raise UsageError(msg) from error
    if len(text) == 10:
        at = at.replace(hour=10)
    if at.tzinfo is None:
        at = at.replace(tzinfo=OPERATOR_ZONE)
    return at.astimezone(UTC)


def day(text: str | None, option: str) -> date | None:
    """Read a civil date."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        msg = f"{option}: {text!r} is no date; expected as in 2026-11-23"
        raise UsageError(msg) from error


def shown(at: datetime | None) -> str:
    """Show a time on the operator's clock."""
    return at.astimezone(OPERATOR_ZONE).strftime("%a %Y-%m-%d %H:%M") if at else "—"
