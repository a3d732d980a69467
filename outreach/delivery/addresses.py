"""What failed hand-overs say of addresses: their certainty goes down, unless a person gave it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from outreach.correspondence import log
from outreach.delivery.entries import ACTOR
from outreach.planning import queries as q

_CLOSED = ("dead", "wrong_person")


def doubt(conn: Connection, dead: Collection[str], suspect: Collection[int], now: datetime) -> None:
    """Lower the certainty of addresses: dead ones by their address key, suspect ones by contact point.

    A mailbox that does not exist is dead for everyone who has it. A letter that came back makes its address
    suspect for this person only: others may well live there.
    """
    if dead:
        _lower(conn, q.point.c.address_key.in_(dead), "dead", _CLOSED, now)
    if suspect:
        _lower(conn, q.point.c.id.in_(suspect), "suspect", ("suspect", *_CLOSED), now)


def _lower(
    conn: Connection, which: ColumnElement[bool], certainty: str, kept: Collection[str], now: datetime
) -> None:
    lowered = (
        update(q.point)
        .where(which, q.point.c.certainty.not_in(kept), q.point.c.source == "import")
        .values(certainty=certainty)
        .returning(q.point.c.person_id, q.point.c.kind)
    )
    rows = conn.execute(lowered).all()
    persons = select(q.person.c.id, q.person.c.pseudonym).where(
        q.person.c.id.in_([row.person_id for row in rows])
    )
    pseudonyms = {row.id: row.pseudonym for row in conn.execute(persons)}
    log.append(
        conn,
        [
            log.Entry(
                type="contact_point_changed",
                at=now,
                actor=ACTOR,
                person=pseudonyms[row.person_id],
                channel=row.kind,
                reasons=(certainty,),
            )
            for row in rows
        ],
    )
