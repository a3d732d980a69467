"""Write the changes that a run held until its end: compared once more with the database, then only what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from outreach.correspondence import log
from outreach.intake.contact_values import PointValue
from outreach.intake.load_debtors import PERSON_COLUMNS, debtor, person
from outreach.intake.load_dossiers import dossier
from outreach.intake.load_edits import corrections, divided, write_beside
from outreach.intake.load_points import changed_point, new_point, point, point_changes, points_by_person
from outreach.intake.pending import Mark
from outreach.parties.addresses import AddressKeys
from outreach.store.bulk import insert_rows
from outreach.store.tables.claims import Claim
from outreach.store.types import table_of

claim = table_of(Claim)

CLAIM_COLUMNS = (
    "invoice_number",
    "kind",
    "invoice_on",
    "due_on",
    "principal_cents",
    "description",
    "payment_url",
    "details",
    "direct_debit",
    "last_step",
    "last_step_on",
)

_SET_POINT = (
    update(point)
    .where(point.c.id == bindparam("row_id"))
    .values(
        value=bindparam("new_value"),
        certainty=bindparam("new_certainty"),
        until_at=bindparam("new_until_at"),
    )
)


def change_claims(conn: Connection, marks: Mapping[int, Mark]) -> set[int]:
    """Bring claims to what the file says; return those that really changed."""
    columns = [claim.c[name] for name in CLAIM_COLUMNS]
    query = select(claim.c.id, *columns).where(claim.c.id.in_(marks)).order_by(claim.c.id)
    rows = conn.execute(query.with_for_update(key_share=True)).all()
    told = _uncorrected(conn, "claim", marks)
    changed = {row.id: values for row in rows if (values := _differing(row, told[row.id]))}
    _update(conn, claim, CLAIM_COLUMNS, {row.id: row for row in rows}, changed)
    return set(changed)


def change_dossiers(conn: Connection, marks: Mapping[int, Mark]) -> set[int]:
    """Bring the segments of dossiers to what the file says; return those that really changed."""
    columns = [dossier.c.segment]
    query = select(dossier.c.id, *columns).where(dossier.c.id.in_(marks)).order_by(dossier.c.id)
    rows = conn.execute(query.with_for_update(key_share=True)).all()
    told = _uncorrected(conn, "dossier", marks)
    changed = {row.id: values for row in rows if (values := _differing(row, told[row.id]))}
    _update(conn, dossier, ("segment",), {row.id: row for row in rows}, changed)
    return set(changed)


def _uncorrected(conn: Connection, entity: str, marks: Mapping[int, Mark]) -> dict[int, dict[str, Any]]:
    """Return what may change by record; what a person corrected gets the file's word beside it."""
    standing = corrections(conn, entity, marks.keys())
    free: dict[int, dict[str, Any]] = {}
    beside: dict[int, dict[str, Any]] = {}
    for record_id, mark in marks.items():
        free[record_id], beside[record_id] = divided(record_id, mark.values, standing)
    write_beside(conn, beside, standing)
    return free


def change_persons(
    conn: Connection, marks: Mapping[int, Mark], keys: AddressKeys, now: datetime, actor: str
) -> set[int]:
    """Bring persons and their contact points to what the file says; return those that really changed."""
    columns = [person.c[name] for name in PERSON_COLUMNS]
    query = select(person.c.id, person.c.pseudonym, *columns).where(person.c.id.in_(marks))
    rows = conn.execute(query.order_by(person.c.id).with_for_update(key_share=True)).all()
    linked = _linked(conn, list(marks))
    free = _uncorrected(conn, "person", marks)
    changed = {}
    for row in rows:
        told = {name: value for name, value in free[row.id].items() if name in PERSON_COLUMNS}
        if row.id in linked:
            told = {name: value for name, value in told.items() if _protects(name, value)}
        if values := _differing(row, told):
            changed[row.id] = values
    _update(conn, person, PERSON_COLUMNS, {row.id: row for row in rows}, changed)
    moved = _change_points(conn, rows, free, linked, keys, now)
    entries = [
        log.Entry(type="contact_point_changed", at=now, actor=actor, person=row.pseudonym, channel=kind)
        for row in rows
        for kind in moved.get(row.id, ())
    ]
    log.append(conn, entries)
    return changed.keys() | moved.keys()


def _differing(row: Row[Any], told: Mapping[str, Any]) -> dict[str, Any]:
    known = row._mapping
    return {name: value for name, value in told.items() if known[name] != value}


def _update(
    conn: Connection,
    table: Any,
    columns: Sequence[str],
    rows: Mapping[int, Row[Any]],
    changed: Mapping[int, Mapping[str, Any]],
) -> None:
    """Write whole rows in one statement: the triggers look at which values differ, not at which are set."""
    if not changed:
        return
    statement = (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )
    conn.execute(
        statement,
        [
            {"row_id": row_id}
            | {f"new_{name}": values.get(name, rows[row_id]._mapping[name]) for name in columns}
            for row_id, values in changed.items()
        ],
    )


def _linked(conn: Connection, persons: Sequence[int]) -> set[int]:
    """Return the persons who are debtor more than once: more than one file tells of them."""
    query = (
        select(debtor.c.person_id)
        .where(debtor.c.person_id.in_(persons))
        .group_by(debtor.c.person_id)
        .having(func.count() > 1)
    )
    return set(conn.execute(query).scalars())


def _protects(name: str, value: object) -> bool:
    """Of a linked person a file changes only what protects them: two files would change the rest for ever."""
    return name == "deceased_on" or (name == "address_protected" and value is True)


def _change_points(
    conn: Connection,
    rows: Sequence[Row[Any]],
    free: Mapping[int, Mapping[str, Any]],
    linked: set[int],
    keys: AddressKeys,
    now: datetime,
) -> dict[int, list[str]]:
    """Change contact points; return the kinds that changed by person."""
    known = points_by_person(conn, [row.id for row in rows])
    moved: dict[int, list[str]] = {}
    new, updates = [], []
    for row in rows:
        for kind, told in free[row.id].items():
            if not isinstance(told, PointValue):
                continue
            changes = point_changes(known.get(row.id, ()), kind, told, keys, is_linked=row.id in linked)
            if changes:
                moved.setdefault(row.id, []).append(kind)
            for change in changes:
                if change.point_id is None:
                    new.append(new_point(row.id, kind, told, change.address_key))
                else:
                    updates.append(changed_point(change, now))
    if updates:
        conn.execute(_SET_POINT, updates)
    if new:
        insert_rows(conn, point, new)
    return moved
