"""Take a batch of claims rows in, in one transaction and with a fixed number of statements.

Persons are written before debtors, and claims before the parties of new dossiers: a trigger that finds nobody yet
costs nothing, and the party's own raises the person once for the whole dossier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from outreach.intake.bookings import Booking, credit_note_of
from outreach.intake.claim_values import columns_of, merged_details
from outreach.intake.load_bookings import take_bookings
from outreach.intake.load_changes import CLAIM_COLUMNS, claim
from outreach.intake.load_creditors import EXPECTED, resolve
from outreach.intake.load_debtors import DebtorKey, Debtors, Known, debtor
from outreach.intake.load_dossiers import DossierKey, Dossiers, dossier
from outreach.intake.load_stops import ToldStop, has_stops, set_stops, stops_of
from outreach.intake.pending import Note, Pending
from outreach.intake.report import Fared
from outreach.intake.rows import ClaimKind, ClaimRow
from outreach.intake.run import Terms
from outreach.store.bulk import insert_rows
from outreach.store.types import new_id

NUMBER_LENGTH = 100
_NUMBERS = ("debtor_id", "claim_id", "invoice_number", "contract_id", "credits_invoice")

ClaimKey = tuple[int, str]
"""A creditor's inner key and that creditor's number of the claim."""

_NEW = {"description": "", "payment_url": "", "details": "{}"}


class Place(NamedTuple):
    """Where a claim stands: it never moves to another debtor, contract or currency."""

    debtor_number: str
    contract_id: str
    currency: str


@dataclass(slots=True)
class ClaimsTaken(Fared):
    """How a batch of claims fared, and what differs of known claims and persons until the run's end."""

    creditors: dict[str, int] = field(default_factory=dict)
    claim_notes: list[Note] = field(default_factory=list)
    person_notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class _Wanted:
    """A claim as the batch's rows tell it, the last one counting."""

    line: int
    row: ClaimRow
    place: Place
    columns: dict[str, Any]
    known: Row[Any] | None


@dataclass(frozen=True)
class Held:
    """What earlier batches of the run left: known creditors and changes that wait."""

    creditors: Mapping[str, int]
    claims: Pending
    persons: Pending


