"""What an import tells whoever ran it: how the rows fared, where the refused ones are, what was noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from outreach.intake.book_state import BookState
from outreach.intake.rejects import Reject

MOST_SHOWN = 10
"""How many refused rows, and lines of added and changed ones, a dry run shows."""

ASIDE = {
    "older_than_last_list": "it is older than the last list of this creditor",
    "old": "it is more than three days old",
    "vanishing": "more than a fifth of the open claims are not in it",
}
"""Why a list of open items is not used without a person's word."""

_KINDS = {
    "reversal": "taken back (reversals)",
    "credit_note": "credit notes",
    "write_off": "written off",
}
_LISTED = {
    "settled": "claims are no longer in the list: settled, nobody says how",
    "lowered": "claims have less open than before: paid in part",
    "restored": "claims have more open again: what an earlier list took off is taken back",
}


@dataclass(slots=True)
class Counts:
    """How rows fared; rows = added + changed + unchanged + refused."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0

    def add(self, other: Counts) -> None:
        """Add another batch's counts."""
        self.rows += other.rows
        self.added += other.added
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.refused += other.refused

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as the log and the run's row keep them."""
        return {
            "rows": self.rows,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "refused": self.refused,
        }


@dataclass(slots=True)
class Fared:
    """How the rows of one batch fared, by line; merged into the run only once the batch is committed.

    `unplaced` are the inner keys of bookings that a person must place, `settled` of those that need it no more;
    `kinds` counts new bookings by their kind.
    """

    lines: dict[int, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    unplaced: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)

    def counts(self) -> Counts:
        """Count the lines."""
        found = Counter(self.lines.values())
        return Counts(
            rows=len(self.lines),
            added=found["added"],
            changed=found["changed"],
            unchanged=found["unchanged"],
            refused=found["refused"],
        )

    def refuse(self, file: str, line: int, field_name: str, value: object, expected: str) -> None:
        """Refuse a row, with what was expected of it."""
        self.rejects.append(Reject(file, line, field_name, str(value), expected))
        self.lines[line] = "refused"


@dataclass(slots=True)
class Shown:
    """The first rows of each outcome, for a dry run: lines of added and changed rows, faults of refused ones."""

    added: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    faults: list[Reject] = field(default_factory=list)

    def take(self, lines: Iterable[tuple[int, str]], faults: Iterable[Reject] = ()) -> None:
        """Take the lines of a batch, while there is room."""
        for line, fate in lines:
            there = self.added if fate == "added" else self.changed
            if fate in ("added", "changed") and len(there) < MOST_SHOWN:
                there.append(line)
        self.faults += list(faults)[: MOST_SHOWN - len(self.faults)]

    def as_dict(self) -> dict[str, Any]:
        """Return them for machines; what stood in a refused field is in the file of rejects."""
        faults = [{"row": one.row, "field": one.field, "expected": one.expected} for one in self.faults]
        return {"added": self.added, "changed": sorted(self.changed), "refused": faults}

    def lines(self) -> list[str]:
        """Return them for people."""
        found = [
            f"{name} rows: {', '.join(map(str, sorted(there)))}{', …' if len(there) == MOST_SHOWN else ''}"
            for name, there in (("added", self.added), ("changed", self.changed))
            if there
        ]
        return found + [
            f"refused: row {one.row}, {one.field or 'the row'}: expected {one.expected}"
            for one in self.faults
        ]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of one import. rows = added + changed + unchanged + refused.

    `passed_over` records were not meant for this import; `rejects` is the file of refused rows, None without
    any; `notices` count what was taken as given but marked; `unplaced` are payments that a person must place;
    `known_until` is the day up to which payments are known now, where `as_of` was given. `put_aside` is why a
    list of open items was not used, empty where it was; `listed` is what a list did to known claims (`unreadable`
    is the row for which nothing was settled); `kinds` are new bookings by kind; `book` is the state of the
    creditors' books after it.
    """

    kind: str
    file_name: str
    rows: int
    added: int
    changed: int
    unchanged: int
    refused: int
    passed_over: int
    rejects: Path | None
    notices: dict[str, int]
    unplaced: int
    dry_run: bool
    known_until: date | None = None
    encoding: str = ""
    put_aside: str = ""
    listed: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    shown: Shown = field(default_factory=Shown)
    book: BookState | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the report for machines."""
        found: dict[str, object] = {
            "kind": self.kind,
            "file": self.file_name,
            "encoding": self.encoding,
            "rows": self.rows,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "passed_over": self.passed_over,
            "rejects": str(self.rejects) if self.rejects else None,
            "notices": self.notices,
            "kinds": self.kinds,
            "unplaced": self.unplaced,
            "known_until": self.known_until.isoformat() if self.known_until else None,
            "put_aside": self.put_aside,
            "listed": self.listed,
            "dry_run": self.dry_run,
            "book": msgspec.to_builtins(self.book),
        }
        if self.dry_run:
            found["first"] = self.shown.as_dict()
        return found

    def lines(self) -> list[str]:
        """Return the report for people, a line for each thing worth saying."""
        found = [
            f"{self.file_name}: {self.rows} {self.kind} rows: {self.added} added, {self.changed} changed, "
            f"{self.unchanged} unchanged, {self.refused} refused"
        ]
        if self.put_aside:
            found += [
                f"PUT ASIDE: {ASIDE[self.put_aside]}. Nothing was changed, and sending for this creditor pauses.",
                "Look at the file; send a better list, or take this one all the same with --accept",
            ]
        if self.encoding == "Windows-1252":
            found.append("the file is no UTF-8, and was read as Windows-1252: look whether names read well")
        if self.passed_over:
            found.append(f"{self.passed_over} rows were not meant for this import")
        if self.dry_run:
            found += self.shown.lines()
        if self.rejects:
            found.append(f"refused rows, with what was expected: {self.rejects}")
        found += [f"{self.listed[name]} {text}" for name, text in _LISTED.items() if self.listed.get(name)]
        if line := self.listed.get("unreadable"):
            found.append(
                f"nothing was settled: row {line} names no claim that can be read, so it may be any that is missing"
            )
        found += [f"{self.kinds[name]} {text}" for name, text in _KINDS.items() if self.kinds.get(name)]
        found += [f"{count} × {name.replace('_', ' ')}" for name, count in sorted(self.notices.items())]
        if self.unplaced:
            found.append(f"{self.unplaced} bookings wait to be placed by a person: each has a task")
        if self.known_until:
            found.append(f"payments are known up to and including {self.known_until}")
        if self.book is not None:
            found += self.book.lines() if self.dry_run else self.book.short()
        if self.dry_run:
            found.append("dry run: nothing was kept")
        return found
