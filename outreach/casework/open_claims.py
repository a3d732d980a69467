"""The claims that casework is about, as facts for the one calculator of amounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, or_, select

from consent.calendar import civil_date
from outreach.casework.targets import claim
from outreach.claims.amounts import open_cents
from outreach.claims.facts import ClaimFact, HoldFact
from outreach.store.tables.claims import Allocation, Stop
from outreach.store.types import table_of

allocation = table_of(Allocation)
stop = table_of(Stop)

_COLUMNS = (
    "id",
    "pseudonym",
    "external_id",
    "invoice_number",
    "kind",
    "description",
    "payment_url",
    "invoice_on",
    "due_on",
    "currency",
    "principal_cents",
)


def lock_claim(conn: Connection, claim_id: int) -> None:
    """Lock a claim, so that what is open of it stays so until this transaction ends."""
    conn.execute(select(claim.c.id).where(claim.c.id == claim_id).with_for_update()).one()


def claim_fact(conn: Connection, claim_id: int, now: datetime) -> ClaimFact:
    """Return one claim with the stops on it that hold at `now`."""
    return _facts(conn, claim.c.id == claim_id, now)[0]


def open_overdue(
    conn: Connection, dossier_id: int, zone: str, now: datetime, currency: str = ""
) -> list[ClaimFact]:
    """Return a dossier's claims that are open after their due date in the party's zone, the oldest first."""
    today = civil_date(now, ZoneInfo(zone))
    facts = _facts(conn, claim.c.dossier_id == dossier_id, now)
    return [
        fact
        for fact in facts
        if open_cents(fact) > 0 and fact.due_on < today and currency in {"", fact.currency}
    ]


def open_currencies(conn: Connection, dossier_id: int, now: datetime) -> list[str]:
    """Return the currencies in which something of a dossier is open."""
    facts = _facts(conn, claim.c.dossier_id == dossier_id, now)
    return sorted({fact.currency for fact in facts if open_cents(fact) > 0})


def _facts(conn: Connection, where: ColumnElement[bool], now: datetime) -> list[ClaimFact]:
    # Every booking counts here, also one dated ahead: what is placed once is not placed again.
    reduced = func.coalesce(func.sum(allocation.c.amount_cents), 0).label("reduced_cents")
    rows = conn.execute(
        select(*(claim.c[name] for name in _COLUMNS), reduced)
        .outerjoin(allocation, allocation.c.claim_id == claim.c.id)
        .where(where)
        .group_by(claim.c.id)
        .order_by(claim.c.due_on, claim.c.id)
    ).all()
    holds = _holds(conn, [row.id for row in rows], now)
    return [
        ClaimFact(**(dict(row._mapping) | {"reduced_cents": int(row.reduced_cents), "holds": holds[row.id]}))
        for row in rows
    ]


def _holds(conn: Connection, claims: Sequence[int], now: datetime) -> dict[int, tuple[HoldFact, ...]]:
    found: dict[int, tuple[HoldFact, ...]] = defaultdict(tuple)
    rows = conn.execute(
        select(stop.c.claim_id, stop.c.kind, stop.c.until_at, stop.c.amount_cents).where(
            stop.c.claim_id.in_(claims),
            stop.c.lifted_at.is_(None),
            stop.c.from_at <= now,
            or_(stop.c.until_at.is_(None), stop.c.until_at > now),
        )
    )
    for row in rows:
        found[row.claim_id] += (HoldFact(kind=row.kind, until_at=row.until_at, cents=row.amount_cents),)
    return found
