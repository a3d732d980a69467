"""Import claims and payments: stream a file in batches, each one transaction, and tell how the rows fared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from outreach.intake.load_bookings import place_waiting
from outreach.intake.load_changes import change_claims, change_persons
from outreach.intake.load_claims import ClaimsBatch, ClaimsTaken, Held
from outreach.intake.load_creditors import expect, resolve
from outreach.intake.load_payments import PaymentsTaken, take_payments
from outreach.intake.mapping import FileMapping
from outreach.intake.pending import MOST, Mark, Pending
from outreach.intake.reading import BATCH, Batch, read_claims, read_payments
from outreach.intake.report import Counts, ImportReport
from outreach.intake.rows import ClaimRow, PaymentRow
from outreach.intake.run import Run, Terms, started
from outreach.parties.addresses import AddressKeys
from outreach.store.writer import Store

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
    as_of: date | None = None,
    dry_run: bool = False,
    is_trial: bool,
    actor: str,
    rejects_folder: Path | None = None,
) -> ImportReport:
    """Import a claims file; the same file again changes nothing.

    `creditor_code` serves a file without that column; `as_of` is the last day whose payments are known (of an
    open-items file). Refused rows go to `<file>.rejects.csv`, beside the file or in `rejects_folder`. A dry run
    does everything but keep it. Raises FileError or MappingError where the file as a whole cannot be taken (an
    unknown creditor for the whole file too, but on a trial), and Refused for an `as_of` that is not over yet.
    """
    terms = Terms(store, now, actor, is_trial, as_of, dry_run, address_keys)
    batches = read_claims(path, creditor=creditor_code, mapping=mapping, size=BATCH)
    with started("claims", path, terms, rejects_folder) as run:
        _begin(run, creditor_code or _constant(mapping, "claims"))
        load = _ClaimsLoad(run)
        for batch in batches:
            _read(run, batch)
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

    With `as_of` every creditor in the file counts as known up to that day (inclusive). Otherwise as `load_claims`.
    """
    terms = Terms(store, now, actor, is_trial, as_of, dry_run, address_keys)
    batches = read_payments(path, creditor=creditor_code, mapping=mapping, size=BATCH)
    with started("payments", path, terms, rejects_folder) as run:
        _begin(run, creditor_code or _constant(mapping, "payments"))
        waiting: list[tuple[int, PaymentRow]] = []
        for batch in batches:
            _read(run, batch)
            waiting += _take_payments(run, batch.rows, is_last=False)
            run.look_at_sizes()
        # Some exports have the newest first: a reversal then stands before what it takes back.
        for start in range(0, len(waiting), BATCH):
            _take_payments(run, waiting[start : start + BATCH], is_last=True)
        return run.finish()


def _constant(mapping: FileMapping | None, kind: str) -> str | None:
    """Return the one creditor that a mapping names for the whole file."""
    return None if mapping is None else mapping.section(kind).constants.get("creditor")


def _begin(run: Run, code: str | None) -> None:
    """Check the one creditor of a whole file before any row; on a trial it is made."""
    if code is None:
        return

    def begin(conn: Connection) -> dict[str, int]:
        found = resolve(conn, [code], {}, is_trial=run.terms.is_trial)
        if code not in found:
            expect(conn, run.file, code)
        return found

    run.creditors |= run.write(begin)


def _read(run: Run, batch: Batch[ClaimRow] | Batch[PaymentRow]) -> None:
    """Count what reading found: rows refused, passed over, or marked."""
    run.refused_by_reader(batch.refused, batch.rejects)
    run.passed_over += batch.passed_over
    run.notices.update(Counter(notice.value for _, row in batch.rows for notice in row.notices))


class _ClaimsLoad:
    """The batches of a claims file, and the changes held until its end."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._claims, self._persons = Pending(), Pending()

    def take(self, rows: list[tuple[int, ClaimRow]]) -> None:
        """Write one batch."""
        if not rows:
            return
        for taken in self._run.in_parts(rows, self._take):
            self._run.creditors |= taken.creditors
            self._run.merge(taken)
            for note in taken.claim_notes:
                self._claims.note(note, taken.lines)
            for note in taken.person_notes:
                self._persons.note(note, taken.lines)
        if len(self._claims.marks) + len(self._persons.marks) > MOST:
            self._write_held()

    def finish(self) -> None:
        """Write what was held, and place what waited for a claim that has come."""
        self._write_held()
        after: int | None = 0
        creditors = sorted(self._run.creditors.values())
        while after is not None and creditors:
            after, placed = self._run.write(
                partial(_place_waiting, creditors=creditors, after=after, terms=self._run.terms)
            )
            self._run.unplaced -= placed

    def _take(self, conn: Connection, rows: list[tuple[int, ClaimRow]]) -> ClaimsTaken:
        run = self._run
        held = Held(run.creditors, self._claims, self._persons)
        taken = ClaimsBatch(conn, run.file, run.terms, held).take(rows)
        run.note(conn, taken.counts())
        return taken

    def _write_held(self) -> None:
        counted: set[int] = set()
        while self._claims.marks or self._persons.marks:
            claims, persons = self._claims.take(GROUP), self._persons.take(GROUP)
            changed = self._run.write(partial(self._change, claims=claims, persons=persons))
            lines = {mark.line for mark in changed if mark.unchanged} - counted
            counted |= lines
            self._run.counts.add(Counts(changed=len(lines), unchanged=-len(lines)))

    def _change(self, conn: Connection, claims: dict[int, Mark], persons: dict[int, Mark]) -> Iterable[Mark]:
        terms = self._run.terms
        assert terms.address_keys is not None
        changed: list[Mark] = []
        if claims:
            changed += [claims[key] for key in change_claims(conn, claims)]
        if persons:
            done = change_persons(conn, persons, terms.address_keys, terms.now, terms.actor)
            changed += [persons[key] for key in done]
        self._run.note(conn, Counts(changed=len({mark.line for mark in changed})))
        return changed


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
