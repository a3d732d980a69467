"""Changes that wait for the end of a run, because a later row of the same file may say otherwise.

The last row of a file counts. Were each batch to write at once, a debtor whose rows disagree would be changed
there and back at every import of the same file, and every message about them composed anew. So what differs
from the database is held here until the end, and forgotten when a later row says what the database says.
Only what differs is held: an import that changes nothing holds nothing.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MOST = 20_000
"""So many held changes are written before the end, to keep memory flat; only the flutter returns then."""


class Note(NamedTuple):
    """What one batch says of one record: the columns that differ from the database, and those that do not."""

    record_id: int
    line: int
    differing: dict[str, Any]
    same: Container[str]


@dataclass(slots=True)
class Mark:
    """The changes held for one record, and the row that asked last; `unchanged` is how that row was counted."""

    line: int
    unchanged: bool
    values: dict[str, Any]


@dataclass(slots=True)
class Pending:
    """The held changes of one kind of record, by its inner key."""

    marks: dict[int, Mark] = field(default_factory=dict)

    def __contains__(self, record_id: int) -> bool:
        return record_id in self.marks

    def note(self, note: Note, lines: Mapping[int, str]) -> None:
        """Take a committed batch's word: what differs replaces what was held, what is the same cancels it."""
        held = self.marks.get(note.record_id)
        values = {} if held is None else {k: v for k, v in held.values.items() if k not in note.same}
        values |= note.differing
        if values:
            unchanged = lines.get(note.line) == "unchanged"
            self.marks[note.record_id] = Mark(note.line, unchanged, values)
        else:
            self.marks.pop(note.record_id, None)

    def take(self, size: int) -> dict[int, Mark]:
        """Remove and return some of the changes, in the order of their keys so that writers lock alike."""
        ids = sorted(self.marks)[:size]
        return {record_id: self.marks.pop(record_id) for record_id in ids}
