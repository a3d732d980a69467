"""Set and lift stops: facts that forbid contact, each with its scope, its actor and its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, or_, select, update

from outreach.casework import targets
from outreach.correspondence import log
from outreach.errors import NotFound
from outreach.store.tables.claims import Stop
from outreach.store.types import AnyRow, new_id, table_of

stop = table_of(Stop)


@dataclass(frozen=True, slots=True)
class NewStop:
    """A stop to set. Exactly the keys of its scope are given; `channel` limits it to one channel.

    `amount_cents` is the part of a claim that it keeps out; it holds from `from_at`, or from now.
    """

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
    from_at: datetime | None = None
    amount_cents: int | None = None
    arrangement_id: int | None = None
    department: str = ""
    answer_by_on: date | None = None
    content_id: str | None = None


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
            from_at=new.from_at or now,
            until_at=new.until_at,
            reason_code=new.reason_code,
            set_by=actor,
            amount_cents=new.amount_cents,
            arrangement_id=new.arrangement_id,
            department=new.department,
            answer_by_on=new.answer_by_on,
            content_id=new.content_id,
        )
    )
    row = conn.execute(select(stop).where(stop.c.pseudonym == pseudonym)).one()
    # The stop's own id stands bare, its codes before it.
    reasons = [new.kind, new.scope, *([new.reason_code] if new.reason_code else []), pseudonym]
    log.append(conn, [entry("stop_set", conn, row, actor, now, reasons, new.content_id)])
    return pseudonym


def lift_stop(
    conn: Connection, pseudonym: str, actor: str, now: datetime, reasons: Sequence[str] = ()
) -> None:
    """Lift a stop; the row stays, with who lifted it and when. Raises NotFound where it is not in force."""
    found = conn.execute(
        select(stop).where(stop.c.pseudonym == pseudonym, stop.c.lifted_at.is_(None)).with_for_update()
    ).first()
    if found is None:
        msg = f"there is no stop {pseudonym} that is in force"
        raise NotFound(msg)
    conn.execute(update(stop).where(stop.c.id == found.id).values(lifted_at=now, lifted_by=actor))
    log.append(conn, [entry("stop_lifted", conn, found, actor, now, [*reasons, pseudonym])])


def stop_of(conn: Connection, beginning: str) -> AnyRow:
    """Return a stop, lifted ones too, by its random id or the beginning of it, locked for a change."""
    query = select(stop).where(stop.c.pseudonym.startswith(beginning, autoescape=True)).limit(2)
    rows = conn.execute(query.with_for_update()).all() if beginning else []
    if len(rows) != 1:
        msg = f"there is no single stop {beginning!r} (outreach stop list shows them)"
        raise NotFound(msg)
    return rows[0]


def stops_on(conn: Connection, found: Sequence[targets.DossierRef], now: datetime) -> list[AnyRow]:
    """Return the stops in force or to come that concern these dossiers, whatever they hang on."""
    dossiers = [one.id for one in found]
    persons = select(targets.party.c.person_id).where(targets.party.c.dossier_id.in_(dossiers))
    claims = select(targets.claim.c.id).where(targets.claim.c.dossier_id.in_(dossiers))
    keys = select(targets.point.c.address_key).where(targets.point.c.person_id.in_(persons))
    concerns = or_(
        stop.c.dossier_id.in_(dossiers),
        stop.c.person_id.in_(persons),
        stop.c.claim_id.in_(claims),
        stop.c.creditor_id.in_([one.creditor_id for one in found]),
        stop.c.address_key.in_(keys),
    )
    return _in_force(conn, now, concerns)


def all_stops(conn: Connection, now: datetime, kind: str | None, limit: int) -> list[AnyRow]:
    """Return the newest stops in force or to come, of one kind where it is named."""
    return _in_force(conn, now, stop.c.kind == kind if kind else stop.c.id > 0, limit)


def _in_force(conn: Connection, now: datetime, where: object, limit: int = 1_000) -> list[AnyRow]:
    query = (
        select(
            stop,
            targets.claim.c.invoice_number,
            targets.claim.c.currency,
            targets.creditor.c.code.label("creditor"),
            targets.dossier.c.pseudonym.label("dossier"),
            targets.person.c.pseudonym.label("person"),
        )
        .outerjoin(targets.claim, targets.claim.c.id == stop.c.claim_id)
        .outerjoin(targets.creditor, targets.creditor.c.id == stop.c.creditor_id)
        .outerjoin(targets.dossier, targets.dossier.c.id == stop.c.dossier_id)
        .outerjoin(targets.person, targets.person.c.id == stop.c.person_id)
        .where(
            where,  # type: ignore[arg-type]
            stop.c.lifted_at.is_(None),
            or_(stop.c.until_at.is_(None), stop.c.until_at > now),
        )
        .order_by(stop.c.id.desc())
        .limit(limit)
    )
    return list(reversed(conn.execute(query).all()))


def entry(
    type_: str,
    conn: Connection,
    row: AnyRow,
    actor: str,
    now: datetime,
    reasons: Sequence[str],
    content_id: str | None = None,
) -> log.Entry:
    """Return an entry about a stop under the random ids of whatever it hangs on."""
    dossier_id = row.dossier_id
    if row.claim_id is not None:
        query = select(targets.claim.c.dossier_id).where(targets.claim.c.id == row.claim_id)
        dossier_id = conn.execute(query).scalar_one()
    where = targets.dossier_by_id(conn, dossier_id) if dossier_id is not None else None
    creditor = where.creditor if where is not None else None
    if creditor is None and row.creditor_id is not None:
        codes = select(targets.creditor.c.code).where(targets.creditor.c.id == row.creditor_id)
        creditor = conn.execute(codes).scalar_one()
    person = targets.person_by_id(conn, row.person_id).pseudonym if row.person_id is not None else None
    return log.Entry(
        type=type_,
        at=now,
        actor=actor,
        person=person,
        dossier=where.pseudonym if where is not None else None,
        creditor=creditor,
        channel=row.channel,
        content_id=content_id,
        reasons=tuple(reasons),
    )
