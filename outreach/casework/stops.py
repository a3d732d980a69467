"""Set and lift stops: facts that forbid contact, each with its scope, its actor and its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from outreach.correspondence import log
from outreach.errors import NotFound
from outreach.store.tables.claims import Stop
from outreach.store.types import new_id, table_of

stop = table_of(Stop)


@dataclass(frozen=True, slots=True)
class NewStop:
    """A stop to set. Exactly the keys of its scope are given; `channel` limits it to one channel."""

    kind: str
    scope: str
    person_id: int | None = None
    dossier_id: int | None = None
    claim_id: int | None = None
    creditor_id: int | None = None
    address_key: str | None = None
    channel: str | None = None
    until_at: datetime | None = None
    reason_code: str = ""


def set_stop(conn: Connection, new: NewStop, actor: str, now: datetime) -> str:
    """Set a stop, effective with this commit, also for what is queued; returns its random id."""
    pseudonym = new_id()
    conn.execute(
        insert(stop).values(
            pseudonym=pseudonym,
            kind=new.kind,
            scope=new.scope,
            person_id=new.person_id,
            dossier_id=new.dossier_id,
            claim_id=new.claim_id,
            creditor_id=new.creditor_id,
            address_key=new.address_key,
            channel=new.channel,
            from_at=now,
            until_at=new.until_at,
            reason_code=new.reason_code,
            set_by=actor,
        )
    )
    reasons = (new.kind, new.scope, pseudonym)
    log.append(conn, [log.Entry(type="stop_set", at=now, actor=actor, reasons=reasons)])
    return pseudonym


def lift_stop(conn: Connection, pseudonym: str, actor: str, now: datetime) -> None:
    """Lift a stop; the row stays, with who lifted it and when."""
    found = conn.execute(
        select(stop.c.id).where(stop.c.pseudonym == pseudonym, stop.c.lifted_at.is_(None))
    ).scalar()
    if found is None:
        msg = f"there is no stop {pseudonym} that is in force"
        raise NotFound(msg)
    conn.execute(update(stop).where(stop.c.id == found).values(lifted_at=now, lifted_by=actor))
    log.append(conn, [log.Entry(type="stop_lifted", at=now, actor=actor, reasons=(pseudonym,))])
