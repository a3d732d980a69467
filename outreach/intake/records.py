"""The records of a CSV file with the line each starts on; what cannot be read is reported, never lost.

A quotation mark that is never closed would swallow the rows after it. So when a record proves to be broken,
only its first line is refused, and the lines after it are read again as rows of their own.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

RECORD_LINES = 50
LINE_LENGTH = 262_144

Record = tuple[int, list[str], str]
"""The line on which it starts, its cells, and what was expected where it is broken (else empty)."""

_QUOTES = 'quotation marks that are closed again, and doubled inside ("the ""old"" mill")'
_TOO_LONG = "cells of at most 131,072 characters"


class _UnclosedError(Exception):
    """A record runs on over more lines than any real one."""


class _Lines:
    """Physical lines, bounded in length; those of the current record are held, to be read again."""

    def __init__(self, handle: TextIO, number: int) -> None:
        self._handle = handle
        self._again: deque[str] = deque()
        self.held: list[str] = []
        self.number = number
        self.overlong = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.held) == RECORD_LINES:
            raise _UnclosedError
        again = bool(self._again)
        line = self._again.popleft() if again else self._handle.readline(LINE_LENGTH)
        if not line:
            raise StopIteration
        if len(line) == LINE_LENGTH and line[-1] not in "\r\n":
            self.overlong = True
            if not again:
                self._skip_rest()
        self.number += 1
        self.held.append(line)
        return line

    def _skip_rest(self) -> None:
        rest = "…"
        while rest and rest[-1] not in "\r\n":
            rest = self._handle.readline(LINE_LENGTH)

    def read_again(self) -> None:
        """Give back all lines of the current record but the first."""
        again = self.held[1:]
        self._again.extendleft(reversed(again))
        self.number -= len(again)


def read_records(handle: TextIO, separator: str, width: int, skipped: int = 0) -> Iterator[Record]:
    """Yield the records of an open file (`newline=""`), blank ones left out.

    `width` is the number of cells a record must have; a width of 0 takes the width of the first record.
    `skipped` is the number of lines already read from the file.
    """
    lines = _Lines(handle, skipped)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        lines.held.clear()
        lines.overlong = False
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _UnclosedError:
            expected = _QUOTES
        except csv.Error as error:
            expected = _TOO_LONG if "field limit" in str(error) else _QUOTES
        else:
            width = width or len(cells)
            if len(cells) == width and not lines.overlong:
                yield start, cells, ""
                continue
            if not any(cells):
                continue
            expected = f"{width} columns as in the header, found {len(cells)}"
            if lines.overlong:
                expected = f"lines of less than {LINE_LENGTH:,} characters"
        first = lines.held[0]
        lines.read_again()
        yield start, [first.rstrip("\r\n")], expected
