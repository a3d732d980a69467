"""What a person corrected wins over what files say; the file's word is kept beside it, in `source_value`.

A correction is of one field of a person, claim or dossier. While it stands no import touches what it is about; a file
that says something new of it changes only the word beside it, and where the correction is withdrawn the next
import writes what its file says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from outreach.casework import edits
from outreach.casework.corrections import POINT_FIELDS
from outreach.intake.contact_values import PointValue
from outreach.store.bulk import update_rows

edit = edits.edit


class Correction(NamedTuple):
    """A correction that stands."""

    edit_id: int
    value: str
    source_value: str


Corrections = Mapping[tuple[int, str], Correction]
"""The corrections that stand of one kind of record, by its inner key and the field."""

Kept = tuple[str, int, str]
"""One thing that a file says otherwise than a person did: kind of record, inner key, field."""


def corrections(conn: Connection, entity: str, ids: Collection[int]) -> Corrections:
    """Return the corrections that stand of these records."""
    if not ids:
        return {}
    query = select(edit.c.id, edit.c.entity_id, edit.c.field, edit.c.value, edit.c.source_value).where(
        edit.c.entity == entity, edit.c.entity_id.in_(ids), edit.c.withdrawn_at.is_(None)
    )
    return {
        (row.entity_id, row.field): Correction(row.id, row.value, row.source_value)
        for row in conn.execute(query)
    }


def text_of(value: object) -> str:
    """Return a value as a correction keeps it: as text, empty for none."""
    return value.value if isinstance(value, PointValue) else edits.text_of(value)


def field_of(name: str) -> str:
    """Return what the correction of a column, or of the contact point of a kind, is called."""
    return POINT_FIELDS.get(name, name)


def divided(
    record_id: int, told: Mapping[str, Any], standing: Corrections
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide what a file tells of a record: what it may change, and what is new beside a correction.

    What stands beside the correction already is in neither.
    """
    free: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    for name, value in told.items():
        one = standing.get((record_id, field_of(name)))
        if one is None:
            free[name] = value
        elif one.source_value != text_of(value):
            beside[name] = value
    return free, beside


def overruled(entity: str, record_id: int, told: Mapping[str, Any], standing: Corrections) -> set[Kept]:
    """Return what a file says otherwise than a person corrected it to."""
    return {
        (entity, record_id, field_of(name))
        for name, value in told.items()
        if (one := standing.get((record_id, field_of(name)))) is not None and one.value != text_of(value)
    }


def write_beside(conn: Connection, beside: Mapping[int, Mapping[str, Any]], standing: Corrections) -> None:
    """Keep what files say beside the corrections, by the inner key of the record."""
    rows = [
        {"id": standing[record_id, field_of(name)].edit_id, "source_value": text_of(value)}
        for record_id, told in beside.items()
        for name, value in told.items()
    ]
    update_rows(conn, edit, ("id",), rows)
