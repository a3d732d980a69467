"""Take a batch of claims rows in, in one transaction and with a fixed number of statements.

Persons are written before debtors, and claims before the parties of new dossiers: a trigger that finds nobody yet
costs nothing, and the party's own raises the person once for the whole dossier.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from outreach.intake.bookings import Booking, credit_note_of
from outreach.intake.claim_fit import Place, moved, unfit
from outreach.intake.claim_values import columns_of, merged_details
from outreach.intake.claims_taken import ClaimKey, ClaimsTaken, Held, Wanted, claim_ids, known_claims
from outreach.intake.load_bookings import take_bookings
from outreach.intake.load_changes import claim
from outreach.intake.load_creditors import EXPECTED, resolve
from outreach.intake.load_debtors import DebtorKey, Debtors, Known
from outreach.intake.load_dossiers import DossierKey, Dossiers
from outreach.intake.load_edits import corrections, divided, overruled
from outreach.intake.load_segments import Segments
from outreach.intake.load_signals import ToldSignal, reminded_on, set_signals
from outreach.intake.load_stops import ToldStop, has_stops, set_stops, stops_of
from outreach.intake.pending import Note
from outreach.intake.rows import ClaimKind, ClaimRow
from outreach.intake.run import OPERATOR_ZONE, Terms
from outreach.store.bulk import insert_rows
from outreach.store.types import new_id

_NEW = {
    "description": "",
    "payment_url": "",
    "details": "{}",
    "direct_debit": False,
    "last_step": "",
    "last_step_on": None,
}


class ClaimsBatch:
    """One batch of claims rows. Made anew for every try, so that it is safe to run again."""

    def __init__(self, conn: Connection, file: str, terms: Terms, held: Held) -> None:
        assert terms.address_keys is not None
        self._conn = conn
        self._file = file
        self._terms = terms
        self._held = held
        self._debtors = Debtors(conn, terms.address_keys)
        self._wanted: dict[ClaimKey, Wanted] = {}
        self._segments: Segments[ClaimKey] = Segments()
        self._notes: list[tuple[int, ClaimRow, int]] = []
        self.taken = ClaimsTaken()

    def take(self, rows: Sequence[tuple[int, ClaimRow]]) -> ClaimsTaken:
        """Write what is new, note what differs, refuse what contradicts."""
        codes = {row.creditor for _, row in rows}
        self.taken.creditors = resolve(self._conn, codes, self._held.creditors, is_trial=self._terms.is_trial)
        self._sort_out(rows)
        self._debtors.settle(self._held.persons)
        self.taken.person_notes = self._debtors.notes
        self.taken.overruled |= self._debtors.overruled
        dossiers = self._write_claims()
        self._set_stops_and_signals(dossiers)
        self._take_credit_notes()
        return self.taken

    def _sort_out(self, rows: Sequence[tuple[int, ClaimRow]]) -> None:
        """Refuse what cannot be, and gather what the others tell of claims and debtors."""
        numbers = {row.claim_id for _, row in rows}
        known = known_claims(self._conn, self.taken.creditors.values(), numbers)
        today = None if self._terms.is_trial else self._terms.now.astimezone(OPERATOR_ZONE).date()
        for line, row in rows:
            creditor_id = self.taken.creditors.get(row.creditor)
            if creditor_id is None:
                self.taken.refuse(self._file, line, "creditor", row.creditor, EXPECTED)
                continue
            if fault := unfit(row, today):
                self.taken.refuse(self._file, line, *fault)
                continue
            if row.kind is ClaimKind.CREDIT_NOTE:
                if (creditor_id, row.claim_id) in known or (creditor_id, row.claim_id) in self._wanted:
                    self._refuse_kind(line, row)
                    continue
                self._notes.append((line, row, creditor_id))
            elif not self._want(line, row, creditor_id, known.get((creditor_id, row.claim_id))):
                continue
            self._debtors.tell(line, creditor_id, row)

    def _want(self, line: int, row: ClaimRow, creditor_id: int, known: Row[Any] | None) -> bool:
        """Take what a row says of a claim; false where it would be another claim under the same number."""
        key = (creditor_id, row.claim_id)
        earlier = self._wanted.get(key)
        place = None
        if earlier is not None:
            place = earlier.place
        elif known is not None:
            place = Place(known.debtor_number, known.contract_id, known.currency)
        if place is not None and (fault := moved(row, place)):
            self.taken.refuse(self._file, line, *fault)
            return False
        place = place or Place(row.debtor_id, row.contract_id or "", row.currency)
        columns = columns_of(row)
        if earlier is not None:
            columns["details"] = merged_details(earlier.columns["details"], columns["details"])
            columns = earlier.columns | columns
        self._wanted[key] = Wanted(line, row, place, columns, known)
        self._segments.tell(line, key, row.segment)
        is_new = known is None and earlier is None
        self.taken.lines[line] = "added" if is_new else "unchanged"
        return True

    def _refuse_kind(self, line: int, row: ClaimRow) -> None:
        expected = "another claim_id: this one is a claim already, and a credit note has a number of its own"
        self.taken.refuse(self._file, line, "claim_id", row.claim_id, expected)

    def _write_claims(self) -> Dossiers:
        dossiers = Dossiers(self._conn)
        new = {key: wanted for key, wanted in self._wanted.items() if wanted.known is None}
        places = {key: self._dossier_key(key, one) for key, one in new.items()}
        dossiers.find_or_make(self._segments.of_new(places))
        if new:
            insert_rows(self._conn, claim, [self._row(key, one, dossiers) for key, one in new.items()])
        dossiers.add_debtors(
            {self._dossier_key(key, one): self._debtor(key, one) for key, one in new.items()}
        )
        self._note_claims()
        self._note_segments(dossiers)
        self._add_others(dossiers)
        return dossiers

    def _row(self, key: ClaimKey, wanted: Wanted, dossiers: Dossiers) -> dict[str, Any]:
        return {
            **_NEW,
            **wanted.columns,
            "pseudonym": new_id(),
            "creditor_id": key[0],
            "external_id": key[1],
            "currency": wanted.place.currency,
            "dossier_id": dossiers.ids[self._dossier_key(key, wanted)].id,
        }

    def _note_claims(self) -> None:
        """Note what differs of known claims."""
        known = {one.known.id: one for one in self._wanted.values() if one.known is not None}
        standing = corrections(self._conn, "claim", known.keys())
        for claim_id, wanted in known.items():
            assert wanted.known is not None
            there = wanted.known._mapping
            told = wanted.columns
            told["details"] = merged_details(there["details"], told["details"])
            self.taken.overruled |= overruled("claim", claim_id, told, standing)
            free, beside = divided(claim_id, told, standing)
            differing = beside | {name: value for name, value in free.items() if there[name] != value}
            if differing or claim_id in self._held.claims:
                same = told.keys() - differing.keys()
                self.taken.claim_notes.append(Note(claim_id, wanted.line, differing, same))

    def _note_segments(self, dossiers: Dossiers) -> None:
        """Note the segments of known dossiers that differ."""
        there: dict[ClaimKey, tuple[int, str]] = {}
        for key in self._segments.told:
            wanted = self._wanted[key]
            if wanted.known is not None:
                there[key] = (wanted.known.dossier_id, wanted.known.segment)
            else:
                ref = dossiers.ids[self._dossier_key(key, wanted)]
                there[key] = (ref.id, ref.segment)
        notes, kept = self._segments.notes(self._conn, there, self._held.dossiers)
        self.taken.dossier_notes, self.taken.overruled = notes, self.taken.overruled | kept

    def _add_others(self, dossiers: Dossiers) -> None:
        """Write co-debtors, and representatives: who acts for the debtor is known, and not written to yet."""
        parties = []
        for key, wanted in self._wanted.items():
            others = [(other.debtor_id, "co_debtor") for other in wanted.row.co_debtors]
            if wanted.row.representative is not None:
                others.append((wanted.row.representative.debtor_id, "representative"))
            for number, role in others:
                person_id = self._debtors.known[key[0], number].person_id
                parties.append((wanted.line, self._dossier_id(key, wanted, dossiers), person_id, role))
        for line in dossiers.add_others(parties):
            self._touched(line)

    def _set_stops_and_signals(self, dossiers: Dossiers) -> None:
        telling = {
            key: one for key, one in self._wanted.items() if has_stops(one.row) or reminded_on(one.row)
        }
        ids = claim_ids(self._conn, telling)
        stops: list[ToldStop] = []
        signals: list[ToldSignal] = []
        for key, one in telling.items():
            known = self._debtor(key, one)
            name = one.known.dossier if one.known is not None else None
            pseudonym = name or dossiers.ids[self._dossier_key(key, one)].pseudonym
            stops += stops_of(
                one.line,
                one.row,
                ids[key],
                pseudonym,
                known.person_id,
                known.pseudonym,
                self._terms.now,
            )
            if on := reminded_on(one.row):
                dossier_id = self._dossier_id(key, one, dossiers)
                signals.append(ToldSignal(one.line, ids[key], dossier_id, pseudonym, on))
        now, actor = self._terms.now, self._terms.actor
        for line in set_stops(self._conn, stops, now, actor) | set_signals(self._conn, signals, now, actor):
            self._touched(line)

    def _take_credit_notes(self) -> None:
        """A credit note is money: it is booked, and waits unplaced where its invoice is not here yet."""
        notes: list[Booking] = [credit_note_of(*note) for note in self._notes]
        if notes:
            take_bookings(self._conn, self._file, notes, self._terms, self.taken, is_last=True)

    def _touched(self, line: int) -> None:
        if self.taken.lines.get(line) == "unchanged":
            self.taken.lines[line] = "changed"

    def _debtor(self, key: ClaimKey, wanted: Wanted) -> Known:
        number: DebtorKey = (key[0], wanted.place.debtor_number)
        return self._debtors.known[number]

    def _dossier_key(self, key: ClaimKey, wanted: Wanted) -> DossierKey:
        return DossierKey(key[0], self._debtor(key, wanted).debtor_id, wanted.place.contract_id)

    def _dossier_id(self, key: ClaimKey, wanted: Wanted, dossiers: Dossiers) -> int:
        if wanted.known is not None:
            return int(wanted.known.dossier_id)
        return dossiers.ids[self._dossier_key(key, wanted)].id
