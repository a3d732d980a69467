"""Import claims and payments: stream a file in batches, each one transaction, and tell how the rows fared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from outreach.intake.claims_taken import ClaimsTaken, Held
from outreach.intake.load_bookings import place_waiting
from outreach.intake.load_changes import change_claims, change_dossiers, change_persons
from outreach.intake.load_claims import ClaimsBatch
from outreach.intake.load_creditors import expect, resolve
from outreach.intake.load_edits import Kept
from outreach.intake.load_payments import PaymentsTaken, take_payments
from outreach.intake.mapping import FileMapping
from outreach.intake.pending import MOST, Mark, Pending
from outreach.intake.reading import BATCH, Batch, read_claims, read_payments
from outreach.intake.report import Counts, ImportReport
from outreach.intake.rows import ClaimRow, FactRow, PaymentRow
from outreach.intake.run import Run, Terms, started
from outreach.parties.addresses import AddressKeys
from outreach.store.writer import Store

Change = Callable[[Connection, Mapping[int, Mark]], set[int]]
"""Brings records of one kind to what the file says; returns those that really changed."""

GROUP = 500
"""How many held changes are written in one transaction."""


def load_claims(
    store: Store,
    address_keys: AddressKeys,
    path: Path,
    *,
    creditor_code: str | None = None,
    mapping: FileMapping | None = None,
    now: datetime,
    dry_run: bool = False,
    is_trial: bool,
    actor: str,
    rejects_folder: Path | None = None,
) -> ImportReport:
    """Import a claims file; the same file again changes nothing.

    `creditor_code` serves a file without that column. Refused rows go to `<file>.rejects.csv`, beside the file
    or in `rejects_folder`. A dry run does everything but keep it. Raises FileError or MappingError where the
    file as a whole cannot be taken (an unknown creditor for the whole file too, but on a trial).
    """
    terms = Terms(store, now, actor, is_trial, None, dry_run, address_keys)
    batches = read_claims(path, creditor=creditor_code, mapping=mapping, size=BATCH)
    with started("claims", path, terms, rejects_folder) as run:
        begin(run, creditor_code or constant(mapping, "claims"))
        load = ClaimsLoad(run)
        for batch in batches:
            read(run, batch)
            load.take(batch.rows)
            run.look_at_sizes()
        load.finish()
        return run.finish()


def load_payments(
    store: Store,
    address_keys: AddressKeys,
    path: Path,
    *,
    creditor_code: str | None = None,
    mapping: FileMapping | None = None,
    now: datetime,
    as_of: date | None = None,
    dry_run: bool = False,
    is_trial: bool,
    actor: str,
    rejects_folder: Path | None = None,
) -> ImportReport:
    """Import a payments file: place each booking, make a task of what cannot be placed.

    With `as_of` every creditor in the file counts as known up to that day (inclusive); raises Refused for one that
    is not over yet. Otherwise as `load_claims`.
    """
    terms = Terms(store, now, actor, is_trial, as_of, dry_run, address_keys)
    batches = read_payments(path, creditor=creditor_code, mapping=mapping, size=BATCH)
    with started("payments", path, terms, rejects_folder) as run:
        begin(run, creditor_code or constant(mapping, "payments"))
        waiting: list[tuple[int, PaymentRow]] = []
        for batch in batches:
            read(run, batch)
            waiting += _take_payments(run, batch.rows, is_last=False)
            run.look_at_sizes()
        # Some exports have the newest first: a reversal then stands before what it takes back.
        for start in range(0, len(waiting), BATCH):
            _take_payments(run, waiting[start : start + BATCH], is_last=True)
        return run.finish()


def constant(mapping: FileMapping | None, kind: str) -> str | None:
    """Return the one creditor that a mapping names for the whole file."""
    return None if mapping is None else mapping.section(kind).constants.get("creditor")


def begin(run: Run, code: str | None) -> None:
    """Check the one creditor of a whole file before any row; on a trial it is made."""
    if code is None:
        return

    def begin(conn: Connection) -> dict[str, int]:
        found = resolve(conn, [code], {}, is_trial=run.terms.is_trial)
        if code not in found:
            expect(conn, run.file, code)
        return found

    run.creditors |= run.write(begin)


def read(run: Run, batch: Batch[ClaimRow] | Batch[PaymentRow] | Batch[FactRow]) -> None:
    """Count what reading found: rows refused, passed over, or marked."""
    run.encoding = batch.encoding
    run.refused_by_reader(batch.refused, batch.rejects)
    run.passed_over += batch.passed_over
    run.notices.update(Counter(notice.value for _, row in batch.rows for notice in row.notices))


class ClaimsLoad:
    """The batches of a claims file, and the changes held until its end."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._claims, self._persons, self._dossiers = Pending(), Pending(), Pending()
        self._overruled: set[Kept] = set()

    def take(self, rows: list[tuple[int, ClaimRow]]) -> None:
        """Write one batch."""
        if not rows:
            return
        for taken in self.run.in_parts(rows, self._take):
            self.merge(taken)
        if len(self._claims.marks) + len(self._persons.marks) + len(self._dossiers.marks) > MOST:
            self._write_held()

    def finish(self) -> None:
        """Write what was held, and place what waited for a claim that has come."""
        self._write_held()
        if self._overruled:
            self.run.notices["corrected_by_a_person_and_kept"] += len(self._overruled)
        after: int | None = 0
        creditors = sorted(self.run.creditors.values())
        while after is not None and creditors:
            after, placed = self.run.write(
                partial(_place_waiting, creditors=creditors, after=after, terms=self.run.terms)
            )
            self.run.unplaced -= placed

    def merge(self, taken: ClaimsTaken) -> None:
        """Add a committed batch to the run."""
        self.run.creditors |= taken.creditors
        self.run.merge(taken)
        self._overruled |= taken.overruled
        for pending, notes in (
            (self._claims, taken.claim_notes),
            (self._persons, taken.person_notes),
            (self._dossiers, taken.dossier_notes),
        ):
            for note in notes:
                pending.note(note, taken.lines)

    def write_batch(self, conn: Connection, rows: list[tuple[int, ClaimRow]]) -> ClaimsTaken:
        """Take a batch's rows in."""
        return self.batch(conn).take(rows)

    def batch(self, conn: Connection) -> ClaimsBatch:
        """Return what takes one batch in."""
        held = Held(self.run.creditors, self._claims, self._persons, self._dossiers)
        return ClaimsBatch(conn, self.run.file, self.run.terms, held)

    def _take(self, conn: Connection, rows: list[tuple[int, ClaimRow]]) -> ClaimsTaken:
        taken = self.write_batch(conn, rows)
        self.run.note(conn, taken.counts())
        return taken

    def _write_held(self) -> None:
        counted: set[int] = set()
        while self._claims.marks or self._persons.marks or self._dossiers.marks:
            held: dict[Change, dict[int, Mark]] = {
                change_claims: self._claims.take(GROUP),
                change_dossiers: self._dossiers.take(GROUP),
                self._change_persons: self._persons.take(GROUP),
            }
            changed = self.run.write(partial(self._change, held=held))
            lines = {mark.line for mark in changed if mark.unchanged} - counted
            counted |= lines
            self.run.counts.add(Counts(changed=len(lines), unchanged=-len(lines)))
            self.run.shown.take((line, "changed") for line in sorted(lines))

    def _change(self, conn: Connection, held: dict[Change, dict[int, Mark]]) -> list[Mark]:
        changed = [marks[key] for change, marks in held.items() if marks for key in change(conn, marks)]
        self.run.note(conn, Counts(changed=len({mark.line for mark in changed})))
        return changed

    def _change_persons(self, conn: Connection, marks: Mapping[int, Mark]) -> set[int]:
        terms = self.run.terms
        assert terms.address_keys is not None
        return change_persons(conn, marks, terms.address_keys, terms.now, terms.actor)


def _place_waiting(
    conn: Connection, creditors: list[int], after: int, terms: Terms
) -> tuple[int | None, set[int]]:
    return place_waiting(conn, creditors, after, terms)


def _take_payments(
    run: Run, rows: list[tuple[int, PaymentRow]], *, is_last: bool
) -> list[tuple[int, PaymentRow]]:
    """Write one batch of payments; returns the reversals that wait."""
    waiting: set[int] = set()

    def take(conn: Connection, part: list[tuple[int, PaymentRow]]) -> PaymentsTaken:
        taken = take_payments(conn, run.file, part, run.terms, run.creditors, is_last=is_last)
        run.note(conn, taken.counts())
        return taken

    if rows:
        for taken in run.in_parts(rows, take):
            run.creditors |= taken.creditors
            run.merge(taken)
            waiting |= set(taken.waiting)
    return [row for row in rows if row[0] in waiting]
