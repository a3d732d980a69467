"""One import: its transactions, its row in `import_run`, its log entries, and what it adds up to.

Every batch is one transaction with its entry and counts. A dry run is one transaction for the whole file that is
rolled back at the end, so that later batches see earlier ones and the counts are those of a real import.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, text, update
from sqlalchemy.exc import DataError, IntegrityError

from outreach.correspondence import log
from outreach.errors import Refused
from outreach.intake.book_state import book_state
from outreach.intake.errors import FileError
from outreach.intake.rejects import Reject, RejectFile
from outreach.intake.report import Counts, Fared, ImportReport, Shown
from outreach.parties.addresses import AddressKeys
from outreach.store.tables.operations import ImportRun
from outreach.store.tables.parties import Creditor
from outreach.store.types import table_of
from outreach.store.writer import Store, Work

import_run = table_of(ImportRun)
creditor = table_of(Creditor)

OPERATOR_ZONE = ZoneInfo("Europe/Amsterdam")
"""Where a civil day begins."""

_ANALYZE = text(
    "ANALYZE person, debtor, dossier, dossier_party, contact_point, claim, payment, allocation, stop, task"
)
_GROWTH = 4
"""After how many times more rows PostgreSQL looks again at how large its tables are."""

T = TypeVar("T")
Row = TypeVar("Row")


class Write(Protocol):
    """Runs a piece of work in a transaction of its own, or in a part of one that can be undone."""

    def __call__(self, work: Work[T]) -> T:
        """Run it; what it raises leaves no trace."""
        ...


class _RollBackError(Exception):
    """Ends a dry run."""


@contextmanager
def writing(store: Store, *, dry_run: bool) -> Iterator[Write]:
    """Give what runs the batches: each committed by itself, or in a dry run none of them."""
    if not dry_run:
        yield store.run
        return
    with suppress(_RollBackError), store.transaction() as conn:

        def within(work: Work[T]) -> T:
            with conn.begin_nested():
                return work(conn)

        yield within
        raise _RollBackError


@dataclass(frozen=True)
class Terms:
    """What an import is told besides the file."""

    store: Store
    now: datetime
    actor: str
    is_trial: bool
    as_of: date | None = None
    dry_run: bool = False
    address_keys: AddressKeys | None = None

    def check_as_of(self) -> None:
        """Refuse a day that is not over yet: it cannot have been processed. A trial may name any day."""
        yesterday = self.now.astimezone(OPERATOR_ZONE).date() - timedelta(days=1)
        if self.as_of is not None and not self.is_trial and self.as_of > yesterday:
            msg = (
                f"--as-of {self.as_of} is not over yet, so its payments cannot all be known: "
                f"{yesterday} is the latest day"
            )
            raise Refused(msg)


@dataclass
class Run:
    """One import under way. Batches read it; only what was committed is merged into it."""

    kind: str
    path: Path
    terms: Terms
    write: Write
    rejects: RejectFile
    counts: Counts = field(default_factory=Counts)
    notices: Counter[str] = field(default_factory=Counter)
    creditors: dict[str, int] = field(default_factory=dict)
    passed_over: int = 0
    unplaced: set[int] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)
    shown: Shown = field(default_factory=Shown)
    encoding: str = ""
    run_id: int | None = None
    _known_size: int = 0

    @property
    def file(self) -> str:
        """The file's name, as rejects name it."""
        return self.path.name

    def in_parts(
        self, rows: list[tuple[int, Row]], take: Callable[[Connection, list[tuple[int, Row]]], T]
    ) -> Iterator[T]:
        """Write a group of rows; one that the database refuses is split, so that only the bad row is refused."""
        try:
            yield self.write(lambda conn: take(conn, rows))
        except (DataError, IntegrityError) as error:
            if len(rows) == 1:
                self._refused_by_database(rows[0][0], error)
                return
            half = len(rows) // 2
            yield from self.in_parts(rows[:half], take)
            yield from self.in_parts(rows[half:], take)

    def merge(self, fared: Fared) -> None:
        """Add a committed batch to the whole."""
        self.counts.add(fared.counts())
        self.kinds += fared.kinds
        self.shown.take(sorted(fared.lines.items()))
        self.unplaced = (self.unplaced | fared.unplaced) - fared.settled
        self.add_rejects(fared.rejects)

    def look_at_sizes(self) -> None:
        """Let PostgreSQL see that its tables have grown.

        Plans made for empty tables, the triggers' too, would be kept for the session: a first import of 30,000
        claims took 85 seconds with them.
        """
        size = self.counts.added + sum(self.listed.values())
        if self.terms.store.dialect == "postgresql" and size > _GROWTH * self._known_size:
            self.write(lambda conn: conn.execute(_ANALYZE))
            self._known_size = size

    def add_rejects(self, rejects: Iterable[Reject]) -> None:
        """Write refused rows to their file, in the order of the lines."""
        ordered = sorted(rejects, key=lambda reject: reject.row)
        self.shown.take((), ordered)
        try:
            self.rejects.add(ordered)
        except OSError as error:
            raise FileError(str(self.rejects.path), [f"cannot be written: {error.strerror}"]) from error

    def refused_by_reader(self, refused: int, rejects: list[Reject]) -> None:
        """Count what could not even be read."""
        self.counts.add(Counts(rows=refused, refused=refused))
        self.add_rejects(rejects)

    def begin(self) -> None:
        """Make the run's row, so that every entry can name it."""

        def make(conn: Connection) -> int:
            values = {"kind": self.kind, "file_name": self.file, "at": self.terms.now}
            row = Counts().as_dict() | values | {"as_of_on": None}
            return int(conn.execute(insert(import_run).values(row).returning(import_run.c.id)).scalar_one())

        self.run_id = self.write(make)

    def note(self, conn: Connection, counts: Counts) -> None:
        """Append the entry of one batch and count it in the run's row, both in the batch's own transaction.

        A run that breaks off so tells what it had done.
        """
        sums = {name: import_run.c[name] + count for name, count in counts.as_dict().items() if count}
        if sums:
            conn.execute(update(import_run).where(import_run.c.id == self.run_id).values(sums))
        self.append(conn, "batch", counts.as_dict())

    def append(
        self, conn: Connection, part: str, counts: Mapping[str, int], reasons: Sequence[str] = ()
    ) -> None:
        """Append an entry of this run about one part of it."""
        versions = {"run": self.run_id, "kind": self.kind, "part": part, **counts}
        entry = log.Entry(
            type="imported", at=self.terms.now, actor=self.terms.actor, versions=versions, reasons=reasons
        )
        log.append(conn, [entry])

    def finish(
        self, closing: Callable[[Connection], None] | None = None, put_aside: str = ""
    ) -> ImportReport:
        """Close the run: its totals, and the day up to which the creditors' payments are known.

        `closing` is done in the same transaction; a list that was `put_aside` makes no day known.
        """
        as_of = None if put_aside else self.terms.as_of
        if as_of is not None and self.counts.refused:
            # A refused row may be somebody's payment: a day that misses one is not fully processed.
            self.notices["payments_not_known_until_refused_rows_are_mended"] += self.counts.refused
            as_of = None
        ids = sorted(self.creditors.values())

        def close(conn: Connection) -> None:
            values = self.counts.as_dict() | {"as_of_on": as_of, "put_aside": put_aside}
            conn.execute(update(import_run).where(import_run.c.id == self.run_id).values(values))
            if closing is not None:
                closing(conn)
            if as_of is not None:
                older = creditor.c.payments_until_on.is_(None) | (creditor.c.payments_until_on < as_of)
                known = update(creditor).where(creditor.c.id.in_(ids), older)
                conn.execute(known.values(payments_until_on=as_of))
            self.append(conn, "whole", self.counts.as_dict())

        self.write(close)
        now = self.terms.now
        today = now.astimezone(OPERATOR_ZONE).date()
        return ImportReport(
            kind=self.kind,
            file_name=self.file,
            **self.counts.as_dict(),
            passed_over=self.passed_over,
            rejects=self.rejects.path if self.rejects.rows else None,
            notices=dict(self.notices),
            unplaced=len(self.unplaced),
            dry_run=self.terms.dry_run,
            known_until=as_of,
            encoding=self.encoding,
            put_aside=put_aside,
            listed=dict(+self.listed),
            kinds=dict(self.kinds),
            shown=self.shown,
            book=self.write(lambda conn: book_state(conn, ids, today, now)),
        )

    def _refused_by_database(self, line: int, error: DataError | IntegrityError) -> None:
        fared = Fared()
        fared.refuse(
            self.file, line, "", "", f"values that the database can hold ({type(error.orig).__name__})"
        )
        self.merge(fared)


@contextmanager
def started(kind: str, path: Path, terms: Terms, folder: Path | None) -> Iterator[Run]:
    """Start an import: a day not yet over is refused before anything is read."""
    terms.check_as_of()
    with writing(terms.store, dry_run=terms.dry_run) as write, RejectFile(path, folder) as rejects:
        run = Run(kind, path, terms, write, rejects)
        run.begin()
        yield run
