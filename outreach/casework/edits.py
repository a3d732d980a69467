"""Corrections of single fields: a person's value wins, and what the source says is kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from outreach.casework import targets
from outreach.errors import Refused
from outreach.store.tables.parties import Edit
from outreach.store.types import AnyRow, table_of

edit = table_of(Edit)

TABLES: Mapping[str, Table] = {"person": targets.person, "claim": targets.claim}


def current(conn: Connection, entity: str, entity_id: int, field: str) -> AnyRow | None:
    """Return the correction of a field that is in force, locked for a change."""
    query = select(edit).where(
        edit.c.entity == entity,
        edit.c.entity_id == entity_id,
        edit.c.field == field,
        edit.c.withdrawn_at.is_(None),
    )
    return conn.execute(query.with_for_update()).first()


def keep(
    conn: Connection,
    entity: str,
    entity_id: int,
    field: str,
    value: str,
    was: str,
    actor: str,
    now: datetime,
) -> int:
    """Write a correction beside what the source says: what was there, or what it said beside an earlier one."""
    earlier = current(conn, entity, entity_id, field)
    if earlier is not None:
        close(conn, earlier, actor, now)
    row = {
        "entity": entity,
        "entity_id": entity_id,
        "field": field,
        "value": value,
        "source_value": was if earlier is None else earlier.source_value,
        "actor": actor,
        "at": now,
    }
    return int(conn.execute(insert(edit).values(**row).returning(edit.c.id)).scalar_one())


def close(conn: Connection, row: AnyRow, actor: str, now: datetime) -> None:
    """Take a correction out of force; the row stays."""
    conn.execute(update(edit).where(edit.c.id == row.id).values(withdrawn_at=now, withdrawn_by=actor))


def set_field(
    conn: Connection, entity: str, entity_id: int, field: str, value: Any, actor: str, now: datetime
) -> int | None:
    """Correct one column of a person or claim; return the correction's key, None where it was that already."""
    table = TABLES[entity]
    was = conn.execute(select(table.c[field]).where(table.c.id == entity_id).with_for_update()).scalar()
    if was == value:
        return None
    conn.execute(update(table).where(table.c.id == entity_id).values({field: value}))
    return keep(conn, entity, entity_id, field, text_of(value), text_of(was), actor, now)


def withdraw_field(conn: Connection, row: AnyRow, actor: str, now: datetime) -> None:
    """Give a column back what the source says, and take its correction out of force."""
    if row.withdrawn_at is not None:
        msg = f"the correction of {row.field} is no longer in force: it was corrected again or taken back"
        raise Refused(msg)
    table = TABLES[row.entity]
    source = value_of(table, row.field, row.source_value)
    conn.execute(update(table).where(table.c.id == row.entity_id).values({row.field: source}))
    close(conn, row, actor, now)


def text_of(value: Any) -> str:
    """Return a column's value as a correction keeps it: text, empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def value_of(table: Table, field: str, text: str) -> Any:
    """Return what a correction kept as the column holds it."""
    column = table.c[field]
    kind = column.type.python_type
    if kind is bool:
        return text == "true"
    if not text:
        return None if column.nullable else ""
    if kind is date:
        return date.fromisoformat(text)
    return int(text) if kind is int else text
