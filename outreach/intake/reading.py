"""Reads claims, payments and facts files: good rows typed, in batches, refused ones with reasons, flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Generic, TextIO, cast

import msgspec

from outreach.intake.checks import examine_open_item
from outreach.intake.encodings import ERRORS, NAMES, encoding_of
from outreach.intake.errors import FileError, MappingError, RefusedValueError
from outreach.intake.header import column_positions, find_separator, fit_columns
from outreach.intake.mapping import SEPARATORS, FileMapping, Formats
from outreach.intake.plan import Plan
from outreach.intake.records import LINE_LENGTH, read_records
from outreach.intake.rejects import Fault, Reject
from outreach.intake.rows import ClaimRow, FactRow, PaymentRow
from outreach.intake.tables import CLAIMS, FACTS, PAYMENTS, R, Table
from outreach.intake.values import identifier

BATCH = 1_000

OPEN_ITEMS = replace(CLAIMS, examine=examine_open_item)


@dataclass(slots=True)
class Batch(Generic[R]):
    """A run of records of a file.

    `rows` are the good ones with the line each starts on (the header is line 1), `rejects` the faults of the
    others; `read`, `refused` and `passed_over` count records, and read = len(rows) + refused + passed_over.
    A record is passed over when the mapping says that it is not meant for this import, as an unpaid invoice
    in an import of payments. `claims` are the lines of refused records with the number of the claim that each
    names, empty where nobody can read it; `encoding` is what the file was read as.
    """

    encoding: str
    rows: list[tuple[int, R]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    claims: list[tuple[int, str]] = field(default_factory=list)
    read: int = 0
    refused: int = 0
    passed_over: int = 0


def read_claims(
    path: Path, *, creditor: str | None = None, mapping: FileMapping | None = None, size: int = BATCH
) -> Iterator[Batch[ClaimRow]]:
    """Read a claims file in batches of at most `size` records.

    `creditor` serves a file without that column. The header is checked by the call itself: raises FileError
    (the file, its columns) or MappingError before any row is read; no row ever raises.
    """
    return _read(CLAIMS, path, creditor, mapping or FileMapping(), size)


def read_open_items(
    path: Path, *, creditor: str | None = None, mapping: FileMapping | None = None, size: int = BATCH
) -> Iterator[Batch[ClaimRow]]:
    """Read a list of open items: a claims file whose `principal` is what is left; otherwise as `read_claims`."""
    return _read(OPEN_ITEMS, path, creditor, mapping or FileMapping(), size)


def read_payments(
    path: Path, *, creditor: str | None = None, mapping: FileMapping | None = None, size: int = BATCH
) -> Iterator[Batch[PaymentRow]]:
    """Read a payments file in batches of at most `size` records; otherwise as `read_claims`."""
    return _read(PAYMENTS, path, creditor, mapping or FileMapping(), size)


def read_facts(path: Path, *, creditor: str | None = None, size: int = BATCH) -> Iterator[Batch[FactRow]]:
    """Read a facts file in batches of at most `size` records; otherwise as `read_claims`."""
    return _read(FACTS, path, creditor, FileMapping(), size)


def first_records(path: Path, count: int) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns, and at most `count` whole records. Raises FileError."""
    formats = Formats()
    encoding = _encoding(path, formats)
    with _open(path, encoding) as handle:
        separator, names = _header(path, handle, formats)
    with _open(path, encoding) as handle:
        skipped, _ = _begin(handle)
        records = read_records(handle, separator, len(names), skipped)
        next(records, None)
        return names, [cells for _, cells, expected in islice(records, count) if not expected]


def _read(
    table: Table[R], path: Path, creditor: str | None, mapping: FileMapping, size: int
) -> Iterator[Batch[R]]:
    if size < 1:
        raise ValueError("a batch holds at least one record")
    try:
        creditor = identifier(creditor.strip()) if creditor is not None else None
    except RefusedValueError as error:
        raise FileError(path.name, [f"creditor {creditor!r}: {error.expected} was expected"]) from error
    if creditor == "":
        raise FileError(path.name, ["the creditor given for the whole file is empty"])
    encoding = _encoding(path, mapping.formats)
    with _open(path, encoding) as handle:
        separator, names = _header(path, handle, mapping.formats)
    given = {"creditor"} if creditor else set()
    section = fit_columns(path.name, names, cast(Table[msgspec.Struct], table), mapping, given)
    try:
        plan = Plan(table, column_positions(names), section, mapping.formats, creditor)
    except RefusedValueError as error:
        raise MappingError(mapping.name, [f"{error.expected} was expected"]) from error
    return _batches(path, encoding, separator, names, plan, size)


