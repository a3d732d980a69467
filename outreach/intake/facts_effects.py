"""Write the stops that facts come to, and what they mean beside: flags, doubt about an address, work for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, tuple_, update

from outreach.casework import edits, stop_effects
from outreach.casework.days import civil_today, closing_of, working_day
from outreach.casework.tasks import NewTask, open_task
from outreach.correspondence import log
from outreach.intake.facts_told import About, ToldFact
from outreach.intake.load_changes import claim
from outreach.intake.load_debtors import person
from outreach.intake.load_dossiers import dossier, party
from outreach.intake.load_points import point
from outreach.intake.load_stops import stop
from outreach.intake.pending import Mark
from outreach.intake.rows import FactKind
from outreach.store.bulk import insert_rows, update_rows
from outreach.store.types import AnyRow, new_id

_WITH_EFFECTS = frozenset({FactKind.DECEASED, FactKind.WRONG_PERSON, FactKind.MOVED, FactKind.REPRESENTATIVE})
_PROTECTED = "address_protected"
_DAYS_TO_FIND = 5


def set_facts(conn: Connection, new: Sequence[ToldFact], now: datetime, actor: str) -> None:
    """Set these stops, each with its entry, its text as content, and what it means beside."""
    if not new:
        return
    contents = {one.code: (new_id(), one.text) for one in new if one.text}
    log.keep(conn, [(key, "text", text.encode()) for key, text in contents.values()], now)
    rows = {new_id(): one for one in new}
    insert_rows(
        conn,
        stop,
        [
            {
                "pseudonym": pseudonym,
                "kind": one.kind.value,
                "scope": one.scope,
                "person_id": one.person_id,
                "dossier_id": one.dossier_id,
                "claim_id": one.claim_id,
                "address_key": one.address_key,
                "from_at": one.from_at,
                "until_at": one.until_at,
                "reason_code": one.code,
                "set_by": actor,
                "content_id": contents[one.code][0] if one.text else None,
            }
            for pseudonym, one in rows.items()
        ],
    )
    log.append(
        conn,
        [
            log.Entry(
                type="stop_set",
                at=now,
                actor=actor,
                person=one.person,
                dossier=one.dossier,
                content_id=contents[one.code][0] if one.text else None,
                reasons=(one.kind.value, one.scope, pseudonym),
            )
            for pseudonym, one in rows.items()
        ],
    )
    meaning = [pseudonym for pseudonym, one in rows.items() if one.kind in _WITH_EFFECTS]
    if meaning:
        query = select(stop).where(stop.c.pseudonym.in_(meaning)).order_by(stop.c.id)
        for row in conn.execute(query).all():
            stop_effects.apply(conn, row, rows[row.pseudonym].on, actor, now)
            if row.kind == FactKind.DECEASED:
                _ask_who_acts(conn, row, actor, now)
    _doubt(conn, [one for one in new if one.kind is FactKind.MOVED and one.from_at <= now])


def _ask_who_acts(conn: Connection, row: AnyRow, actor: str, now: datetime) -> None:
    """Open the work of finding out who acts for the estate: the heirs are told by a person, not by a letter."""
    dossiers = select(party.c.dossier_id).where(party.c.person_id == row.person_id)
    pseudonym = conn.execute(select(person.c.pseudonym).where(person.c.id == row.person_id)).scalar_one()
    open_task(
        conn,
        NewTask(
            kind="representative",
            subject=pseudonym,
            dossier_id=conn.execute(dossiers.order_by(party.c.dossier_id).limit(1)).scalar(),
            person_id=row.person_id,
            reason_code="stop_deceased",
            due_at=closing_of(working_day(civil_today(now), _DAYS_TO_FIND)),
        ),
        actor,
        now,
    )


def _doubt(conn: Connection, moved: Sequence[ToldFact]) -> None:
    """Take the postal address of who moved for doubtful; what is known to be worse stays so."""
    if moved:
        where = tuple_(point.c.person_id, point.c.address_key)
        doubtful = where.in_([(one.person_id, one.address_key) for one in moved])
        worse = point.c.certainty.in_(("dead", "wrong_person"))
        conn.execute(update(point).where(doubtful, ~worse).values(certainty="suspect"))


def protect_addresses(
    conn: Connection, told: Sequence[tuple[int, About]], now: datetime, actor: str
) -> set[int]:
    """Mark addresses as protected, as a correction that no claims file takes back; return the lines that did.

    What a person took back is not set again: nobody knows better than whoever looked.
    """
    persons = {about.person_id: (line, about) for line, about in told}
    if not persons:
        return set()
    kept = select(edits.edit.c.entity_id).where(
        edits.edit.c.entity == "person", edits.edit.c.field == _PROTECTED, edits.edit.c.entity_id.in_(persons)
    )
    open_ones = select(person.c.id).where(
        person.c.id.in_(persons), person.c.address_protected.is_(False), person.c.id.not_in(kept)
    )
    lines = set()
    for person_id in conn.execute(open_ones.order_by(person.c.id)).scalars().all():
        line, about = persons[person_id]
        key = edits.set_field(conn, "person", person_id, _PROTECTED, True, actor, now)
        reasons = (_PROTECTED, f"edit:{key}")
        log.append(
            conn, [log.Entry(type="corrected", at=now, actor=actor, person=about.person, reasons=reasons)]
        )
        lines.add(line)
    return lines


def follow(conn: Connection, ends: Mapping[int, Mark], now: datetime, actor: str) -> list[int]:
    """Give stops the end that the file tells; return those that really changed."""
    query = (
        select(
            stop.c.id,
            stop.c.kind,
            stop.c.scope,
            stop.c.until_at,
            person.c.pseudonym.label("person"),
            dossier.c.pseudonym.label("dossier"),
        )
        .outerjoin(claim, claim.c.id == stop.c.claim_id)
        .outerjoin(dossier, dossier.c.id.in_((stop.c.dossier_id, claim.c.dossier_id)))
        .outerjoin(person, person.c.id == stop.c.person_id)
        .where(stop.c.id.in_(ends), stop.c.lifted_at.is_(None))
        .order_by(stop.c.id)
    )
    rows = [row for row in conn.execute(query) if row.until_at != ends[row.id].values["until_at"]]
    changes = [{"id": row.id, "until_at": ends[row.id].values["until_at"]} for row in rows]
    update_rows(conn, stop, ("id",), changes)
    entries = [
        log.Entry(
            type="stop_set",
            at=now,
            actor=actor,
            person=row.person,
            dossier=row.dossier,
            reasons=(row.kind, row.scope, "until"),
        )
        for row in rows
    ]
    if entries:
        log.append(conn, entries)
    return [row.id for row in rows]
