"""Correct what is known of a person, a contact point or a claim; the source's value is kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from outreach.casework import edits
from outreach.casework.targets import ClaimRef, DossierRef, person, point
from outreach.correspondence import log
from outreach.errors import Refused
from outreach.parties.addresses import AddressKeys
from outreach.store.types import AnyRow

POINT_FIELDS = {"email": "email", "sms": "phone", "letter": "address"}
"""What a correction of a contact point is called, by the point's kind."""
KINDS = {field: kind for kind, field in POINT_FIELDS.items()}

PERSON = "person"
"""The source of a contact point that somebody told us, and that no file changes."""


def correct_person(
    conn: Connection,
    who: AnyRow,
    values: Mapping[str, Any],
    points: Mapping[str, str],
    keys: AddressKeys,
    actor: str,
    now: datetime,
    *,
    certainty: str = "verified",
    dossier: DossierRef | None = None,
) -> list[str]:
    """Correct columns of a person, and contact points by their kind; return the fields that changed.

    A new contact point is `certainty`, and the one that it replaces ends. Raises Refused where all was so already.
    """
    made = {
        field: edits.set_field(conn, "person", who.id, field, value, actor, now)
        for field, value in values.items()
    }
    for kind, value in points.items():
        made[POINT_FIELDS[kind]] = _set_point(conn, who.id, kind, value, certainty, keys, actor, now)
    return _log(conn, made, log.Entry("corrected", now, actor, person=who.pseudonym), dossier)


def correct_claim(
    conn: Connection, which: ClaimRef, values: Mapping[str, Any], actor: str, now: datetime
) -> list[str]:
    """Correct the due date or the description of a claim; return the fields that changed."""
    made = {
        field: edits.set_field(conn, "claim", which.id, field, value, actor, now)
        for field, value in values.items()
    }
    return _log(conn, made, log.Entry("corrected", now, actor), which.dossier)


def withdraw(conn: Connection, edit_id: int, keys: AddressKeys, actor: str, now: datetime) -> None:
    """Take a correction back: what the source says holds again."""
    row = conn.execute(select(edits.edit).where(edits.edit.c.id == edit_id).with_for_update()).one()
    kind = KINDS.get(row.field) if row.entity == "person" else None
    if kind is None:
        edits.withdraw_field(conn, row, actor, now)
        return
    if row.withdrawn_at is not None:
        msg = f"the correction of {row.field} is no longer in force: it was corrected again or taken back"
        raise Refused(msg)
    _end_points(conn, row.entity_id, kind, now)
    if row.source_value:
        _use_point(conn, row.entity_id, kind, row.source_value, None, "import", keys)
    edits.close(conn, row, actor, now)


def _set_point(
    conn: Connection,
    person_id: int,
    kind: str,
    value: str,
    certainty: str,
    keys: AddressKeys,
    actor: str,
    now: datetime,
) -> int | None:
    # The person is locked first: two corrections at once must not both be the one that counts.
    conn.execute(select(person.c.id).where(person.c.id == person_id).with_for_update()).one()
    there = _current_points(conn, person_id, kind, now)
    if [(one.value, one.certainty) for one in there] == [(value, certainty)]:
        return None
    was = next((one.value for one in there if one.source != PERSON), "")
    _end_points(conn, person_id, kind, now)
    _use_point(conn, person_id, kind, value, certainty, PERSON, keys)
    return edits.keep(conn, "person", person_id, POINT_FIELDS[kind], value, was, actor, now)


def _current_points(conn: Connection, person_id: int, kind: str, now: datetime) -> list[AnyRow]:
    query = select(point).where(
        point.c.person_id == person_id,
        point.c.kind == kind,
        or_(point.c.until_at.is_(None), point.c.until_at > now),
    )
    return list(conn.execute(query.order_by(point.c.id)))


def _end_points(conn: Connection, person_id: int, kind: str, now: datetime) -> None:
    conn.execute(
        update(point)
        .where(
            point.c.person_id == person_id,
            point.c.kind == kind,
            or_(point.c.until_at.is_(None), point.c.until_at > now),
        )
        .values(until_at=now)
    )


def _use_point(
    conn: Connection,
    person_id: int,
    kind: str,
    value: str,
    certainty: str | None,
    source: str,
    keys: AddressKeys,
) -> None:
    """Put an address to use: the row of it that was there before, or a new one. No certainty leaves it as it was."""
    key = keys.of(kind, value)
    found = conn.execute(
        select(point.c.id, point.c.certainty).where(
            point.c.person_id == person_id, point.c.kind == kind, point.c.address_key == key
        )
    ).first()
    row: dict[str, Any] = {"value": value, "source": source, "until_at": None}
    if found is not None:
        sure = certainty or found.certainty
        conn.execute(update(point).where(point.c.id == found.id).values(**row, certainty=sure))
        return
    row |= {"person_id": person_id, "kind": kind, "address_key": key}
    conn.execute(insert(point).values(**row, certainty=certainty or "unverified"))


def _log(
    conn: Connection, made: Mapping[str, int | None], entry: log.Entry, dossier: DossierRef | None
) -> list[str]:
    changed = {field: key for field, key in made.items() if key is not None}
    if not changed:
        what = ", ".join(made) or "at least one option such as --name or --email"
        msg = f"nothing to correct: {what} {'was so already' if made else 'was expected'}"
        raise Refused(msg)
    log.append(
        conn,
        [
            log.Entry(
                type=entry.type,
                at=entry.at,
                actor=entry.actor,
                person=entry.person,
                dossier=dossier.pseudonym if dossier is not None else None,
                creditor=dossier.creditor if dossier is not None else None,
                reasons=(*changed, *(f"edit:{key}" for key in changed.values())),
            )
        ],
    )
    return list(changed)
