"""What an import tells whoever ran it: how the rows fared, where the refused ones are, what was noticed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from outreach.intake.rejects import Reject


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

    `unplaced` are the inner keys of bookings that a person must place, `settled` of those that need it no more.
    """

    lines: dict[int, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    unplaced: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)

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


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of one import. rows = added + changed + unchanged + refused.

    `passed_over` records were not meant for this import; `rejects` is the file of refused rows, None without
    any; `notices` count what was taken as given but marked; `unplaced` are payments that a person must place;
    `known_until` is the day up to which payments are known now, where `as_of` was given.
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

    def as_dict(self) -> dict[str, object]:
        """Return the report for machines."""
        return {
            "kind": self.kind,
            "file": self.file_name,
            "rows": self.rows,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "passed_over": self.passed_over,
            "rejects": str(self.rejects) if self.rejects else None,
            "notices": self.notices,
            "unplaced": self.unplaced,
            "known_until": self.known_until.isoformat() if self.known_until else None,
            "dry_run": self.dry_run,
        }

    def lines(self) -> list[str]:
        """Return the report for people, a line for each thing worth saying."""
        found = [
            f"{self.file_name}: {self.rows} {self.kind} rows: {self.added} added, {self.changed} changed, "
            f"{self.unchanged} unchanged, {self.refused} refused"
        ]
        if self.passed_over:
            found.append(f"{self.passed_over} rows were not meant for this import")
        if self.rejects:
            found.append(f"refused rows, with what was expected: {self.rejects}")
        found += [f"{count} × {name.replace('_', ' ')}" for name, count in sorted(self.notices.items())]
        if self.unplaced:
            found.append(f"{self.unplaced} bookings wait to be placed by a person: each has a task")
        if self.known_until:
            found.append(f"payments are known up to and including {self.known_until}")
        if self.dry_run:
            found.append("dry run: nothing was kept")
        return found