def _encoding(path: Path, formats: Formats) -> str:
    """Find the encoding; raises FileError for what is no text at all, or cannot be read."""
    try:
        with path.open("rb") as raw:
            begin = raw.read(4)
        if begin in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
            raise FileError(path.name, ["is a spreadsheet or archive, not CSV: save it as CSV UTF-8"])
        return encoding_of(path, formats.encoding)
    except OSError as error:
        raise FileError(str(path), [f"cannot be read: {error.strerror or error}"]) from error


def _open(path: Path, encoding: str) -> TextIO:
    """Open the file as text. Bytes that are none become surrogates, so that only their own row is refused."""
    try:
        return path.open(encoding=encoding, errors=ERRORS, newline="")
    except OSError as error:
        raise FileError(str(path), [f"cannot be read: {error.strerror or error}"]) from error


def _begin(handle: TextIO) -> tuple[int, str | None]:
    """Go past blank lines and a `sep=;` of spreadsheets before the header: lines passed, separator."""
    skipped, stated = 0, None
    while True:
        before = handle.tell()
        line = handle.readline(LINE_LENGTH)
        text = line.strip(" \r\n")
        if stated is None and len(text) == 5 and text[:4].lower() == "sep=":
            stated = text[4]
        elif text or not line:
            handle.seek(before)
            return skipped, stated
        skipped += 1


def _header(path: Path, handle: TextIO, formats: Formats) -> tuple[str, list[str]]:
    """Read the header: the separator and the names of the columns, empty where a column has none."""
    skipped, stated = _begin(handle)
    before = handle.tell()
    separator = formats.separator or stated or find_separator(handle.readline(LINE_LENGTH))
    if separator not in SEPARATORS:
        raise FileError(
            path.name, [f"the separator {separator!r} is none of {', '.join(map(repr, SEPARATORS))}"]
        )
    handle.seek(before)
    _, cells, expected = next(read_records(handle, separator, 0, skipped), (0, [], ""))
    names = [name.strip() for name in cells]
    if not any(names):
        raise FileError(path.name, ["is empty: a first line with the names of the columns was expected"])
    if expected:
        raise FileError(path.name, [f"the line of column names cannot be read: {expected} was expected"])
    if bad := [name for name in names if not name.isprintable()]:
        raise FileError(
            path.name, [f"the column name {bad[0][:80]!a} is not text: save the file as CSV UTF-8"]
        )
    return separator, names


def _batches(
    path: Path, encoding: str, separator: str, names: list[str], plan: Plan[R], size: int
) -> Iterator[Batch[R]]:
    unnamed = [place for place, name in enumerate(names) if not name]
    batch = Batch[R](NAMES[encoding])
    with _open(path, encoding) as handle:
        skipped, _ = _begin(handle)
        records = read_records(handle, separator, len(names), skipped)
        next(records, None)
        for number, cells, expected in records:
            if not expected and not any(cells):
                continue
            batch.read += 1
            if expected:
                result: R | list[Fault] | None = [Fault("", cells[0], expected)]
            elif unnamed and (stray := [cells[place] for place in unnamed if cells[place].strip()]):
                result = [Fault("", stray[0], "an empty cell: this column has no name in the header")]
            elif not plan.wanted(cells):
                batch.passed_over += 1
                result = None
            else:
                result = plan.read(cells)
            if isinstance(result, list):
                batch.refused += 1
                batch.claims.append((number, "" if expected else plan.told("claim_id", cells)))
                batch.rejects.extend(Reject(path.name, number, *fault) for fault in result)
            elif result is not None:
                batch.rows.append((number, result))
            if batch.read >= size:
                yield batch
                batch = Batch[R](NAMES[encoding])
    if batch.read:
        yield batch
