"""What a stop means beside the stop itself: a flag of the person, how sure an address is, work for somebody."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, select, update

from outreach.casework import edits
from outreach.casework.days import civil_today, closing_of, working_day
from outreach.casework.targets import party, person, point
from outreach.casework.tasks import NewTask, open_task
from outreach.store.types import AnyRow

_FLAGS = {"deceased": "deceased_on", "address_protected": "address_protected"}
"""The column of the person that a stop of this kind sets, as a correction that no file takes back."""

_DAYS_TO_FIND = 5


def apply(conn: Connection, row: AnyRow, on: date | None, actor: str, now: datetime) -> None:
    """Do what belongs to a stop that was just set, or set again."""
    if row.kind in _FLAGS and row.scope == "person":
        field = _FLAGS[row.kind]
        value = (on or _last_told(conn, row, field) or civil_today(now)) if row.kind == "deceased" else True
        edits.set_field(conn, "person", row.person_id, field, value, actor, now)
    if row.kind == "wrong_person" and row.address_key is not None:
        _mark(conn, row, "wrong_person")
    if row.kind in {"moved", "representative", "deceased"} and row.scope in {"person", "contact_point"}:
        _ask_for_more(conn, row, actor, now)


def take_back(conn: Connection, row: AnyRow, actor: str, now: datetime) -> None:
    """Undo what a stop that is lifted had meant; how sure an address is, nobody knows then."""
    if row.kind in _FLAGS and row.scope == "person":
        told = edits.current(conn, "person", row.person_id, _FLAGS[row.kind])
        if told is not None:
            edits.withdraw_field(conn, told, actor, now)
    if row.kind == "wrong_person" and row.address_key is not None:
        _mark(conn, row, "unverified", only="wrong_person")


def _last_told(conn: Connection, row: AnyRow, field: str) -> date | None:
    """Return the day that a correction taken back meanwhile had told."""
    text = conn.execute(
        select(edits.edit.c.value)
        .where(
            edits.edit.c.entity == "person",
            edits.edit.c.entity_id == row.person_id,
            edits.edit.c.field == field,
        )
        .order_by(edits.edit.c.id.desc())
        .limit(1)
    ).scalar()
    return date.fromisoformat(text) if text else None


def _mark(conn: Connection, row: AnyRow, certainty: str, only: str | None = None) -> None:
    query = update(point).where(point.c.address_key == row.address_key)
    if only is not None:
        query = query.where(point.c.certainty == only)
    conn.execute(query.values(certainty=certainty))


def _ask_for_more(conn: Connection, row: AnyRow, actor: str, now: datetime) -> None:
    """Open the work that the stop asks for: a new address, or who represents this person."""
    persons = select(person.c.id, person.c.pseudonym).order_by(person.c.id)
    if row.person_id is not None:
        persons = persons.where(person.c.id == row.person_id)
    else:
        has_it = select(point.c.person_id).where(point.c.address_key == row.address_key)
        persons = persons.where(person.c.id.in_(has_it))
    kind = "address_wanted" if row.kind == "moved" else "representative"
    for who in conn.execute(persons):
        dossiers = select(party.c.dossier_id).where(party.c.person_id == who.id)
        open_task(
            conn,
            NewTask(
                kind=kind,
                subject=who.pseudonym,
                dossier_id=conn.execute(dossiers.order_by(party.c.dossier_id).limit(1)).scalar(),
                person_id=who.id,
                reason_code=f"stop_{row.kind}",
                due_at=closing_of(working_day(civil_today(now), _DAYS_TO_FIND)),
            ),
            actor,
            now,
        )
