"""The batches of a list of open items: each row's amount is compared with what is open, and booked where it differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec
from sqlalchemy import Connection, or_, select, update

from outreach.intake.bookings import Booking
from outreach.intake.claims_taken import ClaimsTaken
from outreach.intake.ledger import claim
from outreach.intake.list_change import Change, Standing, change
from outreach.intake.list_survey import Marks, Survey
from outreach.intake.listed_claims import booking, standings
from outreach.intake.load import ClaimsLoad
from outreach.intake.record_bookings import payments_of, record
from outreach.intake.rejects import Fault
from outreach.intake.rows import ClaimKind, ClaimRow, PaymentKind
from outreach.intake.run import Run

_TWICE = "one row for each claim: this one stands higher up in the list already"

Rows = Sequence[tuple[int, ClaimRow]]


def key_of(run: Run, as_of: date) -> str:
    """Return how the numbers of a run's own bookings begin."""
    return f"open-items:{as_of}:{run.run_id}"


@dataclass(slots=True)
class ListedTaken(ClaimsTaken):
    """How a batch of a list fared: `seen` are the claims in it, `listed` counts what their amounts changed."""

    seen: set[int] = field(default_factory=set)
    listed: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Compared:
    """The rows of a batch to take in as claims, and what their amounts change, by line."""

    rows: list[tuple[int, ClaimRow]] = field(default_factory=list)
    changes: dict[int, tuple[Standing, list[Change]]] = field(default_factory=dict)


class ListLoad(ClaimsLoad):
    """The batches of a list."""

    def __init__(self, run: Run, found: Survey, as_of: date) -> None:
        super().__init__(run)
        self._survey = found
        self._as_of = as_of
        self._seen = Marks()

    def merge(self, taken: ClaimsTaken) -> None:
        """Add a committed batch to the run."""
        super().merge(taken)
        assert isinstance(taken, ListedTaken)
        self._seen.add(taken.seen)
        self.run.listed += taken.listed

    def write_batch(self, conn: Connection, rows: list[tuple[int, ClaimRow]]) -> ClaimsTaken:
        """Take the claims in, then book what differs of their amounts."""
        assert self._survey.code is not None
        creditor_id = self.run.creditors[self._survey.code]
        batch = self.batch(conn)
        batch.taken = taken = ListedTaken()
        compared = self._compare(conn, creditor_id, rows, taken)
        if compared.rows:
            batch.take(compared.rows)
        bookings = list(self._bookings(creditor_id, compared, taken))
        if bookings:
            record(conn, bookings, [], self.run.terms.now, self.run.terms.actor)
        taken.seen = self._mark(conn, creditor_id, rows)
        return taken

    def _compare(self, conn: Connection, creditor_id: int, rows: Rows, taken: ListedTaken) -> _Compared:
        """Compare each row with what is open; what cannot be is refused."""
        compared = _Compared()
        numbers = {row.claim_id for _, row in rows}
        there = standings(conn, creditor_id, numbers, self._as_of, self._survey.credits)
        credit_notes = _credit_notes(conn, creditor_id, rows)
        here: set[str] = set()
        for line, row in rows:
            known = there.get(row.claim_id)
            if row.kind is ClaimKind.CREDIT_NOTE:
                # Less is left of a credit note once some of it was used: it stays as it was booked.
                booked = max(row.principal, credit_notes.get(row.claim_id, 0))
                if booked:
                    compared.rows.append((line, msgspec.structs.replace(row, principal=booked)))
                else:
                    taken.lines[line] = "unchanged"
                continue
            if row.claim_id in here or (known is not None and known.claim_id in self._seen):
                taken.refuse(self.run.file, line, "claim_id", row.claim_id, _TWICE)
                continue
            here.add(row.claim_id)
            if known is not None:
                self._compare_known(line, row, known, compared, taken)
            elif row.principal:
                compared.rows.append((line, row))
            else:
                taken.lines[line] = "unchanged"
        return compared

    def _compare_known(
        self, line: int, row: ClaimRow, known: Standing, compared: _Compared, taken: ListedTaken
    ) -> None:
        # In another currency it is refused as a claim that moved.
        changes = change(row.principal, known) if row.currency == known.currency else []
        if isinstance(changes, Fault):
            taken.refuse(self.run.file, line, *changes)
            return
        # The claim's own amount is history, and no list changes it.
        compared.rows.append((line, msgspec.structs.replace(row, principal=known.principal)))
        if changes:
            compared.changes[line] = (known, changes)

    def _bookings(self, creditor_id: int, compared: _Compared, taken: ListedTaken) -> Iterator[Booking]:
        key = key_of(self.run, self._as_of)
        for line, (known, changes) in compared.changes.items():
            if taken.lines[line] == "refused":
                continue
            taken.lines[line] = "changed"
            is_back = changes[0].kind == PaymentKind.REVERSAL.value
            taken.listed["restored" if is_back else "lowered"] += 1
            for number, one in enumerate(changes):
                yield booking(key, number, line, creditor_id, known, one, self._as_of)

    def _mark(self, conn: Connection, creditor_id: int, rows: Rows) -> set[int]:
        """Note on the claims of a batch that this list held them; returns their keys."""
        numbers = {row.claim_id for _, row in rows}
        query = select(claim.c.id).where(claim.c.creditor_id == creditor_id, claim.c.external_id.in_(numbers))
        ids = set(conn.execute(query.order_by(claim.c.id)).scalars())
        other = or_(claim.c.listed_on.is_(None), claim.c.listed_on != self._as_of)
        conn.execute(update(claim).where(claim.c.id.in_(ids), other).values(listed_on=self._as_of))
        return ids


def _credit_notes(conn: Connection, creditor_id: int, rows: Rows) -> dict[str, int]:
    """Return what the credit notes among these rows were booked with, by their number."""
    keys = {(creditor_id, row.claim_id) for _, row in rows if row.kind is ClaimKind.CREDIT_NOTE}
    if not keys:
        return {}
    return {
        row.external_id: int(row.amount_cents)
        for row in payments_of(conn, keys)
        if row.kind == PaymentKind.CREDIT_NOTE.value
    }
