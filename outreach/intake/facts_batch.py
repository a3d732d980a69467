"""Take a batch of facts rows in, in one transaction: find whom they are about, set what is new."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, or_, select

from outreach.intake.facts_effects import protect_addresses, set_facts
from outreach.intake.facts_told import About, Address, ToldFact, code_of, stops_of
from outreach.intake.load_changes import claim
from outreach.intake.load_creditors import EXPECTED, resolve, the_only_one
from outreach.intake.load_debtors import debtor, person
from outreach.intake.load_dossiers import dossier
from outreach.intake.load_points import point
from outreach.intake.load_stops import stop
from outreach.intake.pending import Note, Pending
from outreach.intake.report import Fared
from outreach.intake.rows import LASTING, OF_A_DEBT, FactKind, FactRow
from outreach.intake.run import Terms
from outreach.store.types import AnyRow

DebtorKey = tuple[int, str]

_ADDRESSED = (FactKind.WRONG_PERSON, FactKind.MOVED)
_DEBTOR = "the number of a debtor who is known here: import the claims first"
_CLAIM = "the number of a claim of this debtor that is known here, or nothing"
_OWES = "a debtor with a claim here, since this kind of fact is about a debt"


@dataclass(slots=True)
class FactsTaken(Fared):
    """How a batch of facts fared, and the ends that differ until the run's end."""

    creditors: dict[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    notices: Counter[str] = field(default_factory=Counter)


class FactsBatch:
    """One batch of facts rows. Made anew for every try, so that it is safe to run again."""

    def __init__(
        self, conn: Connection, file: str, terms: Terms, creditors: Mapping[str, int], held: Pending
    ) -> None:
        assert terms.address_keys is not None
        self._conn = conn
        self._file = file
        self._terms = terms
        self._keys = terms.address_keys
        self._creditors = creditors
        self._held = held
        self.taken = FactsTaken()

    def take(self, rows: Sequence[tuple[int, FactRow]]) -> FactsTaken:
        """Set what is new, note the ends that differ, refuse what is about nobody."""
        placed = self._placed(rows)
        found = self._about(placed)
        told: list[ToldFact] = []
        protected: list[tuple[int, About]] = []
        for line, row, creditor_id in placed:
            about = found.get(line)
            if about is None:
                continue
            self.taken.lines[line] = "unchanged"
            if row.kind is FactKind.ADDRESS_PROTECTED:
                protected.append((line, about))
            code = code_of(self._keys, creditor_id, row)
            stops = stops_of(line, row, code, about, self._terms.now, is_trial=self._terms.is_trial)
            if not stops and row.kind in _ADDRESSED:
                self.taken.notices["no_address_to_close"] += 1
            told += stops
        lines = self._set(told)
        lines |= protect_addresses(self._conn, protected, self._terms.now, self._terms.actor)
        self.taken.lines |= dict.fromkeys(lines, "added")
        return self.taken

    def _placed(self, rows: Sequence[tuple[int, FactRow]]) -> list[tuple[int, FactRow, int]]:
        """Return the rows with their creditor; refuse those without a known one."""
        only = the_only_one(self._conn) if any(row.creditor is None for _, row in rows) else None
        codes = {code for _, row in rows if (code := row.creditor or only)}
        self.taken.creditors = resolve(self._conn, codes, self._creditors, is_trial=False)
        placed = []
        for line, row in rows:
            creditor_id = self.taken.creditors.get(row.creditor or only or "")
            if creditor_id is not None:
                placed.append((line, row, creditor_id))
                continue
            unsaid = "a value: there is not just one creditor (--creditor CODE)"
            self._refuse(line, "creditor", row.creditor or "", EXPECTED if row.creditor else unsaid)
        return placed

    def _refuse(self, line: int, name: str, value: str, expected: str) -> None:
        self.taken.refuse(self._file, line, name, value, expected)

    def _about(self, placed: Sequence[tuple[int, FactRow, int]]) -> dict[int, About]:
        """Find whom and what each row is about, by line; refuse the others."""
        debtors = self._debtors(placed)
        dossiers, claims = self._debts(placed, debtors)
        addresses = self._addresses(
            [debtors[key].person_id for _, row, at in placed if (key := (at, row.debtor_id)) in debtors]
            if any(row.kind in _ADDRESSED for _, row, _ in placed)
            else []
        )
        found: dict[int, About] = {}
        for line, row, creditor_id in placed:
            who = debtors.get((creditor_id, row.debtor_id))
            if who is None:
                self._refuse(line, "debtor_id", row.debtor_id, _DEBTOR)
                continue
            places, claim_id = tuple(dossiers.get(who.id, ())), None
            if row.kind in OF_A_DEBT and row.claim_id:
                one = claims.get((creditor_id, row.claim_id))
                if one is None or one.debtor_id != who.id:
                    self._refuse(line, "claim_id", row.claim_id, _CLAIM)
                    continue
                places, claim_id = ((one.dossier_id, one.pseudonym),), one.id
            elif row.kind in OF_A_DEBT and not places:
                self._refuse(line, "debtor_id", row.debtor_id, _OWES)
                continue
            found[line] = About(
                who.person_id,
                who.pseudonym,
                who.date_of_birth,
                places,
                claim_id,
                addresses.get(who.person_id, ()),
            )
        return found

    def _debtors(self, placed: Sequence[tuple[int, FactRow, int]]) -> dict[DebtorKey, AnyRow]:
        query = (
            select(
                debtor.c.id,
                debtor.c.creditor_id,
                debtor.c.external_id,
                debtor.c.person_id,
                person.c.pseudonym,
                person.c.date_of_birth,
            )
            .join(person, person.c.id == debtor.c.person_id)
            .where(
                debtor.c.creditor_id.in_({creditor_id for *_, creditor_id in placed}),
                debtor.c.external_id.in_({row.debtor_id for _, row, _ in placed}),
            )
        )
        return {(row.creditor_id, row.external_id): row for row in self._conn.execute(query)}

    def _debts(
        self, placed: Sequence[tuple[int, FactRow, int]], debtors: Mapping[DebtorKey, AnyRow]
    ) -> tuple[dict[int, list[tuple[int, str]]], dict[tuple[int, str], AnyRow]]:
        """Return the dossiers by debtor, and the claims that rows name."""
        whole = {
            debtors[key].id
            for _, row, creditor_id in placed
            if row.kind in OF_A_DEBT and not row.claim_id and (key := (creditor_id, row.debtor_id)) in debtors
        }
        dossiers: dict[int, list[tuple[int, str]]] = defaultdict(list)
        query = select(dossier.c.id, dossier.c.pseudonym, dossier.c.debtor_id).order_by(dossier.c.id)
        for one in self._conn.execute(query.where(dossier.c.debtor_id.in_(whole))):
            dossiers[one.debtor_id].append((one.id, one.pseudonym))
        named = (
            select(
                claim.c.id,
                claim.c.creditor_id,
                claim.c.external_id,
                claim.c.dossier_id,
                dossier.c.pseudonym,
                dossier.c.debtor_id,
            )
            .join(dossier, dossier.c.id == claim.c.dossier_id)
            .where(
                claim.c.creditor_id.in_({creditor_id for *_, creditor_id in placed}),
                claim.c.external_id.in_({row.claim_id for _, row, _ in placed if row.claim_id}),
            )
        )
        return dossiers, {(row.creditor_id, row.external_id): row for row in self._conn.execute(named)}

    def _addresses(self, persons: Sequence[int]) -> dict[int, list[Address]]:
        """Return the contact points that these persons have now."""
        now = self._terms.now
        query = select(point.c.id, point.c.kind, point.c.address_key, point.c.person_id).where(
            point.c.person_id.in_(persons), or_(point.c.until_at.is_(None), point.c.until_at > now)
        )
        found: dict[int, list[Address]] = defaultdict(list)
        for row in self._conn.execute(query.order_by(point.c.id)):
            found[row.person_id].append(Address(row.id, row.kind, row.address_key))
        return found

    def _set(self, told: Sequence[ToldFact]) -> set[int]:
        """Set the stops that were never set; return the lines that set one."""
        known = self._known(told)
        done = {code for code, *_ in known}
        new: dict[tuple[object, ...], ToldFact] = {}
        for one in told:
            row = known.get(one.identity)
            # A new address is no part of what was wrong with the old one.
            if row is None and not (one.kind in _ADDRESSED and one.code in done):
                new[one.identity] = one
            elif row is not None and row.lifted_at is None and one.until_at is not None:
                differing = {"until_at": one.until_at} if row.until_at != one.until_at else {}
                if differing or row.id in self._held:
                    self.taken.notes.append(
                        Note(row.id, one.line, differing, {"until_at"} - differing.keys())
                    )
        set_facts(self._conn, list(new.values()), self._terms.now, self._terms.actor)
        return {one.line for one in new.values()}

    def _known(self, told: Sequence[ToldFact]) -> dict[tuple[object, ...], AnyRow]:
        """Return the stops that these facts set before, lifted and ended ones too."""
        codes = {one.code for one in told}
        found: dict[tuple[object, ...], AnyRow] = {}
        for name in ("person_id", "dossier_id", "claim_id"):
            ids = {key for one in told if (key := getattr(one, name)) is not None}
            if ids:
                query = select(stop).where(stop.c[name].in_(ids), stop.c.reason_code.in_(codes))
                found |= {_identity(row): row for row in self._conn.execute(query)}
        lasting = {one.code for one in told if one.kind in _ADDRESSED}
        if lasting:
            # What is known of an address that the person no longer has is found by its own code alone.
            query = select(stop).where(stop.c.kind.in_(LASTING), stop.c.reason_code.in_(lasting))
            found |= {_identity(row): row for row in self._conn.execute(query)}
        return found


def _identity(row: AnyRow) -> tuple[object, ...]:
    return (row.reason_code, row.scope, row.person_id, row.dossier_id, row.claim_id, row.address_key)
