"""What was refused, and the file that tells the clerk."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

HEADER = ("file", "row", "field", "value", "expected")
VALUE_LENGTH = 1_000


class Fault(NamedTuple):
    """One thing wrong with a row: the column, what stood there, and what was expected."""

    field: str
    value: str
    expected: str


class Reject(NamedTuple):
    """One fault of one row of a file. `row` is the line on which the row starts; the header is line 1.

    A row with three faults gives three of these, next to each other.
    """

    file: str
    row: int
    field: str
    value: str
    expected: str


def safe_cell(text: str) -> str:
    """Make text harmless for a spreadsheet, which would run a cell that starts like a formula.

    Bytes that were no text in the file's encoding are written as `\\xNN`; very long text is cut with a note.
    """
    text = text.encode("utf-8", "backslashreplace").decode("utf-8") if not text.isascii() else text
    text = text.replace("\0", "\\0")
    if len(text) > VALUE_LENGTH:
        text = f"{text[:VALUE_LENGTH]}… ({len(text)} characters)"
    start = text.lstrip(" \u00a0")[:1]
    return f"'{text}" if start and start in "=+-@\t\r\n＝＋－＠" else text


class RejectFile:
    """Writes `<file>.rejects.csv` beside the file, or in `folder`; it comes into being with the first reject.

    A file of that name from an earlier run is removed at the start, since what it says is no longer so. It is
    readable by the owner only: it holds personal data. Use as a context manager; raises OSError.
    """

    def __init__(self, source: Path, folder: Path | None = None) -> None:
        self.path = (folder or source.parent) / f"{source.name}.rejects.csv"
        self.rows = 0
        self._last_row = 0
        self._handle: IO[str] | None = None

    def __enter__(self) -> RejectFile:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.close()

    def add(self, rejects: Iterable[Reject]) -> None:
        """Write rejects in the order of the file; `rows` counts the rows they are about."""
        for reject in rejects:
            handle = self._handle or self._open()
            csv.writer(handle).writerow([safe_cell(str(part)) for part in reject])
            if reject.row != self._last_row:
                self.rows += 1
                self._last_row = reject.row

    def _open(self) -> IO[str]:
        # With a byte order mark spreadsheets read it as UTF-8 by themselves.
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._handle = os.fdopen(file, "w", encoding="utf-8-sig", newline="")
        csv.writer(self._handle).writerow(HEADER)
        return self._handle
