"""Debtors of a batch: new persons are written, what differs of known ones is noted for the end of the run.

A debtor is (creditor, number). Each has a person of its own: two debtors become one person by an explicit act,
never because a name or an address is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from outreach.intake.contact_values import PointValue, email_point, points_of
from outreach.intake.load_edits import Corrections, Kept, corrections, divided, overruled
from outreach.intake.load_points import new_point, point, point_changes, points_by_person
from outreach.intake.pending import Note, Pending
from outreach.intake.rows import ClaimRow, CoDebtor, Representative
from outreach.parties.addresses import AddressKeys
from outreach.store.bulk import insert_rows
from outreach.store.tables.parties import Debtor, Person
from outreach.store.types import new_id, table_of

person = table_of(Person)
debtor = table_of(Debtor)

DebtorKey = tuple[int, str]
"""A creditor's inner key and that creditor's number of the debtor."""

_DEFAULTS = {
    "kind": "person",
    "language": "nl",
    "form_of_address": "formal",
    "preferred_channel": None,
    "country": "NL",
    "time_zone": "Europe/Amsterdam",
    "date_of_birth": None,
    "deceased_on": None,
    "address_protected": False,
    "facts_version": 1,
}
PERSON_COLUMNS = ("name", *(name for name in _DEFAULTS if name != "facts_version"))
_FROM_ROW = tuple((name, "debtor_kind" if name == "kind" else name) for name in PERSON_COLUMNS[1:])


class Known(NamedTuple):
    """The inner keys of a debtor."""

    debtor_id: int
    person_id: int
    pseudonym: str


@dataclass(slots=True)
class Told:
    """What a batch tells of one debtor. `line` is the last row that told something."""

    line: int
    columns: dict[str, Any] = field(default_factory=dict)
    points: dict[str, PointValue] = field(default_factory=dict)


class Debtors:
    """The debtors of one batch: first what is told of them, then their keys."""

    def __init__(self, conn: Connection, keys: AddressKeys) -> None:
        self._conn = conn
        self._keys = keys
        self._told: dict[DebtorKey, Told] = {}
        self.known: dict[DebtorKey, Known] = {}
        self.notes: list[Note] = []
        self.overruled: set[Kept] = set()

    def tell(self, line: int, creditor_id: int, row: ClaimRow) -> None:
        """Take what a row says of its debtor and the others it names; of several rows the last word counts."""
        told = self._telling((creditor_id, row.debtor_id), line)
        told.columns["name"] = row.debtor_name
        for column, source in _FROM_ROW:
            value = getattr(row, source)
            # An absent optional column says nothing: it never takes back what is known.
            if value is not None:
                told.columns[column] = value.value if isinstance(value, StrEnum) else value
        for kind, value in points_of(row).items():
            there = told.points.get(kind.value)
            # A row that does not say how sure the same address is takes nothing back.
            if there is None or value.certainty or value.value != there.value:
                told.points[kind.value] = value
        for other in (*row.co_debtors, row.representative):
            if other is not None:
                self._tell_other(line, creditor_id, other)

    def settle(self, held: Pending) -> None:
        """Find every debtor, write the new ones, note what differs of the others."""
        found = self._find()
        persons = [row.person_id for row in found.values()]
        points = points_by_person(self._conn, persons)
        standing = corrections(self._conn, "person", persons)
        for key, row in found.items():
            self.known[key] = Known(row.debtor_id, row.person_id, row.pseudonym)
            told = self._told[key]
            note = compare(row, points.get(row.person_id, ()), told, self._keys, standing)
            self.overruled |= overruled("person", row.person_id, told.columns | told.points, standing)
            if note.differing or row.person_id in held:
                self.notes.append(note)
        new = [key for key in self._told if key not in found]
        if new:
            self._add(new)

    def _telling(self, key: DebtorKey, line: int) -> Told:
        told = self._told.get(key)
        if told is None:
            told = self._told[key] = Told(line)
        told.line = line
        return told

    def _tell_other(self, line: int, creditor_id: int, other: CoDebtor | Representative) -> None:
        told = self._telling((creditor_id, other.debtor_id), line)
        told.columns["name"] = other.name
        if other.email:
            told.points["email"] = email_point(other.email)

    def _find(self) -> dict[DebtorKey, Row[Any]]:
        creditors = {creditor_id for creditor_id, _ in self._told}
        numbers = {number for _, number in self._told}
        # With several creditors this finds a few too many: one statement is worth that.
        query = (
            select(
                debtor.c.id.label("debtor_id"),
                debtor.c.creditor_id,
                debtor.c.external_id,
                person.c.id.label("person_id"),
                person.c.pseudonym,
                *(person.c[name] for name in PERSON_COLUMNS),
            )
            .join(person, person.c.id == debtor.c.person_id)
            .where(debtor.c.creditor_id.in_(creditors), debtor.c.external_id.in_(numbers))
        )
        rows = {(row.creditor_id, row.external_id): row for row in self._conn.execute(query)}
        return {key: row for key, row in rows.items() if key in self._told}

    def _add(self, new: Sequence[DebtorKey]) -> None:
        """Write new persons before their debtors and contact points: what is not there yet raises nothing."""
        pseudonyms = {new_id(): key for key in new}
        insert_rows(
            self._conn,
            person,
            [
                _DEFAULTS | self._told[key].columns | {"pseudonym": pseudonym}
                for pseudonym, key in pseudonyms.items()
            ],
        )
        ids = {
            row.pseudonym: row.id
            for row in self._conn.execute(
                select(person.c.id, person.c.pseudonym).where(person.c.pseudonym.in_(pseudonyms))
            )
        }
        insert_rows(
            self._conn,
            debtor,
            [
                {"creditor_id": key[0], "external_id": key[1], "person_id": ids[pseudonym]}
                for pseudonym, key in pseudonyms.items()
            ],
        )
        made = select(debtor.c.id, debtor.c.person_id).where(debtor.c.person_id.in_(ids.values()))
        debtors = {row.person_id: row.id for row in self._conn.execute(made)}
        points = []
        for pseudonym, key in pseudonyms.items():
            person_id = ids[pseudonym]
            self.known[key] = Known(debtors[person_id], person_id, pseudonym)
            for kind, value in self._told[key].points.items():
                points.append(new_point(person_id, kind, value, self._keys.of(kind, value.value)))
        if points:
            insert_rows(self._conn, point, points)


def compare(
    row: Row[Any], points: Sequence[Row[Any]], told: Told, keys: AddressKeys, standing: Corrections
) -> Note:
    """Say which columns and contact points of a person would change, and which are the same already.

    What a person corrected differs where the file says something new beside the correction.
    """
    known = row._mapping
    everything: dict[str, Any] = {**told.columns, **told.points}
    free, beside = divided(row.person_id, everything, standing)
    differing = beside | {
        name: value
        for name, value in free.items()
        if (
            point_changes(points, name, value, keys)
            if isinstance(value, PointValue)
            else known[name] != value
        )
    }
    return Note(row.person_id, told.line, differing, everything.keys() - differing.keys())
