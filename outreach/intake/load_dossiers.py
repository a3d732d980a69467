"""Dossiers and their parties: one for every contract of a debtor, or one for a debtor without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from outreach.intake.load_debtors import Known
from outreach.store.bulk import insert_rows
from outreach.store.tables.parties import Dossier, DossierParty
from outreach.store.triggers import AT_ONCE
from outreach.store.types import new_id, table_of

dossier = table_of(Dossier)
party = table_of(DossierParty)

DUE_NOW = datetime.fromisoformat(f"{AT_ONCE}+00:00")
"""A new dossier is looked at whatever the clock says; given at once, the triggers need not set it."""


class DossierKey(NamedTuple):
    """What there is one dossier of."""

    creditor_id: int
    debtor_id: int
    contract_id: str


class DossierRef(NamedTuple):
    """The inner key of a dossier, its name in the log, and its segment."""

    id: int
    pseudonym: str
    segment: str


class Dossiers:
    """The dossiers of a batch that new claims belong to."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._new: set[int] = set()
        self.ids: dict[DossierKey, DossierRef] = {}

    def find_or_make(self, segments: Mapping[DossierKey, str]) -> None:
        """Find these dossiers, and make those that are not there, in their segment; their parties come later."""
        wanted = list(segments)
        if not wanted:
            return
        query = select(
            dossier.c.id,
            dossier.c.pseudonym,
            dossier.c.segment,
            dossier.c.creditor_id,
            dossier.c.debtor_id,
            dossier.c.contract_id,
        ).where(dossier.c.debtor_id.in_({key.debtor_id for key in wanted}))
        for row in self._conn.execute(query):
            key = DossierKey(row.creditor_id, row.debtor_id, row.contract_id)
            self.ids[key] = DossierRef(row.id, row.pseudonym, row.segment)
        made = {new_id(): key for key in wanted if key not in self.ids}
        if not made:
            return
        insert_rows(
            self._conn,
            dossier,
            [
                key._asdict()
                | {
                    "pseudonym": pseudonym,
                    "segment": segments[key],
                    "next_look_at": DUE_NOW,
                    "waits_on_payments": False,
                }
                for pseudonym, key in made.items()
            ],
        )
        ids = select(dossier.c.id, dossier.c.pseudonym).where(dossier.c.pseudonym.in_(made))
        for dossier_id, pseudonym in self._conn.execute(ids):
            key = made[pseudonym]
            self.ids[key] = DossierRef(dossier_id, pseudonym, segments[key])
            self._new.add(dossier_id)

    def add_debtors(self, debtors: Mapping[DossierKey, Known]) -> None:
        """Write the debtor as party of every new dossier."""
        rows = [
            {"dossier_id": self.ids[key].id, "person_id": known.person_id, "role": "debtor"}
            for key, known in debtors.items()
            if self.ids[key].id in self._new
        ]
        if rows:
            insert_rows(self._conn, party, rows)

    def add_others(self, parties: Iterable[tuple[int, int, int, str]]) -> set[int]:
        """Write other parties: (line, dossier, person, role) each; returns the lines that added one.

        Somebody who is a party already, in whatever role and even if no longer, is not made one again.
        """
        wanted: dict[tuple[int, int], tuple[int, str]] = {}
        for line, dossier_id, person_id, role in parties:
            wanted.setdefault((dossier_id, person_id), (line, role))
        if not wanted:
            return set()
        query = select(party.c.dossier_id, party.c.person_id).where(
            party.c.dossier_id.in_({dossier_id for dossier_id, _ in wanted})
        )
        known = {(row.dossier_id, row.person_id) for row in self._conn.execute(query)}
        new = {key: told for key, told in wanted.items() if key not in known}
        if new:
            rows = [
                {"dossier_id": dossier_id, "person_id": person_id, "role": role}
                for (dossier_id, person_id), (_, role) in new.items()
            ]
            insert_rows(self._conn, party, rows)
        return {line for line, _ in new.values()}