class ClaimsBatch:
    """One batch of claims rows. Made anew for every try, so that it is safe to run again."""

    def __init__(self, conn: Connection, file: str, terms: Terms, held: Held) -> None:
        assert terms.address_keys is not None
        self._conn = conn
        self._file = file
        self._terms = terms
        self._held = held
        self._debtors = Debtors(conn, terms.address_keys)
        self._wanted: dict[ClaimKey, _Wanted] = {}
        self._notes: list[tuple[int, ClaimRow, int]] = []
        self.taken = ClaimsTaken()

    def take(self, rows: Sequence[tuple[int, ClaimRow]]) -> ClaimsTaken:
        """Write what is new, note what differs, refuse what contradicts."""
        codes = {row.creditor for _, row in rows}
        self.taken.creditors = resolve(self._conn, codes, self._held.creditors, is_trial=self._terms.is_trial)
        self._sort_out(rows)
        self._debtors.settle(self._held.persons)
        self.taken.person_notes = self._debtors.notes
        dossiers = self._write_claims()
        self._set_stops(dossiers)
        self._take_credit_notes()
        return self.taken

    def _sort_out(self, rows: Sequence[tuple[int, ClaimRow]]) -> None:
        """Refuse what cannot be, and gather what the others tell of claims and debtors."""
        known = self._known_claims(rows)
        for line, row in rows:
            creditor_id = self.taken.creditors.get(row.creditor)
            if creditor_id is None:
                self.taken.refuse(self._file, line, "creditor", row.creditor, EXPECTED)
                continue
            if self._is_unfit(line, row):
                continue
            if row.kind is ClaimKind.CREDIT_NOTE:
                if (creditor_id, row.claim_id) in known or (creditor_id, row.claim_id) in self._wanted:
                    self._refuse_kind(line, row)
                    continue
                self._notes.append((line, row, creditor_id))
            elif not self._want(line, row, creditor_id, known.get((creditor_id, row.claim_id))):
                continue
            self._debtors.tell(line, creditor_id, row)

    def _known_claims(self, rows: Sequence[tuple[int, ClaimRow]]) -> dict[ClaimKey, Row[Any]]:
        query: Select[Any] = (
            select(
                claim.c.id,
                claim.c.creditor_id,
                claim.c.external_id,
                claim.c.currency,
                claim.c.dossier_id,
                *(claim.c[name] for name in CLAIM_COLUMNS),
                dossier.c.contract_id,
                dossier.c.pseudonym.label("dossier"),
                debtor.c.external_id.label("debtor_number"),
            )
            .join(dossier, dossier.c.id == claim.c.dossier_id)
            .join(debtor, debtor.c.id == dossier.c.debtor_id)
            .where(
                claim.c.creditor_id.in_(set(self.taken.creditors.values())),
                claim.c.external_id.in_({row.claim_id for _, row in rows}),
            )
        )
        return {(row.creditor_id, row.external_id): row for row in self._conn.execute(query)}

    def _is_unfit(self, line: int, row: ClaimRow) -> bool:
        for name in _NUMBERS:
            if len(getattr(row, name) or "") > NUMBER_LENGTH:
                expected = f"a number of at most {NUMBER_LENGTH} characters"
                self.taken.refuse(self._file, line, name, getattr(row, name), expected)
                return True
        if any(len(other.debtor_id) > NUMBER_LENGTH for other in row.co_debtors):
            expected = f"numbers of at most {NUMBER_LENGTH} characters"
            self.taken.refuse(self._file, line, "co_debtors", row.co_debtors[0].debtor_id, expected)
            return True
        if row.principal == 0:
            expected = (
                "more than zero: what was paid or credited is a payment, and a claim of nothing asks nothing"
            )
            self.taken.refuse(self._file, line, "principal", "0", expected)
            return True
        return False

    def _want(self, line: int, row: ClaimRow, creditor_id: int, known: Row[Any] | None) -> bool:
        """Take what a row says of a claim; false where it would be another claim under the same number."""
        key = (creditor_id, row.claim_id)
        earlier = self._wanted.get(key)
        place = None
        if earlier is not None:
            place = earlier.place
        elif known is not None:
            place = Place(known.debtor_number, known.contract_id, known.currency)
        if place is not None and (fault := _moved(row, place)):
            self.taken.refuse(self._file, line, *fault)
            return False
        place = place or Place(row.debtor_id, row.contract_id or "", row.currency)
        columns = columns_of(row)
        if earlier is not None:
            columns["details"] = merged_details(earlier.columns["details"], columns["details"])
            columns = earlier.columns | columns
        self._wanted[key] = _Wanted(line, row, place, columns, known)
        is_new = known is None and earlier is None
        self.taken.lines[line] = "added" if is_new else "unchanged"
        return True

    def _refuse_kind(self, line: int, row: ClaimRow) -> None:
        expected = "another claim_id: this one is a claim already, and a credit note has a number of its own"
        self.taken.refuse(self._file, line, "claim_id", row.claim_id, expected)

    def _write_claims(self) -> Dossiers:
        dossiers = Dossiers(self._conn)
        new = {key: wanted for key, wanted in self._wanted.items() if wanted.known is None}
        dossiers.find_or_make({self._dossier_key(key, one): one.line for key, one in new.items()})
        if new:
            insert_rows(self._conn, claim, [self._row(key, one, dossiers) for key, one in new.items()])
        dossiers.add_debtors(
            {self._dossier_key(key, one): self._debtor(key, one) for key, one in new.items()}
        )
        for wanted in self._wanted.values():
            if wanted.known is not None:
                self._note(wanted, wanted.known)
        self._add_co_debtors(dossiers)
        return dossiers

    def _row(self, key: ClaimKey, wanted: _Wanted, dossiers: Dossiers) -> dict[str, Any]:
        return {
            **_NEW,
            **wanted.columns,
            "pseudonym": new_id(),
            "creditor_id": key[0],
            "external_id": key[1],
            "currency": wanted.place.currency,
            "dossier_id": dossiers.ids[self._dossier_key(key, wanted)].id,
        }

    def _note(self, wanted: _Wanted, known: Row[Any]) -> None:
        """Note what differs of a known claim."""
        there = known._mapping
        told = wanted.columns
        told["details"] = merged_details(there["details"], told["details"])
        differing = {name: value for name, value in told.items() if there[name] != value}
        if differing or known.id in self._held.claims:
            same = told.keys() - differing.keys()
            self.taken.claim_notes.append(Note(known.id, wanted.line, differing, same))

    def _add_co_debtors(self, dossiers: Dossiers) -> None:
        parties = []
        for key, wanted in self._wanted.items():
            for other in wanted.row.co_debtors:
                known = self._debtors.known[key[0], other.debtor_id]
                parties.append((wanted.line, self._dossier_id(key, wanted, dossiers), known.person_id))
        for line in dossiers.add_co_debtors(parties):
            self._touched(line)

    def _set_stops(self, dossiers: Dossiers) -> None:
        telling = {key: one for key, one in self._wanted.items() if has_stops(one.row)}
        ids = self._claim_ids(telling)
        told: list[ToldStop] = []
        for key, one in telling.items():
            known = self._debtor(key, one)
            name = one.known.dossier if one.known is not None else None
            pseudonym = name or dossiers.ids[self._dossier_key(key, one)].pseudonym
            told += stops_of(
                one.line,
                one.row,
                ids[key],
                pseudonym,
                known.person_id,
                known.pseudonym,
                self._terms.now,
            )
        for line in set_stops(self._conn, told, self._terms.now, self._terms.actor):
            self._touched(line)

    def _claim_ids(self, wanted: Mapping[ClaimKey, _Wanted]) -> dict[ClaimKey, int]:
        if not wanted:
            return {}
        query = select(claim.c.id, claim.c.creditor_id, claim.c.external_id).where(
            claim.c.creditor_id.in_({key[0] for key in wanted}),
            claim.c.external_id.in_({key[1] for key in wanted}),
        )
        return {(row.creditor_id, row.external_id): row.id for row in self._conn.execute(query)}

    def _take_credit_notes(self) -> None:
        """A credit note is money: it is booked, and waits unplaced where its invoice is not here yet."""
        notes: list[Booking] = [credit_note_of(*note) for note in self._notes]
        if notes:
            take_bookings(self._conn, self._file, notes, self._terms, self.taken, is_last=True)

    def _touched(self, line: int) -> None:
        if self.taken.lines.get(line) == "unchanged":
            self.taken.lines[line] = "changed"

    def _debtor(self, key: ClaimKey, wanted: _Wanted) -> Known:
        number: DebtorKey = (key[0], wanted.place.debtor_number)
        return self._debtors.known[number]

    def _dossier_key(self, key: ClaimKey, wanted: _Wanted) -> DossierKey:
        return DossierKey(key[0], self._debtor(key, wanted).debtor_id, wanted.place.contract_id)

    def _dossier_id(self, key: ClaimKey, wanted: _Wanted, dossiers: Dossiers) -> int:
        if wanted.known is not None:
            return int(wanted.known.dossier_id)
        return dossiers.ids[self._dossier_key(key, wanted)].id


def _moved(row: ClaimRow, place: Place) -> tuple[str, str, str] | None:
    """Return the fault where a row would move a claim: its history belongs to who owed it."""
    reason = "a claim does not move; credit this one and give the other a claim_id of its own"
    if row.debtor_id != place.debtor_number:
        return "debtor_id", row.debtor_id, f"{place.debtor_number}, whose claim {row.claim_id} is: {reason}"
    if row.contract_id is not None and row.contract_id != place.contract_id:
        there = place.contract_id or "no contract"
        return "contract_id", row.contract_id, f"{there}, where claim {row.claim_id} belongs: {reason}"
    if row.currency != place.currency:
        return "currency", row.currency, f"{place.currency}, the currency of claim {row.claim_id}: {reason}"
    return None
